from odoo.tests import tagged

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestSentInShop(ChannelsCommon):
    """Goods that the shop's own staff sent, or that left before the channel began, are not sent once more."""

    def setUp(self):
        super().setUp()
        self._set_buyer_stock(100)

    def _send(self, number, *units):
        """The shop's staff send units of the lines of an order."""
        order = self.shop.orders[f"order_{number}"]
        for item, quantity in zip(order["items"], units, strict=True):
            item["detail"] = {"shipped_quantity": quantity, "fulfilled_quantity": quantity}
        self.shop.change(order["id"])

    def _place(self, number, *units, **values):
        self.shop.place(number, [("OMS-MOUSE", 2, 19.99), ("OMS-KEYB", 1, 49.5)], **values)
        if units:
            self._send(number, *units)
        self._pull()
        return self._order(f"order_{number}")

    def _get_holds(self, order):
        return order.oms_hold_ids.filtered(lambda hold: hold.state == "active" and hold.type_id.code == "edited")

    def test_history_does_not_become_an_order(self):
        self.channel.pull_start_date = "2026-02-01 00:00:00"
        self.channel.pull_checkpoint = "2026-01-01 00:00:00"
        self.assertFalse(self._place(1, 2, 1))
        self.assertEqual(self._message("order_1").state, "skipped")
        self.assertIn("before the channel began", self._message("order_1").result)
        self.assertTrue(self._place(2, 1, 0), "a part of it is still to be sent")

    def test_history_in_a_batch_is_left_out(self):
        self.channel.pull_start_date = "2026-02-01 00:00:00"
        self.channel.pull_checkpoint = "2026-01-01 00:00:00"
        items = [("OMS-MOUSE", 1, 5)]
        for number in range(1, 5):
            self.shop.place(number, items)
        self._send(1, 1)
        self._pull()
        self.assertFalse(self._order("order_1"))
        for number in range(2, 5):
            self.assertTrue(self._order(f"order_{number}"))

    def test_new_order_that_has_left_is_held(self):
        order = self._place(1, 2, 0)
        hold = self._get_holds(order)
        self.assertIn("OMS-MOUSE 2/2", hold.reason)
        self.assertNotIn("OMS-KEYB", hold.reason)

    def test_shipment_in_the_shop_stops_ours_once(self):
        order = self._place(1)
        order.action_confirm()
        self.assertFalse(self._get_holds(order))
        self._send(1, 2, 1)
        self._pull()
        hold = self._get_holds(order)
        self.assertIn("OMS-MOUSE 2/2, OMS-KEYB 1/1", hold.reason)
        hold.action_release()
        self.shop.change("order_1", email="other@example.com")
        self._pull()
        self.assertFalse(self._get_holds(order), "nothing new was sent")

    def test_what_the_shop_sent_is_not_told_to_it(self):
        order = self._place(1)
        order.action_confirm()
        self._send(1, 2, 1)
        self._pull()
        self._get_holds(order).action_release()
        self._deliver(order)
        self._work("push")
        push = order.channel_push_ids.filtered(lambda push: push.kind == "shipment")
        self.assertEqual(push.response, "The shop has sent it itself.")
        self.assertFalse(self.shop.calls_to("/orders/order_1/fulfillments"))

    def test_echo_of_our_own_parcel_is_no_news(self):
        order = self._place(1)
        order.action_confirm()
        self._deliver(order)
        self._work("push")
        self._send(1, 2, 1)
        self._pull()
        self.assertFalse(self._get_holds(order))
