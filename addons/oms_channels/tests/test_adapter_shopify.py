import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.errors import (
    AdapterError,
    AuthError,
    BadResponse,
    BrokenDown,
    RateLimited,
    Rejected,
    Unavailable,
)
from odoo.addons.oms_channels.adapters.http import HttpResponse
from odoo.addons.oms_channels.adapters.notices import RefundNotice
from odoo.addons.oms_channels.adapters.shopify import bulk, mapper, signature
from odoo.addons.oms_channels.adapters.types import (
    ChannelAddress,
    ChannelConfig,
    ChannelLine,
    ChannelPayment,
    ChannelShipping,
)
from odoo.addons.oms_channels.tests.adapter_common import SHOP, AdapterCase, FakeTransport, read_data

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


def answer(**data):
    return {"data": data}


class ShopifyCase(AdapterCase):
    def _make_adapter(self, *answers, location_id="", **credentials):
        transport = FakeTransport(*answers)
        config = ChannelConfig(f"{SHOP}/", {"api_key": "shpat_1", **credentials}, {"location_id": location_id})
        return get_adapter_class("shopify")(config, transport), transport

    def _parse(self, name="order_placed", **changes):
        return mapper.map_order({**read_data(f"shopify/{name}"), **changes})


class TestShopifyMapper(ShopifyCase):
    def test_order_is_read_to_the_cent(self):
        """Two shirts and a mug, a tenth off, tax on top, duties; the buyer saw euros."""
        order = self._parse()
        self.assertEqual((order.currency, order.total, order.parts_total), ("USD", Decimal("59.03"), Decimal("59.03")))
        self.assertEqual((order.tax_total, order.discount_total), (Decimal("3.60"), Decimal("4.85")))
        shirt, mug = order.lines
        self.assertEqual(
            shirt,
            ChannelLine(
                external_id=shirt.external_id,
                sku="TEE-S",
                title="T-Shirt / S",
                quantity=Decimal(2),
                price_unit=Decimal("19.99"),
                total=Decimal("38.95"),
                discount_amount=Decimal("4.00"),
                tax_amount=Decimal("2.97"),
                tax_rate=Decimal("8.25"),
                barcode=shirt.barcode,
                product_external_id=shirt.product_external_id,
                variant_external_id=shirt.variant_external_id,
            ),
        )
        self.assertEqual((mug.total, mug.discount_amount), (Decimal("8.28"), Decimal("0.85")))
        self.assertEqual(
            order.shippings[0],
            ChannelShipping(
                external_id=order.shippings[0].external_id,
                name="Standard",
                amount=Decimal("7.50"),
                total=Decimal("7.50"),
                tax_rate=Decimal(0),
            ),
        )
        self.assertEqual([charge.name for charge in order.shippings[1:]], ["Duty TEE-S", "Duty TEE-MUG"])

    def test_buyer_and_what_the_shop_knows_of_them(self):
        order = self._parse()
        self.assertEqual(
            order.shipping_address,
            ChannelAddress(
                name="Ada Lovelace",
                company="Engines Ltd",
                street="12 Main St",
                street2="Apt 4",
                city="New York",
                province="NY",
                zip="10001",
                country_code="US",
                phone="+12125550123",
                email="ada@example.com",
            ),
        )
        self.assertEqual((order.buyer_id, order.buyer_name, order.buyer_ip), ("77", "Ada Lovelace", "203.0.113.9"))
        self.assertEqual((order.coupon_codes, order.risk_score), (("TEN",), Decimal(20)))
        self.assertFalse(order.is_masked)
        self.assertTrue(self._parse(shippingAddress=None, billingAddress=None).is_masked)

    def test_payment_with_its_fee(self):
        [payment] = self._parse().payments
        self.assertEqual(
            payment,
            ChannelPayment(
                external_id=payment.external_id,
                provider="shopify_payments",
                amount=Decimal("59.03"),
                currency="USD",
                state="captured",
                captured_amount=Decimal("59.03"),
                fee_amount=Decimal("2.01"),
                date=payment.date,
            ),
        )

    def test_part_sent_and_part_paid_back(self):
        order = self._parse("order_refunded")
        self.assertEqual([line.shipped_quantity for line in order.lines], [1, 0])
        self.assertEqual([line.cancelled_quantity for line in order.lines], [0, 1])
        self.assertEqual(order.total, Decimal("59.03"))
        self.assertEqual(
            (order.payments[0].state, order.payments[0].refunded_amount), ("partially_refunded", Decimal("8.28"))
        )
        self.assertGreater(order.version, self._parse().version)

    def test_authorised_captured_in_parts_and_voided(self):
        def transaction(number, kind, amount, parent=None, status="SUCCESS"):
            money = {"amount": amount, "currencyCode": "USD"}
            return {
                "id": f"gid://shopify/OrderTransaction/{number}",
                "kind": kind,
                "status": status,
                "gateway": "paypal",
                "createdAt": "2026-11-25T09:00:00Z",
                "amountSet": {"shopMoney": money, "presentmentMoney": money},
                "parentTransaction": {"id": f"gid://shopify/OrderTransaction/{parent}"} if parent else None,
            }

        rows = [transaction(1, "AUTHORIZATION", "59.03"), transaction(2, "CAPTURE", "50.00", 1)]
        rows += [transaction(3, "CAPTURE", "9.03", 1, "FAILURE"), transaction(4, "REFUND", "10.00", 2)]
        rows += [transaction(5, "AUTHORIZATION", "5.00"), transaction(6, "VOID", "0.00", 5)]
        rows += [transaction(7, "SALE", "3.00", status="PENDING"), transaction(8, "SALE", "1.00", status="FAILURE")]
        payments = self._parse(transactions=rows).payments
        self.assertEqual(
            [(row.external_id, row.state, row.captured_amount, row.refunded_amount) for row in payments],
            [("1", "partially_refunded", 50, 10), ("5", "cancelled", 0, 0), ("7", "pending", 0, 0)],
        )

    def test_units_that_came_back_stay_sold(self):
        raw = read_data("shopify/order_refunded")
        item = raw["refunds"][0]["refundLineItems"]["nodes"][0]
        shirt = raw["lineItems"]["nodes"][0]
        item.update(restockType="RETURN", lineItem={"id": shirt["id"]})
        raw["lineItems"]["nodes"][1]["currentQuantity"], shirt["currentQuantity"] = 1, 1
        order = mapper.map_order(raw)
        self.assertEqual([line.returned_quantity for line in order.lines], [1, 0])
        self.assertEqual([line.cancelled_quantity for line in order.lines], [0, 0])

    def test_risk_is_the_worst_that_was_said(self):
        for recommendation, levels, score in (
            ("NONE", [], None),
            ("NONE", ["PENDING"], None),
            ("ACCEPT", ["MEDIUM", "LOW"], 60),
            ("CANCEL", ["LOW"], 90),
            ("ACCEPT", ["NONE"], 0),
        ):
            risk = {"recommendation": recommendation, "assessments": [{"riskLevel": level} for level in levels]}
            self.assertEqual(self._parse(risk=risk).risk_score, score)

    def test_status(self):
        self.assertEqual(self._parse().status, "open")
        self.assertEqual(self._parse(cancelledAt="2026-11-25T10:00:00Z").status, "cancelled")
        closed = self._parse(closedAt="2026-11-26T10:00:00Z", displayFulfillmentStatus="FULFILLED")
        self.assertEqual(closed.status, "completed")

    def test_presale_waits_until_the_promised_day(self):
        waiting = {"id": "1", "status": "SCHEDULED", "fulfillAt": "2027-02-01T00:00:00Z", "fulfillBy": None}
        order = self._parse(fulfillmentOrders={"nodes": [waiting]})
        self.assertEqual((order.is_presale, order.ship_from), (True, date(2027, 2, 1)))

    def test_broken_payloads_name_what_is_wrong(self):
        for changes in (
            {"id": None},
            {"currencyCode": ""},
            {"updatedAt": "yesterday"},
            {"lineItems": {"nodes": []}},
            {"lineItems": {"nodes": "x"}},
            {"totalPriceSet": {"shopMoney": {"amount": "NaN"}}},
            {"totalPriceSet": None},
        ):
            with self.assertRaises(BadResponse) as caught:
                self._parse(**changes)
            self.assertFalse(caught.exception.retryable)


class TestShopifyClient(ShopifyCase):
    def test_answers_become_the_errors_they_mean(self):
        for given, kind, retryable in (
            ((401, {"errors": "[API] Invalid API key"}), AuthError, False),
            ((402, {"errors": "Payment Required"}), Rejected, False),
            ((423, {"errors": "Locked"}), AuthError, False),
            ((429, {"errors": "slow"}, {"retry-after": "2"}), RateLimited, True),
            ((502, {}), BrokenDown, True),
            ((503, {}), Unavailable, True),
            ({"errors": [{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}]}, AuthError, False),
            ({"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}, RateLimited, True),
            ({"errors": [{"message": "Internal error. Looks like something went wrong."}]}, BadResponse, True),
            ({"errors": [{"message": "Field 'x' doesn't exist"}]}, Rejected, False),
            ({"data": None}, BadResponse, True),
        ):
            with self.assertRaises(AdapterError) as caught:
                self._make_adapter(given)[0].fetch_order("1")
            self.assertIs(type(caught.exception), kind, given)
            self.assertEqual(caught.exception.retryable, retryable)

    def test_call_carries_token_and_version(self):
        adapter, transport = self._make_adapter(answer(order=read_data("shopify/order_placed")))
        raw = read_data("shopify/order_placed")
        adapter.fetch_order(mapper.get_number(raw["id"]))
        [request] = transport.requests
        self.assertEqual(request.headers["X-Shopify-Access-Token"], "shpat_1")
        self.assertEqual(request.url, f"{SHOP}/admin/api/2026-07/graphql.json")

    def test_refusal_of_a_mutation_is_told(self):
        order = read_data("shopify/order_placed")
        refused = answer(refundCreate={"refund": None, "userErrors": [{"field": None, "message": "Not refundable"}]})
        adapter, transport = self._make_adapter(answer(order=order), refused)
        with self.assertRaisesRegex(Rejected, "Not refundable"):
            adapter.push_refund(RefundNotice(mapper.get_number(order["id"]), Decimal("1.00"), "USD", "k"))
        body = transport.calls[1][2]["variables"]
        self.assertEqual((body["input"]["currency"], body["input"]["transactions"][0]["amount"]), ("EUR", "0.90"))
        self.assertEqual(len(body["key"]), 36)

    def test_another_order_is_not_taken_for_the_one_asked_for(self):
        with self.assertRaises(BadResponse):
            self._make_adapter(answer(order=read_data("shopify/order_placed")))[0].fetch_order("5")


class TestShopifyWebhook(ShopifyCase):
    def _send(self, topic, body, secret="client-secret", now=NOW, location="", **headers):
        raw = json.dumps(body).encode()
        given = {
            "X-Shopify-Hmac-SHA256": signature.sign("client-secret", raw),
            "X-Shopify-Topic": topic,
            "X-Shopify-Event-Id": "e-1",
            "X-Shopify-Triggered-At": NOW.isoformat(),
            **headers,
        }
        adapter, _transport = self._make_adapter(api_secret=secret, location_id=location)
        return adapter.verify_and_parse_webhook(given, raw, "", now=now)

    def test_known_signature(self):
        """Computed apart: openssl dgst -sha256 -hmac secret -binary | base64."""
        self.assertEqual(signature.sign("secret", b'{"id":1}'), "A971iWIMgT8Zj9A9eWfikrFj7wQ16/Qwcc4OlRl2PLc=")

    def test_events_name_their_order(self):
        for topic, body, order_id in (
            ("orders/updated", {"id": 820982911946154508}, "820982911946154508"),
            ("orders/create", {"id": 1, "admin_graphql_api_id": "gid://shopify/Order/9"}, "9"),
            ("refunds/create", {"id": 5, "order_id": 7}, "7"),
            ("returns/request", {"id": 5, "order": {"id": 8}}, "8"),
            ("products/update", {"id": 5}, ""),
            ("orders/updated", [1], ""),
            ("orders/updated", {"id": True}, ""),
            ("orders/updated", {"id": "x'; drop"}, ""),
        ):
            event = self._send(topic, body)
            self.assertEqual((event.order_external_id, event.concerns_order), (order_id, bool(order_id)), topic)
            self.assertEqual(event.event_id, "e-1")

    def test_stock_of_our_location_is_told(self):
        body = {"inventory_item_id": 7, "location_id": 5, "available": 3}
        for location, told in (("", {"7": 3}), ("5", {"7": 3}), ("gid://shopify/Location/5", {"7": 3}), ("6", {})):
            event = self._send("inventory_levels/update", body, location=location)
            self.assertEqual((event.stock, event.concerns_order), (told, False), location)

    def test_without_an_event_id_the_body_is_the_id(self):
        first = self._send("orders/updated", {"id": 1}, **{"X-Shopify-Event-Id": ""})
        again = self._send("orders/updated", {"id": 1}, **{"X-Shopify-Event-Id": ""})
        other = self._send("orders/create", {"id": 1}, **{"X-Shopify-Event-Id": ""})
        self.assertEqual(first.event_id, again.event_id)
        self.assertNotEqual(first.event_id, other.event_id)

    def test_forged_and_old_ones_are_refused(self):
        with self.assertRaises(AuthError):
            self._send("orders/updated", {"id": 1}, secret="another")
        with self.assertRaises(AuthError):
            self._send("orders/updated", {"id": 1}, secret="")
        self._send("orders/updated", {"id": 1}, now=NOW + timedelta(hours=4))  # the shop's last try
        with self.assertRaises(AuthError):
            self._send("orders/updated", {"id": 1}, now=NOW + timedelta(hours=6))

    def test_signed_nonsense_is_no_crash(self):
        adapter, _transport = self._make_adapter(api_secret="s")
        for raw in (b"", b"{", b"[" * 100000, b"\xff\xfe"):
            with self.assertRaises(BadResponse):
                adapter.verify_and_parse_webhook({"x-shopify-hmac-sha256": signature.sign("s", raw)}, raw, "", now=NOW)


class TestShopifyBulk(ShopifyCase):
    def test_rows_are_joined_while_they_are_read(self):
        rows = [
            {"id": "gid://shopify/Order/1"},
            {"id": "gid://shopify/LineItem/2", "__parentId": "gid://shopify/Order/1"},
            {"id": "gid://shopify/ShippingLine/3", "__parentId": "gid://shopify/Order/1"},
            {"id": "gid://shopify/Order/4"},
        ]
        lines = [json.dumps(row).encode() for row in rows]
        starts = [sum(len(line) + 1 for line in lines[:index]) for index in range(len(lines))]
        (first, place), (second, _end) = bulk.join_rows(zip(lines, starts, strict=True))
        self.assertEqual(place, starts[3], "whoever stops behind the first goes on with the second")
        self.assertEqual([row["id"][-1] for row in first["lineItems"]["nodes"]], ["2"])
        self.assertEqual([row["id"][-1] for row in first["shippingLines"]["nodes"]], ["3"])
        self.assertFalse(second["lineItems"]["nodes"])
        for bad in ("[]", "{", '{"id": "x", "__parentId": "y"}'):
            with self.assertRaises(BadResponse):
                list(bulk.join_rows([(bad, 0)]))

    def test_file_is_read_in_pieces_and_without_our_token(self):
        text = b'{"id": "gid://shopify/Order/1"}\n{"id": "gid://shopify/Order/2"}\n'
        parts = [text[start : start + 20] for start in (0, 20, 40, 60)]
        adapter, transport = self._make_adapter(*(HttpResponse(206, {}, part) for part in parts))
        self.patch(bulk, "PIECE", 20)
        found = list(bulk.iter_orders(adapter.client, "https://files.test/f"))
        self.assertEqual([(row["id"][-1], place) for row, place in found], [("1", 32), ("2", 63)])
        self.assertEqual(transport.requests[1].headers["Range"], "bytes=20-39")
        self.assertFalse(any("X-Shopify-Access-Token" in request.headers for request in transport.requests))

    def test_file_is_gone_on_with_at_its_place(self):
        text = b'{"id": "gid://shopify/Order/1"}\n{"id": "gid://shopify/Order/2"}\n'
        adapter, transport = self._make_adapter(HttpResponse(206, {}, text[32:]))
        [(row, _place)] = bulk.iter_orders(adapter.client, "https://files.test/f", 32)
        self.assertEqual(row["id"][-1], "2")
        self.assertTrue(transport.requests[0].headers["Range"].startswith("bytes=32-"))
