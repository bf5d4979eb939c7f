"""The calls of the API. ``handler`` names the method of the channel that does the work."""

from dataclasses import dataclass, field

from . import schemas

PREFIX = "/oms/api/v1"
VERSION = "1.0.0"
SCOPES = {
    "orders:write": "Send orders",
    "orders:read": "Read the state of orders",
    "stock:read": "Read sellable quantities",
    "cancel": "Cancel orders",
}


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    name: str
    summary: str
    description: str
    handler: str
    responses: dict  # {status: (component, description)}
    scope: str = ""
    body: str = ""
    is_body_optional: bool = False
    is_idempotent: bool = False  # takes an Idempotency-Key
    parameters: tuple = field(default_factory=tuple)


def query(name, schema, description):
    """A query parameter."""
    return {"name": name, "in": "query", "required": False, "schema": schema, "description": description}


EXTERNAL_ID = {"name": "external_id", "in": "path", "required": True, "schema": schemas.EXTERNAL_ID}
LIMIT = query("limit", {"type": "integer", "minimum": 1, "maximum": schemas.MAX_PAGE, "default": 50}, "Rows a page.")
CURSOR = query(
    "cursor",
    {"type": "string", "pattern": "^[0-9]{1,15}$"},
    "next_cursor of the page before; the first page when left out.",
)
ORDER_CURSOR = {**CURSOR, "schema": {"type": "string", "pattern": "^m?[0-9]{1,15}$"}}
SKU = {
    **query(
        "sku",
        {"type": "array", "maxItems": schemas.MAX_PAGE, "items": schemas.IN["Line"]["properties"]["sku"]},
        "Only these SKUs; may be repeated.",
    ),
    "style": "form",
    "explode": True,
}
SINCE = query(
    "updated_since",
    {
        "type": "string",
        "format": "date-time",
        "pattern": schemas.IN["Order"]["properties"]["placed_at"]["pattern"],
    },
    "Only orders that something happened to since. Ask with an overlap of some minutes: what comes twice is the same.",
)

OPERATIONS = (
    Operation(
        "GET",
        "/ping",
        "ping",
        "Check the key",
        "Says whose key this is and what it may do.",
        "_api_ping",
        {200: ("Ping", "The key works.")},
    ),
    Operation(
        "POST",
        "/orders",
        "createOrders",
        "Send orders",
        "New orders, and changed ones, up to 100 a call. Each is accepted, or refused with its own errors, for itself. "
        "What is sent twice is a duplicate and changes nothing. They are imported in the background: ask for their "
        "state a moment later.",
        "_api_create_orders",
        {
            202: ("BatchResult", "All were accepted, or were here already."),
            207: ("BatchResult", "Some were refused: see each result."),
        },
        scope="orders:write",
        body="OrderBatch",
        is_idempotent=True,
    ),
    Operation(
        "GET",
        "/orders",
        "listOrders",
        "Orders that changed",
        "Imported orders in the order of their last event, then those that are not imported: waiting in line, failed "
        "with the reason, or skipped.",
        "_api_list_orders",
        {200: ("OrderPage", "A page of orders.")},
        scope="orders:read",
        parameters=(SINCE, ORDER_CURSOR, LIMIT),
    ),
    Operation(
        "GET",
        "/orders/{external_id}",
        "getOrder",
        "State of one order",
        "Where the order is, what holds it, its parcels and refunds; before it is imported, whether it waits or failed "
        "and why.",
        "_api_get_order",
        {200: ("OrderState", "The order.")},
        scope="orders:read",
        parameters=(EXTERNAL_ID,),
    ),
    Operation(
        "POST",
        "/orders/{external_id}/cancel",
        "cancelOrder",
        "Cancel an order",
        "Cancels what has not left the warehouse; a parcel that has is stopped by a person. Done in the background.",
        "_api_cancel_order",
        {202: ("CancelResult", "The cancellation is on its way, or was before.")},
        scope="cancel",
        body="Cancellation",
        is_body_optional=True,
        is_idempotent=True,
        parameters=(EXTERNAL_ID,),
    ),
    Operation(
        "GET",
        "/stock",
        "listStock",
        "Sellable quantities",
        "What this channel may sell, in whole units, as it is published to shops.",
        "_api_list_stock",
        {200: ("StockPage", "A page of quantities.")},
        scope="stock:read",
        parameters=(SKU, CURSOR, LIMIT),
    ),
)


def find_operation(method, path):
    """Find the call behind a path below the prefix.

    :return: (Operation or None, {path parameter: value}, methods that the path knows)
    """
    parts, allowed = path.split("/"), []
    found, found_values = None, {}
    for operation in OPERATIONS:
        names = operation.path.strip("/").split("/")
        if len(names) != len(parts):
            continue
        values = {name[1:-1]: part for name, part in zip(names, parts, strict=True) if name.startswith("{")}
        if all(name.startswith("{") or name == part for name, part in zip(names, parts, strict=True)):
            allowed.append(operation.method)
            if operation.method == method:
                found, found_values = operation, values
    return found, found_values, sorted(set(allowed))
