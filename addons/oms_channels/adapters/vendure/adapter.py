"""A Vendure 3 shop as a channel."""

from datetime import timedelta

from .. import base
from ..cancelling import check_units, describe_refunded, describe_short, get_refund
from ..errors import BadResponse, Rejected
from ..notices import PushResult
from ..refunding import share_out
from ..types import DUST, ZERO, ChannelEvent, ListingPage, Page, PageItem
from ..values import (
    check_age,
    check_signature,
    digest,
    lower_headers,
    read_webhook,
    required,
    round_money,
    rows,
    to_datetime,
    to_text,
)
from . import mapper, queries, signature
from .client import VendureClient
from .money import get_left, is_cancelled_by
from .refunds import RefundFlow
from .stock import StockPublisher

WEBHOOK_MAX_AGE = 300
MAX_PAGE = 1000
PERMISSIONS = (
    ("ReadOrder",),
    ("UpdateOrder",),
    ("ReadCatalog", "ReadProduct"),
    ("UpdateCatalog", "UpdateProduct"),
    ("ReadStockLocation",),
)
TICK = timedelta(milliseconds=1)


class VendureAdapter(base.ChannelAdapter):
    """Options: ``location_id`` (stock location, default: the first), ``sales_channel_id`` (token of the channel)."""

    provider = "vendure"
    label = "Vendure"
    capabilities = frozenset(
        {
            base.ORDERS,
            base.AUDIT,
            base.WEBHOOK,
            base.LISTINGS,
            base.STOCK,
            base.STOCK_READ,
            base.SHIPMENT,
            base.DELIVERED,
            base.CANCEL,
            base.RETURN_RECEIVED,
            base.REFUND,
            base.CANCEL_LINES,
        }
    )
    credential_keys = ("username", "password")
    status_key, cancelled_states = "state", frozenset({"Cancelled"})
    option_keys = ("location_id", "sales_channel_id")
    needs_reread = True  # hardly anything after the checkout bumps updatedAt

    def __init__(self, config, transport=None):
        super().__init__(config, transport)
        self.client = VendureClient(config, self.transport)

    # === READ === #

    def test_connection(self):
        data = self.client.query(queries.SHOP)
        channel = data.get("activeChannel") or {}
        locations = [f"{row.get('name')} ({row.get('id')})" for row in rows(data.get("stockLocations"), "items")]
        own = rows(data.get("me"), "channels")
        details = [
            ("Currency", to_text(channel.get("defaultCurrencyCode"))),
            ("Stock locations", ", ".join(locations)),
            ("Channels and their tokens", ", ".join(f"{row.get('code')} ({row.get('token')})" for row in own)),
        ]
        if missing := _get_missing_permissions(channel, own):
            details.append(("Missing permissions", ", ".join(missing)))
        return {"shop": to_text(channel.get("code")), "details": details}

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        """First the orders placed since then, by time of placement, which never changes; then the older ones whose
        updatedAt was bumped since then. No order is in both. Carts were never placed and are in neither.

        The cursor is "kind|since|time of the last order|how many orders of exactly that time were seen".
        """
        kind, start, skip = "placed", mapper.format_time(since), 0
        first = start
        if cursor:
            kind, first, start, skip = cursor.split("|")
            skip = int(skip)
        limit = min(limit, MAX_PAGE)
        placed, orders = self._fetch_orders(kind, first, start, skip, until, limit)
        items = tuple(
            PageItem(to_text(required(raw, "id", "An order's id")), mapper.get_version(raw), raw) for raw in orders
        )
        if len(orders) < limit:
            return Page(items, f"updated|{first}|{first}|0" if kind == "placed" else None)
        last = mapper.format_time(to_datetime(orders[-1].get(placed), placed))
        seen = sum(1 for raw in orders if mapper.format_time(to_datetime(raw.get(placed), placed)) == last)
        return Page(items, f"{kind}|{first}|{last}|{seen + skip if last == start else seen}")

    def _fetch_orders(self, kind, first, start, skip, until, limit):
        """(name of the time the list goes by, raw orders)."""
        # "after" leaves out the moment itself, and the database knows more digits than it tells.
        window = {"after": _shift(start)}
        if until:
            window["before"] = mapper.format_time(until)
        if kind == "placed":
            field, conditions = "orderPlacedAt", {"orderPlacedAt": window}
        else:
            field = "updatedAt"
            conditions = {"updatedAt": window, "orderPlacedAt": {"before": _shift(first, 0)}}
        options = {
            "filter": {**conditions, "active": {"eq": False}},
            "sort": {field: "ASC", "id": "ASC"},
            "skip": skip,
            "take": limit,
        }
        data = self.client.query(queries.ORDERS, options=options)
        precision = mapper.get_precision(data)
        return field, [{**raw, mapper.PRECISION_KEY: precision} for raw in rows(data.get("orders"), "items")]

    def fetch_order(self, external_id):
        data = self.client.query(queries.ONE_ORDER, id=external_id)
        order = data.get("order")
        if order is None:
            raise Rejected(f"The shop has no order {external_id}.")
        if not isinstance(order, dict) or order.get("id") != external_id:
            raise BadResponse(f"The shop did not answer with order {external_id}.")
        return {**order, mapper.PRECISION_KEY: mapper.get_precision(data)}

    def parse_order(self, raw):
        return mapper.map_order(raw)

    def fetch_listings(self, cursor=None, limit=100):
        skip = int(cursor or 0)
        data = self.client.query(queries.VARIANTS, options={"sort": {"id": "ASC"}, "skip": skip, "take": limit})
        variants, precision = rows(data.get("productVariants"), "items"), mapper.get_precision(data)
        items = tuple(mapper.map_listing(variant, precision) for variant in variants)
        return ListingPage(items, str(skip + limit) if len(variants) == limit else None)

    # === WEBHOOKS === #

    def verify_and_parse_webhook(self, headers, raw_body, secret, *, now):
        given = lower_headers(headers).get(signature.HEADER)
        check_signature(secret, given, lambda one: signature.sign(one, raw_body))
        body = read_webhook(raw_body)
        try:
            topic, moment, order_id = body["event"], body["at"], to_text(body["data"].get("orderId"))
        except (KeyError, TypeError, AttributeError) as error:
            raise BadResponse("The webhook is signed but not understood.", retryable=False) from error
        occurred_at = to_datetime(moment, "The webhook's time")
        check_age(occurred_at, now, WEBHOOK_MAX_AGE)
        return ChannelEvent(
            event_id=digest(raw_body),  # the time is in it; a redelivery repeats the body
            topic=to_text(topic),
            occurred_at=occurred_at,
            order_external_id=order_id,
            resource_type="order" if order_id else "product",
            resource_id=order_id,
        )

    # === PUSH === #

    def push_shipment(self, notice):
        order = self.fetch_order(notice.order_external_id)
        wanted = {line_id: int(quantity) for line_id, quantity in notice.lines}
        method = _get_method(notice)
        fulfillment = _find_fulfillment(order, notice, wanted, method)
        if fulfillment and fulfillment["state"] in mapper.SHIPPED:
            return PushResult(fulfillment["id"], is_repeat=True)
        if not fulfillment:
            arguments = [
                {"name": "method", "value": method},
                {"name": "trackingCode", "value": notice.tracking_number},
            ]
            fulfillment = self.client.query(
                queries.FULFILL,
                input={
                    "lines": _make_lines(wanted),
                    "handler": {"code": "manual-fulfillment", "arguments": arguments},
                },
            )["addFulfillmentToOrder"]
        self.client.query(queries.MOVE_FULFILLMENT, id=fulfillment["id"], state="Shipped")
        return PushResult(fulfillment["id"])

    def push_delivered(self, notice):
        order = self.fetch_order(notice.order_external_id)
        fulfillment = next(
            (
                row
                for row in rows(order, "fulfillments")
                if row.get("state") != "Cancelled"
                and (
                    row["id"] == notice.shipment_external_id
                    if notice.shipment_external_id
                    else notice.tracking_number and row.get("trackingCode") == notice.tracking_number
                )
            ),
            None,
        )
        if not fulfillment:
            raise Rejected(
                f"Order {order['id']} has no shipment {notice.shipment_external_id or notice.tracking_number}."
            )
        if fulfillment["state"] == "Delivered":
            return PushResult(fulfillment["id"], is_repeat=True)
        self.client.query(queries.MOVE_FULFILLMENT, id=fulfillment["id"], state="Delivered")
        return PushResult(fulfillment["id"])

    def push_cancel(self, notice):
        """Cancel what is left, and give back what was captured: Vendure itself leaves the money where it is.

        ``data["refunded"]`` says how much, by payment.
        """
        order = self.fetch_order(notice.order_external_id)
        if any(line.shipped_quantity for line in mapper.map_order(order).lines):
            raise Rejected(f"Order {order['id']} has left in part or in full: it can't be cancelled in the shop.")
        is_repeat = order.get("state") == "Cancelled"
        if not is_repeat:
            self.client.query(
                queries.CANCEL,
                input={"orderId": order["id"], "reason": notice.reason or "cancelled", "cancelShipping": True},
            )
            order = self.fetch_order(order["id"])
        flow = RefundFlow(self.client, order, notice.idempotency_key)
        is_repeat = not flow.settle() and is_repeat
        shares = [(payment_id, left) for payment_id, left in get_left(order).items() if left]
        is_repeat = not flow.give(shares, "cancelled") and is_repeat
        refunded = describe_refunded(mapper.map_order(self.fetch_order(order["id"])))
        return PushResult(order["id"], is_repeat=is_repeat, data={"refunded": refunded})

    def push_cancel_lines(self, notice):
        """Cancel the units, then give back what they cost: two calls, each found by our key when it was made."""
        order = self.fetch_order(notice.order_external_id)
        mark, is_repeat = f"[{notice.idempotency_key}]", True
        reason = " ".join(filter(None, ("cancelled", notice.reason)))
        if not is_cancelled_by(order, mark):
            check_units(mapper.map_order(order), notice.lines)
            lines = {line_id: int(units) for line_id, units in notice.lines}
            body = {"orderId": order["id"], "lines": _make_lines(lines), "reason": f"{reason} {mark}"}
            self.client.query(queries.CANCEL, input={**body, "cancelShipping": False})
            order, is_repeat = self.fetch_order(order["id"]), False
        flow, left = RefundFlow(self.client, order, notice.idempotency_key), get_left(order)
        is_repeat, parsed = not flow.settle() and is_repeat, mapper.map_order(order)
        found = [(parsed.find_line(line_id), units) for line_id, units in notice.lines]
        held = sum(left.values(), flow.given)
        shares = share_out(get_refund(parsed, found, held) - flow.given, left)
        is_repeat = not flow.give(shares, reason) and is_repeat
        data = {"refunded": describe_refunded(mapper.map_order(self.fetch_order(order["id"])))}
        data.update(describe_short(parsed, found, held))
        return PushResult(notice.idempotency_key, is_repeat=is_repeat, data=data)

    def push_return_received(self, notice):
        """Goods that came back are a cancellation of their lines: Vendure puts them back into its stock."""
        order = self.fetch_order(notice.order_external_id)
        mark = f"[{notice.idempotency_key}]"
        if is_cancelled_by(order, mark):
            return PushResult(notice.idempotency_key, is_repeat=True)
        lines = {line_id: int(quantity) for line_id, quantity in notice.lines}
        reason = " ".join(filter(None, (mapper.RETURN_MARK, notice.note, mark)))
        self.client.query(
            queries.CANCEL,
            input={"orderId": order["id"], "lines": _make_lines(lines), "reason": reason, "cancelShipping": False},
        )
        return PushResult(notice.idempotency_key)

    def push_refund(self, notice):
        """The refund's reason carries our key; of several payments there is one of each. A cancelled order's money went
        back already: that counts as done."""
        order = self.fetch_order(notice.order_external_id)
        flow = RefundFlow(self.client, order, notice.idempotency_key)
        is_repeat, rest = not flow.settle(), notice.amount - flow.given
        if flow.found and rest <= DUST:
            return PushResult(flow.reference, is_repeat=is_repeat)
        parsed, left = mapper.map_order(order), get_left(order)
        if payment_id := notice.payment_external_id:
            if payment_id not in left:
                raise Rejected(f"Order {parsed.reference} has no payment {payment_id}.")
            left = {payment_id: left[payment_id]}
        total = round_money(sum(left.values(), ZERO), parsed.currency)
        if parsed.status == "cancelled" and total == 0:
            return PushResult(is_repeat=True, data={"reason": "refunded by the cancellation"})
        if parsed.currency != notice.currency:
            raise Rejected(f"The payment is in {parsed.currency}, the refund in {notice.currency}.")
        if rest > total:
            raise Rejected(f"Order {order['id']}: {rest} is to be refunded, only {total} is left.")
        flow.give(share_out(rest, left), notice.note)
        return PushResult(flow.reference)

    def push_stock(self, levels):
        return StockPublisher(self.client, self._get_location_id).publish(levels)

    def _look_up_stock(self, levels):
        """Override: the shop is asked for these."""
        return StockPublisher(self.client, self._get_location_id).fetch(levels)

    # === HELPERS === #

    def _get_location_id(self):
        location = self.config.options.get("location_id")
        if location:
            return location
        locations = rows(self.client.query(queries.LOCATIONS).get("stockLocations"), "items")
        if not locations:
            raise Rejected("The shop has no stock location. Make one there first.")
        return locations[0]["id"]


def _get_missing_permissions(channel, own):
    """What the administrator may not do in the channel, of what is needed; one of each pair is enough."""
    given = next((row.get("permissions") for row in own if row.get("code") == channel.get("code")), None) or ()
    return [" or ".join(names) for names in PERMISSIONS if not set(names) & set(given)]


def _shift(text, ticks=1):
    """The time text, so many milliseconds earlier."""
    return mapper.format_time(to_datetime(text, "The cursor") - ticks * TICK)


def _make_lines(quantities):
    return [{"orderLineId": line_id, "quantity": quantity} for line_id, quantity in quantities.items()]


def _get_method(notice):
    """Carrier's name; without a tracking number it also tells parcels of the same content apart."""
    name = notice.carrier or "Parcel"
    return name if notice.tracking_number else f"{name} #{digest(notice.idempotency_key.encode())[:8]}"


def _find_fulfillment(order, notice, wanted, method):
    """The fulfilment that is this notice, by number and content: Vendure has no room for our key."""
    for row in rows(order, "fulfillments"):
        if row.get("state") == "Cancelled":
            continue
        content = {line.get("orderLineId"): line.get("quantity") for line in rows(row, "lines")}
        is_same = (
            row.get("trackingCode") == notice.tracking_number
            if notice.tracking_number
            else (row.get("method") == method)
        )
        if is_same and content == wanted:
            return row
    return None
