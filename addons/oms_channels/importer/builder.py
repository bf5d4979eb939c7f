"""Rows -> orders of the API's schema, with what is wrong in which row and column."""

from dataclasses import dataclass, field

from ..openapi import validation
from .columns import BY_KEY, find_columns
from .values import CellFault, convert

MAX_FAULTS = 20


@dataclass(frozen=True)
class Fault:
    row: int
    column: str  # key of a Column, "" for the whole row
    code: str  # see `oms.order.import._describe_fault`
    value: object = None


@dataclass
class Draft:
    """An order of the file. ``payload`` is to be stored only while there are no faults."""

    external_id: str
    payload: dict
    rows: list = field(default_factory=list)
    faults: list = field(default_factory=list)


@dataclass(frozen=True)
class Book:
    drafts: list
    unknown: list  # headings
    missing: list  # Columns
    twice: list  # Columns


def build(table, tz, defaults):
    """Make the orders of a table (see reader.read_table).

    :param tz: tzinfo of the file's times
    :param defaults: dict by column key, for what neither the file nor the row says
    """
    (_number, headings), *rows = table
    columns, unknown, missing, twice = find_columns(headings)
    drafts = {}
    if not missing and not twice:
        for number, cells in rows:
            _add_row(drafts, number, _read_row(columns, number, cells, tz))
        for draft in drafts.values():
            _finish(draft, defaults)
    return Book(list(drafts.values()), unknown, missing, twice)


def _read_row(columns, number, cells, tz):
    """Return ({column key: value}, faults) of a row."""
    values, faults = {}, []
    for position, column in columns.items():
        cell = cells[position] if position < len(cells) else None
        try:
            value = convert(cell, column.kind, tz)
        except CellFault as error:
            faults.append(Fault(number, column.key, error.code, str(cell)[:40]))
            continue
        if value is not None and value != "":
            values[column.key] = value
    return values, faults


def _add_row(drafts, number, read):
    values, faults = read
    external_id = values.get("order_id", "")
    # A row without an order is an order of its own, so that its error has a place.
    draft = drafts.setdefault(external_id or f"\0{number}", Draft(external_id, {"lines": []}))
    draft.rows.append(number)
    draft.faults += faults
    line = {}
    for key, value in values.items():
        column = BY_KEY[key]
        if column.is_line and len(column.path) > 2:
            line.setdefault(column.path[1], {})[column.path[2]] = value
            continue
        if column.is_line:
            line[column.path[1]] = value
            continue
        target = draft.payload
        for step in column.path[:-1]:
            target = target.setdefault(step, {})
        if target.setdefault(column.path[-1], value) != value:
            draft.faults.append(Fault(number, key, "conflict", target[column.path[-1]]))
    draft.payload["lines"].append(line)


def _finish(draft, defaults):
    """Fill in what goes without saying, and check."""
    payload, address = draft.payload, draft.payload.get("shipping_address")
    payload.setdefault("currency", defaults["currency"])
    if address:
        address["country_code"] = str(address.get("country_code") or defaults["country"]).upper()
        address.setdefault("name", (payload.get("buyer") or {}).get("name") or "")
    if shipping := payload.pop("shippings", None):
        payload["shippings"] = [shipping] if float(shipping["amount"]) else []
    if payment := payload.pop("payments", None):
        payment.setdefault("external_id", f"file:{draft.external_id}"[:64])
        if any(float(payment.get(name) or 0) for name in ("amount", "refunded_amount", "fee_amount")):
            payload["payments"] = [payment]
    for place, line in enumerate(payload["lines"], 1):
        line["external_id"] = str(place)
        if discount := line.pop("discounts", None):
            amount = line.get("discount_amount", "0")
            line["discounts"] = [{"source": "other", **discount, "amount": amount}] if float(amount) else []
    draft.faults += _check(draft)
    del draft.faults[MAX_FAULTS:]


def _check(draft):
    """Return the faults that the schema finds, each at its row and column; a cell with a fault has just one."""
    known = {(fault.row, fault.column) for fault in draft.faults}
    faults = []
    for path, rule, limit in validation.find_faults("Order", draft.payload):
        row, names = draft.rows[0], tuple(part for part in path if isinstance(part, str))
        if path[:1] == ("lines",) and len(path) > 1:
            row = draft.rows[path[1]]
        for name in limit if rule == "required" else [None]:
            column = _find_column((*names, name) if name else names)
            if (row, column) not in known:
                known.add((row, column))
                faults.append(Fault(row, column, rule, None if name else limit))
    return faults if faults or draft.faults else list(_find_excess(draft))


def _find_excess(draft):
    """Yield the faults of what no schema says: more is taken off than there is."""
    for row, line in zip(draft.rows, draft.payload["lines"], strict=True):
        if float(line.get("discount_amount") or 0) > float(line["price_unit"]) * line["quantity"]:
            yield Fault(row, "discount", "discount")
        if line.get("cancelled_quantity", 0) > line["quantity"]:
            yield Fault(row, "cancelled", "maximum", line["quantity"])
    for payment in draft.payload.get("payments", ()):
        if float(payment.get("refunded_amount") or 0) > float(payment["amount"]):
            yield Fault(draft.rows[0], "refunded", "maximum", payment["amount"])


_BY_PATH = {column.path: column.key for column in BY_KEY.values()}


def _find_column(names):
    return _BY_PATH.get(names, "")
