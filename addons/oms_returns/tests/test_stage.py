from odoo.tests import tagged

from ..hooks import uninstall_hook
from .common import OmsReturnsCommon


@tagged("post_install", "-at_install")
class TestStage(OmsReturnsCommon):
    def test_order_is_returning_while_its_return_is_open(self):
        order = self._sell([(self.mouse, 1)])
        stage = order.oms_stage
        oms_return = self._ask(order)
        oms_return.action_request()
        self.assertEqual(order.oms_stage, stage)
        oms_return.action_approve()
        self.assertEqual((order.oms_stage, order.oms_stage_number), ("returning", 85))
        self._receive(oms_return)
        self.assertEqual(order.oms_stage, "returning")
        self._inspect(oms_return)
        self.assertEqual(order.oms_stage, "returning")
        self._pay(oms_return.credit_note_ids)
        self.assertEqual(oms_return.state, "done")
        self.assertEqual(order.oms_stage, stage)

    def test_cancelled_return_leaves_the_stage(self):
        order = self._sell([(self.mouse, 1)])
        stage = order.oms_stage
        self._approve(order).action_cancel()
        self.assertEqual(order.oms_stage, stage)

    def test_timeline_tells_the_whole_story(self):
        order = self._sell([(self.mouse, 1)])
        oms_return = self._approve(order)
        self._receive(oms_return)
        self._inspect(oms_return)
        self._pay(oms_return.credit_note_ids)
        codes = order.oms_event_ids.sorted("id").filtered(lambda event: event.code.startswith("return_")).mapped("code")
        self.assertEqual(
            codes,
            [
                "return_requested",
                "return_approved",
                "return_received",
                "return_inspected",
                "return_credited",
                "return_done",
            ],
        )

    def test_rehearsal_gives_a_gift_anew_that_came_back(self):
        order = self._sell([(self.mouse, 1)])
        gift = self.env["oms.gift"].create({"name": "Gift"})
        order.order_line.write({"oms_gift_id": gift.id, "price_unit": 0.0})
        self._approve(order)
        order._oms_lift_for_rehearsal()
        self.assertFalse(order._get_gift_lines())

    def test_order_without_a_channel_is_as_in_plain_odoo(self):
        order = self._sell([(self.mouse, 2)], channel_id=False)
        self.assertFalse(order.oms_stage)
        self.assertFalse(order._oms_can_ask_return())
        wizard = self.env["stock.return.picking"].create({"picking_id": order.picking_ids.id})
        wizard.product_return_moves.quantity = 1
        receipt = wizard._create_return()
        self.assertEqual(receipt.location_dest_id, self.warehouse.lot_stock_id)
        self.assertFalse(receipt.oms_return_id)
        receipt.move_ids.picked = True
        receipt._action_done()
        refund = order._create_invoices(final=True)
        self.assertEqual((refund.move_type, refund.amount_total), ("out_refund", 20.0))

    def test_staff_may_return_an_order_without_a_channel(self):
        order = self._sell([(self.mouse, 2)], channel_id=False)
        calls = self._record_notifications()
        oms_return = self._approve(order, {self.mouse: 1})
        self._receive(oms_return)
        self._inspect(oms_return)
        self.assertAlmostEqual(oms_return.credit_note_ids.amount_total, 20.0)
        self.assertFalse(calls)

    def test_uninstalling_leaves_orders_as_plain_odoo_knows_them(self):
        self.mouse.invoice_policy = "order"
        order, credited = self._sell([(self.mouse, 1)]), self._sell([(self.mouse, 1)])
        stage = order.oms_stage
        self._approve(order)
        self.assertEqual(order.oms_stage, "returning")
        oms_return = self._approve(credited)
        self._receive(oms_return)
        self._inspect(oms_return)
        uninstall_hook(self.env)
        self.assertEqual((order.oms_stage, credited.oms_stage), (stage, stage))
        self.assertEqual(credited.invoice_status, "invoiced")
