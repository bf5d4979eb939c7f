"""Pure: what Medusa sends -> our types.

Facts of Medusa 2.21 that shape this file:
- Amounts are unrounded (8.25 % of 19.99 stays 21.639175, also in ``total`` and in payments): money that must equal
  Odoo's is rounded to the currency here, line amounts stay exact.
- ``total`` and each item's ``total`` shrink with received returns, and ``total`` with credit lines (goodwill refunds,
  cancellations). ``summary.original_order_total`` is the total before the *last* change only: after a second return or
  an edit it is not the amount as sold. So: total now + credit lines + what returns took away.
- ``updated_at`` misses captures and refunds, hence ``get_version``.
"""

import re
from decimal import Decimal

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
from ..values import bad_payload, required, round_money, rows, to_datetime, to_decimal, to_text

ORDER_FIELDS = (
    "id,display_id,custom_display_id,status,version,metadata,created_at,updated_at,canceled_at,email,currency_code,"
    "customer_id,payment_status,fulfillment_status,summary,total,tax_total,discount_total,item_total,shipping_total,"
    "credit_line_total,*items,*items.tax_lines,*items.adjustments,*items.detail,*shipping_address,*billing_address,"
    "*shipping_methods,*shipping_methods.tax_lines,*shipping_methods.adjustments,*payment_collections,"
    "*payment_collections.payments,*payment_collections.payments.captures,*payment_collections.payments.refunds,"
    "*fulfillments,*fulfillments.labels,*fulfillments.items,*returns,*returns.items"
)
STATUSES = {"canceled": "cancelled", "completed": "completed", "archived": "completed"}
RETURN_STATES = {
    "requested": "requested",
    "partially_received": "requested",
    "received": "received",
    "canceled": "cancelled",
}
# Metadata key that marks documents this connector made, and finds them again.
OWN_KEY = "oms_key"
# Metadata of an order: {return id: {"answer", "reason"}} of what was said to the buyer's requests.
ANSWERS, GRANTED, REFUSED = "oms_answers", "granted", "refused"
_CJK = re.compile("[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff]")


def get_amount(mapping, key, what=None):
    """Exact amount: the ``raw_`` string where Medusa gives one, else the JSON number."""
    raw = mapping.get(f"raw_{key}")
    value = raw.get("value") if isinstance(raw, dict) else mapping.get(key)
    return to_decimal(value, what or key)


def get_optional(mapping, key):
    """Like ``get_amount``; missing counts as zero."""
    raw = mapping.get(f"raw_{key}")
    return get_amount(mapping, key) if isinstance(raw, dict) or mapping.get(key) is not None else ZERO


def get_payments(raw):
    """The payments of all collections of an order."""
    return [payment for collection in rows(raw, "payment_collections") for payment in rows(collection, "payments")]


def get_version(raw):
    """Text that orders the states of one order: last thing that happened, then counters that only grow."""
    moments = [to_text(required(raw, "updated_at", "The order's updated_at"))]
    facts = 0
    for payment in get_payments(raw):
        documents = rows(payment, "captures") + rows(payment, "refunds")
        facts += len(documents)
        moments += [to_text(document.get("created_at")) for document in documents]
        moments += [to_text(payment.get(key)) for key in ("created_at", "canceled_at", "captured_at")]
    latest = max(to_datetime(moment, "A time of the order") for moment in moments if moment)
    return f"{format_time(latest)}|{int(raw.get('version') or 0):06d}|{facts:04d}"


def format_time(moment):
    """ISO 8601 with milliseconds, as Medusa writes and filters."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def map_order(raw):
    """Raw order -> ChannelOrder."""
    order_id = to_text(required(raw, "id", "The order's id"))
    currency = to_text(required(raw, "currency_code", f"currency_code of order {order_id}")).upper()
    # Medusa gives them in no order of its own; ids are ULIDs, so by id is as they were sold.
    pairs = sorted((_map_line(item) for item in rows(raw, "items")), key=lambda pair: pair[0].external_id)
    lines = tuple(line for line, _taken in pairs)
    if not lines:
        raise bad_payload(f"Order {order_id} has no lines.")
    shippings = tuple(_map_shipping(method) for method in rows(raw, "shipping_methods") if _is_sold(method))
    total = _get_total(raw, pairs, currency)
    payments = tuple(_map_payment(payment) for payment in get_payments(raw))
    shipping_address = _map_address(raw.get("shipping_address"), to_text(raw.get("email")))
    billing_address = _map_address(raw.get("billing_address"), to_text(raw.get("email")))
    return ChannelOrder(
        external_id=order_id,
        reference=to_text(raw.get("custom_display_id") or raw.get("display_id")) or order_id,
        version=get_version(raw),
        status=STATUSES.get(raw.get("status"), "open"),
        placed_at=to_datetime(raw.get("created_at"), "The order's created_at"),
        updated_at=to_datetime(raw.get("updated_at"), "The order's updated_at"),
        currency=currency,
        lines=lines,
        total=total,
        email=to_text(raw.get("email")),
        buyer_id=to_text(raw.get("customer_id")),
        buyer_name=(billing_address or shipping_address or ChannelAddress()).name,
        shipping_address=shipping_address,
        billing_address=billing_address,
        shippings=shippings,
        payments=payments,
        refund_requests=tuple(
            _map_return(document, get_answers(raw))
            for document in rows(raw, "returns")
            if not (document.get("metadata") or {}).get(OWN_KEY)
        ),
        discount_total=sum((part.discount_amount for part in (*lines, *shippings)), ZERO),
        tax_total=sum((part.tax_amount for part in (*lines, *shippings)), ZERO),
        is_paid=sum((payment.captured_amount for payment in payments), ZERO) >= total,
        note=to_text((raw.get("metadata") or {}).get("note")),
        raw=raw,
    )


def _get_total(raw, pairs, currency):
    """The amount as sold: what the shop counts now, and what credit lines and returns took away from it."""
    returned = sum((taken for _line, taken in pairs), ZERO)
    total = get_amount(raw, "total", "The order's total") + get_optional(raw, "credit_line_total") + returned
    return round_money(total, currency)


def _map_line(item):
    """(ChannelLine as sold, how much returns took from the item's total)."""
    name = to_text(item.get("variant_sku")) or to_text(item.get("title")) or to_text(item.get("id"))
    detail = item.get("detail") or {}
    quantity = get_amount(item, "quantity", f"The quantity of {name}")
    price = get_amount(item, "unit_price", f"The price of {name}")
    gone = get_optional(detail, "return_received_quantity") + get_optional(detail, "return_dismissed_quantity")
    total_now, tax_now = get_amount(item, "total", f"The total of {name}"), get_optional(item, "tax_total")
    total, tax = _compute_full(item, price * quantity) if gone else (total_now, tax_now)
    is_included = bool(item.get("is_tax_inclusive"))
    line = ChannelLine(
        external_id=to_text(required(item, "id", f"The id of {name}")),
        sku=to_text(item.get("variant_sku")),
        title=" - ".join(
            filter(None, (to_text(item.get("product_title") or item.get("title")), to_text(item.get("variant_title"))))
        ),
        quantity=quantity,
        price_unit=price,
        total=total,
        discount_amount=price * quantity - (total if is_included else total - tax),
        discounts=_map_discounts(item),
        tax_amount=tax,
        is_tax_included=is_included,
        tax_rate=_get_rate(item),
        barcode=to_text(item.get("variant_barcode")),
        product_external_id=to_text(item.get("product_id")),
        variant_external_id=to_text(item.get("variant_id")),
        cancelled_quantity=get_optional(detail, "written_off_quantity"),
        shipped_quantity=get_optional(detail, "shipped_quantity"),
        delivered_quantity=get_optional(detail, "delivered_quantity"),
        returned_quantity=gone,
        requires_shipping=item.get("requires_shipping") is not False,
    )
    return line, total - total_now


def _map_discounts(part):
    """The adjustments of an item or shipping method, with tax where its price is. All of Medusa's promotions have a
    code; what has none was done by hand."""
    factor, is_included = 1 + _get_rate(part) / 100, bool(part.get("is_tax_inclusive"))
    found = []
    for row in rows(part, "adjustments"):
        amount = get_amount(row, "amount")
        if bool(row.get("is_tax_inclusive")) != is_included:
            amount = amount * factor if is_included else amount / factor
        code = to_text(row.get("code"))
        found.append(ChannelDiscount("coupon" if code else "manual", amount, code or to_text(row.get("description"))))
    return tuple(found)


def _get_rate(part):
    return sum((get_amount(tax, "rate") for tax in rows(part, "tax_lines")), ZERO)


def _compute_full(item, amount):
    """(total, tax) of the item as sold, by Medusa's own formula (utils/totals/line-item), for all units."""
    rate = _get_rate(item) / 100
    untaxed = amount / (1 + rate) if item.get("is_tax_inclusive") else amount
    for adjustment in rows(item, "adjustments"):
        discount = get_amount(adjustment, "amount")
        untaxed -= discount / (1 + rate) if adjustment.get("is_tax_inclusive") else discount
    tax = untaxed * rate
    # Dividing by (1 + rate) leaves dust in the 27th digit; Medusa itself keeps 20.
    return tuple(value.quantize(Decimal("1e-12")).normalize() + ZERO for value in (untaxed + tax, tax))


def _is_sold(method):
    """False for the shipping of a return, claim or exchange, which Medusa lists among the order's own."""
    detail = method.get("detail") or {}
    return not any(detail.get(key) for key in ("return_id", "claim_id", "exchange_id"))


def _map_shipping(method):
    amount, total = (
        get_amount(method, "amount", "The shipping amount"),
        get_amount(method, "total", "The shipping total"),
    )
    tax, is_included = get_optional(method, "tax_total"), bool(method.get("is_tax_inclusive"))
    return ChannelShipping(
        external_id=to_text(required(method, "id", "The id of a shipping method")),
        name=to_text(method.get("name")),
        amount=amount,
        total=total,
        tax_amount=tax,
        discount_amount=amount - (total if is_included else total - tax),
        discounts=_map_discounts(method),
        is_tax_included=is_included,
        tax_rate=_get_rate(method),
    )


def _map_payment(payment):
    currency = to_text(payment.get("currency_code")).upper()
    captured = sum((get_amount(capture, "amount") for capture in rows(payment, "captures")), ZERO)
    refunded = sum((get_amount(refund, "amount") for refund in rows(payment, "refunds")), ZERO)
    captured, refunded = round_money(captured, currency), round_money(refunded, currency)
    if refunded:
        state = "refunded" if refunded >= captured else "partially_refunded"
    elif captured:
        state = "captured"
    else:
        state = "cancelled" if payment.get("canceled_at") else "authorized"
    moment = payment.get("captured_at") or payment.get("created_at")
    return ChannelPayment(
        external_id=to_text(required(payment, "id", "The id of a payment")),
        provider=to_text(payment.get("provider_id")),
        amount=round_money(get_amount(payment, "amount", "The payment's amount"), currency),
        currency=currency,
        state=state,
        captured_amount=captured,
        refunded_amount=refunded,
        date=to_datetime(moment, "The payment's time") if moment else None,
    )


def get_answers(raw):
    answers = (raw.get("metadata") or {}).get(ANSWERS)
    return answers if isinstance(answers, dict) else {}


def _map_return(document, answers):
    external_id = to_text(required(document, "id", "The id of a return"))
    state = RETURN_STATES.get(document.get("status"), "requested")
    if state == "cancelled" and (answers.get(external_id) or {}).get("answer") == REFUSED:
        state = "refused"
    return ChannelRefundRequest(
        external_id=external_id,
        kind="return",
        state=state,
        amount=get_optional(document, "refund_amount"),
        reason=to_text(next((item.get("note") for item in rows(document, "items") if item.get("note")), "")),
        lines=tuple((to_text(item.get("item_id")), get_amount(item, "quantity")) for item in rows(document, "items")),
        requested_at=to_datetime(document["requested_at"], "The return's time")
        if document.get("requested_at")
        else None,
    )


def _map_address(address, email):
    if not address:
        return None
    country, province = to_text(address.get("country_code")).upper(), to_text(address.get("province"))
    if country and province.upper().startswith(f"{country}-"):  # Medusa's own storefront sends ISO 3166-2, "us-ny"
        province = province[len(country) + 1 :].upper()
    return ChannelAddress(
        name=join_name(to_text(address.get("first_name")), to_text(address.get("last_name"))),
        company=to_text(address.get("company")),
        street=to_text(address.get("address_1")),
        street2=to_text(address.get("address_2")),
        city=to_text(address.get("city")),
        province=province,
        zip=to_text(address.get("postal_code")),
        country_code=country,
        phone=to_text(address.get("phone")),
        email=email,
    )


def join_name(first_name, last_name):
    """ "Ada Lovelace", but family name first and unspaced in Chinese, Japanese and Korean writing."""
    if _CJK.search(first_name + last_name):
        return last_name + first_name
    return " ".join(filter(None, (first_name, last_name)))


def is_plain_price(price, currency):
    """Whether this is what everybody pays in a currency, whatever the region and the quantity."""
    return price.get("currency_code") == currency and not price.get("rules") and price.get("min_quantity") is None


def map_listing(variant, currency=""):
    """Variant with product, prices and inventory items -> Listing. :param currency: which price to take, lower case"""
    product = variant.get("product") or {}
    prices = [
        price for price in rows(variant, "prices") if not price.get("rules") and price.get("min_quantity") is None
    ]
    price = next((price for price in prices if price.get("currency_code") == currency), prices[0] if prices else None)
    parts = rows(variant, "inventory_items")
    is_single = len(parts) == 1 and parts[0].get("required_quantity") == 1  # a kit's stock is its parts' business
    return Listing(
        external_id=to_text(required(variant, "id", "The id of a variant")),
        sku=to_text(variant.get("sku")),
        title=" - ".join(filter(None, (to_text(product.get("title")), to_text(variant.get("title"))))),
        barcode=to_text(variant.get("barcode") or variant.get("ean") or variant.get("upc")),
        price=get_amount(price, "amount") if price else None,
        currency=to_text(price.get("currency_code")).upper() if price else "",
        product_external_id=to_text(variant.get("product_id")),
        inventory_external_id=to_text(parts[0].get("inventory_item_id")) if is_single else "",
        is_active=product.get("status") == "published",
    )
