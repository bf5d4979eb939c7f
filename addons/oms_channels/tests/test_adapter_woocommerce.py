import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from decimal import Decimal

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.errors import (
    AuthError,
    BadResponse,
    NotSupported,
    RateLimited,
    Rejected,
    Unavailable,
)
from odoo.addons.oms_channels.adapters.http import HttpResponse
from odoo.addons.oms_channels.adapters.notices import CancelNotice, RefundNotice, ShipmentNotice, StockLevel
from odoo.addons.oms_channels.adapters.types import ChannelConfig, ChannelLine, ChannelPayment, ChannelShipping
from odoo.addons.oms_channels.adapters.woocommerce import mapper, signature, webhooks
from odoo.addons.oms_channels.adapters.woocommerce.listing import map_listings
from odoo.addons.oms_channels.tests.adapter_common import SHOP, AdapterCase, FakeTransport, read_data

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
API = "/wp-json/wc/v3"
NO_ROUTE = (404, {"code": "rest_no_route", "message": "No route"}, {})


class WooCase(AdapterCase):
    def _make_adapter(self, *answers, url=SHOP):
        transport = FakeTransport(*answers)
        config = ChannelConfig(url, {"api_key": "ck_1", "api_secret": "cs_1"})
        return get_adapter_class("woocommerce")(config, transport, clock=lambda: NOW), transport

    def _read(self, name, **changes):
        return {**read_data(f"woocommerce/{name}"), **changes}

    def _parse(self, raw):
        return self._make_adapter()[0].parse_order(raw)

    def _paid(self, **changes):
        """The placed order before it was sent."""
        values = {"status": "processing", "date_completed_gmt": None, "meta_data": []}
        return self._read("order_placed", **{**values, **changes})


class TestWooMapper(WooCase):
    def test_placed_order_is_mapped_whole(self):
        order = self._parse(self._read("order_placed"))
        self.assertEqual((order.external_id, order.reference, order.status), ("22", "22", "completed"))
        self.assertEqual((order.total, order.parts_total), (Decimal("60.94"), Decimal("60.94")))
        self.assertEqual((order.note, order.buyer_ip, order.buyer_id), ("leave at door", "203.0.113.7", ""))
        self.assertEqual(order.updated_at, datetime(2026, 11, 22, 6, 49, 25, tzinfo=UTC))
        self.assertEqual(order.shipping_address.email, "ada@example.com")
        self.assertEqual((order.shipping_address.province, order.shipping_address.street2), ("NY", "Apt 4"))
        self.assertEqual(
            order.lines[0],
            ChannelLine(
                external_id="16",
                sku="TEE-S",
                title="T-Shirt TEE - S",
                quantity=Decimal(2),
                price_unit=Decimal("19.99"),
                total=Decimal("43.18"),
                tax_amount=Decimal("3.20"),
                tax_rate=Decimal(8),
                product_external_id="18",
                variant_external_id="19",
                shipped_quantity=Decimal(2),
            ),
        )
        self.assertEqual(order.lines[1].variant_external_id, "21", "a simple product is its own variant")
        shipping = ChannelShipping("18", "Flat rate", Decimal("7.50"), Decimal("7.50"), tax_rate=Decimal(0))
        self.assertEqual(order.shippings, (shipping,))
        self.assertEqual(
            order.payments,
            (
                ChannelPayment(
                    "22",
                    "bacs",
                    Decimal("60.94"),
                    "USD",
                    "captured",
                    captured_amount=Decimal("60.94"),
                    is_by_total=True,
                    date=datetime(2026, 11, 22, 6, 49, 25, tzinfo=UTC),
                ),
            ),
        )

    def test_documented_order_of_an_older_version(self):
        order = self._parse(self._read("order_documented"))
        self.assertEqual((order.total, order.parts_total), (Decimal("29.35"), Decimal("29.35")))
        self.assertEqual(order.lines[1].title, "Ship Your Idea – Color: Black, Size: M Test")
        self.assertIsNone(order.lines[0].tax_rate, "the rate is not told, its amounts say it")
        self.assertEqual(order.placed_at.hour, 19, "by UTC, not by the shop's zone")

    def test_refund_after_sending_is_a_return(self):
        raw = self._read("order_refunded", **{mapper.REFUNDS: read_data("woocommerce/refunds")})
        order = self._parse(raw)
        self.assertEqual([line.returned_quantity for line in order.lines], [1, 0])
        self.assertEqual((order.total, order.status), (Decimal("60.94"), "completed"))
        self.assertEqual(
            (order.payments[0].state, order.payments[0].refunded_amount), ("partially_refunded", Decimal("21.59"))
        )
        self.assertGreater(order.version, self._parse(self._read("order_placed")).version)

    def test_refund_before_sending_is_a_cancellation(self):
        raw = self._paid(refunds=[{"id": 25, "total": "-21.59"}])
        order = self._parse({**raw, mapper.REFUNDS: read_data("woocommerce/refunds")})
        self.assertEqual([line.cancelled_quantity for line in order.lines], [1, 0])
        self.assertEqual([line.shipped_quantity for line in order.lines], [0, 0])

    def test_fulfilments_say_what_has_left(self):
        row = self._read("fulfillment")
        row["meta_data"][0]["value"] = [{"item_id": 16, "qty": 1}]
        order = self._parse({**self._paid(), mapper.FULFILLMENTS: [row]})
        self.assertEqual([line.shipped_quantity for line in order.lines], [1, 0])
        [parcel] = mapper.get_parcels({mapper.FULFILLMENTS: [row]})
        self.assertEqual((parcel["number"], parcel["carrier"]), ("1Z999AA10123456784", "ups"))

    def test_statuses(self):
        for status, expected in (
            ("pending", "open"),
            ("failed", "open"),
            ("wc-packed", "open"),
            ("cancelled", "cancelled"),
            ("refunded", "cancelled"),  # nothing had left
            ("trash", "cancelled"),
        ):
            self.assertEqual(self._parse(self._paid(status=status)).status, expected, status)

    def test_versions_within_a_second(self):
        states = [
            self._paid(status="pending"),
            self._paid(),
            self._paid(refunds=[{"id": 1, "total": "-1.00"}]),
            self._paid(refunds=[{"id": 1, "total": "-1.00"}], status="cancelled"),
        ]
        versions = [self._parse(raw).version for raw in states]
        self.assertEqual(versions, sorted(set(versions)))

    def test_unpaid_order_has_a_pending_payment(self):
        order = self._parse(self._paid(date_paid_gmt=None))
        self.assertFalse(order.is_paid)
        self.assertEqual((order.payments[0].state, order.captured_total), ("pending", 0))

    def test_compound_rate_is_left_to_the_amounts(self):
        raw = self._paid()
        raw["tax_lines"][0]["compound"] = True
        self.assertIsNone(self._parse(raw).lines[0].tax_rate)

    def test_provinces_are_those_others_know(self):
        raw = self._paid()
        for country, state, expected in (("CN", "CN12", "浙江"), ("DE", "DE-BY", "BY"), ("US", "NY", "NY")):
            raw["shipping"].update(country=country, state=state)
            self.assertEqual(self._parse(raw).shipping_address.province, expected)

    def test_virtual_order_goes_to_the_payer(self):
        order = self._parse(self._paid(shipping=dict.fromkeys(read_data("woocommerce/order_placed")["shipping"], "")))
        self.assertEqual(order.shipping_address, order.billing_address)

    def test_nonsense_is_named(self):
        for changes in ({"line_items": []}, {"total": "x"}, {"currency": ""}, {"date_modified_gmt": "soon"}):
            with self.assertRaises(BadResponse) as caught:
                self._parse(self._paid(**changes))
            self.assertFalse(caught.exception.retryable)

    def test_variation_is_listed_under_its_parent(self):
        parent = {"id": 18, "type": "variable", "name": "T-Shirt", "status": "publish"}
        [listing] = map_listings(parent, [self._read("variation")])
        self.assertEqual((listing.external_id, listing.inventory_external_id), ("20", "18/20"))
        self.assertEqual((listing.sku, listing.title, listing.price), ("TEE-M", "T-Shirt - M", Decimal("19.99")))
        self.assertTrue(listing.is_active)
        self.assertEqual(map_listings({"type": "grouped"}), [])


class TestWooClient(WooCase):
    def test_oauth_signature_as_the_standard_writes_it(self):
        """Computed by hand after RFC 5849: method, address and sorted parameters, each escaped once more."""
        params = [("b", "x y"), ("a", "1,2"), ("oauth_nonce", "n~1")]
        self.assertEqual(
            signature.sign_call("cs", "get", "http://shop.test/wp-json/wc/v3/orders", params),
            _sign(
                "cs&",
                "GET&http%3A%2F%2Fshop.test%2Fwp-json%2Fwc%2Fv3%2Forders&a%3D1%252C2%26b%3Dx%2520y%26oauth_nonce%3Dn~1",
            ),
        )

    def test_over_http_calls_are_signed_and_the_secret_stays(self):
        adapter, transport = self._make_adapter(([]), url="http://shop.test")
        adapter.client.get_list("/orders", per_page=1)
        [request] = transport.requests
        params = dict(request.params)
        self.assertEqual(params["oauth_signature_method"], "HMAC-SHA256")
        self.assertEqual(params["oauth_timestamp"], str(int(NOW.timestamp())))
        self.assertNotIn("Authorization", request.headers)
        self.assertNotIn("cs_1", str(request.params))

    def test_over_https_the_key_goes_in_the_header(self):
        adapter, transport = self._make_adapter(([]), url="https://shop.test")
        adapter.client.get_list("/orders")
        [request] = transport.requests
        token = base64.b64encode(b"ck_1:cs_1").decode()
        self.assertEqual((request.headers["Authorization"], request.params), (f"Basic {token}", ()))

    def test_errors(self):
        for given, expected in (
            ((401, {"code": "woocommerce_rest_cannot_view", "message": "no"}, {}), AuthError),
            ((429, {}, {"retry-after": "5"}), RateLimited),
            ((503, {}, {}), Unavailable),
            ((404, {"code": "woocommerce_rest_shop_order_invalid_id"}, {}), Rejected),
            ((500, {"code": "woocommerce_rest_cannot_create_order_refund", "message": "gateway"}, {}), Rejected),
            ((500, {"code": "internal_server_error"}, {}), Unavailable),
            (NO_ROUTE, Rejected),
            (HttpResponse(404, {"content-type": "text/html"}, b"<html>"), Rejected),
            (HttpResponse(404, {"content-type": "application/json"}, b'{"code": "re'), BadResponse),
            (HttpResponse(200, {"content-type": "text/html"}, b"<b>Warning</b>: {}"), BadResponse),
            ([1], BadResponse),
        ):
            adapter, _transport = self._make_adapter(given)
            with self.assertRaises(expected, msg=given):
                adapter.client.get("/orders/1")

    def test_refused_key_is_explained_in_any_language(self):
        refused = {"code": "woocommerce_rest_authentication_error", "message": "Ungültig."}
        late = {"date": "Thu, 26 Nov 2026 08:31:00 GMT"}
        for url, headers, expected in (
            ("http://shop.test", late, "clock"),
            ("http://shop.test", {"date": "Thu, 26 Nov 2026 08:01:00 GMT"}, "Site Address"),
            ("http://shop.test", {"date": "nonsense"}, "Site Address"),
            ("https://shop.test", late, "Authorization"),
        ):
            adapter, _transport = self._make_adapter((401, refused, headers), url=url)
            with self.assertRaisesRegex(AuthError, expected) as caught:
                adapter.client.get("/orders/1")
            self.assertTrue(caught.exception.is_shop_wide)

    def test_connection_does_not_hang_on_a_slow_status_page(self):
        answers = ({"code": "EUR"}, [], [], [], Unavailable("The shop did not answer in time."))
        adapter, _transport = self._make_adapter(*answers)
        self.assertEqual(adapter.test_connection(), {"shop": SHOP, "details": [("Currency", "EUR")]})

    def test_order_id_of_another_kind_is_not_asked_for(self):
        adapter, transport = self._make_adapter()
        with self.assertRaises(Rejected):
            adapter.fetch_order("../products/1")
        self.assertFalse(transport.requests)

    def test_refunds_and_fulfilments_are_read_only_where_there_are_some(self):
        plain = self._paid()
        adapter, transport = self._make_adapter(plain)
        self.assertEqual(adapter.fetch_order("22"), plain)
        self.assertEqual(len(transport.requests), 1)
        status = [{"id": 1, "key": "_fulfillment_status", "value": "partially_fulfilled"}]
        hinting = {**plain, "refunds": [{"id": 25, "total": "-1.00"}], "meta_data": status}
        adapter, transport = self._make_adapter(hinting, [{"id": 25}], NO_ROUTE)
        self.assertEqual(adapter.fetch_order("22")[mapper.REFUNDS], [{"id": 25}])
        self.assertEqual(len(transport.requests), 3)

    def test_checkouts_under_way_are_not_listed(self):
        adapter, _transport = self._make_adapter([self._paid(status="checkout-draft"), self._paid(id=23)])
        page = adapter.fetch_orders_page(NOW, limit=50)
        self.assertEqual([item.external_id for item in page.items], ["23"])

    def test_order_whose_details_are_not_shown_holds_up_no_other(self):
        """The page goes on; the inbox asks for the order once more."""
        refunded = self._paid(refunds=[{"id": 25, "total": "-1.00"}])
        parcels = {"key": "_fulfillment_status", "value": "fulfilled"}
        own = {"key": "_oms_shipments", "value": "no list"}
        for listed, *answers in (
            (refunded, (500, {"code": "internal_server_error", "message": "There has been a critical error."})),
            (refunded, (502, {})),
            (refunded, (404, {"code": "woocommerce_rest_invalid_order_id"})),
            (refunded, HttpResponse(200, {"content-type": "text/html"}, b"<b>Fatal error</b>")),
            (self._paid(meta_data=[parcels]), (500, {"code": "woocommerce_rest_cannot_view"})),
            (self._paid(meta_data=[own]),),
        ):
            adapter, _transport = self._make_adapter([listed, self._paid(id=23)], *answers)
            bad, good = adapter.fetch_orders_page(NOW, limit=50).items
            self.assertTrue(adapter.is_incomplete(bad.payload), answers)
            self.assertEqual((bad.external_id, bad.version, bad.payload["number"]), ("22", "", "22"))
            self.assertEqual((good.external_id, adapter.is_incomplete(good.payload)), ("23", False))

    def test_what_every_order_would_meet_stops_the_page(self):
        refunded = self._paid(refunds=[{"id": 25, "total": "-1.00"}])
        for given, expected in (
            ((429, {}, {"retry-after": "5"}), RateLimited),
            ((503, {}), Unavailable),
            ((401, {"code": "woocommerce_rest_cannot_view"}), AuthError),
            (Unavailable("The shop did not answer in time."), Unavailable),
        ):
            adapter, _transport = self._make_adapter([refunded, self._paid(id=23)], given)
            with self.assertRaises(expected):
                adapter.fetch_orders_page(NOW, limit=50)

    def test_breakdown_over_one_order_is_no_outage(self):
        adapter, _transport = self._make_adapter(self._paid(refunds=[{"id": 25, "total": "-1.00"}]), (500, {}))
        with self.assertRaisesRegex(BadResponse, "/orders/22/refunds") as caught:
            adapter.fetch_order("22")
        self.assertTrue(caught.exception.retryable)
        self.assertFalse(caught.exception.is_shop_wide)
        adapter, _transport = self._make_adapter((500, {}))
        with self.assertRaises(Unavailable) as caught:
            adapter.fetch_order("22")
        self.assertTrue(caught.exception.is_shop_wide)

    def test_list_is_asked_for_from_a_second_earlier(self):
        adapter, transport = self._make_adapter([])
        adapter.fetch_orders_page(NOW, until=NOW.replace(hour=9), limit=500)
        params = dict(transport.requests[0].params)
        self.assertEqual(params["modified_after"], "2026-11-26T07:59:59")
        self.assertEqual(params["modified_before"], "2026-11-26T09:00:00")
        self.assertEqual((params["dates_are_gmt"], params["per_page"]), ("true", "100"))


class TestWooPushes(WooCase):
    def _notice(self, **changes):
        values = {
            "order_external_id": "22",
            "lines": (("16", Decimal(2)), ("17", Decimal(1))),
            "tracking_number": "SF1",
            "carrier": "SF Express",
            "idempotency_key": "key-1",
            "tracking_url": "https://t.example.com/SF1",
        }
        return ShipmentNotice(**{**values, **changes})

    def test_shop_with_fulfilments(self):
        made = {
            "id": 9,
            "meta_data": [{"key": "_items", "value": [{"item_id": 16, "qty": 2}, {"item_id": 17, "qty": 1}]}],
        }
        adapter, transport = self._make_adapter(self._paid(), [], (201, made, {}), self._paid(status="completed"))
        self.assertEqual(adapter.push_shipment(self._notice()).external_id, "9")
        method, path, body = transport.calls[2]
        meta = {row["key"]: row["value"] for row in body["meta_data"]}
        self.assertEqual({row["id"] for row in body["meta_data"]}, {0}, "an older shop leaves out what has none")
        self.assertEqual((method, path.split("?")[0]), ("POST", f"{API}/orders/22/fulfillments"))
        self.assertEqual(meta["_items"], [{"item_id": 16, "qty": 2}, {"item_id": 17, "qty": 1}])
        self.assertEqual((meta["_shipment_provider"], meta["_provider_name"]), ("other", "SF Express"))
        self.assertEqual((meta["_oms_key"], body["is_fulfilled"]), ("key-1", True))
        self.assertEqual(transport.calls[3][2], {"status": "completed"})

    def test_carriers_are_sent_by_the_shops_keys(self):
        for carrier, expected in (("Royal Mail", "royal-mail"), ("Evri ", "evri-hermes"), ("SF Express", "other")):
            made = {"id": 9, "meta_data": []}
            adapter, transport = self._make_adapter(self._paid(), [], (201, made, {}))
            adapter.push_shipment(self._notice(carrier=carrier))
            meta = {row["key"]: row["value"] for row in transport.calls[2][2]["meta_data"]}
            self.assertEqual(meta["_shipment_provider"], expected)

    def test_note_that_the_shop_has_escaped_is_not_written_again(self):
        sent = self._paid(meta_data=[{"key": "_oms_shipments", "value": json.dumps([{"key": "key-1", "items": []}])}])
        told = "Your goods were handed over to Post &amp; Co, tracking number SF1: https://t.example.com/SF1"
        adapter, _transport = self._make_adapter(sent, NO_ROUTE, [{"note": told}])
        self.assertTrue(adapter.push_shipment(self._notice(carrier="Post & Co")).is_repeat)

    def test_first_of_two_parcels_leaves_the_status(self):
        made = {"id": 9, "meta_data": [{"key": "_items", "value": [{"item_id": 16, "qty": 1}]}]}
        adapter, transport = self._make_adapter(self._paid(), [], (201, made, {}))
        adapter.push_shipment(self._notice(lines=(("16", Decimal(1)),)))
        self.assertEqual(len(transport.requests), 3)

    def test_shop_without_fulfilments_gets_meta_status_and_note(self):
        adapter, transport = self._make_adapter(self._paid(), NO_ROUTE, self._paid(), [], (201, {"id": 1}, {}))
        self.assertFalse(adapter.push_shipment(self._notice()).is_repeat)
        body = transport.calls[2][2]
        meta = {row["key"]: row["value"] for row in body["meta_data"]}
        self.assertEqual(body["status"], "completed")
        self.assertEqual((meta["_tracking_number"], meta["_tracking_provider"]), ("SF1", "SF Express"))
        note = transport.calls[4][2]
        self.assertTrue(note["customer_note"])
        self.assertIn("SF1", note["note"])
        kept = [{"id": 1, "key": row["key"], "value": row["value"]} for row in body["meta_data"]]
        sent = {**self._paid(), "meta_data": kept, "status": "completed"}
        adapter, transport = self._make_adapter(sent, NO_ROUTE, [{"note": note["note"]}])
        self.assertTrue(adapter.push_shipment(self._notice()).is_repeat)
        self.assertEqual([line.shipped_quantity for line in self._parse(sent).lines], [2, 1])

    def test_refund_names_lines_by_their_share(self):
        gateway = {"id": "stripe", "method_supports": ["products", "refunds"]}
        adapter, transport = self._make_adapter(self._paid(payment_method="stripe"), gateway, (201, {"id": 25}, {}))
        notice = RefundNotice("22", Decimal("21.59"), "USD", "key", note="RINV/1", lines=(("16", Decimal(1)),))
        result = adapter.push_refund(notice)
        self.assertEqual((result.external_id, result.data), ("25", {}))
        self.assertEqual(dict(transport.requests[1].params)["_fields"], "id,method_supports", "not its keys")
        self.assertEqual(
            transport.calls[2][2],
            {
                "amount": "21.59",
                "reason": "RINV/1 [key]",
                "api_refund": True,
                "api_restock": False,
                "line_items": [
                    {
                        "id": 16,
                        "quantity": 1,
                        "refund_total": 19.99,
                        "refund_tax": [{"id": 1, "refund_total": 1.6}],
                    }
                ],
            },
        )

    def test_refund_has_no_cents_where_the_currency_has_none(self):
        raw = self._paid(currency="JPY", total="6594")
        raw["line_items"][0] |= {"quantity": 3, "total": "4000", "taxes": [{"id": 1, "total": "320"}]}
        adapter, transport = self._make_adapter(raw, (201, {"id": 25}, {}))
        adapter.push_refund(RefundNotice("22", Decimal(1440), "JPY", "key", lines=(("16", Decimal(1)),)))
        [item] = transport.calls[1][2]["line_items"]
        self.assertEqual((item["refund_total"], item["refund_tax"]), (1333, [{"id": 1, "refund_total": 107}]))

    def test_provider_is_asked_only_where_it_gives_money_back(self):
        for answer, expected in (
            ({"method_supports": ["products", "refunds"]}, True),
            ({"method_supports": {"0": "products", "2": "refunds"}}, True),  # a list with gaps, as PHP writes it
            ({"method_supports": ["products"]}, False),
            ((404, {"code": "woocommerce_rest_payment_gateway_invalid"}), False),
            ((403, {"code": "woocommerce_rest_cannot_view"}), True),  # it will say so itself
            ({}, True),
            (NO_ROUTE, True),
        ):
            raw = self._paid(payment_method="wallet", payment_method_title="Wallet")
            adapter, transport = self._make_adapter(raw, answer, (201, {"id": 25}, {}))
            result = adapter.push_refund(RefundNotice("22", Decimal(5), "USD", "key"))
            self.assertEqual(transport.calls[2][2]["api_refund"], expected, answer)
            by_hand = {} if expected else {"by_hand": {"amount": "5", "provider": "Wallet"}}
            self.assertEqual(result.data, by_hand)

    def test_refund_that_was_only_noted_is_told_again(self):
        """Who died before he could tell it."""
        noted = {"id": 25, "amount": "5.00", "reason": "[key]", "refunded_payment": False}
        raw = self._paid(refunds=[{"id": 25, "total": "-5.00"}])
        adapter, _transport = self._make_adapter(raw, [noted])
        result = adapter.push_refund(RefundNotice("22", Decimal(5), "USD", "key"))
        self.assertEqual((result.is_repeat, result.data["by_hand"]["amount"]), (True, "5.00"))

    def test_payment_that_staff_entered_is_not_asked_of_a_provider(self):
        adapter, transport = self._make_adapter(self._paid(payment_method="other"), (201, {"id": 25}, {}))
        adapter.push_refund(RefundNotice("22", Decimal(5), "USD", "key"))
        self.assertFalse(transport.calls[1][2]["api_refund"])

    def test_goodwill_names_no_lines_and_a_transfer_is_written_down(self):
        adapter, transport = self._make_adapter(self._paid(), (201, {"id": 25}, {}))
        adapter.push_refund(RefundNotice("22", Decimal(5), "USD", "key", lines=(("16", Decimal(1)),)))
        body = transport.calls[1][2]
        self.assertNotIn("line_items", body)
        self.assertFalse(body["api_refund"])

    def test_unpaid_order_gives_nothing_back(self):
        adapter, _transport = self._make_adapter(self._paid(date_paid_gmt=None))
        with self.assertRaises(Rejected):
            adapter.push_refund(RefundNotice("22", Decimal(5), "USD", "key"))

    def test_unpaid_order_is_cancelled_without_a_refund(self):
        unpaid = self._paid(date_paid_gmt=None)
        cancelled = {**unpaid, "status": "cancelled"}
        adapter, transport = self._make_adapter(unpaid, cancelled, cancelled)
        result = adapter.push_cancel(CancelNotice("22", "c"))
        self.assertEqual((result.is_repeat, result.data), (False, {"refunded": {}}))
        self.assertEqual(transport.calls[1][2], {"status": "cancelled"})

    def test_refused_item_does_not_hold_up_the_others(self):
        rows = [{"id": 1, "stock_quantity": 5}, {"id": 2, "error": {"code": "x", "message": "Invalid ID."}}]
        adapter, _transport = self._make_adapter({"update": rows})
        levels = [StockLevel(f"S{key}", Decimal(5), str(key), str(key)) for key in (1, 2, 3)]
        self.assertEqual(
            adapter.push_stock(levels).errors, ("", "Invalid ID.", "The shop did not answer for this item.")
        )

    def test_returns_are_not_supported(self):
        with self.assertRaises(NotSupported):
            self._make_adapter()[0].push_return_received(None)


class TestWooWebhook(WooCase):
    def test_addresses_that_wordpress_does_not_call(self):
        for url, shop, expected in (
            ("https://odoo.example.com/oms", "https://shop.example.com", []),
            ("http://odoo.example.com:8080/oms", "https://shop.example.com", []),
            ("https://odoo.example.com:8069/oms", "https://shop.example.com", ["ports"]),
            ("http://192.168.1.7/oms", "https://shop.example.com", ["private"]),
            ("http://localhost:8069/oms", "http://shop.example.com", ["ports", "private"]),
            ("http://127.0.0.1:9300/oms", "http://127.0.0.1:9300", []),
            ("http://127.0.0.1:8069/oms", "http://127.0.0.1:9300", ["ports"]),
        ):
            found = webhooks.find_obstacles(url, shop)
            self.assertEqual(len(found), len(expected), url)
            for sentence, word in zip(found, expected, strict=True):
                self.assertIn(word, sentence)

    def _receive(self, body, topic="order.updated", secret="s", **headers):
        given = {"Content-Type": "application/json", "X-WC-Webhook-Signature": signature.sign_webhook(secret, body)}
        if topic:
            given["X-WC-Webhook-Topic"] = topic
        return self._make_adapter()[0].verify_and_parse_webhook({**given, **headers}, body, "s", now=NOW)

    def test_order_event_is_believed_by_its_id_only(self):
        event = self._receive(json.dumps({"id": 22, "status": "completed"}).encode())
        self.assertEqual((event.order_external_id, event.topic, event.concerns_order), ("22", "order.updated", True))

    def test_ping_is_answered_and_concerns_nothing(self):
        for body in (b"webhook_id=1", b""):
            for headers in ({}, {"X-WC-Webhook-Signature": ""}):
                kind = {"Content-Type": "application/x-www-form-urlencoded", **headers}
                self.assertFalse(self._receive(body, topic="", **kind).concerns_order)

    def test_form_that_is_no_ping_needs_a_signature(self):
        kind = {"Content-Type": "application/x-www-form-urlencoded", "X-WC-Webhook-Signature": "x"}
        with self.assertRaises(AuthError):
            self._receive(b"webhook_id=1&id=22", topic="", **kind)
        with self.assertRaises(AuthError):
            self._receive(b"webhook_id=1", topic="order.updated", **kind)

    def test_signed_answer_instead_of_an_order_is_thanked(self):
        self.assertFalse(self._receive(b'{"code": "rest_no_route"}').concerns_order)
        self.assertFalse(self._receive(b'{"id": 5}', topic="product.updated").concerns_order)
        with self.assertRaises(BadResponse):
            self._receive(b"<html>")


def _sign(key, text):
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()
