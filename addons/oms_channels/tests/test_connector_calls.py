"""How a connector's calls are authorised, paged and paced, against known vectors. No database."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from odoo.addons.oms_channels.adapters import base
from odoo.addons.oms_channels.adapters.custom import client, signing, spec
from odoo.addons.oms_channels.adapters.errors import (
    AuthError,
    BadResponse,
    NotSupported,
    RateLimited,
    Rejected,
    Throttled,
    Unavailable,
)
from odoo.addons.oms_channels.adapters.http import HttpResponse
from odoo.addons.oms_channels.adapters.notices import AnswerNotice, CancelNotice, PriceNotice, RefundNotice

from .adapter_common import SHOP, AdapterCase
from .connector_common import CALLS, NOW, ORDER, make_adapter, make_spec

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
PAGE = {"orders": [ORDER]}


def order(number, changed="2026-01-02T10:00:00Z"):
    return {**ORDER, "id": f"A{number}", "changed": changed}


class TestConnectorKeys(AdapterCase):
    def setUp(self):
        super().setUp()
        client._tokens.clear()
        client._paces.clear()

    def _request(self, credentials=None, calls=CALLS, answers=(PAGE,), **values):
        """The last request of a list of orders."""
        adapter, transport = make_adapter(make_spec(calls, **values), *answers, credentials=credentials)
        adapter.fetch_orders_page(SINCE)
        return transport.requests[-1]

    def test_key_in_a_header(self):
        request = self._request(auth_kind="header", auth_name="X-Api-Key", auth_value="Token {{ key }}")
        self.assertEqual(request.headers["X-Api-Key"], "Token app")

    def test_key_in_the_address(self):
        request = self._request(auth_kind="query", auth_name="api_key")
        self.assertIn(("api_key", "app"), request.params)

    def test_basic_as_in_rfc_7617(self):
        request = self._request({"api_key": "Aladdin", "api_secret": "open sesame"}, auth_kind="basic")
        self.assertEqual(request.headers["Authorization"], "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")

    def test_bearer_as_in_rfc_6750(self):
        request = self._request({"api_token": "mF_9.B5f-4.1JqM"}, auth_kind="bearer")
        self.assertEqual(request.headers["Authorization"], "Bearer mF_9.B5f-4.1JqM")

    def test_oauth2_client_credentials_as_in_rfc_6749(self):
        keys = {"api_key": "s6BhdRkqt3", "api_secret": "gX1fBAt3bV"}
        token = {"access_token": "2YotnFZFEjr1zCsicMWpAA", "token_type": "example", "expires_in": 3600}
        connector = make_spec(auth_kind="oauth2", token_path="/token", token_scope="orders")
        adapter, transport = make_adapter(connector, token, PAGE, PAGE, credentials=keys)
        adapter.fetch_orders_page(SINCE)
        adapter.fetch_orders_page(SINCE)
        asked, first, second = transport.requests  # the token is asked for once
        self.assertEqual((asked.method, asked.url), ("POST", f"{SHOP}/token"))
        self.assertEqual(asked.headers["Authorization"], "Basic czZCaGRSa3F0MzpnWDFmQkF0M2JW")
        self.assertEqual(asked.body, b"grant_type=client_credentials&scope=orders")
        for request in (first, second):
            self.assertEqual(request.headers["Authorization"], "Bearer 2YotnFZFEjr1zCsicMWpAA")

    def test_oauth2_token_that_ended_early_is_renewed_once(self):
        connector = make_spec(auth_kind="oauth2", token_path="/token", token_style="body")
        answers = ({"access_token": "old"}, (401, {}), {"access_token": "new"}, PAGE)
        adapter, transport = make_adapter(connector, *answers)
        adapter.fetch_orders_page(SINCE)
        self.assertEqual(transport.requests[-1].headers["Authorization"], "Bearer new")
        self.assertIn(b"client_secret=secret", transport.requests[0].body)
        adapter, transport = make_adapter(connector, (401, {}), {"access_token": "x"}, (401, {}))
        with self.assertRaises(AuthError):
            adapter.fetch_orders_page(SINCE)

    def test_oauth2_refused_keys_are_an_auth_error(self):
        adapter, _transport = make_adapter(make_spec(auth_kind="oauth2", token_path="/token"), (400, {"error": "no"}))
        with self.assertRaises(AuthError):
            adapter.fetch_orders_page(SINCE)

    def test_hmac_as_in_rfc_4231(self):
        raw = signing.digest("hmac_sha256", "Jefe", "what do ya want for nothing?")
        self.assertEqual(raw.hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        raw = signing.digest("hmac_md5", "Jefe", "what do ya want for nothing?")  # RFC 2104
        self.assertEqual(signing.encode(raw, "upper"), "750C783E6AB0B503EAA86E310A5DB738")

    def test_hmac_over_a_template(self):
        request = self._request(
            auth_kind="hmac",
            auth_name="X-Signature",
            sign_template="{{ method }}\n{{ path }}\n{{ query }}\n{{ timestamp }}\n{{ nonce }}\n{{ body_sha256 }}",
            sign_encoding="base64",
            header_lines="X-Key = {{ key }}\nX-Time = {{ timestamp }}\nX-Nonce = {{ nonce }}",
            query_lines="v = 2",
        )
        moment = int(NOW.timestamp())
        self.assertEqual(request.headers["X-Time"], str(moment))
        empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        text = f"GET\n/orders\nv=2\n{moment}\nn0nce\n{empty}"
        expected = base64.b64encode(signing.digest("hmac_sha256", "secret", text)).decode()
        self.assertEqual(request.headers["X-Signature"], expected)

    def test_sorted_parameters_as_in_the_documentation_of_top(self):
        """The example of Taobao's open platform: app 12345678, secret helloworld."""
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
        calls = [
            {
                "kind": "list_orders",
                "path": "/router/rest",
                "answer_expression": "orders",
                "query_lines": "\n".join(f"{name} = {value}" for name, value in params.items()),
            }
        ]
        keys = {"api_key": "12345678", "api_secret": "helloworld"}
        values = {"auth_kind": "sorted", "auth_name": "sign", "sign_place": "query"}
        request = self._request(keys, calls, sign_algorithm="md5", sign_encoding="upper", **values)
        self.assertEqual(dict(request.params)["sign"], "66987CB115214E59E6EC978214934FB8")

    def test_sorted_parameters_take_the_form_in(self):
        call = {
            "kind": "list_orders",
            "method": "POST",
            "path": "/router",
            "body_format": "form",
            "body": '{"b": "{{ key }}", "a": 1}',
        }
        values = {"auth_kind": "sorted", "auth_name": "sign", "sign_place": "query", "sign_algorithm": "md5"}
        request = self._request(
            calls=[call],
            answers=([ORDER],),
            sign_template="{{ sorted_params }}&key={{ secret }}",
            sign_pair_text="=",
            sign_join_text="&",
            **values,
        )
        self.assertEqual(request.body, b"b=app&a=1")
        self.assertEqual(dict(request.params)["sign"], signing.digest("md5", "", "a=1&b=app&key=secret").hex())

    def test_missing_keys_are_said(self):
        for kind, name in (("header", "X-Key"), ("basic", ""), ("hmac", "X-Sign")):
            with self.assertRaisesRegex(AuthError, "No API"):
                self._request({}, auth_kind=kind, auth_name=name, sign_template="{{ path }}")
        with self.assertRaisesRegex(AuthError, "secret"):
            self._request({"api_key": "k"}, auth_kind="hmac", auth_name="X", sign_template="{{ path }}")

    def test_no_header_is_smuggled_in(self):
        with self.assertRaises(Rejected):
            self._request({"api_key": "a\r\nX-Other: b"}, auth_kind="header", auth_name="X-Key")

    def test_secrets_are_in_no_error(self):
        keys = {"api_key": "k3y-v4lue", "api_secret": "s3cret-v4lue"}
        adapter, _transport = make_adapter(
            make_spec(auth_kind="query", auth_name="key"), (500, {"message": "oops"}), credentials=keys
        )
        with self.assertRaises(Unavailable) as raised:
            adapter.fetch_orders_page(SINCE)
        self.assertNotIn("v4lue", f"{raised.exception!r} {adapter!r} {adapter.config!r}")


class TestConnectorPages(AdapterCase):
    def setUp(self):
        super().setUp()
        client._paces.clear()

    def _read(self, connector, *answers, limit=2):
        """(ids of all pages, the queries that were sent)."""
        adapter, transport = make_adapter(connector, *answers)
        found, cursor = [], None
        while True:
            page = adapter.fetch_orders_page(SINCE, cursor=cursor, limit=limit)
            found += [item.external_id for item in page.items]
            cursor = page.next_cursor
            if cursor is None:
                self.assertFalse(transport.answers, "all pages are read")
                return found, [dict(request.params) for request in transport.requests]

    def test_one_page(self):
        found, _queries = self._read(make_spec(), {"orders": [order(1), order(2), order(3)]})
        self.assertEqual(found, ["A1", "A2", "A3"])

    def test_page_numbers(self):
        connector = make_spec(paging_style="page", page_param="p", size_param="n", page_size=2)
        found, queries = self._read(connector, {"orders": [order(1), order(2)]}, {"orders": [order(3)]})
        self.assertEqual(found, ["A1", "A2", "A3"])
        self.assertEqual(queries, [{"p": "1", "n": "2"}, {"p": "2", "n": "2"}])

    def test_unknown_page_size_is_read_until_a_page_is_empty(self):
        """The shop may give fewer rows than asked for: a short page alone does not say that it is the last."""
        connector = make_spec(paging_style="page", page_param="p", first_page=0)
        answers = ({"orders": [order(1)]}, {"orders": [order(2)]}, {"orders": []})
        found, queries = self._read(connector, *answers)
        self.assertEqual((found, [query["p"] for query in queries]), (["A1", "A2"], ["0", "1", "2"]))

    def test_offset_with_a_word_for_more(self):
        connector = make_spec(paging_style="offset", page_param="skip", size_param="take", more_expression="more")
        answers = ({"orders": [order(1), order(2)], "more": True}, {"orders": [order(3), order(4)], "more": False})
        found, queries = self._read(connector, *answers)
        self.assertEqual(len(found), 4)
        self.assertEqual(queries[1], {"skip": "2", "take": "2"})

    def test_cursor(self):
        connector = make_spec(paging_style="cursor", page_param="after", cursor_expression="next")
        answers = ({"orders": [order(1)], "next": "x+1"}, {"orders": [], "next": "x+2"}, {"orders": [order(2)]})
        found, queries = self._read(connector, *answers)
        self.assertEqual((found, queries), (["A1", "A2"], [{}, {"after": "x+1"}, {"after": "x+2"}]))

    def test_link_header(self):
        connector = make_spec(paging_style="link", auth_kind="query", auth_name="key")
        link = f'<{SHOP}/orders?page=2&key=old>; rel="next", <{SHOP}/orders?page=9>; rel="last"'
        adapter, transport = make_adapter(connector, (200, PAGE, {"link": link}), {"orders": [order(2)]})
        cursor = adapter.fetch_orders_page(SINCE).next_cursor
        self.assertIsNone(adapter.fetch_orders_page(SINCE, cursor=cursor).next_cursor)
        request = transport.requests[1]
        self.assertEqual((request.url, request.params), (f"{SHOP}/orders", (("page", "2"), ("key", "app"))))

    def test_link_to_another_host_is_not_followed(self):
        adapter, _transport = make_adapter(
            make_spec(paging_style="link"), (200, PAGE, {"link": '<https://evil.test/orders>; rel="next"'})
        )
        with self.assertRaisesRegex(BadResponse, "another address"):
            adapter.fetch_orders_page(SINCE)

    def test_page_in_the_body(self):
        call = {"kind": "list_orders", "method": "POST", "path": "/search", "answer_expression": "orders"}
        call["body"] = '{"page": "{{ page }}", "size": "{{ limit }}", "from": "{{ since }}"}'
        adapter, transport = make_adapter(make_spec([call], paging_style="page"), PAGE)
        adapter.fetch_orders_page(SINCE, limit=7)
        sent = json.loads(transport.requests[0].body)
        self.assertEqual(sent, {"page": 1, "size": 7, "from": "2026-01-01T00:00:00.000Z"})

    def test_sorted_list_begins_anew_at_the_last_change(self):
        """An order that changes while pages are read moves to the end: nobody is pushed past the reader."""
        connector = make_spec(paging_style="page", page_param="p", page_size=2, is_sorted=True, since_param="from")
        at = "2026-01-0{}T00:00:00Z".format
        answers = (
            {"orders": [order(1, at(2)), order(2, at(3))]},
            {"orders": [order(2, at(3)), order(3, at(3))]},
            {"orders": [order(4, at(5))]},
        )
        found, queries = self._read(connector, *answers)
        self.assertEqual(set(found), {"A1", "A2", "A3", "A4"})
        self.assertEqual([query["from"][:10] for query in queries], ["2026-01-01", "2026-01-03", "2026-01-03"])
        self.assertEqual([query["p"] for query in queries], ["1", "1", "2"])  # one and the same time: next page

    def test_a_shop_that_knows_no_pages_is_noticed(self):
        adapter, _transport = make_adapter(make_spec(paging_style="page", page_param="oops"), PAGE, PAGE)
        cursor = adapter.fetch_orders_page(SINCE).next_cursor
        with self.assertRaisesRegex(BadResponse, "same page again"):
            adapter.fetch_orders_page(SINCE, cursor=cursor)

    def test_dates_are_written_as_the_shop_reads_them(self):
        for time_format, expected in (
            ("iso", "2026-01-01T08:00:00+08:00"),
            ("unix", "1767225600"),
            ("unix_ms", "1767225600000"),
            ("text", "2026-01-01 08:00:00"),
        ):
            values = {"time_format": time_format, "time_zone": "Asia/Shanghai", "since_param": "from"}
            adapter, transport = make_adapter(make_spec(fields={"order.updated_at": None}, **values), {"orders": []})
            adapter.fetch_orders_page(SINCE)
            self.assertEqual(dict(transport.requests[0].params)["from"], expected)

    def test_order_that_cannot_be_mapped_is_stored_all_the_same(self):
        adapter, _transport = make_adapter(make_spec(), {"orders": [{"id": "A9", "total": "x"}]})
        [item] = adapter.fetch_orders_page(SINCE).items
        self.assertEqual((item.external_id, item.version), ("A9", ""))
        adapter, _transport = make_adapter(make_spec(), {"orders": [{"total": 1}]})
        with self.assertRaisesRegex(BadResponse, "without an id"):
            adapter.fetch_orders_page(SINCE)

    def test_products_say_how_many_there_are_and_payments_what_they_cost(self):
        call = {"kind": "list_products", "path": "/products"}
        connector = make_spec([call], {"listing.external_id": "id", "listing.quantity": "stock"})
        adapter, _transport = make_adapter(connector, [{"id": 7, "stock": "12"}, {"id": 8}])
        self.assertEqual([row.quantity for row in adapter.fetch_listings().items], [Decimal(12), None])
        fields = {"order.payments": "payments", "payment.amount": "sum", "payment.fee_amount": "fee"}
        adapter, _transport = make_adapter(make_spec(fields=fields))
        order = adapter.parse_order({**ORDER, "payments": [{"sum": "25.00", "fee": "0.75"}]})
        self.assertEqual(order.payments[0].fee_amount, Decimal("0.75"))

    def test_price_is_told(self):
        body = '{"price": "{{ price }}", "currency": "{{ currency }}"}'
        call = {"kind": "price", "method": "PUT", "path": "/products/{{ product_id }}/{{ listing_id }}", "body": body}
        adapter, transport = make_adapter(make_spec([*CALLS, call]), {})
        self.assertIn(base.PRICE, adapter.capabilities)
        adapter.push_price(PriceNotice("v1", "p1", "MUG", Decimal("9.50"), "EUR"))
        self.assertEqual(transport.calls, [("PUT", "/products/p1/v1", {"price": "9.50", "currency": "EUR"})])
        adapter, _transport = make_adapter(make_spec())
        self.assertNotIn(base.PRICE, adapter.capabilities)

    def test_money_that_is_not_there_is_not_asked_for(self):
        call = {"kind": "refund", "method": "POST", "path": "/refund", "body": '{"amount": "{{ amount }}"}'}
        call["done_expression"] = "contains(order.done || `[]`, idempotency_key)"
        fields = {"order.payments": "paid", "payment.amount": "sum", "payment.captured_amount": "sum"}
        connector = make_spec([*CALLS, call], {**fields, "payment.refunded_amount": "back"})
        raw, refund = {**ORDER, "paid": [{"sum": "25", "back": "20"}]}, RefundNotice("A1", Decimal(6), "EUR", "k1")
        for notice, words in ((refund, "only 5"), (replace(refund, currency="USD"), "in EUR, the refund in USD")):
            adapter, transport = make_adapter(connector, {"order": raw})
            with self.assertRaisesRegex(Rejected, words):
                adapter.push_refund(notice)
            self.assertEqual([method for method, _path, _body in transport.calls], ["GET"])
        adapter, _transport = make_adapter(connector, {"order": {**raw, "done": ["k1"]}})
        self.assertTrue(adapter.push_refund(refund).is_repeat, "what was given back is not asked for again")

    def test_cancellation_says_what_the_shop_gave_back(self):
        call = {"kind": "cancel", "method": "POST", "path": "/orders/{{ order_id }}/cancel", "body": "{}"}
        fields = {"order.payments": "paid", "payment.amount": "sum", "payment.captured_amount": "sum"}
        fields |= {"payment.refunded_amount": "back", "order.status": {"expression": "state", "default": "open"}}
        connector = make_spec([*CALLS, call], {**fields, "payment.external_id": "id"})
        paid, gone = ({**ORDER, "paid": [{"id": "p", "sum": 25, "back": back}]} for back in (0, 25))
        adapter, _transport = make_adapter(connector, {"order": paid}, {}, {"order": gone})
        result = adapter.push_cancel(CancelNotice("A1", "k1"))
        self.assertEqual((result.is_repeat, result.data), (False, {"refunded": {"p": "25.00"}}))
        # Without payments nobody knows, and nothing is read for it.
        adapter, transport = make_adapter(make_spec([*CALLS, call]), {"order": ORDER}, {})
        self.assertFalse(adapter.push_cancel(CancelNotice("A1", "k1")).data)
        self.assertEqual(len(transport.calls), 2)

    def test_cancelled_order_says_so_in_the_shops_own_words(self):
        status = {"expression": "state", "default": "open", "values": {"VOID": "cancelled"}}
        adapter, _transport = make_adapter(make_spec(fields={"order.status": status}))
        self.assertTrue(adapter.says_cancelled({"state": "VOID"}))
        for raw in ({"state": "PAID"}, {"state": []}, {}, None, []):
            self.assertFalse(adapter.says_cancelled(raw))

    def test_what_has_no_call_is_said(self):
        adapter, _transport = make_adapter(make_spec())
        for push in ("shipment", "delivered", "cancel", "cancel_lines", "answer", "return_received", "refund", "price"):
            with self.assertRaises(NotSupported):
                getattr(adapter, f"push_{push}")(None)

    def test_units_are_taken_off_and_requests_are_answered(self):
        body = '{"lines": {"for each": "lines", "give": {"id": "{{ item.id }}", "n": "{{ item.quantity }}"}}, '
        body += '"money": "{{ amount }}", "why": "{{ reason }}", "request?": "{{ request_id }}"}'
        calls = [
            {"kind": "cancel_lines", "method": "POST", "path": "/orders/{{ order_id }}/cancel", "body": body}
            | {"done_expression": "contains(order.done || `[]`, idempotency_key)"},
            {"kind": "answer", "method": "POST", "path": "/requests/{{ request_id }}"}
            | {"body": '{"yes": "{{ is_granted }}", "why": "{{ reason }}"}'},
        ]
        connector = make_spec([*CALLS, *calls])
        notice = CancelNotice("A1", "k1", "gone", lines=(("1", Decimal(1)),))
        answers = [{"order": ORDER}, {"order": ORDER}, {}]
        adapter, transport = make_adapter(connector, *answers)
        self.assertLessEqual({base.CANCEL_LINES, base.ANSWER}, adapter.capabilities)
        self.assertFalse(adapter.push_cancel_lines(notice).is_repeat)
        wanted = {"lines": [{"id": "1", "n": 1}], "money": 12.5, "why": "gone"}
        self.assertEqual(transport.calls[-1], ("POST", "/orders/A1/cancel", wanted))
        done = {"order": {**ORDER, "done": ["k1"]}}
        adapter, transport = make_adapter(connector, done, done)
        self.assertTrue(adapter.push_cancel_lines(notice).is_repeat)
        adapter, transport = make_adapter(connector, {"order": ORDER}, {})
        adapter.push_answer(AnswerNotice("A1", "R7", False, "k2", "worn"))
        self.assertEqual(transport.calls[-1], ("POST", "/requests/R7", {"yes": False, "why": "worn"}))
        adapter, _transport = make_adapter(make_spec())
        self.assertFalse({base.CANCEL_LINES, base.ANSWER} & adapter.capabilities)

    def test_products(self):
        call = {"kind": "list_products", "path": "/products"}
        fields = {"listing.external_id": "id", "listing.sku": "code", "listing.price": "price"}
        connector = make_spec([call], fields)
        adapter, _transport = make_adapter(connector, [{"id": 7, "code": "MUG", "price": 9}], currency="EUR")
        [listing] = adapter.fetch_listings().items
        self.assertEqual((listing.external_id, listing.sku, str(listing.price)), ("7", "MUG", "9"))


class TestConnectorErrors(AdapterCase):
    def setUp(self):
        super().setUp()
        client._paces.clear()

    def _fetch(self, *answers, **values):
        adapter, _transport = make_adapter(make_spec(**values), *answers)
        return adapter.fetch_orders_page(SINCE)

    def test_errors_in_a_good_answer(self):
        values = {"error_expression": "error.text", "busy_expression": "error.code == `7`"}
        with self.assertRaisesRegex(Rejected, "no such shop"):
            self._fetch({"error": {"code": 1, "text": "no such shop"}}, **values)
        with self.assertRaises(RateLimited):
            self._fetch({"error": {"code": 7, "text": "slow down"}}, **values)

    def test_statuses(self):
        for status, error in ((401, AuthError), (404, Rejected), (429, RateLimited), (503, Unavailable)):
            with self.assertRaisesRegex(error, "because"):
                self._fetch((status, {"message": "because"}))
        with self.assertRaises(Rejected) as raised:
            self._fetch((409, {"message": "locked"}))
        self.assertTrue(raised.exception.retryable)

    def test_what_is_no_json(self):
        for body in (b"<html>", b'{"a": ', b'{"a": NaN}', b"[" * 100000, b'{"n": ' + b"9" * 5000 + b"}", b"\xff\xfe"):
            with self.assertRaises(BadResponse):
                self._fetch(HttpResponse(200, {}, body))

    def test_what_no_database_keeps_is_left_out(self):
        body = json.dumps({"orders": [{**ORDER, "note": "a\x00b"}]}).encode()
        [item] = self._fetch(HttpResponse(200, {}, body)).items
        self.assertEqual(item.payload["note"], "ab")

    def test_list_that_is_none(self):
        for answer in ({"orders": "none"}, {"orders": [1, 2]}, {"orders": {"a": 1}}):
            with self.assertRaisesRegex(BadResponse, "list of objects"):
                self._fetch(answer)
        self.assertEqual(self._fetch({}).items, ())

    def test_another_order_than_asked_for(self):
        adapter, _transport = make_adapter(make_spec(), {"order": {**ORDER, "id": "B2"}})
        with self.assertRaises(BadResponse):
            adapter.fetch_order("A1")

    def test_ids_are_one_segment_of_the_path(self):
        adapter, transport = make_adapter(make_spec(), {"order": {**ORDER, "id": "../admin?x=1"}})
        adapter.fetch_order("../admin?x=1")
        self.assertEqual(transport.requests[0].url, f"{SHOP}/orders/..%2Fadmin%3Fx%3D1")
        for name in ("", "..", "."):
            with self.assertRaises(Rejected):
                adapter.fetch_order(name)

    def test_pace(self):
        client._paces.clear()
        self.patch(client.keep_pace, "__defaults__", (lambda: 1000.0,))  # between the calls no time passes
        adapter, _transport = make_adapter(make_spec(rate_limit=2, rate_seconds=5), PAGE, PAGE, PAGE)
        for _index in range(3):
            adapter.fetch_orders_page(SINCE)
        self.assertEqual(adapter.pauses, [5.0])
        self.addCleanup(client._paces.clear)
        times = iter([0.0, 0.1])
        client._paces.clear()
        for _index in range(2):
            if _index:
                with self.assertRaises(Throttled) as raised:  # our own pace: nothing was asked
                    client.keep_pace("shop", 1, 3600, None, lambda: next(times))
                self.assertGreater(raised.exception.retry_after, 3000)
            else:
                client.keep_pace("shop", 1, 3600, None, lambda: next(times))

    def test_timeouts_of_the_connector(self):
        adapter, transport = make_adapter(make_spec(connect_timeout=3, read_timeout=50), PAGE)
        adapter.fetch_orders_page(SINCE)
        self.assertEqual(transport.requests[0].timeout[:2], (3, 50))


class TestConnectorWebhooks(AdapterCase):
    BODY = json.dumps({"order": {"id": 5}, "what": "paid", "at": "2026-03-01T11:59:00Z"}).encode()
    VALUES = {"webhook_header": "X-Sign", "webhook_order_expression": "order.id", "webhook_topic_expression": "what"}

    def _take(self, kind, given, secret="whs", now=NOW, **values):
        adapter, _transport = make_adapter(make_spec(webhook_kind=kind, **self.VALUES, **values))
        return adapter.verify_and_parse_webhook({"x-sign": given}, self.BODY, secret, now=now)

    def test_each_kind(self):
        for kind, prefix in (("hmac_hex", "sha256="), ("hmac_base64", ""), ("token", "")):
            given = prefix + signing.sign_webhook(kind, "whs", self.BODY)
            event = self._take(kind, given, webhook_prefix=prefix)
            self.assertEqual((event.order_external_id, event.topic, event.concerns_order), ("5", "paid", True))
            with self.assertRaises(AuthError):
                self._take(kind, given + "x", webhook_prefix=prefix)
            with self.assertRaises(AuthError):
                self._take(kind, given, secret=[])
        with self.assertRaises(AuthError):
            self._take("none", "")

    def test_old_ones_are_refused_where_the_time_is_known(self):
        given = signing.sign_webhook("hmac_hex", "whs", self.BODY)
        values = {"webhook_time_expression": "at"}
        event = self._take("hmac_hex", given, **values)
        self.assertEqual(event.event_id, self._take("hmac_hex", given, now=NOW, **values).event_id)
        with self.assertRaises(AuthError):
            self._take("hmac_hex", given, now=NOW + timedelta(hours=1), **values)

    def test_same_body_later_is_another_event(self):
        """Without an id or a time the same words may tell of a second change, which must not be lost."""
        given = signing.sign_webhook("hmac_hex", "whs", self.BODY)
        first, again = (self._take("hmac_hex", given).event_id for _index in range(2))
        later = self._take("hmac_hex", given, now=NOW + timedelta(minutes=5)).event_id
        self.assertEqual(first, again)
        self.assertNotEqual(first, later)

    def test_capabilities_are_what_there_are_calls_for(self):
        adapter, _transport = make_adapter(make_spec())
        self.assertEqual(adapter.capabilities, {"orders"})
        adapter, _transport = make_adapter(make_spec(webhook_kind="token", **self.VALUES))
        self.assertEqual(adapter.capabilities, {"orders", "webhook"})
        self.assertEqual(make_adapter(spec.ConnectorSpec())[0].capabilities, frozenset())
        # Only a list that goes by time can be counted.
        adapter, _transport = make_adapter(make_spec(since_param="updated_after"))
        self.assertEqual(adapter.capabilities, {"orders", "audit"})

    def test_orders_are_counted_with_number_and_time(self):
        adapter, transport = make_adapter(make_spec(since_param="updated_after"), PAGE)
        [[ref]] = adapter.list_order_ids(NOW)
        self.assertEqual((ref.external_id, ref.number, ref.payload), ("A1", "A1", ORDER))
        self.assertEqual(ref.placed_at, datetime(2026, 1, 1, 10, tzinfo=UTC))
        self.assertIn("updated_after", dict(transport.requests[0].params))
