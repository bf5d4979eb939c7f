from odoo.fields import Command

from odoo.addons.oms_base.tests.common import OmsBaseCommon

PLACES = {"beijing": (39.90, 116.40), "shanghai": (31.23, 121.47), "guangzhou": (23.13, 113.26)}


class OmsAllocationCommon(OmsBaseCommon):
    """Warehouses in Beijing, Shanghai and Guangzhou, a buyer near Shanghai, stock as each test sets it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.beijing, cls.shanghai, cls.guangzhou = cls.warehouses = cls.env["stock.warehouse"].create(
            [
                {"name": name.title(), "code": name[:3].upper(), "partner_id": cls._create_place(name).id}
                for name in PLACES
            ]
        )
        cls.channel.warehouse_ids = [Command.set(cls.warehouses.ids)]
        cls.buyer.write({"partner_latitude": 30.27, "partner_longitude": 120.15})  # Hangzhou
        cls.lamp, cls.desk = cls.env["product.product"].create(
            [{"name": name, "is_storable": True, "taxes_id": False} for name in ("Lamp", "Desk")]
        )

    @classmethod
    def _create_place(cls, name):
        latitude, longitude = PLACES[name]
        return cls.env["res.partner"].create(
            {"name": name, "partner_latitude": latitude, "partner_longitude": longitude}
        )

    @classmethod
    def _set_stocks(cls, product, **quantities):
        for name, quantity in quantities.items():
            cls._set_stock(product, quantity, getattr(cls, name))

    def _confirm(self, lines, user=None, **values):
        """Create an order and confirm it, as a real OMS user; a person lets pass what the review holds."""
        order = self._create_order(lines, **values)
        order.with_user(user or self.user).action_confirm()
        if order.state != "sale":
            order.oms_hold_ids.with_user(self.manager).action_release("It may wait.")
            order.with_user(user or self.user).action_confirm()
        return order

    def _get_rows(self, order):
        """Return {(product name, warehouse name): quantity} of what is allocated."""
        rows = order.oms_allocation_ids.filtered(lambda row: row.state != "cancelled")
        return {(row.product_id.name, row.warehouse_id.name): row.quantity for row in rows}

    def _get_moves(self, order):
        """Return {(product name, warehouse name): quantity} of the open and done moves to the buyer."""
        moves = {}
        for move in order.order_line.move_ids.filtered(lambda move: move.state != "cancel"):
            self.assertEqual(move.location_final_id.usage or move.location_dest_id.usage, "customer")
            key = (move.product_id.name, move.warehouse_id.name)
            moves[key] = moves.get(key, 0) + (move.quantity if move.state == "done" else move.product_uom_qty)
        return moves

    def assertAllocated(self, order, expected):
        """The allocations are as expected, and the transfers say the same."""
        self.assertEqual(self._get_rows(order), expected)
        self.assertEqual(self._get_moves(order), expected)
        returns = order.picking_ids.filtered(lambda picking: picking.picking_type_code == "incoming")
        self.assertFalse(returns, "nothing may come back from the buyer")
