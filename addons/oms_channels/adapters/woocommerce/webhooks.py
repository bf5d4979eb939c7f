"""Webhooks of WooCommerce: registered through its API, and read."""

import ipaddress
import re
from urllib.parse import urlsplit

from ..registration import WebhookRegistration, WebhookReport
from ..types import ChannelEvent
from ..values import check_signature, digest, lower_headers, read_webhook, to_text
from . import signature
from .listing import get_quantity

# Of a changed product only its stock is read: our own number is an echo, another one is noticed at once.
TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored", "product.updated")
# What we made is known by its name, and may be mended when the address of Odoo has changed.
NAME = "Odoo OMS"
MAX_PAGE = 100
# What WordPress calls of itself; its administrator can allow more.
SAFE_PORTS = (80, 443, 8080)
PRIVATE = [
    ipaddress.ip_network(net) for net in ("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
]
_PING = re.compile(rb"webhook_id=\d+")


class WebhookFlow:
    def __init__(self, client):
        self.client = client

    def fetch(self):
        """All webhooks as the shop describes them."""
        found, page = [], 1
        while True:
            rows, pages = self.client.get_list("/webhooks", per_page=MAX_PAGE, page=page, orderby="id", order="asc")
            found += rows
            if page >= (pages or 1):
                return found
            page += 1

    def ensure(self, url, secret, shop_url):
        """See ``ChannelAdapter.ensure_webhooks``. The secret can't be read, so it is written every time. The shop takes
        an address that it will not call without a word, and switches it off after some failures."""
        known, created, updated, unchanged = self.fetch(), [], [], []
        for topic in TOPICS:
            mine = [row for row in known if row.get("topic") == topic and _is_ours(row, url)]
            mine.sort(key=lambda row: (row.get("delivery_url") != url, row.get("id")))
            body = {
                "name": f"{NAME} {topic}",
                "topic": topic,
                "delivery_url": url,
                "secret": secret,
                "status": "active",
            }
            if not mine:
                self.client.post("/webhooks", body)
                created.append(topic)
                continue
            is_right = mine[0].get("delivery_url") == url and mine[0].get("status") == "active"
            self.client.put(f"/webhooks/{mine[0]['id']}", body)
            (unchanged if is_right else updated).append(topic)
            for row in mine[1:]:  # twice the same event is of no use
                if row.get("status") == "active":
                    self.client.put(f"/webhooks/{row['id']}", {"status": "disabled"})
        return WebhookReport(tuple(created), tuple(updated), tuple(unchanged), find_obstacles(url, shop_url))


def find_obstacles(url, shop_url):
    """(sentence, ...): why WordPress would not call an address. Its own host, and there its own port, are fine."""
    address, shop = urlsplit(url), urlsplit(shop_url)
    is_own, found = address.hostname == shop.hostname, []
    if address.port not in (None, *SAFE_PORTS) and not (is_own and address.port == shop.port):
        found.append(
            f"WordPress calls only the ports 80, 443 and 8080, not {address.port}, unless its administrator allows it "
            "(http_allowed_safe_ports)."
        )
    if not is_own and _is_private(address.hostname or ""):
        found.append(
            f"WordPress calls no private address such as {address.hostname}, unless its administrator allows it "
            "(http_request_host_is_external)."
        )
    return tuple(found)


def _is_private(host):
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return any(address in net for net in PRIVATE)


def _is_ours(row, url):
    """By address, or by the name we gave it. A second Odoo at the same shop names its webhooks alike: two addresses of
    which both answer can't be told apart here, so only a path of the same channel counts as an address that moved."""
    given = to_text(row.get("delivery_url"))
    if given == url:
        return True
    return to_text(row.get("name")).startswith(NAME) and _get_path(given) == _get_path(url)


def _get_path(url):
    return re.sub(r"^[a-z]+://[^/]*", "", url)


def describe(row):
    return WebhookRegistration(
        external_id=to_text(row.get("id")),
        topic=to_text(row.get("topic")),
        url=to_text(row.get("delivery_url")),
        is_active=row.get("status") == "active",
    )


def parse(headers, raw_body, secret, now):
    """Verified webhook -> ChannelEvent.

    The shop first sends a ping (a form with nothing but the webhook's number, not signed): it tells nothing and changes
    nothing, and must be answered well. The body of an order's event is built when it is delivered, late and in any
    order: only its id is believed. A shop switches a webhook off after five answers it does not like, so a signed event
    without an id, which some versions send, is taken as one about nothing.
    """
    headers = lower_headers(headers)
    topic = to_text(headers.get("x-wc-webhook-topic"))
    if not topic and _is_ping(headers, raw_body):
        return ChannelEvent(event_id=f"ping-{digest(raw_body)}", topic="ping", occurred_at=now, resource_type="ping")
    check_signature(secret, headers.get(signature.HEADER), lambda one: signature.sign_webhook(one, raw_body))
    body = read_webhook(raw_body)
    if isinstance(body, dict) and topic.startswith("product."):
        return _read_product(body, topic, digest(topic.encode() + raw_body), now)
    order_id = to_text(body.get("id")) if isinstance(body, dict) and topic.startswith("order.") else ""
    is_order = order_id.isdigit()
    return ChannelEvent(
        event_id=digest(topic.encode() + raw_body),
        topic=topic or "unknown",
        occurred_at=now,
        order_external_id=order_id if is_order else "",
        resource_type="order" if is_order else "other",
        resource_id=order_id,
    )


def _read_product(body, topic, event_id, now):
    """A product or variation that was changed: it says how many may be sold."""
    row_id, quantity = to_text(body.get("id")), get_quantity(body)
    stock = {row_id: quantity} if row_id.isdigit() and quantity is not None else {}
    return ChannelEvent(event_id, topic, now, resource_type="product", resource_id=row_id, stock=stock)


def _is_ping(headers, raw_body):
    """The web framework may have read the form already: then the body is empty."""
    kind = to_text(headers.get("content-type")).lower()
    if not kind.startswith("application/x-www-form-urlencoded"):
        return False
    return not raw_body or bool(_PING.fullmatch(raw_body.strip()))
