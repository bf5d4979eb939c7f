"""The Medusa adapter against a real Medusa shop: each call, each repeated, each broken off where a worker may die."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from servers.hook_sink import HookSink
from servers.medusa_server import MedusaServer
from servers.ports import free_port

from odoo.addons.oms_channels.adapters import get_adapter_class, http
from odoo.addons.oms_channels.adapters.errors import AuthError, Rejected, Unavailable
from odoo.addons.oms_channels.adapters.notices import (
    DeliveryNotice,
    RefundNotice,
    ReturnNotice,
    ShipmentNotice,
    StockLevel,
)
from odoo.addons.oms_channels.adapters.types import ChannelConfig

ADDRESS = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "company": "Engines Inc",
    "address_1": "12 Main St",
    "address_2": "Apt 4",
    "city": "New York",
    "province": "us-ny",
    "postal_code": "10001",
    "country_code": "us",
    "phone": "+12125550123",
}


@pytest.fixture(scope="module")
def sink():
    with HookSink() as sink:
        yield sink


@pytest.fixture(scope="module")
def medusa(sink):
    home = os.environ.get("OMS_MEDUSA_HOME")
    assert home, "OMS_MEDUSA_HOME names the folder where Medusa's packages are installed"
    port = free_port()
    with MedusaServer(home, port, f"oms_medusa_{port}", webhook_url=sink.url) as server:
        server.seed(
            [
                {"sku": "TEE", "title": "T-Shirt", "price": "19.99", "stock": 200, "barcode": "4006381333931"},
                {"sku": "MUG", "title": "Mug", "price": "8.50", "stock": 200},
            ],
            tax_rate=8.25,
        )
        yield server


@pytest.fixture
def adapter(medusa):
    return _make_adapter(medusa)


def _make_adapter(medusa, transport=None, **credentials):
    config = ChannelConfig(
        medusa.url, {"api_key": medusa.secret_key, **credentials}, {"location_id": medusa.location["id"]}
    )
    return get_adapter_class("medusa")(config, transport)


class DyingTransport:
    """Lets a number of writing calls through, then dies before the next one (``after=False``) or right after it."""

    def __init__(self, writes, after):
        self.writes, self.after = writes, after

    def __call__(self, request):
        if request.method == "GET":
            return http.send(request)
        self.writes -= 1
        if self.writes < 0 and not self.after:
            raise Unavailable("killed before the call")
        response = http.send(request)
        if self.writes <= 0 and self.after:
            raise Unavailable("killed after the call")
        return response


def _place(medusa, items=None, **kwargs):
    return medusa.checkout("ada@example.com", ADDRESS, items or {"TEE": 3, "MUG": 1}, **kwargs)


def _ship(adapter, order_id, quantities=None, key="ship-1", number="SF1001"):
    order = adapter.parse_order(adapter.fetch_order(order_id))
    lines = tuple((line.external_id, Decimal((quantities or {}).get(line.sku, line.quantity))) for line in order.lines)
    lines = tuple(pair for pair in lines if pair[1])
    notice = ShipmentNotice(order_id, lines, number, "SF Express", key, tracking_url=f"https://t.example.com/{number}")
    return notice, adapter.push_shipment(notice)


# === READ === #


def test_connection_names_shop_and_locations(medusa, adapter):
    summary = adapter.test_connection()
    assert summary["shop"] == "Medusa Store"
    assert dict(summary["details"])["Currencies"] == "USD"
    assert medusa.location["id"] in dict(summary["details"])["Stock locations"]


def test_wrong_key_and_wrong_port_are_told_apart(medusa):
    with pytest.raises(AuthError):
        _make_adapter(medusa, api_key="sk_wrong").test_connection()
    config = ChannelConfig(f"http://127.0.0.1:{free_port()}", {"api_key": medusa.secret_key})
    with pytest.raises(Unavailable):
        get_adapter_class("medusa")(config).test_connection()


def test_checkout_arrives_with_money_to_the_cent(medusa, adapter):
    order = adapter.parse_order(adapter.fetch_order(_place(medusa, capture=True)))
    assert (order.status, order.currency, order.email, order.is_paid) == ("open", "USD", "ada@example.com", True)
    assert order.total == Decimal("82.24")  # the shop itself says 82.237525
    assert order.parts_total == order.total
    # The shop names the lines in any order.
    assert {(line.sku, line.quantity, line.price_unit) for line in order.lines} == {
        ("TEE", 3, Decimal("19.99")),
        ("MUG", 1, Decimal("8.5")),
    }
    assert [(payment.state, payment.captured_amount) for payment in order.payments] == [("captured", Decimal("82.24"))]
    address = order.shipping_address
    assert (address.name, address.street, address.province, address.country_code) == (
        "Ada Lovelace",
        "12 Main St",
        "NY",
        "US",
    )


def test_version_grows_with_what_updated_at_misses(medusa, adapter):
    order_id = _place(medusa)
    versions, stamps = [], []

    def note():
        raw = adapter.fetch_order(order_id)
        versions.append(adapter.parse_order(raw).version)
        stamps.append(raw["updated_at"])

    note()
    medusa.capture(order_id)
    note()
    _ship(adapter, order_id)
    note()
    assert versions == sorted(set(versions))
    assert stamps[0] == stamps[1], "Medusa now tells captures by updated_at: needs_reread could go"


def test_total_as_sold_survives_discount_edit_returns_and_refunds(medusa, adapter):
    order_id = _place(medusa, capture=True)
    first = adapter.parse_order(adapter.fetch_order(order_id))
    _ship(adapter, order_id)
    tee = next(line.external_id for line in first.lines if line.sku == "TEE")
    for number in (1, 2):
        adapter.push_return_received(ReturnNotice(order_id, ((tee, Decimal(1)),), f"return-{number}"))
        adapter.push_refund(RefundNotice(order_id, Decimal("21.64"), "USD", f"refund-{number}"))
    adapter.push_refund(RefundNotice(order_id, Decimal("5.00"), "USD", "goodwill"))
    now = adapter.parse_order(adapter.fetch_order(order_id))
    assert (now.total, now.parts_total) == (first.total, first.total)
    assert {line.sku: line.returned_quantity for line in now.lines} == {"TEE": 2, "MUG": 0}
    assert {line.sku: line.total for line in now.lines} == {line.sku: line.total for line in first.lines}
    assert (now.payments[0].state, now.payments[0].refunded_amount) == ("partially_refunded", Decimal("48.28"))
    assert now.refund_requests == ()  # returns of our own making are not buyers' requests


def test_listings_name_sku_barcode_and_stock_item(medusa, adapter):
    listings = {listing.sku: listing for listing in adapter.fetch_listings().items}
    tee = listings["TEE"]
    assert (tee.barcode, tee.price, tee.currency, tee.is_active) == ("4006381333931", Decimal("19.99"), "USD", True)
    assert tee.external_id == medusa.variants["TEE"]["id"]
    assert tee.inventory_external_id == medusa.get_inventory_item("TEE")["id"]
    assert [len(adapter.fetch_listings(limit=1).items), adapter.fetch_listings(limit=1).next_cursor] == [1, "1"]


# === PUSH === #


def test_shipment_in_two_parcels_then_delivered(medusa, adapter):
    order_id = _place(medusa, capture=True)
    _notice, first = _ship(adapter, order_id, {"TEE": 2, "MUG": 0}, "parcel-1", "SF2001")
    notice, second = _ship(adapter, order_id, {"TEE": 1, "MUG": 1}, "parcel-2", "SF2002")
    again = adapter.push_shipment(notice)
    assert (again.external_id, again.is_repeat) == (second.external_id, True)
    order = medusa.get_order(order_id)
    assert sorted(label["tracking_number"] for row in order["fulfillments"] for label in row["labels"]) == [
        "SF2001",
        "SF2002",
    ]
    assert order["fulfillment_status"] == "shipped"
    for shipment in (first, second):
        delivered = DeliveryNotice(order_id, "d", shipment_external_id=shipment.external_id)
        assert not adapter.push_delivered(delivered).is_repeat
        assert adapter.push_delivered(delivered).is_repeat
    assert medusa.get_order(order_id)["fulfillment_status"] == "delivered"
    with pytest.raises(Rejected):
        adapter.push_delivered(DeliveryNotice(order_id, "d", tracking_number="unknown"))


@pytest.mark.parametrize("writes", [1, 3, 5, 6])
def test_return_after_a_kill_is_made_once(medusa, adapter, writes):
    order_id = _place(medusa, {"TEE": 2}, capture=True)
    _ship(adapter, order_id)
    line = adapter.parse_order(adapter.fetch_order(order_id)).lines[0]
    notice = ReturnNotice(order_id, ((line.external_id, Decimal(1)),), "return-1", note="scratched")
    for after in (False, True):
        try:
            _make_adapter(medusa, DyingTransport(writes, after)).push_return_received(notice)
        except Unavailable:
            pass
    adapter.push_return_received(notice)
    assert adapter.push_return_received(notice).is_repeat
    now = adapter.parse_order(adapter.fetch_order(order_id)).lines[0]
    assert now.returned_quantity == 1
    assert [row["status"] for row in medusa.get_returns(order_id) if row["status"] != "canceled"] == ["received"]


def test_return_asked_in_the_shop_is_received_in_two_parts(medusa, adapter):
    order_id = _place(medusa, {"TEE": 2}, capture=True)
    _ship(adapter, order_id)
    line = adapter.parse_order(adapter.fetch_order(order_id)).lines[0].external_id
    asked = medusa.admin("POST", "/returns", {"order_id": order_id, "location_id": medusa.location["id"]})["return"][
        "id"
    ]
    medusa.admin("POST", f"/returns/{asked}/request-items", {"items": [{"id": line, "quantity": 2}]})
    medusa.admin("POST", f"/returns/{asked}/request", {})
    request = adapter.parse_order(adapter.fetch_order(order_id)).refund_requests[0]
    assert (request.external_id, request.kind, request.state, request.lines) == (
        asked,
        "return",
        "requested",
        ((line, 2),),
    )
    for key in ("part-1", "part-2"):
        notice = ReturnNotice(order_id, ((line, Decimal(1)),), key, request_external_id=asked)
        assert not adapter.push_return_received(notice).is_repeat
        assert adapter.push_return_received(notice).is_repeat
    assert adapter.parse_order(adapter.fetch_order(order_id)).lines[0].returned_quantity == 2


def test_refund_is_made_once_and_never_beyond_what_was_paid(medusa, adapter):
    order_id = _place(medusa, capture=True)
    notice = RefundNotice(order_id, Decimal("21.64"), "USD", "refund-1", note="customer return")
    with pytest.raises(Unavailable):
        _make_adapter(medusa, DyingTransport(1, after=True)).push_refund(notice)
    assert adapter.push_refund(notice).is_repeat
    assert medusa.get_refunds(order_id) == [(Decimal("21.64"), "customer return [refund-1]")]
    with pytest.raises(Rejected):
        adapter.push_refund(replace(notice, amount=Decimal("60.61"), idempotency_key="refund-2"))
    with pytest.raises(Rejected):
        adapter.push_refund(replace(notice, currency="EUR", idempotency_key="refund-3"))
    adapter.push_refund(replace(notice, amount=Decimal("60.60"), idempotency_key="refund-4"))
    payment = adapter.parse_order(adapter.fetch_order(order_id)).payments[0]
    assert (payment.state, payment.refunded_amount) == ("refunded", Decimal("82.24"))


def test_stock_counts_the_shops_own_reservations(medusa, adapter):
    medusa.add_products([
        {"sku": "CAP", "title": "Cap", "price": "5", "stock": 9},
        {"sku": "HAT", "title": "Hat", "price": "5", "stock": 9},
    ])  # fmt: skip
    _place(medusa, {"CAP": 2})
    writes = DyingTransport(99, False)
    adapter = _make_adapter(medusa, writes)
    levels = (StockLevel("CAP", Decimal(5)), StockLevel("HAT", Decimal(-3)), StockLevel("NONE", Decimal(1)))
    errors = adapter.push_stock(levels).errors
    assert errors[:2] == ("", "") and "NONE" in errors[2]
    assert medusa.get_stock("CAP") == (7, 2)
    assert medusa.get_stock("HAT") == (0, 0)
    before = writes.writes
    adapter.push_stock(levels)
    assert writes.writes == before, "unchanged levels are not sent again"


def test_one_bad_stock_level_does_not_hold_up_the_others(medusa, adapter):
    medusa.add_products([{"sku": "BAG", "title": "Bag", "price": "5", "stock": 1}])
    levels = (StockLevel("BAG", Decimal(4)), StockLevel("MUG", Decimal(4), inventory_external_id="iitem_unknown"))
    errors = adapter.push_stock(levels).errors
    assert errors[0] == "" and "MUG" in errors[1]
    assert medusa.get_stock("BAG") == (4, 0)


# === WEBHOOKS === #


def test_webhooks_of_a_whole_order_are_verified_and_lead_to_it(medusa, adapter, sink):
    sink.clear()
    order_id = _place(medusa, {"MUG": 1}, capture=True)
    _ship(adapter, order_id)
    adapter.push_refund(RefundNotice(order_id, Decimal("1.00"), "USD", "w"))
    wanted = {"order.placed", "payment.captured", "order.fulfillment_created", "shipment.created", "payment.refunded"}
    calls = sink.wait_for(lambda calls: wanted <= {call.headers["x-medusa-event"] for call in calls})
    now = datetime.now(UTC)
    for call in calls:
        event = adapter.verify_and_parse_webhook(call.headers, call.body, medusa.webhook_secret, now=now)
        if event.topic in wanted - {"shipment.created"}:
            assert adapter.resolve_event(event) == order_id, event.topic
        with pytest.raises(AuthError):
            adapter.verify_and_parse_webhook(call.headers, call.body + b" ", medusa.webhook_secret, now=now)
        with pytest.raises(AuthError):
            adapter.verify_and_parse_webhook(
                call.headers, call.body, medusa.webhook_secret, now=now + timedelta(hours=1)
            )
        with pytest.raises(AuthError):
            adapter.verify_and_parse_webhook(call.headers, call.body, "", now=now)
