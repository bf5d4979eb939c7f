import base64
import copy
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
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
from odoo.addons.oms_channels.adapters.medusa.mapper import ORDER_FIELDS, join_name
from odoo.addons.oms_channels.adapters.notices import (
    CancelNotice,
    DeliveryNotice,
    RefundNotice,
    ShipmentNotice,
    StockLevel,
)
from odoo.addons.oms_channels.adapters.types import (
    ChannelAddress,
    ChannelConfig,
    ChannelDiscount,
    ChannelLine,
    ChannelPayment,
    ChannelRefundRequest,
    ChannelShipping,
    Listing,
)
from odoo.addons.oms_channels.tests.adapter_common import SHOP, AdapterCase, FakeTransport, read_data

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
RATE = Decimal("8.25")
KEY = "sk_test"


class MedusaCase(AdapterCase):
    def _make_adapter(self, *answers, **options):
        transport = FakeTransport(*answers)
        config = ChannelConfig(f"{SHOP}/", {"api_key": KEY}, {"location_id": "sloc_1", **options})
        return get_adapter_class("medusa")(config, transport), transport

    def _parse(self, name, **changes):
        return self._make_adapter()[0].parse_order({**read_data(f"medusa/{name}"), **changes})


class TestMedusaMapper(MedusaCase):
    def test_placed_order_is_mapped_whole(self):
        order = self._parse("order_placed")
        address = ChannelAddress(
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
        )
        tee = ChannelLine(
            external_id="ordli_1",
            sku="TEE",
            title="T-Shirt - Standard",
            quantity=Decimal(3),
            price_unit=Decimal("19.99"),
            total=Decimal("58.4257725"),
            discount_amount=Decimal("5.997"),
            discounts=(ChannelDiscount("coupon", Decimal("5.997"), "TEN"),),
            tax_amount=Decimal("4.4527725"),
            tax_rate=RATE,
            barcode="4006381333931",
            product_external_id="prod_1",
            variant_external_id="variant_1",
        )
        mug = ChannelLine(
            external_id="ordli_2",
            sku="MUG",
            title="Mug - Standard",
            quantity=Decimal(1),
            price_unit=Decimal("8.5"),
            total=Decimal("8.281125"),
            discount_amount=Decimal("0.85"),
            discounts=(ChannelDiscount("coupon", Decimal("0.85"), "TEN"),),
            tax_amount=Decimal("0.631125"),
            tax_rate=RATE,
            product_external_id="prod_2",
            variant_external_id="variant_2",
        )
        self.assertEqual(order.lines, (tee, mug))
        self.assertEqual(order.shipping_address, address)
        self.assertEqual(order.billing_address, address)
        self.assertEqual(
            order.shippings,
            (
                ChannelShipping(
                    "ordsm_1", "Standard", Decimal("7.5"), Decimal("8.11875"), Decimal("0.61875"), tax_rate=RATE
                ),
            ),
        )
        self.assertEqual(
            order.payments,
            (
                ChannelPayment(
                    "pay_2",
                    "pp_system_default",
                    Decimal("74.83"),
                    "USD",
                    "authorized",
                    date=datetime.fromisoformat(
                        read_data("medusa/order_placed")["payment_collections"][0]["payments"][0]["created_at"]
                    ),
                ),
            ),
        )
        self.assertEqual((order.external_id, order.reference, order.status), ("order_1", "1", "open"))
        self.assertEqual((order.currency, order.email, order.buyer_id), ("USD", "ada@example.com", "cus_1"))
        self.assertEqual((order.total, order.parts_total), (Decimal("74.83"), Decimal("74.83")))
        self.assertEqual((order.tax_total, order.discount_total), (Decimal("5.7026475"), Decimal("6.847")))
        self.assertFalse(order.is_paid)

    def test_line_amounts_obey_their_promise(self):
        for name in ("order_placed", "order_shipped", "order_returned", "order_cancelled"):
            order = self._parse(name)
            for line in order.lines:
                sold = line.price_unit * line.quantity - line.discount_amount
                self.assertEqual(sold, line.total if line.is_tax_included else line.total - line.tax_amount, name)

    def test_lines_are_as_they_were_sold_in_whatever_order_they_are_read(self):
        items = read_data("medusa/order_placed")["items"]
        read = [self._parse("order_placed", items=rows).lines for rows in (items, items[::-1])]
        self.assertEqual(read[0], read[1])
        self.assertEqual([line.external_id for line in read[0]], sorted(item["id"] for item in items))

    def test_total_as_sold_does_not_shrink_with_returns(self):
        before, after = self._parse("order_placed"), self._parse("order_returned")
        self.assertLess(read_data("medusa/order_returned")["total"], read_data("medusa/order_placed")["total"])
        self.assertEqual((after.total, after.parts_total), (before.total, before.total))
        self.assertEqual([line.total for line in after.lines], [line.total for line in before.lines])
        self.assertEqual([line.returned_quantity for line in after.lines], [2, 0])
        self.assertEqual(
            (after.payments[0].state, after.payments[0].refunded_amount), ("partially_refunded", Decimal("38.96"))
        )
        self.assertTrue(after.is_paid)

    def test_only_returns_the_shop_began_are_requests(self):
        requests = self._parse("order_returned").refund_requests
        self.assertEqual(len(read_data("medusa/order_returned")["returns"]), 3)
        self.assertEqual(
            [(row.kind, row.state, row.lines) for row in requests],
            [("return", "requested", (("ordli_2", Decimal(1)),))],
        )
        self.assertIsInstance(requests[0], ChannelRefundRequest)

    def test_cancelled_order_keeps_the_amount_it_was_sold_for(self):
        order = self._parse("order_cancelled")
        self.assertEqual(
            (order.status, order.total, order.parts_total), ("cancelled", Decimal("29.76"), Decimal("29.76"))
        )
        self.assertEqual(order.payments[0].state, "refunded")

    def test_total_that_is_not_the_sum_of_the_parts_is_visible(self):
        order = self._parse("order_placed", total=80, raw_total=None)
        self.assertNotEqual(order.total, order.parts_total)

    def test_tax_included_prices_are_not_taxed_again(self):
        raw = read_data("medusa/order_placed")
        item = raw["items"][1]
        item.update(is_tax_inclusive=True, unit_price=10.825, raw_unit_price=None, quantity=2, raw_quantity=None)
        item.update(adjustments=[], total=10.825, tax_total=0.825, raw_total=None, raw_tax_total=None)
        item["detail"].update(return_received_quantity=1)  # one of two came back: total is that of one
        line = self._make_adapter()[0].parse_order(raw).lines[1]
        self.assertEqual((line.total, line.tax_amount, line.discount_amount), (Decimal("21.65"), Decimal("1.65"), 0))

    def test_version_grows_with_every_thing_that_happens(self):
        names = ("order_placed", "order_shipped", "order_returned")
        versions = [self._parse(name).version for name in names]
        self.assertEqual(versions, sorted(set(versions)))
        raw = read_data("medusa/order_returned")
        payment = raw["payment_collections"][0]["payments"][0]
        refund = {**copy.deepcopy(payment["refunds"][0]), "created_at": "2026-11-24T00:00:00.000Z"}
        payment["refunds"].append(refund)  # updated_at stays
        self.assertGreater(self._make_adapter()[0].parse_order(raw).version, versions[-1])

    def test_shipping_of_a_return_is_not_sold(self):
        raw = read_data("medusa/order_placed")
        method = copy.deepcopy(raw["shipping_methods"][0])
        method["detail"] = {"return_id": "return_1"}
        raw["shipping_methods"].append(method)
        self.assertEqual(len(self._make_adapter()[0].parse_order(raw).shippings), 1)

    def test_chinese_names_put_the_family_first(self):
        self.assertEqual(join_name("小雨", "林"), "林小雨")
        self.assertEqual(join_name("Ada", "Lovelace"), "Ada Lovelace")
        self.assertEqual(join_name("", "Lovelace"), "Lovelace")

    def test_malformed_payloads_say_what_is_wrong_and_are_final(self):
        for changes, word in (
            ({"id": None}, "id"),
            ({"currency_code": None}, "currency_code"),
            ({"items": []}, "no lines"),
            ({"items": "x"}, "items"),
            ({"items": [None]}, "items"),
            ({"created_at": "yesterday"}, "created_at"),
            ({"total": "much", "raw_total": None}, "total"),
            ({"total": None, "raw_total": None}, "total"),
            ({"payment_collections": {"a": 1}}, "payment_collections"),
        ):
            with self.subTest(changes=changes), self.assertRaises(BadResponse) as caught:
                self._parse("order_placed", **changes)
            self.assertFalse(caught.exception.retryable)
            self.assertIn(word, caught.exception.message)

    def test_listing_is_mapped_whole(self):
        adapter, transport = self._make_adapter(read_data("medusa/variants"), currency="USD")
        page = adapter.fetch_listings(limit=100)
        self.assertEqual(
            page.items[0],
            Listing(
                external_id="variant_1",
                sku="TEE",
                title="T-Shirt - Standard",
                barcode="4006381333931",
                price=Decimal("19.99"),
                currency="USD",
                product_external_id="prod_1",
                inventory_external_id="iitem_1",
            ),
        )
        self.assertIsNone(page.next_cursor)
        self.assertEqual(dict(transport.requests[0].params)["limit"], "100")


class TestMedusaCalls(MedusaCase):
    def _order(self, **changes):
        return {"order": {**read_data("medusa/order_placed"), **changes}}

    def test_key_travels_as_basic_user_and_shows_nowhere(self):
        adapter, transport = self._make_adapter(self._order())
        adapter.fetch_order("order_1")
        request = transport.requests[0]
        expected = "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        self.assertEqual(request.headers["Authorization"], expected)
        self.assertEqual((request.method, request.url), ("GET", f"{SHOP}/admin/orders/order_1"))
        self.assertEqual(request.params, (("fields", ORDER_FIELDS),))
        for thing in (adapter, adapter.config, request):
            self.assertNotIn(KEY, repr(thing))
            self.assertNotIn(expected, repr(thing))

    def test_foreign_id_cannot_leave_its_path(self):
        adapter, transport = self._make_adapter((404, {"message": "no"}))
        with self.assertRaises(Rejected):
            adapter.fetch_order("../api-keys?x=1")
        self.assertEqual(transport.requests[0].url, f"{SHOP}/admin/orders/..%2Fapi-keys%3Fx%3D1")

    def test_first_page_asks_from_a_time_and_the_next_from_the_last_order(self):
        first, second = read_data("medusa/order_placed"), read_data("medusa/order_placed")
        first["updated_at"], second["updated_at"] = "2026-11-23T07:00:00.000Z", "2026-11-23T07:00:01.000Z"
        adapter, transport = self._make_adapter({"orders": [first, second]}, {"orders": [second]})
        since = datetime(2026, 11, 23, 6, 0, 0, 123456, UTC)
        pages = list(adapter.iter_orders_since(since, until=NOW, limit=2))
        self.assertEqual([len(page.items) for page in pages], [2, 1])
        self.assertEqual(pages[0].next_cursor, "2026-11-23T07:00:01.000Z|1")
        self.assertEqual(
            [dict(request.params) for request in transport.requests],
            [
                {
                    "updated_at[$gte]": start,
                    "updated_at[$lt]": "2026-11-23T08:00:00.000Z",
                    "order": "updated_at",
                    "limit": "2",
                    "offset": offset,
                    "fields": ORDER_FIELDS,
                }
                for start, offset in (("2026-11-23T06:00:00.123Z", "0"), ("2026-11-23T07:00:01.000Z", "1"))
            ],
        )

    def test_paging_moves_on_within_one_instant(self):
        orders = [read_data("medusa/order_placed") for _index in range(2)]
        stamp = orders[0]["updated_at"]
        adapter, _transport = self._make_adapter({"orders": orders}, {"orders": orders})
        first = adapter.fetch_orders_page(NOW, limit=2)
        second = adapter.fetch_orders_page(NOW, cursor=first.next_cursor, limit=2)
        self.assertEqual([first.next_cursor, second.next_cursor], [f"{stamp}|2", f"{stamp}|4"])

    def test_answers_of_a_sick_shop(self):
        for answer, error, retryable, retry_after in (
            ((401, {"message": "no"}), AuthError, False, None),
            ((404, {"message": "gone"}), Rejected, False, None),
            ((409, {"message": "locked"}), Rejected, True, None),
            ((429, {}, {"retry-after": "7"}), RateLimited, True, 7.0),
            ((500, {}), Unavailable, True, None),
            ((503, {}, {"retry-after": "90000"}), Unavailable, True, 3600.0),
            ((302, {}), Rejected, False, None),
            ((200, ["a list"]), BadResponse, True, None),
            ((200, {"order": {"id": "order_2"}}), BadResponse, True, None),
            ((200, {}, {"content-type": "text/html"}), BadResponse, True, None),
        ):
            adapter, _transport = self._make_adapter(answer)
            with self.subTest(answer=answer), self.assertRaises(error) as caught:
                adapter.fetch_order("order_1")
            self.assertEqual((caught.exception.retryable, caught.exception.retry_after), (retryable, retry_after))
            self.assertNotIn(KEY, str(caught.exception))

    def test_shipment_is_a_fulfilment_and_its_labels(self):
        made = {"id": "ful_9", "metadata": {"oms_key": "ship-1"}, "labels": [], "items": []}
        adapter, transport = self._make_adapter(self._order(), self._order(fulfillments=[made]), {"order": {}})
        notice = ShipmentNotice("order_1", (("ordli_1", Decimal(2)),), "SF1", "SF Express", "ship-1", "javascript:x")
        result = adapter.push_shipment(notice)
        self.assertEqual((result.external_id, result.is_repeat), ("ful_9", False))
        items = [{"id": "ordli_1", "quantity": 2}]
        self.assertEqual(
            transport.calls[1:],
            [
                (
                    "POST",
                    "/admin/orders/order_1/fulfillments",
                    {"location_id": "sloc_1", "items": items, "metadata": {"oms_key": "ship-1"}},
                ),
                (
                    "POST",
                    "/admin/orders/order_1/fulfillments/ful_9/shipments",
                    {
                        "items": items,
                        "labels": [{"tracking_number": "SF1", "tracking_url": "", "label_url": ""}],
                        "metadata": {"carrier": "SF Express"},
                    },
                ),
            ],
        )

    def test_shipment_that_is_there_is_not_made_again(self):
        recorded = {"order": read_data("medusa/order_shipped")}
        fulfillment = recorded["order"]["fulfillments"][0]
        lines = tuple((row["line_item_id"], Decimal(row["quantity"])) for row in fulfillment["items"])
        for notice in (
            ShipmentNotice("order_1", lines, "another number", "SF", "ship-1"),  # by our key
            ShipmentNotice("order_1", lines, "SF1001", "SF", "another key"),  # by number and content
        ):
            adapter, transport = self._make_adapter(recorded)
            result = adapter.push_shipment(notice)
            self.assertEqual((result.external_id, result.is_repeat), (fulfillment["id"], True))
            self.assertEqual(len(transport.requests), 1)
        adapter, transport = self._make_adapter(recorded)
        self.assertTrue(adapter.push_delivered(DeliveryNotice("order_1", "d", tracking_number="SF1001")).is_repeat)

    def test_fulfilment_begun_by_the_shops_staff_is_used(self):
        begun = {"id": "ful_5", "metadata": None, "labels": [], "items": [{"line_item_id": "ordli_1", "quantity": 2}]}
        adapter, transport = self._make_adapter(self._order(fulfillments=[begun]), {"order": {}})
        adapter.push_shipment(ShipmentNotice("order_1", (("ordli_1", Decimal(2)),), "SF1", "SF", "ship-1"))
        self.assertEqual(
            [call[1] for call in transport.calls[1:]], ["/admin/orders/order_1/fulfillments/ful_5/shipments"]
        )

    def test_refund_carries_our_key_and_is_found_by_it(self):
        paid = {"order": read_data("medusa/order_shipped")}
        refund = {"id": "ref_1", "note": "sorry [refund-1]", "amount": 5}
        adapter, transport = self._make_adapter(paid, {"payment": {"refunds": [refund]}})
        notice = RefundNotice("order_1", Decimal("5.00"), "USD", "refund-1", note="sorry")
        self.assertEqual(adapter.push_refund(notice).external_id, "ref_1")
        self.assertEqual(
            transport.calls[1], ("POST", "/admin/payments/pay_2/refund", {"amount": 5, "note": "sorry [refund-1]"})
        )
        again = copy.deepcopy(paid)
        again["order"]["payment_collections"][0]["payments"][0]["refunds"] = [refund]
        adapter, transport = self._make_adapter(again)
        self.assertTrue(adapter.push_refund(notice).is_repeat)
        self.assertEqual(len(transport.requests), 1)

    def test_last_refund_takes_the_fraction_of_a_cent_with_it(self):
        paid = {"order": read_data("medusa/order_shipped")}
        adapter, transport = self._make_adapter(paid, {"payment": {"refunds": []}})
        adapter.push_refund(RefundNotice("order_1", Decimal("74.83"), "USD", "all"))
        self.assertEqual(transport.calls[1][2]["amount"], 74.8256475)
        adapter, transport = self._make_adapter(paid)
        with self.assertRaises(Rejected):
            adapter.push_refund(RefundNotice("order_1", Decimal("74.84"), "USD", "more"))

    def test_cancelling_a_cancelled_order_is_a_repeat(self):
        adapter, transport = self._make_adapter({"order": read_data("medusa/order_cancelled")})
        order_id = read_data("medusa/order_cancelled")["id"]
        transport.answers[0]["order"]["id"] = "order_1"
        result = adapter.push_cancel(CancelNotice("order_1", "c"))
        self.assertTrue(result.is_repeat)
        self.assertEqual(list(result.data["refunded"].values()), ["29.76"])
        self.assertTrue(order_id)

    def test_stock_adds_what_the_shop_has_reserved(self):
        items = read_data("medusa/inventory_items")
        level = items["inventory_items"][0]["location_levels"][0]
        level.update(stocked_quantity=10, reserved_quantity=3, location_id="sloc_1")
        level.pop("raw_stocked_quantity", None), level.pop("raw_reserved_quantity", None)
        name, item = items["inventory_items"][0]["sku"], items["inventory_items"][0]["id"]
        adapter, transport = self._make_adapter(items, {})
        self.assertEqual(adapter.push_stock([StockLevel(name, Decimal(5))]).errors, ("",))
        change = {"inventory_item_id": item, "location_id": "sloc_1", "stocked_quantity": 8}
        self.assertEqual(
            transport.calls[1], ("POST", "/admin/inventory-items/location-levels/batch", {"update": [change]})
        )

    def test_stock_batch_that_is_refused_is_sent_one_by_one(self):
        items = read_data("medusa/inventory_items")
        levels = [StockLevel(row["sku"], Decimal(77)) for row in items["inventory_items"]]
        adapter, _transport = self._make_adapter(items, (400, {"message": "x"}), {}, (400, {"message": "bad level"}))
        errors = adapter.push_stock(levels).errors
        self.assertEqual(errors[0], "")
        self.assertIn("bad level", errors[1])

    def test_unknown_provider_and_missing_key_say_so(self):
        with self.assertRaises(NotSupported):
            get_adapter_class("nowhere")
        adapter = get_adapter_class("medusa")(ChannelConfig(SHOP), FakeTransport())
        with self.assertRaises(AuthError):
            adapter.fetch_order("order_1")


class TestMedusaWebhook(MedusaCase):
    def _sign(self, body, secret="s1"):
        mac = hmac.new(secret.encode(), body, hashlib.sha256).digest()
        return {"X-Medusa-Hmac-Sha256": base64.b64encode(mac).decode()}

    def _body(self, event="order.placed", at="2026-11-23T08:00:00.000Z", **data):
        return json.dumps({"event": event, "data": data or {"id": "order_1"}, "at": at}).encode()

    def test_signed_event_names_its_order(self):
        adapter, _transport = self._make_adapter()
        body = self._body()
        event = adapter.verify_and_parse_webhook(self._sign(body), body, "s1", now=NOW)
        self.assertEqual((event.topic, event.order_external_id, event.occurred_at), ("order.placed", "order_1", NOW))
        again = adapter.verify_and_parse_webhook(self._sign(body), body, "s1", now=NOW + timedelta(seconds=30))
        self.assertEqual(event.event_id, again.event_id)
        body = self._body("order.return_received", order_id="order_7", return_id="return_1")
        event = adapter.verify_and_parse_webhook(self._sign(body), body, "s1", now=NOW)
        self.assertEqual(event.order_external_id, "order_7")

    def test_payment_event_leads_to_its_order(self):
        adapter, transport = self._make_adapter({"payment": {"payment_collection": {"order": {"id": "order_3"}}}})
        body = self._body("payment.captured", id="pay_1")
        event = adapter.verify_and_parse_webhook(self._sign(body), body, "s1", now=NOW)
        self.assertEqual((event.order_external_id, event.resource_type, event.concerns_order), ("", "payment", True))
        self.assertEqual(adapter.resolve_event(event), "order_3")
        self.assertEqual(transport.requests[0].url, f"{SHOP}/admin/payments/pay_1")

    def test_old_and_new_secret_both_count_while_it_is_changed(self):
        adapter, _transport = self._make_adapter()
        body = self._body()
        for secret in ("s1", "s2"):
            adapter.verify_and_parse_webhook(self._sign(body, secret), body, ["s2", "s1"], now=NOW)

    def test_what_is_not_proven_is_refused(self):
        adapter, _transport = self._make_adapter()
        body = self._body()
        old = self._body(at="2026-11-23T07:54:59.000Z")
        early = self._body(at="2026-11-23T08:05:01.000Z")
        for headers, raw, secret in (
            (self._sign(body), body, ""),
            (self._sign(body), body, []),
            (self._sign(body, ""), body, [""]),
            ({}, body, "s1"),
            (self._sign(body), body + b" ", "s1"),
            (self._sign(body, "s3"), body, "s1"),
            ({"X-Medusa-Hmac-Sha256": "é"}, body, "s1"),
            (self._sign(old), old, "s1"),
            (self._sign(early), early, "s1"),
        ):
            with self.subTest(headers=headers), self.assertRaises(AuthError):
                adapter.verify_and_parse_webhook(headers, raw, secret, now=NOW)

    def test_signed_nonsense_is_final(self):
        adapter, _transport = self._make_adapter()
        for body in (b"", b"[]", b"{}", b'{"event": "x", "data": [], "at": "2026-11-23T08:00:00Z"}', b'"x"'):
            with self.subTest(body=body), self.assertRaises(BadResponse) as caught:
                adapter.verify_and_parse_webhook(self._sign(body), body, "s1", now=NOW)
            self.assertFalse(caught.exception.retryable)
