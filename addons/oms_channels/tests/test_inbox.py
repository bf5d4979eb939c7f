from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo.tests import tagged

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestInbox(ChannelsCommon):
    """Every message ends in exactly one order or one visible, explained, repeatable error."""

    def test_order_pulled_twice_is_stored_and_created_once(self):
        self._import(1)
        self._pull()
        self.assertEqual(len(self._message("order_1")), 1)
        self.assertEqual(len(self._order("order_1")), 1)

    def test_replayed_message_changes_nothing(self):
        order = self._import(1)
        message = self._message("order_1")
        message.write({"state": "failed"})
        message.action_retry()
        self._work("message")
        self.assertEqual(message.state, "skipped")
        self.assertEqual(message.order_id, order)
        self.assertEqual(len(self._order("order_1")), 1)

    def test_older_version_that_comes_late_is_skipped(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        old = dict(self.shop.orders["order_1"])
        old["shipping_address"] = {**old["shipping_address"], "address_1": "Old Street"}
        self.shop.change("order_1")
        self._pull()
        late = self.env["oms.channel.message"]._store(self.channel, [("order_1", "", old)], "push")
        self._work("message")
        self.assertEqual(late.state, "skipped")
        self.assertIn("Outdated", late.result)
        self.assertNotIn("Old Street", self._order("order_1").partner_shipping_id.street)

    def test_malformed_payload_is_a_visible_error_and_blocks_nothing(self):
        broken = self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        broken["items"][0]["quantity"] = "many"
        self.shop.place(2, [("OMS-MOUSE", 1, 20.0)])
        self.shop.place(3, [("OMS-KEYB", 1, 20.0)])
        self._pull()
        message = self._message("order_1")
        self.assertEqual(message.state, "failed")
        self.assertIn("quantity", message.last_error)
        self.assertFalse(self._order("order_1"))
        self.assertTrue(self._order("order_2") and self._order("order_3"))

    def test_texts_that_no_database_keeps_hold_up_nothing(self):
        """Half an emoji, as a shop that cuts notes at a length leaves it, and a NUL."""
        order = self._import(1, metadata={"note": "thanks\x00 \ud83d", "\x00k\udc00": "😀"})
        self.assertEqual(order.channel_note, "thanks \ufffd")
        message = self._message("order_1")
        self.assertEqual(message.payload["metadata"], {"note": "thanks \ufffd", "k\ufffd": "😀"})
        self._pull()
        self.assertEqual(self._message("order_1"), message)

    def test_unknown_tax_rate_is_explained_and_repeatable(self):
        self._import(1, [("OMS-MOUSE", 1, 100.0, 13.5)])
        message = self._message("order_1")
        self.assertEqual(message.state, "failed")
        self.assertIn("13.5 % tax", message.last_error)
        self._create_tax(13.5)
        message.action_retry()
        self._work("message")
        self.assertEqual(message.state, "done")
        self._assert_totals(self._order("order_1"), 123.5)

    def test_unexpected_error_is_kept_and_tried_again(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        Order = type(self.env["sale.order"])
        with (
            patch.object(Order, "_oms_create_from_channel", side_effect=KeyError("x")),
            self.assertLogs("odoo.addons.oms_base.models.oms_queue_mixin", level="WARNING"),
        ):
            self._pull()
        message = self._message("order_1")
        self.assertEqual((message.state, message.attempts), ("pending", 1))
        self.assertGreater(message.next_try, message.create_date)
        message.action_retry()
        self._work("message")
        self.assertEqual(message.state, "done")

    def test_who_meets_others_at_work_is_never_given_up(self):
        """However often: it has its turn when they are through."""
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        self.env["oms.channel.message"]._store(self.channel, [("order_1", "", self.shop.orders["order_1"])], "push")
        message = self._message("order_1")
        Message = type(message)
        with (
            patch.object(Message, "_process_queue_item", side_effect=SerializationFailure()),
            patch.object(self.env.cr, "rollback"),  # it would take the test's own rows with it
        ):
            for _index in range(message._queue_max_attempts + 1):
                self.assertFalse(message._process_queue_row())
        self.assertEqual((message.state, message.attempts, message.last_error), ("pending", 0, False))
        self.assertGreater(message.next_try, message.create_date)
        message.action_retry()
        self._work("message")
        self.assertEqual(message.state, "done")

    def test_bulk_retry_tells_what_it_left(self):
        self._import(1)
        action = self._message("order_1").action_retry()
        self.assertEqual(action["params"]["type"], "warning")
        self.assertIn("order_1", action["params"]["message"])

    def test_stored_messages_are_imported_while_the_shop_is_down(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        self.channel.write({"next_pull_date": "2026-01-01 00:00:00"})
        self._run_cron(f"oms_channels.ir_cron_pull_lane_{self.channel.id % 2}")
        self.channel.write({"rest_until": "2099-01-01 00:00:00", "rest_count": 1, "rest_reason": "down"})
        self._work("message")
        self.assertTrue(self._order("order_1"))

    def test_order_cancelled_before_import_is_skipped(self):
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)], status="canceled")
        self._pull()
        self.assertEqual(self._message("order_1").state, "skipped")
        self.assertFalse(self._order("order_1"))
        self.shop.place(2, [("OMS-MOUSE", 1, 20.0)])

    def test_settled_messages_are_deleted_after_retention(self):
        self._import(1)
        message = self._message("order_1")
        self.env["oms.channel.message"]._gc_messages()
        self.assertTrue(message.exists())
        self.env["ir.config_parameter"].set_param("oms_channels.message_keep_days", "-1")
        self.env["oms.channel.message"]._gc_messages()
        self.assertFalse(message.exists())
        self.assertTrue(self._order("order_1"))
