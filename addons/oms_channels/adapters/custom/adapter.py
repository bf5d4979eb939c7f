"""Any shop as a channel, by a connector that was built in a form."""

from dataclasses import replace
from datetime import UTC, timedelta

from .. import base
from ..cancelling import describe_refunded
from ..errors import AuthError, BadResponse, NotSupported
from ..types import ChannelEvent, ListingPage, Page, PageItem
from ..values import check_age, check_signature, digest, lower_headers, read_webhook, to_text
from . import conversions, paging, signing
from .client import CustomClient
from .mapper import FieldProblem, Reader, map_listing, map_order
from .pushes import Pusher
from .spec import PUSH_KINDS, ConnectorSpec

WEBHOOK_MAX_AGE = 300
SAMPLE_PERIOD, SAMPLE_SIZE = timedelta(days=30), 5
_NEEDED = {
    base.ORDERS: ("list_orders",),
    base.LISTINGS: ("list_products",),
    base.WEBHOOK: ("get_order",),
    base.STOCK_READ: ("stock", "stock_read"),
    **{kind: (endpoint,) for kind, endpoint in PUSH_KINDS.items()},
}


class CustomAdapter(base.ChannelAdapter):
    """Options: ``connector`` (ConnectorSpec), ``location_id``, ``sales_channel_id``, ``currency``.

    What it can do is what the connector has calls for; the class itself can do everything.
    """

    provider = "custom"
    label = "Connector"
    capabilities = frozenset({*_NEEDED, base.AUDIT})
    credential_keys = ("api_key", "api_secret", "api_token")
    option_keys = ("connector", "location_id", "sales_channel_id", "currency")

    def __init__(self, config, transport=None, clock=None, nonce=None, pause=None):
        super().__init__(config, transport)
        self.spec = config.options.get("connector") or ConnectorSpec()
        self.keeps_place = self.spec.is_sorted
        self.client = CustomClient(self.spec, config, self.transport, clock, nonce, pause)
        self.capabilities = frozenset(
            capability for capability, kinds in _NEEDED.items() if all(map(self.spec.get_endpoint, kinds))
        )
        reading = self.spec.get_endpoint("stock_read")
        if not reading or not reading.result_expression:
            self.capabilities -= {base.STOCK_READ}
        if self.spec.webhook_kind == "none":
            self.capabilities -= {base.WEBHOOK}
        if base.ORDERS in self.capabilities and self._takes_since():
            self.capabilities |= {base.AUDIT}
        self.needs_reread = self.spec.needs_reread and bool(self.spec.get_endpoint("get_order"))
        self.pusher = Pusher(self.client, self.fetch_order if self.spec.get_endpoint("get_order") else None)

    # === READ === #

    def test_connection(self):
        endpoint = self.spec.get_endpoint("test")
        if not endpoint:
            count = len(self.fetch_sample_page("list_orders"))
            return {"shop": self.spec.name, "details": [("Orders on the first page", str(count))]}
        answer, _headers = self.client.call(endpoint)
        shop = to_text(paging.find(endpoint.result_expression, answer)) if endpoint.result_expression else ""
        return {"shop": shop or self.spec.name, "details": [("Connector", self.spec.name)]}

    def fetch_sample_page(self, kind, since=None):
        """The first rows of a list: what a connector is built on. :param since: of orders; by default the last month"""
        endpoint, context, params = self._get_endpoint(kind), {}, ()
        if kind == "list_orders":
            context, params = self._get_dates(since or self.client.clock() - SAMPLE_PERIOD)
        limit = paging.get_limit(self.spec, SAMPLE_SIZE)
        rows, _next = paging.fetch_page(self.client, endpoint, {}, limit, context, params)
        return rows

    def _get_dates(self, since, until=None):
        """(what templates may name, pairs for the query) of the time of change that is asked for."""
        spec, first, last = self.spec, self._write_time(since), self._write_time(until)
        pairs = [
            (name, str(value))
            for name, value in ((spec.since_param, first), (spec.until_param, last))
            if name and value is not None
        ]
        return {"since": first, "until": "" if last is None else last}, pairs

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        """Where the list is sorted by change, each page begins at the last time seen, so that an order changed
        meanwhile, which leaves its place, pushes no other out of sight. Some orders come twice."""
        endpoint, spec = self._get_endpoint("list_orders"), self.spec
        state = paging.read_cursor(cursor)
        start = conversions.read_moment(state["s"], "iso", "", ConnectorSpec()) if "s" in state else since
        context, params = self._get_dates(start, until)
        rows, following = paging.fetch_page(
            self.client, endpoint, state, paging.get_limit(spec, limit), context, params
        )
        orders = [self._map_loosely(row) for row in rows]
        items = tuple(PageItem(*order[:2], row) for order, row in zip(orders, rows, strict=True))
        if following is not None and spec.is_sorted and orders and orders[-1][2] and "u" not in following:
            following = self._advance(following, start, orders[-1][2])
        elif following is not None and "s" in state:
            following = {**following, "s": state["s"]}
        return Page(items, paging.write_cursor(following))

    def _advance(self, following, start, changed):
        """Begin anew at the last change seen; within one and the same time go on page by page."""
        if "c" in following or not self._takes_since():
            return following
        if changed > start and self._write_time(changed) != self._write_time(start):
            return {"s": changed.astimezone(UTC).isoformat()}
        return {**following, "s": start.astimezone(UTC).isoformat()}

    def _takes_since(self):
        endpoint = self._get_endpoint("list_orders")
        return bool(self.spec.since_param) or "since" in endpoint.query_lines + endpoint.body

    def _map_loosely(self, row):
        """(id, version, time of change) of a raw order. One that can't be mapped is stored all the same, and its
        message says why; without even an id the list is not what the connector says."""
        try:
            order = map_order(self.spec, row)
        except BadResponse as error:
            external_id = self._read_id(row)
            if not external_id:
                raise BadResponse(f"An order without an id: {error.message}", retryable=False) from error
            return external_id, "", None
        return order.external_id, order.version, order.updated_at

    def _read_id(self, row):
        field = self.spec.get_fields("order").get("external_id")
        return to_text(paging.find(field.expression, row)) if field and field.expression else ""

    def _write_time(self, moment):
        spec = self.spec
        return conversions.write_moment(moment, spec.time_format, spec.time_pattern, spec.time_zone)

    def fetch_order(self, external_id):
        endpoint = self._get_endpoint("get_order")
        answer, _headers = self.client.call(endpoint, {"order_id": external_id})
        order = paging.find(endpoint.answer_expression, answer) if endpoint.answer_expression else answer
        if isinstance(order, list) and len(order) == 1:
            order = order[0]
        if not isinstance(order, dict) or self._read_id(order) != external_id:
            raise BadResponse(f"The shop did not answer with order {external_id}.")
        return order

    def parse_order(self, raw):
        return map_order(self.spec, raw)

    def says_cancelled(self, raw):
        """Override: by what the connector says of an order's status, so only an adapter with one can tell."""
        try:
            return isinstance(raw, dict) and Reader(self.spec).read_target("order.status", raw) == "cancelled"
        except FieldProblem:
            return False

    def fetch_listings(self, cursor=None, limit=100):
        endpoint = self._get_endpoint("list_products")
        rows, following = paging.fetch_page(
            self.client, endpoint, paging.read_cursor(cursor), paging.get_limit(self.spec, limit)
        )
        currency = self.config.options.get("currency") or ""
        items = tuple(map_listing(self.spec, row, currency) for row in rows)
        return ListingPage(items, paging.write_cursor(following))

    def _get_endpoint(self, kind):
        endpoint = self.spec.get_endpoint(kind)
        if not endpoint:
            raise NotSupported(f"The connector has no call for this ({kind}).")
        return endpoint

    # === WEBHOOKS === #

    def verify_and_parse_webhook(self, headers, raw_body, secret, *, now):
        spec = self.spec
        if spec.webhook_kind == "none":
            raise AuthError("The connector takes no webhooks.")
        given = to_text(lower_headers(headers).get(spec.webhook_header.lower()))
        given = given.removeprefix(spec.webhook_prefix)
        if spec.webhook_kind == "hmac_hex":
            given = given.lower()
        check_signature(secret, given, lambda one: signing.sign_webhook(spec.webhook_kind, one, raw_body))
        body = read_webhook(raw_body)
        occurred_at = now
        if spec.webhook_time_expression:
            moment = paging.find(spec.webhook_time_expression, body)
            try:
                occurred_at = conversions.read_moment(moment, spec.time_format, spec.time_pattern, spec)
            except conversions.ConversionError as error:
                raise AuthError(f"The webhook carries no time: {error}") from error
            check_age(occurred_at, now, WEBHOOK_MAX_AGE)
        order_id, topic, event_id = (
            to_text(paging.find(expression, body)) if expression else ""
            for expression in (
                spec.webhook_order_expression,
                spec.webhook_topic_expression,
                spec.webhook_id_expression,
            )
        )
        if not event_id:
            # Without an id or a time in it the same body may tell of two changes: only within a minute it is a repeat.
            event_id = digest(raw_body) + ("" if spec.webhook_time_expression else f"-{now:%Y%m%d%H%M}")
        return ChannelEvent(
            event_id=event_id,
            topic=topic,
            occurred_at=occurred_at,
            order_external_id=order_id,
            resource_type="order" if order_id else "",
            resource_id=order_id,
        )

    # === PUSH === #

    def _get_pusher(self, kind):
        """:raises NotSupported: the connector has no such call"""
        self._get_endpoint(kind)
        return self.pusher

    def push_shipment(self, notice):
        return self._get_pusher("ship").ship(notice)

    def push_delivered(self, notice):
        return self._get_pusher("delivered").deliver(notice)

    def push_cancel(self, notice):
        return self._add_refunded(notice, self._get_pusher("cancel").cancel(notice))

    def push_cancel_lines(self, notice):
        """What the units cost is read from the order, where it can be read."""
        pusher = self._get_pusher("cancel_lines")
        return self._add_refunded(notice, pusher.cancel_lines(notice, self._read_order(notice)))

    def _read_order(self, notice):
        """The order of a notice as it is now, None where the connector has no call for it."""
        if not self.spec.get_endpoint("get_order"):
            return None
        return self.parse_order(self.fetch_order(notice.order_external_id))

    def _add_refunded(self, notice, result):
        """Say with the result of a cancellation what the shop gave back, where the connector maps payments."""
        order = self._read_order(notice) if self.spec.get_fields("payment") else None
        return replace(result, data={"refunded": describe_refunded(order)}) if order else result

    def push_answer(self, notice):
        return self._get_pusher("answer").answer(notice)

    def push_return_received(self, notice):
        return self._get_pusher("return_received").receive_return(notice)

    def push_refund(self, notice):
        return self._get_pusher("refund").refund(notice, self.parse_order)

    def push_stock(self, levels):
        return self._get_pusher("stock").push_stock(levels)

    def push_price(self, notice):
        return self._get_pusher("price").set_price(notice)

    def _look_up_stock(self, levels):
        """Override: the shop is asked for these."""
        return self.pusher.fetch_stock(levels)
