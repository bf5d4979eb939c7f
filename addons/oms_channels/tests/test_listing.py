from odoo.tests import tagged

from .common import ChannelsCommon


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
