"""Pure: an order as our own API and files say it -> ChannelOrder."""

from datetime import date
from decimal import Decimal

from ..types import (
    DISCOUNT_SOURCES,
    REFUND_KINDS,
    REFUND_STATES,
    ZERO,
    ChannelAddress,
    ChannelDiscount,
    ChannelLine,
    ChannelOrder,
    ChannelPayment,
    ChannelRefundRequest,
    ChannelShipping,
)
from ..values import bad_payload, required, round_money, rows, to_datetime, to_decimal, to_text

# Beyond this a number is noise of binary fractions, not money.
PRECISION = Decimal("0.000001")


def get_version(raw):
    """The time of change, in a form that sorts; "" where the sender tells none."""
    if not raw.get("updated_at"):
        return ""
    return to_datetime(raw["updated_at"], "updated_at").strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def map_order(raw):
    """Order of the API -> ChannelOrder. Raises BadResponse (final) that names what is wrong."""
    order_id = to_text(required(raw, "external_id", "external_id"))
    currency = to_text(required(raw, "currency", "currency"))
    is_included = raw.get("is_tax_included", True)
    lines = tuple(_map_line(row, place, is_included) for place, row in enumerate(rows(raw, "lines"), 1))
    if not lines:
        raise bad_payload(f"Order {order_id} has no lines.")
    ids = [line.external_id for line in lines]
    if len(set(ids)) < len(ids):
        raise bad_payload(f"Order {order_id} has two lines with the same external_id.")
    shippings = tuple(_map_shipping(row, place, is_included) for place, row in enumerate(rows(raw, "shippings"), 1))
    placed_at = to_datetime(required(raw, "placed_at", "placed_at"), "placed_at")
    payments = tuple(_map_payment(row, currency) for row in rows(raw, "payments"))
    if len({payment.external_id for payment in payments}) < len(payments):
        raise bad_payload(f"Order {order_id} has two payments with the same external_id.")
    requests = tuple(_map_request(row, currency, lines) for row in rows(raw, "refund_requests"))
    if len({request.external_id for request in requests}) < len(requests):
        raise bad_payload(f"Order {order_id} has two refund requests with the same external_id.")
    parts = sum((part.total for part in (*lines, *shippings)), ZERO)
    total = round_money(_money(raw["total"], "total") if raw.get("total") is not None else parts, currency)
    buyer = raw.get("buyer") or {}
    address = _map_address(raw.get("shipping_address"))
    return ChannelOrder(
        external_id=order_id,
        reference=to_text(raw.get("reference")) or order_id,
        version=get_version(raw),
        status="open" if any(line.open_quantity for line in lines) else "cancelled",
        placed_at=placed_at,
        updated_at=to_datetime(raw["updated_at"], "updated_at") if raw.get("updated_at") else placed_at,
        currency=currency,
        lines=lines,
        total=total,
        email=to_text(buyer.get("email")),
        buyer_id=to_text(buyer.get("id")),
        buyer_name=to_text(buyer.get("name")) or (address.name if address else ""),
        shipping_address=address,
        billing_address=_map_address(raw.get("billing_address")),
        shippings=shippings,
        payments=payments,
        refund_requests=requests,
        discount_total=sum((line.discount_amount for line in lines), ZERO),
        tax_total=sum((part.tax_amount for part in (*lines, *shippings)), ZERO),
        is_paid=bool(payments) and sum((payment.captured_amount for payment in payments), ZERO) >= total,
        **_read_facts(raw),
        tells_payments=bool(payments),
        is_direct=True,
        raw=raw,
    )


def _read_facts(raw):
    """Notes, and what rules may ask for."""
    risk = raw.get("risk_score")
    return {
        "note": to_text(raw.get("note")),
        "seller_note": to_text(raw.get("seller_note")),
        "buyer_ip": to_text(raw.get("buyer_ip")),
        "coupon_codes": tuple(code for code in map(to_text, raw.get("coupon_codes") or ()) if code),
        "risk_score": None if risk is None else to_decimal(risk, "risk_score"),
        "is_presale": bool(raw.get("is_presale")),
        "ship_from": _day(raw.get("ship_from")),
        "ship_by": to_datetime(raw["ship_by"], "ship_by") if raw.get("ship_by") else None,
        "is_masked": bool(raw.get("is_masked")),
    }


def _day(text):
    return date.fromisoformat(text) if text else None


def _money(value, what):
    return to_decimal(value, what).quantize(PRECISION).normalize() + ZERO


def _split_tax(amount, rate, is_included):
    """(total with tax, tax) of an amount after discount."""
    if is_included:
        return amount, amount - amount / (1 + rate / 100)
    return amount * (1 + rate / 100), amount * rate / 100


def _map_line(row, place, is_included):
    what = f"line {place}"
    quantity = to_decimal(row.get("quantity"), f"quantity of {what}")
    cancelled = to_decimal(row.get("cancelled_quantity") or 0, f"cancelled_quantity of {what}")
    if not 0 <= cancelled <= quantity:
        raise bad_payload(f"cancelled_quantity of {what} is more than its quantity.")
    price = _money(row.get("price_unit"), f"price_unit of {what}")
    discounts = tuple(_map_discount(one, what) for one in rows(row, "discounts"))
    told = sum((one.amount for one in discounts), ZERO)
    discount = _money(row.get("discount_amount") or told, f"discount_amount of {what}")
    if discounts and told != discount:
        raise bad_payload(f"The discounts of {what} are not its discount_amount in sum.")
    amount = price * quantity - discount
    if amount < 0:
        raise bad_payload(f"discount_amount of {what} is more than the line is worth.")
    rate = None if row.get("tax_rate") is None else to_decimal(row["tax_rate"], f"tax_rate of {what}")
    total, tax = _split_tax(amount, rate or ZERO, is_included)
    sku = to_text(required(row, "sku", f"sku of {what}"))
    return ChannelLine(
        external_id=to_text(row.get("external_id")) or str(place),
        sku=sku,
        title=to_text(row.get("title")),
        quantity=quantity,
        price_unit=price,
        total=total,
        discount_amount=discount,
        discounts=discounts,
        tax_amount=tax,
        is_tax_included=is_included,
        tax_rate=rate,
        barcode=to_text(row.get("barcode")),
        cancelled_quantity=cancelled,
        ship_from=_day(row.get("ship_from")),
    )


def _map_discount(row, what):
    source = row.get("source") or "other"
    if source not in DISCOUNT_SOURCES:
        raise bad_payload(f"A discount of {what} has the unknown source {str(source)[:40]!r}.")
    return ChannelDiscount(
        source, _money(row.get("amount"), f"amount of a discount of {what}"), to_text(row.get("code"))
    )


def _map_shipping(row, place, is_included):
    amount = _money(row.get("amount"), f"amount of shipping {place}")
    rate = None if row.get("tax_rate") is None else to_decimal(row["tax_rate"], f"tax_rate of shipping {place}")
    total, tax = _split_tax(amount, rate or ZERO, is_included)
    return ChannelShipping(
        external_id=to_text(row.get("external_id")) or str(place),
        name=to_text(row.get("name")),
        amount=amount,
        total=total,
        tax_amount=tax,
        is_tax_included=is_included,
        tax_rate=rate,
    )


def _map_payment(row, currency):
    payment_id = to_text(required(row, "external_id", "external_id of a payment"))
    amount, refunded, fee = (
        round_money(_money(value, f"{name} of payment {payment_id}"), currency)
        for name, value in (
            ("amount", row.get("amount")),
            ("refunded_amount", row.get("refunded_amount") or 0),
            ("fee_amount", row.get("fee_amount") or 0),
        )
    )
    state = row.get("state") or "captured"
    captured = amount if state == "captured" else ZERO
    if refunded > captured:
        raise bad_payload(f"refunded_amount of payment {payment_id} is more than was captured.")
    if refunded:
        state = "refunded" if refunded == captured else "partially_refunded"
    return ChannelPayment(
        external_id=payment_id,
        provider=to_text(row.get("provider")),
        amount=amount,
        currency=currency,
        state=state,
        captured_amount=captured,
        refunded_amount=refunded,
        date=to_datetime(row["paid_at"], "paid_at") if row.get("paid_at") else None,
        fee_amount=fee,
    )


def _map_request(row, currency, lines):
    request_id = to_text(required(row, "external_id", "external_id of a refund request"))
    what = f"refund request {request_id}"
    known = {line.external_id: line.quantity for line in lines}
    asked = {}
    for one in rows(row, "lines"):
        line_id = to_text(required(one, "external_id", f"external_id of a line of {what}"))
        asked[line_id] = asked.get(line_id, ZERO) + to_decimal(one.get("quantity"), f"quantity of a line of {what}")
        if asked[line_id] > known.get(line_id, ZERO):
            raise bad_payload(f"The {what} is about more of line {line_id} than the order has.")
    kind, state = row.get("kind"), row.get("state") or "requested"
    if kind not in REFUND_KINDS or state not in REFUND_STATES:
        raise bad_payload(f"The {what} has an unknown kind or state.")
    return ChannelRefundRequest(
        external_id=request_id,
        kind=kind,
        state=state,
        amount=round_money(_money(row.get("amount"), f"amount of {what}"), currency),
        reason=to_text(row.get("reason")),
        lines=tuple(asked.items()),
        requested_at=to_datetime(row["requested_at"], "requested_at") if row.get("requested_at") else None,
    )


def _map_address(row):
    if not row:
        return None
    names = ("name", "company", "street", "street2", "district", "city", "province", "zip", "phone", "email")
    return ChannelAddress(
        **{name: to_text(row.get(name)) for name in names}, country_code=to_text(row.get("country_code")).upper()
    )
