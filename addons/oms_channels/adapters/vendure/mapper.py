"""Pure: what Vendure sends -> our types.

Facts of Vendure 3.7 that shape this file:
- Money is an integer; how many decimals it has is a setting of the server, the same for every currency.
- ``updatedAt`` of an order is not bumped by placement, payment, fulfilment or refund: its history is the version.
- Cancelled units leave ``quantity`` and all totals, goods that came back as well (both are a cancellation): the amount
  as sold is put together from the lines.
- Prices are rounded per unit, with tax: the gross unit price times the quantity is what the shop adds up.
- An address that was not given is an object of nulls.
"""

from dataclasses import replace
from decimal import Decimal

from ..types import (
    ZERO,
    ChannelAddress,
    ChannelDiscount,
    ChannelLine,
    ChannelOrder,
    ChannelPayment,
    ChannelShipping,
    Listing,
)
from ..values import bad_payload, required, round_money, rows, to_datetime, to_decimal, to_text

PRECISION = 2
# Key we add to a payload: the server's setting, so that the payload can be read on its own.
PRECISION_KEY = "moneyPrecision"
PAYMENT_STATES = {"Created": "pending", "Authorized": "authorized", "Settled": "captured"}
SHIPPED = ("Shipped", "Delivered")
SHIPPING_CANCELLATION = "shipping cancellation"
# Begins the reason of a cancellation that is a return of ours; the key follows in brackets.
RETURN_MARK = "returned"


def get_precision(data):
    """Decimals of the shop's money, from an answer that holds the settings."""
    server = (data.get("globalSettings") or {}).get("serverConfig") or {}
    precision = server.get("moneyStrategyPrecision")
    return precision if isinstance(precision, int) and not isinstance(precision, bool) else PRECISION


def get_version(raw):
    """Text that orders the states of one order: the last thing that happened, and how many have."""
    last = raw.get("lastEntry") or {}
    moments = [raw.get("updatedAt"), raw.get("orderPlacedAt"), *(row.get("createdAt") for row in rows(last, "items"))]
    for payment in rows(raw, "payments"):
        moments += [payment.get("updatedAt"), *(refund.get("updatedAt") for refund in rows(payment, "refunds"))]
    moments += [row.get("updatedAt") for row in rows(raw, "fulfillments")]
    known = [to_datetime(moment, "A time of the order") for moment in moments if moment]
    if not known:
        raise bad_payload("The order's updatedAt is missing.")
    return f"{format_time(max(known))}|{int(last.get('totalItems') or 0):06d}"


def format_time(moment):
    """ISO 8601 with milliseconds, as Vendure writes and filters."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def map_order(raw):
    """Raw order -> ChannelOrder.

    ``updated_at`` is the time of placement, by which the list is read: a later one would move the reader's checkpoint
    past orders that it has not seen.
    """
    order_id = to_text(required(raw, "id", "The order's id"))
    currency = to_text(required(raw, "currencyCode", f"currencyCode of order {order_id}")).upper()
    money = Money(raw)
    placed_at = to_datetime(required(raw, "orderPlacedAt", f"orderPlacedAt of order {order_id}"), "orderPlacedAt")
    lines = tuple(_map_line(raw, line, money) for line in rows(raw, "lines"))
    if not lines:
        raise bad_payload(f"Order {order_id} has no lines.")
    shippings = (
        *(_map_shipping(raw, row, money) for row in rows(raw, "shippingLines")),
        *(_map_surcharge(row, money) for row in rows(raw, "surcharges")),
    )
    payments = tuple(_map_payment(row, money, currency) for row in rows(raw, "payments"))
    total = _get_total(raw, lines, sum((part.total for part in (*lines, *shippings)), ZERO), money)
    lines = _share_lost_discount(raw, lines, total - sum((part.total for part in shippings), ZERO), money)
    return ChannelOrder(
        external_id=order_id,
        reference=to_text(raw.get("code")) or order_id,
        version=get_version(raw),
        status=_get_status(raw, lines),
        placed_at=placed_at,
        updated_at=placed_at,
        currency=currency,
        lines=lines,
        total=round_money(total, currency),
        **_map_buyer(raw),
        shippings=shippings,
        payments=payments,
        discount_total=sum((part.discount_amount for part in (*lines, *shippings)), ZERO),
        tax_total=sum((part.tax_amount for part in (*lines, *shippings)), ZERO),
        is_paid=sum((payment.captured_amount for payment in payments), ZERO) >= total,
        coupon_codes=tuple(to_text(code) for code in raw.get("couponCodes") or ()),
        raw=raw,
    )


def _map_buyer(raw):
    """Who buys and where it goes, as values of a ChannelOrder."""
    customer = raw.get("customer") or {}
    email = to_text(customer.get("emailAddress"))
    address = _map_address(raw.get("shippingAddress"), email)
    names = filter(None, (to_text(customer.get("firstName")), to_text(customer.get("lastName"))))
    return {
        "email": email,
        "buyer_id": to_text(customer.get("id")),
        "buyer_name": " ".join(names) or (address or ChannelAddress()).name,
        "shipping_address": address,
        "billing_address": _map_address(raw.get("billingAddress"), email),
    }


class Money:
    """Reads amounts of one payload."""

    def __init__(self, raw):
        precision = raw.get(PRECISION_KEY, PRECISION)
        self.unit = Decimal(1).scaleb(-precision)

    def get(self, mapping, key, what=None):
        return to_decimal(mapping.get(key), what or key) * self.unit


def _get_total(raw, lines, total, money):
    """The amount as sold. Once units were taken away the shop's own total is less, and a discounted line has
    lost its share of the discount or its cents: what the buyer paid for is what was sold."""
    if not _is_reduced(raw, lines):
        return money.get(raw, "totalWithTax")
    paid = sum(
        (money.get(row, "amount") for row in rows(raw, "payments") if row.get("state") in ("Authorized", "Settled")),
        ZERO,
    )
    dust = money.unit * sum(line.quantity for line in lines)
    return paid if paid and (raw.get("couponCodes") or abs(paid - total) <= dust) else total


def _share_lost_discount(raw, lines, goods_total, money):
    """A line with nothing left has forgotten its discount: what the lines are more than was paid is taken off it."""
    lost = sum((line.total for line in lines), ZERO) - goods_total
    empty = [index for index, row in enumerate(rows(raw, "lines")) if not row.get("quantity")]
    base = sum((lines[index].total for index in empty), ZERO)
    if lost <= 0 or not base:
        return lines
    lines, left = list(lines), lost
    for index in empty:
        line = lines[index]
        share = left if index == empty[-1] else (lost * line.total / base).quantize(money.unit)
        total = line.total - share
        lines[index] = replace(
            line,
            total=total,
            discount_amount=line.discount_amount + share,
            tax_amount=round_money(line.tax_amount * total / line.total, "") if line.total else ZERO,
        )
        left -= share
    return tuple(lines)


def _is_reduced(raw, lines):
    """Whether the shop's own total is less than what was sold."""
    return any(line.cancelled_quantity or line.returned_quantity for line in lines) or any(
        discount.get("description") == SHIPPING_CANCELLATION
        for row in rows(raw, "shippingLines")
        for discount in rows(row, "discounts")
    )


def _get_status(raw, lines):
    """An order all of whose goods came back is Cancelled to Vendure, to us it is done."""
    state = raw.get("state")
    if state == "Cancelled":
        return "completed" if any(line.shipped_quantity for line in lines) else "cancelled"
    return "completed" if state == "Delivered" else "open"


def count_fulfilled(raw, line_id, states):
    """Units of a line in fulfilments of these states."""
    return sum(
        (
            to_decimal(row.get("quantity"), "The quantity of a fulfilment")
            for fulfillment in rows(raw, "fulfillments")
            if fulfillment.get("state") in states
            for row in rows(fulfillment, "lines")
            if row.get("orderLineId") == line_id
        ),
        ZERO,
    )


def _count_own_returns(raw, line_id):
    """Units of a line that we told the shop came back. History names lines by number, the rest of the API by text."""
    return sum(
        (
            to_decimal(row.get("quantity"), "The quantity of a cancellation")
            for entry in rows(raw.get("cancellations") or {}, "items")
            if to_text((entry.get("data") or {}).get("reason")).startswith(RETURN_MARK)
            for row in rows(entry.get("data") or {}, "lines")
            if to_text(row.get("orderLineId")) == line_id
        ),
        ZERO,
    )


def _map_line(raw, line, money):
    variant = line.get("productVariant") or {}
    line_id = to_text(required(line, "id", "The id of a line"))
    name = to_text(variant.get("sku")) or line_id
    left = to_decimal(line.get("quantity"), f"The quantity of {name}")
    sold = max(to_decimal(line.get("orderPlacedQuantity") or 0, f"orderPlacedQuantity of {name}"), left)
    shipped = count_fulfilled(raw, line_id, SHIPPED)
    # What was taken away before it was sent is cancelled, the rest came back.
    returned = min(_count_own_returns(raw, line_id), sold - left)
    cancelled = min(sold - left - returned, max(sold - shipped, ZERO))
    price = money.get(line, "unitPriceWithTax", f"The price of {name}")
    if sold == left:
        net, total = money.get(line, "proratedLinePrice"), money.get(line, "proratedLinePriceWithTax")
    else:
        net, total = (money.get(line, key) * sold for key in ("proratedUnitPrice", "proratedUnitPriceWithTax"))
    return ChannelLine(
        external_id=line_id,
        sku=to_text(variant.get("sku")),
        title=to_text(variant.get("name")),
        quantity=sold,
        price_unit=price,
        total=total,
        discount_amount=price * sold - total,
        discounts=_map_discounts(raw, line, money),
        tax_amount=total - net,
        is_tax_included=True,
        tax_rate=to_decimal(line.get("taxRate") or 0, f"The tax rate of {name}"),
        product_external_id=to_text((variant.get("product") or {}).get("id")),
        variant_external_id=to_text(variant.get("id")),
        cancelled_quantity=cancelled,
        shipped_quantity=shipped,
        delivered_quantity=count_fulfilled(raw, line_id, ("Delivered",)),
        returned_quantity=sold - left - cancelled,
    )


def _map_discounts(raw, row, money):
    """The promotions of a line or shipping line, by a code or without; no promotion: done by hand."""
    codes = {f"PROMOTION:{one.get('id')}": to_text(one.get("couponCode")) for one in rows(raw, "promotions")}
    found = []
    for discount in rows(row, "discounts"):
        if discount.get("description") == SHIPPING_CANCELLATION:
            continue
        code, is_promotion = codes.get(discount.get("adjustmentSource")), "PROMOTION" in to_text(discount.get("type"))
        source = "coupon" if code else "seller" if is_promotion else "manual"
        amount = -money.get(discount, "amountWithTax")
        found.append(ChannelDiscount(source, amount, code or to_text(discount.get("description"))))
    return tuple(found)


def _map_shipping(raw, row, money):
    amount, net = money.get(row, "priceWithTax", "The shipping price"), money.get(row, "price")
    discounts = [
        money.get(discount, "amountWithTax")
        for discount in rows(row, "discounts")
        if discount.get("description") != SHIPPING_CANCELLATION
    ]
    total = amount + sum(discounts, ZERO)
    return ChannelShipping(
        external_id=to_text(required(row, "id", "The id of a shipping line")),
        name=to_text((row.get("shippingMethod") or {}).get("name")),
        amount=amount,
        total=total,
        tax_amount=round_money(total * (amount - net) / amount, "") if amount else ZERO,
        discount_amount=amount - total,
        discounts=_map_discounts(raw, row, money),
        is_tax_included=True,
        tax_rate=ZERO if amount == net else None,  # not told: the amounts say it
    )


def _map_surcharge(row, money):
    total = money.get(row, "priceWithTax", "The surcharge")
    return ChannelShipping(
        external_id=f"surcharge-{required(row, 'id', 'The id of a surcharge')}",
        name=to_text(row.get("description")),
        amount=total,
        total=total,
        tax_amount=total - money.get(row, "price"),
        is_tax_included=True,
        tax_rate=to_decimal(row.get("taxRate") or 0, "The tax rate of a surcharge"),
    )


def _map_payment(row, money, currency):
    amount = money.get(row, "amount", "The payment's amount")
    captured = amount if row.get("state") == "Settled" else ZERO
    refunded = sum(
        (money.get(refund, "total") for refund in rows(row, "refunds") if refund.get("state") == "Settled"), ZERO
    )
    state = PAYMENT_STATES.get(row.get("state"), "cancelled")
    if refunded:
        state = "refunded" if refunded >= captured else "partially_refunded"
    return ChannelPayment(
        external_id=to_text(required(row, "id", "The id of a payment")),
        provider=to_text(row.get("method")),
        amount=round_money(amount, currency),
        currency=currency,
        state=state,
        captured_amount=round_money(captured, currency),
        refunded_amount=round_money(refunded, currency),
        date=to_datetime(row["createdAt"], "The payment's time") if row.get("createdAt") else None,
    )


def _map_address(address, email):
    if not address or not any(to_text(value) for value in address.values()):
        return None
    return ChannelAddress(
        name=to_text(address.get("fullName")),
        company=to_text(address.get("company")),
        street=to_text(address.get("streetLine1")),
        street2=to_text(address.get("streetLine2")),
        city=to_text(address.get("city")),
        province=to_text(address.get("province")),
        zip=to_text(address.get("postalCode")),
        country_code=to_text(address.get("countryCode")).upper(),
        phone=to_text(address.get("phoneNumber")),
        email=email,
    )


def map_listing(variant, precision):
    """Variant with its product -> Listing. The price is the net one unless the shop enters prices with tax."""
    money = Money({PRECISION_KEY: precision})
    product = variant.get("product") or {}
    return Listing(
        external_id=to_text(required(variant, "id", "The id of a variant")),
        sku=to_text(variant.get("sku")),
        title=to_text(variant.get("name") or product.get("name")),
        price=money.get(variant, "price", "The price of a variant"),
        currency=to_text(variant.get("currencyCode")).upper(),
        product_external_id=to_text(product.get("id")),
        is_active=bool(variant.get("enabled")) and bool(product.get("enabled")),
    )
