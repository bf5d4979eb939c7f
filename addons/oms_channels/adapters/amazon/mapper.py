"""Pure: what Amazon sends -> our types. Both versions of its orders are read, see ``parts``.

Facts of the Selling Partner API that shape this file:
- Amounts of an item are for all its units. Whether they include tax is told nowhere: where the marketplace adds tax the
  order's total is more than the amounts by the tax, elsewhere it is their sum.
- An order that is not paid for yet (Pending) has neither prices nor an address: it is no order of ours yet.
- Cancelled orders may have lost their quantities and amounts.
- Amazon takes the money and pays it out later: one payment an order, taken as soon as the order may be shipped.
- Goods that Amazon sends from its own warehouse (FBA) are done from our side.
- The buyer's e-mail address is an alias that Amazon keeps for this buyer and seller.
"""

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
from ..values import bad_payload, required, round_money, rows, to_datetime, to_decimal, to_text
from . import parts
from .parts import COD, GIFT_WRAP, GOODS, OTHER, SHIPPING

# Marketplaces that add tax to the price: United States, Canada.
TAX_ADDED = ("ATVPDKIKX0DER", "A2EUQ1WTGCTBG2")
# Not paid for yet: without prices and address.
PENDING = ("PENDING", "PENDINGAVAILABILITY")
_RANKS = ("PENDINGAVAILABILITY", "PENDING", "INVOICEUNCONFIRMED", "UNSHIPPED", "PARTIALLYSHIPPED", "SHIPPED")
_CHARGES = {SHIPPING: "Shipping", GIFT_WRAP: "Gift wrap", COD: "Cash on delivery fee", OTHER: "Other charges"}


def is_v0(raw):
    return "AmazonOrderId" in raw


def format_time(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def get_order_id(raw):
    return to_text(required(raw, "AmazonOrderId" if is_v0(raw) else "orderId", "The order's id"))


def get_status(raw):
    """The status of both versions in one spelling, e.g. "PARTIALLYSHIPPED", "CANCELED"."""
    fulfillment = raw.get("fulfillment")
    told = fulfillment.get("fulfillmentStatus") if isinstance(fulfillment, dict) else ""
    text = to_text(raw.get("OrderStatus") if is_v0(raw) else told)
    text = text.upper().replace("_", "")
    return "CANCELED" if text == "CANCELLED" else text


def is_fba(raw):
    """Whether Amazon itself sends the goods."""
    if is_v0(raw):
        return raw.get("FulfillmentChannel") == "AFN"
    return (raw.get("fulfillment") or {}).get("fulfilledBy") == "AMAZON"


def get_marketplace(raw):
    """The marketplace's id, "" where it is not told."""
    return to_text(raw.get("MarketplaceId") or (raw.get("salesChannel") or {}).get("marketplaceId"))


def get_updated_at(raw):
    return to_datetime(
        required(raw, "LastUpdateDate" if is_v0(raw) else "lastUpdatedTime", "The order's time of change"),
        "The order's time of change",
    )


def map_ref(raw):
    """The OrderRef of an order of a list, with or without its items."""
    order_id = get_order_id(raw)
    return OrderRef(order_id, order_id, _get_times(raw)["placed_at"])


def get_version(raw):
    """Text that orders the states of one order."""
    status, items = get_status(raw), _read_items(raw)
    shipped = sum((item.shipped for item in items), ZERO)
    rank = _RANKS.index(status) if status in _RANKS else len(_RANKS)
    moment = get_updated_at(raw)
    text = f"{moment.strftime('%Y-%m-%dT%H:%M:%S.')}{moment.microsecond // 1000:03d}Z"
    return f"{text}|{rank}|{int(shipped):05d}|{len(rows(raw, 'packages')):03d}"


def _read_items(raw):
    return parts.read_items_v0(raw) if is_v0(raw) else parts.read_items(raw)


def map_order(raw):
    """Raw order -> ChannelOrder."""
    order_id, status, items = get_order_id(raw), get_status(raw), _read_items(raw)
    total, currency = _get_total(raw, items)
    is_cancelled = status == "CANCELED"
    if not currency and not is_cancelled:
        raise bad_payload(f"Order {order_id} has no prices: its payment is pending at Amazon.")
    tip = _get_tip(raw)
    is_included = _is_tax_included(raw, items, total, tip)
    lines = tuple(_map_line(raw, item, is_included) for item in items if item.ordered > 0)
    if not lines and not is_cancelled:
        raise bad_payload(f"Order {order_id} has no items.")
    shippings = tuple(_map_charges(items, is_included, tip))
    if total is None:
        total = sum((part.total for part in (*lines, *shippings)), ZERO)
    total = round_money(total, currency)
    times = _get_times(raw)
    return ChannelOrder(
        external_id=order_id,
        reference=order_id,
        version=get_version(raw),
        status="cancelled" if is_cancelled else "completed" if status == "SHIPPED" else "open",
        placed_at=times["placed_at"],
        updated_at=get_updated_at(raw),
        currency=currency,
        lines=lines,
        total=total,
        **_map_buyer(raw, items),
        shippings=shippings,
        payments=_map_payments(raw, order_id, total, currency, status, times["placed_at"]),
        refund_requests=tuple(_map_requests(items, lines, status)),
        discount_total=sum((part.discount_amount for part in (*lines, *shippings)), ZERO),
        tax_total=sum((part.tax_amount for part in (*lines, *shippings)), ZERO),
        is_paid=status not in (*PENDING, "CANCELED") and not _is_cash_on_delivery(raw),
        coupon_codes=tuple(dict.fromkeys(code for item in items for code in item.promotions)),
        is_presale=times["is_presale"],
        ship_from=times["starts_at"].date() if times["is_presale"] and times["starts_at"] else None,
        ship_by=times["ends_at"],
        raw=raw,
    )


# === MONEY === #


def _get_total(raw, items):
    """(total or None, currency or "")."""
    if is_v0(raw):
        money, amount, code = raw.get("OrderTotal") or {}, "Amount", "CurrencyCode"
    else:
        money, amount, code = (raw.get("proceeds") or {}).get("grandTotal") or {}, "amount", "currencyCode"
    currency = to_text(money.get(code)).upper() or next((item.currency for item in items if item.currency), "")
    return (to_decimal(money[amount], "The order's total") if money.get(amount) else None), currency


def _get_tip(raw):
    """A tip for the delivery belongs to no item."""
    found = [row for row in rows(raw.get("proceeds") or {}, "breakdowns") if row.get("type") == "DELIVERY_TIP"]
    return sum((to_decimal((row.get("subtotal") or {}).get("amount"), "A tip") for row in found), ZERO)


def _is_tax_included(raw, items, total, tip):
    every = [part for item in items for part in item.parts.values()]
    tax = sum((part.tax for part in every), ZERO)
    if not tax:
        return False
    amount = sum((part.amount - part.discount for part in every), ZERO) + tip
    if total is not None and total in (amount, amount + tax):
        return total == amount
    return get_marketplace(raw) not in TAX_ADDED


def _map_line(raw, item, is_included):
    part = item.parts[GOODS]
    shipped = item.ordered if is_fba(raw) and get_status(raw) == "SHIPPED" else min(item.shipped, item.ordered)
    delivered = sum(
        (
            parcel.content.get(item.item_id, ZERO)
            for parcel in parts.read_parcels(raw)
            if parcel.is_alive and parcel.is_delivered
        ),
        ZERO,
    )
    return ChannelLine(
        external_id=item.item_id,
        sku=item.sku,
        title=item.title,
        quantity=item.ordered,
        price_unit=part.amount / item.ordered,
        total=part.amount - part.discount + (ZERO if is_included else part.tax),
        discount_amount=part.discount,
        discounts=(ChannelDiscount("seller", part.discount, ", ".join(item.promotions)),),
        tax_amount=part.tax,
        is_tax_included=is_included,
        tax_rate=None if part.tax else ZERO,
        product_external_id=item.asin,
        variant_external_id=item.sku,
        shipped_quantity=shipped,
        delivered_quantity=min(delivered, shipped),
    )


def _map_charges(items, is_included, tip):
    """Charges of all items together, one a kind."""
    for kind, name in _CHARGES.items():
        found = [item.parts[kind] for item in items if kind in item.parts]
        part = parts.Part(*(sum((getattr(one, key) for one in found), ZERO) for key in ("amount", "discount", "tax")))
        if part.amount or part.tax:
            yield ChannelShipping(
                external_id=kind,
                name=name,
                amount=part.amount,
                total=part.amount - part.discount + (ZERO if is_included else part.tax),
                tax_amount=part.tax,
                discount_amount=part.discount,
                is_tax_included=is_included,
                tax_rate=None if part.tax else ZERO,
            )
    if tip:
        yield ChannelShipping(external_id="tip", name="Delivery tip", amount=tip, total=tip, tax_rate=ZERO)


def _is_cash_on_delivery(raw):
    if is_v0(raw):
        return raw.get("PaymentMethod") == "COD"
    executions = rows(raw.get("payment") or {}, "paymentExecutions")
    return any(row.get("paymentMethod") in ("COD", "CASH_ON_DELIVERY") for row in executions)


def _map_payments(raw, order_id, total, currency, status, placed_at):
    if not total:
        return ()
    is_taken = status not in (*PENDING, "CANCELED") and not _is_cash_on_delivery(raw)
    return (
        ChannelPayment(
            external_id=order_id,
            provider="cod" if _is_cash_on_delivery(raw) else "amazon",
            amount=total,
            currency=currency,
            state="captured" if is_taken else "cancelled" if status == "CANCELED" else "pending",
            captured_amount=total if is_taken else ZERO,
            date=placed_at,
        ),
    )


# === OTHERS === #


def _get_times(raw):
    """When it was placed, and the promised time of shipping."""
    if is_v0(raw):
        placed, starts, ends = (raw.get(key) for key in ("PurchaseDate", "EarliestShipDate", "LatestShipDate"))
        is_presale = raw.get("OrderType") == "Preorder"
    else:
        window = (raw.get("fulfillment") or {}).get("shipByWindow") or {}
        placed, starts, ends = raw.get("createdTime"), window.get("earliestDateTime"), window.get("latestDateTime")
        is_presale = "PREORDER" in (raw.get("programs") or ())
    return {
        "placed_at": to_datetime(placed, "The order's time"),
        "starts_at": to_datetime(starts, "The first day of shipping") if starts else None,
        "ends_at": to_datetime(ends, "The last day of shipping") if ends else None,
        "is_presale": is_presale,
    }


def _map_buyer(raw, items):
    """Who buys and where it goes, as values of a ChannelOrder."""
    if is_v0(raw):
        info, given = raw.get("BuyerInfo") or {}, raw.get("ShippingAddress") or {}
        email, name, notes = to_text(info.get("BuyerEmail")), to_text(info.get("BuyerName")), []
        given = {key[:1].lower() + key[1:]: value for key, value in given.items()}
        given["districtOrCounty"] = given.get("district") or given.get("county")
    else:
        info, recipient = raw.get("buyer") or {}, raw.get("recipient") or {}
        email, name = to_text(info.get("buyerEmail")), to_text(info.get("buyerName"))
        given, preference = recipient.get("deliveryAddress") or {}, recipient.get("deliveryPreference") or {}
        notes = [to_text(preference.get(key)) for key in ("addressInstruction", "dropOffLocation")]
    address = _map_address(given, email)
    notes += [f"Gift message: {item.gift_message}" for item in items if item.gift_message]
    return {
        "email": email,
        "buyer_id": email,
        "buyer_name": name or (address or ChannelAddress()).name,
        "shipping_address": address,
        "note": "\n".join(dict.fromkeys(filter(None, notes))),
        "is_masked": not is_fba(raw) and not (address and address.name and address.street),
    }


def _map_address(given, email):
    """None when nothing is told. What little an app without the right to it sees (city, country) is kept."""
    if not any(to_text(value) for value in given.values() if not isinstance(value, dict)):
        return None
    lines = [to_text(given.get(f"addressLine{number}")) for number in (1, 2, 3)]
    street, *others = list(filter(None, lines)) or [""]
    return ChannelAddress(
        name=to_text(given.get("name")),
        company=to_text(given.get("companyName")),
        street=street,
        street2=", ".join(others),
        district=to_text(given.get("districtOrCounty")),
        city=to_text(given.get("city") or given.get("municipality")),
        province=to_text(given.get("stateOrRegion")),
        zip=to_text(given.get("postalCode")),
        country_code=to_text(given.get("countryCode")).upper(),
        phone=to_text(given.get("phone")),
        email=email,
    )


def _map_requests(items, lines, status):
    """Buyers who ask to cancel before the goods left; the seller decides."""
    if status in ("CANCELED", "SHIPPED"):
        return
    totals = {line.external_id: line.total for line in lines}
    for item in items:
        if item.requests_cancel and item.item_id in totals:
            yield ChannelRefundRequest(
                external_id=f"cancel-{item.item_id}",
                kind="refund",
                state="requested",
                amount=totals[item.item_id],
                reason=item.cancel_reason or "",
                lines=((item.item_id, item.ordered),),
            )


def map_listing(item, currency=""):
    """Item of the listings API -> Listing; None for what Amazon sends itself."""
    summary = next(iter(rows(item, "summaries")), {})
    offer = next((row for row in rows(item, "offers") if row.get("offerType") == "B2C"), {})
    channels = [to_text(row.get("fulfillmentChannelCode")) for row in rows(item, "fulfillmentAvailability")]
    if channels and "DEFAULT" not in channels:
        return None
    price, sku = offer.get("price") or {}, to_text(required(item, "sku", "The SKU of a listing"))
    quantity = _get_quantity(item)
    return Listing(
        external_id=sku,
        sku=sku,
        title=to_text(summary.get("itemName")),
        price=to_decimal(price["amount"], "The price of a listing") if price.get("amount") else None,
        currency=to_text(price.get("currencyCode") or currency).upper(),
        product_external_id=to_text(summary.get("asin")),
        # What is sold out can't be bought (BUYABLE) until there is more: it must be told all the more.
        is_active=bool(summary.get("status")) or quantity == 0,
        quantity=quantity,
    )


def _get_quantity(item):
    """What of a listing we send ourselves."""
    own = (row for row in rows(item, "fulfillmentAvailability") if row.get("fulfillmentChannelCode") == "DEFAULT")
    quantity = next(own, {}).get("quantity")
    return None if quantity is None else to_decimal(quantity, "The quantity of a listing")
