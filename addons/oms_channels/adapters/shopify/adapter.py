"""A Shopify shop as a channel."""

import uuid
from decimal import Decimal

from .. import base
from ..cancelling import check_units, describe_refunded, describe_short, get_refund
from ..errors import BadResponse, Rejected, Unavailable
from ..notices import PushResult
from ..payouts import PayoutPage
from ..types import ZERO, ListingPage, Page, PageItem, RefPage
from ..values import required, rows, to_json_number, to_text
from . import bulk, mapper, payments, queries, webhooks
from .client import ShopifyClient
from .fulfillment import FulfillmentFlow
from .reading import complete, get_cursor
from .stock import StockPublisher

MAX_PAGE = 100
# States of a return that was approved, or not.
APPROVED, DECLINED = ("OPEN", "CLOSED"), ("DECLINED",)
# What the connection test asks for, and a test finds in the published schema; the right to write includes that to read.
SCOPES = (
    "read_all_orders",
    "write_orders",
    "read_customers",
    "read_products",
    "read_locations",
    "write_inventory",
    "write_merchant_managed_fulfillment_orders",
    "write_fulfillments",
    "write_returns",
    "read_shopify_payments_accounts",
    "read_shopify_payments_payouts",
)


class ShopifyAdapter(base.ChannelAdapter):
    """Options: ``location_id`` (whose stock is published and from which goods leave, default: the first one that
    fulfils online orders).

    ``api_key`` is the access token of the Admin API, or the client ID of an app; ``api_secret`` the app's client
    secret, which also signs the webhooks.

    :param clock, sleep: of the throttle, see ``client.Budget``
    """

    provider = "shopify"
    label = "Shopify"
    capabilities = frozenset(
        {
            base.ORDERS,
            base.AUDIT,
            base.WEBHOOK,
            base.WEBHOOK_SETUP,
            base.LISTINGS,
            base.STOCK,
            base.STOCK_READ,
            base.SHIPMENT,
            base.DELIVERED,
            base.CANCEL,
            base.PAYOUTS,
            base.REFUND,
            base.CANCEL_LINES,
            base.ANSWER,
        }
    )
    numbers_in_sequence = True
    webhook_topics = webhooks.TOPICS
    credential_keys = ("api_key", "api_secret")
    option_keys = ("location_id",)

    def __init__(self, config, transport=None, **timing):
        super().__init__(config, transport)
        self.client = ShopifyClient(config, self.transport, **timing)

    # === READ === #

    def test_connection(self):
        data = self.client.query(queries.SHOP)
        shop = data.get("shop") or {}
        details = [
            ("Address", to_text(shop.get("myshopifyDomain"))),
            ("Currency", to_text(shop.get("currencyCode"))),
            ("Locations", ", ".join(_describe_location(row) for row in mapper.get_nodes(data, "locations"))),
        ]
        if missing := _get_missing_scopes(data.get("currentAppInstallation")):
            details.append(("Missing permissions", ", ".join(missing)))
        return {"shop": to_text(shop.get("name")), "details": details}

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        """By time of change. The list tells only which orders changed: an order in full costs too much of the shop's
        budget to be asked for in numbers. Its cursor is a place in the sorting, so an order that changes meanwhile is
        met again at the end and hides no other."""
        window = _make_window(since, until)
        data = self.client.query(queries.ORDERS, first=min(limit, MAX_PAGE), after=cursor, query=window)
        items = []
        for row in mapper.get_nodes(data, "orders"):
            order_id = mapper.get_number(required(row, "id", "An order's id"))
            try:
                raw = self.fetch_order(order_id)
            except Rejected:  # deleted since the list was made
                continue
            items.append(PageItem(order_id, mapper.get_version(raw), raw))
        return Page(tuple(items), get_cursor(data.get("orders")))

    def fetch_refs_page(self, since, until=None, cursor=None, limit=100):
        window = _make_window(since, until)
        data = self.client.query(queries.ORDER_IDS, first=min(limit, MAX_PAGE), after=cursor, query=window)
        return RefPage(tuple(map(mapper.map_ref, mapper.get_nodes(data, "orders"))), get_cursor(data.get("orders")))

    @classmethod
    def says_cancelled(cls, raw):
        return isinstance(raw, dict) and isinstance(raw.get("cancelledAt"), str)

    def fetch_order(self, external_id):
        gid = mapper.make_gid("Order", external_id)
        order = self.client.query(queries.ONE_ORDER, id=gid).get("order")
        if order is None:
            raise Rejected(f"The shop has no order {external_id}.")
        if not isinstance(order, dict) or order.get("id") != gid:
            raise BadResponse(f"The shop did not answer with order {external_id}.")
        return complete(self.client, order, gid)

    def parse_order(self, raw):
        return mapper.map_order(raw)

    def fetch_listings(self, cursor=None, limit=100):
        data = self.client.query(queries.VARIANTS, first=min(limit, MAX_PAGE), after=cursor)
        currency = to_text((data.get("shop") or {}).get("currencyCode")).upper()
        items = tuple(mapper.map_listing(row, currency) for row in mapper.get_nodes(data, "productVariants"))
        return ListingPage(items, get_cursor(data.get("productVariants")))

    # === OLD ORDERS AND PAYOUTS === #

    def start_backfill(self, since, until=None):
        """Have the shop write all orders of a time into a file; returns the id to ask for it with."""
        return bulk.start(self.client, since, until)

    def get_backfill(self, bulk_id):
        """Return a bulk.BulkState."""
        return bulk.get_state(self.client, bulk_id)

    def iter_backfill(self, url, start=0):
        """Yield (PageItem, place behind it) for each order of the file from a place on, which is read in pieces. Orders
        of which the file knows only a part, because money or goods came back, are asked for singly."""
        for raw, place in bulk.iter_orders(self.client, url, start):
            order_id = mapper.get_number(required(raw, "id", "An order's id"))
            if rows(raw, "refunds"):
                raw = self.fetch_order(order_id)
            yield PageItem(order_id, mapper.get_version(raw), raw), place

    def fetch_payouts_page(self, since, cursor=None, limit=100):
        """Of Shopify Payments; nothing where the shop does not use it."""
        query = f"processed_at:>='{mapper.format_time(since)}'"
        data = self.client.query(queries.PAYOUTS, first=min(limit, MAX_PAGE), after=cursor, query=query)
        page = (data.get("shopifyPaymentsAccount") or {}).get("balanceTransactions") or {}
        found = [row for row in rows(page, "nodes") if not row.get("test")]
        known = self._fetch_payment_numbers(found)
        return PayoutPage(tuple(payments.map_payout_entry(row, known) for row in found), get_cursor(page))

    def _fetch_payment_numbers(self, movements):
        """{number of a transaction: number of the payment it belongs to} of these balance transactions."""
        numbers = {to_text(row.get("sourceOrderTransactionId")) for row in movements} - {""}
        if not numbers:
            return {}
        ids = [mapper.make_gid("OrderTransaction", number) for number in sorted(numbers)]
        found = filter(None, self.client.query(queries.PAID_BY, ids=ids).get("nodes") or ())
        return {mapper.get_number(row.get("id")): payments.get_payment_number(row) for row in found}

    # === WEBHOOKS === #

    def verify_and_parse_webhook(self, headers, raw_body, secret, *, now):
        """The app's client secret signs them, the channel's webhook secret is for those made in the shop's settings."""
        secrets = [secret] if isinstance(secret, str) else list(secret or ())
        location = mapper.get_number(self.config.options.get("location_id"))
        return webhooks.parse(headers, raw_body, [self.config.credentials.get("api_secret"), *secrets], now, location)

    def fetch_webhooks(self):
        return [webhooks.describe(row) for row in webhooks.WebhookFlow(self.client).fetch()]

    def ensure_webhooks(self, url, secret):
        """The secret can't be given: Shopify signs with the app's own."""
        return webhooks.WebhookFlow(self.client).ensure(url)

    # === PUSH === #

    def push_shipment(self, notice):
        flow = FulfillmentFlow(self.client, self.config.options.get("location_id"))
        return flow.ship(notice, self.fetch_order(notice.order_external_id))

    def push_delivered(self, notice):
        flow = FulfillmentFlow(self.client, self.config.options.get("location_id"))
        return flow.deliver(notice, self.fetch_order(notice.order_external_id))

    def push_cancel(self, notice):
        """Cancel, and have the shop give back what was paid. The shop does it in the background.

        ``data["refunded"]`` says how much, by payment.
        """
        order = self.fetch_order(notice.order_external_id)
        parsed = mapper.map_order(order)
        if any(line.shipped_quantity for line in parsed.lines):
            raise Rejected(f"Order {parsed.reference} has left in part or in full: it can't be cancelled in the shop.")
        is_repeat = parsed.status == "cancelled"
        if not is_repeat:
            note = f"{notice.reason or 'Cancelled'} [{notice.idempotency_key}]"
            self.client.mutate(queries.CANCEL, "orderCancel", id=order["id"], reason="OTHER", note=note[:255])
            order = self.fetch_order(parsed.external_id)
            if not order.get("cancelledAt"):
                raise Unavailable("The shop is still at the cancellation.", retry_after=5.0, is_shop_wide=False)
        left = sum((row.shop for row in payments.get_refundable(order)), ZERO)
        if left > 0:  # it was cancelled by somebody who kept the money
            self._refund(order, left, f"{notice.idempotency_key}-refund", "Cancelled", "", ())
            order, is_repeat = self.fetch_order(parsed.external_id), False
        refunded = describe_refunded(mapper.map_order(order))
        return PushResult(parsed.external_id, is_repeat=is_repeat, data={"refunded": refunded})

    def push_refund(self, notice):
        """The refund's note carries our key. A cancelled order's money went back already: that counts as done."""
        order = self.fetch_order(notice.order_external_id)
        mark = f"[{notice.idempotency_key}]"
        for refund in rows(order, "refunds"):
            if mark in to_text(refund.get("note")):
                return PushResult(mapper.get_number(refund.get("id")), is_repeat=True)
        parsed, refundable = mapper.map_order(order), payments.get_refundable(order)
        if notice.payment_external_id:
            refundable = [row for row in refundable if row.payment_id == notice.payment_external_id]
        left = sum((row.shop for row in refundable), ZERO)
        if parsed.status == "cancelled" and left == 0:
            return PushResult(is_repeat=True, data={"reason": "refunded by the cancellation"})
        if parsed.currency != notice.currency:
            raise Rejected(f"The payment is in {parsed.currency}, the refund in {notice.currency}.")
        if notice.amount > left:
            raise Rejected(f"Order {parsed.reference}: {notice.amount} is to be refunded, only {left} is left.")
        items = _make_refund_lines(order, notice.amount, notice.lines)
        made = self._refund(
            order, notice.amount, notice.idempotency_key, notice.note, notice.payment_external_id, items
        )
        return PushResult(made)

    def _refund(self, order, amount, key, note, payment_id, items):
        """Give back an amount of the shop's currency.

        :param items: RefundLineItemInput dicts of the units that it is for
        :return: id of the refund
        """
        refundable = payments.get_refundable(order)
        if payment_id:
            refundable = [row for row in refundable if row.payment_id == payment_id]
        body = {
            "orderId": order["id"],
            "note": f"{note} [{key}]".strip(),
            "notify": True,
            "transactions": payments.make_refund_transactions(order["id"], refundable, amount),
        }
        if to_text(order.get("presentmentCurrencyCode")) != to_text(order.get("currencyCode")):
            body["currency"] = order["presentmentCurrencyCode"]
        if items:
            body["refundLineItems"] = items
        result = self.client.mutate(
            queries.CREATE_REFUND, "refundCreate", input=body, key=make_key(f"{order['id']} {key}")
        )
        return mapper.get_number((result.get("refund") or {}).get("id"))

    def push_cancel_lines(self, notice):
        """A refund whose units are cancelled takes them off what is to be sent. Its note carries our key."""
        order = self.fetch_order(notice.order_external_id)
        mark = f"[{notice.idempotency_key}]"
        made, short = next((row for row in rows(order, "refunds") if mark in to_text(row.get("note"))), None), {}
        if not made:
            parsed = mapper.map_order(order)
            found = check_units(parsed, notice.lines)
            location = self._get_location_id()
            items = [
                {**_make_refund_line(line_id, units, "CANCEL"), "locationId": location}
                for line_id, units in notice.lines
            ]
            reason = notice.reason or "Cancelled"
            self._refund(order, get_refund(parsed, found), notice.idempotency_key, reason, "", items)
            short = describe_short(parsed, found)
            order = self.fetch_order(parsed.external_id)
        refunded = describe_refunded(mapper.map_order(order))
        return PushResult(notice.idempotency_key, is_repeat=bool(made), data={"refunded": refunded, **short})

    def push_answer(self, notice):
        """Approve or decline a return that the buyer asks for."""
        order, request_id = self.fetch_order(notice.order_external_id), notice.request_external_id
        found = mapper.get_nodes(order, "returns")
        row = next((row for row in found if mapper.get_number(row.get("id")) == request_id), {})
        if row.get("status") in (APPROVED if notice.is_granted else DECLINED):
            return PushResult(request_id, is_repeat=True)
        if row.get("status") != "REQUESTED":
            raise Rejected(f"Order {notice.order_external_id} has no return {request_id} that waits for an answer.")
        if notice.is_granted:
            self.client.mutate(queries.APPROVE_RETURN, "returnApproveRequest", input={"id": row["id"]})
        else:
            answer = {"id": row["id"], "declineReason": "OTHER", "declineNote": notice.reason[:500]}
            self.client.mutate(queries.DECLINE_RETURN, "returnDeclineRequest", input=answer)
        return PushResult(request_id)

    def push_stock(self, levels):
        return StockPublisher(self.client, self._get_location_id).publish(levels)

    def _look_up_stock(self, levels):
        """Override: the shop is asked for these."""
        return StockPublisher(self.client, self._get_location_id).fetch(levels)

    # === HELPERS === #

    def _get_location_id(self):
        if location := self.config.options.get("location_id"):
            return mapper.make_gid("Location", location)
        locations = mapper.get_nodes(self.client.query(queries.LOCATIONS), "locations")
        chosen = next((row for row in locations if row.get("fulfillsOnlineOrders")), None) or next(
            iter(locations), None
        )
        if not chosen:
            raise Rejected("The shop has no location. Make one there first.")
        return chosen["id"]


def make_key(text):
    """The shop takes UUIDs as keys: always the same one for the same text."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))


def _make_window(since, until):
    window = f"updated_at:>='{mapper.format_time(since)}'"
    return f"{window} updated_at:<'{mapper.format_time(until)}'" if until else window


def _describe_location(row):
    return f"{to_text(row.get('name'))} ({mapper.get_number(row.get('id'))})"


def _get_missing_scopes(installation):
    given = {to_text(row.get("handle")) for row in rows(installation, "accessScopes")}
    given |= {name.replace("write_", "read_", 1) for name in given}
    return [name for name in SCOPES if name not in given]


def _make_refund_lines(order, amount, lines):
    """The units that the money is for; [] when they are worth more than it, so that the shop would ask why. They are
    not put back into the shop's stock: what may be sold is published."""
    known, total, items = {line.external_id: line for line in mapper.map_order(order).lines}, ZERO, []
    for line_id, units in lines:
        line = known.get(line_id)
        if not line or units > line.quantity - line.cancelled_quantity - line.returned_quantity:
            return []
        total += line.total * Decimal(units) / line.quantity
        items.append(_make_refund_line(line_id, units, "NO_RESTOCK"))
    return items if total <= amount else []


def _make_refund_line(line_id, units, restock):
    return {
        "lineItemId": mapper.make_gid("LineItem", line_id),
        "quantity": to_json_number(Decimal(units)),
        "restockType": restock,
    }
