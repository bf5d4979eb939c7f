"""A WooCommerce shop (REST API v3) as a channel."""

from contextlib import suppress
from datetime import timedelta
from functools import partial

from .. import base
from ..errors import AdapterError, AuthError, BadResponse, BrokenDown, Rejected
from ..notices import PushResult
from ..types import ListingPage, OrderRef, Page, RefPage
from ..values import required, rows, to_datetime, to_text
from . import mapper, webhooks
from .client import NoRoute, WooCommerceClient
from .listing import map_listings
from .refunds import RefundFlow
from .shipment import ShipmentFlow
from .stock import StockPublisher

# The shop refuses larger pages.
MAX_PAGE = 100
SECOND = timedelta(seconds=1)


class WooCommerceAdapter(base.ChannelAdapter):
    """:param clock: callable -> aware datetime, for the calls' signature"""

    provider = "woocommerce"
    label = "WooCommerce"
    capabilities = frozenset(
        {
            base.ORDERS,
            base.AUDIT,
            base.WEBHOOK,
            base.WEBHOOK_SETUP,
            base.LISTINGS,
            base.STOCK,
            base.STOCK_READ,
            base.PRICE,
            base.SHIPMENT,
            base.CANCEL,
            base.REFUND,
            base.CANCEL_LINES,
        }
    )
    credential_keys = ("api_key", "api_secret")
    webhook_topics = webhooks.TOPICS
    cancelled_states = frozenset({"cancelled", "failed", "refunded"})
    deleted_topics = frozenset({"order.deleted"})

    def __init__(self, config, transport=None, clock=None):
        super().__init__(config, transport)
        self.client = WooCommerceClient(config, self.transport, clock)

    # === READ === #

    def test_connection(self):
        """Reads what every call needs: a key that may only read something else is told here."""
        currency = self.client.get("/data/currencies/current")
        self.client.get_list("/orders", per_page=1)
        self.client.get_list("/products", per_page=1)
        details = [("Currency", to_text(currency.get("code")))]
        if not self._may_write():
            details.append(("Missing permission", "Write. Make a key with the permission Read/Write."))
        try:
            status = self.client.get("/system_status", _fields="environment,settings")
        # A key of a shop manager may not read it; it is slow, as it tries whether the shop can reach the internet.
        except AdapterError:
            return {"shop": self.config.base_url, "details": details}
        environment = status.get("environment") or {}
        details += [
            ("WooCommerce", to_text(environment.get("version"))),
            ("WordPress", to_text(environment.get("wp_version"))),
        ]
        return {"shop": to_text(environment.get("home_url") or environment.get("site_url")), "details": details}

    def _may_write(self):
        """A batch with nothing in it changes nothing, but is refused to a key that may only read."""
        try:
            self.client.check("POST", "/products/batch", {"update": []})
        except AuthError:
            return False
        return True

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        """By time of change, each page from the second on in which the last one ended: an order that changes meanwhile,
        and moves to the end, pushes no other out of sight. What was seen of that second is left out. A second with more
        orders than a page is read on its own, without those seen.

        The cursor is "kind|second|ids of the orders seen of that second".
        """
        orders, next_cursor = self._fetch_list(since, until, cursor, limit)
        items = [
            self._make_item(to_text(raw["id"]), raw, partial(self._complete, raw), mapper.get_version) for raw in orders
        ]
        return Page(tuple(items), next_cursor)

    def fetch_refs_page(self, since, until=None, cursor=None, limit=100):
        """Override: to count, refunds and fulfilments need not be asked for, a call each."""
        orders, cursor = self._fetch_list(since, until, cursor, limit)
        refs = (
            OrderRef(
                to_text(raw["id"]),
                to_text(raw.get("number")),
                to_datetime(raw.get("date_created_gmt"), "The order's date_created_gmt"),
            )
            for raw in orders
        )
        return RefPage(tuple(refs), cursor)

    def _fetch_list(self, since, until, cursor, limit):
        """(raw orders, next cursor)."""
        kind, start, seen = cursor.split("|") if cursor else ("from", mapper.format_time(since), "")
        size, seen = min(limit, MAX_PAGE), [one for one in seen.split(",") if one]
        # The shop leaves out the second that it is asked for.
        window = {"modified_after": _shift(start, -1)}
        if kind == "within":
            window |= {"modified_before": _shift(start, 1), "exclude": ",".join(seen)}
        elif until:
            window["modified_before"] = mapper.format_time(until)
        orders, _pages = self.client.get_list(
            "/orders", **window, dates_are_gmt="true", orderby="modified", order="asc", per_page=size
        )
        times = [mapper.format_time(mapper.read_time(raw, "date_modified", "date_modified")) for raw in orders]
        ids = [to_text(required(raw, "id", "An order's id")) for raw in orders]
        fresh = [
            raw
            for raw, order_id, time in zip(orders, ids, times, strict=True)
            if raw.get("status") not in mapper.CARTS and not (time == start and order_id in seen)
        ]
        if len(orders) < size:
            return fresh, f"from|{_shift(start, 1)}|" if kind == "within" else None
        last = times[-1]
        if kind == "within" or last == start:
            return fresh, f"within|{start}|{','.join(dict.fromkeys([*seen, *ids]))}"
        return fresh, f"from|{last}|{','.join(one for one, time in zip(ids, times, strict=True) if time == last)}"

    def _complete(self, raw):
        """Add what an order only hints at: the lines of its refunds, and its fulfilments."""
        path = f"/orders/{raw.get('id')}"
        if rows(raw, "refunds"):
            raw = {**raw, mapper.REFUNDS: self._fetch_details(f"{path}/refunds", per_page=MAX_PAGE)}
        if to_text(mapper.get_meta(raw, "_fulfillment_status")) not in ("", "no_fulfillments", "unfulfilled"):
            with suppress(NoRoute):  # the feature was switched off again
                raw = {**raw, mapper.FULFILLMENTS: self._fetch_details(f"{path}/fulfillments")}
        return raw

    def _fetch_details(self, path, **params):
        """Rows about an order that the shop has just shown: when it breaks down over them, that is this order's."""
        try:
            return self.client.get_list(path, **params)[0]
        except BrokenDown as error:
            raise BadResponse(f"{path}: {error.message}") from error

    def fetch_order(self, external_id):
        if not external_id.isdigit():
            raise Rejected(f"{external_id!r} is no order of WooCommerce.")
        order = self.client.get(f"/orders/{external_id}")
        if to_text(order.get("id")) != external_id:
            raise BadResponse(f"The shop did not answer with order {external_id}.")
        return self._complete(order)

    def parse_order(self, raw):
        return mapper.map_order(raw)

    def fetch_listings(self, cursor=None, limit=100):
        """A variable product is listed as its variations: a page may have more listings than asked for."""
        page, limit = int(cursor or 1), min(limit, MAX_PAGE)
        products, pages = self.client.get_list("/products", per_page=limit, page=page, orderby="id", order="asc")
        items = []
        for product in products:
            variations = self._fetch_variations(product) if "variable" in to_text(product.get("type")) else ()
            items += map_listings(product, variations)
        has_more = page < pages if pages is not None else len(products) == limit
        return ListingPage(tuple(items), str(page + 1) if has_more else None)

    def _fetch_variations(self, product):
        found, page = [], 1
        while True:
            path = f"/products/{product.get('id')}/variations"
            variations, pages = self.client.get_list(path, per_page=MAX_PAGE, page=page, orderby="id", order="asc")
            found += variations
            if page >= (pages or 1):
                return found
            page += 1

    # === WEBHOOKS === #

    def verify_and_parse_webhook(self, headers, raw_body, secret, *, now):
        return webhooks.parse(headers, raw_body, secret, now)

    def fetch_webhooks(self):
        return [webhooks.describe(row) for row in webhooks.WebhookFlow(self.client).fetch()]

    def ensure_webhooks(self, url, secret):
        return webhooks.WebhookFlow(self.client).ensure(url, secret, self.config.base_url)

    # === PUSH === #

    def push_shipment(self, notice):
        return ShipmentFlow(self.client).ship(notice, self.fetch_order(notice.order_external_id))

    def push_cancel(self, notice):
        return self._get_refund_flow().cancel(notice, self.fetch_order(notice.order_external_id))

    def push_cancel_lines(self, notice):
        return self._get_refund_flow().cancel_lines(notice, self.fetch_order(notice.order_external_id))

    def push_refund(self, notice):
        return self._get_refund_flow().refund(notice, self.fetch_order(notice.order_external_id))

    def _get_refund_flow(self):
        return RefundFlow(self.client, self.fetch_order)

    def push_stock(self, levels):
        return StockPublisher(self.client).publish(levels)

    def push_price(self, notice):
        """The regular price; one of a sale stays as it is."""
        own, parent = notice.external_id, notice.product_external_id
        path = "/products/batch" if parent in ("", own) else f"/products/{parent}/variations/batch"
        answer = self.client.post(path, {"update": [{"id": int(own), "regular_price": str(notice.price)}]})
        result = next(iter(rows(answer, "update")), {})
        if isinstance(result.get("error"), dict):
            raise Rejected(to_text(result["error"].get("message")) or "The shop refused the price.")
        return PushResult(own)

    def _look_up_stock(self, levels):
        """Override: the shop is asked for these."""
        return StockPublisher(self.client).fetch(levels)


def _shift(text, seconds):
    return mapper.format_time(to_datetime(text, "The cursor") + seconds * SECOND)
