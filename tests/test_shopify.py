"""Shopify: every document against the published schema, and what only this shop has, against the shop that executes
them. Needs the schema, which ./oms test installs; a fast run takes it where it is there."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from graphql import (
    InlineFragmentNode,
    IntValueNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    parse,
    validate,
    visit,
)
from graphql.validation import NoDeprecatedCustomRule
from servers import shopify_schema
from servers.shopify_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    LOCATION,
    OTHER_LOCATION,
    READ_TOKEN,
    TOKEN,
    ShopifyServer,
    get_left,
    get_refunds,
)
from servers.shops import NAME, STREET

from odoo.addons.oms_channels import adapters
from odoo.addons.oms_channels.adapters import get_adapter_class
from odoo.addons.oms_channels.adapters.errors import AuthError, RateLimited, Rejected, Throttled, Unavailable
from odoo.addons.oms_channels.adapters.notices import CancelNotice, RefundNotice, ShipmentNotice, StockLevel
from odoo.addons.oms_channels.adapters.shopify import bulk, client, queries
from odoo.addons.oms_channels.adapters.shopify.adapter import SCOPES
from odoo.addons.oms_channels.adapters.types import ChannelConfig

if shopify_schema.is_installed():
    pytestmark = pytest.mark.nodb

FRAGMENTS = {
    "API_VERSION",
    "MONEY",
    "BOTH",
    "ADDRESS",
    "TAXES",
    "DISCOUNTS",
    "LINE",
    "SHIPPING_LINE",
    "HEAD",
    "FULFILLMENT",
    "REFUND",
    "TRANSACTION",
    "RETURN",
    "RETURN_LINE",
    "ORDER",
}
DOCUMENTS = {
    name: text % json.dumps("updated_at:>='2026-01-01'") if name == "BULK_ORDERS" else text
    for name, text in vars(queries).items()
    if name.isupper() and isinstance(text, str) and name not in FRAGMENTS
}
ADDRESS = {
    "name": NAME,
    "address1": STREET,
    "city": "New York",
    "province": "New York",
    "provinceCode": "NY",
    "zip": "10001",
    "countryCodeV2": "US",
}


@pytest.fixture
def shop():
    with ShopifyServer() as server:
        server.add_product("TEE", "T-Shirt", "19.99")
        server.add_product("MUG", "Mug", "8.50")
        yield server


def make_adapter(server, token=TOKEN, secret="", transport=None, options=None, **timing):
    config = ChannelConfig(server.url, {"api_key": token, "api_secret": secret}, options or {})
    return get_adapter_class("shopify")(config, transport, **timing)


def place(server, **kwargs):
    return server.place({"TEE": 2, "MUG": 1}, ADDRESS, **kwargs)


def read(server, number):
    adapter = make_adapter(server)
    return adapter.parse_order(adapter.fetch_order(number))


# === DOCUMENTS === #


@pytest.mark.parametrize("name", DOCUMENTS)
def test_document_is_valid_in_the_published_schema(name):
    """In our version and in every later one that is published, so that the next step up is known to work."""
    versions = [version for version in shopify_schema.get_versions() if version >= queries.API_VERSION]
    assert queries.API_VERSION in versions
    for version in versions:
        errors = validate(shopify_schema.load(version), parse(DOCUMENTS[name]))
        assert not errors, f"{version}: {[error.message for error in errors]}"


def _iter_touched(text):
    """Yield (type, field) and (type, "") of all that a document reads or changes."""
    touched, info = [], TypeInfo(shopify_schema.load())

    class Collector(Visitor):
        def enter_field(self, node, *_args):
            kind = get_named_type(info.get_type())
            touched.extend([(info.get_parent_type().name, node.name.value), (kind.name if kind else "", "")])

    visit(parse(text), TypeInfoVisitor(info, Collector()))
    return touched


def test_the_scopes_that_are_asked_for_are_those_that_the_documents_need():
    """An app made by our words may do all that we ask of it. Its own texts name the same scopes."""
    given = set(SCOPES) | {scope.replace("write_", "read_", 1) for scope in SCOPES}
    needed, used = shopify_schema.load_scopes(), set()
    for name, text in DOCUMENTS.items():
        for touched in _iter_touched(text):
            if scopes := needed.get(touched):
                assert given & set(scopes), f"{name}: {touched} needs one of {scopes}"
                used |= given & set(scopes)
    unused = {scope for scope in SCOPES if not {scope, scope.replace("write_", "read_", 1)} & used}
    # Of all times, not a type; and what the schema only calls "access to payouts".
    assert unused == {"read_all_orders", "read_shopify_payments_payouts"}
    addon = Path(adapters.__file__).parents[1]
    for path in ("views/oms_channel_platform_views.xml", "data/oms_shop_platform_data.xml"):
        assert all(scope in (addon / path).read_text() for scope in SCOPES), path


def test_documents_ask_for_nothing_outdated():
    """What the schema calls deprecated goes away within a year."""
    schema = shopify_schema.load()
    for name, text in DOCUMENTS.items():
        errors = validate(schema, parse(text), [NoDeprecatedCustomRule])
        assert not errors, f"{name}: {[error.message for error in errors]}"


def test_no_document_costs_more_than_the_shop_allows():
    """A thousand points a call: one an object, pages by their size. Bulk documents are not reckoned by the call."""
    costs = {name: _get_cost(text) for name, text in DOCUMENTS.items() if "mutation" not in text and "BULK" not in name}
    assert max(costs.values()) <= 1000, costs
    # Twice the cost must be in the smallest bucket with room for other apps.
    assert costs["ONE_ORDER"] <= 750


def _get_cost(text):
    [operation] = parse(text).definitions
    return _reckon(operation.selection_set, shopify_schema.load().query_type)


def _reckon(selections, parent):
    total = 0
    for node in selections.selections:
        if isinstance(node, InlineFragmentNode):
            total += _reckon(node.selection_set, shopify_schema.load().type_map[node.type_condition.name.value])
            continue
        if not node.selection_set:
            continue
        kind = get_named_type(parent.fields[node.name.value].type)
        cost = _reckon(node.selection_set, kind)
        first = next((row.value for row in node.arguments or () if row.name.value == "first"), None)
        if kind.name.endswith("Connection") or first:
            size = int(first.value) if isinstance(first, IntValueNode) else 100
            total += size * (cost if kind.name.endswith("Connection") else 1 + cost)
        else:
            total += 1 + cost
    return total


# === LOGIN AND BUDGET === #


def test_app_fetches_its_token_once_and_again_when_it_ended(shop):
    client._TOKENS.clear()
    number = place(shop)
    for _time in range(2):
        make_adapter(shop, CLIENT_ID, CLIENT_SECRET).fetch_order(number)
    assert shop.logins == 1
    shop.logins += 1  # the shop forgets the token it gave
    assert make_adapter(shop, CLIENT_ID, CLIENT_SECRET).fetch_order(number)
    assert shop.logins == 3
    with pytest.raises(AuthError, match="client ID"):
        make_adapter(shop, CLIENT_ID, "wrong").fetch_order(number)


def test_missing_scopes_are_named(shop):
    assert "Missing permissions" not in dict(make_adapter(shop).test_connection()["details"])
    details = dict(make_adapter(shop, READ_TOKEN).test_connection()["details"])
    assert "write_inventory" in details["Missing permissions"] and "read_products" not in details["Missing permissions"]
    with pytest.raises(AuthError):
        make_adapter(shop, READ_TOKEN).push_stock((StockLevel("TEE", Decimal(1)),))


def test_calls_wait_until_twice_their_cost_is_there(shop):
    number, slept, clock = place(shop), [], [0.0]

    def sleep(seconds):
        slept.append(seconds)
        clock[0] += seconds

    adapter = make_adapter(shop, clock=lambda: clock[0], sleep=sleep)
    adapter.fetch_order(number)
    cost = adapter.config.memory.states["budget"]["costs"][client._get_name(queries.ONE_ORDER)]
    shop.available = cost  # enough for one, but not for two
    adapter.fetch_order(number)  # learns how little is left
    assert not slept
    adapter.fetch_order(number)
    assert slept == [pytest.approx(cost / shop.restore_rate)]
    shop.available, shop.restore_rate = cost, 1.0
    adapter.fetch_order(number)
    with pytest.raises(Throttled) as caught:  # our own pace: nothing was asked
        adapter.fetch_order(number)
    assert caught.value.retry_after == pytest.approx(cost, abs=1)


def test_used_up_budget_says_when_to_come_again(shop):
    number = place(shop)
    shop.available = 5.0
    with pytest.raises(RateLimited) as caught:
        make_adapter(shop).fetch_order(number)
    assert caught.value.retry_after > 1


# === ORDERS === #


def test_coupon_duty_and_tip_add_up(shop):
    number = place(shop, code=("TEN", 10), duty="2.15")
    raw = shop.get_order(number)
    raw["totalTipReceivedSet"] = shop.money("3.00")
    raw["totalPriceSet"] = shop.money(Decimal(raw["totalPriceSet"]["shopMoney"]["amount"]) + 3)
    order = read(shop, number)
    assert order.parts_total == order.total == Decimal("62.03")
    assert order.coupon_codes == ("TEN",) and order.discount_total == Decimal("4.85")
    assert [charge.name for charge in order.shippings] == ["Standard", "Duty TEE", "Duty MUG", "Tip"]
    assert (order.buyer_ip, order.risk_score, order.note) == ("203.0.113.9", 20, "Leave at the door")
    assert order.payments[0].fee_amount == Decimal("2.01")


@pytest.mark.parametrize("is_included", [False, True])
def test_prices_with_and_without_tax_add_up(is_included):
    with ShopifyServer(tax_rate="19", taxes_included=is_included) as server:
        server.add_product("PEN", "Pen", "9.99")
        order = read(server, server.place({"PEN": 3}, ADDRESS, code=("TEN", 10)))
        [line] = order.lines
        assert order.parts_total == order.total == Decimal("34.47" if is_included else "39.59")
        assert (line.is_tax_included, line.tax_rate, line.price_unit) == (is_included, 19, Decimal("9.99"))


def test_units_taken_away_by_an_edit_are_cancelled(shop):
    number = place(shop)
    sold = read(shop, number)
    shop.remove_units(number, 1)
    order = read(shop, number)
    assert order.total == sold.total and order.version > sold.version
    assert [line.cancelled_quantity for line in order.lines] == [1, 0]


def test_return_that_a_buyer_asks_for_is_told(shop):
    number = place(shop)
    shop.request_return(number)
    [request] = read(shop, number).refund_requests
    assert (request.kind, request.state, request.reason, request.amount) == (
        "return",
        "requested",
        "too small",
        Decimal("19.99"),
    )
    assert request.lines == ((read(shop, number).lines[0].external_id, 1),)


def test_order_that_waits_is_a_presale(shop):
    number = place(shop)
    for row in shop.get_order(number)["_fos"]:
        row.update(status="SCHEDULED", fulfillAt="2027-02-01T00:00:00Z", fulfillBy="2027-02-05T00:00:00Z")
    order = read(shop, number)
    assert order.is_presale and str(order.ship_from) == "2027-02-01" and order.ship_by.day == 5


def test_long_order_is_read_whole(shop):
    for index in range(45):
        shop.add_product(f"P{index}", "Thing", "1.00")
    number = shop.place({f"P{index}": 1 for index in range(45)}, ADDRESS)
    order = read(shop, number)
    assert len(order.lines) == 45 and order.parts_total == order.total
    lines = tuple((line.external_id, Decimal(1)) for line in order.lines)
    adapter = make_adapter(shop)
    adapter.push_shipment(ShipmentNotice(number, lines, "SF1", "SF Express", "all"))
    assert adapter.push_shipment(ShipmentNotice(number, lines, "SF1", "SF Express", "all")).is_repeat
    assert all(line.shipped_quantity == 1 for line in read(shop, number).lines)


def test_many_payments_charges_and_returns_are_read_whole(shop):
    """What does not fit into the first answer is money, or goods that a buyer asks back."""
    number = place(shop)
    order = shop.get_order(number)
    for _index in range(12):
        shop.add_transaction(order, "SALE", "1.00")
        shop.add_charge(number, "0.50")
    asked = [shop.request_return(number, lines=7) for _index in range(5)]
    found = read(shop, number)
    assert sum(row.captured_amount for row in found.payments) == found.captured_total == get_left(order)
    assert len(found.payments) == 13 and len(found.shippings) == 13
    assert [request.external_id for request in found.refund_requests] == asked
    assert {len(request.lines) for request in found.refund_requests} == {7}
    # A few fit: nothing is asked for a second time.
    number = place(shop)
    shop.request_return(number)
    shop.calls.clear()
    make_adapter(shop).fetch_order(number)
    assert len(shop.calls) == 1


# === PUSHES === #


def test_parcel_from_two_locations_becomes_two_fulfilments(shop):
    number = place(shop, split=True)
    lines = tuple((line.external_id, line.quantity) for line in read(shop, number).lines)
    notice = ShipmentNotice(number, lines, "SF7", "SF Express", "both", tracking_url="https://t.example.com/SF7")
    adapter = make_adapter(shop, options={"location_id": OTHER_LOCATION.rpartition("/")[2]})
    assert not adapter.push_shipment(notice).is_repeat and adapter.push_shipment(notice).is_repeat
    assert len(shop.get_order(number)["_fulfillments"]) == 2
    made = [variables for name, variables in shop.calls if name == "fulfillmentCreate"]
    assert {row["fulfillment"]["trackingInfo"]["number"] for row in made} == {"SF7"}
    first = made[0]["fulfillment"]["lineItemsByFulfillmentOrder"][0]["fulfillmentOrderId"]
    assert first == shop.get_order(number)["_fos"][1]["id"]  # our own location first


def test_half_told_parcel_is_made_whole(shop):
    """The worker died between the two fulfilments of one parcel."""
    number = place(shop, split=True)
    first, second = read(shop, number).lines
    adapter = make_adapter(shop)
    adapter.push_shipment(ShipmentNotice(number, ((first.external_id, Decimal(2)),), "SF8", "SF Express", "both"))
    whole = ((first.external_id, Decimal(2)), (second.external_id, Decimal(1)))
    assert not adapter.push_shipment(ShipmentNotice(number, whole, "SF8", "SF Express", "both")).is_repeat
    assert [line.shipped_quantity for line in read(shop, number).lines] == [2, 1]


def test_held_order_cannot_be_sent(shop):
    number = place(shop)
    shop.get_order(number)["_fos"][0]["status"] = "ON_HOLD"
    lines = ((read(shop, number).lines[0].external_id, Decimal(1)),)
    with pytest.raises(Rejected, match="put on hold"):
        make_adapter(shop).push_shipment(ShipmentNotice(number, lines, "SF9", "SF Express", "held"))


def test_slow_cancellation_is_asked_for_again(shop):
    number, adapter = place(shop), make_adapter(shop)
    shop.is_slow_to_cancel = True
    with pytest.raises(Unavailable) as caught:
        adapter.push_cancel(CancelNotice(number, "c1"))
    assert caught.value.retry_after == 5.0
    shop.is_slow_to_cancel = False
    shop.cancel(number)
    result = adapter.push_cancel(CancelNotice(number, "c1"))
    assert result.is_repeat and list(result.data["refunded"].values()) == [str(read(shop, number).total)]


def test_cancelled_order_whose_money_was_kept_is_paid_back(shop):
    number, adapter = place(shop), make_adapter(shop)
    shop.cancel(number, keeps_money=True)
    assert not adapter.push_cancel(CancelNotice(number, "c2")).is_repeat
    assert get_refunds(shop.get_order(number)) == [read(shop, number).total]
    assert adapter.push_cancel(CancelNotice(number, "c2")).is_repeat


def test_refund_is_made_in_the_money_that_was_paid():
    with ShopifyServer(presentment=("EUR", 0.9)) as server:
        server.add_product("TEE", "T-Shirt", "19.99")
        number = server.place({"TEE": 2}, ADDRESS)
        order, adapter = read(server, number), make_adapter(server)
        assert order.currency == "USD" and order.parts_total == order.total
        adapter.push_refund(RefundNotice(number, Decimal("10.00"), "USD", "r1"))
        [body] = [variables["input"] for name, variables in server.calls if name == "refundCreate"]
        assert (body["currency"], body["transactions"][0]["amount"]) == ("EUR", "9.00")
        adapter.push_refund(RefundNotice(number, order.total - 10, "USD", "r2"))
        payment = read(server, number).payments[0]
        assert (payment.state, payment.refunded_amount) == ("refunded", order.total)


def test_refund_names_units_only_when_they_are_worth_it(shop):
    number, adapter = place(shop), make_adapter(shop)
    line = read(shop, number).lines[0]
    units = ((line.external_id, Decimal(1)),)
    adapter.push_refund(RefundNotice(number, Decimal("1.00"), "USD", "small", lines=units))
    adapter.push_refund(RefundNotice(number, line.total / 2, "USD", "unit", lines=units))
    small, unit = [variables["input"] for name, variables in shop.calls if name == "refundCreate"]
    assert "refundLineItems" not in small and unit["refundLineItems"][0]["restockType"] == "NO_RESTOCK"
    order = read(shop, number)
    assert [row.cancelled_quantity for row in order.lines] == [1, 0] and order.total == order.parts_total


def test_same_key_for_two_orders_is_two_refunds(shop):
    adapter = make_adapter(shop)
    for number in (place(shop), place(shop)):
        adapter.push_refund(RefundNotice(number, Decimal("1.00"), "USD", "same"))
        assert get_refunds(shop.get_order(number)) == [Decimal("1.00")]


def test_refused_quantity_does_not_hold_up_the_others(shop):
    items = [shop.find(sku)["inventoryItem"]["id"].rpartition("/")[2] for sku in ("TEE", "MUG")]
    levels = (
        StockLevel("TEE", Decimal(5), inventory_external_id=items[0]),
        StockLevel("GONE", Decimal(6), inventory_external_id="1"),
        StockLevel("MUG", Decimal(7), inventory_external_id=items[1]),
        StockLevel("MUG", Decimal(9), inventory_external_id=items[1], location=OTHER_LOCATION),
    )
    errors = make_adapter(shop).push_stock(levels).errors
    assert [bool(error) for error in errors] == [False, True, False, True]
    assert [shop.find(sku)["available"] for sku in ("TEE", "MUG")] == [5, 7]


def test_stock_goes_in_batches_of_250_to_the_location_that_serves_the_web(shop):
    rows = [shop.add_product(f'B"{index}', "Bulk", "1.00") for index in range(251)]
    shop.calls.clear()
    levels = [StockLevel(row["sku"], Decimal(3), row["id"].rpartition("/")[2]) for row in rows]
    assert not any(make_adapter(shop).push_stock(levels).errors)
    made = [variables["input"]["quantities"] for name, variables in shop.calls if name == "inventorySetQuantities"]
    assert [len(one) for one in made] == [250, 1]
    assert {row["locationId"] for one in made for row in one} == {LOCATION}
    assert make_adapter(shop).push_stock((StockLevel('B"7', Decimal(4)),)).errors == ("",)
    assert shop.find('B"7')["available"] == 4


# === WEBHOOKS === #


def test_webhooks_are_registered_mended_and_moved(shop):
    adapter, url = make_adapter(shop), "https://odoo.example.com/oms/webhook/7"
    made = adapter.ensure_webhooks(url, "unused")
    assert len(made.created) == 7 and not made.updated and not made.unchanged
    assert len(adapter.ensure_webhooks(url, "unused").unchanged) == 7
    first, second, *_others = list(shop.webhooks.values())
    del shop.webhooks[first["id"]]
    second["includeFields"] = []
    shop.webhooks["gid://shopify/WebhookSubscription/9"] = {
        **second,
        "id": "gid://shopify/WebhookSubscription/9",
        "uri": "https://erp.example.com/hook",
    }
    mended = adapter.ensure_webhooks(url, "unused")
    assert (len(mended.created), len(mended.updated), len(mended.unchanged)) == (1, 1, 5)
    moved = adapter.ensure_webhooks(url.replace("odoo.", "new."), "unused")
    assert len(moved.updated) == 7 and len(adapter.fetch_webhooks()) == 8
    assert [row.url for row in adapter.fetch_webhooks() if "erp" in row.url] == ["https://erp.example.com/hook"]


# === OLD ORDERS AND PAYOUTS === #


def test_backfill_gives_what_the_list_gives(shop, monkeypatch):
    monkeypatch.setattr(bulk, "PIECE", 700)  # many pieces, which end within a line
    plain, coupon, refunded, shipped = place(shop), place(shop, code=("TEN", 10), duty="1.00"), place(shop), place(shop)
    adapter = make_adapter(shop)
    adapter.push_refund(RefundNotice(refunded, Decimal("2.00"), "USD", "r"))
    line = read(shop, shipped).lines[0]
    adapter.push_shipment(ShipmentNotice(shipped, ((line.external_id, Decimal(1)),), "SF1", "SF", "s"))
    since = datetime.now(UTC) - timedelta(days=2)
    state = adapter.get_backfill(adapter.start_backfill(since))
    assert (state.state, bool(state.url)) == ("done", True)
    whole = list(adapter.iter_backfill(state.url))
    found = {item.external_id: item for item, _end in whole}
    for index, (_item, end) in enumerate(whole[:-1], 1):  # from each place on the rest is the rest
        assert list(adapter.iter_backfill(state.url, end)) == whole[index:]
    listed = {item.external_id: item for page in adapter.iter_orders_since(since) for item in page.items}
    assert set(found) == set(listed) == {plain, coupon, refunded, shipped}
    for number, item in found.items():
        ours, theirs = adapter.parse_order(item.payload), adapter.parse_order(listed[number].payload)
        assert (item.version, ours.total, ours.shippings) == (listed[number].version, theirs.total, theirs.shippings)
        assert ours.lines == theirs.lines and ours.payments == theirs.payments


def test_backfill_of_nothing_and_a_forgotten_one(shop):
    adapter = make_adapter(shop)
    state = adapter.get_backfill(adapter.start_backfill(datetime.now(UTC)))
    assert list(adapter.iter_backfill(state.url)) == []
    with pytest.raises(Rejected):
        adapter.get_backfill("gid://shopify/BulkOperation/0")
    shop.bulks["x"] = {"__typename": "BulkOperation", "id": "x", "status": "FAILED", "errorCode": "TIMEOUT"}
    shop.bulks["x"]["objectCount"] = "7"
    assert adapter.get_backfill("x")[::3] == ("failed", "TIMEOUT")


def test_movements_name_what_the_buyer_paid_by(shop):
    """A capture and a refund are transactions of their own: the payment is the authorisation, or the sale."""
    since, paid_at_once, captured = datetime.now(UTC) - timedelta(days=1), place(shop), place(shop)
    shop.capture_later(captured)
    adapter = make_adapter(shop)
    for number in (paid_at_once, captured):
        adapter.push_refund(RefundNotice(number, Decimal("5.00"), "USD", "r1"))
        [payment] = read(shop, number).payments
        shop.settle(number)
        found = [row for row in adapter.fetch_payouts_page(since).items if row.order_external_id == number]
        assert [(row.kind, row.payment_external_id) for row in found] == [
            ("charge", payment.external_id),
            ("refund", payment.external_id),
        ]
    shop.orders.clear()  # the transactions are gone: what the movement itself says is kept
    assert all(row.payment_external_id for row in adapter.fetch_payouts_page(since).items if row.kind != "payout")


def test_payouts_tell_fees_by_payment(shop):
    number = place(shop)
    payment, since = read(shop, number).payments[0], datetime(2020, 1, 1, tzinfo=UTC)
    shop.settle(number)
    shop.payouts.append({**shop.payouts[0], "id": "gid://shopify/ShopifyPaymentsBalanceTransaction/99", "test": True})
    entries = make_adapter(shop).fetch_payouts_page(since, limit=5).items
    assert [(entry.kind, entry.payout_state) for entry in entries] == [("charge", "paid"), ("payout", "paid")]
    assert (entries[0].order_external_id, entries[0].payment_external_id) == (number, payment.external_id)
    assert entries[0].gross == payment.captured_amount
