from odoo.tests import tagged

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestShopReopening(ChannelsCommon):
    """An order that was cancelled in the shop and is open again begins anew, or a person looks at it."""

    def _tell(self, status, **values):
        self.shop.change("order_1", status=status, **values)
        self._pull()
        return self._message("order_1")[0]

    def test_order_begins_anew_with_what_the_shop_says_now(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)])
        self._tell("canceled")
        self.assertEqual(order.state, "cancel")
        item = self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", 3, 20.0)
        self.shop.authorize(1, 70.0)
        message = self._tell("pending", items=[item], total=70.0)
        self.assertIn("reviewed anew", message.result)
        self.assertEqual((order.state, order.channel_status), ("draft", "open"))
        self.assertFalse(order.oms_review_date)
        self._assert_totals(order, 70.0)
        self.assertIn("reopened", order.oms_event_ids.mapped("code"))
        order.action_confirm()
        self.assertEqual(sum(order.picking_ids.move_ids.mapped("product_uom_qty")), 3)
        self._tell("pending", metadata={"colour": "x"})
        self.assertEqual(order.oms_event_ids.mapped("code").count("reopened"), 1)

    def test_order_cancelled_here_is_left_to_a_person(self):
        order = self._import(1)
        order._action_cancel()
        self._work("push")
        self.assertEqual(order.channel_status, "cancelled")
        message = self._tell("pending")
        self.assertIn("left to a person", message.result)
        self.assertEqual(order.state, "cancel")
        self.assertIn("open in the shop again", order.activity_ids.summary)

    def test_invoiced_order_is_left_to_a_person(self):
        (self.mouse | self.keyboard).write({"invoice_policy": "order"})
        order = self._import(1)
        order.action_confirm()
        order._create_invoices().action_post()
        self._tell("canceled")
        self._tell("pending")
        self.assertEqual(order.state, "cancel")
        self.assertIn("open in the shop again", order.activity_ids.filtered("summary").mapped("summary")[-1])
