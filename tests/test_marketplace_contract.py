"""The marketplace adapter against the simulated marketplace, healthy and sick. Needs no database."""

import re
import socket
import sys
import threading
import time
import urllib.error
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from servers.hook_sink import HookSink
from servers.marketplace_server import SCRIPT, SECRETS, MarketplaceServer
from servers.odoo_server import wait_until

from odoo.addons.oms_channels.adapters import get_adapter_class, http
from odoo.addons.oms_channels.adapters.errors import AuthError, BadResponse, RateLimited, Rejected, Unavailable
from odoo.addons.oms_channels.adapters.notices import (
    CancelNotice,
    DeliveryNotice,
    RefundNotice,
    ReturnNotice,
    ShipmentNotice,
    StockLevel,
)
from odoo.addons.oms_channels.adapters.types import ChannelConfig

sys.path.insert(0, str(SCRIPT.parent))
from market.orders import stamp
from marketplace import make_market, parse_arguments

pytestmark = pytest.mark.nodb
IMPATIENT = (2, 0.5, 1.5)  # for what is meant to take too long: on a busy machine any call may take as long
FAULTS = ("throttle", "outage", "busy", "half", "hang")


@pytest.fixture(scope="module")
def server():
    with MarketplaceServer() as server:
        yield server


@pytest.fixture
def market(server):
    """The market, healthy again after each test."""
    yield server
    server.set(**dict.fromkeys((*FAULTS, "webhook_duplicate", "webhook_loss", "webhook_disorder"), 0), pause=False)
    server.post("/admin/webhooks", shop="tmall", url="", secret="")


def _impatient(request):
    return http.send(replace(request, timeout=IMPATIENT))


def _make_adapter(market, shop="tmall", transport=http.send, **credentials):
    key, secret = SECRETS[shop]
    config = ChannelConfig(market.url, {"api_key": key, "api_secret": secret, **credentials})
    return get_adapter_class("marketplace")(config, transport)


@pytest.fixture
def adapter(market):
    return _make_adapter(market)


def _lines(adapter, order_id, quantity=None):
    order = adapter.parse_order(adapter.fetch_order(order_id))
    return tuple((line.external_id, Decimal(quantity or line.quantity)) for line in order.lines)


def _ship(adapter, order_id, key="ship-1", number="SF1"):
    notice = ShipmentNotice(order_id, _lines(adapter, order_id), number, "SF Express", key)
    return notice, adapter.push_shipment(notice)


# === HEALTHY === #


def test_connection_and_wrong_keys(market, adapter):
    assert adapter.test_connection()["shop"] == "云栖旗舰店"
    for wrong in ({"api_key": "x"}, {"api_secret": "x"}, {"api_secret": ""}):
        with pytest.raises(AuthError):
            _make_adapter(market, **wrong).test_connection()
    late = get_adapter_class("marketplace")(adapter.config, clock=lambda: datetime.now(UTC) - timedelta(hours=1))
    with pytest.raises(AuthError):
        late.test_connection()


def test_orders_add_up_and_stay_in_their_shop(market, adapter):
    since = datetime.now(UTC) - timedelta(seconds=2)
    placed, others = market.place("tmall", 25), market.place("jd", 5)
    items = [item for page in adapter.iter_orders_since(since, limit=10) for item in page.items]
    assert set(placed) <= {item.external_id for item in items}
    assert not {item.external_id for item in items} & set(others)
    for item in items:
        order = adapter.parse_order(item.payload)
        assert order.parts_total == order.total, order.external_id
        assert order.version == item.version
        assert order.is_paid and order.payments[0].captured_amount == order.total
    with pytest.raises(Rejected):
        adapter.fetch_order(others[0])


def test_same_seed_same_orders():
    books = []
    for _index in range(2):
        with MarketplaceServer(seed=42, options=("--quiet-market", "--set", "bad_address=0.5")) as market:
            orders = [market.get_order(order_id) for order_id in market.place("tmall", 10)]
        for order in orders:
            for item in order["items"]:
                del item["oid"]  # has the day in it
        books.append(
            [(order["items"], order["receiver"], order["payment"], order["buyer_message"]) for order in orders]
        )
    assert books[0] == books[1]


def test_book_survives_a_restart(market):
    with MarketplaceServer() as own:
        order_id = own.place("tmall")[0]
        before = own.get_order(order_id)
        own.stop()
        own.start()
        assert own.get_order(order_id) == before
        assert own.place("tmall")[0] != order_id


def test_buyers_mistakes_are_real_mistakes(market, adapter):
    market.set(bad_address=1)
    orders = [adapter.parse_order(adapter.fetch_order(order_id)) for order_id in market.place("tmall", 20)]
    market.set(bad_address=0)
    addresses = [order.shipping_address for order in orders]
    assert any(not address.street for address in addresses)
    assert any(not re.fullmatch(r"1\d{10}", address.phone) for address in addresses)


def test_edits_and_cancellations_raise_the_version(market, adapter):
    order_id = market.place("tmall")[0]
    first = adapter.parse_order(adapter.fetch_order(order_id))
    assert market.act(order_id, "edit_address")
    edited = adapter.parse_order(adapter.fetch_order(order_id))
    assert edited.version > first.version and edited.shipping_address != first.shipping_address
    assert market.act(order_id, "cancel")
    closed = adapter.parse_order(adapter.fetch_order(order_id))
    assert (closed.status, closed.payments[0].state, closed.total) == ("cancelled", "refunded", first.total)
    assert closed.version > edited.version


def test_whole_way_of_an_order_is_told_once(market, adapter):
    order_id = market.place("tmall")[0]
    total = adapter.parse_order(adapter.fetch_order(order_id)).total
    notice, shipment = _ship(adapter, order_id)
    assert adapter.push_shipment(notice).is_repeat
    delivered = DeliveryNotice(order_id, "d", shipment_external_id=shipment.external_id)
    assert [adapter.push_delivered(delivered).is_repeat for _index in range(2)] == [False, True]
    assert market.act(order_id, "ask_refund")
    request = adapter.parse_order(adapter.fetch_order(order_id)).refund_requests[0]
    assert (request.kind, request.state) == ("return", "requested")
    back = ReturnNotice(order_id, request.lines, "back-1", request_external_id=request.external_id)
    assert [adapter.push_return_received(back).is_repeat for _index in range(2)] == [False, True]
    money = RefundNotice(order_id, request.amount, "CNY", "refund-1", request_external_id=request.external_id)
    assert [adapter.push_refund(money).is_repeat for _index in range(2)] == [False, True]
    order = adapter.parse_order(adapter.fetch_order(order_id))
    assert (order.total, order.payments[0].refunded_amount) == (total, request.amount)
    assert [(row.state, row.amount) for row in order.refund_requests] == [("refunded", request.amount)]
    assert sum(line.returned_quantity for line in order.lines) == sum(quantity for _line, quantity in request.lines)
    with pytest.raises(Rejected):
        adapter.push_refund(RefundNotice(order_id, total, "CNY", "refund-2"))
    with pytest.raises(Rejected):
        adapter.push_cancel(CancelNotice(order_id, "c"))


def test_listings_and_stock(market, adapter):
    listings, cursor = [], None
    while True:
        page = adapter.fetch_listings(cursor=cursor, limit=20)
        listings += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len({listing.sku for listing in listings}) == len(listings) > 40
    levels = [StockLevel(listing.sku, Decimal(index)) for index, listing in enumerate(listings * 3)]
    errors = adapter.push_stock([*levels, StockLevel("NO-SUCH", Decimal(1))]).errors
    assert not any(errors[:-1]) and errors[-1]


# === SICK === #


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("throttle", RateLimited),
        ("outage", Unavailable),
        ("busy", Unavailable),
        ("half", BadResponse),
        ("hang", Unavailable),
    ],
)
def test_fault_is_a_retryable_error_and_a_push_behind_it_counts_once(market, adapter, fault, error):
    order_id = market.place("tmall")[0]
    notice = ShipmentNotice(order_id, _lines(adapter, order_id), "SF1", "SF", "ship-1")
    calls = []

    def failing_second(request):
        calls.append(request)
        is_sick = len(calls) == 2
        market.set(hang_seconds=3, **{fault: int(is_sick)})
        return (_impatient if is_sick and fault == "hang" else http.send)(request)

    with pytest.raises(error) as caught:
        _make_adapter(market, transport=failing_second).push_shipment(notice)
    assert caught.value.retryable
    assert caught.value.retry_after == (3.0 if fault == "throttle" else None)
    done_by_the_first = fault in ("half", "hang")
    if done_by_the_first:  # who gave up on it may have been faster
        wait_until(lambda: market.get_order(order_id)["logistics"], "the shop has done its part")
    market.set(**{fault: 0})
    assert adapter.push_shipment(notice).is_repeat == done_by_the_first
    assert len(market.get_order(order_id)["logistics"]) == 1


def test_too_many_calls_a_second_are_throttled(market, adapter):
    market.set(calls_per_second=1)
    try:
        with pytest.raises(RateLimited):
            for _index in range(30):
                adapter.test_connection()
    finally:
        market.set(calls_per_second=1000)


def test_nobody_there_is_unavailable():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        config = ChannelConfig(f"http://127.0.0.1:{probe.getsockname()[1]}", {"api_key": "k", "api_secret": "s"})
        with pytest.raises(Unavailable):
            get_adapter_class("marketplace")(config).test_connection()


def _serve_once(answer, pause=0.0):
    """A port that answers one connection with raw bytes, the pieces of a list ``pause`` seconds apart."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        connection, _address = listener.accept()
        with connection, listener:
            connection.recv(65536)
            try:
                for piece in answer:
                    connection.sendall(piece)
                    time.sleep(pause)
            except OSError:
                pass

    threading.Thread(target=run, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}/"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    ("answer", "pause", "error"),
    [
        ([HEAD + b"Content-Length: 100\r\n\r\n" + b'{"a": 1'], 0, BadResponse),
        ([HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n" + b'{"a":'], 0, BadResponse),
        ([HEAD + b"Content-Length: 2000000\r\n\r\n", *[b"x" * 100000] * 20], 0, BadResponse),
        # Each byte in time, the whole not: a minute of them, and who waits for it all is far too late.
        ([HEAD + b"Content-Length: 1000\r\n\r\n", *[b"x"] * 600], 0.1, Unavailable),
        ([b""], 0, Unavailable),
        ([b"SSH-2.0-OpenSSH\r\n\r\n"], 0, Unavailable),
    ],
    ids=["cut", "cut chunk", "too large", "dripping", "closed", "no http"],
)
def test_broken_answers_become_errors_of_ours(answer, pause, error):
    request = http.HttpRequest("GET", _serve_once(answer, pause), max_bytes=1_000_000)
    if pause:
        request = replace(request, timeout=IMPATIENT)
    start = time.monotonic()
    with pytest.raises(error) as caught:
        http.send(request)
    assert caught.value.retryable and caught.value.is_uncertain, "the shop may have done it"
    assert time.monotonic() - start < 30


def test_what_never_reached_the_shop_is_known_not_to_be_done():
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    for scheme in ("http", "https"):
        with pytest.raises(Unavailable) as caught:
            http.send(http.HttpRequest("POST", f"{scheme}://127.0.0.1:{port}/", timeout=IMPATIENT))
        assert caught.value.retryable and not caught.value.is_uncertain
    with pytest.raises(Unavailable) as caught:
        http.send(http.HttpRequest("POST", "http://nobody.invalid/", timeout=IMPATIENT))
    assert not caught.value.is_uncertain


def test_redirects_are_not_followed():
    url = _serve_once([b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"])
    assert http.send(http.HttpRequest("GET", url)).status == 302


def test_poller_of_a_busy_sick_market_loses_nothing():
    """Orders come, change and close while pages are read, and one call in five fails."""
    faults = [pair for fault in ("throttle", "outage", "busy", "half") for pair in ("--set", f"{fault}=0.05")]
    changes = [pair for change in ("edit=0.3", "cancel=0.2", "unpaid=0") for pair in ("--set", change)]
    with MarketplaceServer(rate=1800, options=[*faults, *changes, "--set", "calls_per_second=1000"]) as own:
        adapter = _make_adapter(own)
        seen, checkpoint, failures = {}, datetime.now(UTC) - timedelta(minutes=1), 0

        def poll():
            nonlocal checkpoint, failures
            cursor, since, limit = None, checkpoint - timedelta(seconds=3), 7
            while True:
                try:
                    page = adapter.fetch_orders_page(since, cursor=cursor, limit=limit)
                except (RateLimited, Unavailable, BadResponse):
                    failures += 1
                    continue
                for item in page.items:
                    seen[item.external_id] = max(item.version, seen.get(item.external_id, ""))
                    checkpoint = max(checkpoint, adapter.parse_order(item.payload).updated_at)
                cursor = page.next_cursor
                if cursor is None:
                    return

        end = time.monotonic() + 5
        while time.monotonic() < end:
            poll()
        own.set(pause=True)
        state = own.get("/admin/state")
        poll()
        sold = next(shop["orders"] for shop in state["shops"] if shop["code"] == "tmall")
        assert failures and len(seen) == sold > 20
        stale = {key: version for key, version in seen.items() if f"{own.get_order(key)['row_version']:010d}" > version}
        assert not stale


# === WEBHOOKS === #


def test_webhooks_are_signed_repeated_and_lead_to_the_order(market, adapter):
    with HookSink() as sink:
        market.post("/admin/webhooks", shop="tmall", url=sink.url, secret="w1")
        market.set(webhook_duplicate=1)
        order_id = market.place("tmall")[0]
        calls = sink.wait_for(lambda calls: len(calls) >= 3)
    now = datetime.now(UTC)
    events = [adapter.verify_and_parse_webhook(call.headers, call.body, "w1", now=now) for call in calls]
    assert {event.order_external_id for event in events} == {order_id}
    assert {event.topic for event in events} == {"trade_created", "trade_paid"}
    assert len({event.event_id for event in events}) == 2
    with pytest.raises(AuthError):
        adapter.verify_and_parse_webhook(calls[0].headers, calls[0].body, "w2", now=now)


# === ADMIN === #


def test_settings_are_checked_and_all_or_nothing(market):
    for values in ({"rate": "fast"}, {"throttle": 2}, {"nonsense": 1}, {"outage": 0.5, "half": -1}):
        with pytest.raises(urllib.error.HTTPError) as caught:
            market.set(**values)
        assert caught.value.code == 400
        caught.value.close()
    settings = market.get("/admin/state")["settings"]
    assert (settings["outage"], settings["rate"]) == (0, 0)
    assert market.set(rate="2/s")["settings"]["rate"] == 120
    market.set(rate=0)


def test_late_changes_happen_when_they_come_and_those_of_a_history_when_they_were_planned():
    """Who reads what changed since has read on by then, and would never see them."""
    moments = []
    for history in ("0", "1"):
        market = make_market(parse_arguments(["--quiet-market", "--set", "cancel=1", "--history", history]))
        if history == "0":
            market.book.place()
        [order] = market.book.orders.values()
        later = market.book.now() + 24 * 3600
        market.book.now = lambda later=later: later
        market.book.run_due()
        assert order["status"] == "TRADE_CLOSED"
        moments.append(order["modified"] == stamp(later))
    assert moments == [True, False]


def test_nothing_happens_once_a_pause_is_answered():
    market = make_market(parse_arguments(["--quiet-market", "--history", "0"]))
    assert market._unless_paused(market.book.place)
    market.set_settings(pause=True)
    assert not market._unless_paused(market.book.place)
    assert len(market.book.orders) == 1


def test_market_sells_at_its_rate_of_its_own_accord():
    with MarketplaceServer(rate=600) as own:
        wait_until(lambda: sum(own.get("/admin/state")["orders"].values()) >= 10, "ten orders are sold")
