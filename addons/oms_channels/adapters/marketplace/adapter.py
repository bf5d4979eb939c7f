"""A shop on the (simulated) marketplace as a channel."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from .. import base
from ..cancelling import check_units, describe_refunded, get_refund
from ..errors import AuthError, BadResponse, Rejected
from ..notices import PushResult, StockResult
from ..types import ZERO, ChannelEvent, ListingPage, Page, PageItem
from ..values import (
    check_age,
    check_signature,
    lower_headers,
    read_webhook,
    required,
    rows,
    to_decimal,
    to_json_number,
    to_text,
)
from . import mapper, signature
from .client import MarketplaceClient

# The platform answers a window of changes of at most a day, pages and stock batches of at most a hundred.
WINDOW = timedelta(hours=24)
MAX_PAGE = 100
WEBHOOK_MAX_AGE = 300
COMPANIES = {
    "SF": ("sf", "shunfeng", "顺丰"),
    "JD": ("jd", "jingdong", "京东"),
    "EMS": ("ems", "china post", "邮政"),
    "ZTO": ("zto", "zhongtong", "中通"),
    "YTO": ("yto", "yuantong", "圆通"),
    "STO": ("sto", "shentong", "申通"),
    "YUNDA": ("yunda", "韵达"),
    "JT": ("j&t", "jt", "jitu", "极兔"),
    "DBL": ("deppon", "dbl", "德邦"),
}


class MarketplaceAdapter(base.ChannelAdapter):
    """:param clock: callable -> aware datetime, for the calls' signature"""

    provider = "marketplace"
    label = "Marketplace"
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
            base.ANSWER,
        }
    )
    credential_keys = ("api_key", "api_secret")
    cancelled_states = frozenset({"TRADE_CLOSED"})

    def __init__(self, config, transport=None, clock=None):
        super().__init__(config, transport)
        self.client = MarketplaceClient(config, self.transport, clock)

    # === READ === #

    def test_connection(self):
        shop = self.client.call("shop.get")
        details = [
            ("Platform", to_text(shop.get("platform"))),
            ("Shop code", to_text(shop.get("shop_code"))),
            ("Rights", ", ".join(map(str, shop.get("scopes") or ()))),
        ]
        return {"shop": to_text(shop.get("shop_name")), "details": details}

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        """Windows of a day, each read forward by time of change: the next call starts at the last second seen, so that
        an order changed meanwhile, which leaves its place, pushes no other out of sight. Some orders come twice.

        The cursor is "start|page within the same second". An empty page may have a next one.
        """
        limit = min(limit, MAX_PAGE)
        start, page_no = cursor.rsplit("|", 1) if cursor else (mapper.format_time(since), "1")
        start_at, page_no = mapper.read_time(start, "The cursor"), int(page_no)
        end_at = min(start_at + WINDOW, until) if until else start_at + WINDOW
        end = mapper.format_time(end_at)
        if end <= start:
            return Page(())
        data = self.client.call("order.list", start_modified=start, end_modified=end, page_no=page_no, page_size=limit)
        orders = rows(data, "orders")
        items = tuple(
            PageItem(to_text(required(raw, "order_id", "An order's order_id")), mapper.get_version(raw), raw)
            for raw in orders
        )
        if data.get("has_next") and orders:
            last = to_text(required(orders[-1], "modified", "An order's modified"))
            return Page(items, f"{start}|{page_no + 1}" if last <= start else f"{last}|1")
        now = mapper.read_time(data.get("server_time"), "server_time")
        is_last = end_at > now or (until is not None and end_at >= until)
        return Page(items, None if is_last else f"{end}|1")

    def fetch_order(self, external_id):
        order = self.client.call("order.get", order_id=external_id).get("order")
        if not isinstance(order, dict) or order.get("order_id") != external_id:
            raise BadResponse(f"The marketplace did not answer with order {external_id}.")
        return order

    def parse_order(self, raw):
        return mapper.map_order(raw)

    def fetch_listings(self, cursor=None, limit=100):
        page_no = int(cursor or 1)
        data = self.client.call("item.list", page_no=page_no, page_size=min(limit, MAX_PAGE))
        items = tuple(mapper.map_listing(item) for item in rows(data, "items"))
        return ListingPage(items, str(page_no + 1) if data.get("has_next") and items else None)

    # === WEBHOOKS === #

    def verify_and_parse_webhook(self, headers, raw_body, secret, *, now):
        headers = lower_headers(headers)
        timestamp = to_text(headers.get(signature.WEBHOOK_TIMESTAMP))
        check_signature(
            secret,
            headers.get(signature.WEBHOOK_SIGN),
            lambda one: signature.sign_webhook(one, timestamp, raw_body),
        )
        try:
            sent_at = datetime.fromtimestamp(int(timestamp), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise AuthError("The webhook carries no time.") from error
        check_age(sent_at, now, WEBHOOK_MAX_AGE)
        try:
            body = read_webhook(raw_body)
            event_id, topic, order_id, modified = (body[key] for key in ("msg_id", "topic", "order_id", "modified"))
        except (ValueError, KeyError, TypeError) as error:
            raise BadResponse("The webhook is signed but not understood.", retryable=False) from error
        return ChannelEvent(
            event_id=to_text(event_id),
            topic=to_text(topic),
            occurred_at=mapper.read_time(modified, "The webhook's modified"),
            order_external_id=to_text(order_id),
            resource_type="order",
            resource_id=to_text(order_id),
        )

    # === PUSH === #

    def push_shipment(self, notice):
        order = self.fetch_order(notice.order_external_id)
        items = _make_items(notice.lines)
        for row in rows(order, "logistics"):
            is_same = row.get("tracking_no") == notice.tracking_number and _same_items(row.get("items"), items)
            if row.get("out_no") == notice.idempotency_key or is_same:
                return PushResult(to_text(row.get("logistics_id")), is_repeat=True)
        data = self.client.call(
            "logistics.send",
            order_id=notice.order_external_id,
            out_no=notice.idempotency_key,
            company=get_company(notice.carrier),
            tracking_no=notice.tracking_number,
            items=items,
        )
        return PushResult(to_text((data.get("logistics") or {}).get("logistics_id")))

    def push_delivered(self, notice):
        order = self.fetch_order(notice.order_external_id)
        key, value = "tracking_no", notice.tracking_number
        if notice.shipment_external_id:
            key, value = "logistics_id", notice.shipment_external_id
        row = next((row for row in rows(order, "logistics") if row.get(key) == value), None)
        if not row:
            raise Rejected(f"Order {notice.order_external_id} has no shipment {value}.")
        if row.get("delivered_at"):
            return PushResult(row["logistics_id"], is_repeat=True)
        self.client.call("logistics.sign", order_id=notice.order_external_id, logistics_id=row["logistics_id"])
        return PushResult(row["logistics_id"])

    def push_cancel(self, notice):
        """Closing makes the platform pay back; ``data["refunded"]`` says how much, by payment."""
        order = self.fetch_order(notice.order_external_id)
        is_repeat = order.get("status") == "TRADE_CLOSED"
        if not is_repeat:
            order = self.client.call("order.close", order_id=notice.order_external_id, reason=notice.reason)["order"]
        refunded = describe_refunded(mapper.map_order(order))
        return PushResult(notice.order_external_id, is_repeat=is_repeat, data={"refunded": refunded})

    def push_cancel_lines(self, notice):
        """A refund that names units which have not left takes them off the order."""
        order = self.fetch_order(notice.order_external_id)
        found = [row for row in rows(order, "refunds") if row.get("out_refund_no") == notice.idempotency_key]
        if not found:
            parsed = mapper.map_order(order)
            amount = get_refund(parsed, check_units(parsed, notice.lines))
            self._pay_back(notice, amount, notice.reason)
            order = self.fetch_order(notice.order_external_id)
        refunded = describe_refunded(mapper.map_order(order))
        return PushResult(notice.idempotency_key, is_repeat=bool(found), data={"refunded": refunded})

    def push_answer(self, notice):
        order, request_id = self.fetch_order(notice.order_external_id), notice.request_external_id
        row = next((row for row in rows(order, "refunds") if row.get("refund_id") == request_id), None)
        if not row:
            raise Rejected(f"Order {notice.order_external_id} has no request {request_id} in the shop any more.")
        answer = "AGREED" if notice.is_granted else "REFUSED"
        if row.get("answer") == answer:
            return PushResult(request_id, is_repeat=True)
        self.client.call(
            "refund.answer",
            order_id=notice.order_external_id,
            refund_id=request_id,
            answer=answer,
            reason=notice.reason,
        )
        return PushResult(request_id)

    def push_return_received(self, notice):
        order = self.fetch_order(notice.order_external_id)
        for row in rows(order, "receipts"):
            if row.get("out_no") == notice.idempotency_key:
                return PushResult(notice.idempotency_key, is_repeat=True)
        self.client.call(
            "refund.goods_received",
            order_id=notice.order_external_id,
            out_no=notice.idempotency_key,
            items=_make_items(notice.lines),
            refund_id=notice.request_external_id,
        )
        return PushResult(notice.idempotency_key)

    def push_refund(self, notice):
        """A closed order's money went back already: that counts as done."""
        if notice.currency != mapper.CURRENCY:
            raise Rejected(f"The marketplace pays in {mapper.CURRENCY}, the refund is in {notice.currency}.")
        order = self.fetch_order(notice.order_external_id)
        for row in rows(order, "refunds"):
            if row.get("out_refund_no") == notice.idempotency_key:
                return PushResult(to_text(row.get("refund_id")), is_repeat=True)
        payments = rows(order, "payments")
        left = sum((_read(row, "amount") - _read(row, "refunded") for row in payments), ZERO)
        if order.get("status") == "TRADE_CLOSED" and payments and left == 0:
            return PushResult(is_repeat=True, data={"reason": "refunded by the cancellation"})
        return PushResult(self._pay_back(notice, notice.amount, notice.note))

    def _pay_back(self, notice, amount, memo):
        """:return: id of the refund"""
        data = self.client.call(
            "refund.create",
            order_id=notice.order_external_id,
            out_refund_no=notice.idempotency_key,
            amount=f"{amount:.2f}",
            items=_make_items(notice.lines),
            memo=memo,
            refund_id=notice.request_external_id,
        )
        return to_text((data.get("refund") or {}).get("refund_id"))

    def push_stock(self, levels):
        errors = []
        for start in range(0, len(levels), MAX_PAGE):
            batch = levels[start : start + MAX_PAGE]
            items = [
                {"sku": level.external_id or level.sku, "quantity": int(max(level.quantity, ZERO))} for level in batch
            ]
            results = rows(self.client.call("stock.update", items=items), "results")
            answers = {row.get("sku"): "" if row.get("code") == 0 else to_text(row.get("msg")) for row in results}
            errors += [answers.get(item["sku"], "The marketplace did not answer for this item.") for item in items]
        return StockResult(tuple(errors))


def get_company(carrier):
    """The platform's code of a carrier, by a word in its name or code; OTHER when it knows none."""
    name = carrier.casefold()
    words = name.replace("-", " ").replace("_", " ").split()
    for code, signs in COMPANIES.items():
        if any(sign in words if sign.isascii() and " " not in sign else sign in name for sign in signs):
            return code
    return "OTHER"


def _make_items(lines):
    return [{"oid": line_id, "num": to_json_number(Decimal(quantity))} for line_id, quantity in lines]


def _same_items(given, items):
    return sorted((row.get("oid"), row.get("num")) for row in given or ()) == sorted(
        (row["oid"], row["num"]) for row in items
    )


def _read(row, key):
    return to_decimal(row.get(key) or "0", key)
