"""What a shop's answer can be mapped to: the fields of ChannelOrder and its parts, of Listing, and of what is pushed.

A group is read from one object of the answer. Where it has several (lines, charges, payments, requests), or stands
below a key (addresses), the order has a target that says where; without it the group is read from the order itself.
"""

from typing import NamedTuple

TEXT, NUMBER, MONEY, RATE, FLAG, MOMENT, DAY, LIST, ROWS, OBJECT, TEXTS = (
    "text", "number", "money", "rate", "flag", "moment", "day", "list", "rows", "object", "texts",
)  # fmt: skip


class Target(NamedTuple):
    kind: str
    is_required: bool = False
    choices: tuple[str, ...] = ()


ADDRESS_NAMES = (
    "name", "company", "street", "street2", "district", "city", "province", "zip", "country_code", "phone", "email",
)  # fmt: skip
GROUPS = {
    "order": {
        "external_id": Target(TEXT, True),
        "reference": Target(TEXT),
        "version": Target(TEXT),
        "status": Target(TEXT, choices=("open", "cancelled", "completed")),
        "placed_at": Target(MOMENT, True),
        "updated_at": Target(MOMENT),
        "currency": Target(TEXT, True),
        "total": Target(MONEY, True),
        "lines": Target(ROWS, True),
        "shippings": Target(ROWS),
        "payments": Target(ROWS),
        "refund_requests": Target(ROWS),
        "shipping_address": Target(OBJECT),
        "billing_address": Target(OBJECT),
        "email": Target(TEXT),
        "buyer_id": Target(TEXT),
        "buyer_name": Target(TEXT),
        "is_paid": Target(FLAG),
        "note": Target(TEXT),
        "seller_note": Target(TEXT),
        "buyer_ip": Target(TEXT),
        "coupon_codes": Target(TEXTS),
        "risk_score": Target(NUMBER),
        "is_presale": Target(FLAG),
        "ship_from": Target(DAY),
        "ship_by": Target(MOMENT),
        "is_masked": Target(FLAG),
    },
    "line": {
        "external_id": Target(TEXT, True),
        "sku": Target(TEXT),
        "barcode": Target(TEXT),
        "title": Target(TEXT),
        "product_external_id": Target(TEXT),
        "variant_external_id": Target(TEXT),
        "quantity": Target(NUMBER, True),
        "price_unit": Target(MONEY),
        "discount_amount": Target(MONEY),
        "discounts": Target(LIST),
        "tax_amount": Target(MONEY),
        "tax_rate": Target(RATE),
        "is_tax_included": Target(FLAG),
        "total": Target(MONEY),
        "cancelled_quantity": Target(NUMBER),
        "shipped_quantity": Target(NUMBER),
        "delivered_quantity": Target(NUMBER),
        "returned_quantity": Target(NUMBER),
        "requires_shipping": Target(FLAG),
        "ship_from": Target(DAY),
    },
    "shipping": {
        "external_id": Target(TEXT),
        "name": Target(TEXT),
        "amount": Target(MONEY, True),
        "discount_amount": Target(MONEY),
        "tax_amount": Target(MONEY),
        "tax_rate": Target(RATE),
        "is_tax_included": Target(FLAG),
        "total": Target(MONEY),
    },
    "payment": {
        "external_id": Target(TEXT),
        "provider": Target(TEXT),
        "amount": Target(MONEY, True),
        "currency": Target(TEXT),
        "captured_amount": Target(MONEY),
        "refunded_amount": Target(MONEY),
        "fee_amount": Target(MONEY),
        "state": Target(
            TEXT, choices=("pending", "authorized", "captured", "partially_refunded", "refunded", "cancelled")
        ),
        "date": Target(MOMENT),
    },
    "refund_request": {
        "external_id": Target(TEXT, True),
        "kind": Target(TEXT, choices=("refund", "return")),
        "state": Target(TEXT, choices=("requested", "received", "refunded", "refused", "cancelled")),
        "amount": Target(MONEY),
        "reason": Target(TEXT),
        "lines": Target(LIST),
        "requested_at": Target(MOMENT),
    },
    "shipping_address": {name: Target(TEXT) for name in ADDRESS_NAMES},
    "billing_address": {name: Target(TEXT) for name in ADDRESS_NAMES},
    "listing": {
        "external_id": Target(TEXT, True),
        "sku": Target(TEXT),
        "barcode": Target(TEXT),
        "title": Target(TEXT),
        "price": Target(MONEY),
        "currency": Target(TEXT),
        "product_external_id": Target(TEXT),
        "inventory_external_id": Target(TEXT),
        "is_active": Target(FLAG),
        "quantity": Target(NUMBER),
    },
    "push": {"carrier": Target(TEXT)},
}
# Group -> the target of the order that says where the group's objects are.
CONTAINERS = {
    "line": "lines",
    "shipping": "shippings",
    "payment": "payments",
    "refund_request": "refund_requests",
    "shipping_address": "shipping_address",
    "billing_address": "billing_address",
}
TARGETS = {f"{group}.{name}": target for group, names in GROUPS.items() for name, target in names.items()}


def split_target(key):
    """("line", "sku") of "line.sku"."""
    group, _dot, name = key.partition(".")
    return group, name
