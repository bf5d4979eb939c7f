from unittest.mock import patch

from odoo.fields import Command

from odoo.addons.oms_base.models.oms_channel import OmsChannel
from odoo.addons.oms_base.tests.common import OmsBaseCommon


class OmsReturnsCommon(OmsBaseCommon):
    """Delivered and invoiced orders, a policy, and short cuts through the life of a return."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not cls.env.company.chart_template:
            cls.env["account.chart.template"].try_loading("generic_coa", cls.env.company, install_demo=False)
        cls.env["oms.return.policy"].search([]).active = False
        cls.policy = cls.env["oms.return.policy"].create({"name": "Test policy", "window_days": 30})
        cls.reason = cls.env["oms.return.reason"].create({"name": "Test reason", "shipping_payer": "buyer"})
        (cls.mouse | cls.keyboard).invoice_policy = "delivery"
        cls.buyer.email = "buyer@example.com"
        cls.tax = cls.env["account.tax"].create({"name": "VAT 13", "amount": 13.0, "type_tax_use": "sale"})
        cls.shipping = cls.env["product.product"].create(
            {"name": "Shipping", "type": "service", "list_price": 10.0, "taxes_id": False, "invoice_policy": "order"}
        )
        cls.inspection_location = cls.warehouse._oms_get_return_location("inspection")

    def _sell(self, lines=None, invoice=True, **values):
        """Return an order that is delivered, and invoiced and paid if wanted."""
        order = self._create_order(lines, **values)
        order.action_confirm()
        self._deliver(order)
        if invoice:
            self._invoice(order)
        return order

    @classmethod
    def _create_second_warehouse(cls):
        address = cls._create_buyer("Second Warehouse", street="2 Second Street")
        warehouse = cls.env["stock.warehouse"].create({"name": "Second", "code": "OMST2", "partner_id": address.id})
        cls._set_stock(cls.mouse, 10, warehouse)
        return warehouse

    def _deliver_one(self, order):
        """Ship one unit of each line of an order with one delivery, and return that delivery."""
        picking = order.picking_ids
        picking.move_ids.quantity = 1
        picking.move_ids.picked = True
        picking._action_done()
        return picking

    def _sell_from_two_warehouses(self, second_warehouse):
        """Return an order of one line, of which one left the first warehouse and one the second."""
        order = self._create_order([(self.mouse, 2)])
        order.action_confirm()
        first = self._deliver_one(order)
        second = order.picking_ids - first
        second.do_unreserve()
        place = {"picking_type_id": second_warehouse.out_type_id.id, "location_id": second_warehouse.lot_stock_id.id}
        second.write(place)
        second.move_ids.write({**place, "warehouse_id": second_warehouse.id})
        second.action_assign()
        self._deliver(order)
        self.assertEqual(order.order_line.qty_delivered, 2.0)
        self._invoice(order)
        return order

    def _deliver(self, order):
        """Validate all open transfers of an order as the button does."""
        for picking in order.picking_ids.filtered(lambda picking: picking.state not in ("done", "cancel")):
            for move in picking.move_ids:
                move.quantity = move.product_uom_qty
            picking.move_ids.picked = True
            picking.with_context(skip_sms=True).button_validate()

    def _invoice(self, order):
        invoices = order._create_invoices()
        invoices._post(soft=False)
        self._pay(invoices)
        return invoices

    def _ask(self, order, quantities=None, **values):
        """Return a draft return of {product: quantity} of the order, made by customer service."""
        quantities = quantities or {line.product_id: line.product_uom_qty for line in order.order_line}
        return (
            self.env["oms.return"]
            .with_user(self.user)
            .create(
                {
                    "partner_id": order.partner_id.id,
                    "line_ids": [
                        Command.create(
                            {
                                "sale_line_id": order.order_line.filtered(lambda line, p=product: line.product_id == p)[
                                    :1
                                ].id,
                                "quantity": quantity,
                                "reason_id": self.reason.id,
                            }
                        )
                        for product, quantity in quantities.items()
                    ],
                    **values,
                }
            )
        )

    def _approve(self, order, quantities=None, **values):
        oms_return = self._ask(order, quantities, **values)
        oms_return.action_approve()
        return oms_return

    def _receive(self, oms_return, quantities=None):
        """Validate the transfers that wait for the goods, with less than planned if told so, as the warehouse does."""
        pickings = oms_return.picking_ids.with_user(self.operator).filtered(
            lambda picking: picking.state not in ("done", "cancel")
        )
        for move in pickings.move_ids:
            move.quantity = (quantities or {}).get(move.product_id, move.product_uom_qty)
            move.picked = True
        pickings.with_context(skip_backorder=True).button_validate()
        self.env.invalidate_all()
        return pickings

    def _inspect(self, oms_return, rows=None):
        """Inspect as the warehouse does: what the wizard proposes, or [(product, quantity, disposition, fee)]."""
        wizard = self.env["oms.return.inspect"].with_user(self.operator).create({"return_id": oms_return.id})
        if rows is not None:
            lines = {line.product_id: line for line in oms_return.line_ids}
            wizard.line_ids = [
                Command.clear(),
                *(
                    Command.create(
                        {
                            "line_id": lines[product].id,
                            "quantity": quantity,
                            "disposition": disposition,
                            "restocking_fee": fee,
                        }
                    )
                    for product, quantity, disposition, fee in rows
                ),
            ]
        wizard.action_inspect()

    def _pay(self, moves):
        for move in moves:
            self.env["account.payment.register"].with_context(active_model="account.move", active_ids=move.ids).create(
                {}
            )._create_payments()

    def _get_quantity(self, product, location):
        quants = self.env["stock.quant"].search(
            [("product_id", "=", product.id), ("location_id", "child_of", location.id)]
        )
        return sum(quants.mapped("quantity"))

    def _record_notifications(self):
        """Record what the channels are told, as [(topic, records)]."""
        calls = []
        original = OmsChannel._notify

        def _notify(channel, topic, records):
            calls.append((topic, records))
            return original(channel, topic, records)

        self.startPatcher(patch.object(type(self.env["oms.channel"]), "_notify", _notify))
        return calls
