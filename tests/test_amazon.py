"""Amazon: its own published examples through our mapper, and what only this platform has, against an account that
checks every call and answer against the published models."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from servers import amazon_models
from servers.amazon_server import (
    CLIENT_ID,
    CLIENT_SECRET,
    MARKETPLACE,
    OLD_REFRESH,
    POOR_REFRESH,
    REFRESH,
    SELLER,
    AmazonServer,
)
from servers.shops import NAME, STREET

from odoo.addons.oms_channels.adapters import get_adapter_class, http
from odoo.addons.oms_channels.adapters.amazon import client, mapper
from odoo.addons.oms_channels.adapters.amazon.adapter import CARRIERS, V2026_DATA, get_reference
from odoo.addons.oms_channels.adapters.errors import AdapterError, AuthError, RateLimited, Rejected, Throttled
from odoo.addons.oms_channels.adapters.notices import ShipmentNotice, StockLevel
from odoo.addons.oms_channels.adapters.types import ChannelConfig, Memory

pytestmark = pytest.mark.nodb
VERSIONS = ["2026-01-01", "v0"]
ADDRESS = {
    "name": NAME,
    "addressLine1": STREET,
    "addressLine2": "Apt 4",
    "city": "New York",
    "stateOrRegion": "NY",
    "postalCode": "10001",
    "countryCode": "US",
}


@pytest.fixture
def account():
    client._TOKENS.clear()
    with AmazonServer() as server:
        server.add_product("TEE", "T-Shirt", "19.99")
        server.add_product("MUG", "Mug", "8.50")
        yield server


def make_adapter(server, version=VERSIONS[0], refresh="", transport=None, options=(), **timing):
    refresh = refresh or (OLD_REFRESH if version == "v0" else REFRESH)
    keys = {"api_key": CLIENT_ID, "api_secret": CLIENT_SECRET, "refresh_token": refresh}
    settings = {"marketplace_ids": MARKETPLACE, "seller_id": SELLER, "orders_version": version, **dict(options)}
    return get_adapter_class("amazon")(ChannelConfig(server.url, keys, settings), transport, **timing)


def place(server, **kwargs):
    return server.place({"TEE": 2, "MUG": 1}, ADDRESS, **kwargs)


def read(server, order_id, version=VERSIONS[0]):
    adapter = make_adapter(server, version)
    return adapter.parse_order(adapter.fetch_order(order_id))


def list_ids(server, version):
    pages = make_adapter(server, version).iter_orders_since(datetime.now(UTC) - timedelta(days=2), limit=2)
    return [item.external_id for page in pages for item in page.items]


# === AMAZON'S OWN EXAMPLES === #


def test_example_of_the_new_version_adds_up():
    [raw] = amazon_models.get("searchOrders").get_example()["orders"]
    order = mapper.map_order(raw)
    assert (order.external_id, order.status, order.currency) == ("123-4567890-1234567", "completed", "USD")
    assert order.total == order.parts_total == Decimal("154.99")
    assert [line.total for line in order.lines] == [Decimal("100.00"), Decimal("49.99")]
    assert [(charge.name, charge.total) for charge in order.shippings] == [("Delivery tip", Decimal("5.00"))]
    assert [line.delivered_quantity for line in order.lines] == [2, 1]
    address = order.shipping_address
    assert (address.street, address.street2, address.company) == (
        "123 Main Street",
        "Suite 456",
        "Smith Industries LLC",
    )
    assert order.coupon_codes == ("PROMO-HOLIDAY-2024",) and not order.is_masked
    assert "ask for John Smith" in order.note and "Happy Holidays" in order.note


def test_examples_of_version_0_are_read():
    """The example's items are of another order and of several currencies: only their parts are looked at."""
    [raw] = amazon_models.get("getOrders").get_example()["payload"]["Orders"]
    items = amazon_models.get("getOrderItems").get_example()["payload"]["OrderItems"]
    order = mapper.map_order({**raw, "OrderStatus": "Unshipped", "OrderItems": items})
    first, second = order.lines
    assert (first.price_unit, first.shipped_quantity, second.quantity) == (Decimal("25.99"), 1, 2)
    assert [(row.external_id, row.amount) for row in order.shippings] == [
        ("shipping", Decimal("1.26")),
        ("gift-wrap", Decimal("43.98")),
        ("cod", Decimal("10.00")),
    ]
    assert [row.reason for row in order.refund_requests] == ["Found cheaper somewhere else."] * 2
    assert (order.buyer_name, order.coupon_codes) == ("John Doe", ("FREESHIP",))
    with pytest.raises(AdapterError, match="pending at Amazon"):
        mapper.map_order({**raw, "OrderItems": [{"OrderItemId": "1", "QuantityOrdered": 1}]})


def test_order_without_anything_left_is_a_cancellation():
    """Version 0 forgets quantities and amounts of what was cancelled."""
    [raw] = amazon_models.get("getOrders").get_example()["payload"]["Orders"]
    item = {"OrderItemId": "1", "ASIN": "B0", "QuantityOrdered": 0}
    order = mapper.map_order({**raw, "OrderStatus": "Canceled", "OrderItems": [item]})
    assert (order.status, order.lines, order.payments) == ("cancelled", (), ())


def test_included_data_are_those_of_the_model():
    for name in ("searchOrders", "getOrder"):
        operation = amazon_models.get(name, "2026")
        [parameter] = [row for row in operation.spec["parameters"] if row["name"] == "includedData"]
        assert set(V2026_DATA) <= set(parameter["items"]["enum"])


# === MONEY === #


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("is_included", [False, True])
def test_tax_within_or_on_top_adds_up(version, is_included):
    with AmazonServer(tax_rate="19", tax_included=is_included) as server:
        server.add_product("PEN", "Pen", "9.99")
        order = read(server, server.place({"PEN": 3}, ADDRESS, discount="2.97"), version)
        [line] = order.lines
        assert order.parts_total == order.total == Decimal("34.50" if is_included else "41.05")
        assert (line.is_tax_included, line.tax_rate, line.price_unit) == (is_included, None, Decimal("9.99"))
        assert line.tax_amount == Decimal("4.31" if is_included else "5.13")
        assert (line.discount_amount, order.payments[0].captured_amount) == (Decimal("2.97"), order.total)


def test_both_versions_tell_the_same_order(account):
    order_id = place(account, discount="1.00")
    new, old = (read(account, order_id, version) for version in VERSIONS)
    assert (new.lines, new.shippings, new.total, new.payments) == (old.lines, old.shippings, old.total, old.payments)
    assert (new.shipping_address, new.email, new.ship_by) == (old.shipping_address, old.email, old.ship_by)


# === WHAT IS READ === #


@pytest.mark.parametrize("version", VERSIONS)
def test_what_amazon_sends_or_waits_for_is_left_out(account, version):
    ours, _fba = place(account), place(account, fulfilled_by="AMAZON")
    unpaid = place(account, status="PENDING")
    assert list_ids(account, version) == [ours]
    account.pay(unpaid)
    assert list_ids(account, version) == [ours, unpaid]


def test_order_that_amazon_sends_is_done(account):
    raw = account.orders[place(account, fulfilled_by="AMAZON", status="SHIPPED")]
    order = mapper.map_order(raw)
    assert order.status == "completed" and all(line.shipped_quantity == line.quantity for line in order.lines)
    with pytest.raises(Rejected, match="itself"):
        make_adapter(account).push_shipment(ShipmentNotice(order.external_id, (("1", Decimal(1)),), "1", "UPS", "k"))


@pytest.mark.parametrize("version", VERSIONS)
def test_app_without_the_right_to_addresses_gets_masked_orders(account, version):
    order_id = place(account)
    adapter = make_adapter(account, version, POOR_REFRESH)
    order = adapter.parse_order(adapter.fetch_order(order_id))
    assert order.is_masked and not order.email and order.total == read(account, order_id, version).total
    details = dict(adapter.test_connection()["details"])
    assert details["Missing permissions"] == "Direct-to-Consumer Delivery, Product Listing, Finance and Accounting"


def test_connection_names_marketplaces(account):
    details = dict(make_adapter(account).test_connection()["details"])
    assert details == {"Marketplaces": f"Amazon.com ({MARKETPLACE})"}
    details = dict(make_adapter(account, options={"marketplace_ids": "A1PA6795UKMFR9"}).test_connection()["details"])
    assert details["Not a marketplace of this seller"] == "A1PA6795UKMFR9"
    details = dict(make_adapter(account, options={"seller_id": ""}).test_connection()["details"])
    assert "Seller ID" in details["Missing permissions"]


def test_marketplaces_are_asked_for_when_none_is_entered(account):
    place(account)
    assert len(list_ids(account, "v0")) == 1
    adapter = make_adapter(account, "v0", options={"marketplace_ids": ""})
    assert adapter.fetch_orders_page(datetime.now(UTC) - timedelta(days=2)).items
    assert [query for name, _path, query, _body in account.calls if name == "getOrders"][-1][
        "MarketplaceIds"
    ] == MARKETPLACE


def test_buyer_who_asks_to_cancel_is_heard(account):
    order_id = place(account)
    account.request_cancel(order_id, "Found it elsewhere")
    [request] = read(account, order_id).refund_requests
    assert (request.kind, request.state, request.reason) == ("refund", "requested", "Found it elsewhere")
    assert request.amount == read(account, order_id).lines[0].total


# === TOKENS AND PACE === #


@pytest.mark.parametrize("version", VERSIONS)
def test_tokens_are_kept_and_made_anew_when_they_ended(account, version):
    order_id = place(account)
    for _time in range(3):
        make_adapter(account, version).fetch_order(order_id)
    logins = account.logins
    assert logins == (2 if version == "v0" else 1)  # with one that opens buyers' data
    account.expire_tokens()
    assert make_adapter(account, version).fetch_order(order_id)
    assert account.logins > logins
    with pytest.raises(AuthError, match="invalid grant"):
        make_adapter(account, version, "Atzr|wrong").fetch_order(order_id)


def test_login_goes_to_amazon_alone():
    for host, url in (
        ("https://sellingpartnerapi-eu.amazon.com", client.LOGIN_URL),
        ("https://amazon.com.evil.example", "https://amazon.com.evil.example/auth/o2/token"),
        ("https://notamazon.com", "https://notamazon.com/auth/o2/token"),
    ):
        keys = {"api_key": "a", "api_secret": "b", "refresh_token": "c"}
        assert client.AmazonClient(ChannelConfig(host, keys), None)._get_login_url() == url


def test_throttled_call_says_when_to_come_again(account):
    order_id = place(account)
    adapter = make_adapter(account)
    adapter.fetch_order(order_id)
    account.is_throttled = True
    with pytest.raises(RateLimited) as caught:
        adapter.fetch_order(order_id)
    assert caught.value.retry_after == pytest.approx(1 / 50)
    assert not caught.value.is_shop_wide, "each operation has a limit of its own"


def test_calls_are_paced():
    """Patching takes five at once and five a second; a search twenty at once, and then one in three minutes."""
    slept, clock = [], [0.0]

    def sleep(seconds):
        slept.append(seconds)
        clock[0] += seconds

    memory = Memory()
    pacer = client.Pacer(memory, lambda: clock[0], sleep)
    for _time in range(7):
        pacer.wait("patchListingsItem")
    assert slept == [pytest.approx(0.2)] * 2
    for _time in range(20):
        pacer.wait("searchOrders")
    with pytest.raises(Throttled) as caught:  # our own pace: nothing was asked
        pacer.wait("searchOrders")
    assert caught.value.retry_after == pytest.approx(1 / 0.0056, abs=1)
    assert pacer.learn("searchOrders", {"x-amzn-ratelimit-limit": "2.0"}) == 2.0
    pacer.wait("searchOrders")
    assert slept[-1] == pytest.approx(0.5)
    clock[0] += 3600
    with pytest.raises(Throttled):  # another adapter begins where the last one was
        for _time in range(25):
            client.Pacer(memory, lambda: clock[0], slept.append).wait("getOrders")
    assert slept[-1] == pytest.approx(0.5)


# === PUSHES === #


def test_parcel_is_confirmed_with_amazons_name_of_the_carrier(account):
    order_id = place(account)
    order = read(account, order_id)
    lines = tuple((line.external_id, Decimal(1)) for line in order.lines)
    now = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
    adapter = make_adapter(account, clock=lambda: now)
    adapter.push_shipment(ShipmentNotice(order_id, lines[:1], "1Z1", "ups", "k1"))
    adapter.push_shipment(ShipmentNotice(order_id, lines[:1], "A2", "Ada's Van", "k2"))
    (_id, first), (_id, second) = account.confirmations
    assert (first["carrierCode"], "carrierName" in first, first["shipDate"]) == ("UPS", False, "2026-11-26T08:00:00Z")
    assert (second["carrierCode"], second["carrierName"]) == ("Other", "Ada's Van")
    assert first["packageReferenceId"] == get_reference("k1") and first["packageReferenceId"].isdigit()
    assert [line.shipped_quantity for line in read(account, order_id).lines] == [2, 0]
    assert all(name == name.casefold() for name in CARRIERS)


def test_parcel_that_a_person_confirmed_is_not_confirmed_again(account):
    order_id = place(account)
    line = read(account, order_id).lines[1]
    notice = ShipmentNotice(order_id, ((line.external_id, Decimal(1)),), "1Z9", "UPS", "mine")
    make_adapter(account).push_shipment(notice)
    account.orders[order_id]["packages"][0]["packageReferenceId"] = "7"
    result = make_adapter(account).push_shipment(notice)
    assert (result.is_repeat, result.external_id) == (True, "7")


@pytest.mark.parametrize("version", VERSIONS)
def test_parcel_without_a_number_or_of_a_cancelled_order_is_refused(account, version):
    order_id = place(account)
    lines = ((read(account, order_id).lines[0].external_id, Decimal(1)),)
    with pytest.raises(Rejected, match="tracking number"):
        make_adapter(account, version).push_shipment(ShipmentNotice(order_id, lines, "", "UPS", "k"))
    account.cancel(order_id)
    with pytest.raises(Rejected, match="stop the parcel"):
        make_adapter(account, version).push_shipment(ShipmentNotice(order_id, lines, "1Z", "UPS", "k"))
    sent = place(account, fulfilled_by="AMAZON", status="SHIPPED")
    with pytest.raises(Rejected, match="itself"):
        make_adapter(account, version).push_shipment(ShipmentNotice(sent, lines, "1Z", "UPS", "k"))
    assert not account.confirmations


def test_old_app_confirms_each_parcel_once_without_seeing_parcels(account):
    """Version 0 shows what was shipped of an item, not in which parcel: which one is the same Amazon sees."""
    order_id = place(account)
    tee, mug = ((line.external_id, Decimal(1)) for line in read(account, order_id, "v0").lines)
    adapter = make_adapter(account, "v0")
    first = ShipmentNotice(order_id, (tee, mug), "1Z1", "UPS", "k1")
    second = ShipmentNotice(order_id, (tee,), "1Z2", "UPS", "k2")
    assert not adapter.push_shipment(first).is_repeat
    # The mug is gone, a T-shirt is left.
    assert adapter.push_shipment(first).external_id == get_reference("k1")
    assert not adapter.push_shipment(second).is_repeat
    assert adapter.push_shipment(second).is_repeat and adapter.push_shipment(first).is_repeat
    assert [package["trackingNumber"] for _id, package in account.confirmations] == ["1Z1", "1Z1", "1Z2"]
    assert {path.split("/")[2] for _name, path, _query, _body in account.calls if path.startswith("/orders")} == {"v0"}


def test_stock_of_odd_skus_arrives_and_unknown_ones_say_why(account):
    account.add_product("A/B 7%?", "Odd", "1.00")
    levels = (StockLevel("A/B 7%?", Decimal(4)), StockLevel("GONE", Decimal(1)), StockLevel("TEE", Decimal(-2)))
    assert make_adapter(account).push_stock(levels).errors == ("", "The SKU is not known.", "")
    stock = {sku: row["fulfillmentAvailability"][0]["quantity"] for sku, row in account.listings.items()}
    assert (stock["A/B 7%?"], stock["TEE"]) == (4, 0)


def test_listings_are_those_we_send(account):
    account.add_product("FBA-1", "Theirs", "5.00", channel="AMAZON_NA")
    for index in range(25):
        account.add_product(f"BULK-{index:02d}", "Bulk", "1.00")
    adapter, found, cursor = make_adapter(account), [], None
    while True:
        page = adapter.fetch_listings(cursor)
        found += page.items
        if not (cursor := page.next_cursor):
            break
    assert len(found) == 27 and len({row.external_id for row in found}) == 27
    tee = next(row for row in found if row.sku == "TEE")
    assert (tee.price, tee.currency, tee.title, tee.is_active) == (Decimal("19.99"), "USD", "T-Shirt", True)
    assert "FBA-1" not in {row.sku for row in found}


def test_more_listings_than_can_be_paged_go_on_by_date():
    def item(index):
        summary = {"createdDate": f"2026-01-01T00:{index // 60:02d}:{index % 60:02d}Z", "status": []}
        return {"sku": f"S{index}", "summaries": [summary]}

    asked = []

    def transport(request):
        if request.url.endswith("/token"):
            value = {"access_token": "t", "expires_in": 3600}
        else:
            asked.append(dict(request.params))
            start = int(asked[-1].get("pageToken", "0"))
            value = {"numberOfResults": 1010, "items": [item(start + index) for index in range(20)]}
            if "createdAfter" in asked[-1]:
                value["numberOfResults"] = 10
            elif start < 980:
                value["pagination"] = {"nextToken": str(start + 20)}
        return http.HttpResponse(200, {"content-type": "application/json"}, json.dumps(value).encode())

    keys = {"api_key": "x", "api_secret": "y", "refresh_token": "many"}
    options = {"marketplace_ids": MARKETPLACE, "seller_id": SELLER}
    adapter = get_adapter_class("amazon")(
        ChannelConfig("http://amazon.test", keys, options), transport, sleep=lambda _seconds: None
    )
    cursor = None
    while True:
        cursor = adapter.fetch_listings(cursor).next_cursor
        if not cursor:
            break
    assert len(asked) == 51 and asked[-1]["createdAfter"] == "2026-01-01T00:16:39Z"
