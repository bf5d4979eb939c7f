"""A shop on Taobao or Tmall as a channel."""

from datetime import UTC, datetime, timedelta
from functools import partial

from .. import base
from ..cancelling import describe_refunded
from ..china import BackwardReader, ListPart, format_time
from ..errors import BadResponse, Rejected
from ..notices import PushResult
from ..types import ListingPage, Page, RefPage
from ..values import to_text
from . import mapper
from .client import TaobaoClient
from .refunds import RefundFlow
from .shipment import ShipmentFlow
from .stock import StockPublisher

# Limits of the platform: a window of changes, a page of trades, items whose SKUs are told in one call.
WINDOW = timedelta(days=1)
MAX_PAGE = 100
MAX_ITEMS = 40
# Where items are, in the order in which they are listed: on sale, and by the platform's words for the warehouse list
# sold out (which it moves there) and taken off or not yet on sale.
SHELVES = ("onsale", mapper.SOLD_OUT, "for_shelved")
LIST_FIELDS = "tid,status,created,modified"
ORDER_FIELDS = (
    "tid,status,type,created,modified,pay_time,consign_time,end_time,payment,post_fee,total_fee,discount_fee,adjust_fee,"
    "commission_fee,buyer_nick,buyer_open_uid,buyer_message,seller_memo,seller_flag,alipay_no,step_trade_status,"
    "step_paid_fee,est_con_time,timeout_action_time,promotion_details,shipping_type,oaid,receiver_name,receiver_state,receiver_city,"
    "receiver_district,receiver_town,receiver_address,receiver_zip,receiver_mobile,receiver_phone,orders"
)
REFUND_FIELDS = (
    "refund_id,tid,oid,created,modified,status,good_status,has_good_return,refund_fee,reason,desc,num,refund_phase,"
    "refund_version"
)


class TaobaoAdapter(base.ChannelAdapter):
    """:param clock: callable -> aware datetime, for the calls' signature and the end of a window"""

    provider = "taobao"
    label = "Taobao / Tmall"
    capabilities = frozenset(
        {
            base.ORDERS,
            base.AUDIT,
            base.REFRESH,
            base.LISTINGS,
            base.STOCK,
            base.STOCK_READ,
            base.SHIPMENT,
            base.CANCEL,
            base.REFUND,
            base.ANSWER,
            base.CANCEL_LINES,
        }
    )
    credential_keys = ("api_key", "api_secret", "session_token", "session_refresh_token")
    cancelled_states = frozenset(mapper.CLOSED)
    refresh_key, renew_before = "session_refresh_token", timedelta(days=3)
    pull_minutes = 1
    default_url = "https://eco.taobao.com"

    def __init__(self, config, transport=None, clock=None):
        super().__init__(config, transport)
        self.clock = clock or (lambda: datetime.now(UTC))
        self.client = TaobaoClient(config, self.transport, self.clock)

    # === READ === #

    def test_connection(self):
        """Reads what every call needs: the shop, its trades and its items. Refunds and logistics are rights of their
        own: there is no refund 0, and addresses are only looked up."""
        user = self.client.call("taobao.user.seller.get", fields="user_id,nick,type,status").get("user") or {}
        now = self.clock()
        self._fetch_list(format_time(now - timedelta(minutes=1)), format_time(now), 1, 1)
        self.client.call("taobao.items.onsale.get", fields="num_iid", page_no=1, page_size=1)
        kinds = {"B": "Tmall", "C": "Taobao"}
        details = [("Platform", kinds.get(user.get("type"), "Taobao")), ("Account", to_text(user.get("user_id")))]
        missing = self._find_missing_rights(
            {
                "taobao.refund.get": partial(self._fetch_refund, "0"),
                "taobao.logistics.address.search": RefundFlow(self.client).find_return_address,
            }
        )
        if missing:
            details.append(("Missing permissions", ", ".join(missing)))
        return {"shop": to_text(user.get("nick")), "details": details}

    def refresh_credentials(self):
        return self.client.refresh()

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        """The list only names who changed: each is read whole, with its refunds. See BackwardReader."""
        reader = BackwardReader(self._fetch_list, WINDOW, self.clock)
        found, next_cursor = reader.read_page(since, until, cursor, min(limit, MAX_PAGE))
        items = []
        for row in found:
            tid = to_text(row.get("tid"))
            items.append(self._make_item(tid, row, partial(self.fetch_order, tid), mapper.get_version))
        return Page(tuple(items), next_cursor)

    def fetch_refs_page(self, since, until=None, cursor=None, limit=100):
        reader = BackwardReader(self._fetch_list, WINDOW, self.clock)
        found, cursor = reader.read_page(since, until, cursor, min(limit, MAX_PAGE))
        return RefPage(tuple(map(mapper.map_ref, found)), cursor)

    def _fetch_list(self, start, end, page, size):
        answer = self.client.call(
            "taobao.trades.sold.increment.get",
            fields=LIST_FIELDS,
            start_modified=start,
            end_modified=end,
            page_no=page,
            page_size=size,
            use_has_next=False,  # only so it counts
        )
        total = answer.get("total_results") or 0
        return ListPart(mapper.unwrap(answer, "trades", "trade"), int(total), self.client.server_time)

    def fetch_order(self, external_id):
        if not external_id.isdigit():
            raise Rejected(f"{external_id!r} is no trade of Taobao.")
        trade = self.client.call("taobao.trade.fullinfo.get", fields=ORDER_FIELDS, tid=external_id).get("trade")
        if not isinstance(trade, dict) or to_text(trade.get("tid")) != external_id:
            raise BadResponse(f"Taobao did not answer with trade {external_id}.")
        return self._complete(trade)

    def _complete(self, trade):
        """Add the refunds, which sub-orders only hint at."""
        refunds = []
        for order in mapper.get_orders(trade):
            if to_text(order.get("refund_status")) in ("", "NO_REFUND") or not order.get("refund_id"):
                continue
            if refund := self._fetch_refund(order["refund_id"]):
                refunds.append({**refund, "oid": to_text(order.get("oid"))})
        return {**trade, mapper.REFUNDS: refunds} if refunds else trade

    def _fetch_refund(self, refund_id):
        refund = self.client.call("taobao.refund.get", fields=REFUND_FIELDS, refund_id=refund_id).get("refund")
        return refund if isinstance(refund, dict) else None

    def parse_order(self, raw):
        return mapper.map_order(raw)

    def fetch_listings(self, cursor=None, limit=100):
        """Shelf by shelf, an SKU a listing: a page may have more listings than asked for. The cursor: "shelf:page"."""
        shelf, _separator, page = (cursor or f"{SHELVES[0]}:1").partition(":")
        page, size = int(page), min(limit, MAX_ITEMS)
        is_on_sale = shelf == SHELVES[0]
        answer = self.client.call(
            "taobao.items.onsale.get" if is_on_sale else "taobao.items.inventory.get",
            fields="num_iid,title,outer_id,price,approve_status,num",
            banner=None if is_on_sale else shelf,
            page_no=page,
            page_size=size,
            order_by="list_time:asc",
        )
        items = mapper.unwrap(answer, "items", "item")
        skus = self._fetch_skus([to_text(item.get("num_iid")) for item in items])
        listings = [
            row for item in items for row in mapper.map_listings(item, skus.get(to_text(item.get("num_iid"))), shelf)
        ]
        if items and page * size < int(answer.get("total_results") or 0):
            return ListingPage(tuple(listings), f"{shelf}:{page + 1}")
        following = SHELVES[SHELVES.index(shelf) + 1 :]
        return ListingPage(tuple(listings), f"{following[0]}:1" if following else None)

    def _fetch_skus(self, iids):
        """{num_iid: [SKU, ...]}"""
        if not iids:
            return {}
        answer = self.client.call(
            "taobao.item.skus.get",
            fields="sku_id,num_iid,outer_id,price,properties_name,barcode,status,quantity",
            num_iids=",".join(iids),
        )
        skus = {}
        for row in mapper.unwrap(answer, "skus", "sku"):
            skus.setdefault(to_text(row.get("num_iid")), []).append(row)
        return skus

    # === PUSH === #

    def push_shipment(self, notice):
        return ShipmentFlow(self.client).ship(notice, self.fetch_order(notice.order_external_id))

    def push_cancel(self, notice):
        """Close an unpaid trade, or grant the buyer's requests for all of a paid one."""
        is_repeat = RefundFlow(self.client).cancel(self.fetch_order(notice.order_external_id))
        refunded = describe_refunded(mapper.map_order(self.fetch_order(notice.order_external_id)))
        return PushResult(notice.order_external_id, is_repeat=is_repeat, data={"refunded": refunded})

    def push_cancel_lines(self, notice):
        """Grant the buyer's requests for whole sub-orders."""
        is_repeat = RefundFlow(self.client).cancel_lines(notice, self.fetch_order(notice.order_external_id))
        refunded = describe_refunded(mapper.map_order(self.fetch_order(notice.order_external_id)))
        return PushResult(notice.idempotency_key, is_repeat=is_repeat, data={"refunded": refunded})

    def push_refund(self, notice):
        """Grant the buyer's request for this money."""
        return RefundFlow(self.client).refund(notice, self.fetch_order(notice.order_external_id))

    def push_answer(self, notice):
        """Agree that goods are sent back, or refuse the buyer's request."""
        return RefundFlow(self.client).answer(notice, self.fetch_order(notice.order_external_id))

    def push_stock(self, levels):
        return StockPublisher(self.client).publish(levels)
