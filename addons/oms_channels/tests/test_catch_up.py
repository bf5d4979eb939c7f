from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from freezegun import freeze_time

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.oms_channels.adapters import base
from odoo.addons.oms_channels.adapters.errors import AuthError, Throttled
from odoo.addons.oms_channels.adapters.medusa.adapter import MedusaAdapter
from odoo.addons.oms_channels.adapters.types import Credentials

from ..models.machine import oms_channel_catch_up
from .common import ChannelsCommon, patch_method


@tagged("post_install", "-at_install")
class TestCatchUp(ChannelsCommon):
    """After a break: small steps first, cancellations before the rest; and never more calls than the shop allows."""

    def setUp(self):
        super().setUp()
        # Only what a test does ends the pause between two steps, never the clock.
        self.patch(oms_channel_catch_up, "STEP_SECONDS", 3600)

    def _store_events(self, count, topic="order.placed"):
        """Store webhooks of ``count`` orders, all in one lane."""
        Message = self.env["oms.channel.message"]
        rows = Message.create(
            [
                {
                    "channel_id": self.channel.id,
                    "source": "webhook",
                    "topic": topic,
                    "external_id": f"order_{number}",
                    "version": f"event:{number}",
                    "digest": topic,
                    "payload": {},
                }
                for number in range(1, count + 1)
            ]
        )
        rows.lane = 0
        return rows

    def _find(self, limit=200):
        Message = self.env["oms.channel.message"]
        return Message._find_queue_rows(Message._get_queue_domain(0), limit)

    def test_rows_stored_together_are_due_together(self):
        """Though the clock goes on between them: their lane is woken once."""
        with freeze_time(fields.Datetime.now(), auto_tick_seconds=1):
            rows = self._store_events(3)
        self.assertEqual(len(set(rows.mapped("next_try"))), 1)

    def test_without_a_break_all_go(self):
        rows = self._store_events(12)
        self.assertEqual(self._find(), rows)

    def test_after_a_break_the_steps_grow(self):
        rows = self._store_events(12)
        self.channel._open_circuit("503")
        self.assertFalse(self._find())
        self.channel.rest_until = False
        self.assertEqual(self._find(), rows[:5])
        Message = self.env["oms.channel.message"]
        domain = Message._get_queue_domain(0)
        self.assertEqual(Message._count_queue_rows(domain, rows[:5]), 5, "the scheduler does not go on at once")
        self.channel._close_circuit()
        self.channel._grow_catch_up()
        self.assertEqual(self._find(), rows[:10])
        self.channel._grow_catch_up()
        self.assertEqual(self.channel.catch_up_size, 10, "steps take their time")
        for _step in range(5):
            self.channel.catch_up_date = False
            self.channel._grow_catch_up()
        self.assertEqual(self.channel.catch_up_size, 0)
        self.assertEqual(self._find(), rows)

    def test_what_calls_nobody_is_not_put_off(self):
        for number in range(1, 12):
            self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
        self._pull()
        self.channel.catch_up_size = 5
        self.assertEqual(self.env["sale.order"].search_count([("channel_id", "=", self.channel.id)]), 11)

    def test_what_calls_nobody_ends_no_break(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        self.channel.write({"next_pull_date": "2026-01-01 00:00:00"})
        self._run_cron(f"oms_channels.ir_cron_pull_lane_{self.channel.id % 2}")
        self.channel._open_circuit("503")
        until = self.channel.rest_until
        self._work("message")
        self.assertEqual(self._message("order_1").state, "done", "it is worked while the shop is down")
        self.assertEqual((self.channel.rest_count, self.channel.rest_until), (1, until))

    def test_run_of_the_scheduler_takes_a_step(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        self._pull()
        self.channel.catch_up_size = 5
        self._work("message")
        self.assertEqual(self.channel.catch_up_size, 10)

    def test_cancellation_overtakes_but_not_its_own_order(self):
        rows = self._store_events(4)
        cancelled = self._store_events(3, "order.canceled")[2]
        self.assertTrue(cancelled.is_urgent)
        self.assertEqual(cancelled.queue_key, rows[2].queue_key)
        (self.env["oms.channel.message"].search([("topic", "=", "order.canceled")]) - cancelled).unlink()
        self.assertEqual(self._find(), rows[2] + cancelled + rows[0] + rows[1] + rows[3])

    def test_cancelled_order_of_a_pull_is_urgent(self):
        store = self.env["oms.channel.message"]._store
        self.assertTrue(store(self.channel, [("a", "1", {"id": "a", "status": "canceled"})], "poll").is_urgent)
        self.assertFalse(store(self.channel, [("b", "1", {"id": "b", "status": "pending"})], "poll").is_urgent)
        self.assertFalse(store(self.channel, [("c", "1", {"id": "c", "status": ["x"]})], "poll").is_urgent)

    def test_cancel_push_is_urgent(self):
        order = self._import(1)
        self.assertTrue(self.env["oms.channel.push"]._enqueue("cancel", [(order, order)]).is_urgent)

    # === MANY ROWS AT ONCE === #

    def _get_results(self, action):
        results = self.env["oms.queue.result"].search(action["domain"], order="id")
        return [(row.res_id, row.state) for row in results]

    def test_skipping_says_what_became_of_each_row(self):
        self._import(1)
        done, waiting = self._message("order_1"), self._store_events(2)[1]
        action = (done | waiting).with_user(self.user).action_skip_each()
        self.assertEqual(self._get_results(action), [(done.id, "left"), (waiting.id, "done")])
        self.assertEqual((done.state, waiting.state), ("done", "skipped"))
        self.assertIn("1 done, 1 left", action["name"])

    def test_replay_of_a_done_message_does_nothing_twice(self):
        order = self._import(1)
        message = self._message("order_1")
        action = message.with_user(self.user).action_retry_each()
        self.assertEqual(self._get_results(action), [(message.id, "done")])
        self.assertEqual(message.state, "pending")
        self._work("message")
        self.assertEqual((message.state, message.result), ("skipped", "Nothing new"))
        self.assertEqual(self._order("order_1"), order)

    def test_push_that_is_done_is_not_told_again(self):
        order = self._import(1)
        push = self.env["oms.channel.push"]._enqueue("cancel", [(order, order)])
        self._work("push")
        self.assertEqual(push.state, "done")
        self.assertEqual(self._get_results(push.action_retry_each()), [(push.id, "left")])
        self.assertEqual(push.state, "done")

    # === RATE LIMIT === #

    def test_calls_wait_for_their_turn(self):
        self.channel.rate_limit = 6
        waits = []
        with self.enter_registry_test_mode(), patch_method(self.channel, "_wait", lambda _self, s: waits.append(s)):
            call = self.channel._get_adapter().client.get
            for _call in range(6):
                call("/stores")
                self._stop_filling()
            self.assertFalse(waits)
            with self.assertRaises(Throttled) as caught:
                call("/stores")
            self.assertTrue(waits)
            self.assertLessEqual(sum(waits), 20)
            self.assertTrue(caught.exception.retry_after)
        self.assertEqual(len(self.shop.calls), 6)

    def _stop_filling(self):
        """The clock stands still: no turn comes back by itself."""
        self.env.cr.execute("UPDATE oms_channel_bucket SET filled_date = filled_date + interval '1 hour'")

    def test_turn_far_away_is_put_off_and_is_no_failure(self):
        order = self._import(1)
        push = self.env["oms.channel.push"]._enqueue("cancel", [(order, order)])
        with patch.object(MedusaAdapter, "push_cancel", side_effect=Throttled("limit", retry_after=40)):
            self._work("push")
        self.assertEqual((push.state, push.attempts), ("pending", 0))
        self.assertGreater(push.next_try, fields.Datetime.now() + timedelta(seconds=20))
        self.assertFalse(self.channel.rest_until)

    def test_no_limit_asks_no_bucket(self):
        self.channel._get_adapter().test_connection()
        self.assertFalse(self.env["oms.channel.bucket"].search([("channel_id", "=", self.channel.id)]))

    # === KEYS THAT END === #

    def _patch_refresh(self, *answers):
        self.startPatcher(patch.object(MedusaAdapter, "capabilities", MedusaAdapter.capabilities | {base.REFRESH}))
        return self.startPatcher(patch.object(MedusaAdapter, "refresh_credentials", side_effect=answers))

    def test_keys_are_replaced_before_they_end(self):
        soon = datetime.now(UTC) + timedelta(minutes=5)
        late = datetime.now(UTC) + timedelta(hours=5)
        refresh = self._patch_refresh(
            Credentials({"api_key": "new-1"}, expires_at=soon), Credentials({"api_key": "new-2"}, expires_at=late)
        )
        with self.enter_registry_test_mode():
            self.assertEqual(self.channel._get_adapter().config.credentials["api_key"], "sk_test")
            self.assertFalse(refresh.called, "reading a payload asks no shop")
            for expected in ("new-1", "new-2", "new-2"):
                adapter = self.channel._get_adapter(is_live=True)
                self.assertEqual(adapter.config.credentials["api_key"], expected)
            self.assertEqual(refresh.call_count, 2)
            self.env.invalidate_all()
            self.assertEqual(self.channel._get_adapter().config.credentials["api_key"], "new-2")

    def test_refused_refresh_keeps_keys_that_still_work(self):
        soon = datetime.now(UTC) + timedelta(minutes=5)
        self._patch_refresh(Credentials({"api_key": "new-1"}, expires_at=soon), AuthError("no"))
        with self.enter_registry_test_mode(), self.assertLogs("odoo.addons.oms_channels", "WARNING"):
            self.channel._get_adapter(is_live=True)
            self.env.invalidate_all()
            self.assertEqual(self.channel._get_adapter(is_live=True).config.credentials["api_key"], "new-1")

    def test_refused_refresh_without_keys_stops_the_channel(self):
        self._patch_refresh(AuthError("no"), AuthError("no"), AuthError("no"), AuthError("no"))
        self._pull()
        self.assertEqual(self.channel.pull_error, "no")
        self.assertTrue(self.channel.rest_until)

    def test_keys_are_seen_by_administrators_only(self):
        token = self.env["oms.channel.token"].create({"channel_id": self.channel.id, "values": {"api_key": "x"}})
        with self.assertRaises(AccessError):
            token.with_user(self.manager).read(["values"])
        self.assertNotIn("sk-1", repr(Credentials({"api_key": "sk-1"})))
