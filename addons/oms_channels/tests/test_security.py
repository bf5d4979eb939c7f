import ast
from pathlib import Path

from odoo.exceptions import AccessError
from odoo.tests import tagged

from .common import ChannelsCommon

ADAPTERS = Path(__file__).parent.parent / "adapters"


@tagged("post_install", "-at_install")
class TestSecurity(ChannelsCommon):
    def test_keys_are_for_administrators(self):
        for user in (self.user, self.manager):
            for field in ("api_key", "api_secret", "webhook_secret", "webhook_secret_previous"):
                with self.assertRaises(AccessError):
                    self.channel.with_user(user).read([field])

    def test_keys_are_not_copied(self):
        copy = self.channel.copy({"code": "copy"})
        self.assertFalse(copy.api_key or copy.webhook_secret)

    def test_who_may_not_see_the_keys_may_not_send_them_elsewhere(self):
        channel = self.channel.with_user(self.manager)
        channel.base_url = f"{self.channel.base_url}/store"  # the same host
        for url in ("http://evil.test", "https://shop.test", "http://shop.test@evil.test"):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                channel.base_url = url
        self.channel.base_url = "http://new.test"  # an administrator
        self.channel.write({"api_key": False, "api_secret": False})
        channel.base_url = "http://other.test"  # there is nothing to protect any more

    def test_a_connector_sends_no_keys_elsewhere(self):
        connector = self.env["oms.connector"].create(
            {"name": "Own", "code": "own", "auth_kind": "oauth2", "token_path": "/token"}
        )
        self.channel.write({"provider": "custom", "connector_id": connector.id})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            connector.with_user(self.manager).token_path = "https://evil.test/token"
        connector.with_user(self.manager).token_path = "/oauth/token"
        other = connector.copy({"code": "other", "token_path": "https://evil.test/token"})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.channel.with_user(self.manager).connector_id = other
        connector.token_path = "https://login.test/token"  # an administrator
        self.assertEqual(connector.token_path, "https://login.test/token")

    def test_payload_is_for_managers(self):
        self._import(1)
        message = self._message("order_1")
        self.assertTrue(message.with_user(self.manager).payload)
        with self.assertRaises(AccessError):
            message.with_user(self.user).read(["payload"])

    def test_customer_service_may_retry_but_not_write_messages(self):
        self._import(1)
        message = self._message("order_1").with_user(self.user)
        self.assertTrue(message.has_access("write"))
        self.assertFalse(message.has_access("create") or message.has_access("unlink"))
        self.assertFalse(message.with_user(self.operator).has_access("read"))

    def test_who_may_not_change_a_channel_makes_it_tell_its_shop_nothing(self):
        channel, listing = self.channel.with_user(self.user), self.env["oms.channel.listing"]
        for action in ("action_register_webhooks", "action_renew_session", "action_publish_stock", "action_pull_now"):
            with self.assertRaises(AccessError):
                getattr(channel, action)()
        self.channel.listing_pricelist_id = self.env["product.pricelist"].create({"name": "Shop"})
        row = listing.create(
            {"channel_id": self.channel.id, "external_id": "v", "product_id": self.mouse.id, "price": 1.0}
            | {"currency_id": self.env.company.currency_id.id}
        )
        self.assertTrue(row.is_price_drift)
        with self.assertRaises(AccessError):
            row.with_user(self.user).action_push_price()
        row.with_user(self.manager).action_push_price()
        self.assertEqual(self.env["oms.channel.push"].search([("kind", "=", "price")]).res_id, row.id)

    def test_each_user_group_opens_an_order(self):
        order = self._import(1, captured=True)
        order.action_confirm()
        order._action_cancel()
        fields = ["channel_message_count", "channel_push_count", "channel_push_failed", "channel_payment_count"]
        for user in (self.user, self.manager):
            [values] = order.with_user(user).read(fields)
            self.assertEqual(values["channel_message_count"], 1)
            self.assertEqual(values["channel_payment_count"], 1)

    def test_other_company_sees_nothing(self):
        self._import(1, captured=True)
        company = self.env["res.company"].create({"name": "Other"})
        self.manager.write({"company_ids": [(6, 0, company.ids)], "company_id": company.id})
        for model in ("message", "push", "listing", "payment", "buyer", "tax"):
            self.assertFalse(self.env[f"oms.channel.{model}"].with_user(self.manager).search([]), model)

    def test_operator_ships_a_channel_order(self):
        order = self._import(1)
        order.action_confirm()
        picking = order.picking_ids
        picking.move_ids.write({"picked": True})
        picking.with_user(self.operator)._action_done()
        self.assertEqual(order.channel_push_ids.kind, "shipment")

    def test_adapters_know_no_orm(self):
        for path in ADAPTERS.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names.append(node.module)
                self.assertFalse([name for name in names if name.split(".")[0] == "odoo"], path)
