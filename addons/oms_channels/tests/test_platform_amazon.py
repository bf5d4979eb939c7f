from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from .adapter_common import read_data
from .test_platforms import PlatformCommon


@tagged("post_install", "-at_install")
class TestAmazonPlatform(PlatformCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_provider("amazon")
        cls.channel.write(
            {
                "refresh_token": "Atzr|1",
                "amazon_seller_ref": "A3SELLER",
                "amazon_marketplace_refs": "ATVPDKIKX0DER, A2EUQ1WTGCTBG2",
            }
        )

    def test_order_is_imported_to_the_cent_from_both_versions(self):
        order = self._import(read_data("amazon/order"))
        self._assert_total(order, 58.44)
        self.assertEqual(order.amount_tax, 4.45)  # Amazon rounds by line: the cent is on the rounding line
        self.assertEqual(order.channel_payment_ids.captured_amount, 58.44)
        old = read_data("amazon/order_v0")
        old["AmazonOrderId"] = "111-2-2"
        again = self._import(old)
        self._assert_total(again, 58.44)
        self.assertEqual(order.partner_id, again.partner_id)

    def test_masked_order_is_marked(self):
        raw = read_data("amazon/order")
        del raw["recipient"], raw["buyer"]
        order = self._import(raw)
        self._assert_total(order, 58.44)
        self.assertTrue(self.channel._get_adapter().parse_order(raw).is_masked)

    def test_settings_reach_the_adapter(self):
        config = self.channel._get_adapter().config
        self.assertEqual(config.credentials["refresh_token"], "Atzr|1")
        self.assertEqual(config.options["marketplace_ids"], "ATVPDKIKX0DER, A2EUQ1WTGCTBG2")
        self.assertEqual((config.options["seller_id"], config.options["orders_version"]), ("A3SELLER", "2026-01-01"))

    def test_refresh_token_stays_with_administrators(self):
        with self.assertRaises(AccessError):
            self.channel.with_user(self.manager).read(["refresh_token"])
        self.assertFalse(self.channel.copy({"code": "copy"}).refresh_token)

    def test_form_says_what_amazon_cannot(self):
        self.assertIn("FBA", self.channel.platform_cannot)
        self.assertIn("An order cancelled here is cancelled in the shop and paid back", self.channel.platform_cannot)
        self.assertIn("pulling only", self.channel.platform_webhook_help)
        with self.assertRaises(UserError):
            self.channel.action_register_webhooks()

    def test_cancelled_here_is_not_told(self):
        order = self._import(read_data("amazon/order"))
        order._action_cancel()
        push = order.channel_push_ids.filtered(lambda push: push.kind == "cancel")
        self.assertEqual(push._process_queue_item()["state"], "skipped")
