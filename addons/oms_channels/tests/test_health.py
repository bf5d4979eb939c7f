from datetime import timedelta

from odoo import fields
from odoo.tests import tagged

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestHealth(ChannelsCommon):
    def test_connected_and_quiet_is_healthy(self):
        self._import(1)
        self.assertEqual(self.channel.health, "ok", self.channel.health_message)

    def test_failed_message_needs_attention(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])["items"][0]["quantity"] = "many"
        self._pull()
        self.assertEqual(self.channel.health, "warning")
        self.assertIn("1 failed", self.channel.health_message)

    def test_message_that_waits_too_long_is_a_warning(self):
        message = self.env["oms.channel.message"]._store(self.channel, [("order_1", "1", {"id": "order_1"})], "push")
        # Of now, as what it is compared with: the test's transaction may have begun long before.
        created = fields.Datetime.now() - timedelta(minutes=20, seconds=30)
        self.env.cr.execute("UPDATE oms_channel_message SET create_date = %s WHERE id = %s", [created, message.id])
        message.invalidate_recordset()
        self.assertEqual(self.channel.health, "warning")
        self.assertIn("20 minutes", self.channel.health_message)

    def test_cards_of_many_channels_cost_no_query_each(self):
        channels = self.env["oms.channel"].create([{"name": f"C{i}", "code": f"c{i}"} for i in range(12)])

        def count(records):
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            records.read(["health", "health_message", "inbox_failed_count", "listing_unmatched_count"])
            return self.env.cr.sql_log_count - start

        count(channels[:1])
        self.assertLessEqual(count(channels), count(channels[:2]) + 1)
