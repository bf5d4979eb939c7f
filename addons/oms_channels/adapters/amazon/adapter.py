"""A seller's account at Amazon (Selling Partner API) as a channel."""

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from .. import base
from ..errors import AuthError, BadResponse, Rejected
from ..notices import PushResult, StockResult
from ..payouts import PayoutPage
from ..types import ZERO, ListingPage, Page, PageItem, RefPage
from ..values import rows, to_json_number, to_text
from . import finances, mapper, parts
from .client import AmazonClient

V0, V2026 = "v0", "2026-01-01"
V2026_DATA = ("BUYER", "RECIPIENT", "PROCEEDS", "PROMOTION", "CANCELLATION", "FULFILLMENT", "PACKAGES", "PAYMENT")
# A page of the old version costs a call an order: as many as the account may make at once.
MAX_PAGE = {V0: 20, V2026: 100}
PAGE_OF_IDS = 100
STATUSES_V0 = ("Unshipped", "PartiallyShipped", "Shipped", "Canceled", "Unfulfillable", "InvoiceUnconfirmed")
STATUSES = ("UNSHIPPED", "PARTIALLY_SHIPPED", "SHIPPED", "CANCELLED", "UNFULFILLABLE")
BUYER_DATA = ("buyerInfo", "shippingAddress")
# More than this the listings can't be paged through; then the next ones are asked for by their date.
MAX_LISTINGS = 1000
# The connection test looks at an order of this time.
SAMPLE = timedelta(days=30)
LISTING_DATA = ("summaries", "offers", "fulfillmentAvailability")
# Names of carriers -> Amazon's codes; for others the name is given.
CARRIERS = {
    "4px": "4PX",
    "china post": "China Post",
    "dhl": "DHL",
    "dhl express": "DHL",
    "dpd": "DPD",
    "fedex": "FedEx",
    "gls": "GLS",
    "ontrac": "OnTrac",
    "royal mail": "Royal Mail",
    "sf express": "SF Express",
    "ups": "UPS",
    "usps": "USPS",
    "yanwen": "Yanwen",
    "yun express": "Yun Express",
    "yunexpress": "Yun Express",
}


class AmazonAdapter(base.ChannelAdapter):
    """Options: ``marketplace_ids`` (separated by commas; default: all the seller takes part in), ``seller_id`` (for
    listings and stock), ``orders_version`` ("2026-01-01", the default, or "v0").

    Orders that Amazon sends from its own warehouse (FBA) are left out: neither the goods nor the work are ours, and an
    order here would reserve stock. Orders that are not paid for yet are left out until they are.

    Amazon tells of changes through queues of its own (SQS, EventBridge), not by a call to an address: orders are
    pulled. A seller cancels and refunds through feeds (XML files), whose outcome is only known later, and which Amazon
    does not recognise when they come twice: a repeated one would pay twice. Not done from here.

    :param clock: callable -> aware datetime, the day of shipping
    """

    provider = "amazon"
    label = "Amazon"
    capabilities = frozenset(
        {base.ORDERS, base.AUDIT, base.LISTINGS, base.STOCK, base.STOCK_READ, base.SHIPMENT, base.PAYOUTS}
    )
    credential_keys = ("api_key", "api_secret", "refresh_token")
    option_keys = ("marketplace_ids", "seller_id", "orders_version")
    refunds_come_by_payouts = True

    def __init__(self, config, transport=None, clock=None, **timing):
        super().__init__(config, transport)
        self.client = AmazonClient(config, self.transport, **timing)
        self.clock = clock or (lambda: datetime.now(UTC))
        self.version = V0 if config.options.get("orders_version") == V0 else V2026
        self._marketplaces = tuple(
            filter(None, (one.strip() for one in to_text(config.options.get("marketplace_ids")).split(",")))
        )

    # === READ === #

    def test_connection(self):
        """Reads one of each: an app without the role for something is told here."""
        found = self._fetch_participations()
        details = [
            (
                "Marketplaces",
                ", ".join(f"{to_text(row.get('name'))} ({to_text(row.get('id'))})" for row in found),
            )
        ]
        names = {to_text(row.get("id")) for row in found}
        if unknown := [one for one in self._marketplaces if one not in names]:
            details.append(("Not a marketplace of this seller", ", ".join(unknown)))
        if missing := self._get_missing_roles():
            details.append(("Missing permissions", ", ".join(missing)))
        return {"shop": to_text(self.config.options.get("seller_id")) or "Amazon", "details": details}

    def _fetch_participations(self):
        answer = self.client.get("getMarketplaceParticipations", "/sellers/v1/marketplaceParticipations")
        return [
            row.get("marketplace") or {}
            for row in rows(answer, "payload")
            if (row.get("participation") or {}).get("isParticipating")
        ]

    def _get_missing_roles(self):
        """Roles of the app, as the developer's console calls them, that a call of ours misses."""
        missing = []
        try:
            orders, _cursor = self._list_orders(self.clock() - SAMPLE, None, None, 1)
        except AuthError:
            return ["Inventory and Order Tracking"]
        if any(mapper.map_order(raw).is_masked for raw in orders if mapper.get_status(raw) not in ("CANCELED",)):
            missing.append("Direct-to-Consumer Delivery")
        if not self.config.options.get("seller_id"):
            missing.append("Seller ID (settings)")
            return missing
        try:
            self.fetch_listings(limit=1)
        except AuthError:
            missing.append("Product Listing")
        try:
            self.fetch_payouts_page(self.clock() - timedelta(days=1))
        except AuthError:
            missing.append("Finance and Accounting")
        return missing

    def _get_marketplaces(self):
        if not self._marketplaces:
            self._marketplaces = tuple(to_text(row.get("id")) for row in self._fetch_participations())
        if not self._marketplaces:
            raise Rejected("The seller takes part in no marketplace of this region.")
        return self._marketplaces

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        orders, cursor = self._list_orders(since, until, cursor, min(limit, MAX_PAGE[self.version]))
        orders.sort(key=mapper.get_updated_at)
        items = [PageItem(mapper.get_order_id(raw), mapper.get_version(raw), raw) for raw in orders]
        return Page(tuple(items), cursor)

    def fetch_refs_page(self, since, until=None, cursor=None, limit=100):
        """Override: as many as a page holds and without their items, for Amazon allows few of these calls."""
        orders, cursor = self._list_orders(since, until, cursor, PAGE_OF_IDS, is_brief=True)
        return RefPage(tuple(map(mapper.map_ref, orders)), cursor)

    @classmethod
    def says_cancelled(cls, raw):
        return isinstance(raw, dict) and mapper.get_status(raw) == "CANCELED"

    def _list_orders(self, since, until, cursor, limit, is_brief=False):
        """(raw orders that concern us, next cursor). :param is_brief: whether their head is enough"""
        if self.version == V0:
            return self._list_orders_v0(since, until, cursor, limit, is_brief)
        answer = self.client.get(
            "searchOrders",
            "/orders/2026-01-01/orders",
            lastUpdatedAfter=mapper.format_time(since),
            lastUpdatedBefore=mapper.format_time(until) if until else None,
            fulfillmentStatuses=STATUSES,
            marketplaceIds=self._marketplaces,
            fulfilledBy="MERCHANT",
            maxResultsPerPage=limit,
            paginationToken=cursor,
            includedData=("FULFILLMENT",) if is_brief else V2026_DATA,
        )
        return _keep_ours(rows(answer, "orders")), _get_token(answer.get("pagination"), "nextToken")

    def _list_orders_v0(self, since, until, cursor, limit, is_brief):
        answer = self.client.get(
            "getOrders",
            "/orders/v0/orders",
            restricted=None if is_brief else (("/orders/v0/orders", BUYER_DATA),),
            LastUpdatedAfter=mapper.format_time(since),
            LastUpdatedBefore=mapper.format_time(until) if until else None,
            OrderStatuses=STATUSES_V0,
            MarketplaceIds=self._get_marketplaces(),
            FulfillmentChannels="MFN",
            MaxResultsPerPage=limit,
            NextToken=cursor,
        )
        page = answer.get("payload") or {}
        orders = _keep_ours(rows(page, "Orders"))
        if not is_brief:
            orders = [self._add_items(raw) for raw in orders]
        return orders, _get_token(page, "NextToken")

    def _add_items(self, raw):
        """Version 0 gives an order without its items."""
        path, items, cursor = f"/orders/v0/orders/{_quote(mapper.get_order_id(raw))}/orderItems", [], None
        while True:
            page = self.client.get("getOrderItems", path, NextToken=cursor).get("payload") or {}
            items += rows(page, "OrderItems")
            cursor = _get_token(page, "NextToken")
            if not cursor:
                return {**raw, "OrderItems": items}

    def fetch_order(self, external_id):
        if self.version == V2026:
            return self._fetch_order_2026(external_id)
        return self._fetch_order_v0(external_id, BUYER_DATA)

    def _fetch_order_v0(self, external_id, restricted):
        path = f"/orders/v0/orders/{_quote(external_id)}"
        answer = self.client.get("getOrder", path, restricted=restricted and ((path, restricted),))
        order = answer.get("payload")
        if not isinstance(order, dict) or order.get("AmazonOrderId") != external_id:
            raise BadResponse(f"Amazon did not answer with order {external_id}.")
        return self._add_items(order)

    def _fetch_order_2026(self, external_id):
        path = f"/orders/2026-01-01/orders/{_quote(external_id)}"
        order = self.client.get("getOrder", path, includedData=V2026_DATA).get("order")
        if not isinstance(order, dict) or order.get("orderId") != external_id:
            raise BadResponse(f"Amazon did not answer with order {external_id}.")
        return order

    def parse_order(self, raw):
        return mapper.map_order(raw)

    def fetch_listings(self, cursor=None, limit=100):
        """Amazon pages through a thousand and no further: after them it goes on by the date of creation.

        The cursor is "date from which it goes on|how many since then|Amazon's token".
        """
        start, seen, token = cursor.split("|", 2) if cursor else ("", "0", "")
        answer = self.client.get(
            "searchListingsItems",
            f"/listings/2021-08-01/items/{_quote(self._get_seller())}",
            marketplaceIds=self._get_marketplaces()[:1],
            includedData=LISTING_DATA,
            sortBy="createdDate",
            sortOrder="ASC",
            createdAfter=start,
            pageSize=min(limit, 20),
            pageToken=token,
        )
        found = rows(answer, "items")
        items = tuple(listing for listing in map(mapper.map_listing, found) if listing)
        token, seen = _get_token(answer.get("pagination"), "nextToken"), int(seen) + len(found)
        if token:
            return ListingPage(items, f"{start}|{seen}|{token}")
        if found and int(answer.get("numberOfResults") or 0) > seen >= MAX_LISTINGS:
            last = to_text(next(iter(rows(found[-1], "summaries")), {}).get("createdDate"))
            if last and last != start:
                return ListingPage(items, f"{last}|0|")
        return ListingPage(items)

    def fetch_payouts_page(self, since, cursor=None, limit=100):
        """What Amazon has released to the seller's account, with its fees."""
        answer = self.client.get(
            "listTransactions",
            "/finances/2024-06-19/transactions",
            postedAfter=mapper.format_time(since),
            transactionStatus=finances.RELEASED,
            nextToken=cursor,
        )
        page = answer.get("payload") or {}
        found = [row for row in rows(page, "transactions") if row.get("transactionStatus") == finances.RELEASED]
        return PayoutPage(tuple(map(finances.map_transaction, found)), _get_token(page, "nextToken"))

    # === PUSH === #

    def push_shipment(self, notice):
        """Confirm a parcel. Amazon knows it by a number within the order: ours is made of our key. To confirm it again
        would overwrite it, so nothing is sent twice even if Amazon is slow to show it."""
        order = self._fetch_sent_state(notice.order_external_id)
        if mapper.is_fba(order):
            raise Rejected("Amazon sends this order itself.")
        reference = get_reference(notice.idempotency_key)
        if confirmed := self._find_confirmed(notice, order, reference):
            return PushResult(confirmed, is_repeat=True)
        if mapper.get_status(order) == "CANCELED":
            raise Rejected(f"Order {notice.order_external_id} is cancelled at Amazon: stop the parcel.")
        if not notice.tracking_number:
            raise Rejected("Amazon wants a tracking number. Enter it on the transfer, then retry.")
        self.client.post(
            "confirmShipment",
            f"/orders/v0/orders/{_quote(notice.order_external_id)}/shipmentConfirmation",
            self._make_confirmation(notice, order, reference),
        )
        return PushResult(reference)

    def _fetch_sent_state(self, external_id):
        """The raw order, of which nobody's name is needed."""
        if self.version == V2026:
            return self._fetch_order_2026(external_id)
        return self._fetch_order_v0(external_id, restricted=None)

    def _find_confirmed(self, notice, order, reference):
        """The number under which Amazon has this parcel already, "" where it has not. Version 0 tells no parcels: what
        is shipped in full needs none."""
        wanted = dict(notice.lines)
        if self.version == V0:
            open_ids = {item.item_id for item in parts.read_items_v0(order) if item.shipped < item.ordered}
            return "" if open_ids & wanted.keys() or mapper.get_status(order) == "CANCELED" else reference
        for parcel in parts.read_parcels(order):
            is_same = notice.tracking_number and parcel.number == notice.tracking_number and parcel.content == wanted
            if parcel.is_alive and (parcel.reference == reference or is_same):
                return parcel.reference
        return ""

    def _make_confirmation(self, notice, order, reference):
        code = CARRIERS.get(notice.carrier.casefold().strip())
        package = {
            "packageReferenceId": reference,
            "carrierCode": code or "Other",
            "trackingNumber": notice.tracking_number,
            "shipDate": mapper.format_time(self.clock()),
            "orderItems": [
                {"orderItemId": item_id, "quantity": to_json_number(units)} for item_id, units in notice.lines
            ],
        }
        if not code:
            package["carrierName"] = notice.carrier or "Other"
        marketplace = mapper.get_marketplace(order) or self._get_marketplaces()[0]
        return {"marketplaceId": marketplace, "packageDetail": package}

    def push_stock(self, levels):
        """One call a listing: a feed takes many at once, but tells only hours later which of them it refused."""
        seller, errors = _quote(self._get_seller()), []
        for level in levels:
            sku = level.external_id or level.sku
            value = [{"fulfillment_channel_code": "DEFAULT", "quantity": int(max(level.quantity, ZERO))}]
            body = {
                "productType": "PRODUCT",
                "patches": [{"op": "replace", "path": "/attributes/fulfillment_availability", "value": value}],
            }
            try:
                answer = self.client.patch(
                    "patchListingsItem",
                    f"/listings/2021-08-01/items/{seller}/{_quote(sku)}",
                    body,
                    marketplaceIds=self._get_marketplaces()[:1],
                )
            except Rejected as error:
                errors.append(error.message)
                continue
            errors.append("" if answer.get("status") == "ACCEPTED" else _get_issues(answer))
        return StockResult(tuple(errors))

    def _get_seller(self):
        seller = to_text(self.config.options.get("seller_id"))
        if not seller:
            raise Rejected("The seller ID is not set. Seller Central shows it under Account Info.")
        return seller


def get_reference(key):
    """The number of a parcel, made of our key: Amazon takes positive numbers only."""
    return str(int(hashlib.sha256(key.encode()).hexdigest()[:12], 16) + 1)


def _keep_ours(orders):
    """Without what Amazon sends and what is not paid for, whatever the filter let through."""
    return [raw for raw in orders if not mapper.is_fba(raw) and mapper.get_status(raw) not in mapper.PENDING]


def _get_token(page, key):
    return to_text((page or {}).get(key)) or None


def _get_issues(answer):
    texts = [to_text(row.get("message")) for row in rows(answer, "issues") if row.get("severity") != "INFO"]
    return "; ".join(filter(None, texts))[:300] or "Amazon refused this item."


def _quote(text):
    return quote(to_text(text), safe="")
