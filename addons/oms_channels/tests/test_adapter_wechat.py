from datetime import UTC, datetime
from decimal import Decimal

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.errors import AuthError, BadResponse, RateLimited, Rejected, Unavailable
from odoo.addons.oms_channels.adapters.notices import CancelNotice, ShipmentNotice, StockLevel
from odoo.addons.oms_channels.adapters.types import ChannelConfig
from odoo.addons.oms_channels.adapters.wechat import funds, mapper
from odoo.addons.oms_channels.tests.adapter_common import SHOP, AdapterCase, FakeTransport, read_data

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
STAMP = int(NOW.timestamp())
ORDER_ID = "3705115058471208928"
TOKEN = {"access_token": "t", "expires_in": 7200}
OK = {"errcode": 0, "errmsg": "ok"}


class WechatCase(AdapterCase):
    def _make_adapter(self, *answers):
        transport = FakeTransport(TOKEN, *answers)
        config = ChannelConfig(SHOP, {"api_key": "wx1", "api_secret": "s"})
        return get_adapter_class("wechat")(config, transport, clock=lambda: NOW), transport

    @staticmethod
    def _make_refund(**changes):
        return {
            "after_sale_order_id": "77",
            "type": "REFUND",
            "status": "MERCHANT_PROCESSING",
            "product_info": {"product_id": "9001", "sku_id": "1001", "count": 2},
            "refund_info": {"amount": 3199},
            "reason_text": "不想要了",
            "update_time": 1795429999,
            **changes,
        }

    @staticmethod
    def _send(raw, *units, number="SF1"):
        rows = [{"product_id": 9001, "sku_id": sku_id, "product_cnt": count} for sku_id, count in units]
        parcel = {"waybill_id": number, "delivery_id": "SF", "product_infos": rows}
        raw["order_detail"]["delivery_info"]["delivery_product_info"].append(parcel)
        return raw


class TestWechatMapper(WechatCase):
    def _map(self, **changes):
        return mapper.map_order({**read_data("wechat/order"), **changes})

    def test_order_adds_up_to_the_cent(self):
        order = self._map()
        self.assertEqual((order.total, order.parts_total), (Decimal("100.99"), Decimal("100.99")))
        soap, towel, gift = order.lines
        # 47.99 and 37.00 of the buyer, 10.00 of a presenter shared over 12.01 and 3.00 of discount
        self.assertEqual([line.total for line in order.lines], [Decimal("56.00"), Decimal("38.99"), 0])
        self.assertEqual([line.discount_amount for line in order.lines], [Decimal("4.00"), Decimal("1.01"), 0])
        self.assertEqual((soap.external_id, gift.external_id), ("1001", "1001-2"))
        self.assertEqual((towel.sku, soap.title, order.shippings[0].total), ("TOWEL", "香皂 茉莉", 6))

    def test_who_pays_what(self):
        order = self._map()
        paid = {payment.provider: payment.captured_amount for payment in order.payments}
        self.assertEqual(paid, {"wechatpay": Decimal("90.99"), "platform": 10})
        self.assertEqual((order.is_paid, order.captured_total), (True, order.total))
        raw = read_data("wechat/order")
        raw["order_detail"]["pay_info"] = {}
        order = mapper.map_order({**raw, "status": 10})
        self.assertEqual((order.is_paid, order.captured_total, order.status), (False, 0, "open"))

    def test_fee_counts_once_it_is_taken(self):
        raw = read_data("wechat/order")
        fees = []
        for told in ({"predict_commission_fee": 250}, {"predict_commission_fee": 250, "commission_fee": 241}):
            raw["order_detail"]["settle_info"] = told
            fees.append([payment.fee_amount for payment in mapper.map_order(raw).payments])
        self.assertEqual(fees, [[0, 0], [Decimal("2.41"), 0]])

    def test_hidden_receiver_and_notes(self):
        order = self._map()
        address = order.shipping_address
        self.assertEqual((order.is_masked, address.name, address.city), (True, "林**", "广州市"))
        self.assertEqual((order.note, order.seller_note, order.version), ("周末送", "易碎", "001795423112"))

    def test_gift_that_nobody_has_accepted_waits(self):
        self.assertEqual([self._map(status=state).is_presale for state in (12, 13, 20)], [True, True, False])

    def test_request_before_sending(self):
        order = self._map(oms_refunds=[self._make_refund()])
        [request] = order.refund_requests
        self.assertEqual((request.kind, request.state, request.lines), ("refund", "requested", (("1001", Decimal(2)),)))
        self.assertEqual(order.version, "001795429999")  # it is newer, whatever the order says
        order = self._map(oms_refunds=[self._make_refund(status="MERCHANT_REFUND_SUCCESS")])
        self.assertEqual([line.open_quantity for line in order.lines], [1, 1, 1])
        payment = order.payments[0]
        self.assertEqual((payment.state, payment.refunded_amount), ("partially_refunded", Decimal("31.99")))

    def test_money_after_sending_cancels_nothing(self):
        raw = self._send(read_data("wechat/order"), (1001, 4), (1002, 1))
        raw |= {"status": 30, "oms_refunds": [self._make_refund(status="MERCHANT_REFUND_SUCCESS")]}
        order = mapper.map_order(raw)
        self.assertEqual([line.shipped_quantity for line in order.lines], [3, 1, 1])
        self.assertFalse(any(line.cancelled_quantity or line.returned_quantity for line in order.lines))
        back = self._make_refund(type="RETURN", status="MERCHANT_RETURN_SUCCESS")
        exchange = self._make_refund(type="EXCHANGE", status="MERCHANT_EXCHANGE_SUCCESS")
        order = mapper.map_order({**raw, "oms_refunds": [back, exchange]})
        self.assertEqual([line.returned_quantity for line in order.lines], [2, 0, 0])
        self.assertEqual([request.kind for request in order.refund_requests], ["return"])

    def test_cancelled_after_everything_came_back_was_done(self):
        self.assertEqual(self._map(status=250).status, "cancelled")
        self.assertFalse(any(line.open_quantity for line in self._map(status=200).lines))
        raw = self._send(read_data("wechat/order"), (1001, 4), (1002, 1))
        self.assertEqual(mapper.map_order({**raw, "status": 200}).status, "completed")

    def test_what_makes_no_sense_is_named(self):
        for changes, text in (
            ({"status": 99}, "'99'"),
            ({"update_time": None}, "update_time"),
            ({"status": []}, "status"),
        ):
            with self.assertRaisesRegex(BadResponse, text):
                self._map(**changes)
        with self.assertRaisesRegex(BadResponse, "order_price"):
            self._map(order_detail={})


class TestWechatClient(WechatCase):
    def test_token_goes_with_each_call_and_is_asked_for_once(self):
        adapter, transport = self._make_adapter(
            {"order": read_data("wechat/order")}, {"order": read_data("wechat/order")}
        )
        adapter.fetch_order(ORDER_ID)
        adapter.fetch_order(ORDER_ID)
        self.assertEqual(
            transport.calls[0],
            ("POST", "/cgi-bin/stable_token", {"grant_type": "client_credential", "appid": "wx1", "secret": "s"}),
        )
        self.assertEqual(transport.calls[1:], [("POST", "/channels/ec/order/get", {"order_id": ORDER_ID})] * 2)
        self.assertEqual([request.params for request in transport.requests[1:]], [(("access_token", "t"),)] * 2)

    def test_token_that_has_ended_is_asked_for_again_once(self):
        ended, again = {"errcode": 42001, "errmsg": "access_token expired"}, {"access_token": "t2"}
        adapter, transport = self._make_adapter(ended, again, {"order": read_data("wechat/order")})
        adapter.fetch_order(ORDER_ID)
        self.assertEqual(transport.requests[-1].params, (("access_token", "t2"),))
        adapter, _transport = self._make_adapter(ended, again, ended)
        with self.assertRaises(AuthError):
            adapter.fetch_order(ORDER_ID)

    def test_errors_by_what_they_mean(self):
        for code, kind, wait, is_shop_wide in (
            (-1, Unavailable, None, True),
            (45009, RateLimited, 3600, True),
            (45011, RateLimited, 60, True),
            (10020112, RateLimited, 60, False),  # an SKU's
            (10021059, RateLimited, 60, False),  # an order's
            (61004, AuthError, None, True),
            (48001, AuthError, None, False),  # of this interface
            (10020052, Rejected, None, False),
        ):
            adapter, _transport = self._make_adapter({"errcode": code, "errmsg": "错误"})
            with self.assertRaisesRegex(kind, "错误") as caught:
                adapter.fetch_order("12")
            self.assertIs(type(caught.exception), kind)
            self.assertEqual((caught.exception.retry_after, caught.exception.is_shop_wide), (wait, is_shop_wide))


class TestWechatOrders(WechatCase):
    def _spans(self, transport):
        bodies = [body for _method, path, body in transport.calls if path == "/channels/ec/order/list/get"]
        return [tuple(span - STAMP for span in body["update_time_range"].values()) for body in bodies]

    def test_span_is_halved_until_it_fits(self):
        full, empty = {"order_id_list": ["1"], "next_key": "1", "has_more": True}, {"order_id_list": [], "next_key": ""}
        adapter, transport = self._make_adapter(full, full, empty)
        since = datetime.fromtimestamp(STAMP - 400, UTC)
        page = adapter.fetch_orders_page(since)
        self.assertEqual(self._spans(transport), [(-400, 0), (-400, -200), (-400, -300)])
        self.assertEqual((page.items, page.next_cursor), ((), f"{STAMP - 300}|200"))
        adapter, transport = self._make_adapter(empty)
        page = adapter.fetch_orders_page(since, cursor=page.next_cursor)
        self.assertEqual((self._spans(transport), page.next_cursor), ([(-300, -100)], f"{STAMP - 100}|400"))

    def test_one_second_with_more_than_a_page_is_read_through(self):
        first = {"order_id_list": ["1"], "next_key": "1", "has_more": True}
        last = {"order_id_list": ["2", "1"], "next_key": "2", "has_more": False}
        gone = {"errcode": 100001, "errmsg": "not found"}
        adapter, transport = self._make_adapter(first, last, gone, gone)
        page = adapter.fetch_orders_page(datetime.fromtimestamp(STAMP - 1, UTC))
        self.assertEqual([item.external_id for item in page.items], ["1", "2"])
        self.assertEqual((self._spans(transport), page.next_cursor), ([(-1, 0)] * 2, None))
        with self.assertRaises(BadResponse):  # what the platform does not show is said in the inbox
            adapter.parse_order(page.items[0].payload)

    def test_window_is_a_week_at_most_and_ends_with_the_platforms_clock(self):
        adapter, transport = self._make_adapter({"order_id_list": []})
        page = adapter.fetch_orders_page(datetime.fromtimestamp(STAMP - 10**6, UTC))
        self.assertEqual(self._spans(transport), [(-(10**6), 604800 - 10**6)])
        self.assertTrue(page.next_cursor)
        header = {"date": "Mon, 23 Nov 2026 08:59:00 GMT"}
        adapter, transport = self._make_adapter((200, {"order_id_list": []}, header))
        transport.answers[0] = (200, TOKEN, header)
        adapter.fetch_orders_page(datetime.fromtimestamp(STAMP - 100, UTC))
        self.assertEqual(self._spans(transport), [(-100, -60)])


class TestWechatPushes(WechatCase):
    def _ship(self, number, carrier, *answers, lines=(("1001", Decimal(2)),), raw=None):
        adapter, transport = self._make_adapter({"order": raw or read_data("wechat/order")}, *answers)
        return adapter.push_shipment(ShipmentNotice(ORDER_ID, lines, number, carrier, "key")), transport.calls[-1][2]

    def test_parcel_names_its_units(self):
        names = {"SFKY": "顺丰快运", "SF": "顺丰速运", "YTO": "圆通速递"}
        companies = {"company_list": [{"delivery_id": code, "delivery_name": name} for code, name in names.items()]}
        for carrier, code in (("SF Express", "SF"), ("圆通", "YTO"), ("SFKY", "SFKY"), ("Own van", "OTHER")):
            lines = (("1001", Decimal(2)), ("1001-2", Decimal(1)))
            result, content = self._ship("SF1", carrier, companies, OK, lines=lines)
            self.assertFalse(result.is_repeat)
            [parcel] = content["delivery_list"]
            self.assertEqual((parcel["delivery_id"], parcel["waybill_id"], parcel["deliver_type"]), (code, "SF1", 1))
            self.assertEqual([row["product_cnt"] for row in parcel["product_infos"]], [2, 1])
            self.assertEqual({row["sku_id"] for row in parcel["product_infos"]}, {"1001"})

    def test_parcel_that_is_there_is_not_told_again(self):
        result, _content = self._ship("SF1", "SF", raw=self._send(read_data("wechat/order"), (1001, 2)))
        self.assertTrue(result.is_repeat)

    def test_cancelled_order_stops_the_parcel(self):
        with self.assertRaisesRegex(Rejected, "stop the parcel"):
            self._ship("SF1", "SF", raw={**read_data("wechat/order"), "status": 250})
        with self.assertRaisesRegex(Rejected, "no line 5"):
            self._ship("SF1", "SF", lines=(("5", Decimal(1)),))

    def test_all_that_was_bought_must_be_asked_back(self):
        raw, cancel = read_data("wechat/order"), CancelNotice(ORDER_ID, "key")
        soap = self._make_refund(product_info={"sku_id": "1001", "count": 3})
        towel = self._make_refund(after_sale_order_id="78", product_info={"sku_id": 1002, "count": 1})
        raw["aftersale_detail"]["aftersale_order_list"] = [{"aftersale_order_id": 77}, {"aftersale_order_id": 78}]
        read = [{"order": raw}, {"after_sale_order": soap}, {"after_sale_order": towel}]
        adapter, transport = self._make_adapter(*read, OK, OK, *read)
        self.assertFalse(adapter.push_cancel(cancel).is_repeat)
        granted = [body for _method, path, body in transport.calls if path.endswith("acceptapply")]
        self.assertEqual(granted, [{"after_sale_order_id": number, "accept_type": 2} for number in ("77", "78")])
        towel = {**towel, "type": "RETURN"}
        adapter, _transport = self._make_adapter(*read[:2], {"after_sale_order": towel})
        with self.assertRaisesRegex(Rejected, "line 1002. Have the buyer apply"):
            adapter.push_cancel(cancel)
        raw["order_detail"]["pay_info"] = {}
        adapter, _transport = self._make_adapter(*read)
        with self.assertRaisesRegex(Rejected, "not paid"):
            adapter.push_cancel(cancel)

    def test_stock_is_read_and_changed_by_the_difference(self):
        level = StockLevel("SOAP", Decimal(3), "1001", "9001")
        stock = {**OK, "data": {"normal_stock_num": 10}}
        adapter, transport = self._make_adapter(stock, OK)
        self.assertEqual(adapter.push_stock((level,)).errors, ("",))
        content = {"product_id": "9001", "sku_id": "1001", "diff_type": 2, "num": 7}
        self.assertEqual(transport.calls[-1], ("POST", "/channels/ec/product/stock/update", content))
        adapter, _transport = self._make_adapter(stock, {"errcode": 10020219, "errmsg": "库存不足以减扣"})
        self.assertIn("库存不足", adapter.push_stock((level,)).errors[0])


class TestWechatFunds(WechatCase):
    @staticmethod
    def _make_flow(flow_id, **changes):
        flow = {"flow_id": flow_id, "funds_type": 1, "flow_type": 1, "amount": 1000}
        related = [{"related_type": 2, "aftersale_id": "9"}, {"order_id": "12", "transaction_id": "42"}]
        return {
            "funds_flow": {**flow, "related_info_list": related, "bookkeeping_time": "2026-11-20 08:00:00", **changes}
        }

    def test_movements_are_read_page_by_page_to_a_fixed_end(self):
        since = datetime.fromtimestamp(STAMP - 100, UTC)
        pages = ({"flow_ids": ["1", "2"], "has_more": True, "next_key": "k|1"}, {"flow_ids": [], "has_more": False})
        adapter, transport = self._make_adapter(pages[0], self._make_flow("1"), self._make_flow("2"), pages[1])
        page = adapter.fetch_payouts_page(since)
        self.assertEqual([entry.external_id for entry in page.items], ["1", "2"])
        self.assertIsNone(adapter.fetch_payouts_page(since, cursor=page.next_cursor).next_cursor)
        lists = [body for _method, path, body in transport.calls if path.endswith("getfundsflowlist")]
        span = {"page_size": 20, "start_time": STAMP - 100, "end_time": STAMP}
        self.assertEqual(lists, [{"page": 1, **span}, {"page": 2, **span, "next_key": "k|1"}])

    def test_each_kind_of_movement(self):
        def read(**changes):
            entry = funds.map_flow(self._make_flow("1", **changes)["funds_flow"])
            return entry.kind, entry.gross, entry.fee, entry.net

        self.assertEqual(read(), ("charge", 10, 0, 10))
        self.assertEqual(read(funds_type=2, flow_type=2), ("fee", 0, 10, -10))
        self.assertEqual(read(funds_type=2), ("fee", 0, -10, 10))  # it came back
        self.assertEqual(read(funds_type=3, flow_type=2), ("refund", -10, 0, -10))
        self.assertEqual(read(funds_type=4, flow_type=2), ("payout", -10, 0, -10))
        self.assertEqual(read(funds_type=99, flow_type=2), ("other", -10, 0, -10))
        entry = funds.map_flow(self._make_flow("1")["funds_flow"])
        self.assertEqual((entry.order_external_id, entry.payment_external_id), ("12", "42"))
        self.assertEqual(entry.date, datetime(2026, 11, 20, 0, 0, tzinfo=UTC))
