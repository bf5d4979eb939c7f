from datetime import UTC, datetime
from unittest.mock import patch

from freezegun import freeze_time
from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.oms_channels.adapters.errors import AuthError
from odoo.addons.oms_channels.adapters.types import ChannelEvent

from .common import ChannelsCommon, patch_method


@tagged("post_install", "-at_install")
class TestListing(ChannelsCommon):
    def _variant(self, sku, **values):
        return {
            "id": f"variant_{sku}",
            "sku": sku,
            "title": sku,
            "product_id": f"prod_{sku}",
            "product": {"title": sku, "status": "published"},
            **values,
        }

    def _import_listings(self):
        self.channel.action_import_listings()
        self._run_cron(f"oms_channels.ir_cron_pull_lane_{self.channel.id % 2}")
        return self.channel.listing_ids

    def test_listings_are_matched_by_sku_or_barcode(self):
        self.keyboard.barcode = "4006381333931"
        self.shop.variants = [
            self._variant("OMS-MOUSE"),
            self._variant("SHOP-KEYB", barcode="4006381333931"),
            self._variant("OTHER"),
        ]
        listings = self._import_listings().sorted("sku")
        self.assertEqual(listings.mapped("product_id"), self.mouse | self.keyboard)
        self.assertEqual(listings.filtered(lambda row: row.state == "unmatched").sku, "OTHER")
        self.assertEqual(self.channel.health, "warning")

    def test_importing_again_updates_and_keeps_the_product(self):
        self.shop.variants = [self._variant("OMS-MOUSE")]
        self._import_listings()
        self.shop.variants[0]["product"]["title"] = "New"
        listing = self._import_listings()
        self.assertEqual(len(listing), 1)
        self.assertIn("New", listing.title)
        self.assertEqual(listing.product_id, self.mouse)

    # === DAILY === #

    def _read_daily(self, date):
        """Read the products as on that day."""
        self.channel.write({"next_listing_date": "2026-01-01 00:00:00", "next_pull_date": "2026-01-01 00:00:00"})
        commit = patch_method(self.env["ir.cron"], "_commit_progress", lambda *_args, **_kwargs: 60.0)
        with freeze_time(date), commit:
            self.env["oms.channel"]._cron_pull_orders(self.channel.id % 2)

    def test_products_are_read_daily_along_with_the_orders(self):
        self.shop.variants = [self._variant("OMS-MOUSE")]
        self._read_daily("2026-03-01 08:00:00")
        self.assertEqual(self.channel.listing_ids.product_id, self.mouse)
        self.assertEqual(str(self.channel.next_listing_date), "2026-03-02 08:00:00")
        self.channel.write({"is_importing_listings": False})
        self.shop.variants.append(self._variant("OMS-KEYB"))
        self._read_daily("2026-03-02 08:00:00")
        self.assertEqual(len(self.channel.listing_ids), 1, "switched off")

    def test_what_two_readings_do_not_meet_is_no_longer_on_sale(self):
        self.shop.variants = [self._variant("OMS-MOUSE"), self._variant("OMS-KEYB")]
        self._read_daily("2026-03-01 08:00:00")
        mouse, keyboard = self.channel.listing_ids.sorted(lambda row: row.product_id != self.mouse)
        from_order = mouse.copy({"external_id": "sku:X", "is_active": True})
        gone = self.shop.variants.pop()
        self._read_daily("2026-03-02 08:00:00")
        self.assertTrue(keyboard.is_active, "one reading may miss it")
        self._read_daily("2026-03-03 08:00:00")
        self.assertFalse(keyboard.is_active)
        self.assertTrue(mouse.is_active and from_order.is_active, "what only an order told was never listed")
        self.assertNotIn(keyboard, self.channel._get_told_listings())
        self.shop.variants.append(gone)
        self._read_daily("2026-03-04 08:00:00")
        self.assertTrue(keyboard.is_active)

    def test_an_empty_answer_takes_nothing_off_sale(self):
        self.shop.variants = [self._variant("OMS-MOUSE")]
        self._read_daily("2026-03-01 08:00:00")
        self.shop.variants = []
        for day in (2, 3, 4):
            self._read_daily(f"2026-03-0{day} 08:00:00")
        self.assertTrue(self.channel.listing_ids.is_active)

    def test_reading_that_is_out_of_time_goes_on_there(self):
        self.shop.variants = [self._variant(f"V-{number}") for number in range(150)]
        self.channel.action_import_listings()
        self.channel.next_pull_date = "2099-01-01 00:00:00"
        with patch_method(self.env["ir.cron"], "_commit_progress", lambda *_args, **_kwargs: 0):
            self.env["oms.channel"]._cron_pull_orders(self.channel.id % 2)
            self.assertEqual((len(self.channel.listing_ids), self.channel.is_listing_import_due), (100, True))
            self.env["oms.channel"]._cron_pull_orders(self.channel.id % 2)
        self.assertEqual((len(self.channel.listing_ids), self.channel.is_listing_import_due), (150, False))

    def test_a_key_that_may_not_read_products_stops_no_orders(self):
        adapter = type(self.channel._get_adapter())
        error = AuthError("No right.", is_shop_wide=False)
        with patch.object(adapter, "fetch_listings", side_effect=error):
            order = self._import(1)
        self.assertTrue(order)
        self.assertEqual(self.channel.listing_error, "No right.")
        self.assertFalse(self.channel.pull_error or self.channel.rest_until)
        self.assertGreater(self.channel.next_listing_date, fields.Datetime.now())

    def test_unknown_sku_waits_in_the_work_list_and_goes_on_when_matched(self):
        self._import(1, [("GHOST", 1, 20.0), ("OMS-MOUSE", 1, 20.0)])
        message = self._message("order_1")
        self.assertEqual(message.state, "failed")
        self.assertIn("GHOST", message.last_error)
        listing = message.listing_ids
        self.assertEqual((listing.sku, listing.state, listing.message_count), ("GHOST", "unmatched", 1))
        listing.with_user(self.user).product_id = self.keyboard
        self.assertEqual(message.state, "pending")
        self._work("message")
        self.assertEqual(message.state, "done")
        self.assertEqual(self._order("order_1").order_line[0].product_id, self.keyboard)

    def _match_unseen(self, listing, product):
        """Match a listing as a transaction does that started before the message which waits for it failed."""
        with patch_method(self.env["oms.channel.listing"], "_resume_messages", lambda listings: None):
            listing.product_id = product

    def test_listing_that_another_has_just_made_is_a_concurrent_update(self):
        self._import(1, [("GHOST", 1, 20.0)])
        vals = {"channel_id": self.channel.id, "external_id": self._message("order_1").listing_ids.external_id}
        with self.assertRaises(SerializationFailure), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            self.env["oms.channel.listing"]._create_unknown([vals])

    def test_listing_matched_while_the_message_fails_lets_it_go_on(self):
        self._import(1, [("GHOST", 1, 20.0)])
        message = self._message("order_1")
        cron = self.env.ref(f"oms_channels.ir_cron_message_lane_{message.lane}")
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", cron.id)])
        self.assertGreater(max(triggers.mapped("call_at")), message.write_date)
        self._match_unseen(message.listing_ids, self.keyboard)
        self.assertEqual(message.state, "failed")
        self._work("message")
        self.assertEqual(message.state, "done", message.last_error)
        self.assertEqual(self._order("order_1").order_line[0].product_id, self.keyboard)

    def test_event_that_failed_after_the_match_was_replayed_goes_on(self):
        self.shop.place(1, [("GHOST", 1, 20.0)], captured=True)
        occurred_at = datetime(2026, 1, 1, tzinfo=UTC)
        event = ChannelEvent("evt_1", "payment.captured", occurred_at, resource_type="payment", resource_id="pay_1")
        message = self.env["oms.channel.message"]._store_event(self.channel, event)
        self._work("message")
        self.assertEqual((message.external_id, message.state), ("payment:pay_1", "failed"))
        self._match_unseen(message.listing_ids, self.keyboard)
        self._work("message")
        self.assertEqual(message.state, "done", message.last_error)
        self.assertEqual(self._order("order_1").channel_payment_ids.state, "captured")

    def test_message_that_waits_for_another_listing_stays(self):
        self._import(1, [("GHOST", 1, 20.0), ("SPOOK", 1, 20.0)])
        message = self._message("order_1")
        self._match_unseen(message.listing_ids.filtered(lambda row: row.sku == "GHOST"), self.keyboard)
        self._work("message")
        self.assertEqual(message.state, "failed")

    def test_message_that_fails_for_another_reason_is_not_tried_for_ever(self):
        self.channel.shipping_product_id = False
        self._import(1, [("GHOST", 1, 20.0)])
        message = self._message("order_1")
        self._match_unseen(message.listing_ids, self.keyboard)
        self._work("message")
        self.assertIn("no product for shipping", message.last_error)
        attempts = message.attempts
        self._work("message")
        self.assertEqual((message.state, message.attempts), ("failed", attempts))

    def test_new_product_with_the_sku_is_matched_on_retry(self):
        self._import(1, [("GHOST", 1, 20.0)])
        product = self.env["product.product"].create({"name": "Ghost", "default_code": "GHOST"})
        self._message("order_1").with_user(self.user).action_retry()
        self._work("message")
        self.assertEqual(self._order("order_1").order_line[0].product_id, product)

    def test_ambiguous_sku_is_left_to_a_person(self):
        self.env["product.product"].create(
            [{"name": "A", "default_code": "TWICE"}, {"name": "B", "default_code": "TWICE"}]
        )
        self.shop.variants = [self._variant("TWICE")]
        listing = self._import_listings()
        self.assertFalse(listing.product_id)
        self.assertIn("TWICE", listing.action_match()["params"]["message"])
