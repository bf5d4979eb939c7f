"""What every shop's adapter must do, in one suite: against real Medusa and Vendure shops, a shop that answers as
WooCommerce does (or a given real one, see servers/shops.py) and the simulated marketplace; healthy, and on a sick wire.
"""

import contextlib
import inspect
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from servers import shopify_schema
from servers.hook_sink import HookSink
from servers.shops import WEBHOOK_SECRET, make_drivers, stop_shared
from servers.woocommerce_server import KEY, READ_KEY, SECRET, WooCommerceServer

from odoo.addons.oms_channels.adapters import base, get_adapter_class, http
from odoo.addons.oms_channels.adapters.errors import (
    AdapterError,
    AuthError,
    BadResponse,
    NotSupported,
    RateLimited,
    Rejected,
    Unavailable,
)
from odoo.addons.oms_channels.adapters.notices import (
    AnswerNotice,
    CancelNotice,
    DeliveryNotice,
    PriceNotice,
    RefundNotice,
    ReturnNotice,
    ShipmentNotice,
    StockLevel,
)
from odoo.addons.oms_channels.adapters.types import ChannelConfig
from odoo.addons.oms_channels.adapters.values import round_money

DRIVERS = make_drivers()
NEEDS_NO_DATABASE = (
    "woocommerce",
    "woocommerce-notes",
    "woocommerce-lived-in",
    "woocommerce-given",
    "marketplace",
    "amazon",
    "amazon-v0",
    "taobao",
    "jd",
    "wechat",
)
if shopify_schema.is_installed():  # ./oms test installs it, ./oms test --fast takes it where it is there
    NEEDS_NO_DATABASE += ("shopify",)
CENT = Decimal("0.01")


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=[pytest.mark.nodb] if name in NEEDS_NO_DATABASE else []) for name in DRIVERS],
)
def shop(request):
    with DRIVERS[request.param]() as driver:
        yield driver


@pytest.fixture(scope="module", autouse=True)
def shared_shops():
    yield
    stop_shared()


def needs(*capabilities, **traits):
    """Only for the shops whose adapter can do this, and whose driver has these traits."""

    def applies(params):
        driver = DRIVERS[params["shop"]]()
        return driver.get_capabilities().issuperset(capabilities) and all(
            getattr(driver, name) == value for name, value in traits.items()
        )

    return pytest.mark.only_where.with_args(applies)


def not_for(*providers):
    return pytest.mark.only_where.with_args(lambda params: DRIVERS[params["shop"]]().provider not in providers)


@pytest.fixture
def adapter(shop):
    return shop.make_adapter()


@pytest.fixture(scope="module")
def listed(shop):
    """(a time just before, by the shop's clock; ids) of five orders that nobody ships: buying takes longest."""
    order_ids = [shop.place() for _index in range(5)]
    return _parse(shop.make_adapter(), order_ids[0]).updated_at, order_ids


def _parse(adapter, order_id):
    return adapter.parse_order(adapter.fetch_order(order_id))


def _make_shipment(adapter, order_id, units=None, key="ship-1", number="SF1001"):
    """A notice for so many units of the order, from its first line on; None for all."""
    lines, left = [], units
    for line in sorted(_parse(adapter, order_id).lines, key=lambda line: line.external_id):
        open_units = line.open_quantity - line.shipped_quantity
        taken = open_units if left is None else min(open_units, Decimal(left))
        if taken:
            lines.append((line.external_id, taken))
        left = None if left is None else left - int(taken)
    url = f"https://t.example.com/{number}" if number else ""
    return ShipmentNotice(order_id, tuple(lines), number, "SF Express", key, tracking_url=url)


def _count_shipped(adapter, order_id):
    return sum(line.shipped_quantity for line in _parse(adapter, order_id).lines)


def _count_units(adapter, order_id):
    return sum(line.quantity for line in _parse(adapter, order_id).lines)


def _sort_lines(order):
    """Some shops give the lines in no order."""
    return replace(order, lines=tuple(sorted(order.lines, key=lambda line: line.external_id)))


def _read_all(adapter, since, limit=2):
    return [item for page in adapter.iter_orders_since(since, limit=limit) for item in page.items]


# === CONNECTION === #


def test_connection_names_the_shop_and_a_wrong_key_is_refused(shop, adapter):
    assert adapter.test_connection()["shop"]
    with pytest.raises(AuthError) as caught:
        shop.make_adapter(**shop.wrong).test_connection()
    assert not caught.value.retryable
    empty = dict.fromkeys(adapter.credential_keys, "")
    with pytest.raises(AuthError):
        shop.make_adapter(**empty).test_connection()


@pytest.mark.only_where.with_args(lambda params: DRIVERS[params["shop"]]().provider in ("taobao", "jd"))
def test_connection_names_the_packages_that_are_missing(shop, adapter):
    """Rights are given call by call; nothing of the shop is changed to find out."""
    assert "Missing permissions" not in dict(adapter.test_connection()["details"])
    packages = {
        "jd": ["jingdong.asc.query.list", "jingdong.pop.order.shipment"],
        "taobao": ["taobao.refund.get", "taobao.logistics.address.search"],
    }[shop.provider]
    shop.server.forbidden = set(packages)
    try:
        missing = dict(adapter.test_connection()["details"])["Missing permissions"]
    finally:
        shop.server.forbidden = set()
    assert missing == ", ".join(packages)


@pytest.mark.only_where.with_args(lambda params: DRIVERS[params["shop"]]().provider == "jd")
def test_missing_after_sales_package_keeps_back_no_shipped_order(shop, adapter):
    order_id = shop.place()
    since = _parse(adapter, order_id).updated_at
    adapter.push_shipment(_make_shipment(adapter, order_id))
    locked = shop.place()
    shop.server.ask_refund(locked)
    shop.server.forbidden = {"jingdong.asc.query.list", "jingdong.pop.afs.soa.refundapply.queryPageList"}
    try:
        found = {item.external_id: item.payload for item in _read_all(adapter, since)}
    finally:
        shop.server.forbidden = set()
    assert _parse(adapter, order_id) == adapter.parse_order(found[order_id])
    # Whether it is to be sent must be known.
    assert adapter.is_incomplete(found[locked]) and not adapter.is_incomplete(found[order_id])


def test_nobody_at_the_address_is_an_outage(shop, adapter):
    config = replace(shop.get_config(), base_url="http://127.0.0.1:9")
    with pytest.raises(Unavailable):
        type(adapter)(config).test_connection()


# === ORDERS === #


def test_each_order_is_found_exactly_once(shop, adapter, listed):
    since, order_ids = listed
    items = _read_all(adapter, since)
    found = [item.external_id for item in items if item.external_id in order_ids]
    if shop.lists_once:
        assert len(found) == len(order_ids)
        if not shop.own_skus:  # else two of them may have been placed within one second, in which no order is told
            assert found == order_ids
    assert sorted(set(found)) == sorted(order_ids)
    # What is named twice is the same, and so recognised.
    assert len({(item.external_id, item.version) for item in items}) == len({item.external_id for item in items})


@needs(base.AUDIT)
def test_count_names_each_order_with_number_and_time(shop, adapter, listed):
    since, order_ids = listed
    refs = {ref.external_id: ref for refs in adapter.list_order_ids(since, limit=2) for ref in refs}
    assert set(order_ids) <= refs.keys()
    assert adapter.count_orders(since) >= len(order_ids)
    for order_id in order_ids:
        order = _parse(adapter, order_id)
        assert (refs[order_id].number, refs[order_id].placed_at) == (order.reference, order.placed_at)


def test_cancelled_order_says_so_without_being_read(shop, adapter, listed):
    raw = adapter.fetch_order(listed[1][0])
    assert not adapter.says_cancelled(raw)
    for nonsense in (None, [], {}, {"status": None, "state": ["x"]}):
        assert not adapter.says_cancelled(nonsense)


def test_order_adds_up_to_the_cent(shop, adapter, listed):
    order = _parse(adapter, listed[1][0])
    assert order.status == "open" and order.is_paid and order.currency == shop.currency
    assert abs(order.parts_total - order.total) <= shop.sums_may_differ
    assert sum(payment.captured_amount for payment in order.payments) == order.total
    for line in order.lines:
        paid = line.price_unit * line.quantity - line.discount_amount + (0 if line.is_tax_included else line.tax_amount)
        assert abs(paid - line.total) < CENT


def test_reading_twice_is_reading_the_same(adapter, listed):
    since, [*_others, order_id] = listed
    first, second = adapter.fetch_order(order_id), adapter.fetch_order(order_id)
    assert first == second
    listed = next(item for item in _read_all(adapter, since) if item.external_id == order_id)
    assert listed.version == adapter.parse_order(first).version
    assert _sort_lines(adapter.parse_order(listed.payload)) == _sort_lines(adapter.parse_order(first))


def test_unknown_order_is_a_final_refusal(adapter):
    with pytest.raises(AdapterError) as caught:
        adapter.fetch_order("99999999")
    assert isinstance(caught.value, Rejected) and not caught.value.retryable


def test_edit_is_seen_and_newer(shop, adapter):
    order_id = shop.place()
    before = _parse(adapter, order_id)
    shop.edit(order_id, "99 New Road")
    after = _parse(adapter, order_id)
    assert after.version > before.version
    assert after.shipping_address != before.shipping_address
    assert _sort_lines(after).lines == _sort_lines(before).lines and after.total == before.total


def test_names_in_any_writing_survive(shop, adapter):
    name, street = "张三 O'Brien-Ñúñez", "文三路 90 号 “甲” 🚚"
    address = _parse(adapter, shop.place(name=name, street=street)).shipping_address
    if shop.provider == "marketplace":  # its buyers have names of their own
        assert not address.name.isascii() and not address.street.isascii()
    else:
        assert address.street == street and "张三" in address.name and "Ñúñez" in address.name


def test_order_that_changes_under_the_reader_hides_no_other(shop, adapter, listed):
    since, order_ids = listed
    page = adapter.fetch_orders_page(since, limit=2)
    shop.edit(order_ids[0], "1 Moved Street")
    items = list(page.items)
    while page.next_cursor:
        page = adapter.fetch_orders_page(since, cursor=page.next_cursor, limit=2)
        items += page.items
    assert set(order_ids) <= {item.external_id for item in items}
    if shop.edit_bumps_list:
        versions = [item.version for item in items if item.external_id == order_ids[0]]
        assert max(versions) == _parse(adapter, order_ids[0]).version


def test_order_of_the_very_moment_asked_for_is_in_the_list(adapter, listed):
    order_id = listed[1][-1]
    moment = _parse(adapter, order_id).updated_at
    assert order_id in [item.external_id for item in _read_all(adapter, moment)]
    # The checkpoint that is kept has no fractions of a second.
    assert order_id in [item.external_id for item in _read_all(adapter, moment.replace(microsecond=0))]
    later = moment + timedelta(seconds=2)
    assert order_id not in [item.external_id for item in _read_all(adapter, later)]


def has_clock(params):
    """Whether the shop's adapter looks at our clock at all."""
    adapter_class = get_adapter_class(DRIVERS[params["shop"]]().provider)
    return "clock" in inspect.signature(adapter_class).parameters


@pytest.mark.only_where.with_args(has_clock)
@pytest.mark.parametrize("minutes", [-30, 30])
def test_our_clock_that_is_wrong_hides_no_order(shop, listed, minutes):
    """What is asked for goes by the shop's clock. Who signs the time of a call is told to set ours right."""
    adapter_class = get_adapter_class(shop.provider)
    wrong = adapter_class(shop.get_config(), clock=lambda: datetime.now(UTC) + timedelta(minutes=minutes))
    try:
        found = {item.external_id for item in _read_all(wrong, listed[0])}
    except AuthError as error:
        assert "clock" in error.message
    else:
        assert set(listed[1]) <= found


@needs(base.WEBHOOK)
def test_late_webhook_cannot_bring_back_the_past(shop, adapter):
    order_id = shop.place()
    old, old_webhook = adapter.fetch_order(order_id), shop.make_webhook(order_id)
    shop.edit(order_id, "99 New Road")
    new_webhook = shop.make_webhook(order_id)
    for headers, body in (new_webhook, old_webhook):
        event = adapter.verify_and_parse_webhook(headers, body, WEBHOOK_SECRET, now=datetime.now(UTC))
        assert event.concerns_order and adapter.resolve_event(event) == order_id
    newest = adapter.fetch_order(order_id)
    assert adapter.parse_order(old).version < adapter.parse_order(newest).version


@needs(base.WEBHOOK)
def test_webhook_is_believed_only_with_its_signature(shop, adapter, listed):
    headers, body = shop.make_webhook(listed[1][1])
    now = datetime.now(UTC)
    first = adapter.verify_and_parse_webhook(headers, body, ["new-secret", WEBHOOK_SECRET], now=now)
    assert first.event_id == adapter.verify_and_parse_webhook(headers, body, WEBHOOK_SECRET, now=now).event_id
    for secret, given in (("wrong", body), ("", body), ([], body), (WEBHOOK_SECRET, body + b" ")):
        with pytest.raises(AuthError):
            adapter.verify_and_parse_webhook(headers, given, secret, now=now)
    with pytest.raises(AuthError):
        adapter.verify_and_parse_webhook({"Content-Type": "application/json"}, body, WEBHOOK_SECRET, now=now)


# === PUSHES === #


def test_parcels_are_told_one_by_one_and_each_once(shop, adapter):
    order_id = shop.place()
    first = _make_shipment(adapter, order_id, units=1, key="parcel-1", number="SF2001")
    second = _make_shipment(adapter, order_id, key="parcel-2", number="SF2002")
    assert not adapter.push_shipment(first).is_repeat
    assert _count_shipped(adapter, order_id) == (_count_units(adapter, order_id) if shop.ships_whole else 1)
    if not shop.ships_whole:
        second = _make_shipment(adapter, order_id, key="parcel-2", number="SF2002")
    results = [adapter.push_shipment(second), adapter.push_shipment(second), adapter.push_shipment(first)]
    assert [result.is_repeat for result in results] == [False, True, True]
    assert results[0].external_id == results[1].external_id != results[2].external_id
    assert shop.count_parcels(order_id) == 2
    assert _count_shipped(adapter, order_id) == _count_units(adapter, order_id)


@needs(keeps_our_key=False)
@not_for("amazon")  # it takes no parcel without a number
def test_parcels_without_a_number_are_told_apart(shop, adapter):
    if shop.provider in ("taobao", "jd", "wechat"):
        with pytest.raises(Rejected):
            adapter.push_shipment(_make_shipment(adapter, shop.place(), number=""))
        return
    order_id = shop.place()
    notice = _make_shipment(adapter, order_id, units=1, key="bare-1", number="")
    for key in ("bare-1", "bare-2"):
        assert not adapter.push_shipment(replace(notice, idempotency_key=key)).is_repeat
        assert adapter.push_shipment(replace(notice, idempotency_key=key)).is_repeat
    assert shop.count_parcels(order_id) == 2


@needs(base.CANCEL)
def test_cancelling_gives_the_money_back_once(shop, adapter):
    order_id = shop.place()
    total = _parse(adapter, order_id).total
    if shop.refunds_on_request:
        with pytest.raises(Rejected, match="Have the buyer apply"):
            adapter.push_cancel(CancelNotice(order_id, "cancel-0"))
        shop.ask_refund(order_id)
    result = adapter.push_cancel(CancelNotice(order_id, "cancel-1", reason="out of stock"))
    assert (result.is_repeat, sum(map(Decimal, result.data["refunded"].values()))) == (False, total)
    assert adapter.push_cancel(CancelNotice(order_id, "cancel-1")).is_repeat
    if base.REFUND in adapter.capabilities:
        assert adapter.push_refund(RefundNotice(order_id, total, shop.currency, "refund-c")).is_repeat
    order = _parse(adapter, order_id)
    assert (order.status, order.total, sum(row.refunded_amount for row in order.payments)) == (
        "cancelled",
        total,
        total,
    )
    assert adapter.says_cancelled(adapter.fetch_order(order_id))
    with pytest.raises(Rejected):
        adapter.push_shipment(_make_shipment_of_all(adapter, order_id))


def _make_shipment_of_all(adapter, order_id):
    lines = tuple((line.external_id, line.quantity) for line in _parse(adapter, order_id).lines)
    return ShipmentNotice(order_id, lines, "SF9", "SF Express", "late")


@needs(base.CANCEL)
def test_what_has_left_cannot_be_cancelled(shop, adapter):
    order_id = shop.place()
    adapter.push_shipment(_make_shipment(adapter, order_id))
    with pytest.raises(Rejected):
        adapter.push_cancel(CancelNotice(order_id, "cancel-2"))
    assert not shop.get_refunds(order_id)


def test_cancellation_in_the_shop_is_seen(shop, adapter):
    order_id = shop.place()
    before = _parse(adapter, order_id)
    shop.cancel(order_id)
    after = _parse(adapter, order_id)
    assert after.status == "cancelled" and after.version > before.version
    assert adapter.says_cancelled(adapter.fetch_order(order_id))
    assert after.total == before.total


@pytest.mark.only_where.with_args(lambda params: DRIVERS[params["shop"]]().reopen)  # else what is cancelled stays so
def test_order_that_is_opened_again_in_the_shop_is_seen(shop, adapter):
    order_id = shop.place()
    before = _parse(adapter, order_id)
    shop.cancel(order_id)
    cancelled = _parse(adapter, order_id)
    shop.reopen(order_id)
    after = _parse(adapter, order_id)
    assert (cancelled.status, after.status) == ("cancelled", "open") and after.version > cancelled.version
    assert (after.total, _sort_lines(after).lines) == (before.total, _sort_lines(before).lines)
    assert not adapter.says_cancelled(adapter.fetch_order(order_id))


@needs(base.REFUND)
def test_two_equal_refunds_are_both_paid(shop, adapter):
    """Two credit notes of one amount: one answer of the shop is not the answer to both."""
    order_id = shop.place()
    shop.ask_refund_twice(order_id, Decimal("1.50"))
    first = RefundNotice(order_id, Decimal("1.50"), shop.currency, "equal-1")
    made = adapter.push_refund(first)
    second = replace(first, idempotency_key="equal-2", used_request_ids=(made.external_id,))
    other = adapter.push_refund(second)
    assert (made.is_repeat, other.is_repeat) == (False, False) and made.external_id != other.external_id
    assert adapter.push_refund(second).is_repeat
    assert adapter.push_refund(replace(first, used_request_ids=(other.external_id,))).is_repeat
    assert shop.get_refunds(order_id) == [Decimal("1.50")] * 2


# Where the buyer has to ask: see test_taobao_grants_what_the_buyer_asks_for.
@needs(base.REFUND, refunds_on_request=False)
def test_money_goes_back_in_parts_each_once_and_never_too_much(shop, adapter):
    order_id = shop.place()
    adapter.push_shipment(_make_shipment(adapter, order_id))
    order = _parse(adapter, order_id)
    line = min(order.lines, key=lambda line: line.total)
    part = RefundNotice(
        order_id, Decimal("1.50"), shop.currency, "part-1", note="RINV/1", lines=((line.external_id, Decimal(1)),)
    )
    assert [adapter.push_refund(part).is_repeat for _index in range(2)] == [False, True]
    assert shop.get_refunds(order_id) == [Decimal("1.50")]
    now = _parse(adapter, order_id)
    assert (now.payments[0].state, now.payments[0].refunded_amount) == ("partially_refunded", Decimal("1.50"))
    assert now.total == order.total and now.version > order.version
    too_much = replace(part, amount=order.total, idempotency_key="part-2", lines=())
    with pytest.raises(Rejected):
        adapter.push_refund(too_much)
    with pytest.raises(Rejected):
        adapter.push_refund(replace(part, currency="ISK", idempotency_key="part-3"))
    rest = replace(too_much, amount=order.total - Decimal("1.50"))
    adapter.push_refund(rest)
    payment = _parse(adapter, order_id).payments[0]
    assert (payment.state, payment.refunded_amount) == ("refunded", order.total)


@needs(base.REFUND, refunds_on_request=False)
def test_money_of_several_payments_goes_back_of_all_of_them(shop, adapter):
    order_id = shop.place_in_parts()
    order = _parse(adapter, order_id)
    assert len(order.payments) == 1 + shop.takes_parts and order.is_paid
    most = RefundNotice(order_id, order.captured_total - 1, shop.currency, "most", note="RINV/1")
    results = [adapter.push_refund(most) for _index in range(2)]
    assert [result.is_repeat for result in results] == [False, True]
    assert results[0].external_id == results[1].external_id
    payments = _parse(adapter, order_id).payments
    assert sum(row.refunded_amount for row in payments) == most.amount
    assert all(0 < row.refunded_amount <= row.captured_amount for row in payments)
    with pytest.raises(Rejected):
        adapter.push_refund(replace(most, amount=Decimal("1.01"), idempotency_key="too-much"))
    adapter.push_refund(replace(most, amount=Decimal("1.00"), idempotency_key="rest"))
    assert _parse(adapter, order_id).captured_total == 0


@needs(base.DELIVERED)
def test_arrival_is_told_once(shop, adapter):
    order_id = shop.place()
    shipment = adapter.push_shipment(_make_shipment(adapter, order_id))
    arrived = DeliveryNotice(order_id, "arrived", shipment_external_id=shipment.external_id)
    assert [adapter.push_delivered(arrived).is_repeat for _index in range(2)] == [False, True]


@needs(base.RETURN_RECEIVED)
def test_return_is_told_once(shop, adapter):
    order_id = shop.place()
    adapter.push_shipment(_make_shipment(adapter, order_id))
    before = _parse(adapter, order_id)
    line = before.lines[0]
    notice = ReturnNotice(order_id, ((line.external_id, Decimal(1)),), "back-1", note="scratched")
    assert [adapter.push_return_received(notice).is_repeat for _index in range(2)] == [False, True]
    after = _parse(adapter, order_id)
    returned = {line.external_id: line.returned_quantity for line in after.lines if line.returned_quantity}
    assert returned == {line.external_id: 1}
    assert (after.total, after.refund_requests) == (before.total, ())
    # Else it would look like another price.
    assert [line.total for line in _sort_lines(after).lines] == [line.total for line in _sort_lines(before).lines]


@needs(base.ANSWER)
@pytest.mark.parametrize("is_granted", [True, False])
def test_what_a_buyer_asks_back_is_answered_once(shop, adapter, is_granted):
    order_id, request_id = shop.ask_back()
    answer = AnswerNotice(order_id, request_id, is_granted, "answer-1", reason="" if is_granted else "Worn too long")
    assert [adapter.push_answer(answer).is_repeat for _index in range(2)] == [False, True]
    with pytest.raises(Rejected):
        adapter.push_answer(replace(answer, is_granted=not is_granted, idempotency_key="answer-2"))
    with pytest.raises(Rejected):
        adapter.push_answer(replace(answer, request_external_id="99999999"))
    states = [request.state for request in _parse(adapter, order_id).refund_requests]
    assert states in ([["requested"], ["refunded"]] if is_granted else [["refused"], []])


@needs(base.CANCEL_LINES)
def test_units_are_taken_off_once_and_paid_back(shop, adapter):
    order_id = shop.place()
    before = _parse(adapter, order_id)
    line = max(before.lines, key=lambda line: (line.quantity, line.external_id))
    units = line.quantity if shop.cancels_lines_whole else Decimal(1)
    one = CancelNotice(order_id, "units-1", "out of stock", lines=((line.external_id, units),))
    with pytest.raises(Rejected):
        adapter.push_cancel_lines(replace(one, lines=((line.external_id, line.quantity + 1),)))
    if shop.refunds_on_request:
        with pytest.raises(Rejected, match="Have the buyer apply"):
            adapter.push_cancel_lines(one)
    shop.ask_units(order_id, line, units)
    results = [adapter.push_cancel_lines(one) for _index in range(2)]
    assert [result.is_repeat for result in results] == [False, True]
    worth = (line.total * units / line.quantity).quantize(CENT)
    after = _parse(adapter, order_id)
    [refunded] = shop.get_refunds(order_id)
    assert abs(refunded - worth) <= CENT
    assert sum(map(Decimal, results[0].data["refunded"].values())) == refunded
    assert sum(row.refunded_amount for row in after.payments) == refunded
    left = {row.external_id: row.open_quantity for row in after.lines if row.open_quantity}
    sold = {row.external_id: row.open_quantity for row in before.lines}
    wanted = {**sold, line.external_id: line.quantity - units}
    assert left == {key: units for key, units in wanted.items() if units}
    assert after.status == "open" and after.version > before.version
    # What the buyer owes is so much less, by whatever the shop says: else the order would be held for its total.
    gone = sum(row.total * row.cancelled_quantity / row.quantity for row in after.lines if row.cancelled_quantity)
    assert abs(before.total - worth - (after.total - gone)) <= CENT
    adapter.push_shipment(_make_shipment(adapter, order_id))
    shipped = next(row for row in after.lines if row.open_quantity)
    with pytest.raises(Rejected):
        adapter.push_cancel_lines(replace(one, idempotency_key="units-2", lines=((shipped.external_id, Decimal(2)),)))


@needs(base.CANCEL_LINES, base.REFUND, takes_parts=True)
def test_units_for_which_too_little_is_left_are_told(shop, adapter):
    """More was given back before than the rest is worth: nobody is to believe that the units were paid back in full."""
    order_id = shop.place_in_parts()
    order = _parse(adapter, order_id)
    line = max(order.lines, key=lambda line: line.total)
    adapter.push_refund(RefundNotice(order_id, order.captured_total - 5, shop.currency, "before"))
    result = adapter.push_cancel_lines(CancelNotice(order_id, "units-1", lines=((line.external_id, line.quantity),)))
    assert sum(map(Decimal, result.data["refunded"].values())) == order.captured_total
    assert Decimal(result.data["short"]) == line.total.quantize(CENT) - 5


@needs(base.PAYOUTS)
def test_money_that_was_paid_out_is_told_with_its_fees_each_once(shop, adapter):
    before, order_ids = datetime.now(UTC) - timedelta(days=2), [shop.place() for _index in range(3)]
    for order_id in order_ids:
        shop.server.settle(order_id)
    entries, cursor = [], None
    while True:
        page = adapter.fetch_payouts_page(before, cursor=cursor, limit=2)
        entries += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    assert len({entry.external_id for entry in entries}) == len(entries)
    assert all(entry.gross - entry.fee == entry.net for entry in entries)
    for order_id in order_ids:
        own = [entry for entry in entries if entry.order_external_id == order_id]
        [sale] = [entry for entry in own if entry.kind == "charge"]
        assert (sale.currency, sale.gross) == (shop.currency, _parse(adapter, order_id).total)
        assert 0 < sum(entry.fee for entry in own) < sale.gross
        assert bool(sale.payout_external_id) == shop.groups_payouts
    # What left for the bank is a movement as well: a payout adds up to nothing.
    assert sum(entry.net for entry in entries) == 0 and "payout" in {entry.kind for entry in entries}


def test_what_the_platform_lacks_is_said(adapter):
    for capability, method in (
        (base.WEBHOOK, lambda: adapter.verify_and_parse_webhook({}, b"", "s", now=None)),
        (base.CANCEL, lambda: adapter.push_cancel(None)),
        (base.CANCEL_LINES, lambda: adapter.push_cancel_lines(None)),
        (base.ANSWER, lambda: adapter.push_answer(None)),
        (base.REFUND, lambda: adapter.push_refund(None)),
        (base.DELIVERED, lambda: adapter.push_delivered(None)),
        (base.RETURN_RECEIVED, lambda: adapter.push_return_received(None)),
        (base.WEBHOOK_SETUP, lambda: adapter.ensure_webhooks("", "")),
        (base.PAYOUTS, lambda: adapter.fetch_payouts_page(None)),
        (base.REFRESH, lambda: adapter.refresh_credentials()),
    ):
        if capability not in adapter.capabilities:
            with pytest.raises(NotSupported):
                method()


def _list_all(shop, adapter):
    listings, cursor = [], None
    while True:
        page = adapter.fetch_listings(cursor=cursor, limit=shop.listing_page)
        listings += page.items
        if not (cursor := page.next_cursor):
            return listings


def _get_own(shop, listings):
    return [row for row in listings if not shop.own_skus or row.sku in shop.own_skus]


def test_stock_is_what_may_be_sold(shop, adapter):
    listings = _list_all(shop, adapter)
    assert len({listing.external_id for listing in listings}) == len(listings)
    shop.place()  # the shop's own reservations must not be subtracted twice
    chosen = sorted(_get_own(shop, listings), key=lambda listing: listing.sku)[:2]
    levels = [
        StockLevel(
            row.sku,
            Decimal(300 + index),
            row.external_id,
            row.inventory_external_id if index or shop.names_stock_items else "",
        )
        for index, row in enumerate(chosen)
    ]
    errors = adapter.push_stock((*levels, StockLevel("NO-SUCH", Decimal(1)))).errors
    assert errors[:-1] == ("",) * len(levels) and errors[-1]
    for level in levels:
        assert shop.get_sellable(level.sku) in (None, level.quantity)
    if base.STOCK_READ in adapter.capabilities:
        reader = shop.make_adapter()  # what is read once by a list is not read again
        unknown = StockLevel("NO-SUCH", Decimal(0))
        assert reader.fetch_stock((*levels, unknown)) == (*(level.quantity for level in levels), None)
    sold_out = adapter.push_stock((replace(levels[0], quantity=Decimal(-3)),))
    assert sold_out.errors == ("",) and shop.get_sellable(levels[0].sku) in (None, 0)
    adapter.push_stock((replace(levels[0], quantity=Decimal(500)),))


def test_price_is_what_the_shop_asks(shop, adapter):
    if base.PRICE not in adapter.capabilities:
        with pytest.raises(NotSupported):
            adapter.push_price(None)
        return

    def get_listing():
        return min(_get_own(shop, _list_all(shop, adapter)), key=lambda row: row.sku)

    listing = get_listing()
    for price in (Decimal("23.45"), listing.price):
        notice = PriceNotice(
            listing.external_id, listing.product_external_id, listing.sku, price, listing.currency or "USD"
        )
        adapter.push_price(notice)
        adapter.push_price(notice)
        assert get_listing().price == price


# === A SICK WIRE === #


class FaultyTransport:
    """Spoils call number ``at``. What ``took effect`` in the shop is not always what we hear of it.

    Timeouts, resets and halves as they are on the socket are tested with ``http.send`` itself, see
    test_marketplace_contract.py; here they are what it makes of them.
    """

    def __init__(self, fault, at):
        self.fault, self.at, self.calls, self.has_struck = fault, at, 0, False

    def __call__(self, request):
        self.calls += 1
        if self.calls != self.at:
            return http.send(request)
        self.has_struck = True
        return getattr(self, f"_{self.fault}")(request)

    def _throttle(self, _request):
        return http.HttpResponse(429, {"content-type": "application/json", "retry-after": "7"}, b'{"message": "slow"}')

    def _outage(self, _request):
        return http.HttpResponse(503, {"content-type": "text/html"}, b"<html>Service Unavailable</html>")

    def _reset(self, _request):
        raise Unavailable("The shop cannot be reached.")

    def _timeout(self, request):
        http.send(request)
        raise Unavailable("The shop did not answer in time.")

    def _half(self, request):
        response = http.send(request)
        return http.HttpResponse(response.status, response.headers, response.body[: len(response.body) // 2])

    def _html(self, request):
        http.send(request)
        return http.HttpResponse(200, {"content-type": "text/html; charset=UTF-8"}, b"<html>Please log in</html>")

    def _expired(self, _request):
        return http.HttpResponse(401, {"content-type": "application/json"}, b'{"message": "expired"}')


class LosingTransport:
    """Loses the answer of change number ``at``, which takes effect all the same."""

    def __init__(self, at):
        self.at, self.changes = at, 0

    def __call__(self, request):
        response, body = http.send(request), request.body or b""
        # A document of GraphQL that is no mutation changes nothing.
        self.changes += request.method != "GET" and (b'"query":' not in body or b"mutation" in body)
        if self.changes == self.at:
            self.at = -1
            raise Unavailable("The shop did not answer in time.")
        return response

    @property
    def has_struck(self):
        return self.at < 0


FAULTS = {
    "throttle": RateLimited,
    "outage": Unavailable,
    "reset": Unavailable,
    "timeout": Unavailable,
    "half": BadResponse,
    "html": BadResponse,
    "expired": AuthError,
}


def _push_over_a_sick_wire(shop, fault, push):
    """Let each call of a push in turn be spoilt, as often as that ends it; returns how often it did."""
    failures = 0
    for at in range(1, 12):
        transport = FaultyTransport(fault, at)
        try:
            push(shop.make_adapter(transport))
        except AdapterError as error:
            failures += 1
            assert isinstance(error, FAULTS[fault]), error
            assert error.retryable == (fault != "expired")
            assert error.retry_after == (7.0 if fault == "throttle" else None)
        if not transport.has_struck:
            return failures
    raise AssertionError(f"{fault}: the push never came to its end")


@pytest.mark.parametrize("fault", FAULTS)
def test_shipment_over_a_sick_wire_is_told_once(shop, adapter, fault):
    order_id = shop.place()
    notice = _make_shipment(adapter, order_id)
    failures = _push_over_a_sick_wire(shop, fault, lambda sick: sick.push_shipment(notice))
    assert failures or (fault == "expired" and shop.reopens_session)
    assert adapter.push_shipment(notice).is_repeat
    assert shop.count_parcels(order_id) == 1
    assert _count_shipped(adapter, order_id) == _count_units(adapter, order_id)


@needs(base.REFUND)
@pytest.mark.parametrize("fault", ["reset", "half"])
def test_money_over_a_sick_wire_goes_back_once(shop, adapter, fault):
    order_id = shop.place()
    shop.ask_refund(order_id, Decimal("1.50"))
    refund = RefundNotice(order_id, Decimal("1.50"), shop.currency, "refund-1")
    _push_over_a_sick_wire(shop, fault, lambda sick: sick.push_refund(refund))
    assert shop.get_refunds(order_id) == [Decimal("1.50")]


@needs(base.CANCEL)
@pytest.mark.parametrize("fault", ["reset", "half"])
def test_cancellation_over_a_sick_wire_happens_once(shop, adapter, fault):
    cancelled = shop.place()
    shop.ask_refund(cancelled)
    total = _parse(adapter, cancelled).total
    _push_over_a_sick_wire(shop, fault, lambda sick: sick.push_cancel(CancelNotice(cancelled, "cancel-1")))
    order = _parse(adapter, cancelled)
    assert order.status == "cancelled" and sum(row.refunded_amount for row in order.payments) == total


@needs(base.CANCEL_LINES)
@pytest.mark.parametrize("fault", ["half"])
def test_units_over_a_sick_wire_are_taken_off_once(shop, adapter, fault):
    order_id = shop.place()
    order = _parse(adapter, order_id)
    line = max(order.lines, key=lambda line: (line.quantity, line.external_id))
    units = line.quantity if shop.cancels_lines_whole else Decimal(1)
    notice = CancelNotice(order_id, "units-1", lines=((line.external_id, units),))
    shop.ask_units(order_id, line, units)
    _push_over_a_sick_wire(shop, fault, lambda sick: sick.push_cancel_lines(notice))
    after = _parse(adapter, order_id)
    assert sum(row.open_quantity for row in after.lines) == sum(row.quantity for row in order.lines) - units
    assert len(shop.get_refunds(order_id)) == 1


def _lose_each_answer(shop, prepare):
    """Do a push to a new order for each change it makes in the shop: the change takes effect, its answer is lost, and
    the push is done again. A call that never arrived leaves the shop as the change before it did, so this is all that
    can be left half done.

    :param prepare: callable() that places an order and returns (callable(adapter) that pushes, callable() that checks)
    """
    for at in range(1, 20):
        push, check = prepare()
        transport = LosingTransport(at)
        try:
            push(shop.make_adapter(transport))
        except Unavailable:
            assert transport.has_struck
        push(shop.make_adapter())
        check()
        if not transport.has_struck:
            return
    raise AssertionError("the push never came to its end")


def test_shipment_whose_answers_are_lost_is_told_once(shop, adapter):
    def prepare():
        order_id = shop.place()
        notice = _make_shipment(adapter, order_id)

        def check():
            assert shop.count_parcels(order_id) == 1
            assert _count_shipped(adapter, order_id) == _count_units(adapter, order_id)

        return lambda pusher: pusher.push_shipment(notice), check

    _lose_each_answer(shop, prepare)


@needs(base.REFUND)
def test_money_whose_answers_are_lost_goes_back_once(shop, adapter):
    def prepare():
        order_id = shop.place() if shop.refunds_on_request else shop.place_in_parts()
        amount = Decimal("1.50") if shop.refunds_on_request else _parse(adapter, order_id).captured_total - 1
        shop.ask_refund(order_id, amount)
        notice = RefundNotice(order_id, amount, shop.currency, "refund-1")

        def check():
            assert sum(shop.get_refunds(order_id)) == amount

        return lambda pusher: pusher.push_refund(notice), check

    _lose_each_answer(shop, prepare)


@needs(base.CANCEL)
def test_cancellation_whose_answers_are_lost_pays_back_once(shop, adapter):
    def prepare():
        order_id = shop.place_in_parts()
        shop.ask_refund(order_id)
        total = _parse(adapter, order_id).captured_total
        notice = CancelNotice(order_id, "cancel-1", reason="out of stock")

        def check():
            order = _parse(adapter, order_id)
            assert (order.status, sum(row.refunded_amount for row in order.payments)) == ("cancelled", total)

        return lambda pusher: pusher.push_cancel(notice), check

    _lose_each_answer(shop, prepare)


@needs(base.CANCEL_LINES)
def test_units_whose_answers_are_lost_are_taken_off_once(shop, adapter):
    def prepare():
        # Medusa makes so many changes of it that paying in parts each time takes too long.
        is_in_parts = shop.takes_parts and shop.provider != "medusa"
        order_id = shop.place_in_parts() if is_in_parts else shop.place()
        if is_in_parts:  # so that the units are worth more than is left of one payment
            adapter.push_refund(RefundNotice(order_id, Decimal("20.00"), shop.currency, "before"))
        order = _parse(adapter, order_id)
        line = max(order.lines, key=lambda line: line.total)
        shop.ask_units(order_id, line, line.quantity)
        notice = CancelNotice(order_id, "units-1", lines=((line.external_id, line.quantity),))
        before, due = sum(shop.get_refunds(order_id)), min(line.total, order.captured_total)

        def check():
            left = {row.external_id: row.open_quantity for row in _parse(adapter, order_id).lines}
            assert not left.get(line.external_id)
            assert abs(sum(shop.get_refunds(order_id)) - before - due) <= CENT

        return lambda pusher: pusher.push_cancel_lines(notice), check

    _lose_each_answer(shop, prepare)


@pytest.mark.parametrize("fault", FAULTS)
def test_reading_over_a_sick_wire_goes_on_where_it_stopped(shop, listed, fault):
    since, order_ids = listed
    seen, cursor = set(), None
    for attempt in range(40):
        # Now the first call fails, now none, now the second, now none.
        sick = shop.make_adapter(FaultyTransport(fault, (1, 0, 2, 0)[attempt % 4]))
        with contextlib.suppress(AdapterError):
            page = sick.fetch_orders_page(since, cursor=cursor, limit=10)
            seen |= {item.external_id for item in page.items}
            cursor = page.next_cursor
            if cursor is None:
                break
    else:
        raise AssertionError("the list never came to its end")
    assert set(order_ids) <= seen


# === WHAT ONE PLATFORM HAS === #

only_vendure = pytest.mark.parametrize("shop", ["vendure"], indirect=True)
only_woocommerce = pytest.mark.parametrize("shop", [pytest.param("woocommerce", marks=pytest.mark.nodb)], indirect=True)


every_woocommerce = pytest.mark.only_where.with_args(lambda params: DRIVERS[params["shop"]]().provider == "woocommerce")


only_china = pytest.mark.parametrize(
    "shop", [pytest.param(name, marks=pytest.mark.nodb) for name in ("taobao", "jd")], indirect=True
)
all_china = pytest.mark.parametrize(
    "shop", [pytest.param(name, marks=pytest.mark.nodb) for name in ("taobao", "jd", "wechat")], indirect=True
)
only_taobao = pytest.mark.parametrize("shop", [pytest.param("taobao", marks=pytest.mark.nodb)], indirect=True)
only_jd = pytest.mark.parametrize("shop", [pytest.param("jd", marks=pytest.mark.nodb)], indirect=True)
only_wechat = pytest.mark.parametrize("shop", [pytest.param("wechat", marks=pytest.mark.nodb)], indirect=True)


@only_china
def test_china_session_that_has_ended_is_renewed(shop, adapter):
    ended = shop.make_adapter(session_token="ended")
    with pytest.raises(AuthError, match="enter the new") as caught:
        ended.test_connection()
    assert not caught.value.retryable
    saved = (dict(shop.server.sessions), set(shop.server.refreshes))
    try:
        grant = ended.refresh_credentials()
        assert shop.make_adapter(session_token=grant.values["session_token"]).test_connection()["shop"]
        with pytest.raises(AuthError):  # it is taken once
            ended.refresh_credentials()
        with pytest.raises(AuthError):
            adapter.test_connection()
    finally:
        shop.server.sessions, shop.server.refreshes = saved


@only_china
def test_china_clock_that_is_wrong_is_told(shop, adapter):
    late = type(adapter)(shop.get_config(), clock=lambda: datetime.now(UTC) + timedelta(minutes=30))
    with pytest.raises(AuthError, match="clock"):
        late.test_connection()


@all_china
def test_china_hidden_receiver_stays_hidden(shop, adapter):
    order_id = shop.place()
    plain = _parse(adapter, order_id)
    shop.server.is_masked = True
    try:
        hidden = _parse(adapter, order_id)
    finally:
        shop.server.is_masked = False
    assert (plain.is_masked, hidden.is_masked) == (False, True)
    assert "*" in hidden.shipping_address.name and "*" in hidden.shipping_address.street
    assert hidden.shipping_address.city == plain.shipping_address.city
    assert hidden.parts_total == hidden.total == plain.total


@all_china
def test_china_long_time_away_is_read_day_by_day(shop, adapter, listed):
    items = _read_all(adapter, listed[0] - timedelta(days=3), limit=50)
    assert set(listed[1]) <= {item.external_id for item in items}


@only_taobao
def test_taobao_refund_of_a_sub_order_leaves_the_others(shop, adapter):
    order_id = shop.place()
    before = _parse(adapter, order_id)
    shop.server.ask_refund(order_id, 0)
    asked = _parse(adapter, order_id)
    assert [request.state for request in asked.refund_requests] == ["requested"] and asked.version > before.version
    shop.server.ask_refund(order_id, 0, "SUCCESS")
    now = _parse(adapter, order_id)
    assert [line.open_quantity for line in now.lines] == [0, 2] and now.status == "open"
    assert now.payments[0].refunded_amount == before.lines[0].total and now.total == before.total
    gone = _make_shipment(adapter, order_id)
    assert [line_id for line_id, _units in gone.lines] == [now.lines[1].external_id]
    adapter.push_shipment(gone)
    late = ShipmentNotice(order_id, ((now.lines[0].external_id, Decimal(1)),), "SF3", "SF", "late")
    with pytest.raises(Rejected, match="closed"):
        adapter.push_shipment(late)


@only_taobao
def test_taobao_grants_what_the_buyer_asks_for(shop, adapter):
    order_id = shop.place()
    order = _parse(adapter, order_id)
    adapter.push_shipment(_make_shipment(adapter, order_id))
    line = order.lines[1]
    refund = RefundNotice(order_id, Decimal("3.00"), "CNY", "r-1", lines=((line.external_id, Decimal(1)),))
    with pytest.raises(Rejected, match="no open request for 3.00"):
        adapter.push_refund(refund)
    shop.server.ask_refund(order_id, 1, "WAIT_SELLER_CONFIRM_GOODS", True, refund_fee="3.00", refund_phase="aftersale")
    with pytest.raises(Rejected):
        adapter.push_refund(replace(refund, amount=Decimal("4.00")))
    with pytest.raises(Rejected):
        adapter.push_refund(replace(refund, currency="USD"))
    assert [adapter.push_refund(refund).is_repeat for _index in range(2)] == [False, True]
    payment = _parse(adapter, order_id).payments[0]
    assert (payment.state, payment.refunded_amount) == ("partially_refunded", Decimal("3.00"))
    # Tmall has it looked at first.
    methods = [method for method, _params in shop.server.calls if method.startswith("taobao.rp.")]
    assert methods[-2:] == ["taobao.rp.refund.review", "taobao.rp.refunds.agree"]


@only_taobao
def test_taobao_grant_that_wants_a_code_by_sms_is_left_to_a_person(shop, adapter):
    order_id = shop.place()
    shop.ask_refund(order_id, Decimal("7000.00"))
    with pytest.raises(Rejected, match="SMS"):
        adapter.push_refund(RefundNotice(order_id, Decimal("7000.00"), "CNY", "r-2"))
    assert not shop.get_refunds(order_id)


@only_taobao
def test_taobao_trade_that_is_not_paid_is_closed(shop, adapter):
    order_id = shop.place()
    shop.server.touch(order_id, status="WAIT_BUYER_PAY", pay_time="")
    for order in shop.server.get_orders(order_id):
        order["status"] = "WAIT_BUYER_PAY"
    results = [adapter.push_cancel(CancelNotice(order_id, "close-1")) for _index in range(2)]
    assert [result.is_repeat for result in results] == [False, True]
    assert _parse(adapter, order_id).status == "cancelled"


@only_taobao
def test_taobao_units_of_a_sub_order_in_two_parcels(shop, adapter):
    order_id = shop.place()
    shop.server.touch(order_id, seller_memo="VIP")
    line_id = _parse(adapter, order_id).lines[1].external_id
    first, second = (
        ShipmentNotice(order_id, ((line_id, Decimal(1)),), number, "YTO", number) for number in ("YT1", "YT2")
    )
    assert [adapter.push_shipment(notice).is_repeat for notice in (first, second, second, first)] == [
        False,
        False,
        True,
        True,
    ]
    assert _parse(adapter, order_id).seller_note == "VIP\nYTO YT2"


@only_taobao
def test_taobao_stock_goes_item_by_item_in_batches_of_twenty(shop, adapter):
    options = [f"S{index}" for index in range(21)]
    shop.server.add_item("BULK", "Bulk", "1.00", options=options)
    rows = [shop.server.find(f"BULK-{option}") for option in options]
    shop.server.calls.clear()
    levels = [StockLevel(row["outer_id"], Decimal(7), str(row["sku_id"]), str(row["num_iid"])) for row in rows]
    assert not any(adapter.push_stock(levels).errors)
    sent = [params["skuid_quantities"].count(":") for _method, params in shop.server.calls]
    assert sent == [20, 1] and {row["quantity"] for row in rows} == {7}


@only_jd
def test_jd_buyers_requests_before_and_after_sending(shop, adapter):
    order_id = shop.place()
    shop.server.ask_refund(order_id)
    locked = _parse(adapter, order_id)
    assert [request.state for request in locked.refund_requests] == ["requested"]
    with pytest.raises(Rejected, match="stop the parcel"):
        adapter.push_shipment(_make_shipment_of_all(adapter, order_id))
    sent = shop.place()
    adapter.push_shipment(_make_shipment(adapter, sent))
    shop.server.ask_return(sent)
    [request] = _parse(adapter, sent).refund_requests
    assert (request.kind, request.state) == ("return", "requested")
    assert adapter.needs_reread  # nothing in its list tells of it


@only_vendure
def test_vendure_sends_webhooks_through_its_plugin(shop, adapter):
    with HookSink() as sink:
        shop.server.set_webhook_url(sink.url)
        try:
            order_id = shop.place(capture=False)
            shop.server.capture(order_id)
            adapter.push_shipment(_make_shipment(adapter, order_id))
            adapter.push_refund(RefundNotice(order_id, Decimal("1.00"), "USD", "hook"))
            wanted = {
                "OrderPlacedEvent",
                "OrderStateTransitionEvent",
                "PaymentStateTransitionEvent",
                "FulfillmentEvent",
                "RefundStateTransitionEvent",
            }
            calls = sink.wait_for(lambda calls: wanted <= {call.headers["x-vendure-event"] for call in calls})
        finally:
            shop.server.set_webhook_url("")
    now = datetime.now(UTC)
    for call in calls:
        event = adapter.verify_and_parse_webhook(call.headers, call.body, shop.server.webhook_secret, now=now)
        assert event.topic == "ProductVariantEvent" or event.order_external_id == order_id
        with pytest.raises(AuthError):
            adapter.verify_and_parse_webhook(
                call.headers, call.body, shop.server.webhook_secret, now=now + timedelta(hours=1)
            )


@only_vendure
def test_vendure_session_that_ended_is_opened_again(shop):
    # A login of its own: logging out ends all sessions of a user.
    shop.server.add_administrator("brief@example.com", "brief-pw", ["ReadOrder", "ReadStockLocation"])
    adapter = shop.make_adapter(username="brief@example.com", password="brief-pw")
    adapter.test_connection()
    adapter.client.query("mutation { logout { success } }")
    assert adapter.test_connection()["shop"]


@only_vendure
def test_vendure_names_permissions_that_are_missing(shop, adapter):
    assert "Missing permissions" not in dict(adapter.test_connection()["details"])
    shop.server.add_administrator("reader@example.com", "reader-pw", ["ReadOrder", "ReadStockLocation"])
    reader = shop.make_adapter(username="reader@example.com", password="reader-pw")
    missing = dict(reader.test_connection()["details"])["Missing permissions"]
    assert missing == "UpdateOrder, ReadCatalog or ReadProduct, UpdateCatalog or UpdateProduct"
    with pytest.raises(AuthError):
        reader.push_stock((StockLevel("OMS-TEE", Decimal(1)),))


@only_vendure
def test_vendure_cart_is_no_order(shop, adapter, listed):
    cart = shop.place(place=False)
    assert cart not in [item.external_id for item in _read_all(adapter, listed[0] - timedelta(minutes=1))]


@only_vendure
def test_vendure_amount_as_sold_survives_coupon_and_return(shop, adapter):
    shop.server.add_coupon("TEN", 10)
    order_id = shop.place(coupons=["TEN"])
    sold = _parse(adapter, order_id)
    assert sold.coupon_codes == ("TEN",) and sold.parts_total == sold.total and sold.discount_total
    adapter.push_shipment(_make_shipment(adapter, order_id))
    back = tuple((line.external_id, line.quantity) for line in sold.lines)
    adapter.push_return_received(ReturnNotice(order_id, back, "all-back"))
    now = _parse(adapter, order_id)
    # Vendure calls an order without any goods left cancelled.
    assert (now.status, now.total, now.parts_total) == ("completed", sold.total, sold.total)
    assert [line.returned_quantity for line in now.lines] == [line.quantity for line in sold.lines]
    assert not any(line.cancelled_quantity for line in now.lines)


@only_vendure
def test_vendure_money_taken_later_raises_the_version(shop, adapter):
    order_id = shop.place(capture=False)
    before = _parse(adapter, order_id)
    shop.server.capture(order_id)
    after = _parse(adapter, order_id)
    assert (before.is_paid, after.is_paid) == (False, True) and after.version > before.version
    assert before.payments[0].state == "authorized"


@only_woocommerce
def test_woocommerce_webhooks_are_registered_mended_and_pinged(shop, adapter):
    with HookSink() as sink:
        made = adapter.ensure_webhooks(sink.url, "w1")
        assert len(made.created) == 5 and not made.updated and not made.unchanged
        again = adapter.ensure_webhooks(sink.url, "w1")
        assert not again.created and not again.updated and len(again.unchanged) == 5
        shop.client.put(f"/webhooks/{adapter.fetch_webhooks()[0].external_id}", {"status": "disabled"})
        foreign = {"name": "ERP", "topic": "order.updated", "delivery_url": f"{sink.url}/erp", "secret": "x"}
        shop.client.post("/webhooks", {**foreign, "status": "active"})
        mended = adapter.ensure_webhooks(sink.url, "w2")
        assert len(mended.updated) == 1 and len(adapter.fetch_webhooks()) == 6
        moved = adapter.ensure_webhooks(sink.url.replace("127.0.0.1", "localhost"), "w2")
        assert len(moved.updated) == 5 and len(adapter.fetch_webhooks()) == 6
        adapter.ensure_webhooks(sink.url, "w2")
        now = datetime.now(UTC)
        for ping in sink.calls:
            assert not adapter.verify_and_parse_webhook(ping.headers, ping.body, "w2", now=now).concerns_order
        sink.clear()
        order_id = shop.place()
        shop.edit(order_id, "99 New Road")
        shop.server.run_webhooks()
        calls = [call for call in sink.calls if "erp" not in call.path]
        events = [adapter.verify_and_parse_webhook(call.headers, call.body, "w2", now=now) for call in calls]
        assert {event.topic for event in events} == {"order.created", "order.updated"}
        assert {event.order_external_id for event in events} == {order_id}
        sink.clear()
        [listing] = [row for row in adapter.fetch_listings().items if row.sku == "OMS-MUG"]
        adapter.push_stock((StockLevel(listing.sku, Decimal(77), listing.external_id),))
        shop.server.run_webhooks()
        [echo] = [adapter.verify_and_parse_webhook(call.headers, call.body, "w2", now=now) for call in sink.calls]
        assert (echo.stock, echo.concerns_order) == ({listing.external_id: 77}, False)
        for row in shop.server.webhooks.values():
            row["status"] = "disabled"


@every_woocommerce
def test_woocommerce_webhooks_through_the_api_alone(shop, adapter):
    """So that it runs against a given shop as well: that is told an address which it will not call."""
    url = "http://127.0.0.1:9/oms/contract"
    try:
        made = adapter.ensure_webhooks(url, "w1")
        assert len(made.created) == 5 and "not 9" in " ".join(made.warnings)
        mine = [row for row in adapter.fetch_webhooks() if row.url == url]
        assert {row.topic for row in mine} == set(adapter.webhook_topics) and all(row.is_active for row in mine)
        shop.client.put(f"/webhooks/{mine[0].external_id}", {"status": "disabled"})
        again = adapter.ensure_webhooks(url, "w2")
        assert (again.created, again.updated, len(again.unchanged)) == ((), (mine[0].topic,), 4)
    finally:
        for row in adapter.fetch_webhooks():
            if row.url == url:
                shop.client.check("DELETE", f"/webhooks/{row.external_id}", {"force": True})
    assert url not in {row.url for row in adapter.fetch_webhooks()}


@every_woocommerce
def test_woocommerce_variations_are_listed_stocked_and_bought(shop, adapter):
    parent, ids, skus = shop.make_variations(("S", "M"))
    caps = {row.sku: row for row in _list_all(shop, adapter) if row.sku in skus.values()}
    assert {row.external_id for row in caps.values()} == set(ids.values())
    assert {row.title for row in caps.values()} == {"Cap - S", "Cap - M"}
    assert {row.product_external_id for row in caps.values()} == {parent}
    small, medium = (caps[skus[option]] for option in ("S", "M"))
    levels = (
        StockLevel(small.sku, Decimal(3), small.external_id, small.inventory_external_id),
        StockLevel(medium.sku.lower(), Decimal(4), medium.external_id),
    )
    assert adapter.push_stock(levels).errors == ("", "")
    assert adapter.fetch_stock(levels) == (3, 4)
    bought = [{"product_id": int(parent), "variation_id": int(ids["S"]), "quantity": 2}]
    [line] = _parse(adapter, shop.place(lines=bought)).lines
    assert (line.product_external_id, line.variant_external_id, line.sku) == (parent, ids["S"], small.sku)
    assert adapter.fetch_stock(levels) == (1, 4)  # the shop subtracts by itself


@only_woocommerce
def test_woocommerce_address_that_is_not_the_shops_own_is_told(shop, adapter):
    """Over http the shop checks the signature with its Site Address, whatever it was called by."""
    other = type(adapter)(replace(shop.get_config(), base_url=shop.url.replace("127.0.0.1", "localhost")))
    with pytest.raises(AuthError, match="Site Address"):
        other.test_connection()


@only_woocommerce
def test_woocommerce_that_counts_no_stock_is_told(shop, adapter):
    row = shop.server.add_product("UNCOUNTED", "Uncounted", "1.00")
    level = StockLevel("UNCOUNTED", Decimal(7), str(row["id"]), str(row["id"]))
    shop.server.counts_stock = False
    try:
        assert "counts no stock" in adapter.push_stock((level,)).errors[0]
    finally:
        shop.server.counts_stock = True
    assert adapter.push_stock((level,)).errors == ("",)


@only_woocommerce
def test_woocommerce_buyer_reads_of_each_parcel(shop, adapter):
    order_id = shop.place()
    sent = [adapter.push_shipment(_make_shipment(adapter, order_id, 1, f"tell-{index}")) for index in range(2)]
    assert shop.server.notified[-2:] == [int(result.external_id) for result in sent]


def _count_open(adapter, order_id):
    return {line.sku: line.open_quantity for line in _parse(adapter, order_id).lines}


@only_woocommerce
def test_woocommerce_provider_that_pays_nothing_back_is_told_of(shop, adapter):
    order_id = str(shop.server.place({"OMS-TEE": 2}, payment_method="wallet", payment_method_title="Wallet"))
    refund = RefundNotice(order_id, Decimal(5), shop.currency, "wallet-1")
    for _time in range(2):
        by_hand = adapter.push_refund(refund).data["by_hand"]
        assert (Decimal(by_hand["amount"]), by_hand["provider"]) == (5, "Wallet")
    total = _parse(adapter, order_id).total
    for _time in range(2):
        result = adapter.push_cancel(CancelNotice(order_id, "wallet-2"))
        assert Decimal(result.data["by_hand"]["amount"]) == total - 5
    assert _parse(adapter, order_id).status == "cancelled"
    assert not shop.server.paid_back
    # A provider that does is asked, and nobody else.
    order_id = str(shop.server.place({"OMS-TEE": 2}))
    assert "by_hand" not in adapter.push_cancel(CancelNotice(order_id, "stripe-1")).data
    assert shop.server.paid_back.pop() == _parse(adapter, order_id).total


@only_woocommerce
def test_woocommerce_units_are_given_back_as_far_as_money_is_left(shop, adapter):
    order_id = str(shop.server.place({"OMS-TEE": 2}, shipping_price=""))
    total = _parse(adapter, order_id).total
    adapter.push_refund(RefundNotice(order_id, Decimal(5), shop.currency, "goodwill"))
    [line] = _parse(adapter, order_id).lines
    notice = CancelNotice(order_id, "units-1", lines=((line.external_id, Decimal(2)),))
    result = adapter.push_cancel_lines(notice)
    assert sum(map(Decimal, result.data["refunded"].values())) == total
    assert adapter.push_cancel_lines(notice).is_repeat
    made = shop.server.refunds[int(order_id)][-1]
    assert Decimal(made["amount"]) == total - 5
    assert Decimal(made["line_items"][0]["total"]) > -Decimal(shop.server.get_order(order_id)["line_items"][0]["total"])
    assert set(_count_open(adapter, order_id).values()) == {0}


@only_woocommerce
def test_woocommerce_edited_upwards_gives_back_what_came(shop, adapter):
    order_id = str(shop.server.place({"OMS-TEE": 1}))
    paid = _parse(adapter, order_id).total
    shop.server.touch(order_id, total=str(paid + 20))
    adapter.push_cancel(CancelNotice(order_id, "up-1", captured_amount=paid))
    assert shop.server.paid_back.pop() == paid
    assert _parse(adapter, order_id).status == "cancelled"


@only_woocommerce
@pytest.mark.parametrize("method", ["bacs", "cod"])
def test_woocommerce_units_of_an_unpaid_order_are_not_asked_for(shop, adapter, method):
    """Nobody gets money back that nobody has paid: the order is lowered."""
    order_id = str(shop.server.place({"OMS-TEE": 3, "OMS-MUG": 1}, paid=False, payment_method=method))
    before = _parse(adapter, order_id)
    tee, mug = sorted(before.lines, key=lambda line: line.sku != "OMS-TEE")
    notice = CancelNotice(order_id, "unpaid-1", lines=((tee.external_id, Decimal(2)), (mug.external_id, Decimal(1))))
    assert not adapter.push_cancel_lines(notice).is_repeat
    after = _parse(adapter, order_id)
    assert _count_open(adapter, order_id) == {"OMS-TEE": 1}
    assert after.total == before.total - round_money(tee.total * 2 / 3, shop.currency) - mug.total == after.parts_total
    assert not shop.get_refunds(order_id)
    assert adapter.push_cancel_lines(notice).is_repeat
    assert _parse(adapter, order_id) == after
    shop.server.pay(order_id)
    assert _parse(adapter, order_id).captured_total == after.total
    rest = shop.server.place({"OMS-TEE": 1}, paid=False, payment_method=method)
    [line] = _parse(adapter, str(rest)).lines
    with pytest.raises(Rejected, match="cancel it as a whole"):
        adapter.push_cancel_lines(CancelNotice(str(rest), "unpaid-2", lines=((line.external_id, Decimal(1)),)))


@only_woocommerce
def test_woocommerce_key_that_may_only_read_is_told(shop, adapter):
    assert "Missing permission" not in dict(adapter.test_connection()["details"])
    reader = shop.make_adapter(api_key=READ_KEY)
    assert "Missing permission" in dict(reader.test_connection()["details"])
    with pytest.raises(AuthError) as caught:
        reader.push_stock((StockLevel("OMS-MUG", Decimal(1), "1", "1"),))
    assert not caught.value.is_shop_wide  # what reads goes on


@only_woocommerce
def test_woocommerce_second_full_of_orders_is_read_in_pages(shop, adapter):
    shop.server.now()
    shop.server.frozen = True
    try:
        order_ids = [shop.place() for _index in range(7)]
        since = _parse(adapter, order_ids[0]).updated_at
        page = adapter.fetch_orders_page(since, limit=3)
        shop.server.frozen = False
        shop.edit(order_ids[1], "1 Moved Street")  # leaves the second while it is read
        items = list(page.items)
        while page.next_cursor:
            page = adapter.fetch_orders_page(since, cursor=page.next_cursor, limit=3)
            items += page.items
    finally:
        shop.server.frozen = False
    found = [item.external_id for item in items]
    assert sorted(found) == sorted([*order_ids, order_ids[1]])


@only_woocommerce
def test_woocommerce_variations_are_listed_and_stocked(shop, adapter):
    parent = shop.server.add_product("CAP", "Cap", "12.00", options=("S", "M"))
    listings, cursor = [], None
    while True:
        page = adapter.fetch_listings(cursor=cursor, limit=1)
        listings += page.items
        if not (cursor := page.next_cursor):
            break
    caps = {row.sku: row for row in listings if row.sku.startswith("CAP")}
    assert {row.title for row in caps.values()} == {"Cap - S", "Cap - M"}
    small = caps["CAP-S"]
    assert small.inventory_external_id == f"{parent['id']}/{small.external_id}"
    levels = (
        StockLevel("CAP-S", Decimal(3), small.external_id, small.inventory_external_id),
        StockLevel("CAP-M", Decimal(4), caps["CAP-M"].external_id),
    )
    assert adapter.push_stock(levels).errors == ("", "")
    assert [shop.server.find(sku)["stock_quantity"] for sku in ("CAP-S", "CAP-M")] == [3, 4]


@only_woocommerce
def test_woocommerce_stock_goes_in_batches_of_a_hundred(shop, adapter):
    rows = [shop.server.add_product(f"BULK-{index}", "Bulk", "1.00") for index in range(101)]
    shop.server.calls.clear()
    levels = [StockLevel(row["sku"], Decimal(7), str(row["id"]), str(row["id"])) for row in rows]
    assert not any(adapter.push_stock(levels).errors)
    assert [len(value["update"]) for _method, _path, value in shop.server.calls] == [100, 1]


@pytest.mark.nodb
@pytest.mark.parametrize("is_included", [False, True])
def test_woocommerce_prices_coupons_and_fees_add_up(is_included):
    with WooCommerceServer(tax_rate="19", prices_include_tax=is_included) as server:
        server.add_product("PEN", "Pen &amp; Ink", "9.99")
        order_id = server.place({"PEN": 3}, coupon=("TEN", 10), fee=("Gift wrap", "2.50"))
        config = ChannelConfig(server.url, {"api_key": KEY, "api_secret": SECRET})
        adapter = get_adapter_class("woocommerce")(config)
        order = _parse(adapter, order_id)
        assert order.parts_total == order.total and order.coupon_codes == ("TEN",)
        [line] = order.lines
        assert (line.title, line.is_tax_included, line.tax_rate) == ("Pen & Ink", is_included, 19)
        assert line.price_unit == Decimal("9.99")
        assert [charge.external_id.startswith("fee-") for charge in order.shippings] == [False, True]
        refund = RefundNotice(order_id, Decimal("15.00"), "USD", "r1", lines=((line.external_id, Decimal(1)),))
        adapter.push_refund(refund)
        [row] = server.refunds[int(order_id)]
        assert row["refunded_payment"] and row["line_items"][0]["quantity"] == -1
        assert _parse(adapter, order_id).lines[0].cancelled_quantity == 1  # it has not left


@only_wechat
def test_wechat_token_that_has_ended_is_asked_for_again(shop, adapter):
    assert adapter.test_connection()["shop"]
    shop.server.sessions.clear()
    assert adapter.test_connection()["shop"]


@only_wechat
def test_wechat_refunds_of_one_order_are_a_minute_apart(shop, adapter):
    order_id = shop.server.place({"OMS-MUG": 1, "OMS-TEE-L": 2})
    shop.ask_refund(order_id)
    shop.server.refund_pause = 60
    cancel = CancelNotice(order_id, "cancel-1")
    try:
        with pytest.raises(RateLimited) as caught:
            adapter.push_cancel(cancel)
        assert caught.value.retry_after == 60
        # Half of it is granted: the rest of the order is not sent meanwhile, and the push goes on where it stopped.
        assert [line.open_quantity for line in _parse(adapter, order_id).lines] == [0, 2]
        shop.server.clock += timedelta(minutes=1)
        assert not adapter.push_cancel(cancel).is_repeat
    finally:
        shop.server.refund_pause = 0
    order = _parse(adapter, order_id)
    assert (order.status, order.captured_total, len(shop.get_refunds(order_id))) == ("cancelled", 0, 2)


@only_wechat
def test_wechat_return_is_paid_back_when_its_goods_are_on_their_way(shop, adapter):
    order_id = shop.place()
    adapter.push_shipment(_make_shipment(adapter, order_id))
    shop.server.ask_refund(order_id, kind="RETURN", amount=Decimal("19.00"), count=1)
    [asked] = _parse(adapter, order_id).refund_requests
    assert (asked.kind, asked.state, asked.amount) == ("return", "requested", Decimal("19.00"))
    refund = RefundNotice(order_id, asked.amount, "CNY", "r-1", request_external_id=asked.external_id)
    with pytest.raises(Rejected, match="no open request"):
        adapter.push_refund(refund)
    shop.server.send_back(asked.external_id)
    assert [adapter.push_refund(refund).is_repeat for _index in range(2)] == [False, True]
    order = _parse(adapter, order_id)
    assert ([line.returned_quantity for line in order.lines], order.status) == ([1], "open")
    assert order.payments[0].refunded_amount == asked.amount


@only_wechat
def test_wechat_stock_goes_as_a_difference(shop, adapter):
    sku = shop.server.find("OMS-MUG")
    level = StockLevel("OMS-MUG", Decimal(7), sku["sku_id"], sku["product_id"])
    adapter.push_stock((level,))
    shop.server.calls.clear()
    assert adapter.push_stock((level,)).errors == ("",)
    assert [path for path, _content in shop.server.calls] == ["product/stock/get"]
    adapter.push_stock((replace(level, quantity=Decimal(12)),))
    assert shop.server.calls[-1][1]["diff_type"] == 1 and shop.server.calls[-1][1]["num"] == 5
