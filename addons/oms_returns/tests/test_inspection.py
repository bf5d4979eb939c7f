from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import OmsReturnsCommon


@tagged("post_install", "-at_install")
class TestInspection(OmsReturnsCommon):
    """What came in is inspected where it lies, in the lot it came in."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.second = cls._create_second_warehouse()
        cls.phone = cls.env["product.product"].create(
            {"name": "Phone", "is_storable": True, "tracking": "serial", "list_price": 100.0, "taxes_id": False}
        )
        cls.lots = cls.env["stock.lot"].create([{"name": name, "product_id": cls.phone.id} for name in ("A", "B", "C")])
        for lot in cls.lots:
            cls.env["stock.quant"]._update_available_quantity(cls.phone, cls.warehouse.lot_stock_id, 1, lot_id=lot)

    def _get_stock(self, product, *locations):
        return [self._get_quantity(product, location) for location in locations]

    def _receive_lots(self, quantities=None):
        """Return a return of three phones, received."""
        order = self._create_order([(self.phone, 3)])
        order.action_confirm()
        order.picking_ids.move_ids.picked = True
        order.picking_ids._action_done()
        oms_return = self._approve(order, {self.phone: len(quantities or self.lots)})
        receipt = oms_return.picking_ids
        receipt.move_ids.move_line_ids.unlink()
        receipt.move_ids.move_line_ids = [
            Command.create({"product_id": self.phone.id, "quantity": 1, "lot_id": lot.id, "picking_id": receipt.id})
            for lot in quantities or self.lots
        ]
        receipt.move_ids.picked = True
        receipt._action_done()
        return oms_return

    def _inspect_row(self, oms_return, **values):
        wizard = self.env["oms.return.inspect"].with_user(self.operator).create({"return_id": oms_return.id})
        wizard.line_ids = [Command.clear(), Command.create({"line_id": oms_return.line_ids.id, **values})]
        wizard.action_inspect()
        return oms_return.sudo().inspection_ids[:1]

    def _get_lots(self, location):
        quants = self.env["stock.quant"].search(
            [("product_id", "=", self.phone.id), ("location_id", "child_of", location.id), ("quantity", "!=", 0)]
        )
        self.assertTrue(all(quant.quantity == 1 for quant in quants))
        return quants.lot_id.sorted("name")

    def test_goods_of_one_line_go_back_to_the_warehouses_they_came_to(self):
        oms_return = self._approve(self._sell_from_two_warehouses(self.second))
        places = self.inspection_location, self.second.oms_inspection_location_id
        self._receive(oms_return)
        self.assertEqual(self._get_stock(self.mouse, *places), [1.0, 1.0])
        self._inspect(oms_return)
        self.assertEqual(oms_return.inspection_ids.mapped("quantity"), [1.0, 1.0])
        self.assertEqual(self._get_stock(self.mouse, *places), [0.0, 0.0])
        stocks = self.warehouse.lot_stock_id, self.second.lot_stock_id
        self.assertEqual(self._get_stock(self.mouse, *stocks), [10.0, 10.0])
        pickings = oms_return.inspection_ids.move_id.picking_id
        for picking in pickings:
            warehouse = picking.picking_type_id.warehouse_id
            self.assertEqual(picking.location_id, warehouse.oms_inspection_location_id)
            self.assertEqual(picking.location_dest_id, warehouse.lot_stock_id)
        self.assertEqual(pickings.picking_type_id.warehouse_id, self.warehouse | self.second)

    def test_a_row_without_a_place_takes_what_is_left_anywhere(self):
        oms_return = self._approve(self._sell_from_two_warehouses(self.second))
        self._receive(oms_return)
        self._inspect(oms_return, [(self.mouse, 2, "scrap", 0)])
        self.assertEqual(
            oms_return.inspection_ids.location_id,
            self.inspection_location | self.second.oms_inspection_location_id,
        )
        for warehouse in (self.warehouse, self.second):
            self.assertEqual(self._get_quantity(self.mouse, warehouse.oms_inspection_location_id), 0.0)

    def test_rejected_goods_leave_from_where_they_lie(self):
        oms_return = self._approve(self._sell_from_two_warehouses(self.second))
        self._receive(oms_return)
        for warehouse in (self.warehouse, self.second):
            place = warehouse.oms_inspection_location_id
            row = self._inspect_row(oms_return, quantity=1, location_id=place.id, disposition="back")
            self.assertEqual((row.move_id.location_id, row.move_id.state), (place, "assigned"))
            self.assertEqual(row.move_id.picking_id.picking_type_id.warehouse_id, warehouse)
        with self.assertRaisesRegex(UserError, "only 0 came in"):
            self._inspect_row(oms_return, quantity=1, location_id=place.id)

    def test_no_more_is_inspected_in_a_place_than_lies_there(self):
        oms_return = self._approve(self._sell_from_two_warehouses(self.second))
        self._receive(oms_return)
        place = self.second.oms_inspection_location_id
        with self.assertRaisesRegex(UserError, f"2 of .*Mouse, {place.display_name} would be .* only 1 came in"):
            self._inspect_row(oms_return, quantity=2, location_id=place.id)
        self.assertFalse(oms_return.inspection_ids)

    def test_a_serial_number_that_did_not_come_is_refused(self):
        oms_return = self._receive_lots(self.lots[0])
        with self.assertRaisesRegex(UserError, "1 of Phone, B would be inspected, but only 0 came in"):
            self._inspect_row(oms_return, quantity=1, lot_id=self.lots[1].id)
        self._inspect_row(oms_return, quantity=1, lot_id=self.lots[0].id)
        self.assertFalse(self._get_lots(self.inspection_location))
        self.assertEqual(self._get_lots(self.warehouse.lot_stock_id), self.lots[0])
        with self.assertRaisesRegex(UserError, "only 0 came in"):
            self._inspect_row(oms_return, quantity=1, lot_id=self.lots[0].id)

    def test_only_what_came_is_offered(self):
        oms_return = self._receive_lots(self.lots[:2])
        self._inspect_row(oms_return, quantity=1, lot_id=self.lots[0].id)
        self.operator.group_ids += self.env.ref("stock.group_production_lot")
        wizard = Form(
            self.env["oms.return.inspect"].with_user(self.operator).with_context(default_return_id=oms_return)
        )
        with wizard.line_ids.edit(0) as row:
            self.assertEqual(row.received_lot_ids.ids, self.lots[1].ids)
            self.assertEqual(row.received_location_ids.ids, self.inspection_location.ids)
        wizard.save().action_inspect()
        self.assertEqual(self._get_lots(self.warehouse.lot_stock_id), self.lots[:2])

    def test_the_rejected_serial_number_is_the_one_sent_back(self):
        oms_return = self._receive_lots()
        row = self._inspect_row(oms_return, quantity=1, lot_id=self.lots[1].id, disposition="back")
        back = row.move_id.picking_id
        self.assertEqual((back.state, back.move_line_ids.lot_id), ("assigned", self.lots[1]))
        self.assertEqual(back.move_line_ids.mapped("quantity"), [1.0])
        self._inspect_row(oms_return, quantity=1, lot_id=self.lots[0].id)
        back.move_ids.picked = True
        back._action_done()
        self.assertEqual(self._get_lots(self.inspection_location), self.lots[2])
        self.assertEqual(self._get_lots(self.warehouse.lot_stock_id), self.lots[0])

    def test_a_row_without_a_number_leaves_those_named_to_their_rows(self):
        oms_return = self._receive_lots()
        wizard = self.env["oms.return.inspect"].with_user(self.operator).create({"return_id": oms_return.id})
        wizard.line_ids = [
            Command.clear(),
            Command.create({"line_id": oms_return.line_ids.id, "quantity": 2, "disposition": "back"}),
            Command.create({"line_id": oms_return.line_ids.id, "quantity": 1, "lot_id": self.lots[0].id}),
        ]
        wizard.action_inspect()
        self.assertEqual(self._get_lots(self.warehouse.lot_stock_id), self.lots[0])
        rejected = oms_return.inspection_ids.filtered(lambda row: row.disposition == "back")
        self.assertEqual(rejected.lot_id.sorted("name"), self.lots[1:])
        self.assertEqual(rejected.move_id.move_line_ids.lot_id.sorted("name"), self.lots[1:])
