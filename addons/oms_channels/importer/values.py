"""Cells -> values of the order's schema. What makes no sense is a CellFault with a code."""

import re
import unicodedata
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation

_SCIENTIFIC = re.compile(r"\d(\.\d+)?[eE]\+\d+")
_MOMENT = re.compile(
    r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(?:[T\s]+(\d{1,2})[:时](\d{1,2})分?(?::?(\d{1,2})秒?)?)?"
)


class CellFault(ValueError):
    """:param code: number, time, shortened"""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def convert(cell, kind, tz):
    """Return the schema's value of a cell, None for an empty one.

    :param tz: tzinfo in which the file's times are told
    """
    if cell is None or cell == "":
        return None
    return {
        "text": _to_text,
        "code": _to_code,
        "number": _to_number,
        "money": _to_money,
        "time": lambda value: _to_moment(value, tz),
    }[kind](cell)


def _to_text(cell):
    if isinstance(cell, float) and cell == int(cell):
        cell = int(cell)
    return re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", " ", str(cell)).strip()


def _to_code(cell):
    """Number-like text: what Excel made of it is undone where nothing is lost, and refused where something is."""
    if isinstance(cell, float | int) and abs(cell) >= 10**15:
        raise CellFault("shortened")  # Excel keeps 15 digits
    text = _to_text(cell)
    if _SCIENTIFIC.fullmatch(text):
        raise CellFault("shortened")
    return unicodedata.normalize("NFKC", text).replace("\n", " ")


def _to_decimal(cell):
    text = unicodedata.normalize("NFKC", str(cell)).strip()
    text = re.sub(r"^[¥$€£]|元$|[\s]", "", text)
    if re.fullmatch(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise CellFault("number") from error
    if isinstance(cell, bool) or not number.is_finite() or abs(number) > 10**12:
        raise CellFault("number")
    return number.quantize(Decimal("0.000001")).normalize() + 0


def _to_number(cell):
    number = _to_decimal(str(cell).rstrip("% "))
    return int(number) if number == number.to_integral_value() else float(number)


def _to_money(cell):
    number = _to_decimal(cell)
    return f"{number:f}" if number >= 0 else float(number)


def _to_moment(cell, tz):
    if isinstance(cell, date) and not isinstance(cell, datetime):
        cell = datetime.combine(cell, time())
    if not isinstance(cell, datetime):
        match = _MOMENT.fullmatch(unicodedata.normalize("NFKC", str(cell)).strip())
        if match:
            cell = _make_moment([int(part or 0) for part in match.groups()])
        else:
            cell = _read_iso(str(cell))
    if not cell.tzinfo:
        cell = cell.replace(tzinfo=tz)
    try:
        return cell.astimezone(UTC).replace(microsecond=0).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError as error:
        raise CellFault("time") from error


def _make_moment(parts):
    try:
        return datetime(*parts)
    except ValueError as error:
        raise CellFault("time") from error


def _read_iso(text):
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise CellFault("time") from error
