from datetime import datetime, timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from odoo.addons.oms_channels.adapters.errors import AuthError
from odoo.addons.oms_channels.adapters.registration import WebhookRegistration

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestAlerts(ChannelsCommon):
    """What is wrong becomes one activity of each kind, and closes by itself."""

    def _watch(self):
        self._run_cron("oms_channels.ir_cron_watch")
        return self.channel.alert_ids

    def _fail(self, number=1):
        raw = self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
        raw["items"][0]["quantity"] = "many"
        self._pull()
        return self._message(raw["id"])

    def test_well_channel_has_none(self):
        self._import(1)
        self.assertFalse(self._watch())

    def test_one_activity_a_kind_closed_by_itself(self):
        message = self._fail()
        alert = self._watch()
        self.assertEqual(alert.kind, "dead")
        activity = self.channel.activity_ids
        self.assertEqual((activity.user_id, alert.activity_id), (self.channel.user_id, activity))
        self._fail(2)
        self.assertEqual(self._watch(), alert)
        self.assertIn("2 messages", alert.message)
        self.assertEqual(self.channel.activity_ids, activity)
        (message | self._message("order_2")).action_skip()
        self.assertFalse(self._watch())
        self.assertFalse(self.channel.activity_ids)
        self.assertTrue(alert.closed_date)

    def test_alert_marked_as_done_does_not_come_back_until_it_was_well(self):
        message = self._fail()
        alert = self._watch()
        alert.activity_id.action_feedback()
        self._watch()
        self.assertFalse(self.channel.activity_ids)
        message.action_skip()
        self._watch()
        self._fail(2)
        self._watch()
        self.assertEqual(len(self.channel.activity_ids), 1)

    def test_limits_are_the_channels_own(self):
        self._fail()
        self.channel.alert_dead_count = 2
        self.assertFalse(self._watch())
        self.channel.alert_dead_count = 0
        self._fail(2)
        self.assertFalse(self._watch())

    def test_unmatched_products_are_their_own_kind(self):
        self.shop.place(1, [("GHOST", 1, 20.0)])
        self._pull()
        self.assertEqual(self._watch().kind, "unmatched")

    def test_oldest_message_and_failed_push(self):
        order = self._import(1)
        self.env["oms.channel.push"]._enqueue("cancel", [(order, order)]).state = "failed"
        message = self.env["oms.channel.message"]._store(self.channel, [("order_9", "1", {"id": "order_9"})], "push")
        self.env.cr.execute(
            "UPDATE oms_channel_message SET create_date = create_date - interval '20 minutes' WHERE id = %s",
            [message.id],
        )
        self.assertEqual(set(self._watch().mapped("kind")), {"push", "oldest"})

    def test_keys_that_end(self):
        self.channel.credentials_expiry = fields.Datetime.now() + timedelta(days=3)
        alert = self._watch()
        self.assertEqual((alert.kind, alert.level), ("key", "warning"))
        self.assertEqual(self.channel.health, "warning")
        self.channel.credentials_expiry = fields.Datetime.now() - timedelta(days=1)
        self.assertEqual(self._watch().level, "error")
        self.channel.credentials_expiry = fields.Datetime.now() + timedelta(days=300)
        self.assertFalse(self._watch())

    def test_silence_goes_by_the_hours_of_the_week(self):
        now = datetime(2026, 3, 4, 15, 0)  # a Wednesday
        busy = [0.0] * 168
        for day in range(5):
            for hour in range(8, 18):
                busy[day * 24 + hour] = 2.0
        expected = self.channel._get_expected_orders
        self.assertEqual(expected(busy, now - timedelta(hours=3), now), 6.0)
        self.assertEqual(expected(busy, now - timedelta(minutes=30), now), 1.0)
        self.assertEqual(expected(busy, datetime(2026, 3, 6, 18), datetime(2026, 3, 9, 8)), 0.0)  # the weekend

    def test_no_orders_though_some_were_due(self):
        now = fields.Datetime.now()
        # A week ago two orders came in each of the same 24 hours; now the last one is a day old.
        hours = [24, *(7 * 24 + number / 2 for number in range(48))]
        self.env["sale.order"].create(
            [
                self._prepare_order_values(date_order=now - timedelta(hours=hour), channel_order_id=f"silent-{hour}")
                for hour in hours
            ]
        )
        alert = self._watch()
        self.assertEqual((alert.kind, alert.level), ("silence", "error"))
        self.assertIn("No order since", self.channel.health_message)
        self._create_order(date_order=fields.Datetime.now(), channel_order_id="new")
        self.assertFalse(self._watch())

    def _make_older(self, days, *records):
        """Let the webhooks be set up, and these made or placed, so many days earlier."""
        delta = timedelta(days=days)
        self.channel.webhook_secret_date -= delta
        for record in records:
            if record._name == "sale.order":
                record.date_order -= delta
            else:
                record.flush_recordset()
                self.env.cr.execute(
                    "UPDATE oms_channel_message SET create_date = create_date - %s WHERE id IN %s",
                    [delta, record._ids],
                )
                record.invalidate_recordset()

    def _pull_orders(self, *numbers):
        """Place and pull orders. :return: (messages, orders)"""
        for number in numbers:
            self.shop.place(number, [("OMS-MOUSE", 1, 20.0)])
        self._pull()
        messages = self.env["oms.channel.message"].browse()
        for number in numbers:
            messages |= self._message(f"order_{number}")
        messages.order_id.date_order = fields.Datetime.now()
        return messages, messages.order_id

    def test_webhooks_that_do_not_come(self):
        messages, _orders = self._pull_orders(1, 2, 3)
        self.assertFalse(self._watch(), "what a new shop had before came without them")
        self._make_older(2)
        alert = self._watch()
        self.assertEqual((alert.kind, alert.level), ("webhook", "warning"))
        messages[0].source = "webhook"
        self.assertFalse(self._watch())

    def test_webhooks_that_do_not_come_to_a_quiet_shop(self):
        """One order a week tells it as well, once there were three of them since the last webhook."""
        webhook, _order = self._pull_orders(1)
        webhook.source = "webhook"
        self._make_older(1, webhook)
        for number in (2, 3):
            messages, orders = self._pull_orders(number)
            self._make_older(7, messages, orders, webhook)
        self.assertFalse(self._watch(), "two may be lost by chance")
        self._pull_orders(4)
        self.assertEqual(self._watch().kind, "webhook")
        self.channel.alert_webhook_hours = 0
        self.assertFalse(self._watch())

    def test_old_orders_and_changes_of_one_order_are_no_missing_webhooks(self):
        _messages, orders = self._pull_orders(1, 2, 3)
        self._make_older(2)
        orders.date_order = fields.Datetime.now() - timedelta(days=3)
        self.assertFalse(self._watch(), "placed before the webhooks were set up, and pulled first")
        orders[0].date_order = fields.Datetime.now()
        for note in ("a", "b", "c"):
            self.shop.change("order_1", metadata={"note": note})
            self._pull()
        self.assertFalse(self._watch(), "one order")
        self.channel.action_generate_webhook_secret()
        orders.date_order = fields.Datetime.now()
        self.assertFalse(self._watch(), "the shop has yet to be told the new secret")

    def test_webhook_topics_that_are_gone_are_registered_again(self):
        class Shop:
            webhook_topics = ("order.created", "order.updated")
            rows, failure = [], None

            def fetch_webhooks(self):
                return self.rows

            def ensure_webhooks(self, address, secret):
                if self.failure:
                    raise self.failure
                self.rows = [WebhookRegistration(topic, topic, address, True) for topic in self.webhook_topics]

        shop, channel = Shop(), self.channel
        channel.provider = "woocommerce"
        url = channel.webhook_url
        shop.rows = [
            WebhookRegistration("1", "order.created", url, True),
            WebhookRegistration("2", "order.updated", url, False),
            WebhookRegistration("3", "order.updated", "https://elsewhere.test", True),
        ]
        shop.failure = AuthError("Read only.")
        channel._check_webhooks(shop)
        self.assertTrue(channel.webhook_missing, "one active one is not all")
        self.assertEqual(self._watch().kind, "webhook")
        shop.failure = None
        channel._check_webhooks(shop)
        self.assertFalse(channel.webhook_missing)
        self.assertEqual({row.topic for row in shop.rows}, set(shop.webhook_topics))
        with patch.object(shop, "fetch_webhooks", side_effect=AuthError("May not read them.")):
            channel._check_webhooks(shop)
        self.assertFalse(channel.webhook_missing, "nothing is known")

    def test_channel_without_shop_is_watched_no_more(self):
        self._fail()
        alert = self._watch()
        self.channel.provider = False
        self._watch()
        self.assertTrue(alert.closed_date)

    def test_queries_do_not_grow_with_the_channels(self):
        channels = self.env["oms.channel"].create(
            [{"name": f"C{i}", "code": f"c{i}", "provider": "medusa", "base_url": "http://c"} for i in range(10)]
        )

        def count(records):
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            records._find_issues()
            return self.env.cr.sql_log_count - start

        count(channels[:1])
        self.assertLessEqual(count(channels), count(channels[:2]) + 1)
