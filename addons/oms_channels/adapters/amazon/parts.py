"""Pure: the two versions of Amazon's orders -> one plain form that the mapper reads.

Amazon tells every amount of an item for all its units, by kind. ``Item.parts`` holds them as {kind: Part}; discounts
are positive, and a discount's own tax is taken off the tax.
"""

from dataclasses import dataclass, field
from decimal import Decimal

from ..types import ZERO
from ..values import required, rows, to_decimal, to_text

GOODS, SHIPPING, GIFT_WRAP, COD, OTHER = "goods", "shipping", "gift-wrap", "cod", "other"
_KINDS = {"ITEM": GOODS, "SHIPPING": SHIPPING, "GIFT_WRAP": GIFT_WRAP, "COD_FEE": COD, "OTHER": OTHER}


@dataclass
class Part:
    amount: Decimal = ZERO
    discount: Decimal = ZERO
    tax: Decimal = ZERO


@dataclass
class Item:
    item_id: str
    sku: str
    asin: str
    title: str
    ordered: Decimal
    shipped: Decimal
    parts: dict
    currency: str = ""
    promotions: tuple = ()
    gift_message: str = ""
    cancel_reason: str | None = None  # of a buyer who asks to cancel; "" without a reason
    requests_cancel: bool = False


@dataclass
class Parcel:
    reference: str
    number: str
    carrier: str
    is_alive: bool
    is_delivered: bool
    content: dict = field(default_factory=dict)  # {item id: units}


# === VERSION 0 === #


def read_items_v0(raw):
    return [_read_item_v0(row) for row in rows(raw, "OrderItems")]


def _read_item_v0(row):
    item_id = to_text(required(row, "OrderItemId", "The id of an item"))
    info = row.get("BuyerInfo") or {}
    cancel = row.get("BuyerRequestedCancel") or {}
    money = row.get("ItemPrice") or {}
    parts = {
        GOODS: Part(
            _v0(row, "ItemPrice"),
            _v0(row, "PromotionDiscount"),
            _v0(row, "ItemTax") - _v0(row, "PromotionDiscountTax"),
        ),
        SHIPPING: Part(
            _v0(row, "ShippingPrice"),
            _v0(row, "ShippingDiscount"),
            _v0(row, "ShippingTax") - _v0(row, "ShippingDiscountTax"),
        ),
        GIFT_WRAP: Part(_v0(info, "GiftWrapPrice"), ZERO, _v0(info, "GiftWrapTax")),
        COD: Part(_v0(row, "CODFee"), _v0(row, "CODFeeDiscount")),
    }
    return Item(
        item_id=item_id,
        sku=to_text(row.get("SellerSKU")),
        asin=to_text(row.get("ASIN")),
        title=to_text(row.get("Title")),
        ordered=to_decimal(row.get("QuantityOrdered"), f"QuantityOrdered of {item_id}"),
        shipped=to_decimal(row.get("QuantityShipped") or 0, f"QuantityShipped of {item_id}"),
        parts=parts,
        currency=to_text(money.get("CurrencyCode")).upper(),
        promotions=tuple(to_text(one) for one in row.get("PromotionIds") or ()),
        gift_message=to_text(info.get("GiftMessageText")),
        requests_cancel=to_text(cancel.get("IsBuyerRequestedCancel")).lower() == "true",
        cancel_reason=to_text(cancel.get("BuyerCancelReason")),
    )


def _v0(row, key):
    money = row.get(key)
    return to_decimal(money.get("Amount"), key) if isinstance(money, dict) and money.get("Amount") else ZERO


# === VERSION 2026-01-01 === #


def read_items(raw):
    return [_read_item(row) for row in rows(raw, "orderItems")]


def _read_item(row):
    item_id = to_text(required(row, "orderItemId", "The id of an item"))
    product, proceeds = row.get("product") or {}, row.get("proceeds") or {}
    ordered = to_decimal(row.get("quantityOrdered"), f"quantityOrdered of {item_id}")
    fulfillment, cancel = row.get("fulfillment") or {}, row.get("cancellation") or {}
    request = cancel.get("cancellationRequest") or {}
    unit = (product.get("price") or {}).get("unitPrice") or {}
    parts = _read_breakdowns(proceeds)
    if not parts[GOODS].amount and unit.get("amount"):
        parts[GOODS].amount = to_decimal(unit["amount"], "The unit price") * ordered
    promotions = rows(row.get("promotion") or {}, "breakdowns")
    return Item(
        item_id=item_id,
        sku=to_text(product.get("sellerSku")),
        asin=to_text(product.get("asin")),
        title=to_text(product.get("title")),
        ordered=ordered,
        shipped=to_decimal(fulfillment.get("quantityFulfilled") or 0, f"quantityFulfilled of {item_id}"),
        parts=parts,
        currency=to_text(unit.get("currencyCode") or (proceeds.get("proceedsTotal") or {}).get("currencyCode")).upper(),
        promotions=tuple(to_text(one.get("promotionId")) for one in promotions if one.get("promotionId")),
        gift_message=to_text(((fulfillment.get("packing") or {}).get("giftOption") or {}).get("giftMessage")),
        requests_cancel=bool(request) and not cancel.get("cancellationExecution"),
        cancel_reason=to_text(request.get("cancelReason")),
    )


def _read_breakdowns(proceeds):
    """{kind: Part}. Taxes and discounts say in their details what they are on; without details it is the goods."""
    parts = {kind: Part() for kind in _KINDS.values()}
    for row in rows(proceeds, "breakdowns"):
        kind, amount = row.get("type"), _money(row.get("subtotal"))
        if kind in _KINDS:
            parts[_KINDS[kind]].amount += amount
        elif kind in ("TAX", "DISCOUNT"):
            _add_details(parts, kind, abs(amount), rows(row, "detailedBreakdowns"))
    return parts


def _add_details(parts, kind, amount, details):
    for detail in details:
        value = abs(_money(detail.get("value")))
        subtype = detail.get("subtype")
        if kind == "TAX":
            # The tax of a discount is taken off.
            is_off = subtype == "DISCOUNT"
            parts[_KINDS.get(subtype, GOODS)].tax += -value if is_off else value
            amount -= -value if is_off else value
        else:
            parts[_KINDS.get(subtype, GOODS)].discount += value
            amount -= value
    if kind == "TAX":
        parts[GOODS].tax += amount
    else:
        parts[GOODS].discount += amount


def _money(money):
    return to_decimal((money or {}).get("amount"), "An amount of Amazon")


def read_parcels(raw):
    """[Parcel] of an order in version 2026-01-01."""
    found = []
    for row in rows(raw, "packages"):
        status, content = (row.get("packageStatus") or {}).get("status"), {}
        for item in rows(row, "packageItems"):
            item_id = to_text(item.get("orderItemId"))
            content[item_id] = content.get(item_id, ZERO) + to_decimal(item.get("quantity"), "A quantity")
        found.append(
            Parcel(
                reference=to_text(row.get("packageReferenceId")),
                number=to_text(row.get("trackingNumber")),
                carrier=to_text(row.get("carrier")),
                is_alive=status != "CANCELLED",
                is_delivered=status == "DELIVERED",
                content=content,
            )
        )
    return found
