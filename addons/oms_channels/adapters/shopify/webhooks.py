"""Webhooks of Shopify: registered through its API, and read."""

import re
from decimal import Decimal

from ..registration import WebhookRegistration, WebhookReport
from ..types import ChannelEvent
from ..values import check_age, check_signature, digest, lower_headers, read_webhook, rows, to_datetime, to_text
from . import mapper, queries, signature

# Only ids are sent: the order is read when its turn comes, and no buyer's data lies in logs on the way.
FIELDS = ["id", "admin_graphql_api_id", "order_id", "order", "updated_at"]
STOCK_FIELDS = ["inventory_item_id", "location_id", "available", "updated_at"]
# {topic: fields that are sent}. Of a changed stock our own is an echo, another one is noticed at once.
FIELDS_BY_TOPIC = {
    "ORDERS_CREATE": FIELDS,
    "ORDERS_UPDATED": FIELDS,
    "ORDERS_CANCELLED": FIELDS,
    "REFUNDS_CREATE": FIELDS,
    "RETURNS_REQUEST": FIELDS,
    "ORDERS_RISK_ASSESSMENT_CHANGED": FIELDS,
    "INVENTORY_LEVELS_UPDATE": STOCK_FIELDS,
}
TOPICS = tuple(FIELDS_BY_TOPIC)
# The shop repeats an event that was not answered for four hours.
MAX_AGE = 5 * 3600


class WebhookFlow:
    def __init__(self, client):
        self.client = client

    def fetch(self):
        """All subscriptions of our app: the shop shows no other's."""
        found, cursor = [], None
        while True:
            page = self.client.query(queries.WEBHOOKS, after=cursor).get("webhookSubscriptions") or {}
            found += rows(page, "nodes")
            info = page.get("pageInfo") or {}
            if not info.get("hasNextPage"):
                return found
            cursor = info.get("endCursor")

    def ensure(self, url):
        """See ``ChannelAdapter.ensure_webhooks``. The shop deletes a subscription that fails for long: made anew."""
        known, created, updated, unchanged = self.fetch(), [], [], []
        for topic, fields in FIELDS_BY_TOPIC.items():
            body = {"uri": url, "format": "JSON", "includeFields": fields}
            mine = [row for row in known if row.get("topic") == topic and _is_ours(row, url)]
            mine.sort(key=lambda row: (row.get("uri") != url, to_text(row.get("id"))))
            if not mine:
                self.client.mutate(queries.CREATE_WEBHOOK, "webhookSubscriptionCreate", topic=topic, webhook=body)
                created.append(topic)
                continue
            if mine[0].get("uri") == url and sorted(mine[0].get("includeFields") or ()) == sorted(fields):
                unchanged.append(topic)
            else:
                self.client.mutate(queries.UPDATE_WEBHOOK, "webhookSubscriptionUpdate", id=mine[0]["id"], webhook=body)
                updated.append(topic)
            for row in mine[1:]:  # twice the same event is of no use
                self.client.mutate(queries.DELETE_WEBHOOK, "webhookSubscriptionDelete", id=row["id"])
        return WebhookReport(tuple(created), tuple(updated), tuple(unchanged))


def _is_ours(row, url):
    """By address; only a path of the same channel counts as an address that moved."""
    return _get_path(to_text(row.get("uri"))) == _get_path(url)


def _get_path(url):
    return re.sub(r"^[a-z]+://[^/]*", "", url)


def describe(row):
    return WebhookRegistration(
        external_id=mapper.get_number(row.get("id")),
        topic=to_text(row.get("topic")),
        url=to_text(row.get("uri")),
        is_active=True,
    )


def parse(headers, raw_body, secrets, now, location=""):
    """Verified webhook -> ChannelEvent. The body may be hours old and out of order: only its ids are believed.

    :param location: number of the location whose stock is told, "" where nobody has chosen one
    """
    headers = lower_headers(headers)
    check_signature(secrets, headers.get(signature.HEADER), lambda one: signature.sign(one, raw_body))
    topic = to_text(headers.get("x-shopify-topic"))
    triggered = headers.get("x-shopify-triggered-at")
    occurred_at = to_datetime(triggered, "The webhook's time") if triggered else now
    check_age(occurred_at, now, MAX_AGE)
    body = read_webhook(raw_body)
    body = body if isinstance(body, dict) else {}
    order_id = _get_order_id(topic, body)
    return ChannelEvent(
        event_id=to_text(headers.get("x-shopify-event-id")) or digest(topic.encode() + raw_body),
        topic=topic or "unknown",
        occurred_at=occurred_at,
        order_external_id=order_id,
        resource_type="order" if order_id else "other",
        resource_id=order_id,
        stock=_get_stock(topic, body, location),
    )


def _get_stock(topic, body, location):
    """{number of the stock item: available} of a changed level; what another location has is not what we told."""
    item, available = to_text(body.get("inventory_item_id")), body.get("available")
    if topic != "inventory_levels/update" or not item.isdigit() or type(available) is not int:
        return {}
    if location and to_text(body.get("location_id")) not in ("", location):
        return {}
    return {item: Decimal(available)}


def _get_order_id(topic, body):
    """Refunds, returns and risks name their order, orders are it."""
    order = body.get("order")
    named = body.get("order_id") or (order.get("id") if isinstance(order, dict) else None)
    if not named and topic.startswith("orders/"):
        named = body.get("admin_graphql_api_id") or body.get("id")
    number = mapper.get_number(named) if isinstance(named, str | int) and not isinstance(named, bool) else ""
    return number if number.isdigit() else ""
