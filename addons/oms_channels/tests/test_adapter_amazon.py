from datetime import UTC, datetime
from decimal import Decimal

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.amazon import client, mapper
from odoo.addons.oms_channels.adapters.errors import (
    AdapterError,
    AuthError,
    BadResponse,
    NotSupported,
    RateLimited,
    Rejected,
    Unavailable,
)
from odoo.addons.oms_channels.adapters.types import (
    ChannelAddress,
    ChannelConfig,
    ChannelDiscount,
    ChannelLine,
    ChannelPayment,
    ChannelShipping,
)
from odoo.addons.oms_channels.tests.adapter_common import SHOP, AdapterCase, FakeTransport, read_data

LOGIN = {"access_token": "Atza|1", "expires_in": 3600}


class AmazonCase(AdapterCase):
    def setUp(self):
        super().setUp()
        client._TOKENS.clear()
        self.addCleanup(client._TOKENS.clear)

    def _make_adapter(self, *answers, **options):
        transport = FakeTransport(*answers)
        keys = {"api_key": "id", "api_secret": "secret", "refresh_token": "Atzr|1"}
        return get_adapter_class("amazon")(ChannelConfig(f"{SHOP}/", keys, options), transport), transport


class TestAmazonMapper(AmazonCase):
    def test_order_is_read_to_the_cent_in_both_versions(self):
        """Two shirts and a mug, a dollar off each, tax on top."""
        for name in ("order", "order_v0"):
            order = mapper.map_order(read_data(f"amazon/{name}"))
            self.assertEqual((order.total, order.parts_total), (Decimal("58.44"), Decimal("58.44")))
            self.assertEqual((order.tax_total, order.discount_total), (Decimal("4.46"), Decimal("2.00")))
            shirt, mug = order.lines
            self.assertEqual(
                shirt,
                ChannelLine(
                    external_id="10000000000100",
                    sku="TEE-S",
                    title="T-Shirt / S",
                    quantity=Decimal(2),
                    price_unit=Decimal("19.99"),
                    total=Decimal("42.20"),
                    discount_amount=Decimal("1.00"),
                    discounts=(ChannelDiscount("seller", Decimal("1.00")),),
                    tax_amount=Decimal("3.22"),
                    product_external_id="B000000000",
                    variant_external_id="TEE-S",
                ),
            )
            self.assertEqual((mug.total, mug.tax_amount, mug.tax_rate), (Decimal("8.12"), Decimal("0.62"), None))
            self.assertEqual(
                order.shippings,
                (
                    ChannelShipping(
                        external_id="shipping",
                        name="Shipping",
                        amount=Decimal("7.50"),
                        total=Decimal("8.12"),
                        tax_amount=Decimal("0.62"),
                    ),
                ),
            )
            self.assertEqual(
                order.payments,
                (
                    ChannelPayment(
                        external_id="111-0000001-0000001",
                        provider="amazon",
                        amount=Decimal("58.44"),
                        currency="USD",
                        state="captured",
                        captured_amount=Decimal("58.44"),
                        date=order.placed_at,
                    ),
                ),
            )

    def test_buyer_and_promise(self):
        for name in ("order", "order_v0"):
            order = mapper.map_order(read_data(f"amazon/{name}"))
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
                    email="abc123@marketplace.amazon.com",
                ),
            )
            self.assertEqual((order.status, order.is_paid, order.is_masked), ("open", True, False))
            self.assertEqual(order.ship_by, datetime(2026, 11, 25, 9, 0, 3, tzinfo=UTC))

    def test_address_that_is_hidden_is_masked(self):
        raw = read_data("amazon/order_v0")
        raw["ShippingAddress"] = {"City": "New York", "CountryCode": "US", "StateOrRegion": "NY"}
        order = mapper.map_order(raw)
        self.assertTrue(order.is_masked)
        self.assertEqual(order.shipping_address.city, "New York")

    def test_goods_paid_on_delivery_are_not_paid_yet(self):
        order = mapper.map_order({**read_data("amazon/order_v0"), "PaymentMethod": "COD"})
        self.assertEqual(
            (order.is_paid, order.payments[0].state, order.payments[0].captured_amount), (False, "pending", 0)
        )

    def test_presale_waits(self):
        raw = {**read_data("amazon/order_v0"), "OrderType": "Preorder", "EarliestShipDate": "2027-02-01T08:00:00Z"}
        order = mapper.map_order(raw)
        self.assertEqual((order.is_presale, str(order.ship_from)), (True, "2027-02-01"))

    def test_discount_on_shipping_and_its_tax(self):
        raw = read_data("amazon/order_v0")
        zero, free = ({"CurrencyCode": "USD", "Amount": amount} for amount in ("0.62", "7.50"))
        raw["OrderItems"][0].update(ShippingDiscount=free, ShippingDiscountTax=zero, PromotionIds=["FREESHIP"])
        raw["OrderTotal"]["Amount"] = "50.32"
        order = mapper.map_order(raw)
        self.assertEqual((order.parts_total, order.total), (Decimal("50.32"), Decimal("50.32")))
        self.assertEqual((order.shippings[0].total, order.coupon_codes), (0, ("FREESHIP",)))

    def test_total_that_fits_nothing_is_left_to_the_review(self):
        raw = read_data("amazon/order")
        raw["proceeds"]["grandTotal"]["amount"] = "50.00"
        order = mapper.map_order(raw)
        self.assertEqual((order.total, order.parts_total), (Decimal("50.00"), Decimal("58.44")))

    def test_version_grows(self):
        before, raw = read_data("amazon/order"), read_data("amazon/order")
        raw["fulfillment"]["fulfillmentStatus"] = "PARTIALLY_SHIPPED"
        self.assertGreater(mapper.get_version(raw), mapper.get_version(before))

    def test_broken_payloads_name_what_is_wrong(self):
        for name, changes in (
            ("order", {"orderId": ""}),
            ("order", {"orderItems": "x"}),
            ("order", {"orderItems": []}),
            ("order", {"lastUpdatedTime": "soon"}),
            ("order_v0", {"OrderTotal": {"Amount": "x", "CurrencyCode": "USD"}}),
            ("order_v0", {"PurchaseDate": None}),
        ):
            with self.assertRaises(BadResponse) as caught:
                mapper.map_order({**read_data(f"amazon/{name}"), **changes})
            self.assertFalse(caught.exception.retryable)


class TestAmazonClient(AmazonCase):
    def test_answers_become_the_errors_they_mean(self):
        error = {"errors": [{"code": "X", "message": "why", "details": ""}]}
        for given, kind, retryable in (
            ((400, error), Rejected, False),
            ((403, error), AuthError, False),
            ((404, error), Rejected, False),
            ((429, error), RateLimited, True),
            ((503, error), Unavailable, True),
            ({"order": {"orderId": "2"}}, BadResponse, True),
        ):
            with self.assertRaises(AdapterError) as caught:
                self._make_adapter(LOGIN, given)[0].fetch_order("1")
            self.assertIs(type(caught.exception), kind, given)
            self.assertEqual(caught.exception.retryable, retryable)
            client._TOKENS.clear()

    def test_keys_go_to_the_login_alone(self):
        adapter, transport = self._make_adapter(LOGIN, {"order": read_data("amazon/order")})
        adapter.fetch_order("111-0000001-0000001")
        login, call = transport.requests
        self.assertIn(b"refresh_token=Atzr%7C1", login.body)
        self.assertEqual(call.headers["x-amz-access-token"], "Atza|1")
        self.assertFalse(call.body)

    def test_missing_keys_are_said_without_a_call(self):
        adapter = get_adapter_class("amazon")(ChannelConfig(SHOP, {"api_key": "id"}), FakeTransport())
        with self.assertRaisesRegex(AuthError, "refresh token"):
            adapter.test_connection()

    def test_order_id_cannot_leave_its_path(self):
        adapter, transport = self._make_adapter(LOGIN, (404, {"errors": []}))
        with self.assertRaises(Rejected):
            adapter.fetch_order("../x?y")
        self.assertTrue(transport.requests[1].url.endswith("/orders/..%2Fx%3Fy"))

    def test_what_amazon_has_no_call_for_is_refused(self):
        adapter, _transport = self._make_adapter()
        for method in (adapter.push_cancel, adapter.push_refund, adapter.push_delivered):
            with self.assertRaises(NotSupported):
                method(None)
        with self.assertRaisesRegex(Rejected, "seller ID"):
            adapter.push_stock(())
