import copy
import json

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from odoo.addons.oms_base.tests.common import OmsBaseCommon
from odoo.addons.oms_channels.adapters import get_adapter_class, get_providers, http
from odoo.addons.oms_channels.adapters.types import ChannelConfig
from odoo.addons.oms_channels.adapters.woocommerce import mapper, signature

from .adapter_common import read_data

SHOP = "http://shop.test"


class FakeWooWire:
    """Answers what the registration of webhooks asks, and one order."""

    def __init__(self):
        self.webhooks, self.orders, self.calls = [], {}, []

    def __call__(self, request):
        path = request.url.removeprefix(f"{SHOP}/wp-json/wc/v3")
        body = json.loads(request.body) if request.body else None
        self.calls.append((request.method, path, body))
        if path == "/webhooks" and request.method == "GET":
            return self._answer(200, self.webhooks)
        if path == "/webhooks":
            self.webhooks.append({"id": len(self.webhooks) + 1, **body})
            return self._answer(201, self.webhooks[-1])
        if path.startswith("/webhooks/"):
            row = next(row for row in self.webhooks if row["id"] == int(path.rpartition("/")[2]))
            row.update(body)
            return self._answer(200, row)
        order = self.orders.get(path.rpartition("/")[2])
        return self._answer(200, order) if order else self._answer(404, {"code": "invalid_id", "message": "no"})

    @staticmethod
    def _answer(status, value):
        return http.HttpResponse(status, {"content-type": "application/json"}, json.dumps(value).encode())


class PlatformCommon(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env.ref("base.USD").active = True
        cls.wire = FakeWooWire()
        cls.classPatch(type(cls.env["oms.channel"]), "_get_transport", lambda channel: cls.wire)
        cls._set_provider("woocommerce")
        cls.env["account.tax"].create(
            [
                {
                    "name": f"Shop tax {rate}",
                    "amount": rate,
                    "type_tax_use": "sale",
                    "price_include_override": "tax_excluded",
                }
                for rate in (8, 8.25, 7.5)
            ]
        )
        cls.env["product.product"].create(
            [
                {"name": sku, "default_code": sku, "is_storable": True}
                for sku in ("TEE-S", "TEE-MUG", "TEE", "MUG", "Bar3")
            ]
        )

    @classmethod
    def _set_provider(cls, provider):
        cls.channel.write(
            {
                "provider": provider,
                "base_url": SHOP,
                "api_key": "ck_1",
                "api_secret": "cs_1",
                "webhook_secret": "test-secret",
            }
        )

    def _import(self, *payloads):
        adapter = get_adapter_class(self.channel.provider)(ChannelConfig(SHOP))
        return self.env["sale.order"]._oms_create_from_channel(
            self.channel, [adapter.parse_order(payload) for payload in payloads]
        )

    def _assert_total(self, order, total):
        self.assertEqual(order.currency_id.compare_amounts(order.amount_total, total), 0, order.amount_total)
        self.assertEqual(order.channel_amount_difference, 0.0)


@tagged("post_install", "-at_install")
class TestPlatformImport(PlatformCommon):
    def test_vendure_order_is_imported_to_the_cent(self):
        self._set_provider("vendure")
        order = self._import(read_data("vendure/order_placed"))
        self._assert_total(order, 54.73)
        self.assertEqual(order.oms_coupon_codes, "TEN")
        self.assertEqual(order.amount_tax, 3.6)
        self.assertEqual(order.channel_payment_ids.captured_amount, 54.73)

    def test_returned_vendure_order_is_worth_what_was_sold(self):
        self._set_provider("vendure")
        self._assert_total(self._import(read_data("vendure/order_returned")), 54.73)

    def test_woocommerce_order_is_imported_to_the_cent(self):
        order = self._import(read_data("woocommerce/order_placed"))
        self._assert_total(order, 60.94)
        self.assertEqual((order.amount_tax, order.oms_buyer_ip), (3.96, "203.0.113.7"))
        self.assertEqual(order.channel_note, "leave at door")
        self.assertEqual(order.partner_shipping_id.street2, "Apt 4")

    def test_woocommerce_prices_with_tax_fee_and_coupon_are_imported_to_the_cent(self):
        raw = copy.deepcopy(read_data("woocommerce/order_placed"))
        raw.update(prices_include_tax=True, coupon_lines=[{"id": 9, "code": "ten"}], total="58.49", total_tax="3.73")
        line = raw["line_items"][0]
        # 2 x 21.59 with tax, a tenth off: 38.86 = 35.98 + 2.88
        line.update(subtotal="39.98", subtotal_tax="3.20", total="35.98", total_tax="2.88")
        line["taxes"][0]["total"] = "2.88"
        raw["fee_lines"] = [{"id": 30, "name": "Gift wrap", "total": "1.78", "total_tax": "0.09", "taxes": []}]
        raw["fee_lines"][0].update(total="1.87", total_tax="0.00")
        order = self._import(raw)
        self._assert_total(order, 58.49)
        self.assertEqual(order.oms_coupon_codes, "ten")

    def test_refund_in_the_shop_takes_units_off_what_is_to_be_sent(self):
        raw = read_data("woocommerce/order_refunded")
        raw.update(status="processing", date_completed_gmt=None, meta_data=[])
        order = self._import({**raw, mapper.REFUNDS: read_data("woocommerce/refunds")})
        line = order.order_line.filtered(lambda line: line.product_id.default_code == "TEE-S")
        self.assertEqual(line.product_uom_qty, 1)
        self._assert_total(order, 39.35)


@tagged("post_install", "-at_install")
class TestPlatformForm(PlatformCommon):
    def test_form_says_what_the_platform_can_and_cannot(self):
        channel = self.channel.with_user(self.manager)
        self.assertIn("tracking number", channel.platform_can)
        self.assertIn("It is told when a parcel has arrived", channel.platform_cannot)
        self.assertIn("Register Webhooks", channel.platform_webhook_help)
        self.assertTrue(channel.is_webhook_setup_possible)
        self._set_provider("vendure")
        self.assertIn("no link to the carrier's page", channel.platform_cannot)
        self.assertIn("x-vendure-hmac-sha256", channel.platform_webhook_help)
        self.assertFalse(channel.is_webhook_setup_possible)
        self._set_provider("wechat")
        self.assertIn("one refund of an order a minute", channel.platform_cannot)
        self.assertIn("encrypted messages are not read", channel.platform_webhook_help)
        self.assertFalse(channel.is_session_needed or channel.is_webhook_setup_possible)

    def test_every_platform_is_offered_and_explained(self):
        offered = {code for code, _label in self.channel._fields["provider"].selection}
        self.channel.connector_id = self.env["oms.connector"].search([], limit=1) or self.env["oms.connector"].create(
            {"name": "Test Connector", "code": "test_connector"}
        )
        self.assertEqual(offered, set(get_providers()) & offered)
        labels = self.channel._get_capability_labels()
        for provider in offered:
            self._set_provider(provider)
            self.assertTrue(get_adapter_class(provider).capabilities <= labels.keys())
            self.assertTrue(self.channel.platform_webhook_help, provider)

    def test_channel_without_a_shop_says_nothing(self):
        self.channel.provider = False
        self.assertFalse(self.channel.platform_can or self.channel.platform_cannot)
        self.assertFalse(self.channel.platform_webhook_help)

    def test_webhooks_are_registered_and_mended_from_the_form(self):
        channel = self.channel.with_user(self.manager)
        channel.action_register_webhooks()
        self.assertEqual({row["delivery_url"] for row in self.wire.webhooks}, {channel.webhook_url})
        self.assertEqual({row["secret"] for row in self.wire.webhooks}, {"test-secret"})
        count = len(self.wire.webhooks)
        self.wire.webhooks[0]["status"] = "disabled"
        action = channel.action_register_webhooks()
        self.assertEqual(len(self.wire.webhooks), count)
        self.assertEqual(self.wire.webhooks[0]["status"], "active")
        self.assertIn("Corrected: order.created", action["params"]["message"])

    def test_address_that_the_shop_will_not_call_is_named(self):
        self.env["ir.config_parameter"].set_param("web.base.url", "https://odoo.example.com:8069")
        self.channel.invalidate_recordset(["webhook_url"])
        self.assertIn("not 8069", self.channel.action_register_webhooks()["params"]["message"])

    def test_missing_secret_is_made(self):
        self.channel.webhook_secret = False
        self.channel.action_register_webhooks()
        self.assertTrue(self.channel.webhook_secret)
        self.assertEqual({row["secret"] for row in self.wire.webhooks}, {self.channel.webhook_secret})

    def test_shop_that_cannot_be_reached_is_named(self):
        self.channel.api_secret = False
        with self.assertRaisesRegex(UserError, "Consumer key"):
            self.channel.action_register_webhooks()

    def test_platform_without_registration_refuses(self):
        self._set_provider("vendure")
        with self.assertRaises(UserError):
            self.channel.action_register_webhooks()

    def test_secret_stays_with_administrators(self):
        channel = self.channel.with_user(self.manager)
        channel.action_register_webhooks()
        with self.assertRaises(AccessError):
            channel.read(["webhook_secret"])

    def setUp(self):
        super().setUp()
        self.wire.__init__()


@tagged("post_install", "-at_install")
class TestPlatformWebhook(PlatformCommon, HttpCase):
    def _messages(self):
        return self.env["oms.channel.message"].search([("channel_id", "=", self.channel.id)])

    def test_ping_is_answered_and_nothing_stored(self):
        """The web framework reads the form before the controller sees the body."""
        answer = self.url_open(f"/oms/webhook/{self.channel.id}", data={"webhook_id": "1"})
        self.assertEqual(answer.status_code, 200)
        self.assertFalse(self._messages())

    def test_order_event_is_stored_and_the_order_imported(self):
        self.channel.pull_start_date = "2026-11-01 00:00:00"
        self.wire.orders["22"] = read_data("woocommerce/order_placed")
        body = json.dumps({"id": 22, "status": "pending"}).encode()
        headers = {
            "Content-Type": "application/json",
            "X-WC-Webhook-Topic": "order.updated",
            "X-WC-Webhook-Signature": signature.sign_webhook("test-secret", body),
        }
        for _delivery in range(2):
            answer = self.url_open(f"/oms/webhook/{self.channel.id}", data=body, headers=headers)
            self.assertEqual(answer.status_code, 200)
        message = self._messages()
        self.assertEqual((message.external_id, message.topic), ("22", "order.updated"))
        for lane in range(4):
            self._run_cron(f"oms_channels.ir_cron_message_lane_{lane}")
        self.assertEqual(message.state, "done")
        self._assert_total(message.order_id, 60.94)

    def test_unsigned_event_is_refused(self):
        headers = {"Content-Type": "application/json", "X-WC-Webhook-Topic": "order.updated"}
        with mute_logger("odoo.addons.oms_channels.controllers.oms_channels"):
            answer = self.url_open(f"/oms/webhook/{self.channel.id}", data=b'{"id": 22}', headers=headers)
        self.assertEqual(answer.status_code, 401)
        self.assertFalse(self._messages())

    def test_a_connector_can_do_what_it_has_calls_for(self):
        connector = self.env["oms.connector"].create({"name": "Test Connector", "code": "test_connector"})
        self.channel.write({"provider": "custom", "connector_id": connector.id})
        label = self.channel._get_capability_labels()["refund"]
        self.assertIn(label, self.channel.platform_cannot)
        refund = {"kind": "refund", "method": "POST", "path": "/refunds/{{ idempotency_key }}"}
        connector.endpoint_ids = [Command.create(refund)]
        self.channel.invalidate_recordset(["platform_can", "platform_cannot"])
        self.assertIn(label, self.channel.platform_can)
