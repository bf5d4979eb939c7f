from datetime import UTC, datetime
from decimal import Decimal
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.oms_channels.adapters import base
from odoo.addons.oms_channels.adapters.errors import Rejected, Unavailable
from odoo.addons.oms_channels.adapters.medusa.adapter import MedusaAdapter
from odoo.addons.oms_channels.adapters.payouts import PayoutEntry, PayoutPage

from .common import ChannelsCommon

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


def make_entry(number, gross="100.00", fee="3.00", kind="charge", **values):
    gross, fee = Decimal(gross), Decimal(fee)
    return PayoutEntry(str(number), kind, gross, fee, gross - fee, "USD", NOON, **values)


@tagged("post_install", "-at_install")
class TestPayout(ChannelsCommon):
    def setUp(self):
        super().setUp()
        self.pages = []
        capabilities = MedusaAdapter.capabilities | {base.PAYOUTS}
        self.startPatcher(patch.object(MedusaAdapter, "capabilities", capabilities))
        self.fetch = self.startPatcher(patch.object(MedusaAdapter, "fetch_payouts_page", side_effect=self._fetch))

    def _fetch(self, since, cursor=None, limit=100):
        index = int(cursor or 0)
        return PayoutPage(tuple(self.pages[index]), str(index + 1) if index + 1 < len(self.pages) else None)

    def _read(self, *pages):
        self.pages = pages
        self.channel.payout_date = False
        self._run_cron("oms_channels.ir_cron_pull_payouts")
        return self.env["oms.channel.payout"].search([("channel_id", "=", self.channel.id)])

    def test_payout_is_kept_with_the_fee_of_each_order(self):
        order = self._import(1, captured=True)
        payment = order.channel_payment_ids
        sale = make_entry(
            1, order_external_id="order_1", payment_external_id=payment.external_id, payout_external_id="P1"
        )
        payout = self._read(
            [sale, make_entry(2, "-10.00", "0", kind="refund", payout_external_id="P1")],
            [make_entry(3, "-87.00", "0", kind="payout", payout_external_id="P1", payout_state="paid")],
        )
        self.assertEqual((payout.gross_amount, payout.fee_amount, payout.net_amount), (90.0, 3.0, 87.0))
        self.assertEqual((payout.paid_amount, payout.difference, payout.line_count), (87.0, 0.0, 2))
        self.assertEqual((payout.state, payout.currency_id), ("paid", self.usd))
        line = payout.line_ids.filtered(lambda line: line.external_id == "1")
        self.assertEqual((line.order_id, line.payment_id), (order, payment))
        self.assertEqual(order.channel_fee_amount, 3.0)

    def test_refund_that_only_the_account_tells_reaches_the_order(self):
        order = self._import(1, captured=True)
        told = {"order_external_id": "order_1", "kind": "refund"}
        self._read([make_entry(1, "-10.00", "-1.00", **told)])
        self.assertEqual(order.channel_payment_ids.refunded_amount, 0.0, "its orders tell it")
        self.startPatcher(patch.object(MedusaAdapter, "refunds_come_by_payouts", True))
        for _run in range(2):
            self._read([make_entry(1, "-10.00", "-1.00", **told), make_entry(2, "-5.50", "0", **told)])
            self._run_cron("oms_channels.ir_cron_settle")
        self.assertEqual(order.channel_payment_ids.mapped("refunded_amount"), [0.0, 15.5])
        self.assertEqual(order.channel_payment_ids.filtered("refund_state").amount, 15.5)

    def test_refund_of_an_order_without_a_payment_is_kept(self):
        """The account may tell a refund of what was paid before the orders were read."""
        order = self._import(1)
        order.channel_payment_ids.unlink()
        self.startPatcher(patch.object(MedusaAdapter, "refunds_come_by_payouts", True))
        payout = self._read([make_entry(1, "-10.00", "0", kind="refund", order_external_id="order_1")])
        self.assertFalse(payout, "it is in no payout yet")
        self.assertFalse(self.channel.payout_error)
        self.assertEqual(self.env["oms.channel.payout.line"].search([("order_id", "=", order.id)]).gross_amount, -10.0)

    def test_again_nothing_is_kept_twice_nor_booked(self):
        moves = self.env["account.move"].search_count([])
        entry = make_entry(1, payout_external_id="P1")
        for _run in range(2):
            payout = self._read([entry, entry])
        self.assertEqual(len(payout.line_ids), 1)
        self.assertEqual(self.env["account.move"].search_count([]), moves)

    def test_movement_is_put_into_its_payout_and_to_its_order_later(self):
        self._read([make_entry(1, order_external_id="order_1")])
        line = self.env["oms.channel.payout.line"].search([("channel_id", "=", self.channel.id)])
        self.assertFalse(line.payout_id or line.order_id)
        order = self._import(1)
        told = {"order_external_id": "order_1", "payout_external_id": "P1"}
        payout = self._read([make_entry(1, payout_state="in_transit", **told)])
        self.assertEqual((line.payout_id, line.order_id, payout.state), (payout, order, "in_transit"))
        self._read([make_entry(1, payout_state="paid", **told)])
        self.assertEqual(payout.state, "paid")
        self.assertEqual(payout.net_amount, 97.0)

    def test_fee_of_a_payment_counts_until_its_payout_tells(self):
        order = self._import(1, captured=True)
        order.channel_payment_ids.fee_amount = 2.5
        self.assertEqual(order.channel_fee_amount, 2.5)
        self._read([make_entry(1, order_external_id="order_1")])
        self.assertEqual(order.channel_fee_amount, 3.0)

    def test_it_is_read_on_from_a_while_before_the_newest(self):
        self._read([make_entry(1)])
        self.assertEqual(self.fetch.call_args.args[0], datetime(2026, 1, 1, tzinfo=UTC))
        self._read([make_entry(1)])
        self.assertEqual(self.fetch.call_args.args[0], datetime(2026, 1, 18, 12, tzinfo=UTC))

    def test_reading_that_is_interrupted_leaves_nothing_out(self):
        """Where the newest come first, an error behind the first page must not make the older ones forgotten."""
        old, new = (
            make_entry(number, payout_external_id="P1")._replace(date=datetime(2026, month, 1, tzinfo=UTC))
            for number, month in ((1, 2), (2, 6))
        )
        self.fetch.side_effect = [PayoutPage((new,), "1"), Unavailable("503", retry_after=1)]
        self._read()
        self.assertFalse(self.channel.payout_checkpoint)
        self.channel.rest_until = False
        self.fetch.side_effect = self._fetch
        payout = self._read([new], [old])
        self.assertEqual(self.fetch.call_args.kwargs["cursor"], "1", "it goes on where it was")
        self.assertEqual(len(payout.line_ids), 2)
        self.assertEqual(self.channel.payout_checkpoint, datetime(2026, 6, 1))
        self.assertFalse(self.channel.payout_state)

    def test_reading_that_is_out_of_time_goes_on_behind_the_others(self):
        self.pages = [[make_entry(number, payout_external_id="P1")] for number in range(3)]
        times = iter([1, 1, 0])
        with patch.object(type(self.env["ir.cron"]), "_commit_progress", lambda *args, **kwargs: next(times, 1)):
            self.env["oms.channel"]._cron_pull_payouts()
            self.assertEqual((self.channel.payout_date, self.channel.payout_state["cursor"]), (False, "1"))
            self.env["oms.channel"]._cron_pull_payouts()
        self.assertTrue(self.channel.payout_date)
        self.assertEqual(self.env["oms.channel.payout"].search([("external_id", "=", "P1")]).line_count, 3)
        self.assertEqual(self.fetch.call_count, 3)

    def test_place_that_the_platform_does_not_know_is_given_up(self):
        self.fetch.side_effect = [PayoutPage((make_entry(1),), "1"), Rejected("unknown cursor")]
        self._read()
        self.assertFalse(self.channel.payout_state)
        self.assertFalse(self.channel.payout_checkpoint)

    def test_error_of_the_shop_is_shown_and_pauses_it(self):
        self.fetch.side_effect = Unavailable("503")
        self._read()
        self.assertEqual(self.channel.payout_error, "503")
        self.assertTrue(self.channel.rest_until)

    def test_accountants_read_and_nobody_writes(self):
        payout = self._read([make_entry(1, payout_external_id="P1")])
        accountant = self._create_user("accountant", "oms_base.oms_base_group_accountant")
        self.assertTrue(payout.with_user(accountant).line_ids.mapped("fee_amount"))
        for user in (accountant, self.manager):
            with self.assertRaises(AccessError):
                payout.with_user(user).write({"state": "failed"})
        with self.assertRaises(AccessError):
            payout.with_user(self.operator).read(["state"])
        company = self.env["res.company"].create({"name": "Other"})
        self.manager.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        for model in ("oms.channel.payout", "oms.channel.payout.line"):
            self.assertFalse(self.env[model].with_user(self.manager).search([]))

    def test_queries_do_not_grow_with_the_movements(self):
        Line = self.env["oms.channel.payout.line"]

        def count(numbers):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            Line._store(self.channel, [make_entry(number, payout_external_id="P1") for number in numbers])
            self.env.flush_all()
            return self.env.cr.sql_log_count - start

        count(range(1))
        few = count(range(1, 3))
        self.assertLessEqual(count(range(3, 63)), few + 2)
