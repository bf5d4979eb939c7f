"""Pure: what WooCommerce sends -> our types.

Facts of WooCommerce 11 that shape this file:
- Amounts are texts. Those of lines are net of tax, whatever ``prices_include_tax`` says; where prices include tax only
  net + tax is exact. Shipping and fees are always entered net.
- ``total`` does not shrink with refunds.
- Times carry no zone: ``*_gmt`` are UTC, to the second. Two changes within a second look alike: ``get_version`` counts.
- An order names its refunds only by amount. Their lines, and the fulfilments, are asked for apart and kept in the
  payload under ``REFUNDS`` and ``FULFILLMENTS``.
- Nothing says whether goods came back: units refunded before the order left were never sent, later ones came back.
- Names come HTML-escaped.
"""

import html
import json

from ..errors import BadResponse
from ..types import (
    ZERO,
    ChannelAddress,
    ChannelLine,
    ChannelOrder,
    ChannelPayment,
    ChannelShipping,
)
from ..values import bad_payload, required, round_money, rows, to_datetime, to_decimal, to_text
from .discounts import get_coupon_shares, map_discounts

REFUNDS, FULFILLMENTS = "omsRefunds", "omsFulfillments"
# Our own parcels in shops without the fulfilments feature: meta of the order.
SHIPMENTS_META = "_oms_shipments"
OWN_KEY = "_oms_key"
# Where the extensions of payment providers write what these keep, and in which currency.
FEE_META = (
    ("_stripe_fee", "_stripe_currency"),
    ("_wcpay_transaction_fee", "_wcpay_intent_currency"),
    ("_paypal_transaction_fee", ""),
)
STATUSES = {
    "pending": "open",
    "on-hold": "open",
    "processing": "open",
    "failed": "open",  # the buyer may pay in another way
    "completed": "completed",
    "cancelled": "cancelled",
    "trash": "cancelled",
}
# Later in this list wins when two states have the same second.
_RANKS = ("pending", "failed", "on-hold", "processing", "completed", "refunded", "cancelled", "trash")
# Provinces of China, which WooCommerce counts.
_CHINA = {
    f"CN{number}": name
    for number, name in enumerate(
        [
            "云南",
            "北京",
            "天津",
            "河北",
            "山西",
            "内蒙古",
            "辽宁",
            "吉林",
            "黑龙江",
            "上海",
            "江苏",
            "浙江",
            "安徽",
            "福建",
            "江西",
            "山东",
            "河南",
            "湖北",
            "湖南",
            "广东",
            "广西",
            "海南",
            "重庆",
            "四川",
            "贵州",
            "陕西",
            "甘肃",
            "青海",
            "宁夏",
            "澳门",
            "西藏",
            "新疆",
        ],
        1,
    )
}
# Checkouts under way.
CARTS = ("checkout-draft", "auto-draft", "draft")


def read_time(raw, key, what):
    """Aware UTC time of ``<key>_gmt``."""
    return to_datetime(required(raw, f"{key}_gmt", what), what)


def format_time(moment):
    """As WooCommerce filters: UTC, to the second, without a zone."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def get_version(raw):
    """Text that orders the states of one order."""
    status = to_text(raw.get("status"))
    rank = _RANKS.index(status) if status in _RANKS else len(_RANKS)
    moment = format_time(read_time(raw, "date_modified", "The order's date_modified"))
    return f"{moment}|{len(rows(raw, 'refunds')):03d}|{len(get_parcels(raw)):03d}|{rank}"


def map_order(raw):
    """Raw order -> ChannelOrder."""
    order_id = to_text(required(raw, "id", "The order's id"))
    currency = to_text(required(raw, "currency", f"The currency of order {order_id}")).upper()
    rates = _get_rates(raw)
    refunded = _get_refunded_units(raw)
    coupons = get_coupon_shares(raw)
    lines = tuple(_map_line(raw, item, rates, refunded, coupons) for item in rows(raw, "line_items"))
    if not lines:
        raise bad_payload(f"Order {order_id} has no lines.")
    shippings = (
        *(_map_charge(row, "", row.get("method_title"), rates) for row in rows(raw, "shipping_lines")),
        *(_map_charge(row, "fee-", row.get("name"), rates) for row in rows(raw, "fee_lines")),
    )
    payments = _map_payments(raw, order_id, currency)
    billing = _map_address(raw.get("billing"))
    shipping = _map_address({**(raw.get("shipping") or {}), "email": (raw.get("billing") or {}).get("email")})
    return ChannelOrder(
        external_id=order_id,
        reference=to_text(raw.get("number")) or order_id,
        version=get_version(raw),
        status=_get_status(raw, lines),
        placed_at=read_time(raw, "date_created", "The order's date_created"),
        updated_at=read_time(raw, "date_modified", "The order's date_modified"),
        currency=currency,
        lines=lines,
        total=round_money(to_decimal(raw.get("total"), f"The total of order {order_id}"), currency),
        email=to_text((raw.get("billing") or {}).get("email")),
        buyer_id=to_text(raw.get("customer_id")).strip("0") and to_text(raw.get("customer_id")),
        buyer_name=(billing or shipping or ChannelAddress()).name,
        shipping_address=shipping or billing,
        billing_address=billing,
        shippings=shippings,
        payments=payments,
        discount_total=sum((part.discount_amount for part in (*lines, *shippings)), ZERO),
        tax_total=sum((part.tax_amount for part in (*lines, *shippings)), ZERO),
        is_paid=bool(raw.get("date_paid_gmt")),
        note=to_text(raw.get("customer_note")),
        buyer_ip=to_text(raw.get("customer_ip_address")),
        coupon_codes=tuple(to_text(row.get("code")) for row in rows(raw, "coupon_lines") if row.get("code")),
        raw=raw,
    )


def _get_status(raw, lines):
    status = to_text(raw.get("status"))
    if status == "refunded":
        return "completed" if any(line.shipped_quantity for line in lines) else "cancelled"
    # A status of the shop's own making is a stage on the way.
    return STATUSES.get(status, "open")


def get_meta(raw, key):
    """Value of a meta entry, None when there is none."""
    return next((row.get("value") for row in rows(raw, "meta_data") if row.get("key") == key), None)


def get_parcels(raw):
    """[{"id", "key", "number", "url", "carrier", "items": {line id: units}}] that have left, by the shop's fulfilments
    and by our own notes of shops that have none."""
    parcels = []
    for row in rows(raw, FULFILLMENTS):
        if row.get("is_fulfilled") and not row.get("date_deleted"):
            items = get_meta(row, "_items")
            parcels.append(
                {
                    "id": to_text(row.get("id")),
                    "key": to_text(get_meta(row, OWN_KEY)),
                    "number": to_text(get_meta(row, "_tracking_number")),
                    "url": to_text(get_meta(row, "_tracking_url")),
                    "carrier": to_text(get_meta(row, "_shipment_provider")),
                    "items": _read_items(items if isinstance(items, list) else []),
                }
            )
    return parcels + read_own_parcels(raw)


def read_own_parcels(raw):
    """Parcels that we noted in the order's meta."""
    value = get_meta(raw, SHIPMENTS_META)
    if not value:
        return []
    try:
        parcels = json.loads(value) if isinstance(value, str) else value
        return [
            {
                **{name: to_text(parcel.get(name)) for name in ("id", "key", "number", "url", "carrier")},
                "items": _read_items(parcel["items"]),
            }
            for parcel in parcels
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise bad_payload(f"The order's meta {SHIPMENTS_META} is not understood.") from error


def _read_items(items):
    found = {}
    for item in items:
        line_id = to_text(item.get("item_id"))
        found[line_id] = found.get(line_id, ZERO) + to_decimal(item.get("qty"), "The quantity of a parcel")
    return found


def _get_refunded_units(raw):
    """{line id: [(time, units), ...]} of the refunds."""
    found = {}
    for refund in rows(raw, REFUNDS):
        moment = read_time(refund, "date_created", "A refund's date_created")
        for item in rows(refund, "line_items"):
            line_id = to_text(get_meta(item, "_refunded_item_id"))
            units = abs(to_decimal(item.get("quantity") or 0, "The quantity of a refund"))
            if line_id and units:
                found.setdefault(line_id, []).append((moment, units))
    return found


def _get_rates(raw):
    """{rate id: percent}; None where the shop does not tell, or the rate is on top of another."""
    return {
        row.get("rate_id"): None
        if row.get("rate_percent") is None or row.get("compound")
        else to_decimal(row["rate_percent"], "rate_percent")
        for row in rows(raw, "tax_lines")
    }


def _get_rate(row, rates):
    """Percent of tax of a line, None when unknown."""
    charged = [rates.get(tax.get("id")) for tax in rows(row, "taxes") if to_text(tax.get("total"))]
    if any(rate is None for rate in charged):
        return None
    return sum(charged, ZERO)


def _map_line(raw, item, rates, refunded, coupons):
    line_id = to_text(required(item, "id", "The id of a line"))
    name = to_text(item.get("sku")) or line_id
    quantity = to_decimal(item.get("quantity"), f"The quantity of {name}")
    if quantity <= 0:
        raise bad_payload(f"The quantity of {name} is {quantity}.")
    net, tax = (_read(item, key, f"The {key} of {name}") for key in ("total", "total_tax"))
    gross_before = _read(item, "subtotal", f"The subtotal of {name}")
    is_included = bool(raw.get("prices_include_tax"))
    if is_included:
        gross_before += _read(item, "subtotal_tax", f"The subtotal_tax of {name}")
    discount = gross_before - net - (tax if is_included else ZERO)
    shipped, cancelled, returned = _get_units(raw, line_id, quantity, refunded.get(line_id, ()))
    return ChannelLine(
        external_id=line_id,
        sku=to_text(item.get("sku")),
        title=html.unescape(to_text(item.get("name"))),
        quantity=quantity,
        price_unit=gross_before / quantity,
        total=net + tax,
        discount_amount=discount,
        discounts=map_discounts(discount, coupons),
        tax_amount=tax,
        is_tax_included=is_included,
        tax_rate=_get_rate(item, rates),
        barcode=to_text(item.get("global_unique_id")),
        product_external_id=to_text(item.get("product_id")),
        variant_external_id=to_text(item.get("variation_id") or item.get("product_id") or ""),
        cancelled_quantity=cancelled,
        shipped_quantity=shipped,
        returned_quantity=returned,
    )


def _get_units(raw, line_id, quantity, refunds):
    """(shipped, cancelled, returned) units of a line."""
    refunded = min(sum((units for _moment, units in refunds), ZERO), quantity)
    parcels = get_parcels(raw)
    completed = raw.get("date_completed_gmt")
    if parcels:
        shipped = min(sum((parcel["items"].get(line_id, ZERO) for parcel in parcels), ZERO), quantity)
        cancelled = min(refunded, quantity - shipped)
    elif completed and raw.get("status") in ("completed", "refunded"):
        moment = to_datetime(completed, "The order's date_completed")
        cancelled = min(sum((units for at, units in refunds if at < moment), ZERO), quantity)
        shipped = quantity - cancelled
    else:
        shipped, cancelled = ZERO, refunded
    return shipped, cancelled, refunded - cancelled


def _map_charge(row, prefix, name, rates):
    net, tax = _read(row, "total", "The total of a charge"), _read(row, "total_tax", "The tax of a charge")
    return ChannelShipping(
        external_id=f"{prefix}{required(row, 'id', 'The id of a charge')}",
        name=html.unescape(to_text(name)),
        amount=net,
        total=net + tax,
        tax_amount=tax,
        tax_rate=_get_rate(row, rates),
    )


def _map_payments(raw, order_id, currency):
    """WooCommerce knows one payment an order: its total, by the method the buyer chose. How much was paid it does not
    say: who edits a paid order upwards leaves it paid."""
    total = round_money(to_decimal(raw.get("total"), "The order's total"), currency)
    method, paid = to_text(raw.get("payment_method")), raw.get("date_paid_gmt")
    if not total or not (method or paid):
        return ()
    captured = total if paid else ZERO
    given = sum((abs(_read(refund, "total", "A refund's total")) for refund in rows(raw, "refunds")), ZERO)
    refunded = min(round_money(given, currency), captured)
    if refunded:
        state = "refunded" if refunded >= captured else "partially_refunded"
    else:
        closed = raw.get("status") in ("cancelled", "trash")
        state = "captured" if paid else "cancelled" if closed else "pending"
    return (
        ChannelPayment(
            external_id=order_id,
            provider=method,
            amount=total,
            currency=currency,
            state=state,
            captured_amount=captured,
            is_by_total=True,
            refunded_amount=refunded,
            fee_amount=_get_fee(raw, currency),
            date=to_datetime(paid or raw.get("date_created_gmt"), "The payment's time"),
        ),
    )


def _map_address(address):
    """None for an address without a street and a name, as downloads and local pick-up have."""
    address = address or {}
    name = join_name(to_text(address.get("first_name")), to_text(address.get("last_name")))
    if not name and not to_text(address.get("address_1")):
        return None
    return ChannelAddress(
        name=name,
        company=to_text(address.get("company")),
        street=to_text(address.get("address_1")),
        street2=to_text(address.get("address_2")),
        city=to_text(address.get("city")),
        province=_get_province(address),
        zip=to_text(address.get("postcode")),
        country_code=to_text(address.get("country")).upper(),
        phone=to_text(address.get("phone")),
        email=to_text(address.get("email")),
    )


def _get_province(address):
    """WooCommerce has codes of its own for some countries ("DE-BY", "CN12"): what others call the same province."""
    country, state = to_text(address.get("country")).upper(), to_text(address.get("state"))
    if country == "CN":
        return _CHINA.get(state.upper(), state)
    return state[len(country) + 1 :] if country and state.upper().startswith(f"{country}-") else state


def join_name(first_name, last_name):
    """ "Ada Lovelace", but family name first and unspaced in Chinese, Japanese and Korean writing."""
    if any("\u2e80" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7af" for sign in first_name + last_name):
        return last_name + first_name
    return " ".join(filter(None, (first_name, last_name)))


def _read(row, key, what):
    return to_decimal(row.get(key) or "0", what)


def _get_fee(raw, currency):
    """What the payment provider keeps, where its extension writes it down. One in another currency is left out, and
    what is no number: an extension's notes must not hold up an order."""
    for fee_key, currency_key in FEE_META:
        fee = get_meta(raw, fee_key)
        if fee in (None, ""):
            continue
        told = to_text(get_meta(raw, currency_key)).upper() if currency_key else ""
        try:
            return round_money(to_decimal(fee, fee_key), currency) if told in ("", currency) else ZERO
        except BadResponse:
            return ZERO
    return ZERO
