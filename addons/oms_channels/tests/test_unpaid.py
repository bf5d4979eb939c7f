from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from odoo.tests import tagged

from ..adapters.types import ChannelLine, ChannelOrder, ChannelPayment
from .common import ChannelsCommon

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
