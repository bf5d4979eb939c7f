from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.oms_channels.adapters import base
from odoo.addons.oms_channels.adapters.medusa.adapter import MedusaAdapter
from odoo.addons.oms_channels.adapters.notices import PushResult

from .common import ChannelsCommon, patch_method


@tagged("post_install", "-at_install")
class TestCancelUnits(ChannelsCommon):
    """Units that are taken off a confirmed order here are cancelled, and paid back, in its shop."""

    def _sell(self, **values):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0), ("OMS-KEYB", 1, 9.99)], **{"captured": True, **values})
        order.action_confirm()
        return order

    def _line(self, order, product):
        return order.order_line.filtered(lambda line: line.product_id == product)

    def _lower(self, order, quantity, product=None):
        self._line(order, product or self.mouse).product_uom_qty = quantity
        self.env.cr.flush()

    def _pushes(self, order):
        return order.channel_push_ids.filtered(lambda push: push.kind == "cancel_lines").sorted("id")

    def _without(self, *capabilities):
        return patch.object(MedusaAdapter, "capabilities", MedusaAdapter.capabilities - set(capabilities))

    def test_units_are_cancelled_and_paid_back_and_nobody_is_held(self):
        order = self._sell()
        order.channel_cancel_reason = "Out of stock"
        self._lower(order, 1)
        self.assertEqual(self._pushes(order).payload["lines"], [["ordli_1_0", "1"]])
        self.assertEqual(order.channel_amount_difference, 0.0)
        self._work("push")
        self.assertEqual(self._pushes(order).state, "done", self._pushes(order).last_error)
        self.assertEqual(self._pushes(order).notice["reason"], "Out of stock")
        item = self.shop.orders["order_1"]["items"][0]
        self.assertEqual(item["quantity"], 1)
        self.assertEqual([row["amount"] for row in self.shop.payment("pay_1")["refunds"]], [20])
        self._pull()
        self._run_cron("oms_channels.ir_cron_settle")
        self._assert_totals(order, 39.99)
        self.assertFalse(order.oms_hold_ids)
        self.assertFalse(order.activity_ids)
        refund = order.channel_payment_ids.filtered(lambda payment: payment.direction == "outbound")
        self.assertRecordValues(refund, [{"amount": 20.0, "refund_state": "waiting"}])
        self._deliver(order)
        self._run_cron("oms_channels.ir_cron_settle")
        self.assertEqual(refund.refund_state, "overpaid")
        self.assertEqual(order.invoice_ids.payment_state, "paid")

    def test_units_paid_back_in_part_only_are_somebodys_to_look_at(self):
        order = self._sell()
        self.shop.payment("pay_1")["refunds"].append({"id": "ref_0", "amount": 40, "note": "goodwill"})
        self._lower(order, 1)
        self._work("push")
        self.assertEqual(self._pushes(order).state, "done", self._pushes(order).last_error)
        self.assertEqual([row["amount"] for row in self.shop.payment("pay_1")["refunds"]], [40, 19.99])
        [activity] = order.activity_ids.filtered(lambda row: "0.01" in row.summary)
        self.assertIn("no more of the buyer's money", activity.note.replace("&#39;", "'"))

    def test_money_that_the_shop_only_noted_is_paid_back_by_a_person(self):
        order = self._sell()
        by_hand = {"amount": "20.00", "provider": "Wallet"}
        result = PushResult("order_1", data={"refunded": {"pay_1": "20.00"}, "by_hand": by_hand})
        self._lower(order, 1)
        with patch.object(MedusaAdapter, "push_cancel_lines", return_value=result):
            self._work("push")
        self.assertEqual(self._pushes(order).notice["captured_amount"], "59.99")
        activity = order.activity_ids
        self.assertIn("Pay the buyer back by hand", activity.summary)
        self.assertIn("Wallet", activity.note)
        order._action_cancel()
        by_hand["amount"] = "39.99"
        with patch.object(MedusaAdapter, "push_cancel", return_value=result):
            self._work("push")
        self.assertEqual(len(order.activity_ids), 2, "each sum is asked for")
        self.assertEqual(order.channel_status, "cancelled")

    def test_what_is_left_costs_what_the_shop_sold_it_for(self):
        """Not what the price list says by now."""
        self.shop.place(1, [("OMS-MOUSE", 3, 15.5, 0.0, 4.65)], shipping=0, captured=True)
        self._pull()
        order = self._order("order_1")
        order.action_confirm()
        self._lower(order, 2)
        self.assertRecordValues(order.order_line, [{"price_unit": 15.5, "discount": 10.0, "price_total": 27.9}])
        self.assertEqual(order.channel_amount_difference, 0.0)

    def test_each_unit_is_told_once(self):
        order = self._sell()
        self._lower(order, 1)
        self._line(order, self.mouse).name = "Another name"
        self.env.cr.flush()
        for _time in range(2):
            self._work("push")
            self._pull()
        self.assertEqual(len(self._pushes(order)), 1)
        self._lower(order, 0)
        self._lower(order, 0, self.keyboard)
        lines = [push.payload["lines"] for push in self._pushes(order)]
        self.assertEqual(lines, [[["ordli_1_0", "1"]], [["ordli_1_0", "1"]], [["ordli_1_1", "1"]]])
        self._work("push")
        self.assertEqual(set(self._pushes(order).mapped("state")), {"done"})
        self.assertEqual([item["quantity"] for item in self.shop.orders["order_1"]["items"]], [0, 0])

    def test_lines_lowered_together_are_told_together(self):
        order = self._sell()
        order.order_line.filtered("channel_line_id").filtered(lambda line: not line.is_delivery).product_uom_qty = 0
        self.env.cr.flush()
        self.assertEqual(self._pushes(order).payload["lines"], [["ordli_1_0", "2"], ["ordli_1_1", "1"]])

    def test_what_is_raised_again_is_not_told(self):
        order = self._sell()
        self._lower(order, 1)
        self._lower(order, 2)
        self._work("push")
        self.assertEqual(self._pushes(order).state, "skipped")
        self.assertEqual(self.shop.orders["order_1"]["items"][0]["quantity"], 2)

    def test_line_that_stands_in_for_another_is_counted_with_it(self):
        order = self._sell()
        Line = self.env["sale.order.line"]
        kept = type(Line)._oms_get_channel_line_id
        stand_in = lambda line: "ordli_1_0" if line.name == "Stand-in" else kept(line)
        with patch_method(Line, "_oms_get_channel_line_id", stand_in):
            self._line(order, self.mouse).product_uom_qty = 0
            Line.create(
                {"order_id": order.id, "product_id": self.keyboard.id, "name": "Stand-in", "product_uom_qty": 1}
            )
            self.env.cr.flush()
            self.assertEqual(self._pushes(order).payload["lines"], [["ordli_1_0", "1"]])

    def test_what_was_taken_off_in_the_review_is_told_at_confirmation(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)], captured=True)
        self._lower(order, 1)
        self.assertFalse(self._pushes(order))
        self.env.ref("oms_base.oms_rule_total").active = False  # somebody let the other total pass
        order.action_confirm()
        self.env.cr.flush()
        self.assertEqual(self._pushes(order).payload["lines"], [["ordli_1_0", "1"]])

    def test_what_the_shop_takes_off_is_not_told_back(self):
        self.channel.edit_policy_ids.filtered(lambda row: row.part == "lines").ready = "apply"
        order = self._sell()
        item = self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", 1, 20.0)
        self.shop.change("order_1", items=[item, self.shop.orders["order_1"]["items"][1]], total=39.99)
        self._pull()
        self.env.cr.flush()
        self.assertEqual(self._line(order, self.mouse).product_uom_qty, 1)
        self.assertFalse(self._pushes(order))
        self._assert_totals(order, 39.99)

    def test_shop_that_cannot_be_told_is_left_to_a_person(self):
        order = self._sell()
        order.channel_cancel_reason = "Out of stock"
        self._lower(order, 1)
        with self._without(base.CANCEL_LINES):
            self._work("push")
        self.assertEqual(self._pushes(order).state, "skipped")
        self.assertIn("1 × [OMS-MOUSE]", order.activity_ids.summary)
        self.assertIn("Out of stock", order.activity_ids.note)
        # Done there by hand: that is what was asked for, and no change.
        item = self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", 1, 20.0)
        self.shop.change("order_1", items=[item, self.shop.orders["order_1"]["items"][1]], total=39.99)
        self._pull()
        self.assertFalse(order.oms_hold_ids.filtered(lambda hold: hold.state == "active"))
        self._assert_totals(order, 39.99)
        with self._without(base.CANCEL):
            order._action_cancel()
            self._work("push")
        self.assertIn("Cancel in the shop: 1", order.activity_ids.mapped("summary"))

    def test_form_says_what_the_shop_cannot_do(self):
        words = "Units taken off"
        self.assertIn(words, self.channel.platform_can)
        with self._without(base.CANCEL_LINES):
            self.channel.invalidate_recordset()
            self.assertIn(words, self.channel.platform_cannot)

    def test_invoiced_units_are_told_by_their_credit_note(self):
        (self.mouse | self.keyboard).invoice_policy = "order"
        order = self._sell()
        order._create_invoices().action_post()
        self._lower(order, 1)
        self.assertFalse(self._pushes(order))

    def test_refusal_is_final_and_visible(self):
        order = self._sell()
        self._lower(order, 1)
        self.shop.orders["order_1"]["items"][0]["detail"] = {"shipped_quantity": 2}
        self._work("push")
        self.assertEqual(self._pushes(order).state, "failed")
        self.assertIn("have not left", self._pushes(order).last_error)
        self.assertTrue(order.activity_ids)
        self.assertFalse(self.shop.payment("pay_1")["refunds"])

    def test_reason_goes_with_a_cancelled_order(self):
        order = self._import(1)
        order.channel_cancel_reason = "Address unknown"
        order._action_cancel()
        self._work("push")
        push = order.channel_push_ids.filtered(lambda row: row.kind == "cancel")
        self.assertEqual((push.state, push.notice["reason"]), ("done", "Address unknown"))

    def test_customer_service_and_orders_without_a_channel(self):
        order = self._sell()
        self._line(order, self.mouse).with_user(self.user).product_uom_qty = 1
        self.env.cr.flush()
        self.assertEqual(len(self._pushes(order)), 1)
        plain = self._create_order(channel_id=False)
        plain.action_confirm()
        plain.order_line.product_uom_qty = 0
        self.env.cr.flush()
        self.assertFalse(plain.channel_push_ids)
