import copy
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from odoo.tests import tagged

from ..adapters import get_adapter_class
from ..adapters.types import ChannelConfig, ChannelLine, ChannelOrder, ChannelPayment
from .adapter_common import read_data
from .common import ChannelsCommon
from .test_platforms import SHOP, PlatformCommon

FULL = {"currency_code": "usd", "provider_id": "pp_card", "created_at": "2026-01-01T00:00:00.000Z"}


@tagged("post_install", "-at_install")
class TestUnpaid(ChannelsCommon):
    """What the buyer has not paid, or the shop keeps back, does not leave."""

    def _review(self, order):
        self._run_cron("oms_base.ir_cron_review_lane_0")
        self._run_cron("oms_base.ir_cron_review_lane_1")
        return order.oms_hold_ids.filtered(lambda hold: hold.state == "active").mapped("type_id.code")

    def _place_unpaid(self, number=1):
        self._set_buyer_stock(100)
        return self._import(number, payment_collections=[])

    def test_unpaid_order_waits_and_goes_on_when_it_is_paid(self):
        order = self._place_unpaid()
        self.assertEqual(order.oms_waits_for, "payment")
        self.assertEqual(self._review(order), ["payment"])
        self.assertEqual(order.state, "draft")
        payment = {**FULL, "id": "pay_late", "amount": self.shop.orders["order_1"]["total"]}
        self.shop.change("order_1", payment_collections=[{"payments": [payment]}])
        self._pull()
        self.assertFalse(order.oms_waits_for)
        self.assertEqual(self._review(order), [])
        self.assertEqual(order.state, "sale")

    def test_part_of_the_money_is_not_enough(self):
        self._set_buyer_stock(100)
        order = self._import(1, payment_collections=[{"payments": [{**FULL, "id": "pay_part", "amount": 5}]}])
        self.assertEqual(self._review(order), ["payment"])

    def test_what_the_card_has_promised_counts(self):
        self._set_buyer_stock(100)
        order = self._import()
        self.assertFalse(order.channel_payment_ids.captured_amount)
        self.assertEqual(self._review(order), [])
        self.assertEqual(order.state, "sale")

    def test_person_may_send_on_account(self):
        order = self._place_unpaid()
        self._review(order)
        order.oms_hold_ids.action_release()
        self.assertEqual(self._review(order), [])
        self.assertEqual(order.state, "sale")

    def test_presale_is_confirmed_and_kept(self):
        order = self._place_unpaid()
        order.oms_is_presale = True
        self.assertEqual(self._review(order), ["kept_back"])
        self.assertEqual(order.state, "sale")


@tagged("post_install", "-at_install")
class TestPaidTooLittle(ChannelsCommon):
    """An order that goes up after it was paid waits for the rest, and a person collects it."""

    def _change(self, quantity):
        items = [self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", quantity, 20.0)]
        self.shop.change("order_1", items=items, total=quantity * 20.0 + 10.0)
        self._pull()

    def _sell(self, **values):
        self.channel.edit_policy_ids.filtered(lambda row: row.part == "lines").ready = "apply"
        self._set_buyer_stock(100)
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)], **{"captured": True, **values})
        if order.state != "sale":
            order.action_confirm()
        return order

    def test_rest_is_to_be_collected_and_its_payment_lets_the_order_go(self):
        order = self._sell()
        self._change(3)
        self._assert_totals(order, 70.0)
        self.assertEqual(order.oms_waits_for, "payment")
        self.assertIn("20.00", order.activity_ids.summary)
        self.assertEqual((order.oms_amount_paid, order.channel_payment_ids.captured_amount), (50.0, 50.0))
        self._change(4)
        self.assertEqual(len(order.activity_ids), 1)
        payment = self.shop.payment("pay_1")
        payment.update(amount=90.0, captures=[{**payment["captures"][0], "amount": 90.0}])
        self.shop.change("order_1")
        self._pull()
        self.assertEqual(order.channel_payment_ids.captured_amount, 90.0)
        self.assertFalse(order.oms_waits_for)

    def test_what_was_taken_off_is_paid_for_when_it_is_put_on_again(self):
        order = self._sell()
        self._change(1)
        self._change(2)
        self.assertFalse(order.oms_waits_for or order.activity_ids)

    def test_nothing_is_collected_of_who_has_not_paid_at_all(self):
        order = self._sell(captured=False)
        self._change(3)
        self.assertEqual(order.oms_waits_for, "payment")
        self.assertFalse(order.activity_ids)


@tagged("post_install", "-at_install")
class TestPaidTooLittleWoo(PlatformCommon):
    """WooCommerce says that an order is paid, not how much of it."""

    def _apply(self, order, raw):
        adapter = get_adapter_class("woocommerce")(ChannelConfig(SHOP))
        return order._oms_apply_channel_order(adapter.parse_order(raw))

    def test_item_that_staff_add_to_a_paid_order_is_not_booked_as_paid(self):
        raw = {**read_data("woocommerce/order_placed"), "status": "processing", "date_completed_gmt": None}
        raw["meta_data"] = []
        order = self._import(raw)
        self.assertFalse(order.oms_waits_for)
        more = copy.deepcopy(raw)
        more.update(date_modified_gmt="2026-11-23T08:00:00", total="73.93")
        line = {**more["line_items"][1], "id": 99, "subtotal": "12.99", "total": "12.99", "total_tax": "0.00"}
        line.update(subtotal_tax="0.00", taxes=[], quantity=1)
        more["line_items"].append(line)
        self.assertNotEqual(self._apply(order, more).get("state"), "skipped")
        payment = order.channel_payment_ids
        self.assertEqual((payment.amount, payment.captured_amount, payment.amount_to_book), (60.94, 60.94, 60.94))
        self.assertEqual((order.channel_amount_total, order.oms_amount_paid), (73.93, 60.94))
        self.assertEqual(order.oms_waits_for, "payment")
        self.assertIn("12.99", order.activity_ids.filtered(lambda row: "Collect" in row.summary).summary)
        self._apply(order, {**more, "date_modified_gmt": "2026-11-24T08:00:00"})
        self.assertEqual(len(order.activity_ids.filtered(lambda row: "Collect" in row.summary)), 1)

    def test_order_that_is_edited_before_it_is_paid_is_paid_in_full(self):
        raw = read_data("woocommerce/order_placed")
        raw.update(status="pending", date_paid_gmt=None, date_completed_gmt=None, meta_data=[])
        order = self._import(raw)
        self.assertEqual(order.oms_waits_for, "payment")
        paid = {**raw, "status": "processing", "date_paid_gmt": "2026-11-23T08:00:00"}
        self._apply(order, {**paid, "date_modified_gmt": "2026-11-23T08:00:00"})
        self.assertEqual(order.channel_payment_ids.captured_amount, 60.94)
        self.assertFalse(order.oms_waits_for)


@tagged("post_install", "-at_install")
class TestAwaitsPayment(ChannelsCommon):
    """Whether a shop's order awaits money, as a pure question."""

    def _make_order(self, *payments, **values):
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        line = ChannelLine("1", "SKU", "Mug", Decimal(2), Decimal(5), Decimal(10))
        values = {"lines": (line,), "total": Decimal(10), **values}
        rows = [
            ChannelPayment(str(n), name, Decimal(amount), "EUR", state, Decimal(captured))
            for n, (name, amount, state, captured) in enumerate(payments)
        ]
        return ChannelOrder(
            "1", "1", "1", values.pop("status", "open"), moment, moment, "EUR", payments=tuple(rows), **values
        )

    def test_what_counts_as_paid(self):
        for payments, expected in (
            ([], True),
            ([("card", 10, "captured", 10)], False),
            ([("card", 10, "authorized", 0)], False),
            ([("card", 6, "captured", 6), ("gift card", 4, "authorized", 0)], False),
            ([("card", 6, "captured", 6)], True),
            ([("bank", 10, "pending", 0)], True),
            ([("cod", 10, "pending", 0)], False),
            ([("Cash on Delivery (COD)", 10, "pending", 0)], False),
            ([("pp_cod", 10, "pending", 0)], False),
            ([("codex", 10, "pending", 0)], True),
            ([("card", 10, "refunded", 10)], False),
        ):
            with self.subTest(payments=payments):
                self.assertEqual(self._make_order(*payments).awaits_payment, expected)

    def test_who_does_not_tell_of_payments_is_believed(self):
        self.assertFalse(self._make_order(tells_payments=False).awaits_payment)

    def test_units_taken_off_need_no_money(self):
        order = self._make_order(("card", 5, "captured", 5))
        line = replace(order.lines[0], cancelled_quantity=Decimal(1))
        self.assertFalse(replace(order, lines=(line,)).awaits_payment)

    def test_order_that_is_over_awaits_nothing(self):
        self.assertFalse(self._make_order(status="completed").awaits_payment)
