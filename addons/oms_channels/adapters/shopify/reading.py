"""Orders that do not fit into one answer, read to their end."""

from ..values import rows, to_text
from . import mapper, queries


def complete(client, order, gid):
    """Add what did not fit into the first answer: of long orders, many parcels, payments, refunds or returns."""
    order = dict(order)
    for key, more in (
        ("lineItems", queries.MORE_LINES),
        ("shippingLines", queries.MORE_CHARGES),
        ("returns", queries.MORE_RETURNS),
    ):
        order[key] = {"nodes": _read_on(client, order, key, more, "order", gid)}
    for row in order["returns"]["nodes"]:
        key = "returnLineItems"
        row[key] = {"nodes": _read_on(client, row, key, queries.RETURN_CONTENT, "return", row.get("id"))}
    if len(rows(order, "transactions")) == queries.TRANSACTIONS:
        answer = client.query(queries.MORE_TRANSACTIONS, id=gid)
        order["transactions"] = rows(answer.get("order"), "transactions")
    for key, size, more, content, kind in (
        ("fulfillments", queries.PARCELS, queries.MORE_PARCELS, queries.PARCEL_CONTENT, "fulfillment"),
        ("refunds", queries.REFUNDS, queries.MORE_REFUNDS, queries.REFUND_CONTENT, "refund"),
    ):
        found = rows(order, key)
        if len(found) == size:
            found = rows(client.query(more, id=gid).get("order"), key)
        field = f"{kind}LineItems"
        order[key] = [
            {**row, field: {"nodes": _read_on(client, row, field, content, kind, row.get("id"))}} for row in found
        ]
    return order


def _read_on(client, document, field, query, kind, gid):
    """All rows of a connection, of which the first page is there."""
    nodes, cursor = mapper.get_nodes(document, field), get_cursor(document.get(field))
    while cursor:
        answer = client.query(query, id=gid, after=cursor).get(kind) or {}
        nodes = nodes + mapper.get_nodes(answer, field)
        cursor = get_cursor(answer.get(field))
    return nodes


def get_cursor(connection):
    """Where the next page of a connection begins, None behind the last."""
    info = (connection or {}).get("pageInfo") or {}
    return to_text(info.get("endCursor")) or None if info.get("hasNextPage") else None
