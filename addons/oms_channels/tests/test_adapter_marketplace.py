import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.errors import AuthError, BadResponse, RateLimited, Rejected, Unavailable
from odoo.addons.oms_channels.adapters.marketplace.adapter import get_company
from odoo.addons.oms_channels.adapters.marketplace.signature import sign_call, sign_webhook
from odoo.addons.oms_channels.adapters.notices import (
    DeliveryNotice,
    RefundNotice,
    ReturnNotice,
    ShipmentNotice,
    StockLevel,
)
from odoo.addons.oms_channels.adapters.types import (
    ChannelAddress,
    ChannelConfig,
    ChannelDiscount,
    ChannelLine,
    ChannelOrder,
    ChannelPayment,
    ChannelRefundRequest,
    ChannelShipping,
)
from odoo.addons.oms_channels.tests.adapter_common import SHOP, AdapterCase, FakeTransport, read_data

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)  # 15:30 in China
ORDER = "TM20261123000007"


def _ok(**data):
    return {"code": 0, "msg": "ok", "request_id": "r", "data": data}


class MarketplaceCase(AdapterCase):
    def _make_adapter(self, *answers):
        transport = FakeTransport(*answers)
        config = ChannelConfig(SHOP, {"api_key": "k", "api_secret": "s"})
        return get_adapter_class("marketplace")(config, transport, clock=lambda: NOW), transport

    def _content(self, transport, index=-1):
        params = dict(parse_qsl(transport.requests[index].body.decode()))
        return params["method"], json.loads(params["biz_content"])


class TestMarketplaceMapper(MarketplaceCase):
    def test_order_is_mapped_whole(self):
        raw = read_data("marketplace/order")
        order = self._make_adapter()[0].parse_order(raw)
        expected = ChannelOrder(
            external_id=ORDER,
            reference=ORDER,
            version="0000000005",
            status="open",
            placed_at=datetime(2026, 11, 23, 7, 0, tzinfo=UTC),
            updated_at=datetime(2026, 11, 23, 7, 20, tzinfo=UTC),
            currency="CNY",
            buyer_id="tmall-u000042",
            buyer_name="林小雨",
            shipping_address=ChannelAddress(
                name="林小雨",
                street="文三路90号阳光花园3栋1单元502室",
                district="西湖区",
                city="杭州市",
                province="浙江省",
                zip="310013",
                country_code="CN",
                phone="13800000042",
            ),
            lines=(
                ChannelLine(
                    external_id=f"{ORDER}-1",
                    sku="MOUSE-W1",
                    title="无线鼠标",
                    quantity=Decimal(3),
                    price_unit=Decimal("79.00"),
                    total=Decimal("228.63"),
                    discount_amount=Decimal("8.37"),
                    discounts=(ChannelDiscount("seller", Decimal("8.37")),),
                    is_tax_included=True,
                    barcode="6912340000371",
                    variant_external_id="MOUSE-W1",
                    cancelled_quantity=Decimal(1),
                    shipped_quantity=Decimal(1),
                ),
                ChannelLine(
                    external_id=f"{ORDER}-2",
                    sku="CABL-C2M",
                    title="USB-C 数据线 2 米",
                    quantity=Decimal(1),
                    price_unit=Decimal("29.00"),
                    total=Decimal("27.37"),
                    discount_amount=Decimal("1.63"),
                    discounts=(ChannelDiscount("seller", Decimal("1.63")),),
                    is_tax_included=True,
                    variant_external_id="CABL-C2M",
                ),
            ),
            shippings=(
                ChannelShipping(f"{ORDER}-post", "快递", Decimal("8.00"), Decimal("8.00"), is_tax_included=True),
            ),
            payments=(
                ChannelPayment(
                    f"P{ORDER}",
                    "alipay",
                    Decimal("264.00"),
                    "CNY",
                    "partially_refunded",
                    Decimal("264.00"),
                    Decimal("76.21"),
                    datetime(2026, 11, 23, 7, 0, 9, tzinfo=UTC),
                ),
            ),
            refund_requests=(
                ChannelRefundRequest(
                    f"R{ORDER}-1",
                    "refund",
                    "refunded",
                    Decimal("76.21"),
                    "多拍了一件",
                    ((f"{ORDER}-1", Decimal(1)),),
                    datetime(2026, 11, 23, 7, 5, tzinfo=UTC),
                ),
                ChannelRefundRequest(
                    f"R{ORDER}-2",
                    "return",
                    "requested",
                    Decimal("27.37"),
                    "商品破损",
                    ((f"{ORDER}-2", Decimal(1)),),
                    datetime(2026, 11, 23, 7, 20, tzinfo=UTC),
                ),
            ),
            discount_total=Decimal("10.00"),
            total=Decimal("264.00"),
            is_paid=True,
            note="请尽快发货",
        )
        self.assertEqual(order, expected)
        self.assertEqual(order.parts_total, order.total)
        self.assertEqual([line.open_quantity for line in order.lines], [2, 1])

    def test_versions_sort_as_text(self):
        raw = read_data("marketplace/order")
        adapter = self._make_adapter()[0]
        versions = [adapter.parse_order({**raw, "row_version": number}).version for number in (9, 10, 1000)]
        self.assertEqual(versions, sorted(versions))

    def test_malformed_payloads_say_what_is_wrong_and_are_final(self):
        for changes, word in (
            ({"order_id": ""}, "order_id"),
            ({"status": "NEW_STATUS"}, "NEW_STATUS"),
            ({"items": []}, "no lines"),
            ({"payment": "lots"}, "payment"),
            ({"row_version": None}, "row_version"),
            ({"modified": "23/11/2026"}, "modified"),
        ):
            with self.subTest(changes=changes), self.assertRaises(BadResponse) as caught:
                self._make_adapter()[0].parse_order({**read_data("marketplace/order"), **changes})
            self.assertFalse(caught.exception.retryable)
            self.assertIn(word, caught.exception.message)


class TestMarketplaceCalls(MarketplaceCase):
    def test_call_is_a_signed_form(self):
        adapter, transport = self._make_adapter(_ok(order=read_data("marketplace/order")))
        adapter.fetch_order(ORDER)
        request = transport.requests[0]
        params = dict(parse_qsl(request.body.decode()))
        self.assertEqual((request.method, request.url), ("POST", f"{SHOP}/router"))
        self.assertEqual(
            {key: value for key, value in params.items() if key != "sign"},
            {
                "method": "order.get",
                "app_key": "k",
                "timestamp": "2026-11-23 15:30:00",
                "v": "1.0",
                "sign_method": "hmac-sha256",
                "biz_content": f'{{"order_id":"{ORDER}"}}',
            },
        )
        self.assertEqual(params["sign"], sign_call("s", params))
        self.assertNotIn("sign", repr(request))

    def test_signatures_are_those_of_the_platforms_manual(self):
        params = {"b": "2", "a": "1", "sign": "x"}
        self.assertEqual(sign_call("s", params, "md5"), "5EE29085AF57D942F21F1C5BA3C2A90A")
        expected = "AFD1ED70462CA57C91A26BEE586FE975C88C02AD0F1A52735712C4E8E897CED2"
        self.assertEqual(sign_call("s", params), expected)

    def test_answers_of_a_sick_platform(self):
        for answer, error, retryable in (
            ({"code": 1001, "msg": "签名错误"}, AuthError, False),
            ({"code": 2001, "msg": "订单不存在"}, Rejected, False),
            ({"code": 1010, "msg": "慢一点"}, RateLimited, True),
            ({"code": 5000, "msg": "系统繁忙"}, Unavailable, True),
            ({"msg": "?"}, BadResponse, True),
            ({"code": 0, "data": None}, BadResponse, True),
            ((429, {}, {"retry-after": "3"}), RateLimited, True),
            ((503, {}), Unavailable, True),
            ((200, {}, {"content-type": "text/html"}), BadResponse, True),
        ):
            adapter, _transport = self._make_adapter(answer)
            with self.subTest(answer=answer), self.assertRaises(error) as caught:
                adapter.fetch_order(ORDER)
            self.assertEqual(caught.exception.retryable, retryable)

    def _page(self, stamps, has_next=False, server_time="2026-11-23 15:30:00"):
        raw = read_data("marketplace/order")
        orders = [{**raw, "order_id": f"O{index}", "modified": stamp} for index, stamp in enumerate(stamps)]
        return _ok(orders=orders, has_next=has_next, server_time=server_time)

    def test_paging_starts_again_at_the_last_second_seen(self):
        adapter, transport = self._make_adapter(
            self._page(["2026-11-23 14:00:00", "2026-11-23 14:00:05"], has_next=True),
            self._page(["2026-11-23 14:00:05", "2026-11-23 14:00:05"], has_next=True),
            self._page(["2026-11-23 14:00:05"]),
        )
        pages = list(adapter.iter_orders_since(NOW - timedelta(hours=2), limit=2))
        self.assertEqual([page.next_cursor for page in pages], ["2026-11-23 14:00:05|1", "2026-11-23 14:00:05|2", None])
        starts = [self._content(transport, index)[1] for index in range(3)]
        self.assertEqual(
            [(content["start_modified"], content["page_no"]) for content in starts],
            [("2026-11-23 13:30:00", 1), ("2026-11-23 14:00:05", 1), ("2026-11-23 14:00:05", 2)],
        )

    def test_long_absence_is_read_in_windows_of_a_day(self):
        adapter, transport = self._make_adapter(self._page([]), self._page([]), self._page([]))
        pages = list(adapter.iter_orders_since(NOW - timedelta(hours=50)))
        self.assertEqual(len(pages), 3)
        windows = [self._content(transport, index)[1] for index in range(3)]
        self.assertEqual([one["end_modified"] for one in windows[:2]], [one["start_modified"] for one in windows[1:]])

    def test_an_end_is_respected(self):
        adapter, transport = self._make_adapter(self._page([]))
        pages = list(adapter.iter_orders_since(NOW - timedelta(hours=2), until=NOW - timedelta(hours=1)))
        self.assertEqual(len(pages), 1)
        self.assertEqual(self._content(transport)[1]["end_modified"], "2026-11-23 14:30:00")

    def test_shipment_is_sent_once(self):
        order = _ok(order=read_data("marketplace/order"))
        adapter, transport = self._make_adapter(order, _ok(logistics={"logistics_id": "L2"}))
        notice = ShipmentNotice(ORDER, ((f"{ORDER}-2", Decimal(1)),), "ZT5", "中通快递", "ship-2")
        self.assertEqual(adapter.push_shipment(notice).external_id, "L2")
        self.assertEqual(
            self._content(transport),
            (
                "logistics.send",
                {
                    "order_id": ORDER,
                    "out_no": "ship-2",
                    "company": "ZTO",
                    "tracking_no": "ZT5",
                    "items": [{"oid": f"{ORDER}-2", "num": 1}],
                },
            ),
        )
        for again in (
            ShipmentNotice(ORDER, ((f"{ORDER}-1", Decimal(1)),), "SF9", "SF", "ship-1"),
            ShipmentNotice(ORDER, ((f"{ORDER}-1", Decimal(1)),), "SF1001", "SF", "other"),
        ):
            adapter, transport = self._make_adapter(order)
            result = adapter.push_shipment(again)
            self.assertEqual((result.external_id, result.is_repeat), ("L00000001", True))

    def test_delivered_needs_its_shipment(self):
        order = _ok(order=read_data("marketplace/order"))
        adapter, transport = self._make_adapter(order, _ok(logistics={}))
        adapter.push_delivered(DeliveryNotice(ORDER, "d", tracking_number="SF1001"))
        self.assertEqual(self._content(transport), ("logistics.sign", {"order_id": ORDER, "logistics_id": "L00000001"}))
        adapter, _transport = self._make_adapter(order)
        with self.assertRaises(Rejected):
            adapter.push_delivered(DeliveryNotice(ORDER, "d", tracking_number="other"))

    def test_refund_is_found_by_our_number(self):
        order = _ok(order=read_data("marketplace/order"))
        adapter, transport = self._make_adapter(order)
        notice = RefundNotice(ORDER, Decimal("76.21"), "CNY", "ours-1")
        self.assertTrue(adapter.push_refund(notice).is_repeat)
        adapter, transport = self._make_adapter(order, _ok(refund={"refund_id": "R9"}))
        notice = RefundNotice(ORDER, Decimal("27.37"), "CNY", "ours-2", request_external_id=f"R{ORDER}-2")
        self.assertEqual(adapter.push_refund(notice).external_id, "R9")
        method, content = self._content(transport)
        self.assertEqual((method, content["amount"], content["refund_id"]), ("refund.create", "27.37", f"R{ORDER}-2"))
        with self.assertRaises(Rejected):
            self._make_adapter()[0].push_refund(RefundNotice(ORDER, Decimal(1), "USD", "ours-3"))

    def test_receipt_is_found_by_our_number(self):
        raw = {**read_data("marketplace/order"), "receipts": [{"out_no": "back-1"}]}
        adapter, _transport = self._make_adapter(_ok(order=raw))
        self.assertTrue(adapter.push_return_received(ReturnNotice(ORDER, (), "back-1")).is_repeat)

    def test_stock_says_which_item_failed(self):
        rows = [{"sku": "A", "code": 0, "msg": "ok"}, {"sku": "B", "code": 2008, "msg": "商品不存在"}]
        adapter, transport = self._make_adapter(_ok(results=rows))
        levels = [StockLevel("A", Decimal("4.7")), StockLevel("B", Decimal(1)), StockLevel("C", Decimal(-2))]
        errors = adapter.push_stock(levels).errors
        self.assertEqual(errors[:2], ("", "商品不存在"))
        self.assertTrue(errors[2])
        self.assertEqual([row["quantity"] for row in self._content(transport)[1]["items"]], [4, 1, 0])

    def test_carriers_get_the_platforms_codes(self):
        for name, code in (
            ("顺丰速运", "SF"),
            ("SF Express", "SF"),
            ("sf_standard", "SF"),
            ("JD Logistics", "JD"),
            ("YTO", "YTO"),
            ("Transfer", "OTHER"),
            ("", "OTHER"),
        ):
            self.assertEqual(get_company(name), code, name)


class TestMarketplaceWebhook(MarketplaceCase):
    def _body(self, **changes):
        message = {"msg_id": "m1", "topic": "trade_paid", "order_id": ORDER, "modified": "2026-11-23 15:00:09"}
        return json.dumps({**message, **changes}).encode()

    def _headers(self, body, secret="s1", at=NOW):
        timestamp = str(int(at.timestamp()))
        return {"X-Market-Timestamp": timestamp, "X-Market-Sign": sign_webhook(secret, timestamp, body)}

    def test_signed_event_names_its_order(self):
        body = self._body()
        event = self._make_adapter()[0].verify_and_parse_webhook(self._headers(body), body, "s1", now=NOW)
        self.assertEqual((event.event_id, event.topic, event.order_external_id), ("m1", "trade_paid", ORDER))
        self.assertEqual(event.occurred_at, datetime(2026, 11, 23, 7, 0, 9, tzinfo=UTC))

    def test_what_is_not_proven_is_refused(self):
        body = self._body()
        for headers, raw, secret in (
            (self._headers(body), body, ""),
            ({}, body, "s1"),
            (self._headers(body), body + b" ", "s1"),
            ({**self._headers(body), "X-Market-Timestamp": "1"}, body, "s1"),
            (self._headers(body, at=NOW - timedelta(seconds=301)), body, "s1"),
            (self._headers(body, at=NOW + timedelta(seconds=301)), body, "s1"),
        ):
            with self.subTest(headers=headers), self.assertRaises(AuthError):
                self._make_adapter()[0].verify_and_parse_webhook(headers, raw, secret, now=NOW)

    def test_signed_nonsense_is_final(self):
        for body in (b"", b"[]", b"{}"):
            with self.subTest(body=body), self.assertRaises(BadResponse) as caught:
                self._make_adapter()[0].verify_and_parse_webhook(self._headers(body), body, "s1", now=NOW)
            self.assertFalse(caught.exception.retryable)
