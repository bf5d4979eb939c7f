"""A shop on JD (POP, goods in the seller's own warehouse: SOP) as a channel.

Calls and parameters are those of open.jd.com (order API 2388, shipment 1948, refund requests 923 and 925, after-sales
desk 2136, stock 1224), as its published SDKs have them. It announces a successor of the stock call,
``jingdong.ware.stock.sku.set``, whose modes it does not describe. Fees are told by no call of these.
"""

from datetime import UTC, datetime, timedelta
from functools import partial

from .. import base
from ..china import BackwardReader, ListPart, find_carrier, format_time
from ..errors import AuthError, BadResponse, Rejected
from ..notices import PushResult, StockResult
from ..types import ZERO, ListingPage, Page, RefPage
from ..values import required, rows, to_text
from . import mapper
from .client import JdClient

# The platform takes a month at once; a day keeps the pages of a window few. Pages beyond the hundredth are empty.
WINDOW = timedelta(days=1)
MAX_PAGE = 50
BY_CHANGE, DESCENDING = 0, 1
# Calls of API packages that an application may lack.
REFUND_LIST = "jingdong.pop.afs.soa.refundapply.queryPageList"
SERVICE_LIST = "jingdong.asc.query.list"
SEND_OUT = "jingdong.pop.order.shipment"
# States of a request to cancel; whether the goods have left the warehouse; the reason of a refusal: another one.
ASKED, GRANTED, REFUSED, NOT_SENT, OTHER_REASON = "0", "1", "2", 2, 5
# Who is named as having looked at a request.
OPERATOR = "OMS"
STATES = ",".join(state for state in mapper.STATUSES if state != "NOT_PAY")
FIELDS = (
    "orderId,orderState,orderType,orderSource,payType,orderTotalPrice,orderSellerPrice,orderPayment,freightPrice,"
    "sellerDiscount,balanceUsed,couponDetailList,itemInfoList,consigneeInfo,orderStartTime,paymentConfirmTime,modified,"
    "dataVersion,orderRemark,venderRemark,pin,open_id_buyer,returnOrder,waybill,logisticsId,scDT"
)
SKU_FIELDS = ["skuId", "wareId", "outerId", "skuName", "wareTitle", "barCode", "jdPrice", "status", "stockNum"]
# The platform's numbers of the carriers. A shop may have agreed on others: a number given as carrier is taken as it is.
COMPANIES = {
    "sf": "467",
    "jd": "2087",
    "ems": "465",
    "post": "465",
    "zto": "1499",
    "yto": "463",
    "sto": "470",
    "yunda": "1327",
    "deppon": "3046",
}


class JdAdapter(base.ChannelAdapter):
    """:param clock: callable -> aware datetime, for the calls' signature and the end of a window"""

    provider = "jd"
    label = "JD"
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
            base.ANSWER,
        }
    )
    credential_keys = ("api_key", "api_secret", "session_token", "session_refresh_token")
    # The after-sales desk changes an order without a trace in the order's time of change.
    needs_reread = True
    status_key, cancelled_states = "orderState", frozenset({"TRADE_CANCELED"})
    refresh_key, renew_before = "session_refresh_token", timedelta(days=3)
    pull_minutes = 1
    default_url = "https://api.jd.com"

    def __init__(self, config, transport=None, clock=None):
        super().__init__(config, transport)
        self.clock = clock or (lambda: datetime.now(UTC))
        self.client = JdClient(config, self.transport, self.clock)
        self._seller = ""

    # === READ === #

    def test_connection(self):
        """Reads what every call needs: the shop, its orders and its SKUs. Other calls belong to API packages of their
        own: there is no order 0 that they could change."""
        shop = self.client.call("jingdong.vender.shop.query", "shop_jos_result")
        now = self.clock()
        self._fetch_list(format_time(now - timedelta(minutes=1)), format_time(now), 1, 1)
        self._search_skus(pageNo=1, pageSize=1)
        details = [("Shop number", to_text(shop.get("shop_id"))), ("Seller", to_text(shop.get("vender_id")))]
        missing = self._find_missing_rights(
            {
                REFUND_LIST: partial(self._fetch_refunds, "0"),
                SERVICE_LIST: partial(self._fetch_services, "0"),
                SEND_OUT: partial(self._send_out, "0", COMPANIES["sf"], "0"),
            }
        )
        if missing:
            details.append(("Missing permissions", ", ".join(missing)))
        return {"shop": to_text(shop.get("shop_name")), "details": details}

    def _get_seller(self):
        """The seller's number, which the after-sales desk asks for. Read once in the adapter's life."""
        if not self._seller:
            shop = self.client.call("jingdong.vender.shop.query", "shop_jos_result")
            self._seller = to_text(required(shop, "vender_id", "The seller's number"))
        return self._seller

    def refresh_credentials(self):
        return self.client.refresh()

    def fetch_orders_page(self, since, until=None, cursor=None, limit=50):
        """See BackwardReader."""
        reader = BackwardReader(self._fetch_list, WINDOW, self.clock)
        found, next_cursor = reader.read_page(since, until, cursor, min(limit, MAX_PAGE))
        items = [
            self._make_item(to_text(row.get("orderId")), row, partial(self._complete, row), mapper.get_version)
            for row in found
        ]
        return Page(tuple(items), next_cursor)

    def fetch_refs_page(self, since, until=None, cursor=None, limit=100):
        reader = BackwardReader(self._fetch_list, WINDOW, self.clock)
        found, cursor = reader.read_page(since, until, cursor, min(limit, MAX_PAGE))
        return RefPage(tuple(map(mapper.map_ref, found)), cursor)

    def _fetch_list(self, start, end, page, size):
        result = self.client.call(
            "jingdong.pop.order.enSearch",
            "searchorderinfo_result",
            start_date=start,
            end_date=end,
            order_state=STATES,
            optional_fields=FIELDS,
            page=str(page),
            page_size=str(size),
            sortType=DESCENDING,
            dateType=BY_CHANGE,
        )
        total = int(result.get("orderTotal") or 0)
        return ListPart(rows(result, "orderInfoList"), total, self.client.server_time)

    def fetch_order(self, external_id):
        if not external_id.isdigit():
            raise Rejected(f"{external_id!r} is no order of JD.")
        detail = self.client.call(
            "jingdong.pop.order.enGet", "orderDetailInfo", order_id=int(external_id), optional_fields=FIELDS
        )
        order = detail.get("orderInfo")
        if not isinstance(order, dict) or to_text(order.get("orderId")) != external_id:
            raise BadResponse(f"JD did not answer with order {external_id}.")
        return self._complete(order)

    def _complete(self, order):
        """Add what the buyer asks back: before sending at one desk, afterwards at another. Each is an API package of
        its own. Whether an order is to be cancelled must be known; what comes back later is no reason to do without
        the order."""
        order_id, state = to_text(order.get("orderId")), order.get("orderState")
        try:
            if state in ("LOCKED", "TRADE_CANCELED") and (refunds := self._fetch_refunds(order_id)):
                return {**order, mapper.REFUNDS: refunds}
            if state in mapper.SENT and (services := self._fetch_services(order_id)):
                return {**order, mapper.SERVICES: services}
        except AuthError as error:
            if error.is_shop_wide:
                raise
            if state not in mapper.SENT:
                raise Rejected(f"Order {order_id}: what its buyer asks back can't be read. {error.message}") from error
        return order

    def _fetch_services(self, order_id):
        result = self.client.call(
            SERVICE_LIST,
            "pageResult",
            buId=self._get_seller(),
            operatePin=OPERATOR,
            operateNick=OPERATOR,
            orderId=int(order_id),
            pageNumber=1,
            pageSize=MAX_PAGE,
        )
        return rows(result, "data")

    def _fetch_refunds(self, order_id):
        result = self.client.call(
            REFUND_LIST,
            "queryResult",
            orderId=order_id,
            pageIndex=1,
            pageSize=MAX_PAGE,
        )
        return rows(result, "result")

    def parse_order(self, raw):
        return mapper.map_order(raw)

    def fetch_listings(self, cursor=None, limit=100):
        page, size = int(cursor or 1), min(limit, MAX_PAGE)
        result = self._search_skus(pageNo=page, pageSize=size)
        listings = tuple(mapper.map_listing(row) for row in rows(result, "data"))
        has_more = listings and page * size < int(result.get("totalItem") or 0)
        return ListingPage(listings, str(page + 1) if has_more else None)

    def _search_skus(self, **content):
        return self.client.call("jingdong.sku.read.searchSkuList", "page", field=SKU_FIELDS, **content)

    # === PUSH === #

    def push_shipment(self, notice):
        """An order leaves as a whole there: the first parcel takes it out, further numbers are added to its own."""
        order, number = self.fetch_order(notice.order_external_id), notice.tracking_number
        order_id = to_text(order["orderId"])
        if not number:
            raise Rejected(f"Order {order_id}: JD takes no parcel without a waybill number.")
        company = get_company(notice.carrier)
        known = [part for group in to_text(order.get("waybill")).split("|") for part in group.split(",") if part]
        if number in known:
            return PushResult(number, is_repeat=True)
        if order.get("orderState") in ("TRADE_CANCELED", "LOCKED"):
            raise Rejected(f"Order {order_id} is cancelled or locked by the buyer in the shop: stop the parcel.")
        if order.get("orderState") in mapper.SENT:
            companies, numbers = _add_parcel(order, company, number)
            self.client.call(
                "360buy.order.sop.waybill.update",
                "",
                order_id=order_id,
                logistics_id=companies,
                waybill=numbers,
                trade_no=notice.idempotency_key[-32:],
            )
        else:
            self._send_out(order_id, company, number)
        return PushResult(number)

    def _send_out(self, order_id, company, number):
        self.client.call(SEND_OUT, "sopjosshipment_result", orderId=int(order_id), logiCoprId=company, logiNo=number)

    def push_cancel(self, notice):
        """Grant the buyer's request: a seller can't cancel a paid order of its own accord. JD pays back by itself."""
        order = self.fetch_order(notice.order_external_id)
        order_id, state = to_text(order["orderId"]), order.get("orderState")
        if state in mapper.SENT:
            raise Rejected(f"Order {order_id} has left: it can't be cancelled in the shop.")
        requests = rows(order, mapper.REFUNDS)
        is_repeat = state == "TRADE_CANCELED" or any(to_text(row.get("status")) == GRANTED for row in requests)
        if not is_repeat:
            asked = next((row for row in requests if to_text(row.get("status")) == ASKED), None)
            if not asked:
                raise Rejected(
                    f"Order {order_id} is paid: JD cancels it only when the buyer asks, and there is no request. Have "
                    "the buyer apply for the cancellation, then retry: it is granted."
                )
            self._reply(asked, GRANTED, notice.reason)
            order = self.fetch_order(order_id)
        found = mapper.map_order(order).payments
        refunded = {row.external_id: str(row.refunded_amount) for row in found if row.refunded_amount}
        return PushResult(order_id, is_repeat=is_repeat, data={"refunded": refunded})

    def _reply(self, request, status, reason):
        self.client.call(
            "jingdong.pop.afs.soa.refundapply.replyRefund",
            "replyResult",
            status=int(status),
            id=int(request["id"]),
            checkUserName=OPERATOR,
            remark=reason or "OK",
            rejectType=OTHER_REASON if status == REFUSED else None,
            outWareStatus=NOT_SENT,
        )

    def push_answer(self, notice):
        """Grant or refuse what the buyer asked for before the order left; JD pays back by itself. What is asked for
        later is its after-sales desk's."""
        request_id, found = notice.request_external_id, self._fetch_refunds(notice.order_external_id)
        row = next((row for row in found if to_text(row.get("id")) == request_id), None)
        if not row:
            raise Rejected(f"Request {request_id} is not to be answered here: see the order at JD's after-sales desk.")
        status, state = to_text(row.get("status")), mapper.REFUND_STATES.get(to_text(row.get("status")))
        if status == GRANTED or state == "refunded" if notice.is_granted else state == "refused":
            return PushResult(request_id, is_repeat=True)
        if status != ASKED:
            raise Rejected(f"Request {request_id} of order {notice.order_external_id} is answered already ({status}).")
        self._reply(row, GRANTED if notice.is_granted else REFUSED, notice.reason)
        return PushResult(request_id)

    def push_stock(self, levels):
        """One call for an SKU: the platform has none for several."""
        errors = []
        for level in levels:
            sku_id = level.inventory_external_id or level.external_id or self._find_sku(level.sku)
            if not sku_id:
                errors.append(f"The shop has no product for {level.sku}.")
                continue
            try:
                quantity = int(max(level.quantity, ZERO))
                self.client.call("jingdong.stock.write.updateSkuStock", "", skuId=int(sku_id), stockNum=quantity)
                errors.append("")
            except Rejected as error:
                errors.append(error.message)
        return StockResult(tuple(errors))

    def _find_sku(self, sku):
        if not sku:
            return ""
        found = rows(self._search_skus(outerId=sku, pageNo=1, pageSize=1), "data")
        return to_text(found[0].get("skuId")) if found else ""


def get_company(carrier):
    """The platform's number of a carrier of ours."""
    code = carrier.strip() if carrier.strip().isdigit() else COMPANIES.get(find_carrier(carrier))
    if not code:
        raise Rejected(
            f"JD has no number for the carrier {carrier!r}. Give the carrier the number that JD lists it under."
        )
    return code


def _add_parcel(order, company, number):
    """(logistics ids, waybills) with one more: companies are parted by "|", numbers of one company by ","."""
    groups = {}
    companies = to_text(order.get("logisticsId")).split("|")
    for known, numbers in zip(companies, to_text(order.get("waybill")).split("|"), strict=False):
        groups.setdefault(known, []).extend(part for part in numbers.split(",") if part)
    groups.setdefault(company, []).append(number)
    groups.pop("", None)
    return "|".join(groups), "|".join(",".join(numbers) for numbers in groups.values())
