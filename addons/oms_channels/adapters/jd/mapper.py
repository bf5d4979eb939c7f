"""Pure: what JD sends -> our types. Prices include tax; the platform does not say how much.

Sums of an order, in the platform's words: ``orderTotalPrice`` is goods before any discount, ``sellerDiscount`` what the
seller gives, ``orderSellerPrice`` what is left; ``freightPrice`` comes on top. What the buyer pays himself is
``orderPayment`` and ``balanceUsed``; the rest (coupons and beans of JD) the platform pays to the seller.
"""

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
REFUNDS, SERVICES = "oms_refunds", "oms_services"
STATUSES = {
    "NOT_PAY": "open",
    "WAIT_SELLER_STOCK_OUT": "open",
    "WAIT_SELLER_DELIVERY": "open",
    "POP_ORDER_PAUSE": "open",
    "PAUSE": "open",
    "LOCKED": "open",
    "WAIT_GOODS_RECEIVE_CONFIRM": "open",
    "FINISHED_L": "completed",
    "TRADE_CANCELED": "cancelled",
}
SENT = ("WAIT_GOODS_RECEIVE_CONFIRM", "FINISHED_L")
COD = "1"
# What JD itself gives: red packets, beans, its own coupons, gift cards. All others are the seller's.
PLATFORM_COUPONS = ("34", "39", "41", "52")
# 0 asked, 1 granted, 2 refused, 3 paid, 4 refused by JD, 5 paid, 6 stopped and paid, 9 closed and paid, 11 withdrawn
REFUND_STATES = {"2": "refused", "3": "refunded", "4": "refused", "5": "refunded", "6": "refunded", "9": "refunded"}
REFUND_STATES["11"] = "cancelled"
RETURN = "10"  # what the buyer expects: goods back for money; 20 is an exchange, 30 a repair
# Status of a service: goods are here, done, withdrawn, refused.
SERVICE_STATES = {"10007": "received", "10009": "received", "10010": "refunded", "10011": "cancelled"}
SERVICE_STATES |= {"10012": "refused", "10004": "refused"}


def map_ref(row):
    """The OrderRef of a row of the list."""
    order_id = to_text(required(row, "orderId", "An order's orderId"))
    return OrderRef(order_id, order_id, read_optional_time(row.get("orderStartTime")))


def get_version(raw):
    """The platform counts in milliseconds of the last change, where it does; its time of change else."""
    version = to_text(raw.get("dataVersion"))
    if not version.isdigit():
        version = f"{int(read_time(raw.get('modified'), 'modified of the order').timestamp() * 1000)}"
    return f"{int(version):015d}"


def map_order(raw):
    """Raw order -> ChannelOrder."""
    order_id = to_text(required(raw, "orderId", "The order's orderId"))
    status = STATUSES.get(raw.get("orderState"))
    if not status:
        raise bad_payload(f"Order {order_id} has the unknown state {str(raw.get('orderState'))[:40]!r}.")
    lines = _map_lines(order_id, raw)
    freight = _money(raw, "freightPrice")
    total = to_decimal(raw.get("orderSellerPrice"), f"orderSellerPrice of order {order_id}") + freight
    placed_at = read_time(raw.get("orderStartTime"), "The order's orderStartTime")
    payments = _map_payments(order_id, raw, total)
    address = _map_consignee(raw.get("consigneeInfo"))
    changed = read_optional_time(raw.get("modified")) or placed_at
    is_paused = raw.get("orderState") in ("POP_ORDER_PAUSE", "PAUSE")
    return ChannelOrder(
        external_id=order_id,
        reference=order_id,
        version=get_version(raw),
        status=status,
        placed_at=placed_at,
        updated_at=changed,
        currency=CURRENCY,
        lines=lines,
        total=round_money(total, CURRENCY),
        buyer_id=to_text(raw.get("open_id_buyer") or raw.get("pin")),
        buyer_name=(address.name if address else "") or to_text(raw.get("pin")),
        shipping_address=address,
        shippings=(_make_shipping(order_id, freight),) if freight else (),
        payments=payments,
        refund_requests=(
            *(_map_refund(row) for row in rows(raw, REFUNDS)),
            *(_map_service(row, lines) for row in rows(raw, SERVICES) if to_text(row.get("customerExpect")) == RETURN),
        ),
        discount_total=sum((line.discount_amount for line in lines), ZERO),
        is_paid=bool(payments) and all(row.captured_amount >= row.amount for row in payments),
        note=to_text(raw.get("orderRemark")),
        seller_note=to_text(raw.get("venderRemark")),
        is_presale=is_paused,
        is_held=is_paused,
        ship_by=_get_ship_by(raw),
        is_masked=is_masked(raw),
        raw=raw,
    )


def _money(mapping, key):
    return to_decimal(mapping.get(key) or "0", key)


def get_line_ids(raw):
    """The id of each item's line: the SKU, counted where it is there twice (one bought, one given away)."""
    seen, ids = {}, []
    for item in rows(raw, "itemInfoList"):
        sku_id = to_text(required(item, "skuId", "skuId of an item"))
        seen[sku_id] = seen.get(sku_id, 0) + 1
        ids.append(sku_id if seen[sku_id] == 1 else f"{sku_id}-{seen[sku_id]}")
    return ids


def _map_lines(order_id, raw):
    items = rows(raw, "itemInfoList")
    if not items:
        raise bad_payload(f"Order {order_id} has no items.")
    values = [_money(item, "jdPrice") * to_decimal(item.get("itemTotal"), "itemTotal of an item") for item in items]
    is_sent, is_cancelled = raw.get("orderState") in SENT, raw.get("orderState") == "TRADE_CANCELED"
    back = _get_returned(raw)
    lines = []
    for item, line_id, value, discounts in zip(
        items, get_line_ids(raw), values, _share_discount(raw, items, values), strict=True
    ):
        discount = sum((row.amount for row in discounts), ZERO)
        quantity = to_decimal(item.get("itemTotal"), f"itemTotal of {line_id}")
        lines.append(
            ChannelLine(
                external_id=line_id,
                sku=to_text(item.get("outerSkuId")) or to_text(item.get("productNo")),
                title=to_text(item.get("skuName")),
                quantity=quantity,
                price_unit=_money(item, "jdPrice"),
                total=value - discount,
                discount_amount=discount,
                discounts=tuple(discounts),
                is_tax_included=True,
                product_external_id=to_text(item.get("wareId")),
                variant_external_id=to_text(item.get("skuId")),
                cancelled_quantity=quantity if is_cancelled else ZERO,
                shipped_quantity=quantity if is_sent else ZERO,
                delivered_quantity=quantity if raw.get("orderState") == "FINISHED_L" else ZERO,
                returned_quantity=min(back.get(to_text(item.get("skuId")), ZERO), quantity) if is_sent else ZERO,
            )
        )
    return tuple(lines)


def _share_discount(raw, items, values):
    """[ChannelDiscount, ...] of the seller for each item: what a promotion names the item for, the rest in proportion
    to the amounts."""
    left = _money(raw, "sellerDiscount")
    discounts, open_values = [[] for _item in items], list(values)
    for row in rows(raw, "couponDetailList"):
        kind = to_text(row.get("couponType")).partition("-")[0]
        index = next(
            (i for i, item in enumerate(items) if to_text(item.get("skuId")) == to_text(row.get("skuId"))), None
        )
        if kind in PLATFORM_COUPONS or index is None:
            continue
        amount = min(_money(row, "couponPrice"), left, open_values[index])
        discounts[index].append(ChannelDiscount("seller", amount, to_text(row.get("couponType")).partition("-")[2]))
        open_values[index] -= amount
        left -= amount
    shares = share_amount(left, open_values)
    return [[*own, ChannelDiscount("seller", share)] for own, share in zip(discounts, shares, strict=True)]


def _get_returned(raw):
    """{skuId: units that came back for good}"""
    back = {}
    for row in rows(raw, SERVICES):
        state = SERVICE_STATES.get(to_text(row.get("serviceStatus")))
        if to_text(row.get("customerExpect")) == RETURN and state in ("received", "refunded"):
            sku_id = to_text(row.get("skuId"))
            back[sku_id] = back.get(sku_id, ZERO) + _get_units(row)
    return back


def _get_units(row):
    return to_decimal(row.get("wareNum") or row.get("serviceCount") or 1, "units of a service")


def _map_payments(order_id, raw, total):
    """What the buyer pays, by way, and what the platform pays for him."""
    is_cod = to_text(raw.get("payType")).partition("-")[0] == COD
    is_paid = raw.get("orderState") != "NOT_PAY" and not is_cod
    own, balance = _money(raw, "orderPayment"), _money(raw, "balanceUsed")
    parts = [("cod" if is_cod else "jdpay", own), ("balance", balance), ("platform", total - own - balance)]
    date = read_optional_time(raw.get("paymentConfirmTime"))
    left = sum(
        (
            _money(row, "applyRefundSum") / 100
            for row in rows(raw, REFUNDS)
            if REFUND_STATES.get(to_text(row.get("status"))) == "refunded"
        ),
        ZERO,
    )
    payments = []
    for provider, amount in parts:
        if amount <= 0:
            continue
        captured = amount if is_paid or provider != "cod" and raw.get("orderState") != "NOT_PAY" else ZERO
        if is_cod and raw.get("orderState") == "FINISHED_L":
            captured = amount
        refunded = min(left, captured)
        left -= refunded
        state = "captured" if captured else "pending"
        if refunded:
            state = "refunded" if refunded >= captured else "partially_refunded"
        payments.append(
            ChannelPayment(
                external_id=f"{order_id}-{provider}",
                provider=provider,
                amount=round_money(amount, CURRENCY),
                currency=CURRENCY,
                state=state,
                captured_amount=round_money(captured, CURRENCY),
                refunded_amount=round_money(refunded, CURRENCY),
                date=date,
            )
        )
    return tuple(payments)


def _is_encrypted(text):
    """Ciphers of the platform are long and of one piece; nobody's name or street is."""
    return len(text) >= 40 and text.isascii() and " " not in text


def _show(value):
    """A text as it came, stars in place of a cipher: it stays in the payload for the platform's own waybill service."""
    text = to_text(value)
    return "***" if _is_encrypted(text) else text


def is_masked(raw):
    info = raw.get("consigneeInfo") or {}
    texts = [to_text(info.get(name)) for name in ("fullname", "mobile", "telephone", "fullAddress")]
    return bool(info.get("oaid")) or is_hidden(*texts) or any(map(_is_encrypted, texts))


def _map_consignee(info):
    if not isinstance(info, dict) or not info:
        return None
    parts = [to_text(info.get(name)) for name in ("province", "city", "county", "town")]
    street = _show(info.get("fullAddress"))
    for part in parts:  # the full address begins with them
        street = street.removeprefix(part)
    return ChannelAddress(
        name=_show(info.get("fullname")),
        street=street,
        street2=parts[3],
        district=parts[2],
        city=parts[1],
        province=parts[0],
        country_code="CN",
        phone=_show(info.get("mobile") or info.get("telephone")),
    )


def _make_shipping(order_id, freight):
    return ChannelShipping(f"{order_id}-freight", "运费", freight, freight, is_tax_included=True)


def _get_ship_by(raw):
    """The hour that the platform asks for, where it does."""
    text = to_text(raw.get("scDT"))
    if len(text) == 10:
        found = read_optional_time(f"{text} 00:00:00")
        return found and found + timedelta(days=1, seconds=-1)
    return read_optional_time(text)


def _map_refund(row):
    """The buyer asks to have an order cancelled that has not left. The amount is in cents."""
    return ChannelRefundRequest(
        external_id=to_text(required(row, "id", "id of a refund")),
        kind="refund",
        state=REFUND_STATES.get(to_text(row.get("status")), "requested"),
        amount=_money(row, "applyRefundSum") / 100,
        reason=to_text(row.get("reason")),
        requested_at=read_optional_time(row.get("applyTime")),
    )


def _map_service(row, lines):
    """A service sheet of the after-sales desk: goods come back."""
    sku_id, units = to_text(row.get("skuId")), _get_units(row)
    line = next((line for line in lines if line.variant_external_id == sku_id), None)
    amount = ZERO
    if line:
        units = min(units, line.quantity)
        amount = round_money(line.total * units / line.quantity, CURRENCY)
    return ChannelRefundRequest(
        external_id=to_text(required(row, "serviceId", "serviceId of a service")),
        kind="return",
        state=SERVICE_STATES.get(to_text(row.get("serviceStatus")), "requested"),
        amount=amount,
        reason=to_text(row.get("questionDesc")),
        lines=((line.external_id, units),) if line else (),
        requested_at=read_optional_time(row.get("applyTime")),
    )


def map_listing(sku):
    return Listing(
        external_id=to_text(required(sku, "skuId", "skuId of an SKU")),
        sku=to_text(sku.get("outerId")),
        title=to_text(sku.get("skuName") or sku.get("wareTitle")),
        barcode=to_text(sku.get("barCode")),
        price=to_decimal(sku["jdPrice"], "jdPrice of an SKU") if sku.get("jdPrice") else None,
        currency=CURRENCY,
        product_external_id=to_text(sku.get("wareId")),
        inventory_external_id=to_text(sku.get("skuId")),
        is_active=to_text(sku.get("status")) in ("1", ""),
        quantity=None if sku.get("stockNum") is None else to_decimal(sku["stockNum"], "stockNum of an SKU"),
    )
