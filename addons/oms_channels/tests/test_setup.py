from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import HttpCase, tagged

from odoo.addons.oms_channels.adapters import get_adapter_class, get_providers

from ..models.setup.oms_channel import FIELDS
from .common import SHOP, ChannelsCommon

# Asked for elsewhere: a field of its own, or taken from the company.
ELSEWHERE = {"connector", "currency", "orders_version"}


class SetupCommon(ChannelsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.platform = cls.env.ref("oms_channels.oms_shop_platform_medusa")

    def setUp(self):
        super().setUp()
        self.shop.variants = [
            {"id": f"variant_{sku}", "sku": sku, "title": sku, "product": {"id": "prod_1", "title": sku}}
            for sku in ("OMS-MOUSE", "NOBODY-KNOWS")
        ]


@tagged("post_install", "-at_install")
class TestSetup(SetupCommon):
    def _begin(self, **values):
        context = self.platform.action_connect()["context"]
        return (
            self.env["oms.channel"].with_context(**context).create({"base_url": SHOP, "api_key": "sk_test", **values})
        )

    def test_every_adapter_says_what_it_needs(self):
        platforms = self.env["oms.shop.platform"].search([]).grouped("code")
        providers = set(self.env["oms.channel"]._fields["provider"].get_values(self.env))
        self.assertEqual(set(platforms), providers)
        self.assertLessEqual(providers, set(get_providers()))
        for code, platform in platforms.items():
            adapter_class = get_adapter_class(code)
            asked = {*adapter_class.credential_keys, *adapter_class.option_keys} - ELSEWHERE
            told = set(platform.key_ids.mapped("key"))
            self.assertEqual(told, asked, code)
            self.assertLessEqual(told, set(FIELDS), code)
            self.assertTrue(all(platform.key_ids.mapped("help_text")) and platform.help_text, code)

    def test_words_are_there_in_chinese(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env["ir.module.module"]._load_module_terms(["oms_channels"], ["zh_CN"])
        for platform in self.env["oms.shop.platform"].search([]):
            chinese = platform.with_context(lang="zh_CN")
            self.assertNotEqual(chinese.help_text, platform.help_text)
            for key in platform.key_ids:
                self.assertNotEqual(key.with_context(lang="zh_CN").help_text, key.help_text)

    def test_channel_begins_asleep(self):
        first, second = self._begin(), self._begin()
        self.assertEqual((first.code, second.code), ("medusa", "medusa2"))
        self.assertEqual((first.setup_step, first.is_pulling), ("keys", False))
        self.assertTrue(first.is_numbering_continuous)
        self.assertEqual(self.platform.unfinished_id, second)

    def test_channel_says_that_its_set_up_is_not_finished(self):
        channel = self._begin()
        self.assertEqual(channel.health, "warning")
        self.assertIn("not finished: Shop and Keys", channel.health_message)
        channel.setup_step = "done"
        channel.invalidate_recordset(["health", "health_message"])
        self.assertNotIn("not finished", channel.health_message)

    def test_who_sees_no_keys_is_told_to_ask(self):
        view = self.env.ref("oms_channels.oms_channel_view_form_setup")
        for user, is_told in ((self.manager, True), (self.env.ref("base.user_admin"), False)):
            arch = self.env["oms.channel"].with_user(user).get_view(view.id)["arch"]
            self.assertEqual("ask an administrator to open this set-up" in arch, is_told)

    def test_missing_keys_are_named_and_the_step_stays(self):
        channel = self._begin(api_key=False)
        with self.assertRaisesRegex(UserError, "Secret API Key"):
            channel.action_setup_next()
        self.shop.failure = (401, {})
        channel.api_key = "wrong"
        with self.assertRaisesRegex(UserError, "could not be reached"):
            channel.action_setup_next()
        self.assertEqual(channel.setup_step, "keys")

    def test_steps_go_on_and_back(self):
        channel = self._begin()
        channel.action_setup_next()
        self.assertEqual(channel.setup_step, "webhooks")
        self.assertIn("Hangzhou (sloc_1)", channel.setup_report)
        self.assertFalse(channel.setup_warning)
        channel.action_setup_back()
        channel.action_setup_back()
        self.assertEqual(channel.setup_step, "keys")

    def test_rights_the_keys_lack_are_shown(self):
        channel = self._begin()
        self.startPatcher(
            self._patch_adapter(
                "test_connection", {"shop": "S", "details": [("Missing permissions", "write_orders, read_returns")]}
            )
        )
        channel.action_setup_next()
        self.assertEqual(channel.setup_warning, "write_orders, read_returns")

    def _patch_adapter(self, method, answer):
        return patch.object(get_adapter_class("medusa"), method, return_value=answer)

    def test_last_step_begins_and_opens_the_channel(self):
        channel = self._begin(pull_start_date="2026-02-01 00:00:00")
        for _step in range(4):
            channel.action_setup_next()
        self.assertFalse(channel.is_pulling)
        action = channel.action_setup_next()
        self.assertEqual((action["res_model"], action["res_id"]), ("oms.channel", channel.id))
        self.assertTrue(channel.is_pulling)
        self.assertEqual((channel.setup_step, channel.pull_start_date), ("done", datetime(2026, 2, 1)))
        self.assertFalse(self.platform.unfinished_id)

    def test_orders_of_the_price_lists_currency_use_it(self):
        pricelist = self.env["product.pricelist"].create({"name": "Shop", "currency_id": self.usd.id})
        self.channel.pricelist_id = pricelist
        self.assertEqual(self._import(1).pricelist_id, pricelist)

    def test_platforms_are_for_who_sets_up(self):
        with self.assertRaises(AccessError):
            self.platform.with_user(self.user).read(["name"])
        self.assertTrue(self.platform.with_user(self.manager).name)


@tagged("post_install", "-at_install")
class TestSetupTour(SetupCommon, HttpCase):
    def test_shop_is_connected_step_by_step(self):
        """Left in the middle, while the products are read, and taken up again."""
        self.start_tour("/odoo/oms-connect", "oms_channel_setup_tour", login="admin")
        channel = self.env["oms.channel"].search([("provider", "=", "medusa"), ("setup_step", "=", "products")])
        self.assertEqual((channel.api_key, channel.base_url), ("sk_test", SHOP))
        self.assertTrue(channel.webhook_secret)
        self._run_cron(f"oms_channels.ir_cron_pull_lane_{channel.id % 2}")
        self.start_tour("/odoo/oms-connect", "oms_channel_setup_resumed_tour", login="admin")
        self.assertEqual((channel.setup_step, channel.is_pulling), ("done", True))
