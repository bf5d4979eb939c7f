"""Back-fill: orders that the shop writes into a file of JSON lines, read in pieces."""

import json
from typing import NamedTuple

from ..errors import BadResponse, Rejected
from ..values import bad_payload, load_json, to_text
from . import mapper, queries

PIECE = 4 * 1024 * 1024
# The longest line: an order with its transactions.
MAX_LINE = 8 * 1024 * 1024


class BulkState(NamedTuple):
    state: str  # running, done, failed
    count: int  # of the rows written so far
    url: str  # of the file; "" when there is none, because nothing was found or it is not done
    error: str


def start(client, since, until=None):
    """Start, and return the operation's id. The shop runs one or a few at a time and refuses more."""
    window = f"updated_at:>='{mapper.format_time(since)}'"
    if until:
        window += f" updated_at:<'{mapper.format_time(until)}'"
    result = client.mutate(queries.START_BULK, "bulkOperationRunQuery", query=queries.BULK_ORDERS % json.dumps(window))
    operation = result.get("bulkOperation") or {}
    if not operation.get("id"):
        raise BadResponse("The shop did not start the back-fill.")
    return operation["id"]


def get_state(client, bulk_id):
    """Return a BulkState. What a failed one wrote until then is not used: it may end within an order."""
    operation = client.query(queries.BULK, id=bulk_id).get("bulkOperation")
    if not isinstance(operation, dict):
        raise Rejected("The shop does not know this back-fill any more. Start it again.")
    status = to_text(operation.get("status"))
    count = int(operation.get("objectCount") or 0)
    if status == "COMPLETED":
        return BulkState("done", count, to_text(operation.get("url")), "")
    if status in ("CREATED", "RUNNING", "CANCELING"):
        return BulkState("running", count, "", "")
    return BulkState("failed", count, "", to_text(operation.get("errorCode")) or status)


def iter_orders(client, url, start=0):
    """Yield (raw order, place in the file behind it): whoever stops there goes on from there. Never more than a piece
    and one order is held.

    :param start: place in the file at which an order begins
    """
    return join_rows(_iter_lines(client, url, start))


def _iter_lines(client, url, start):
    """Yield (line, where it begins)."""
    position, rest, at = start, b"", start
    while True:
        piece, has_more = client.fetch_file(url, position, PIECE)
        position += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.strip():
                yield line, at
            at += len(line) + 1
        if not has_more:
            if rest.strip():
                yield rest, at
            return
        if len(rest) > MAX_LINE:
            raise bad_payload("The result file has no lines.")


def join_rows(lines):
    """Rows of a grouped file -> (order, where the next one begins): each row that names a parent belongs to the last
    one that names none."""
    order, end = None, 0
    for line, start in lines:
        end = start + len(line)
        try:
            row = load_json(line)
        except (ValueError, RecursionError) as error:
            raise bad_payload("A line of the result file is no JSON.") from error
        if not isinstance(row, dict):
            raise bad_payload("A line of the result file is no object.")
        parent = row.pop("__parentId", None)
        if parent is None:
            if order:
                yield order, start
            order = {**row, mapper.BULK_KEY: True, "lineItems": {"nodes": []}, "shippingLines": {"nodes": []}}
            continue
        if not order or parent != order.get("id"):
            raise bad_payload("The result file is not grouped by order.")
        key = "lineItems" if "/LineItem/" in to_text(row.get("id")) else "shippingLines"
        order[key]["nodes"].append(row)
    if order:
        yield order, end
