import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.errors import (
    AuthError,
    BadResponse,
    RateLimited,
    Rejected,
    Unavailable,
)
from odoo.addons.oms_channels.adapters.http import HttpResponse
from odoo.addons.oms_channels.adapters.notices import CancelNotice, RefundNotice, ShipmentNotice, StockLevel
from odoo.addons.oms_channels.adapters.types import (
    ChannelAddress,
    ChannelConfig,
    ChannelLine,
    ChannelPayment,
    ChannelShipping,
)
from odoo.addons.oms_channels.adapters.vendure import client, signature
from odoo.addons.oms_channels.tests.adapter_common import SHOP, AdapterCase, FakeTransport, read_data

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


def answer(**data):
    return {"data": data}


def failure(code, message="no"):
    return {"errors": [{"message": message, "extensions": {"code": code}}], "data": None}


class VendureCase(AdapterCase):
    def setUp(self):
        super().setUp()
        client._TOKENS.clear()
        self.addCleanup(client._TOKENS.clear)

    def _make_adapter(self, *answers, login=True, **options):
        logged_in = (200, answer(login={"__typename": "CurrentUser"}), {"vendure-auth-token": "token-1"})
        transport = FakeTransport(*([logged_in] if login else []), *answers)
        config = ChannelConfig(f"{SHOP}/", {"username": "odoo", "password": "pw"}, {"location_id": "1", **options})
        return get_adapter_class("vendure")(config, transport), transport

    def _read(self, name, **changes):
        return {**read_data(f"vendure/{name}"), **changes}

    def _parse(self, name, **changes):
        return self._make_adapter()[0].parse_order(self._read(name, **changes))

    def _answer_order(self, name, **changes):
        return answer(order=self._read(name, **changes), globalSettings={"serverConfig": {"moneyStrategyPrecision": 2}})

    @staticmethod
    def _variables(request):
        return json.loads(request.body)["variables"]


class TestVendureMapper(VendureCase):
    def test_placed_order_is_mapped_whole(self):
        order = self._parse("order_placed")
        self.assertEqual((order.external_id, order.status, order.currency), ("1", "open", "USD"))
        self.assertEqual((order.total, order.parts_total), (Decimal("54.73"), Decimal("54.73")))
        self.assertEqual(order.email, "ada@example.com")
        self.assertEqual(order.coupon_codes, ("TEN",))
        self.assertTrue(order.is_paid)
        self.assertIsNone(order.billing_address, "an object of nulls is no address")
        self.assertEqual(
            order.shipping_address,
            ChannelAddress(
                name="Ada Lovelace",
                company="Engines Inc",
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
        self.assertEqual(
            order.lines[0],
            ChannelLine(
                external_id="1",
                sku="TEE",
                title="T-Shirt",
                quantity=Decimal(2),
                price_unit=Decimal("21.64"),
                total=Decimal("38.95"),
                discount_amount=Decimal("4.33"),
                tax_amount=Decimal("2.97"),
                is_tax_included=True,
                tax_rate=Decimal("8.25"),
                product_external_id="1",
                variant_external_id="1",
            ),
        )
        shipping = ChannelShipping(
            "1", "Standard", Decimal("7.50"), Decimal("7.50"), is_tax_included=True, tax_rate=Decimal(0)
        )
        self.assertEqual(order.shippings, (shipping,))
        self.assertEqual(
            order.payments[0],
            ChannelPayment(
                "1",
                "card",
                Decimal("54.73"),
                "USD",
                "captured",
                captured_amount=Decimal("54.73"),
                date=order.payments[0].date,
            ),
        )

    def test_checkpoint_time_is_the_one_the_list_goes_by(self):
        order = self._parse("order_returned")
        self.assertEqual(order.updated_at, order.placed_at)

    def test_amount_as_sold_survives_returns_and_cancellation(self):
        for name in ("order_returned", "order_cancelled"):
            self.assertEqual(self._parse(name).total, Decimal("54.73"), name)
        order = self._parse("order_returned")
        self.assertEqual([line.returned_quantity for line in order.lines], [1, 0])
        self.assertEqual([line.shipped_quantity for line in order.lines], [2, 1])
        self.assertEqual([line.cancelled_quantity for line in order.lines], [0, 0])
        self.assertEqual((order.status, order.payments[0].state), ("open", "partially_refunded"))

    def test_cancelled_lines_keep_their_discount(self):
        order = self._parse("order_cancelled")
        self.assertEqual(order.status, "cancelled")
        self.assertEqual(order.parts_total, order.total)
        self.assertEqual([line.cancelled_quantity for line in order.lines], [2, 1])

    def test_units_taken_away_before_sending_are_cancelled(self):
        raw = self._read("order_placed")
        raw["lines"][0]["quantity"] = 1
        order = self._make_adapter()[0].parse_order(raw)
        self.assertEqual((order.lines[0].cancelled_quantity, order.lines[0].returned_quantity), (1, 0))

    def test_version_tells_what_updated_at_does_not(self):
        raw = self._read("order_placed")
        version = self._make_adapter()[0].parse_order(raw).version
        later = {"totalItems": 9, "items": [{"createdAt": "2030-01-01T00:00:00.000Z"}]}
        newer = self._make_adapter()[0].parse_order({**raw, "lastEntry": later}).version
        self.assertEqual(newer, "2030-01-01T00:00:00.000Z|000009")
        self.assertGreater(newer, version)

    def test_precision_is_the_servers(self):
        order = self._parse("order_placed", moneyPrecision=3)
        self.assertEqual(order.lines[0].price_unit, Decimal("2.164"))

    def test_surcharge_is_a_charge_of_its_own(self):
        surcharge = {"id": "5", "description": "Gift wrap", "price": 200, "priceWithTax": 216, "taxRate": 8}
        raw = self._read("order_placed", surcharges=[surcharge])
        raw["totalWithTax"] += 216
        order = self._make_adapter()[0].parse_order(raw)
        self.assertEqual(order.parts_total, order.total)
        self.assertEqual((order.shippings[1].external_id, order.shippings[1].name), ("surcharge-5", "Gift wrap"))

    def test_nonsense_is_named(self):
        for changes in ({"lines": []}, {"currencyCode": None}, {"orderPlacedAt": None}, {"lines": "x"}):
            with self.assertRaises(BadResponse) as caught:
                self._parse("order_placed", **changes)
            self.assertFalse(caught.exception.retryable)


class TestVendureClient(VendureCase):
    def test_login_is_done_once_and_its_token_used(self):
        shop = answer(activeChannel={"code": "default"})
        adapter, transport = self._make_adapter(shop, shop, sales_channel_id="tok")
        adapter.test_connection()
        self._make_adapter(login=False)
        adapter.test_connection()
        headers = [request.headers for request in transport.requests]
        self.assertEqual([row.get("Authorization") for row in headers], [None, "Bearer token-1", "Bearer token-1"])
        self.assertEqual({row["vendure-token"] for row in headers}, {"tok"})

    def test_ended_session_is_opened_again_once(self):
        shop = answer(activeChannel={"code": "default"})
        for ended in (failure("FORBIDDEN"), (401, {"message": "no"}, {})):
            client._TOKENS.clear()
            adapter, _transport = self._make_adapter(shop)
            adapter.test_connection()
            again = (200, answer(login={"__typename": "CurrentUser"}), {"vendure-auth-token": "token-2"})
            adapter.transport = adapter.client.transport = FakeTransport(ended, again, shop)
            self.assertEqual(adapter.test_connection()["shop"], "default")
            self.assertFalse(adapter.transport.answers)

    def test_missing_permission_is_a_final_refusal(self):
        adapter, transport = self._make_adapter(failure("FORBIDDEN"))
        with self.assertRaises(AuthError):
            adapter.test_connection()
        self.assertEqual(len(transport.requests), 2)

    def test_wrong_password_is_told(self):
        result = {"__typename": "InvalidCredentialsError", "errorCode": "INVALID_CREDENTIALS_ERROR", "message": "bad"}
        adapter, _transport = self._make_adapter(answer(login=result), login=False)
        with self.assertRaisesRegex(AuthError, "bad"):
            adapter.test_connection()

    def test_cookie_only_shop_is_explained(self):
        adapter, _transport = self._make_adapter(answer(login={"__typename": "CurrentUser"}), login=False)
        with self.assertRaisesRegex(AuthError, "bearer"):
            adapter.test_connection()

    def test_three_kinds_of_errors(self):
        result = {"errorCode": "ORDER_STATE_TRANSITION_ERROR", "message": "no", "transitionError": "not from here"}
        for given, expected in (
            ((503, {}, {"retry-after": "9"}), Unavailable),
            ((429, {}, {}), RateLimited),
            ((400, failure("GRAPHQL_VALIDATION_FAILED"), {}), Rejected),
            (failure("INTERNAL_SERVER_ERROR"), BadResponse),
            (failure("ENTITY_NOT_FOUND"), Rejected),
            (answer(order=result), Rejected),
            ({"data": None}, BadResponse),
            (HttpResponse(200, {"content-type": "text/html"}, b"<html>"), BadResponse),
            (HttpResponse(404, {"content-type": "text/html"}, b"<html>"), Rejected),
        ):
            client._TOKENS.clear()
            adapter, _transport = self._make_adapter(given)
            with self.assertRaises(expected, msg=given):
                adapter.fetch_order("1")

    def test_unknown_order(self):
        adapter, _transport = self._make_adapter(answer(order=None))
        with self.assertRaises(Rejected):
            adapter.fetch_order("99")


class TestVendurePaging(VendureCase):
    def test_new_orders_first_then_older_ones_that_changed(self):
        raw = self._read("order_placed", orderPlacedAt="2026-11-25T10:00:00.500Z")
        page = answer(orders={"items": [raw, {**raw, "id": "2"}]})
        last = answer(orders={"items": []})
        adapter, transport = self._make_adapter(page, last, last)
        since = datetime(2026, 11, 25, tzinfo=UTC)
        pages = list(adapter.iter_orders_since(since, limit=2))
        self.assertEqual([[item.external_id for item in page.items] for page in pages], [["1", "2"], [], []])
        options = [self._variables(request)["options"] for request in transport.requests[1:]]
        self.assertEqual(
            [option["filter"] for option in options],
            [
                {"orderPlacedAt": {"after": "2026-11-24T23:59:59.999Z"}, "active": {"eq": False}},
                {"orderPlacedAt": {"after": "2026-11-25T10:00:00.499Z"}, "active": {"eq": False}},
                {
                    "updatedAt": {"after": "2026-11-24T23:59:59.999Z"},
                    "orderPlacedAt": {"before": "2026-11-25T00:00:00.000Z"},
                    "active": {"eq": False},
                },
            ],
        )
        self.assertEqual([option["skip"] for option in options], [0, 2, 0])


class TestVendurePushes(VendureCase):
    def test_shipment_without_room_for_a_key_is_found_by_number_and_content(self):
        fulfillment = {"id": "7", "state": "Pending", "trackingCode": "SF1", "method": "SF"}
        fulfillment["lines"] = [{"orderLineId": "1", "quantity": 2}]
        order = self._answer_order("order_placed", fulfillments=[fulfillment])
        moved = answer(transitionFulfillmentToState={"id": "7", "state": "Shipped"})
        adapter, transport = self._make_adapter(order, moved)
        notice = ShipmentNotice("1", (("1", Decimal(2)),), "SF1", "SF", "key")
        self.assertEqual(adapter.push_shipment(notice).external_id, "7")
        self.assertEqual(self._variables(transport.requests[-1]), {"id": "7", "state": "Shipped"})

    def test_refund_names_all_keys_and_is_settled(self):
        made = answer(refundOrder={"id": "3", "state": "Pending", "total": 150})
        settled = answer(settleRefund={"id": "3", "state": "Settled"})
        adapter, transport = self._make_adapter(self._answer_order("order_placed"), made, settled)
        result = adapter.push_refund(RefundNotice("1", Decimal("1.50"), "USD", "key", note="RINV/1"))
        self.assertEqual(result.external_id, "refund-3")
        self.assertEqual(
            self._variables(transport.requests[-2])["input"],
            {
                "paymentId": "1",
                "amount": 150,
                "lines": [],
                "shipping": 0,
                "adjustment": 0,
                "reason": "RINV/1 [key]",
            },
        )

    def test_refund_known_by_its_reason_is_not_made_again(self):
        adapter, transport = self._make_adapter(self._answer_order("order_returned"))
        result = adapter.push_refund(RefundNotice("1", Decimal("19.48"), "USD", "ref-1"))
        self.assertTrue(result.is_repeat)
        self.assertEqual(len(transport.requests), 2)

    def test_refund_is_not_called_as_a_payment_is(self):
        """Both are numbered from 1 on: a refund called "1" would be taken for the payment that is known."""
        made = answer(refundOrder={"id": "1", "state": "Settled", "total": 150})
        adapter, _transport = self._make_adapter(self._answer_order("order_placed"), made)
        result = adapter.push_refund(RefundNotice("1", Decimal("1.50"), "USD", "key"))
        [payment] = self._parse("order_placed").payments
        self.assertEqual((payment.external_id, result.external_id), ("1", "refund-1"))
        adapter, _transport = self._make_adapter(self._answer_order("order_returned"), login=False)
        again = adapter.push_refund(RefundNotice("1", Decimal("19.48"), "USD", "ref-1"))
        [refund] = self._read("order_returned")["payments"][0]["refunds"]
        self.assertEqual((again.is_repeat, again.external_id), (True, f"refund-{refund['id']}"))

    def test_sent_order_is_not_cancelled(self):
        adapter, _transport = self._make_adapter(self._answer_order("order_returned"))
        with self.assertRaises(Rejected):
            adapter.push_cancel(CancelNotice("1", "c"))

    def test_stock_adds_what_the_shop_allocated_and_sends_changes_only(self):
        level = {"stockLocationId": "1", "stockOnHand": 9, "stockAllocated": 4}
        variants = [
            {"id": "1", "sku": "TEE", "trackInventory": "TRUE", "stockLevels": [level]},
            {"id": "2", "sku": "MUG", "trackInventory": "TRUE", "stockLevels": [level]},
            {"id": "3", "sku": "BOOK", "trackInventory": "FALSE", "stockLevels": []},
        ]
        adapter, transport = self._make_adapter(
            answer(productVariants={"items": variants}), answer(updateProductVariants=[{"id": "2"}])
        )
        levels = [StockLevel("TEE", Decimal(5)), StockLevel("MUG", Decimal(-2)), StockLevel("BOOK", Decimal(1))]
        errors = adapter.push_stock(levels).errors
        self.assertEqual(errors[:2], ("", ""))
        self.assertIn("does not track", errors[2])
        self.assertEqual(
            self._variables(transport.requests[-1])["input"],
            [{"id": "2", "stockLevels": [{"stockLocationId": "1", "stockOnHand": 4}]}],
        )


class TestVendureWebhook(VendureCase):
    def _post(self, data, at=NOW, secret="s"):
        body = json.dumps({"event": "OrderPlacedEvent", "data": data, "at": at.isoformat()}).encode()
        headers = {"X-Vendure-Hmac-Sha256": signature.sign(secret, body)}
        return self._make_adapter()[0].verify_and_parse_webhook(headers, body, "s", now=NOW)

    def test_order_event(self):
        event = self._post({"orderId": 7})
        self.assertEqual((event.order_external_id, event.concerns_order), ("7", True))
        self.assertFalse(self._post({"variantIds": ["1"]}).concerns_order)

    def test_wrong_old_and_odd(self):
        with self.assertRaises(AuthError):
            self._post({"orderId": 7}, secret="other")
        with self.assertRaises(AuthError):
            self._post({"orderId": 7}, at=NOW - timedelta(hours=1))
        with self.assertRaises(BadResponse):
            self._post([7])
