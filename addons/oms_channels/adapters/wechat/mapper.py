"""Pure: what a WeChat shop sends -> our types. Amounts are in cents, times in seconds; prices include tax, the platform
does not say how much.

Sums of an order (``price_info``): ``order_price`` is what the buyer pays, ``merchant_receieve_price`` (spelt so) what
the seller gets; what lies between (coupons of WeChat, of a presenter, subsidies) others pay for the buyer. A line's
``real_price`` is the buyer's part of it, for all its units. So says developers.weixin.qq.com of order/get:
``merchant_receieve_price`` is ``original_order_price`` less ``discounted_price``, ``deduction_price`` and
``change_down_price``. WeChat's fee (``settle_info``) is told as foreseen first, and as taken once it is settled.
"""

from datetime import UTC, datetime

from ..china import CURRENCY, is_hidden, share_amount
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
)
from ..values import bad_payload, required, rows, to_decimal, to_text

# Where the adapter puts the after-sales orders, which the order only names.
REFUNDS = "oms_refunds"
# A gift that nobody has accepted yet, a group purchase that is not complete: paid, but not to be sent.
WAITING = (12, 13)
# 10 to be paid, 20 to be sent, 21 sent in part, 30 sent, 100 done, 200 and 250 cancelled.
OPEN, SENT, DONE, CANCELLED = (10, *WAITING, 20, 21, 30), (30, 100), 100, (200, 250)
OWN_COUPON = 1  # of the seller, in the list of a product's coupons
REFUND, RETURN = "REFUND", "RETURN"  # and EXCHANGE, which is no money
REFUNDED = ("MERCHANT_REFUND_SUCCESS", "MERCHANT_RETURN_SUCCESS")
REFUND_STATES = dict.fromkeys(REFUNDED, "refunded") | {
    "USER_CANCELD": "cancelled",
    "RETURN_CLOSED": "cancelled",
    "MERCHANT_FAIL": "cancelled",
    "MERCHANT_REFUND_RETRY_FAIL": "cancelled",
    "MERCHANT_REJECT_REFUND": "refused",
    "MERCHANT_REJECT_RETURN": "refused",
}


def get_part(raw, *names):
    """The object under the names, {} for none."""
    for name in names:
        raw = raw.get(name)
        if not isinstance(raw, dict):
            return {}
    return raw


def get_version(raw):
    """Second of the last change, of the order or of one of its after-sales orders."""
    moments = [raw, *rows(raw, REFUNDS)]
    return f"{max(int(to_decimal(row.get('update_time'), 'update_time of the order')) for row in moments):012d}"


def _read_time(seconds, what):
    number = to_decimal(seconds, what)
    try:
        return datetime.fromtimestamp(int(number), UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise bad_payload(f"{what} is no time: {str(seconds)[:40]!r}.") from error


def _money(mapping, key):
    return to_decimal(mapping.get(key) or 0, key) / 100


def map_order(raw):
    """Raw order, with its after-sales orders -> ChannelOrder."""
    order_id = to_text(required(raw, "order_id", "The order's order_id"))
    state = raw.get("status")
    if state not in (*OPEN, DONE, *CANCELLED):
        raise bad_payload(f"Order {order_id} has the unknown status {str(state)[:40]!r}.")
    price, ext = get_part(raw, "order_detail", "price_info"), get_part(raw, "order_detail", "ext_info")
    freight = _money(price, "change_freight" if price.get("is_change_freight") else "freight")
    paid = to_decimal(price.get("order_price"), f"order_price of order {order_id}") / 100
    total = max(paid, _money(price, "merchant_receieve_price"))
    lines = _map_lines(order_id, raw, total - freight)
    payments = _map_payments(order_id, raw, paid, total)
    address = _map_address(get_part(raw, "order_detail", "delivery_info", "address_info"))
    return ChannelOrder(
        external_id=order_id,
        reference=order_id,
        version=get_version(raw),
        status=_get_status(raw),
        placed_at=_read_time(raw.get("create_time"), "The order's create_time"),
        updated_at=_read_time(raw.get("update_time"), "The order's update_time"),
        currency=CURRENCY,
        lines=lines,
        total=total,
        buyer_id=to_text(raw.get("openid")),
        buyer_name=address.name if address else "",
        shipping_address=address,
        shippings=(ChannelShipping(f"{order_id}-freight", "运费", freight, freight, is_tax_included=True),)
        if freight
        else (),
        payments=payments,
        refund_requests=tuple(
            _map_refund(row, lines) for row in rows(raw, REFUNDS) if row.get("type") in (REFUND, RETURN)
        ),
        discount_total=sum((line.discount_amount for line in lines), ZERO),
        is_paid=_is_paid(raw),
        note=to_text(ext.get("customer_notes")),
        seller_note=to_text(ext.get("merchant_notes")),
        is_presale=state in WAITING,
        is_held=state in WAITING,
        is_masked=bool(address) and is_hidden(address.name, address.phone, address.street),
        raw=raw,
    )


def _get_status(raw):
    """An order whose goods have all come back is cancelled there as well; here it was done."""
    state = raw["status"]
    if state in CANCELLED:
        return "completed" if get_parcels(raw) else "cancelled"
    return "completed" if state == DONE else "open"


# === LINES === #


def get_line_ids(raw):
    """{id of a line: product}: the SKU, counted where it is there twice (one bought, one given away)."""
    seen, found = {}, {}
    for product in rows(get_part(raw, "order_detail"), "product_infos"):
        sku_id = to_text(required(product, "sku_id", "sku_id of a product"))
        seen[sku_id] = seen.get(sku_id, 0) + 1
        found[sku_id if seen[sku_id] == 1 else f"{sku_id}-{seen[sku_id]}"] = product
    return found


def get_parcels(raw):
    return rows(get_part(raw, "order_detail", "delivery_info"), "delivery_product_info")


def _map_lines(order_id, raw, goods):
    """:param goods: what the seller gets for all lines"""
    products = get_line_ids(raw)
    if not products:
        raise bad_payload(f"Order {order_id} has no products.")
    units = [to_decimal(row.get("sku_cnt"), "sku_cnt of a product") for row in products.values()]
    values = [_money(row, "sale_price") * count for row, count in zip(products.values(), units, strict=True)]
    sent, cancelled, returned = _count_sent(raw), _count_granted(raw, REFUND), _count_granted(raw, RETURN)
    is_cancelled = _get_status(raw) == "cancelled"
    lines = []
    for (line_id, row), quantity, value, total in zip(
        products.items(), units, values, _share_goods(products.values(), values, goods), strict=True
    ):
        sku_id = to_text(row.get("sku_id"))
        shipped = _take(sent, sku_id, quantity)
        if raw["status"] in SENT and not get_parcels(raw):  # nothing to carry
            shipped = quantity
        gone = _take(cancelled, sku_id, quantity - shipped)
        lines.append(
            ChannelLine(
                external_id=line_id,
                sku=to_text(row.get("sku_code")) or to_text(row.get("out_sku_id")),
                title=" ".join(filter(None, (to_text(row.get("title")), _name_attributes(row)))),
                quantity=quantity,
                price_unit=_money(row, "sale_price"),
                total=total,
                discount_amount=value - total,
                discounts=_map_discounts(row, value - total),
                is_tax_included=True,
                product_external_id=to_text(row.get("product_id")),
                variant_external_id=sku_id,
                cancelled_quantity=quantity if is_cancelled else gone,
                shipped_quantity=shipped,
                delivered_quantity=shipped if raw["status"] == DONE else ZERO,
                returned_quantity=_take(returned, sku_id, shipped),
            )
        )
    return tuple(lines)


def _map_discounts(row, discount):
    """The seller's discount of a line, and what of it a coupon of the seller's gave. What WeChat gives is paid to the
    seller, and no discount here."""
    coupons = [one for one in rows(row, "order_product_coupon_info_list") if one.get("coupon_type") == OWN_COUPON]
    found = [
        ChannelDiscount("coupon", _money(one, "discounted_price"), to_text(one.get("coupon_id"))) for one in coupons
    ]
    return (*found, ChannelDiscount("seller", discount - sum((one.amount for one in found), ZERO)))


def _share_goods(products, values, goods):
    """What the seller gets for each line: the buyer's part, and a share of what others pay where it is discounted."""
    real = [_money(row, "real_price") for row in products]
    given = [max(value - part, ZERO) for value, part in zip(values, real, strict=True)]
    shares = share_amount(goods - sum(real, ZERO), given if any(given) else values)
    return [part + share for part, share in zip(real, shares, strict=True)]


def _take(counts, sku_id, limit):
    """Take up to ``limit`` of what is counted for an SKU, so that the next line of it gets the rest."""
    taken = min(counts.get(sku_id, ZERO), limit)
    counts[sku_id] = counts.get(sku_id, ZERO) - taken
    return taken


def _count_sent(raw):
    """{SKU: units in parcels}"""
    counts = {}
    for parcel in get_parcels(raw):
        for row in rows(parcel, "product_infos"):
            sku_id = to_text(row.get("sku_id"))
            counts[sku_id] = counts.get(sku_id, ZERO) + to_decimal(row.get("product_cnt"), "product_cnt of a parcel")
    return counts


def _count_granted(raw, kind):
    """{SKU: units whose money went back}: units that were not sent (refund), that came back (return)."""
    counts = {}
    for row in rows(raw, REFUNDS):
        if row.get("type") == kind and row.get("status") in REFUNDED:
            product = get_part(row, "product_info")
            sku_id = to_text(product.get("sku_id"))
            counts[sku_id] = counts.get(sku_id, ZERO) + to_decimal(product.get("count") or 0, "count of a refund")
    return counts


def _name_attributes(row):
    return " ".join(filter(None, (to_text(one.get("attr_value")) for one in rows(row, "sku_attrs"))))


# === MONEY === #


def get_refund_amount(row):
    return _money(get_part(row, "refund_info"), "amount")


def _is_paid(raw):
    """An order of nothing (a prize, paid by points) is paid as well."""
    return bool(get_part(raw, "order_detail", "pay_info").get("pay_time"))


def _map_payments(order_id, raw, paid, total):
    """What the buyer pays, and what others pay for him; they don't for an order that is cancelled."""
    info = get_part(raw, "order_detail", "pay_info")
    fee = _money(get_part(raw, "order_detail", "settle_info"), "commission_fee")
    is_paid, is_cancelled = _is_paid(raw), _get_status(raw) == "cancelled"
    back = sum((get_refund_amount(row) for row in rows(raw, REFUNDS) if row.get("status") in REFUNDED), ZERO)
    own = to_text(info.get("transaction_id")) or f"{order_id}-wechatpay"
    parts = [
        (own, "wechatpay", paid, min(back, paid)),
        (f"{order_id}-platform", "platform", total - paid, total - paid if is_cancelled else ZERO),
    ]
    payments = []
    for external_id, provider, amount, refunded in parts:
        if amount <= 0:
            continue
        captured, refunded = (amount, refunded) if is_paid else (ZERO, ZERO)
        state = "captured" if captured else "cancelled" if is_cancelled else "pending"
        if refunded:
            state = "refunded" if refunded >= captured else "partially_refunded"
        payments.append(
            ChannelPayment(
                external_id=external_id,
                provider=provider,
                amount=amount,
                currency=CURRENCY,
                state=state,
                captured_amount=captured,
                refunded_amount=refunded,
                fee_amount=fee if captured and provider == "wechatpay" else ZERO,
                date=_read_time(info["pay_time"], "pay_time") if is_paid else None,
            )
        )
    return tuple(payments)


def _map_refund(row, lines):
    product = get_part(row, "product_info")
    sku_id, units = to_text(product.get("sku_id")), to_decimal(product.get("count") or 0, "count of a refund")
    line = next((line for line in lines if line.variant_external_id == sku_id), None)
    return ChannelRefundRequest(
        external_id=to_text(required(row, "after_sale_order_id", "after_sale_order_id of a refund")),
        kind="return" if row["type"] == RETURN else "refund",
        state=REFUND_STATES.get(row.get("status"), "requested"),
        amount=get_refund_amount(row),
        reason=to_text(row.get("reason_text")) or to_text(row.get("reason")),
        lines=((line.external_id, min(units, line.quantity)),) if line and units else (),
        requested_at=_read_time(row["create_time"], "create_time of a refund") if row.get("create_time") else None,
    )


# === OTHERS === #


def _map_address(info):
    if not info:
        return None
    return ChannelAddress(
        name=to_text(info.get("user_name")),
        street=to_text(info.get("detail_info")),
        street2=to_text(info.get("house_number")),
        district=to_text(info.get("county_name")),
        city=to_text(info.get("city_name")),
        province=to_text(info.get("province_name")),
        zip=to_text(info.get("postal_code")),
        country_code="CN",
        phone=to_text(info.get("tel_number")),
    )


def map_listings(product):
    """A product -> a Listing for each of its SKUs. How many there are, only its stock call tells for certain."""
    product_id = to_text(required(product, "product_id", "product_id of a product"))
    return [
        Listing(
            external_id=to_text(required(sku, "sku_id", "sku_id of a product")),
            sku=to_text(sku.get("sku_code")) or to_text(sku.get("out_sku_id")),
            title=" ".join(filter(None, (to_text(product.get("title")), _name_attributes(sku)))),
            price=_money(sku, "sale_price") if sku.get("sale_price") else None,
            currency=CURRENCY,
            product_external_id=product_id,
            inventory_external_id=product_id,
            is_active=product.get("status") == 5,
        )
        for sku in rows(product, "skus")
    ]
