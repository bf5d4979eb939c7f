import json
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged

from odoo.addons.oms_channels.adapters import http
from odoo.addons.oms_channels.adapters.shopify import bulk, signature
from odoo.addons.oms_channels.adapters.types import PageItem

from .adapter_common import read_data
from .test_platforms import PlatformCommon

SECRET = "client-secret"


class FakeShopifyWire:
    """Answers with one order, and with a back-fill of it."""

    def __init__(self):
        self.order, self.state, self.calls = read_data("shopify/order_placed"), "COMPLETED", []
        self.is_forgotten = False

    def __call__(self, request):
        if request.method == "GET":
            return http.HttpResponse(206, {"content-type": "application/jsonl"}, self._make_file())
        text = json.loads(request.body)["query"]
        self.calls.append(text)
        if "bulkOperationRunQuery" in text:
            data = {"bulkOperationRunQuery": {"bulkOperation": {"id": "gid://b/1", "status": "CREATED"}}}
        elif "bulkOperation(" in text:
            state = {"id": "gid://b/1", "status": self.state, "objectCount": "4", "url": "https://files.test/1"}
            data = {"bulkOperation": None if self.is_forgotten else {**state, "errorCode": "TIMEOUT"}}
        elif "orders(" in text:
            data = {"orders": {"pageInfo": {"hasNextPage": False}, "nodes": []}}
        else:
            data = {"order": self.order}
        return http.HttpResponse(200, {"content-type": "application/json"}, json.dumps({"data": data}).encode())

    def _make_file(self):
        order = read_data("shopify/order_placed")
        rows = [
            {**node, "__parentId": order["id"]}
            for key in ("lineItems", "shippingLines")
            for node in order.pop(key)["nodes"]
        ]
        return "".join(f"{json.dumps(row)}\n" for row in (order, *rows)).encode()


class ShopifyCommon(PlatformCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wire = FakeShopifyWire()
        cls._set_provider("shopify")
        cls.channel.write({"api_key": "shpat_1", "api_secret": SECRET, "webhook_secret": False})

    def _messages(self):
        return self.env["oms.channel.message"].search([("channel_id", "=", self.channel.id)])

    def _run_lanes(self):
        for lane in range(4):
            self._run_cron(f"oms_channels.ir_cron_message_lane_{lane}")


@tagged("post_install", "-at_install")
class TestShopifyImport(ShopifyCommon):
    def test_order_is_imported_to_the_cent(self):
        order = self._import(read_data("shopify/order_placed"))
        self._assert_total(order, 59.03)
        self.assertEqual((order.amount_tax, order.currency_id.name), (3.6, "USD"))
        self.assertEqual((order.oms_coupon_codes, order.oms_buyer_ip), ("TEN", "203.0.113.9"))
        self.assertEqual(order.channel_payment_ids.fee_amount, 2.01)
        self.assertEqual(order.partner_shipping_id.street2, "Apt 4")

    def test_units_paid_back_before_they_left_are_not_sent(self):
        order = self._import(read_data("shopify/order_refunded"))
        quantities = {line.product_id.default_code: line.product_uom_qty for line in order.order_line}
        self.assertEqual(quantities["TEE-S"], 2)
        self.assertNotIn("TEE-MUG", quantities)
        self._assert_total(order, 59.03 - 8.28)

    def test_fee_that_is_told_later_is_kept(self):
        raw = read_data("shopify/order_placed")
        fees = raw["transactions"][0]["fees"]
        raw["transactions"][0]["fees"] = []
        order = self._import(raw)
        self.assertEqual(order.channel_payment_ids.fee_amount, 0.0)
        raw["transactions"][0]["fees"], raw["updatedAt"] = fees, "2026-11-26T10:00:00Z"
        order._oms_apply_channel_order(self._parse(raw))
        self.assertEqual(order.channel_payment_ids.fee_amount, 2.01)

    def _parse(self, raw):
        return self.channel._get_adapter().parse_order(raw)


@tagged("post_install", "-at_install")
class TestShopifyBackfill(ShopifyCommon):
    def setUp(self):
        super().setUp()
        self.wire.__init__()
        self.channel.backfill_since = "2025-01-01 00:00:00"

    def _pull(self):
        self.channel.write({"next_pull_date": "2020-01-01 00:00:00", "rest_until": False})
        self._run_cron(f"oms_channels.ir_cron_pull_lane_{self.channel.id % 2}")

    def test_old_orders_come_from_a_file_once(self):
        self.channel.action_backfill()
        self._pull()
        self.assertEqual(self.channel.backfill_ref, "gid://b/1")
        self.wire.state = "RUNNING"
        self._pull()
        self.assertFalse(self._messages())
        self.wire.state = "COMPLETED"
        self._pull()
        self.assertFalse(self.channel.is_backfill_due or self.channel.backfill_ref or self.channel.pull_error)
        self.assertEqual(len(self._messages()), 1)
        self._run_lanes()
        self._assert_total(self._messages().order_id, 59.03)
        self.channel.action_backfill()
        for _step in range(2):
            self._pull()
        self.assertEqual(len(self._messages()), 1)

    def test_failed_and_forgotten_files_are_asked_for_again(self):
        self.channel.action_backfill()
        self._pull()
        self.wire.state = "FAILED"
        self._pull()
        self.assertIn("TIMEOUT", self.channel.pull_error)
        self.assertFalse(self.channel.backfill_ref)
        self._pull()
        self.wire.is_forgotten = True
        self._pull()
        self.assertFalse(self.channel.backfill_ref)
        self.assertTrue(self.channel.is_backfill_due)

    def test_orders_are_stored_in_batches(self):
        adapter = self.channel._get_adapter()
        state = bulk.BulkState("done", 120, "https://files.test/1", "")
        items = [(PageItem(f"{index}", "v1", {"id": index}), index + 1) for index in range(120)]
        places, left = [], []
        with (
            patch.object(type(adapter), "get_backfill", return_value=state),
            patch.object(
                type(adapter), "iter_backfill", lambda _self, _url, start: places.append(start) or iter(items[start:])
            ),
            patch.object(type(self.env["ir.cron"]), "_commit_progress", return_value=0) as progress,
            patch.object(type(self.channel), "_store_orders") as store,
        ):
            self.channel.write({"is_backfill_due": True, "backfill_ref": "x"})
            left.append(self.channel._pull_backfill(adapter))  # out of time after a batch
            progress.return_value = 9
            left.append(self.channel._pull_backfill(adapter))
        self.assertEqual([len(call.args[0]) for call in store.call_args_list], [50, 50, 20])
        self.assertEqual((places, left), ([0, 50], [False, True]))
        self.assertFalse(self.channel.is_backfill_due or self.channel.backfill_state)

    def test_since_when_must_be_said(self):
        self.channel.backfill_since = False
        with self.assertRaises(UserError):
            self.channel.action_backfill()


@tagged("post_install", "-at_install")
class TestShopifyWebhook(ShopifyCommon, HttpCase):
    def test_event_signed_by_the_app_is_stored_and_imported(self):
        number = int(self.wire.order["id"].rpartition("/")[2])
        body = json.dumps({"id": number}).encode()
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": "orders/updated",
            "X-Shopify-Event-Id": "e-1",
            "X-Shopify-Hmac-Sha256": signature.sign(SECRET, body),
        }
        for _delivery in range(2):
            self.assertEqual(
                self.url_open(f"/oms/webhook/{self.channel.id}", data=body, headers=headers).status_code, 200
            )
        self.assertEqual(len(self._messages()), 1)
        self._run_lanes()
        self._assert_total(self._messages().order_id, 59.03)

    def test_form_says_where_the_secret_comes_from(self):
        self.assertIn("client secret of the app", self.channel.platform_webhook_help)
        self.assertIn("refunds are made in the buyer's", self.channel.platform_cannot)
        self.assertTrue(self.channel.is_webhook_setup_possible)
