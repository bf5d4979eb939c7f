"""The components of the API: JSON Schema (2020-12) as Python values."""

from ..adapters.types import DISCOUNT_SOURCES, REFUND_KINDS, REFUND_STATES

MAX_BATCH = 100
MAX_LINES = 200
MAX_PAGE = 100

# Control characters have no place in a name or an address; line ends have one in a note.
_TEXT = r"^[^\u0000-\u001f\u007f-\u009f]*$"
_NOTE = r"^[^\u0000-\u0008\u000b-\u000c\u000e-\u001f\u007f-\u009f]*$"
_SKU = (
    r"^[^\u0000-\u0020\u007f-\u00a0]"
    r"([^\u0000-\u001f\u007f-\u009f]{0,62}[^\u0000-\u0020\u007f-\u00a0])?$"
)
ORDER_ID = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"
_MONEY = r"^(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?$"
_TIME = r"^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?(Z|[+-][01][0-9]:[0-5][0-9])$"


def text(length, description="", pattern=_TEXT, **more):
    """A text of at most ``length`` characters."""
    schema = {"type": "string", "maxLength": length, "pattern": pattern, **more}
    return {**schema, "description": description} if description else schema


def listing(items, most, description=""):
    """A list of at most ``most`` items."""
    schema = {"type": "array", "items": items, "maxItems": most}
    return {**schema, "description": description} if description else schema


def ref(name):
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def closed(properties, required=(), description=""):
    """An object without other fields than these: a misspelt field is an error, not silently lost."""
    schema = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}
    return {**schema, "description": description} if description else schema


def _moment(description):
    return {"type": "string", "format": "date-time", "pattern": _TIME, "description": description}


def _id(description):
    return text(64, description, pattern=r"^[!-~]{1,64}$")


DAY = {"type": "string", "format": "date", "pattern": "^20[0-9]{2}-[01][0-9]-[0-3][0-9]$"}
MONEY = {
    "type": ["string", "number"],
    "pattern": _MONEY,
    "minimum": 0,
    "maximum": 999999999,
    "description": 'Amount in major units. A decimal text ("19.90") is exact; a number is accepted as well.',
}
EXTERNAL_ID = {
    "type": "string",
    "pattern": ORDER_ID,
    "description": "Your own id of the order. One order is created for one id, however often it is sent.",
}

IN = {
    "Address": closed(
        {
            "name": text(128),
            "company": text(128),
            "street": text(256),
            "street2": text(256),
            "district": text(64),
            "city": text(64),
            "province": text(64, "Name or code."),
            "zip": text(24),
            "country_code": {"type": "string", "pattern": "^[A-Z]{2}$", "description": "ISO 3166-1 alpha-2."},
            "phone": text(64),
            "email": text(254),
        },
        ["name", "country_code"],
    ),
    "Buyer": closed(
        {
            "id": text(64, "Your id of the buyer: the same buyer is the same contact."),
            "name": text(128),
            "email": text(254),
        }
    ),
    "Discount": closed(
        {
            "source": {
                "enum": list(DISCOUNT_SOURCES),
                "description": "seller: a promotion of yours; platform: at the cost of a platform; coupon: a code that "
                "the buyer has; manual: by your staff.",
            },
            "code": text(64, "The coupon's code, or the promotion's name."),
            "amount": MONEY,
        },
        ["source", "amount"],
    ),
    "Line": closed(
        {
            "external_id": _id("Your id of the line; its position (1, 2, ...) when left out."),
            "sku": text(64, "The product's SKU.", pattern=_SKU),
            "title": text(256),
            "barcode": text(64, pattern=r"^[!-~]*$"),
            "quantity": {"type": "number", "minimum": 0.001, "maximum": 1000000},
            "cancelled_quantity": {
                "type": "number",
                "minimum": 0,
                "maximum": 1000000,
                "description": "How many of quantity were cancelled before they were sent. They stay in quantity, in "
                "the amounts and in total; an order of which nothing is left is cancelled.",
            },
            "price_unit": MONEY,
            "discount_amount": {
                **MONEY,
                "description": "Discount of the whole line; the sum of discounts when left out.",
            },
            "discounts": {
                **listing(ref("Discount"), 20),
                "description": "Who gives what of it. Together they are the discount_amount.",
            },
            "tax_rate": {"type": "number", "minimum": 0, "maximum": 100, "description": "Percent."},
            "ship_from": {**DAY, "description": "This line is not to be sent before this day."},
        },
        ["sku", "quantity", "price_unit"],
    ),
    "Shipping": closed(
        {
            "external_id": _id("Your id of the charge."),
            "name": text(128),
            "amount": MONEY,
            "tax_rate": {"type": "number", "minimum": 0, "maximum": 100, "description": "Percent."},
        },
        ["amount"],
    ),
    "Payment": closed(
        {
            "external_id": _id("Your id of the payment."),
            "provider": text(64, "Such as wechat, alipay, card."),
            "amount": MONEY,
            "state": {"enum": ["pending", "authorized", "captured"], "description": "captured when left out."},
            "paid_at": _moment("When it was captured."),
            "refunded_amount": {
                **MONEY,
                "description": "What you have given back of it so far, whoever asked for it.",
            },
            "fee_amount": {**MONEY, "description": "What the provider keeps of it."},
        },
        ["external_id", "amount"],
    ),
    "RefundLine": closed(
        {
            "external_id": _id("The line's external_id; its position (1, 2, ...) when it has none."),
            "quantity": {"type": "number", "minimum": 0.001, "maximum": 1000000},
        },
        ["external_id", "quantity"],
    ),
    "RefundRequest": closed(
        {
            "external_id": _id("Your id of the request."),
            "kind": {
                "enum": list(REFUND_KINDS),
                "description": "refund: money only; return: goods come back.",
            },
            "state": {
                "enum": list(REFUND_STATES),
                "description": "requested when left out. refunded: you have given the money back; say so in the "
                "payment's refunded_amount as well.",
            },
            "amount": MONEY,
            "reason": text(256),
            "lines": {**listing(ref("RefundLine"), MAX_LINES), "description": "What it is about; all when left out."},
            "requested_at": _moment("When the buyer asked."),
        },
        ["external_id", "kind", "amount"],
    ),
    "Order": closed(
        {
            "external_id": EXTERNAL_ID,
            "reference": text(64, "The number the buyer sees; external_id when left out."),
            "placed_at": _moment("When the buyer ordered."),
            "updated_at": _moment(
                "When it changed last. Send it with every change: of two states of one order the later one counts."
            ),
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$", "description": "ISO 4217."},
            "is_tax_included": {"type": "boolean", "description": "Whether prices include tax (default true)."},
            "buyer": ref("Buyer"),
            "shipping_address": ref("Address"),
            "billing_address": ref("Address"),
            "lines": {**listing(ref("Line"), MAX_LINES), "minItems": 1},
            "shippings": listing(ref("Shipping"), 10),
            "payments": listing(ref("Payment"), 10),
            "refund_requests": listing(
                ref("RefundRequest"),
                50,
                "What the buyer asks, or got, back. What has not left yet waits for a person.",
            ),
            "total": {
                **MONEY,
                "description": "What the buyer owes, with tax and shipping. An order whose lines say otherwise waits "
                "for a person. Summed up from the lines when left out.",
            },
            "note": text(4000, "Of the buyer.", pattern=_NOTE),
            "seller_note": text(4000, "Of your staff.", pattern=_NOTE),
            "buyer_ip": text(45, pattern="^[0-9A-Fa-f:.]*$"),
            "coupon_codes": listing(text(64, pattern=r"^[^\u0000-\u001f\u007f-\u009f,]*$"), 20),
            "risk_score": {"type": "number", "minimum": 0, "maximum": 100},
            "is_presale": {"type": "boolean"},
            "ship_from": {**DAY, "description": "Not to be sent before this day."},
            "ship_by": _moment("Promised to be sent before."),
            "is_masked": {"type": "boolean", "description": "Name, phone or address are hidden."},
        },
        ["external_id", "placed_at", "currency", "lines"],
    ),
    "OrderBatch": closed(
        {"orders": {**listing(ref("Order"), MAX_BATCH), "minItems": 1}},
        ["orders"],
    ),
    "Cancellation": closed({"reason": text(256)}),
}

_STATES = ["waiting", "imported", "failed", "skipped"]
_STAGES = [
    "new", "held", "waiting", "ready", "picked", "packed", "part_shipped", "shipped", "delivered", "returning", "done",
    "cancel",
]  # fmt: skip
_STRING, _INTEGER, _NULLABLE = {"type": "string"}, {"type": "integer"}, {"type": ["string", "null"]}


def _answer(properties, optional=()):
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


OUT = {
    "FieldError": _answer({"path": _STRING, "message": _STRING}),
    "Problem": {
        **_answer(
            {
                "type": _STRING,
                "title": _STRING,
                "status": _INTEGER,
                "code": {"type": "string", "description": "Stable: programs may rely on it."},
                "detail": _STRING,
                "errors": {"type": "array", "items": ref("FieldError")},
                "results": {"type": "array", "items": ref("OrderResult")},
            },
            ["errors", "results"],
        ),
        "description": "RFC 9457 problem details.",
    },
    "OrderResult": _answer(
        {
            "index": {"type": "integer", "description": "Position in the batch, from 0."},
            "external_id": _NULLABLE,
            "result": {"enum": ["accepted", "duplicate", "refused"]},
            "message_id": {"type": ["integer", "null"], "description": "Name it when you ask us about this order."},
            "code": _STRING,
            "errors": {"type": "array", "items": ref("FieldError")},
        },
        ["code", "errors"],
    ),
    "BatchResult": _answer(
        {
            "accepted": _INTEGER,
            "duplicates": _INTEGER,
            "refused": _INTEGER,
            "results": {"type": "array", "items": ref("OrderResult")},
        }
    ),
    "ShippedLine": _answer({"external_id": _NULLABLE, "sku": _STRING, "quantity": {"type": "number"}}),
    "Parcel": _answer(
        {
            "tracking_number": _NULLABLE,
            "tracking_url": _NULLABLE,
            "lines": {
                "type": "array",
                "items": ref("ShippedLine"),
                "description": "What is in it; empty where nobody noted in which box of several a thing is.",
            },
        }
    ),
    "Shipment": _answer(
        {
            "parcels": {
                "type": "array",
                "items": ref("Parcel"),
                "description": "The boxes that left together, each with its number.",
            },
            "tracking_number": {
                **_NULLABLE,
                "description": "Of all boxes, with commas between; see parcels for each.",
            },
            "carrier": _NULLABLE,
            "tracking_url": _NULLABLE,
            "shipped_at": _NULLABLE,
            "lines": {"type": "array", "items": ref("ShippedLine")},
        }
    ),
    "Refund": _answer({"amount": _STRING, "currency": _STRING, "date": _NULLABLE}),
    "Hold": _answer({"gate": _STRING, "message": _STRING}),
    "OrderState": _answer(
        {
            "external_id": _STRING,
            "reference": _NULLABLE,
            "state": {
                "enum": _STATES,
                "description": "What became of what you sent last: waiting in line, imported, failed (message says "
                "why; a person looks at it) or skipped.",
            },
            "message": _NULLABLE,
            "message_id": {"type": ["integer", "null"]},
            "stage": {"enum": [*_STAGES, None], "description": "Where the order is; null until it is imported."},
            "holds": {"type": "array", "items": ref("Hold")},
            "shipments": {"type": "array", "items": ref("Shipment")},
            "refunds": {"type": "array", "items": ref("Refund")},
            "cancelled_lines": {
                "type": "array",
                "items": ref("ShippedLine"),
                "description": "Units that were taken off here and will not be sent; all when the stage is cancel.",
            },
            "cancel_reason": _NULLABLE,
            "total": _NULLABLE,
            "currency": _NULLABLE,
            "updated_at": _NULLABLE,
        }
    ),
    "OrderPage": _answer({"orders": {"type": "array", "items": ref("OrderState")}, "next_cursor": _NULLABLE}),
    "CancelResult": _answer(
        {"external_id": _STRING, "result": {"enum": ["accepted", "duplicate"]}, "message": _STRING}
    ),
    "StockItem": _answer({"sku": _STRING, "quantity": {"type": "number"}}),
    "StockPage": _answer(
        {
            "items": {"type": "array", "items": ref("StockItem")},
            "unknown": {"type": "array", "items": _STRING, "description": "SKUs asked for that are not sold here."},
            "next_cursor": _NULLABLE,
        }
    ),
    "Ping": _answer({"channel": _STRING, "time": _STRING, "scopes": {"type": "array", "items": _STRING}}),
}  # fmt: skip

COMPONENTS = {**IN, **OUT}
