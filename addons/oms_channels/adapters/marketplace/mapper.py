"""Pure: what the marketplace sends -> our types. Prices include tax; the platform does not say how much."""

from datetime import UTC, datetime, timedelta, timezone

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
from ..values import bad_payload, required, round_money, rows, to_decimal, to_text

CURRENCY = "CNY"
CHINA = timezone(timedelta(hours=8))
STATUSES = {
    "WAIT_BUYER_PAY": "open",
    "WAIT_SELLER_SEND": "open",
    "PART_SENT": "open",
    "WAIT_BUYER_CONFIRM": "open",
    "TRADE_FINISHED": "completed",
    "TRADE_CLOSED": "cancelled",
}
REFUND_STATES = {
    "WAIT_SELLER_AGREE": "requested",
    "WAIT_GOODS": "requested",
    "SUCCESS": "refunded",
    "CLOSED": "cancelled",
    "REFUSED": "refused",
}


def format_time(moment):
    """Time as the platform writes it: China's, to the second, without a zone."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def read_time(text, what):
    """Aware UTC datetime of the platform's text."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_payload(f"{what} is no time: {str(text)[:40]!r}.") from error


def get_version(raw):
    """The platform counts changes itself."""
    version = raw.get("row_version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 0:
        raise bad_payload(f"The order's row_version is no number: {str(version)[:40]!r}.")
    return f"{version:010d}"


def map_order(raw):
    """Raw order -> ChannelOrder."""
    order_id = to_text(required(raw, "order_id", "The order's order_id"))
    status = STATUSES.get(raw.get("status"))
    if not status:
        raise bad_payload(f"Order {order_id} has the unknown status {str(raw.get('status'))[:40]!r}.")
    refunded_early = _get_refunded_before_sending(raw)
    coupon = to_text(raw.get("coupon_code"))
    lines = tuple(_map_line(item, refunded_early, coupon) for item in rows(raw, "items"))
    if not lines:
        raise bad_payload(f"Order {order_id} has no lines.")
    total = to_decimal(raw.get("payment"), f"The payment of order {order_id}")
    buyer = raw.get("buyer") or {}
    post_fee = to_decimal(raw.get("post_fee") or "0", "post_fee")
    payments = tuple(_map_payment(row) for row in rows(raw, "payments"))
    return ChannelOrder(
        external_id=order_id,
        reference=order_id,
        version=get_version(raw),
        status=status,
        placed_at=read_time(raw.get("created"), "The order's created"),
        updated_at=read_time(raw.get("modified"), "The order's modified"),
        currency=CURRENCY,
        lines=lines,
        total=round_money(total, CURRENCY),
        buyer_id=to_text(buyer.get("buyer_id")),
        buyer_name=to_text((raw.get("receiver") or {}).get("name")) or to_text(buyer.get("nick")),
        buyer_ip=to_text(buyer.get("ip")),
        coupon_codes=(to_text(raw["coupon_code"]),) if raw.get("coupon_code") else (),
        risk_score=to_decimal(raw["risk"], f"The risk of order {order_id}") if raw.get("risk") is not None else None,
        shipping_address=_map_receiver(raw.get("receiver")),
        shippings=(_make_shipping(order_id, post_fee),) if post_fee else (),
        payments=payments,
        refund_requests=tuple(_map_refund(row) for row in rows(raw, "refunds")),
        discount_total=sum((line.discount_amount for line in lines), ZERO),
        is_paid=bool(payments) and sum(payment.captured_amount for payment in payments) >= total,
        note=to_text(raw.get("buyer_message")),
        raw=raw,
    )


def _get_refunded_before_sending(raw):
    """{oid: units paid back without goods}, by refunds that name units."""
    units = {}
    for refund in rows(raw, "refunds"):
        if refund.get("status") == "SUCCESS" and refund.get("type") == "ONLY_REFUND":
            for row in rows(refund, "items"):
                units[row.get("oid")] = units.get(row.get("oid"), ZERO) + to_decimal(row.get("num"), "num")
    return units


def _map_line(item, refunded_early, coupon):
    name = to_text(item.get("sku")) or to_text(item.get("title")) or to_text(item.get("oid"))
    quantity = to_decimal(item.get("num"), f"The quantity of {name}")
    price = to_decimal(item.get("price"), f"The price of {name}")
    discount = to_decimal(item.get("discount_fee") or "0", f"The discount of {name}")
    oid = to_text(required(item, "oid", f"The oid of {name}"))
    sent = to_decimal(item.get("sent_num") or 0, f"sent_num of {name}")
    return ChannelLine(
        external_id=oid,
        sku=to_text(item.get("sku")),
        title=to_text(item.get("title")),
        quantity=quantity,
        price_unit=price,
        total=price * quantity - discount,
        discount_amount=discount,
        discounts=(ChannelDiscount("coupon" if coupon else "seller", discount, coupon),),
        is_tax_included=True,
        barcode=to_text(item.get("barcode")),
        variant_external_id=to_text(item.get("sku")),
        # What was sent cannot have been cancelled, however much money went back.
        cancelled_quantity=min(refunded_early.get(oid, ZERO), quantity - sent),
        shipped_quantity=sent,
        returned_quantity=to_decimal(item.get("returned_num") or 0, f"returned_num of {name}"),
    )


def _map_receiver(receiver):
    if not receiver:
        return None
    return ChannelAddress(
        name=to_text(receiver.get("name")),
        street=to_text(receiver.get("address")),
        district=to_text(receiver.get("district")),
        city=to_text(receiver.get("city")),
        province=to_text(receiver.get("province")),
        zip=to_text(receiver.get("zip")),
        country_code="CN",
        phone=to_text(receiver.get("mobile") or receiver.get("phone")),
    )


def _make_shipping(order_id, post_fee):
    return ChannelShipping(f"{order_id}-post", "快递", post_fee, post_fee, is_tax_included=True)


def _map_payment(row):
    amount = to_decimal(row.get("amount"), "The payment's amount")
    refunded = to_decimal(row.get("refunded") or "0", "The payment's refunded")
    state = "captured" if not refunded else "refunded" if refunded >= amount else "partially_refunded"
    return ChannelPayment(
        external_id=to_text(required(row, "pay_no", "pay_no of a payment")),
        provider=to_text(row.get("channel")),
        amount=amount,
        currency=CURRENCY,
        state=state,
        captured_amount=amount,
        refunded_amount=refunded,
        date=read_time(row.get("time"), "The payment's time"),
    )


def _map_refund(row):
    return ChannelRefundRequest(
        external_id=to_text(required(row, "refund_id", "refund_id of a refund")),
        kind="return" if row.get("type") == "RETURN_GOODS" else "refund",
        state=REFUND_STATES.get(row.get("status"), "requested"),
        amount=to_decimal(row.get("amount"), "The refund's amount"),
        reason=to_text(row.get("reason")),
        lines=tuple((to_text(item.get("oid")), to_decimal(item.get("num"), "num")) for item in rows(row, "items")),
        requested_at=read_time(row["created"], "The refund's created") if row.get("created") else None,
    )


def map_listing(item):
    """Item of the shop -> Listing. An order line names the SKU, so that is the variant's id."""
    return Listing(
        external_id=to_text(required(item, "sku", "The sku of an item")),
        sku=to_text(item.get("sku")),
        title=to_text(item.get("title")),
        barcode=to_text(item.get("barcode")),
        price=to_decimal(item.get("price"), "The item's price"),
        currency=CURRENCY,
        product_external_id=to_text(item.get("item_id")),
        is_active=bool(item.get("on_sale")),
        quantity=None if item.get("quantity") is None else to_decimal(item["quantity"], "The item's quantity"),
    )
