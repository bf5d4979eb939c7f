"""Pure: what Shopify sends -> our types.

Facts of the Admin API that shape this file:
- Every amount comes twice: in the shop's currency and in the one the buyer saw. The shop's currency is what the shop
  keeps its books and its payouts in: orders are read in it, refunds are made in the buyer's.
- ``taxesIncluded`` says how prices are meant; taxes are told by line, as charged, and do not shrink later.
- ``totalPriceSet`` is the amount before returns. Units taken away by an edit of the order leave it, while their line
  keeps its ``quantity``: the amount as sold is then put together from the parts.
- Times have no fractions: ``get_version`` counts what may happen twice within a second.
- Ids are "gid://shopify/Order/123": only the number is kept, webhooks name nothing else.
"""

from decimal import Decimal

from ..types import (
    ZERO,
    ChannelAddress,
    ChannelDiscount,
    ChannelLine,
    ChannelOrder,
    ChannelRefundRequest,
    ChannelShipping,
    Listing,
    OrderRef,
)
from ..values import bad_payload, required, round_money, rows, to_datetime, to_decimal, to_text
from .payments import map_payments

# Key we add to a payload of a back-fill: parcels and refunds came without their lines.
BULK_KEY = "omsBulk"
SENT = ("SUCCESS", "OPEN", "PENDING")
UNSENT = ("OPEN", "SCHEDULED", "IN_PROGRESS", "ON_HOLD")  # of what is to be fulfilled
RISKS = {"HIGH": 90, "MEDIUM": 60, "LOW": 20, "NONE": 0}
RECOMMENDATIONS = {"CANCEL": 90, "INVESTIGATE": 60, "ACCEPT": 0}
DISCOUNT_KINDS = {
    "DiscountCodeApplication": "coupon",
    "AutomaticDiscountApplication": "seller",
    "ScriptDiscountApplication": "seller",
    "ManualDiscountApplication": "manual",
}
RETURNS = {"REQUESTED": "requested", "OPEN": "requested", "DECLINED": "refused", "CANCELED": "cancelled"}


def get_number(gid):
    """ "123" of "gid://shopify/Order/123", also when something follows a question mark."""
    return to_text(gid).rpartition("/")[2].partition("?")[0]


def make_gid(kind, number):
    """The API's id of a number; an id that is one already stays."""
    text = to_text(number)
    return text if text.startswith("gid://") else f"gid://shopify/{kind}/{text}"


def get_nodes(mapping, key):
    """The rows of a connection."""
    return rows((mapping.get(key) if isinstance(mapping, dict) else None) or {}, "nodes")


def format_time(moment):
    """ISO 8601 to the second, as Shopify writes and filters."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def map_ref(row):
    """The OrderRef of a row of the short list."""
    return OrderRef(
        get_number(required(row, "id", "An order's id")),
        to_text(row.get("name")),
        to_datetime(row.get("processedAt") or row.get("createdAt"), "The order's createdAt"),
    )


def get_version(raw):
    """Text that orders the states of one order: its time of change, then how much has happened."""
    moment = to_datetime(required(raw, "updatedAt", "The order's updatedAt"), "The order's updatedAt")
    counts = [len(rows(raw, key)) for key in ("refunds", "fulfillments", "transactions")]
    return "|".join(
        [format_time(moment), *(f"{count:03d}" for count in counts), "1" if raw.get("cancelledAt") else "0"]
    )


def map_order(raw):
    """Raw order -> ChannelOrder."""
    order_id = get_number(required(raw, "id", "The order's id"))
    currency = to_text(required(raw, "currencyCode", f"currencyCode of order {order_id}")).upper()
    lines = tuple(_map_line(raw, line) for line in get_nodes(raw, "lineItems"))
    if not lines:
        raise bad_payload(f"Order {order_id} has no lines.")
    shippings = tuple(_map_charges(raw))
    payments = map_payments(raw, currency)
    return ChannelOrder(
        external_id=order_id,
        reference=to_text(raw.get("name")) or order_id,
        version=get_version(raw),
        status=_get_status(raw),
        placed_at=to_datetime(raw.get("processedAt") or raw.get("createdAt"), "The order's createdAt"),
        updated_at=to_datetime(raw.get("updatedAt"), "The order's updatedAt"),
        currency=currency,
        lines=lines,
        total=round_money(_get_total(raw, lines, shippings), currency),
        **_map_buyer(raw),
        **_map_dates(raw),
        shippings=shippings,
        payments=payments,
        refund_requests=tuple(_map_return(row) for row in get_nodes(raw, "returns") if row.get("status") in RETURNS),
        discount_total=sum((part.discount_amount for part in (*lines, *shippings)), ZERO),
        tax_total=sum((part.tax_amount for part in (*lines, *shippings)), ZERO),
        is_paid=bool(raw.get("fullyPaid"))
        or raw.get("displayFinancialStatus") in ("PAID", "PARTIALLY_REFUNDED", "REFUNDED"),
        note=to_text(raw.get("note")),
        buyer_ip=to_text(raw.get("clientIp")),
        coupon_codes=tuple(to_text(code) for code in raw.get("discountCodes") or ()),
        risk_score=get_risk_score(raw),
        raw=raw,
    )


def _map_buyer(raw):
    """Who buys and where it goes, as values of a ChannelOrder. An app without access to protected data sees none."""
    customer, email = raw.get("customer") or {}, to_text(raw.get("email"))
    address = _map_address(raw.get("shippingAddress"), email, to_text(raw.get("phone")))
    billing = _map_address(raw.get("billingAddress"), email, to_text(raw.get("phone")))
    known = address or billing
    return {
        "email": email,
        "buyer_id": get_number(customer.get("id")),
        "buyer_name": to_text(customer.get("displayName")) or (known or ChannelAddress()).name,
        "shipping_address": known,
        "billing_address": billing,
        "is_masked": bool(raw.get("requiresShipping")) and not (known and known.street),
    }


def _map_dates(raw):
    """What the shop promised, as values of a ChannelOrder."""
    orders = [row for row in get_nodes(raw, "fulfillmentOrders") if row.get("status") in UNSENT]
    is_held = bool(orders) and all(row.get("status") == "ON_HOLD" for row in orders)
    starts = [to_datetime(row["fulfillAt"], "fulfillAt") for row in orders if row.get("fulfillAt")]
    ends = [to_datetime(row["fulfillBy"], "fulfillBy") for row in orders if row.get("fulfillBy")]
    is_presale = bool(orders) and all(row.get("status") == "SCHEDULED" for row in orders)
    return {
        "is_presale": is_presale,
        "is_held": is_held,
        "ship_from": min(starts).date() if starts and is_presale else None,
        "ship_by": min(ends) if ends else None,
    }


def get_risk_score(raw):
    """The highest of the assessments and the shop's recommendation, 0 to 100; None when nobody judged."""
    risk = raw.get("risk") or {}
    scores = [RISKS.get(row.get("riskLevel")) for row in rows(risk, "assessments")]
    scores = [score for score in (*scores, RECOMMENDATIONS.get(risk.get("recommendation"))) if score is not None]
    return Decimal(max(scores)) if scores else None


def _get_status(raw):
    if raw.get("cancelledAt"):
        return "cancelled"
    return "completed" if raw.get("displayFulfillmentStatus") == "FULFILLED" and raw.get("closedAt") else "open"


def _get_total(raw, lines, shippings):
    total = _read(raw, "totalPriceSet", "The order's total")
    parts = sum((part.total for part in (*lines, *shippings)), ZERO)
    removed = sum((line.total * line.cancelled_quantity / line.quantity for line in lines), ZERO)
    # An edit took units away: they are part of what was sold, and counted as cancelled.
    is_edited = removed and abs(parts - removed - total) < Decimal("0.01") * len(lines)
    return parts if is_edited else total


# === LINES === #


def _map_line(raw, line):
    line_id = get_number(required(line, "id", "The id of a line"))
    name = to_text(line.get("sku")) or line_id
    quantity = to_decimal(line.get("quantity"), f"The quantity of {name}")
    if quantity <= 0:
        raise bad_payload(f"The quantity of {name} is {quantity}.")
    price = _read(line, "originalUnitPriceSet", f"The price of {name}")
    discount, tax, is_included = _get_discount(line), _get_tax(line), bool(raw.get("taxesIncluded"))
    shipped, delivered, cancelled, returned = _get_units(raw, line, line_id, quantity)
    return ChannelLine(
        external_id=line_id,
        sku=to_text(line.get("sku")),
        title=to_text(line.get("name")),
        quantity=quantity,
        price_unit=price,
        total=price * quantity - discount + (ZERO if is_included else tax),
        discount_amount=discount,
        discounts=_map_discounts(line),
        tax_amount=tax,
        is_tax_included=is_included,
        tax_rate=_get_rate(line),
        barcode=to_text((line.get("variant") or {}).get("barcode")),
        product_external_id=get_number((line.get("product") or {}).get("id")),
        variant_external_id=get_number((line.get("variant") or {}).get("id")),
        cancelled_quantity=cancelled,
        shipped_quantity=shipped,
        delivered_quantity=delivered,
        returned_quantity=returned,
        requires_shipping=line.get("requiresShipping") is not False,
    )


def _get_units(raw, line, line_id, quantity):
    """(shipped, delivered, cancelled, returned) units of a line.

    Refunded units never left when the shop says so (CANCEL), or when more were refunded than can have left.
    """
    left = to_decimal(line.get("currentQuantity"), "currentQuantity of a line")
    if raw.get(BULK_KEY):
        unsent = to_decimal(line.get("unfulfilledQuantity"), "unfulfilledQuantity of a line")
        return max(left - unsent, ZERO), ZERO, quantity - left, ZERO
    parcels = [row for row in rows(raw, "fulfillments") if row.get("status") in SENT]
    shipped = min(_count(parcels, "fulfillmentLineItems", line_id), quantity)
    delivered = _count([row for row in parcels if row.get("deliveredAt")], "fulfillmentLineItems", line_id)
    returned = min(_count(rows(raw, "refunds"), "refundLineItems", line_id, ("RETURN",)), shipped)
    gone = _count(rows(raw, "refunds"), "refundLineItems", line_id) - returned
    edited = max(quantity - left - gone - returned, ZERO)
    return shipped, min(delivered, shipped), min(gone + edited, quantity - shipped), returned


def _count(documents, key, line_id, kinds=None):
    """Units of a line in parcels or refunds."""
    return sum(
        (
            to_decimal(row.get("quantity") or 0, "The quantity of a parcel or refund")
            for document in documents
            for row in get_nodes(document, key)
            if get_number((row.get("lineItem") or {}).get("id")) == line_id
            and (kinds is None or row.get("restockType") in kinds)
        ),
        ZERO,
    )


def _map_charges(raw):
    """Shipping, duties, fees and tips, as charges."""
    is_included = bool(raw.get("taxesIncluded"))
    for index, row in enumerate(get_nodes(raw, "shippingLines")):
        number = get_number(row.get("id")) or str(index)
        yield _map_charge(row, number, row.get("title"), "originalPriceSet", is_included)
    for line in get_nodes(raw, "lineItems"):
        for duty in rows(line, "duties"):
            name = f"Duty {to_text(line.get('sku') or line.get('name'))}"
            yield _map_charge(duty, f"duty-{get_number(duty.get('id'))}", name, "price", False)
    for fee in rows(raw, "additionalFees"):
        yield _map_charge(fee, f"fee-{get_number(fee.get('id'))}", fee.get("name"), "price", False)
    if tip := _read_optional(raw, "totalTipReceivedSet"):
        yield ChannelShipping(external_id="tip", name="Tip", amount=tip, total=tip, tax_rate=ZERO)


def _map_charge(row, number, name, key, is_included):
    amount, discount, tax = _read(row, key, "A charge"), _get_discount(row), _get_tax(row)
    return ChannelShipping(
        external_id=number,
        name=to_text(name),
        amount=amount,
        total=amount - discount + (ZERO if is_included else tax),
        tax_amount=tax,
        discount_amount=discount,
        discounts=_map_discounts(row),
        is_tax_included=is_included,
        tax_rate=_get_rate(row),
    )


def _map_discounts(row):
    """Who gave what, by the kind of what it was allocated by."""
    found = []
    for part in rows(row, "discountAllocations"):
        by = part.get("discountApplication") or {}
        source = DISCOUNT_KINDS.get(by.get("__typename"), "other")
        code = to_text(by.get("code") or by.get("title"))
        found.append(ChannelDiscount(source, _read(part, "allocatedAmountSet", "A discount"), code))
    return tuple(found)


def _get_discount(row):
    return sum((_read(part, "allocatedAmountSet", "A discount") for part in rows(row, "discountAllocations")), ZERO)


def _get_tax(row):
    return sum((_read(part, "priceSet", "A tax") for part in rows(row, "taxLines")), ZERO)


def _get_rate(row):
    """Percent of all taxes that were charged, None where the shop does not tell one."""
    rates = [part.get("ratePercentage") for part in rows(row, "taxLines") if _read(part, "priceSet", "A tax")]
    if any(rate is None for rate in rates):
        return None
    return sum((to_decimal(rate, "A tax rate") for rate in rates), ZERO)


# === OTHERS === #


def _map_return(row):
    lines, amount = [], ZERO
    for item in get_nodes(row, "returnLineItems"):
        line = (item.get("fulfillmentLineItem") or {}).get("lineItem") or {}
        if line.get("id"):
            lines.append((get_number(line["id"]), to_decimal(item.get("quantity"), "The quantity of a return")))
        amount += _read_optional(item, "withCodeDiscountedTotalPriceSet")
    return ChannelRefundRequest(
        external_id=get_number(required(row, "id", "The id of a return")),
        kind="return",
        state=RETURNS[row["status"]],
        amount=amount,
        reason=next((to_text(item.get("returnReasonNote")) for item in get_nodes(row, "returnLineItems")), ""),
        lines=tuple(lines),
        requested_at=to_datetime(row["createdAt"], "The return's time") if row.get("createdAt") else None,
    )


def _map_address(address, email, phone):
    """None for an address that tells nothing, as orders without goods have."""
    if not address or not any(to_text(address.get(key)) for key in ("name", "address1", "city", "zip")):
        return None
    return ChannelAddress(
        name=to_text(address.get("name")),
        company=to_text(address.get("company")),
        street=to_text(address.get("address1")),
        street2=to_text(address.get("address2")),
        city=to_text(address.get("city")),
        province=to_text(address.get("provinceCode") or address.get("province")),
        zip=to_text(address.get("zip")),
        country_code=to_text(address.get("countryCodeV2")).upper(),
        phone=to_text(address.get("phone")) or phone,
        email=email,
    )


def map_listing(variant, currency):
    """Variant with its product -> Listing."""
    product = variant.get("product") or {}
    title, name = to_text(product.get("title")), to_text(variant.get("title"))
    return Listing(
        external_id=get_number(required(variant, "id", "The id of a variant")),
        sku=to_text(variant.get("sku")),
        title=title if name in ("", "Default Title") else f"{title} - {name}",
        barcode=to_text(variant.get("barcode")),
        price=to_decimal(variant.get("price"), "The price of a variant"),
        currency=currency,
        product_external_id=get_number(product.get("id")),
        inventory_external_id=get_number((variant.get("inventoryItem") or {}).get("id")),
        is_active=product.get("status") == "ACTIVE",
    )


def _read(row, key, what):
    """The amount of a money bag, in the shop's currency."""
    money = (row.get(key) or {}).get("shopMoney") or {}
    return to_decimal(money.get("amount"), what)


def _read_optional(row, key):
    return _read(row, key, key) if row.get(key) else ZERO
