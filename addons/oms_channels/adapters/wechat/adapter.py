"""A WeChat shop (微信小店) as a channel."""

from datetime import UTC, datetime, timedelta
from functools import partial

from .. import base
from ..cancelling import describe_refunded
from ..errors import AuthError, BadResponse, Rejected
from ..notices import PushResult
from ..types import ListingPage, Page
from ..values import rows, to_text
from . import funds, mapper
from .client import WechatClient
from .refunds import RefundFlow
from .shipment import ShipmentFlow
from .stock import StockPublisher

# Limits of the platform: seconds of a window of changes, orders and products of a page.
WINDOW = int(timedelta(days=7).total_seconds())
MAX_PAGE, MAX_PRODUCTS = 100, 30
ONLINE = 1  # the data of a product that buyers see, not its draft


class WechatAdapter(base.ChannelAdapter):
    """:param clock: callable -> aware datetime, where the platform does not tell its own"""

    provider = "wechat"
    label = "WeChat Shop"
    capabilities = frozenset(
        {
            base.ORDERS,
            base.AUDIT,
            base.LISTINGS,
            base.STOCK,
            base.STOCK_READ,
            base.SHIPMENT,
            base.PAYOUTS,
            base.CANCEL,
            base.REFUND,
            base.ANSWER,
            base.CANCEL_LINES,
        }
    )
    credential_keys = ("api_key", "api_secret")
    # Nothing says that an after-sales order moves the order's time of change.
    needs_reread = True
    pull_minutes = 1
    default_url = "https://api.weixin.qq.com"

    def __init__(self, config, transport=None, clock=None):
        super().__init__(config, transport)
        self.clock = clock or (lambda: datetime.now(UTC))
        self.client = WechatClient(config, self.transport)
        self.stock = StockPublisher(self.client, self._iter_listings)

    # === READ === #

    def test_connection(self):
        """Reads what every call needs: the shop, its orders and its products."""
        info = mapper.get_part(self.client.call("basics/info/get", method="GET"), "info")
        now = self._get_now()
        self._list_ids(now - 60, now, 1)
        self.client.call("product/list/get", page_size=1)
        details = [("Account", to_text(info.get("username"))), ("State", to_text(info.get("status")))]
        try:
            funds.fetch_page(self.client, datetime.fromtimestamp(now - 60, UTC), None, now)
        except AuthError:  # it is a right of its own
            details.append(("Missing permissions", "funds/getfundsflowlist"))
        return {"shop": to_text(info.get("nickname")), "details": details}

    @classmethod
    def says_cancelled(cls, raw):
        return isinstance(raw, dict) and raw.get("status") in mapper.CANCELLED

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        """The list only has the ids of who changed, in no order that is told, and its pages would shift while orders
        change. So a page is a span of time, halved until what changed in it fits. The cursor is "start|span".
        """
        start, span = map(int, cursor.split("|")) if cursor else (int(since.timestamp()), WINDOW)
        size, bound = min(limit, MAX_PAGE), self._get_now()
        if until is not None:
            bound = min(bound, int(until.timestamp()))
        while True:
            end = max(min(start + span, bound), start + 1)
            ids, key = self._list_ids(start, end, size)
            if not key or end - start == 1:
                break
            span = (end - start) // 2
        while key:  # all of one second
            more, key = self._list_ids(start, end, size, key)
            ids += more
        items = sorted(map(self._read_item, dict.fromkeys(ids)), key=lambda item: item.version)
        # It begins with the second that this one ended with: whether the list counts that in is not told.
        return Page(tuple(items), None if end >= bound else f"{end}|{min(span * 2, WINDOW)}")

    def _list_ids(self, start, end, size, key=""):
        """Return (ids, key of the next page or "")."""
        answer = self.client.call(
            "order/list/get",
            update_time_range={"start_time": start, "end_time": end},
            page_size=size,
            next_key=key,
        )
        ids = answer.get("order_id_list") or []
        if not isinstance(ids, list):
            raise BadResponse("WeChat's list of orders is not understood.")
        next_key = to_text(answer.get("next_key")) if answer.get("has_more") and ids else ""
        return [to_text(order_id) for order_id in ids], next_key if next_key != key else ""

    def _read_item(self, order_id):
        read = partial(self.fetch_order, order_id)
        return self._make_item(order_id, {"order_id": order_id}, read, mapper.get_version)

    def _get_now(self):
        """Second of the platform's clock."""
        self.client.get_token()  # tells it
        return int((self.client.server_time or self.clock()).timestamp())

    def fetch_order(self, external_id):
        if not external_id.isdigit():
            raise Rejected(f"{external_id!r} is no order of a WeChat shop.")
        order = self.client.call("order/get", order_id=external_id).get("order")
        if not isinstance(order, dict) or to_text(order.get("order_id")) != external_id:
            raise BadResponse(f"WeChat did not answer with order {external_id}.")
        return self._complete(order)

    def _complete(self, order):
        """Add the after-sales orders."""
        refunds = []
        for row in rows(mapper.get_part(order, "aftersale_detail"), "aftersale_order_list"):
            answer = self.client.call(
                "aftersale/getaftersaleorder", after_sale_order_id=to_text(row.get("aftersale_order_id"))
            )
            refunds.append(mapper.get_part(answer, "after_sale_order") or answer)
        return {**order, mapper.REFUNDS: refunds} if refunds else order

    def parse_order(self, raw):
        return mapper.map_order(raw)

    def fetch_listings(self, cursor=None, limit=100):
        """A SKU a listing: a page may have more listings than asked for."""
        size = min(limit, MAX_PRODUCTS)
        answer = self.client.call("product/list/get", page_size=size, **({"next_key": cursor} if cursor else {}))
        listings, ids = [], answer.get("product_ids") or []
        for product_id in ids:
            found = self.client.call("product/get", product_id=to_text(product_id), data_type=ONLINE)
            if product := mapper.get_part(found, "product"):
                listings += mapper.map_listings(product)
        key = to_text(answer.get("next_key"))
        return ListingPage(tuple(listings), key if ids and key and key != cursor else None)

    def fetch_payouts_page(self, since, cursor=None, limit=100):
        return funds.fetch_page(self.client, since, cursor, self._get_now())

    def _iter_listings(self):
        cursor = ""
        while cursor is not None:
            page = self.fetch_listings(cursor=cursor or None)
            yield from page.items
            cursor = page.next_cursor

    # === PUSH === #

    def push_shipment(self, notice):
        return ShipmentFlow(self.client).ship(notice, self.fetch_order(notice.order_external_id))

    def push_cancel(self, notice):
        """Grant the buyer's requests for all of an order."""
        raw = self.fetch_order(notice.order_external_id)
        is_repeat = RefundFlow(self.client).cancel(raw, mapper.map_order(raw))
        refunded = describe_refunded(mapper.map_order(self.fetch_order(notice.order_external_id)))
        return PushResult(notice.order_external_id, is_repeat=is_repeat, data={"refunded": refunded})

    def push_cancel_lines(self, notice):
        """Grant the buyer's requests for just these units."""
        raw = self.fetch_order(notice.order_external_id)
        is_repeat = RefundFlow(self.client).cancel_lines(notice, raw, mapper.map_order(raw))
        refunded = describe_refunded(mapper.map_order(self.fetch_order(notice.order_external_id)))
        return PushResult(notice.idempotency_key, is_repeat=is_repeat, data={"refunded": refunded})

    def push_refund(self, notice):
        """Grant the buyer's request for this money."""
        raw = self.fetch_order(notice.order_external_id)
        return RefundFlow(self.client).refund(notice, raw, mapper.map_order(raw))

    def push_answer(self, notice):
        """Agree that goods are sent back, or refuse the buyer's request."""
        return RefundFlow(self.client).answer(notice, self.fetch_order(notice.order_external_id))

    def push_stock(self, levels):
        return self.stock.publish(levels)

    def _look_up_stock(self, levels):
        return self.stock.fetch(levels)
