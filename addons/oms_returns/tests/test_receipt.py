from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import OmsReturnsCommon


@tagged("post_install", "-at_install")
class TestReceipt(OmsReturnsCommon):
    def test_goods_wait_for_their_inspection_and_are_not_sellable(self):
        order = self._sell([(self.mouse, 2)])
        oms_return = self._approve(order)
        self.assertEqual(oms_return.reception_state, "waiting")
        self.assertEqual(oms_return.picking_ids.location_dest_id, self.inspection_location)
        calls = self._record_notifications()
        picking = self._receive(oms_return)
        self.assertEqual(calls, [("return_received", picking)])
        self.assertEqual((oms_return.state, oms_return.reception_state), ("received", "full"))
        self.assertEqual(order.order_line.qty_delivered, 0.0)
        self.assertEqual(self._get_quantity(self.mouse, self.inspection_location), 2.0)
        self.assertEqual(self._get_quantity(self.mouse, self.warehouse.lot_stock_id), 8.0)
        sellable = self.mouse._oms_get_sellable_quantities(self.warehouse)
        self.assertEqual(sellable[self.mouse.id, self.warehouse.id], 8.0)
        self.assertEqual(self.mouse.with_context(warehouse_id=self.warehouse.id).free_qty, 8.0)
        self._inspect(oms_return)
        self.assertEqual(self._get_quantity(self.mouse, self.inspection_location), 0.0)
        self.assertEqual(self._get_quantity(self.mouse, self.warehouse.lot_stock_id), 10.0)

    def test_partial_receipt_and_the_rest(self):
        oms_return = self._approve(self._sell([(self.mouse, 3)]))
        self._receive(oms_return, {self.mouse: 1})
        self.assertEqual((oms_return.state, oms_return.reception_state), ("received", "partial"))
        self._inspect(oms_return)
        self.assertEqual((oms_return.state, oms_return.line_ids.qty_accepted), ("received", 1.0))
        self._receive(oms_return)
        self._inspect(oms_return)
        self.assertEqual((oms_return.reception_state, oms_return.line_ids.qty_accepted), ("full", 3.0))
        self.assertIn(oms_return.state, ("inspected", "done"))

    def test_rest_that_never_comes(self):
        oms_return = self._approve(self._sell([(self.mouse, 3)]))
        self._receive(oms_return, {self.mouse: 1})
        self._inspect(oms_return)
        oms_return.picking_ids.with_user(self.operator).filtered(
            lambda picking: picking.state == "assigned"
        ).action_cancel()
        self.assertEqual((oms_return.state, oms_return.reception_state), ("inspected", "stopped"))

    def test_restock_refurbish_scrap_and_back(self):
        order = self._sell([(self.mouse, 4)])
        oms_return = self._approve(order)
        self._receive(oms_return)
        scrap_location = self.env["stock.scrap"].new({"company_id": self.env.company.id}).scrap_location_id
        scrapped_before = self._get_quantity(self.mouse, scrap_location)
        self._inspect(
            oms_return,
            [
                (self.mouse, 1, "restock", 0),
                (self.mouse, 1, "refurbish", 0),
                (self.mouse, 1, "scrap", 0),
                (self.mouse, 1, "back", 0),
            ],
        )
        inspections = oms_return.sudo().inspection_ids.grouped("disposition")
        self.assertEqual(self._get_quantity(self.mouse, self.warehouse.lot_stock_id), 7.0)
        self.assertEqual(self._get_quantity(self.mouse, self.warehouse.oms_refurbish_location_id), 1.0)
        self.assertEqual(inspections["scrap"].scrap_id.state, "done")
        self.assertEqual(self._get_quantity(self.mouse, scrap_location) - scrapped_before, 1.0)
        back = inspections["back"].move_id.picking_id.with_user(self.operator)
        self.assertEqual((back.picking_type_code, back.state), ("outgoing", "assigned"))
        self.assertEqual(oms_return.line_ids.qty_accepted, 3.0)
        self.assertEqual(self._get_quantity(self.mouse, self.inspection_location), 1.0)
        back.move_ids.picked = True
        back._action_done()
        self.assertEqual(self._get_quantity(self.mouse, self.inspection_location), 0.0)
        self.assertEqual(order.order_line.qty_delivered, 1.0)
        self.assertEqual(oms_return.line_ids.qty_received, 4.0)

    def test_no_more_is_inspected_than_came(self):
        oms_return = self._approve(self._sell([(self.mouse, 2)]))
        self._receive(oms_return, {self.mouse: 1})
        with self.assertRaisesRegex(UserError, "only 1 came in"):
            self._inspect(oms_return, [(self.mouse, 2, "restock", 0)])

    def test_inspecting_twice_finds_nothing_more(self):
        oms_return = self._approve(self._sell([(self.mouse, 2)]))
        self._receive(oms_return)
        self._inspect(oms_return)
        with self.assertRaisesRegex(UserError, "Enter how much"):
            self._inspect(oms_return)
        self.assertEqual(self._get_quantity(self.mouse, self.warehouse.lot_stock_id), 10.0)

    def test_each_delivery_gets_its_own_receipt(self):
        second = self.env["stock.warehouse"].create({"name": "Second", "code": "OMST2"})
        self._set_stock(self.mouse, 5, second)
        order = self._create_order([(self.mouse, 2), (self.keyboard, 1)])
        order.order_line[0].warehouse_id = second
        order.action_confirm()
        self._deliver(order)
        oms_return = self._approve(order)
        self.assertEqual(
            oms_return.picking_ids.location_dest_id,
            self.inspection_location | second.oms_inspection_location_id,
        )
        self._receive(oms_return)
        self._inspect(oms_return)
        self.assertEqual(self._get_quantity(self.mouse, second.lot_stock_id), 5.0)
        self.assertEqual(self._get_quantity(self.keyboard, self.warehouse.lot_stock_id), 10.0)

    def test_policy_sends_returns_to_one_warehouse(self):
        central = self.env["stock.warehouse"].create({"name": "Central", "code": "OMSTC"})
        self.policy.warehouse_id = central
        oms_return = self._approve(self._sell([(self.mouse, 1)]))
        self.assertEqual(oms_return.picking_ids.picking_type_id, central.in_type_id)
        self._receive(oms_return)
        self._inspect(oms_return)
        self.assertEqual(self._get_quantity(self.mouse, central.lot_stock_id), 1.0)

    def test_what_left_no_warehouse_comes_back_to_that_of_the_order(self):
        operation = self.env["stock.picking.type"].create(
            {"name": "Returns", "code": "incoming", "sequence_code": "RET", "company_id": self.env.company.id}
        )
        operation.warehouse_id = False
        self.warehouse.out_type_id.return_picking_type_id = operation
        receipt = self._approve(self._sell([(self.mouse, 1)])).picking_ids
        self.assertEqual(receipt.picking_type_id, self.warehouse.in_type_id)
        self.assertEqual(receipt.location_dest_id, self.inspection_location)

    def test_partial_deliveries_are_returned_from_the_latest(self):
        order = self._create_order([(self.mouse, 3)])
        order.action_confirm()
        first = self._deliver_one(order)
        self._deliver(order)
        second = order.picking_ids - first
        oms_return = self._approve(order, {self.mouse: 2})
        self.assertEqual(oms_return.picking_ids.return_id, second)
        rest = self._approve(order, {self.mouse: 1})
        self.assertEqual(rest.picking_ids.return_id, first)

    def test_two_step_delivery(self):
        self.warehouse.delivery_steps = "pick_ship"
        order = self._create_order([(self.mouse, 2)])
        order.action_confirm()
        self._deliver(order)
        self._deliver(order)
        oms_return = self._approve(order)
        self.assertEqual(oms_return.picking_ids.location_dest_id, self.inspection_location)
        self._receive(oms_return)
        self._inspect(oms_return)
        self.assertEqual(self._get_quantity(self.mouse, self.warehouse.lot_stock_id), 10.0)

    def test_lots_come_back_as_themselves(self):
        product = self.env["product.product"].create(
            {"name": "Tea", "is_storable": True, "tracking": "lot", "taxes_id": False}
        )
        lots = self.env["stock.lot"].create([{"name": name, "product_id": product.id} for name in ("T1", "T2")])
        for lot in lots:
            self.env["stock.quant"]._update_available_quantity(product, self.warehouse.lot_stock_id, 1, lot_id=lot)
        order = self._create_order([(product, 2)])
        order.action_confirm()
        order.picking_ids.move_ids.picked = True
        order.picking_ids._action_done()
        oms_return = self._approve(order)
        oms_return.picking_ids.move_ids.picked = True
        oms_return.picking_ids._action_done()
        self._inspect(oms_return)
        self.assertEqual(oms_return.inspection_ids.lot_id, lots)
        quants = self.env["stock.quant"].search(
            [("lot_id", "in", lots.ids), ("location_id", "=", self.warehouse.lot_stock_id.id)]
        )
        self.assertEqual(quants.mapped("quantity"), [1.0, 1.0])

    def test_return_in_another_unit_than_the_products(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self._set_stock(self.mouse, 30)
        order = self._create_order()
        order.order_line = [
            Command.clear(),
            Command.create({"product_id": self.mouse.id, "product_uom_qty": 2, "product_uom_id": dozen.id}),
        ]
        order.action_confirm()
        self._deliver(order)
        oms_return = self._approve(order, {self.mouse: 1})
        self._receive(oms_return)
        self._inspect(oms_return)
        self.assertEqual(oms_return.line_ids.qty_accepted, 1.0)
        self.assertEqual(self._get_quantity(self.mouse, self.warehouse.lot_stock_id), 18.0)

    def test_goods_keep_their_value_while_they_wait(self):
        self.mouse.standard_price = 12.0
        oms_return = self._approve(self._sell([(self.mouse, 2)]))
        value = self.mouse.total_value
        self._receive(oms_return)
        self.assertEqual(self.mouse.total_value, value + 24.0)
        self._inspect(oms_return)
        self.assertEqual(self.mouse.total_value, value + 24.0)
