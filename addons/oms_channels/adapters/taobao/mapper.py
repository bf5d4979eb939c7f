"""Pure: what Taobao and Tmall send -> our types. Prices include tax; the platform does not say how much.

A trade (``tid``) has sub-orders (``oid``), each with one product, a status and a refund of its own.
"""

import re
from datetime import timedelta

from ..china import CURRENCY, is_hidden, read_optional_time, read_time, share_amount
from ..types import (
    ZERO,
    ChannelAddress,
    ChannelDiscount,
    ChannelLine,
    ChannelOrder,
    ChannelPayment,
    ChannelRefundRequest,
    ChannelShipping,
    Listing,
    OrderRef,
)
from ..values import bad_payload, required, round_money, rows, to_decimal, to_text

# Where the adapter puts what the platform tells in other calls.
REFUNDS = "oms_refunds"
# The shelf of the warehouse list to which the platform moves what is sold out.
SOLD_OUT = "sold_out"
NOT_PAID = ("TRADE_NO_CREATE_PAY", "WAIT_BUYER_PAY", "PAY_PENDING", "WAIT_PRE_AUTH_CONFIRM")
# Paid, but the platform forbids to send: a group that is not complete yet.
FORBIDDEN = "PAID_FORBID_CONSIGN"
TO_SEND = ("WAIT_SELLER_SEND_GOODS", "SELLER_CONSIGNED_PART", FORBIDDEN)
SENT = ("WAIT_BUYER_CONFIRM_GOODS", "TRADE_BUYER_SIGNED", "TRADE_FINISHED")
CLOSED = ("TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO")
KNOWN = (*NOT_PAID, *TO_SEND, *SENT, *CLOSED)
REFUND_STATES = {
    "WAIT_SELLER_AGREE": "requested",
    "WAIT_BUYER_RETURN_GOODS": "requested",
    "WAIT_SELLER_CONFIRM_GOODS": "received",
    "SELLER_REFUSE_BUYER": "refused",
    "CLOSED": "cancelled",
    "SUCCESS": "refunded",
}
# What follows is the fee's number, not a code that a buyer knows.
_COUPON = re.compile(r"bonus|coupon", re.IGNORECASE)
# The platform's own promotions and red packets: it says so in their names.
_PLATFORM = re.compile(r"平台|天猫|淘宝|跨店")
_DATE = re.compile(r"(\d{4})[-/年](\d{1,2})[-/月](\d{1,2})日?(?:\s+(\d{2}:\d{2}:\d{2}))?")
_DAYS = re.compile(r"(\d+)\s*(天|小时)")


def unwrap(mapping, key, inner):
    """The list of objects that the platform wraps twice: {"orders": {"order": [...]}}."""
    value = mapping.get(key) if isinstance(mapping, dict) else None
    if value is None or value == "":
        return []
    return rows(value, inner) if isinstance(value, dict) else rows(mapping, key)


def get_orders(raw):
    return unwrap(raw, "orders", "order")


def map_ref(row):
    """The OrderRef of a row of the list."""
    tid = to_text(required(row, "tid", "A trade's tid"))
    return OrderRef(tid, tid, read_optional_time(row.get("created")))


def get_version(raw):
    """Time of the newest change, of the trade (by the platform or by its copy of it) or of one of its refunds."""
    times = [raw.get("modified"), raw.get("jdp_modified"), *(row.get("modified") for row in rows(raw, REFUNDS))]
    times = [read_time(text, "The trade's modified") for text in times if text]
    if not times:
        raise bad_payload("The trade's modified is missing.")
    return max(times).strftime("%Y%m%d%H%M%S")


def map_order(raw):
    """Raw trade -> ChannelOrder."""
    tid = to_text(required(raw, "tid", "The trade's tid"))
    status = raw.get("status")
    if status not in KNOWN:
        raise bad_payload(f"Trade {tid} has the unknown status {str(status)[:40]!r}.")
    refunds = {to_text(row.get("oid")): row for row in rows(raw, REFUNDS)}
    orders = get_orders(raw)
    promotions = _get_promotions(raw)
    lines = tuple(_map_line(order, refunds.get(to_text(order.get("oid"))), promotions) for order in orders)
    if not lines:
        raise bad_payload(f"Trade {tid} has no sub-orders.")
    post_fee = _money(raw, "post_fee")
    payment = _map_payment(tid, raw, refunds.values())
    address = _map_receiver(raw)
    is_presale = bool(raw.get("step_trade_status")) or status == FORBIDDEN
    promised = _get_promised(raw, orders)
    return ChannelOrder(
        external_id=tid,
        reference=tid,
        version=get_version(raw),
        status=_get_status(status, lines),
        placed_at=read_time(raw.get("created"), "The trade's created"),
        updated_at=read_time(raw.get("modified"), "The trade's modified"),
        currency=CURRENCY,
        lines=lines,
        total=round_money(to_decimal(raw.get("payment"), f"The payment of trade {tid}"), CURRENCY),
        buyer_id=to_text(raw.get("buyer_open_uid") or raw.get("buyer_nick")),
        buyer_name=(address.name if address else "") or to_text(raw.get("buyer_nick")),
        shipping_address=address,
        shippings=(_make_shipping(tid, post_fee),) if post_fee else (),
        payments=(payment,) if payment else (),
        refund_requests=tuple(_map_refund(row, orders) for row in refunds.values()),
        discount_total=sum((line.discount_amount for line in lines), ZERO),
        is_paid=bool(payment) and payment.captured_amount >= payment.amount,
        note=to_text(raw.get("buyer_message")),
        seller_note=to_text(raw.get("seller_memo")),
        coupon_codes=_get_coupons(raw),
        is_presale=is_presale,
        is_held=status == FORBIDDEN,
        ship_from=promised.date() if promised and is_presale else None,
        ship_by=None if is_presale else promised,
        is_masked=is_masked(raw),
        raw=raw,
    )


def _get_status(status, lines):
    """A trade is closed as well when all was sent, came back and was paid back: that one was sold."""
    if status == "TRADE_FINISHED":
        return "completed"
    if status in CLOSED:
        return "completed" if any(line.shipped_quantity for line in lines) else "cancelled"
    return "open"


def _money(mapping, key):
    return to_decimal(mapping.get(key) or "0", key)


def is_sent(order):
    """Whether a sub-order has left."""
    return order.get("status") in SENT or bool(order.get("consign_time") or order.get("invoice_no"))


def _get_promotions(raw):
    """{id of the trade or sub-order: [(source, name, amount)]} of the promotions."""
    found = {}
    for row in unwrap(raw, "promotion_details", "promotion_detail"):
        is_coupon = _COUPON.search(to_text(row.get("promotion_id")).partition("-")[0])
        name = to_text(row.get("promotion_name"))
        source = "platform" if _PLATFORM.search(name) else "coupon" if is_coupon else "seller"
        code = to_text(row.get("promotion_id")) if is_coupon else name
        found.setdefault(to_text(row.get("id")), []).append((source, code, _money(row, "discount_fee")))
    return found


def _map_discounts(order, promotions):
    """What of a sub-order's discount is its own promotion's, its share of the trade's, and the seller's by hand."""
    found = []
    trade = [row for key, rows_of in promotions.items() if key != to_text(order.get("oid")) for row in rows_of]
    for amount, rows_of in (
        (_money(order, "discount_fee"), promotions.get(to_text(order.get("oid")), [])),
        (_money(order, "part_mjz_discount"), trade),
    ):
        weights = [weight for _source, _code, weight in rows_of]
        if any(weights):
            shares = share_amount(amount, weights)
            found += [ChannelDiscount(row[0], share, row[1]) for row, share in zip(rows_of, shares, strict=True)]
        else:
            found.append(ChannelDiscount("seller", amount))
    return (*found, ChannelDiscount("manual", -_money(order, "adjust_fee")))


def _map_line(order, refund, promotions):
    oid = to_text(required(order, "oid", "A sub-order's oid"))
    quantity = to_decimal(order.get("num"), f"num of {oid}")
    price = to_decimal(order.get("price"), f"price of {oid}")
    if order.get("divide_order_fee") not in (None, ""):
        total = _money(order, "divide_order_fee")
    else:
        total = to_decimal(order.get("total_fee"), f"total_fee of {oid}") - _money(order, "part_mjz_discount")
    discount = price * quantity - total
    if discount < 0:  # the seller made it dearer by hand
        price, discount = total / quantity, ZERO
    sent = quantity if is_sent(order) else ZERO
    is_closed = order.get("status") in CLOSED
    is_back = bool(refund) and is_true(refund.get("has_good_return")) and refund.get("status") == "SUCCESS"
    variant = to_text(order.get("sku_id")) or to_text(order.get("num_iid"))
    title = " ".join(filter(None, (to_text(order.get("title")), to_text(order.get("sku_properties_name")))))
    return ChannelLine(
        external_id=oid,
        sku=to_text(order.get("outer_sku_id")) or to_text(order.get("outer_iid")),
        title=title,
        quantity=quantity,
        price_unit=price,
        total=total,
        discount_amount=discount,
        discounts=_map_discounts(order, promotions),
        is_tax_included=True,
        product_external_id=to_text(order.get("num_iid")),
        variant_external_id=variant,
        cancelled_quantity=quantity if is_closed and not sent else ZERO,
        shipped_quantity=sent,
        delivered_quantity=quantity if order.get("status") in ("TRADE_BUYER_SIGNED", "TRADE_FINISHED") else ZERO,
        returned_quantity=_get_units(refund, quantity) if is_back and sent else ZERO,
        requires_shipping=to_text(order.get("shipping_type")) != "virtual",
    )


def is_true(value):
    """Whether the platform says yes; it writes it in two ways."""
    return value is True or value == "true"


def _get_units(refund, quantity):
    return min(to_decimal(refund.get("num") or quantity, "num of a refund"), quantity)


def _map_payment(tid, raw, refunds):
    """What the buyer pays. Of a pre-sale with its deposit paid only that is captured."""
    amount = _money(raw, "payment")
    step, is_paid = to_text(raw.get("step_trade_status")), bool(raw.get("pay_time"))
    captured = amount if is_paid and raw.get("status") not in NOT_PAID else ZERO
    if step == "FRONT_NOPAID_FINAL_NOPAID":
        captured = ZERO
    elif step == "FRONT_PAID_FINAL_NOPAID":
        captured = min(_money(raw, "step_paid_fee"), amount)
    refunded = sum((_money(row, "refund_fee") for row in refunds if row.get("status") == "SUCCESS"), ZERO)
    refunded = min(refunded, captured)
    if not amount and not captured:
        return None
    if raw.get("status") == "TRADE_CLOSED_BY_TAOBAO":
        state = "cancelled"
    elif captured < amount:
        state = "pending"
    elif refunded:
        state = "refunded" if refunded >= captured else "partially_refunded"
    else:
        state = "captured"
    provider = "cod" if raw.get("type") == "cod" else "alipay"
    return ChannelPayment(
        external_id=to_text(raw.get("alipay_no")) or tid,
        provider=provider,
        amount=round_money(amount, CURRENCY),
        currency=CURRENCY,
        state=state,
        captured_amount=round_money(captured, CURRENCY),
        refunded_amount=round_money(refunded, CURRENCY),
        # What the platform keeps of a trade; it is told once the trade is finished.
        fee_amount=round_money(to_decimal(raw.get("commission_fee") or 0, "commission_fee of the trade"), CURRENCY),
        date=read_optional_time(raw.get("pay_time")),
    )


def is_masked(raw):
    """With an ``oaid`` the platform's own waybill service prints what it hides from us."""
    names = ("receiver_name", "receiver_mobile", "receiver_phone", "receiver_address")
    return bool(raw.get("oaid")) or is_hidden(*(to_text(raw.get(name)) for name in names))


def _map_receiver(raw):
    if not any(raw.get(f"receiver_{name}") for name in ("name", "address", "state", "city", "mobile")):
        return None
    city, district = to_text(raw.get("receiver_city")), to_text(raw.get("receiver_district"))
    if not city:  # a district right below its province is written in place of the city
        city, district = district, ""
    return ChannelAddress(
        name=to_text(raw.get("receiver_name")),
        street=to_text(raw.get("receiver_address")),
        street2=to_text(raw.get("receiver_town")),
        district=district,
        city=city,
        province=to_text(raw.get("receiver_state")),
        zip=to_text(raw.get("receiver_zip")).replace("000000", ""),
        country_code="CN",
        phone=to_text(raw.get("receiver_mobile") or raw.get("receiver_phone")),
    )


def _make_shipping(tid, post_fee):
    return ChannelShipping(f"{tid}-post", "快递", post_fee, post_fee, is_tax_included=True)


def _get_coupons(raw):
    """The coupons among the promotions: "shopbonus-123_456"; price cuts have numbers of that look, but are no codes."""
    ids = [to_text(row.get("promotion_id")) for row in unwrap(raw, "promotion_details", "promotion_detail")]
    return tuple(dict.fromkeys(one for one in ids if _COUPON.search(one.partition("-")[0])))


def _get_promised(raw, orders):
    """When the goods are to be sent at the latest, or of a pre-sale the day they can be: what the seller promised
    ("2026-11-30", "within 3 days of payment"), or when the platform's patience ends, whichever comes first."""
    times = []
    if raw.get("status") in TO_SEND:
        times = [read_optional_time(row.get("timeout_action_time")) for row in (raw, *orders)]
    text = to_text(raw.get("est_con_time"))
    if found := _DATE.search(text):
        year, month, day, time = found.groups()
        times.append(read_optional_time(f"{year}-{int(month):02}-{int(day):02} {time or '23:59:59'}"))
    elif (found := _DAYS.search(text)) and (paid_at := read_optional_time(raw.get("pay_time"))):
        unit = "days" if found[2] == "天" else "hours"
        times.append(paid_at + timedelta(**{unit: int(found[1])}))
    return min((time for time in times if time), default=None)


def _map_refund(row, orders):
    oid = to_text(row.get("oid"))
    bought = next((order.get("num") for order in orders if to_text(order.get("oid")) == oid), None)
    units = to_decimal(row.get("num") or bought or 0, "num of a refund")
    return ChannelRefundRequest(
        external_id=to_text(required(row, "refund_id", "refund_id of a refund")),
        kind="return" if is_true(row.get("has_good_return")) else "refund",
        state=REFUND_STATES.get(row.get("status"), "requested"),
        amount=_money(row, "refund_fee"),
        reason=" - ".join(filter(None, (to_text(row.get("reason")), to_text(row.get("desc"))))),
        lines=((oid, units),) if bought and units else (),
        requested_at=read_optional_time(row.get("created")),
    )


def map_listings(item, skus, shelf=""):
    """Item with its SKUs -> Listings. Without SKUs the item itself is what is sold.

    :param shelf: where the item was listed: what is sold out is told as what is on sale is, to be sold again
    """
    iid = to_text(required(item, "num_iid", "num_iid of an item"))
    is_active = shelf == SOLD_OUT or item.get("approve_status", "onsale") == "onsale"
    if not skus:
        return [_make_listing(item, iid, iid, to_text(item.get("title")), is_active)]
    title = to_text(item.get("title"))
    return [
        _make_listing(
            {**sku, "outer_id": sku.get("outer_id") or item.get("outer_id")},
            to_text(required(sku, "sku_id", "sku_id of an SKU")),
            iid,
            " ".join(filter(None, (title, _name_properties(sku)))),
            is_active,
        )
        for sku in skus
    ]


def _name_properties(sku):
    """ "1627207:28326:colour:red;..." -> "red ..." """
    parts = [part.split(":") for part in to_text(sku.get("properties_name")).split(";") if part]
    return " ".join(part[-1] for part in parts)


def _make_listing(row, external_id, iid, title, is_active):
    return Listing(
        external_id=external_id,
        sku=to_text(row.get("outer_id")),
        title=title,
        barcode=to_text(row.get("barcode")),
        price=to_decimal(row["price"], "price of an item") if row.get("price") else None,
        currency=CURRENCY,
        product_external_id=iid,
        inventory_external_id=iid,
        is_active=is_active and row.get("status", "normal") == "normal",
        quantity=_get_quantity(row),
    )


def _get_quantity(row):
    """Of an SKU, or of an item without any."""
    quantity = row.get("quantity") if "sku_id" in row else row.get("num")
    return None if quantity is None else to_decimal(quantity, "quantity of an item")
