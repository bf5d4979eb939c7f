from datetime import UTC, datetime
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.oms_channels.adapters import base
from odoo.addons.oms_channels.adapters.errors import Unavailable
from odoo.addons.oms_channels.adapters.medusa.adapter import MedusaAdapter
from odoo.addons.oms_channels.models.machine.audit_check import AuditCheck

from .common import ChannelsCommon, patch_method

SINCE = datetime(2026, 1, 1, tzinfo=UTC)


@tagged("post_install", "-at_install")
class TestAudit(ChannelsCommon):
    """What the shop has is counted against what is here; what is missing is fetched and named."""

    def setUp(self):
        super().setUp()
        self.channel.write({"audit_days": 3000, "pull_start_date": "2026-01-01 00:00:00"})

    def _audit(self):
        self.channel.write({"audit_date": False, "audit_full_date": False, "audit_state": False})
        self._run_cron("oms_channels.ir_cron_audit")
        return self.env["oms.channel.audit"].search([("channel_id", "=", self.channel.id)])

    def _lose(self, number):
        """Place an order that pulling has passed by."""
        raw = self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
        self.channel.pull_checkpoint = "2026-06-01 00:00:00"
        return raw["id"]

    def test_nothing_lost_is_said(self):
        self._import(1)
        audit = self._audit()
        self.assertEqual((audit.shop_count, audit.held_count, audit.missed_count), (1, 1, 0))
        self.assertEqual(audit.state, "complete")
        self.assertIn("All 1 orders", self.channel.audit_message)

    def test_lost_order_is_fetched_and_named(self):
        self._import(1)
        lost = self._lose(2)
        audit = self._audit()
        self.assertEqual((audit.shop_count, audit.held_count, audit.missed_count, audit.open_count), (2, 1, 1, 0))
        self.assertEqual((audit.state, audit.waiting_count), ("waiting", 1))
        self.assertIn(lost, audit.missed_text)
        self.assertIn("wait in the inbox: 1", self.channel.audit_message)
        self._work("message")
        self.channel.invalidate_recordset()
        self.assertIn("1 had been missed", self.channel.audit_message)
        self.assertEqual((self._audit().state, audit.held_count), ("fetched", 2))
        self.assertTrue(self._order(lost))
        self.assertEqual(self._message(lost).source, "audit")

    def test_again_counts_and_fetches_nothing_twice(self):
        self._import(1)
        lost = self._lose(2)
        self._audit()
        audit = self._audit()
        self.assertEqual((audit.shop_count, audit.missed_count, audit.fetched_count), (2, 1, 1))
        self.assertEqual(len(self._message(lost)), 1)

    def test_order_the_shop_does_not_hand_out_is_missing(self):
        self._import(1)
        lost = self._lose(2)
        fetch = self.shop.fetch
        gone = patch.object(
            self.shop,
            "fetch",
            lambda parts, params: (404, {"message": "gone"}) if parts[1:] == [lost] else fetch(parts, params),
        )
        self.startPatcher(gone)
        audit = self._audit()
        self.assertEqual((audit.state, audit.open_count, audit.held_count), ("missing", 1, 1))
        self.assertIn("1 of 2 orders", self.channel.audit_message)
        self.assertIn(self.channel, self.env["oms.channel"].search([("audit_open_count", ">", 0)]))
        self._run_cron("oms_channels.ir_cron_watch")
        self.assertEqual(self.channel.alert_ids.kind, "gap")
        self.assertEqual(self.channel.health, "error")
        gone.stop()
        self.assertEqual(self._audit().fetched_count, 1)

    def test_message_that_failed_is_not_here(self):
        self._import(1)
        self._import(2, [("GHOST", 1, 20.0)])
        audit = self._audit()
        self.assertEqual((audit.state, audit.held_count, audit.failed_count), ("failed", 1, 1))
        self.assertIn("not here yet: 1", self.channel.audit_message)
        self.assertNotIn("All", self.channel.audit_message)
        self._message("order_2").action_skip()
        self.channel.invalidate_recordset()
        self.assertIn("All 2", self.channel.audit_message)
        self.assertEqual((self._audit().state, audit.left_count), ("complete", 1))

    def test_order_that_the_shop_does_not_list_is_seen(self):
        self._import(1)
        self._import(2)
        del self.shop.orders["order_2"]
        self._create_order(channel_order_id="api_1", date_order="2026-01-01 00:00:01", channel_is_direct=True)
        audit = self._audit()
        self.assertEqual((audit.state, audit.shop_count, audit.held_count, audit.extra_count), ("extra", 1, 1, 1))
        self.assertIn("1 orders here are not in the shop's list", self.channel.audit_message)

    def test_order_deleted_here_is_left_out(self):
        self._import(1)
        self._import(2).unlink()
        audit = self._audit()
        self.assertEqual((audit.held_count, audit.left_count, audit.missed_count), (1, 1, 0))

    def test_failing_shop_keeps_the_last_count(self):
        self._import(1)
        self._audit()
        self.shop.failure = (503, {})
        audit = self._audit()
        self.assertEqual(audit.shop_count, 1)
        self.assertIn("503", self.channel.audit_error)
        self.assertTrue(self.channel.rest_until)
        self.assertIn("The last check failed", self.channel.audit_message, "what is said is not older than it seems")
        self.channel.audit_full_date = "2026-01-01 00:00:00"
        self._run_cron("oms_channels.ir_cron_watch")
        alert = self.channel.alert_ids.filtered(lambda row: row.kind == "gap")
        self.assertEqual(alert.level, "warning")
        self.assertIn("not known", alert.message)

    def test_before_the_first_pull_nothing_is_missing(self):
        self._lose(1)
        self.channel.last_pull_date = False
        self.assertFalse(self._audit())

    def _audit_in_pieces(self, count, size=2):
        """Run the check as a scheduler does that is out of time after each page; ``count`` runs at the most."""
        fetch, cursors = MedusaAdapter.fetch_refs_page, []

        def fetch_page(adapter, since, until=None, cursor=None, limit=100):
            cursors.append(cursor)
            return fetch(adapter, since, until=until, cursor=cursor, limit=size)

        with (
            patch.object(MedusaAdapter, "fetch_refs_page", fetch_page),
            patch_method(self.env["ir.cron"], "_commit_progress", lambda *_args, **_kwargs: 0),
        ):
            for _run in range(count):
                self.env["oms.channel"]._cron_audit()
                if not self.channel.is_audit_unfinished:
                    break
        return cursors, self.env["oms.channel.audit"].search([("channel_id", "=", self.channel.id)])

    def test_check_that_is_out_of_time_goes_on_where_it_was(self):
        for number in (1, 2, 3):
            self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
        self._pull()
        lost = self._lose(4)
        cursors, audit = self._audit_in_pieces(2)
        self.assertFalse(audit, "what is not through is not told")
        self.assertTrue(self.channel.is_audit_unfinished and self.channel.audit_state["day"]["seen"])
        self.assertTrue(self.channel.audit_date, "the hourly check is through")
        more, audit = self._audit_in_pieces(9)
        cursors += more
        self.assertEqual(len(cursors), len(set(cursors)) + 1, "no page twice: the hourly check has one of its own")
        self.assertEqual((audit.shop_count, audit.held_count, audit.missed_count, audit.extra_count), (4, 3, 1, 0))
        self.assertIn(lost, audit.missed_text)
        self.assertFalse(self.channel.is_audit_unfinished or self.channel.audit_state)
        self.assertTrue(self.channel.audit_full_date)

    def test_error_within_a_check_costs_no_order(self):
        self._import(1)
        first, second = self._lose(2), self._lose(3)
        with patch.object(MedusaAdapter, "fetch_order", side_effect=Unavailable("The shop has a problem.")):
            self._audit()
        self.assertTrue(self.channel.audit_error and self.channel.audit_state)
        self.channel.write({"rest_until": False, "audit_date": False})
        self._run_cron("oms_channels.ir_cron_audit")
        self.assertEqual({self._message(one).source for one in (first, second)}, {"audit"})
        audit = self.env["oms.channel.audit"].search([("channel_id", "=", self.channel.id)])
        self.assertEqual((audit.shop_count, audit.missed_count, audit.held_count), (3, 2, 1))

    def test_place_that_is_too_old_is_not_gone_on_from(self):
        self._import(1)
        check = AuditCheck(datetime(2026, 1, 1), datetime(2026, 1, 2), "x|1", seen={"order_1"})
        self.channel.audit_state = {"day": check.to_json()}
        now = fields.Datetime.now()
        self.assertEqual(self.channel._begin_check("day", now).seen, set())
        self.channel._keep_check("day", AuditCheck(check.since, now, "x|1", seen={"order_1"}))
        again = self.channel._begin_check("day", now)
        self.assertEqual((again.cursor, again.seen, again.since), ("x|1", {"order_1"}, check.since))

    def test_numbers_left_out(self):
        self.channel.is_numbering_continuous = True
        for number in (1, 2, 5, 6, 8):
            self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
        self._pull()
        audit = self._audit()
        self.assertEqual((audit.gap_count, audit.gap_numbers), (3, "3-4, 7"))
        self.assertIn("3 order numbers are neither", self.channel.audit_message)
        self.assertEqual((audit.first_number, audit.last_number), ("1", "8"))

    def test_numbers_left_out_are_found_whatever_the_shop_writes_around_them(self):
        self.channel.is_numbering_continuous = True
        for number in (1, 2, 5):
            self.shop.place(number, [("OMS-MOUSE", 1, 20.0)], custom_display_id=f"#{1000 + number}")
        self._pull()
        audit = self._audit()
        self.assertEqual((audit.gap_count, audit.gap_numbers), (2, "1003-1004"))

    def test_each_order_counts_in_the_hour_it_was_placed_in(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        self.shop.clock = 7200
        self.shop.place(2, [("OMS-MOUSE", 1, 20.0)])
        self.shop.change("order_1", email="new@example.com")
        self._pull()
        audits = self._audit()
        self.assertEqual(
            [(audit.hour, audit.shop_count) for audit in audits.sorted("hour")],
            [(datetime(2026, 1, 1, 0), 1), (datetime(2026, 1, 1, 2), 1)],
        )

    def test_queries_do_not_grow_with_the_orders(self):
        def count(numbers):
            for number in numbers:
                self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
            self._pull()
            adapter = self.channel._get_adapter()
            start = self.env.cr.sql_log_count
            check = AuditCheck(datetime(2026, 1, 1), datetime(2026, 6, 1))
            with patch_method(self.env["ir.cron"], "_commit_progress", lambda *args, **kwargs: 1.0):
                self.channel._count_refs(adapter, check, adapter.fetch_refs_page(SINCE).items)
                self.channel._get_checked_hours(check)
            return self.env.cr.sql_log_count - start

        first = count(range(1, 3))
        self.assertLessEqual(count(range(3, 33)), first)

    def test_adapter_lists_without_content(self):
        self.shop.place(7, [("OMS-MOUSE", 1, 20.0)])
        adapter = self.channel._get_adapter()
        self.assertIn(base.AUDIT, adapter.capabilities)
        [[ref]] = adapter.list_order_ids(SINCE)
        self.assertEqual((ref.external_id, ref.number, ref.payload), ("order_7", "7", None))
        self.assertEqual(adapter.count_orders(SINCE), 1)
