from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.china import BackwardReader, ListPart, format_time, share_amount, sign_parameters
from odoo.addons.oms_channels.adapters.errors import AuthError, BadResponse, RateLimited, Rejected, Unavailable
from odoo.addons.oms_channels.adapters.http import HttpResponse
from odoo.addons.oms_channels.adapters.notices import ShipmentNotice
from odoo.addons.oms_channels.adapters.taobao import mapper
from odoo.addons.oms_channels.adapters.types import ChannelConfig, ChannelRefundRequest
from odoo.addons.oms_channels.tests.adapter_common import SHOP, AdapterCase, FakeTransport, read_data

NOW = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)  # 15:30 in China
KEYS = {"api_key": "k", "api_secret": "s", "session_token": "t", "session_refresh_token": "r"}


class TaobaoCase(AdapterCase):
    def _make_adapter(self, *answers, url=SHOP, **keys):
        transport = FakeTransport(*answers)
        config = ChannelConfig(url, {**KEYS, **keys})
        return get_adapter_class("taobao")(config, transport, clock=lambda: NOW), transport

    def _params(self, transport, index=-1):
        return dict(parse_qsl(transport.requests[index].body.decode()))


class TestTaobaoSignature(AdapterCase):
    """The examples that the platform publishes."""

    def test_published_example(self):
        params = {
            "method": "taobao.item.seller.get",
            "app_key": "12345678",
            "session": "test",
            "timestamp": "2016-01-01 12:00:00",
            "format": "json",
            "v": "2.0",
            "sign_method": "md5",
            "fields": "num_iid,title,nick,price,num",
            "num_iid": "11223344",
        }
        self.assertEqual(sign_parameters("helloworld", params), "66987CB115214E59E6EC978214934FB8")

    def test_older_published_example(self):
        params = {
            "method": "taobao.user.seller.get",
            "timestamp": "2013-05-06 13:52:03",
            "format": "xml",
            "app_key": "test",
            "v": "2.0",
            "fields": "nick",
            "sign_method": "md5",
            "session": "test",
        }
        self.assertEqual(sign_parameters("test", params), "72CB4D809B375A54502C09360D879C64")

    def test_hmac_by_the_rfcs(self):
        for method, key, expected in (
            ("hmac", "\x0b" * 16, "9294727A3638BB1C13F48EF8158BFC9D"),
            ("hmac-sha256", "\x0b" * 20, "B0344C61D8DB38535CA8AFCEAF0BF12B881DC200C9833DA726E9376C2E32CFF7"),
        ):
            self.assertEqual(sign_parameters(key, {"Hi": " There", "sign": "x"}, method), expected)


class TestTaobaoMapper(TaobaoCase):
    def _map(self, **changes):
        return mapper.map_order({**read_data("taobao/trade"), **changes})

    def test_trade_adds_up_to_the_cent(self):
        order = self._map()
        self.assertEqual((order.total, order.parts_total), (Decimal("199.67"), Decimal("199.67")))
        mouse, pad = order.lines
        self.assertEqual(
            (mouse.price_unit, mouse.discount_amount, mouse.total), (59, Decimal("16.33"), Decimal("160.67"))
        )
        # No share is told: what is owed less its part of the trade's discount. The seller made it dearer.
        self.assertEqual((pad.price_unit, pad.discount_amount, pad.total), (31, 0, 31))
        self.assertEqual(
            (mouse.sku, mouse.variant_external_id, mouse.title), ("MOUSE-W1", "4700001", "无线鼠标 颜色:白色")
        )
        self.assertEqual((pad.sku, pad.variant_external_id), ("PAD", "620002"))
        self.assertTrue(mouse.is_tax_included)

    def test_refund_belongs_to_its_sub_order(self):
        order = self._map()
        expected = ChannelRefundRequest(
            external_id="90001",
            kind="refund",
            state="refunded",
            amount=Decimal("31.00"),
            reason="多拍 - 不要了",
            lines=(("2231958351", Decimal(1)),),
            requested_at=datetime(2026, 11, 23, 7, 10, tzinfo=UTC),
        )
        self.assertEqual(order.refund_requests, (expected,))
        self.assertEqual([line.open_quantity for line in order.lines], [3, 0])
        [payment] = order.payments
        self.assertEqual(
            (payment.state, payment.captured_amount, payment.refunded_amount),
            ("partially_refunded", Decimal("199.67"), Decimal("31.00")),
        )
        # The refund changed after the trade.
        self.assertEqual(order.version, "20261123072500")
        self.assertEqual(self._map(jdp_modified="2026-11-23 15:30:00").version, "20261123073000")

    def test_each_state_of_a_refund(self):
        for status, state in mapper.REFUND_STATES.items():
            refund = {**read_data("taobao/trade")["oms_refunds"][0], "status": status}
            self.assertEqual(self._map(oms_refunds=[refund]).refund_requests[0].state, state)

    def test_goods_that_came_back_are_returned(self):
        raw = read_data("taobao/trade")
        order = raw["orders"]["order"][1]
        order |= {"consign_time": "2026-11-23 15:12:00", "invoice_no": "SF1"}
        refund = {**raw["oms_refunds"][0], "has_good_return": True}
        order = self._map(status="TRADE_CLOSED", orders={"order": [order]}, oms_refunds=[refund])
        [line] = order.lines
        self.assertEqual((line.shipped_quantity, line.returned_quantity, line.cancelled_quantity), (1, 1, 0))
        self.assertEqual((order.status, order.refund_requests[0].kind), ("completed", "return"))

    def test_hidden_receiver_stays_hidden(self):
        order = self._map()
        self.assertTrue(order.is_masked)
        self.assertEqual((order.shipping_address.name, order.shipping_address.phone), ("林**", "*******0042"))
        self.assertEqual((order.raw["oaid"], order.shipping_address.zip), ("1jdDFsIGUb3y", ""))
        plain = {
            "receiver_name": "林小雨",
            "receiver_mobile": "13800000042",
            "receiver_address": "文三路90号",
            "oaid": "",
        }
        self.assertFalse(self._map(**plain).is_masked)
        self.assertTrue(self._map(**{**plain, "oaid": "x"}).is_masked)

    def test_district_in_place_of_the_city(self):
        address = self._map(receiver_city="", receiver_district="济源市").shipping_address
        self.assertEqual((address.city, address.district), ("济源市", ""))

    def test_notes_coupons_and_promise(self):
        order = self._map()
        self.assertEqual((order.note, order.seller_note), ("请放门卫", "老客户"))
        self.assertEqual(order.coupon_codes, ("shopbonus-51_886",))
        self.assertEqual(order.ship_by, datetime(2026, 11, 26, 7, 5, tzinfo=UTC))
        for text, expected in (
            ("2026-11-25 前发货", datetime(2026, 11, 25, 15, 59, 59, tzinfo=UTC)),
            ("付款后48小时内", datetime(2026, 11, 25, 7, 5, tzinfo=UTC)),
            ("尽快", None),
        ):
            self.assertEqual(self._map(est_con_time=text).ship_by, expected, text)
        early = self._map(timeout_action_time="2026-11-24 15:05:00")
        self.assertEqual(early.ship_by, datetime(2026, 11, 24, 7, 5, tzinfo=UTC))

    def test_presale_by_its_steps(self):
        step = {"est_con_time": "2026年12月5日", "step_paid_fee": "50.00", "oms_refunds": [], "pay_time": ""}
        for status, captured, is_paid in (
            ("FRONT_NOPAID_FINAL_NOPAID", 0, False),
            ("FRONT_PAID_FINAL_NOPAID", 50, False),
        ):
            order = self._map(**step, step_trade_status=status, status="WAIT_BUYER_PAY")
            self.assertEqual((order.is_presale, order.is_paid, order.captured_total), (True, is_paid, captured))
            self.assertEqual((order.ship_from, order.ship_by), (date(2026, 12, 5), None))
        paid = {**step, "pay_time": "2026-11-23 15:05:00", "step_trade_status": "FRONT_PAID_FINAL_PAID"}
        order = self._map(**paid)
        self.assertTrue(order.is_paid and order.is_presale)
        self.assertEqual(order.captured_total, order.total)

    def test_group_that_is_not_complete_waits(self):
        order = self._map(status="PAID_FORBID_CONSIGN")
        self.assertTrue(order.is_presale and order.is_paid)

    def test_unpaid_and_closed(self):
        order = self._map(status="WAIT_BUYER_PAY", pay_time=None, oms_refunds=[])
        self.assertEqual((order.is_paid, order.payments[0].state), (False, "pending"))
        order = self._map(status="TRADE_CLOSED_BY_TAOBAO", pay_time=None, oms_refunds=[])
        self.assertEqual((order.status, order.payments[0].state, order.captured_total), ("cancelled", "cancelled", 0))

    def test_what_makes_no_sense_is_named(self):
        for changes, text in (
            ({"status": "WAIT_X"}, "WAIT_X"),
            ({"orders": {"order": []}}, "no sub-orders"),
            ({"payment": "viel"}, "payment"),
            ({"modified": "gestern"}, "modified"),
        ):
            with self.assertRaisesRegex(BadResponse, text) as caught:
                self._map(**changes)
            self.assertFalse(caught.exception.retryable)


class TestTaobaoClient(TaobaoCase):
    def test_call_is_signed_and_in_the_time_of_china(self):
        adapter, transport = self._make_adapter({"trade_fullinfo_get_response": {"trade": {"tid": 12}}})
        adapter.fetch_order("12")
        params = self._params(transport)
        sign = params.pop("sign")
        self.assertEqual(sign, sign_parameters("s", params, "hmac-sha256"))
        self.assertEqual(params["timestamp"], "2026-11-23 15:30:00")
        self.assertEqual((params["session"], params["v"], params["method"]), ("t", "2.0", "taobao.trade.fullinfo.get"))

    def test_answer_that_calls_itself_javascript_is_read(self):
        body = b'{"trade_fullinfo_get_response": {"trade": {"tid": 12}}}'
        adapter, _transport = self._make_adapter(HttpResponse(200, {"content-type": "text/javascript"}, body))
        self.assertEqual(adapter.fetch_order("12"), {"tid": 12})

    def test_errors_by_what_they_mean(self):
        for error, kind, text in (
            (
                {"code": 7, "msg": "App Call Limited", "sub_msg": "This ban will last for 9 more seconds"},
                RateLimited,
                "9",
            ),
            ({"code": 15, "sub_code": "accesscontrol.limited-by-api-access-count"}, RateLimited, "slow down"),
            ({"code": 27, "msg": "Invalid session"}, AuthError, "session key"),
            ({"code": 15, "sub_code": "isv.invalid-sessionkey"}, AuthError, "authorisation page"),
            ({"code": 25, "msg": "Invalid signature"}, AuthError, "secret"),
            ({"code": 31, "msg": "Invalid Timestamp"}, AuthError, "time"),
            ({"code": 15, "sub_code": "isp.top-remote-connection-timeout"}, Unavailable, "problem"),
            ({"code": 10, "msg": "Service Currently Unavailable"}, Unavailable, "problem"),
            ({"code": 15, "sub_code": "isv.trade-not-exist", "sub_msg": "交易不存在"}, Rejected, "交易不存在"),
            ({"code": 41, "sub_code": "isv.invalid-parameter:num"}, Rejected, "num"),
        ):
            adapter, _transport = self._make_adapter({"error_response": error})
            with self.assertRaisesRegex(kind, text) as caught:
                adapter.fetch_order("12")
            self.assertIs(type(caught.exception), kind)
            self.assertNotIn("api_secret", caught.exception.message)
        adapter, _transport = self._make_adapter(
            {"error_response": {"code": 7, "sub_msg": "This ban will last for 9 more seconds"}}
        )
        with self.assertRaises(RateLimited) as caught:
            adapter.fetch_order("12")
        self.assertEqual(caught.exception.retry_after, 9)

    def test_trade_that_is_not_shown_holds_up_no_other(self):
        modified = "2026-11-23 15:20:00"
        listed = [{"tid": 13, "modified": modified}, {"tid": 12, "modified": modified}]
        adapter, _transport = self._make_adapter(
            {"trades_sold_increment_get_response": {"total_results": 2, "trades": {"trade": listed}}},
            {"error_response": {"code": 15, "sub_code": "isv.trade-not-exist"}},
            {"trade_fullinfo_get_response": {"trade": {**read_data("taobao/trade"), "tid": 13, "oms_refunds": None}}},
            {"refund_get_response": {"refund": read_data("taobao/trade")["oms_refunds"][0]}},
        )
        page = adapter.fetch_orders_page(NOW - timedelta(hours=1))
        self.assertEqual([item.external_id for item in page.items], ["12", "13"])
        self.assertTrue(adapter.parse_order(page.items[1].payload).refund_requests)
        with self.assertRaises(BadResponse):
            adapter.parse_order(page.items[0].payload)

    def test_without_a_session_the_next_step_is_said(self):
        adapter, _transport = self._make_adapter(session_token="")
        with self.assertRaisesRegex(AuthError, "authorised"):
            adapter.fetch_order("12")

    def test_session_is_renewed_at_the_host_of_the_tokens(self):
        answer = {"access_token": "t2", "refresh_token": "r2", "expires_in": 86400}
        adapter, transport = self._make_adapter(answer, url="https://eco.taobao.com")
        grant = adapter.refresh_credentials()
        self.assertEqual(dict(grant.values), {"session_token": "t2", "session_refresh_token": "r2"})
        self.assertEqual(grant.expires_at, NOW + timedelta(seconds=86400))
        self.assertEqual(transport.requests[0].url, "https://oauth.taobao.com/token")
        adapter, _transport = self._make_adapter((400, {"error": "invalid_grant", "error_description": "expired"}))
        with self.assertRaisesRegex(AuthError, "expired"):
            adapter.refresh_credentials()


class TestBackwardReader(AdapterCase):
    def _read_all(self, changes, since, until=None, size=2, span=timedelta(days=1), server_time=None, between=None):
        """:param changes: {id: time of change} that ``between(page number)`` may alter between two pages"""
        calls = []

        def fetch(start, end, page, size):
            calls.append((start, end, page))
            rows = [(time, name) for name, time in changes.items() if start <= format_time(time) <= end]
            rows.sort(reverse=True)
            return ListPart(rows[(page - 1) * size : page * size], len(rows), server_time)

        reader, found, cursor, turn = BackwardReader(fetch, span, lambda: NOW), [], None, 0
        while True:
            rows, cursor = reader.read_page(since, until, cursor, size)
            found += [name for _time, name in rows]
            if cursor is None:
                return found, calls
            turn += 1
            if between:
                between(turn)

    def test_oldest_change_first_whatever_the_number_of_pages(self):
        for count in range(8):
            changes = {f"o{i}": NOW - timedelta(hours=1, minutes=-i) for i in range(count)}
            self.assertEqual(self._read_all(changes, NOW - timedelta(hours=2))[0], list(changes))

    def test_windows_end_by_the_platforms_clock(self):
        server_time = NOW - timedelta(minutes=3)
        _found, calls = self._read_all({}, NOW - timedelta(hours=1), server_time=server_time)
        self.assertEqual(calls[-1][1], format_time(server_time))

    def test_days_are_read_one_by_one(self):
        changes = {f"o{i}": NOW - timedelta(hours=60 - 12 * i) for i in range(5)}
        found, calls = self._read_all(changes, NOW - timedelta(hours=60), size=10)
        self.assertEqual(list(dict.fromkeys(found)), list(changes))
        self.assertEqual(len({call[0] for call in calls}), 3)

    def test_who_leaves_the_window_hides_nobody(self):
        for gone in range(6):
            changes = {f"o{i}": NOW - timedelta(hours=1, minutes=-i) for i in range(6)}

            def leave(turn, changes=changes, gone=gone):
                if turn == 1:
                    changes[f"o{gone}"] = NOW + timedelta(minutes=1)

            found, _calls = self._read_all(changes, NOW - timedelta(hours=2), between=leave)
            self.assertGreaterEqual(set(found) | {f"o{gone}"}, set(changes))

    def test_end_that_is_given_is_kept(self):
        changes = {"in": NOW - timedelta(hours=3), "out": NOW - timedelta(hours=1)}
        found, _calls = self._read_all(changes, NOW - timedelta(hours=4), until=NOW - timedelta(hours=2))
        self.assertEqual(found, ["in"])

    def test_shares_add_up(self):
        for amount in ("10.00", "0.01", "0.00", "-3.33", "7.77"):
            shares = share_amount(Decimal(amount), [Decimal(3), Decimal("3.01"), Decimal(0), Decimal(3)])
            self.assertEqual(sum(shares), Decimal(amount))
            self.assertEqual(shares[2], 0)
        self.assertEqual(share_amount(Decimal(1), [Decimal(0), Decimal(0)]), [1, 0])


class TestTaobaoShipment(TaobaoCase):
    def _ship(self, lines, *answers, carrier="SF Express", number="SF1", raw=None):
        trade = raw or {**read_data("taobao/trade"), "oms_refunds": None}
        for order in trade["orders"]["order"]:
            order["refund_status"] = "NO_REFUND"
        adapter, transport = self._make_adapter({"trade_fullinfo_get_response": {"trade": trade}}, *answers)
        notice = ShipmentNotice("2231958349", lines, number, carrier, "key")
        return adapter.push_shipment(notice), transport

    def test_one_sub_order_of_several_is_split_off(self):
        answer = {"logistics_offline_send_response": {"shipping": {"is_success": True}}}
        result, transport = self._ship((("2231958350", Decimal(3)),), answer)
        params = self._params(transport)
        self.assertEqual((params["is_split"], params["sub_tid"]), ("1", "2231958350"))
        self.assertEqual((params["company_code"], params["out_sid"]), ("SF", "SF1"))
        self.assertFalse(result.is_repeat)

    def test_second_parcel_of_a_sub_order_goes_into_the_memo(self):
        raw = read_data("taobao/trade")
        raw["orders"]["order"][0] |= {"status": "WAIT_BUYER_CONFIRM_GOODS", "invoice_no": "SF1"}
        answer = {"trade_memo_update_response": {"trade": {}}}
        _result, transport = self._ship((("2231958350", Decimal(1)),), answer, number="YT2", raw=raw)
        self.assertEqual(self._params(transport)["memo"], "老客户\nSF Express YT2")
        raw["seller_memo"] = "老客户\nSF Express YT2"
        result, transport = self._ship((("2231958350", Decimal(1)),), number="YT2", raw=raw)
        self.assertTrue(result.is_repeat)

    def test_closed_sub_order_stops_the_parcel(self):
        with self.assertRaisesRegex(Rejected, "closed"):
            self._ship((("2231958351", Decimal(1)),))

    def test_unknown_sub_order_is_refused(self):
        with self.assertRaisesRegex(Rejected, "no sub-order 1"):
            self._ship((("1", Decimal(1)),))
