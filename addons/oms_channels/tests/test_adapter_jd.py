import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.errors import AuthError, BadResponse, RateLimited, Rejected, Unavailable
from odoo.addons.oms_channels.adapters.jd import mapper
from odoo.addons.oms_channels.adapters.jd.adapter import get_company
from odoo.addons.oms_channels.adapters.jd.signature import sign_call
from odoo.addons.oms_channels.adapters.notices import ShipmentNotice
from odoo.addons.oms_channels.adapters.types import ChannelConfig
from odoo.addons.oms_channels.tests.adapter_common import SHOP, AdapterCase, FakeTransport, read_data

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KEYS = {"api_key": "k", "api_secret": "s", "session_token": "t", "session_refresh_token": "r"}


class JdCase(AdapterCase):
    def _make_adapter(self, *answers, url=SHOP, **keys):
        transport = FakeTransport(*answers)
        config = ChannelConfig(url, {**KEYS, **keys})
        return get_adapter_class("jd")(config, transport, clock=lambda: NOW), transport

    def _params(self, transport, index=-1):
        return dict(parse_qsl(transport.requests[index].body.decode()))

    @staticmethod
    def _answer_order(**changes):
        order = {**read_data("jd/order"), **changes}
        detail = {"apiResult": {"success": True}, "orderInfo": order}
        return {"jingdong_pop_order_enGet_responce": {"code": "0", "orderDetailInfo": detail}}


class TestJdSignature(AdapterCase):
    def test_published_example(self):
        params = {
            "360buy_param_json": '{"end_date":null,"optional_fields":null,"order_state":"WAIT_SELLER_STOCK_OUT",'
            '"page":"1","page_size":"200","start_date":null}',
            "access_token": "yourtoken",
            "app_key": "yourappkey",
            "method": "jingdong.pop.order.search",
            "timestamp": "2021-05-07 09:20:39.683+0800",
            "v": "2.0",
            "format": "json",
        }
        self.assertEqual(sign_call("yourappSecret", params), "D70825340F4084360B9362B60DFD7930")


class TestJdMapper(JdCase):
    def _map(self, **changes):
        return mapper.map_order({**read_data("jd/order"), **changes})

    def test_order_adds_up_to_the_cent(self):
        order = self._map()
        self.assertEqual((order.total, order.parts_total), (Decimal("95.99"), Decimal("95.99")))
        soap, towel, gift = order.lines
        # 5.00 of the soap alone, 5.01 shared over 55.00 and 40.00
        self.assertEqual([line.discount_amount for line in order.lines], [Decimal("7.91"), Decimal("2.10"), 0])
        self.assertEqual((soap.external_id, gift.external_id), ("1001", "1001-2"))
        self.assertEqual((towel.sku, towel.variant_external_id, towel.total), ("TOWEL", "1002", Decimal("37.90")))
        self.assertEqual(order.shippings[0].total, 6)

    def test_who_pays_what(self):
        order = self._map()
        paid = {payment.provider: payment.captured_amount for payment in order.payments}
        self.assertEqual(paid, {"jdpay": Decimal("80.99"), "balance": 5, "platform": 10})
        self.assertTrue(order.is_paid)
        self.assertEqual(order.captured_total, order.total)

    def test_cash_on_delivery_is_paid_when_it_is_done(self):
        order = self._map(payType="1-货到付款")
        self.assertFalse(order.is_paid)
        self.assertEqual(order.payments[0].provider, "cod")
        self.assertTrue(self._map(payType="1-货到付款", orderState="FINISHED_L").is_paid)

    def test_ciphers_stay_in_the_payload(self):
        order = self._map()
        self.assertTrue(order.is_masked)
        address = order.shipping_address
        self.assertEqual((address.name, address.street, address.phone), ("***", "***", "136*******5"))
        self.assertEqual((address.province, address.city, address.district), ("广东", "广州市", "海珠区"))
        self.assertTrue(order.raw["consigneeInfo"]["fullname"].startswith("AAS/"))
        info = {"fullname": "林小雨", "fullAddress": "广东广州市海珠区赤岗街道1号", "mobile": "13800000042"}
        order = self._map(consigneeInfo={**read_data("jd/order")["consigneeInfo"], **info, "telephone": ""})
        self.assertEqual((order.is_masked, order.shipping_address.street), (False, "1号"))

    def test_version_and_notes(self):
        order = self._map()
        self.assertEqual((order.version, order.note, order.seller_note), ("001795423112000", "周末送", "易碎"))
        self.assertEqual(self._map(dataVersion="").version, "001795423112000")

    def test_lock_is_a_request_to_cancel(self):
        refund = {"id": 100, "orderId": 249786309732, "applyRefundSum": 9599, "status": 0, "reason": "不想买了"}
        order = self._map(orderState="LOCKED", oms_refunds=[refund])
        [request] = order.refund_requests
        self.assertEqual((request.state, request.amount, request.kind), ("requested", Decimal("95.99"), "refund"))
        self.assertEqual((order.status, order.captured_total), ("open", order.total))
        order = self._map(orderState="TRADE_CANCELED", oms_refunds=[{**refund, "status": 3}])
        self.assertEqual((order.status, order.captured_total), ("cancelled", 0))
        self.assertEqual({payment.state for payment in order.payments}, {"refunded"})
        self.assertFalse(any(line.open_quantity for line in order.lines))

    def test_service_sheet_is_a_return(self):
        service = {"serviceId": 7, "skuId": 1001, "customerExpect": 10, "serviceStatus": 10005, "wareNum": 1}
        exchange = {**service, "serviceId": 8, "customerExpect": 20}
        order = self._map(orderState="FINISHED_L", oms_services=[service, exchange])
        [request] = order.refund_requests
        self.assertEqual((request.kind, request.state, request.lines), ("return", "requested", (("1001", Decimal(1)),)))
        self.assertEqual(request.amount, Decimal("17.36"))
        back = self._map(orderState="FINISHED_L", oms_services=[{**service, "serviceStatus": 10007}])
        self.assertEqual((back.refund_requests[0].state, back.lines[0].returned_quantity), ("received", 1))

    def test_what_makes_no_sense_is_named(self):
        for changes, text in (({"orderState": "X"}, "'X'"), ({"itemInfoList": []}, "no items")):
            with self.assertRaisesRegex(BadResponse, text):
                self._map(**changes)


class TestJdClient(JdCase):
    def test_call_is_signed_with_its_parameters_as_json(self):
        adapter, transport = self._make_adapter(self._answer_order())
        adapter.fetch_order("249786309732")
        params = self._params(transport)
        self.assertEqual(params.pop("sign"), sign_call("s", params))
        self.assertEqual(params["timestamp"], "2026-11-23 17:00:00")
        self.assertEqual(json.loads(params["360buy_param_json"])["order_id"], 249786309732)

    def test_errors_by_what_they_mean(self):
        for code, kind, text in (
            ("2", RateLimited, "slow down"),
            ("19", AuthError, "access token"),
            ("12", AuthError, "secret"),
            ("8", AuthError, "time"),
            ("66", Unavailable, "problem"),
            ("61", Rejected, "refused"),
        ):
            adapter, _transport = self._make_adapter({"error_response": {"code": code, "zh_desc": "错误"}})
            with self.assertRaisesRegex(kind, text) as caught:
                adapter.fetch_order("12")
            self.assertIs(type(caught.exception), kind)

    def test_failure_inside_an_answer_is_a_refusal(self):
        detail = {"apiResult": {"success": False, "chineseErrCode": "订单不存在"}}
        answer = {"jingdong_pop_order_enGet_responce": {"code": "0", "orderDetailInfo": detail}}
        adapter, _transport = self._make_adapter(answer)
        with self.assertRaisesRegex(Rejected, "订单不存在"):
            adapter.fetch_order("12")

    def test_token_is_renewed_at_the_host_of_the_tokens(self):
        answer = {"access_token": "t2", "refresh_token": "r2", "expires_in": 31104000}
        adapter, transport = self._make_adapter(answer, url="https://api.jd.com")
        grant = adapter.refresh_credentials()
        self.assertEqual(dict(grant.values), {"session_token": "t2", "session_refresh_token": "r2"})
        self.assertEqual(grant.expires_at, NOW + timedelta(seconds=31104000))
        self.assertEqual(transport.requests[0].url, "https://open-oauth.jd.com/oauth2/refresh_token")
        adapter, _transport = self._make_adapter({"code": 405, "msg": "expired"})
        with self.assertRaisesRegex(AuthError, "expired"):
            adapter.refresh_credentials()


class TestJdShipment(JdCase):
    def _ship(self, number, carrier, *answers, **changes):
        if changes.get("orderState") in mapper.SENT:  # the after-sales desk wants to know whose orders these are
            shop = {"jingdong_vender_shop_query_responce": {"shop_jos_result": {"vender_id": 77}}}
            answers = (shop, *answers)
        adapter, transport = self._make_adapter(self._answer_order(**changes), *answers)
        notice = ShipmentNotice("249786309732", (("1001", Decimal(1)),), number, carrier, "key")
        return adapter.push_shipment(notice), json.loads(self._params(transport)["360buy_param_json"])

    def test_first_parcel_takes_the_order_out(self):
        answer = {"jingdong_pop_order_shipment_responce": {"code": "0", "sopjosshipment_result": {"success": True}}}
        result, content = self._ship("SF1", "顺丰速运", answer)
        self.assertEqual(content, {"logiCoprId": "467", "logiNo": "SF1", "orderId": 249786309732})
        self.assertFalse(result.is_repeat)

    def test_further_parcels_are_added_by_company(self):
        sent = {"orderState": "WAIT_GOODS_RECEIVE_CONFIRM", "waybill": "SF1", "logisticsId": "467"}
        services = {"jingdong_asc_query_list_responce": {"code": "0", "pageResult": {"data": []}}}
        answer = {"360buy_order_sop_waybill_update_responce": {"code": "0"}}
        _result, content = self._ship("SF2", "SF", services, answer, **sent)
        self.assertEqual((content["logistics_id"], content["waybill"]), ("467", "SF1,SF2"))
        _result, content = self._ship("YT1", "YTO", services, answer, **sent)
        self.assertEqual((content["logistics_id"], content["waybill"]), ("467|463", "SF1|YT1"))
        result, _content = self._ship("SF1", "SF", services, **sent)
        self.assertTrue(result.is_repeat)

    def test_locked_order_stops_the_parcel(self):
        refunds = {"jingdong_pop_afs_soa_refundapply_queryPageList_responce": {"queryResult": {"result": []}}}
        with self.assertRaisesRegex(Rejected, "stop the parcel"):
            self._ship("SF1", "SF", refunds, orderState="LOCKED")

    def test_carrier_without_a_number_is_named(self):
        self.assertEqual((get_company("中通快递"), get_company("1747")), ("1499", "1747"))
        with self.assertRaisesRegex(Rejected, "Own van"):
            get_company("Own van")
