from dataclasses import replace
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock, patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.fields import Domain
from odoo.tests import tagged

from odoo.addons.oms_channels.adapters.errors import Unavailable
from odoo.addons.oms_channels.adapters.medusa.adapter import MedusaAdapter

from .common import ChannelsCommon, patch_method


@tagged("post_install", "-at_install")
class TestPull(ChannelsCommon):
    def test_checkpoint_is_the_last_orders_own_time(self):
        self.shop.clock = 600
        self._import(1)
        self.assertEqual(self.channel.pull_checkpoint, datetime(2026, 1, 1, 0, 10, 1))

    def test_next_pull_goes_back_by_the_overlap(self):
        self.shop.clock = 3600
        self._import(1)
        late = self.shop.place(2, [("OMS-MOUSE", 1, 20.0)])
        late["updated_at"] = "2026-01-01T00:55:00.000Z"  # became visible late
        self._pull()
        self.assertTrue(self._order("order_2"))
        self.assertEqual(self.channel.pull_checkpoint, datetime(2026, 1, 1, 1, 0, 1))

    def test_all_pages_are_read(self):
        for number in range(1, 121):
            self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
        self.channel.write({"next_pull_date": "2026-01-01 00:00:00"})
        self._run_cron(f"oms_channels.ir_cron_pull_lane_{self.channel.id % 2}")
        self.assertEqual(self.env["oms.channel.message"].search_count([("channel_id", "=", self.channel.id)]), 120)

    def test_failing_shop_keeps_checkpoint_and_rests(self):
        self._import(1)
        checkpoint = self.channel.pull_checkpoint
        self.shop.failure = (503, {"retry-after": "120"})
        self._pull()
        self.assertEqual(self.channel.pull_checkpoint, checkpoint)
        self.assertIn("503", self.channel.pull_error)
        self.assertTrue(self.channel.rest_until)
        self.assertEqual(self.channel.health, "error")
        self.shop.failure = None
        self.channel.action_pull_now()
        self._pull()
        self.assertFalse(self.channel.pull_error)
        self.assertFalse(self.channel.rest_until)

    def test_a_concurrent_update_is_no_error_of_the_channel(self):
        with self.assertRaises(SerializationFailure):
            self.channel._call_shop(Mock(side_effect=SerializationFailure()))

    def test_capture_that_bumps_nothing_is_found_by_re_reading(self):
        order = self._import(1)
        self.assertEqual(order.channel_payment_ids.state, "authorized")
        self.shop.capture(1)
        self.channel.reread_state = False
        order.date_order = datetime.now()
        self._pull()
        self.assertEqual(order.channel_payment_ids.state, "captured")
        self.assertIn("paid", order.oms_event_ids.mapped("code"))

    def test_pull_now_needs_no_waiting(self):
        self.channel.next_pull_date = "2099-01-01 00:00:00"
        self.assertFalse(self.env["oms.channel"].search(self.channel._get_pull_domain()) & self.channel)
        self.channel.with_user(self.manager).action_pull_now()
        self.assertIn(self.channel, self.env["oms.channel"].search(self.channel._get_pull_domain()))

    def test_test_button_shows_the_shop(self):
        action = self.channel.with_user(self.manager).action_test_connection()
        self.assertIn("Test Store", action["params"]["title"])
        self.assertTrue(self.channel.connection_date)

    def test_who_asks_for_orders_while_a_run_is_at_it_is_not_forgotten(self):
        started = fields.Datetime.now()
        asked = started + timedelta(seconds=1)
        for is_asked, expected in ((False, started + timedelta(minutes=self.channel.pull_interval)), (True, asked)):
            self.channel.next_pull_date = started
            self.env.flush_all()
            if is_asked:  # by another transaction
                self.env.cr.execute(
                    "UPDATE oms_channel_state SET next_pull_date = %s WHERE id = %s", [asked, self.channel.state_id.id]
                )
            self.channel.write(self.channel._prepare_next_pull(started))
            self.assertEqual(self.channel.next_pull_date, expected)

    # === OUT OF TIME === #

    def _run_lane(self, seconds=0):
        """Pull as a scheduler does that has so many seconds left after each page."""
        with patch_method(self.env["ir.cron"], "_commit_progress", lambda *_args, **_kwargs: seconds):
            self.env["oms.channel"]._cron_pull_orders(self.channel.id % 2)

    def test_long_pull_goes_on_where_it_was_behind_the_others(self):
        for number in range(1, 121):
            self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
        other = self.channel.copy({"code": "other", "name": "Other"})
        other.write({"provider": "medusa", "base_url": self.channel.base_url, "next_pull_date": "2026-01-02 00:00:00"})
        self.channel.next_pull_date = "2026-01-01 00:00:00"
        counts = []
        for _run in range(3):
            self._run_lane()
            counts.append(self.env["oms.channel.message"].search_count([("channel_id", "=", self.channel.id)]))
            self.assertTrue(self.channel.pull_state or _run == 2)
            if self.channel.pull_state:
                due = self.env["oms.channel"].search(self.channel._get_pull_domain(), order="next_pull_date, id")
                self.assertEqual((due & (self.channel | other)).ids, [other.id, self.channel.id])
                self.assertFalse(self.channel.last_pull_date, "the gap check waits until the first pull is through")
                other.next_pull_date = "2099-01-01 00:00:00"
            self.channel.next_pull_date = "2026-01-01 00:00:00"
            other.next_pull_date = "2026-01-02 00:00:00"
        self.assertEqual(counts, [50, 100, 120])
        self.assertFalse(self.channel.pull_state)
        self.assertTrue(self.channel.last_pull_date)

    def test_place_that_is_old_or_refused_is_given_up(self):
        self.channel.pull_checkpoint = "2026-01-01 08:00:00"
        for at, expected in ((fields.Datetime.now(), "x|9"), ("2026-01-01 00:00:00", None)):
            self.channel.pull_state = {"since": "2026-01-01T00:00:00+00:00", "cursor": "x|9", "at": str(at)[:19]}
            place = self.channel._get_pull_place(self.channel._get_adapter())
            self.assertEqual(place["cursor"], expected)
            self.assertEqual(datetime.fromisoformat(place["since"]).hour, 0 if place["cursor"] else 7)
        self.channel.pull_state = {
            "since": "2026-01-01T00:00:00+00:00",
            "cursor": "2026|0",
            "at": fields.Datetime.to_string(fields.Datetime.now()),
        }
        self.shop.failure = (400, {})
        self._pull()
        self.assertFalse(self.channel.pull_state)

    def test_place_in_a_list_that_is_not_sorted_is_good_for_minutes(self):
        adapter, at = self.channel._get_adapter(), fields.Datetime.now() - timedelta(hours=1)
        for keeps_place, expected in ((True, "x"), (False, None)):
            adapter.keeps_place = keeps_place
            self.channel.pull_state = {"since": "2026-01-01T00:00:00+00:00", "cursor": "x", "at": str(at)[:19]}
            self.assertEqual(self.channel._get_pull_place(adapter)["cursor"], expected)

    def test_break_within_a_long_list_leaves_nothing_out(self):
        """Something of an order may have changed after the time by which the list is sorted."""
        for number in range(1, 121):
            self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
        parse, fetch = MedusaAdapter.parse_order, MedusaAdapter.fetch_orders_page

        def parse_changed_late(adapter, payload):
            order = parse(adapter, payload)
            return replace(order, updated_at=datetime(2026, 6, 1, tzinfo=UTC)) if order.reference == "50" else order

        def fail_behind_the_first(adapter, since, until=None, cursor=None, limit=50):
            if cursor:
                raise Unavailable("503")
            return fetch(adapter, since, until, cursor, limit)

        self.patch(MedusaAdapter, "parse_order", parse_changed_late)
        self.channel.next_pull_date = "2026-01-01 00:00:00"
        with patch.object(MedusaAdapter, "fetch_orders_page", fail_behind_the_first):
            self._run_lane(1)
        messages = Domain("channel_id", "=", self.channel.id)
        self.assertEqual(self.env["oms.channel.message"].search_count(messages), 50)
        self.assertFalse(self.channel.pull_checkpoint)
        # As after days: the place is too old.
        self.channel.write({"pull_state": False, "rest_until": False, "next_pull_date": "2026-01-01 00:00:00"})
        self._run_lane(1)
        self.assertEqual(self.env["oms.channel.message"].search_count(messages), 120)

    # === READING AGAIN === #

    def test_orders_to_be_sent_are_read_again_before_all_others(self):
        orders = self.env["sale.order"]
        for number in range(1, 5):
            orders |= self._import(number)
        orders.date_order = fields.Datetime.now()
        sent = orders[:2]
        sent.write({"oms_stage": "shipped", "oms_stage_number": 70})
        self.channel.reread_state = False
        read = []
        with (
            patch_method(self.channel, "_reread_order", lambda channel, adapter, external_id: read.append(external_id)),
            patch("odoo.addons.oms_channels.models.oms_channel_reread.REREAD_SIZE", 3),
        ):
            self._pull()
            self.assertEqual(read, ["order_3", "order_4", "order_1"])
            self._pull()
            self.assertEqual(read[3:], ["order_2", "order_1", "order_2"], "the recent ones go on, the old ones begin")
            self._pull()
            self.assertEqual(read[6:], [], "all are at rest")
            self.channel.with_user(self.manager).action_pull_now()
            self._pull()
            self.assertEqual(read[6:], ["order_3", "order_4"])

    def test_order_that_the_shop_does_not_show_holds_up_no_other(self):
        orders = self._import(1) | self._import(2)
        orders.date_order = fields.Datetime.now()
        del self.shop.orders["order_1"]
        self.shop.capture(2)
        self.channel.reread_state = False
        self._pull()
        self.assertEqual(orders[1].channel_payment_ids.state, "captured")

    def test_order_that_is_not_understood_any_more_is_seen_to_be_so(self):
        order = self._import(1)
        order.date_order = fields.Datetime.now()
        del self.shop.orders["order_1"]["currency_code"]
        # The list does not tell of it.
        self.channel.write({"reread_state": False, "pull_checkpoint": "2026-02-01 00:00:00"})
        self._pull()
        messages = self._message("order_1")
        self.assertEqual(messages.mapped("state"), ["failed", "done"])
        self.assertEqual(messages[0].source, "reread")
        self.channel.reread_state = False
        self._pull()
        self.assertEqual(self._message("order_1"), messages, "the same once")

    def test_reading_products_puts_off_no_orders(self):
        due = fields.Datetime.now() + timedelta(minutes=1)
        self.channel.write({"next_pull_date": due, "is_listing_import_due": True})
        self._run_cron(f"oms_channels.ir_cron_pull_lane_{self.channel.id % 2}")
        self.assertFalse(self.channel.is_listing_import_due)
        self.assertEqual(self.channel.next_pull_date, due)
