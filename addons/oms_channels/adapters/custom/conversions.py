"""From what an expression gave to what a target takes. Pure; what makes no sense is told in words."""

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from ..medusa.mapper import join_name
from ..values import get_digits
from . import targets
from .templates import to_text

# No order, price or quantity has more digits; beyond them PostgreSQL and rounding give up.
MAX_NUMBER = Decimal("1e15")
# What calculating in floats leaves behind the last true digit.
DUST = Decimal("1e-10")
MAX_TEXT = 5000
_YES = {"true", "yes", "y", "1", "on", "是"}
_NO = {"false", "no", "n", "0", "off", "", "否"}
DEFAULT_PATTERN = "%Y-%m-%d %H:%M:%S"


class ConversionError(ValueError):
    """A value is not what its target takes. Its text is for people."""


def convert(value, kind, field, times, currency=""):
    """Return ``value`` as ``kind`` wants it, None for nothing.

    :param kind: of the target, see ``targets``
    :param field: FieldSpec, for its conversion and pattern
    :param times: object with time_format, time_pattern and time_zone
    :param currency: whose minor units count
    """
    if value is None or value == "":
        return None
    value = _convert_text(value, field.conversion)
    if kind in (targets.NUMBER, targets.MONEY, targets.RATE):
        number = read_number(value)
        if field.conversion == "minor":
            return number.scaleb(-get_digits(currency))
        return number * 100 if field.conversion == "percent" else number
    if kind in (targets.MOMENT, targets.DAY):
        is_own = field.conversion == "date"
        moment = read_moment(
            value, "text" if is_own else times.time_format, (is_own and field.pattern) or times.time_pattern, times
        )
        return moment.astimezone(ZoneInfo(times.time_zone)).date() if kind == targets.DAY else moment
    if kind == targets.FLAG:
        return _read_flag(value)
    if kind == targets.TEXTS:
        return tuple(_read_text(one) for one in (value if isinstance(value, list) else [value]) if one)
    if kind in (targets.ROWS, targets.LIST, targets.OBJECT):
        return value
    return _read_text(value)


def _convert_text(value, conversion):
    if conversion == "name":
        return _join_names(value)
    if conversion in ("upper", "lower"):
        text = _read_text(value)
        return text.upper() if conversion == "upper" else text.lower()
    return value


def read_number(value):
    """Decimal of a number or numeric text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ConversionError(f"{_show(value)} is no number.")
    text = value.strip().replace(",", "") if isinstance(value, str) and _has_thousands(value) else value
    try:
        number = Decimal(str(text).strip())
    except (InvalidOperation, ValueError) as error:
        raise ConversionError(f"{_show(value)} is no number.") from error
    if not number.is_finite():
        raise ConversionError(f"{_show(value)} is no number.")
    if abs(number) >= MAX_NUMBER:
        raise ConversionError(f"{_show(value)} is too large a number.")
    if number.as_tuple().exponent < -10 and isinstance(value, float):
        number = number.quantize(DUST).normalize() + Decimal(0)
    return number


def _has_thousands(text):
    """Whether commas part thousands, as in 1,234.50; a comma for decimals is not guessed."""
    head, _dot, tail = text.strip().partition(".")
    groups = head.lstrip("-+").split(",")
    return (
        len(groups) > 1
        and 1 <= len(groups[0]) <= 3
        and all(len(group) == 3 for group in groups[1:])
        and "," not in tail
    )


def read_moment(value, time_format, pattern, times):
    """Aware UTC datetime of what a shop calls a time."""
    try:
        if time_format in ("unix", "unix_ms"):
            seconds = read_number(value) / (1000 if time_format == "unix_ms" else 1)
            return datetime.fromtimestamp(0, UTC) + _seconds(seconds)
        if isinstance(value, str) and time_format == "iso":
            moment = datetime.fromisoformat(value.strip())
        elif isinstance(value, str):
            moment = datetime.strptime(value.strip(), pattern or DEFAULT_PATTERN)
        else:
            raise ConversionError(f"{_show(value)} is no time.")
        if not moment.tzinfo:
            moment = moment.replace(tzinfo=ZoneInfo(times.time_zone))
        return moment.astimezone(UTC)
    except ConversionError:
        raise
    except (ValueError, OverflowError, TypeError) as error:
        raise ConversionError(f"{_show(value)} is no time of the form the connector names.") from error


def _seconds(seconds):
    return datetime.fromtimestamp(float(seconds), UTC) - datetime.fromtimestamp(0, UTC)


def write_moment(moment, time_format, pattern, zone):
    """A time as the shop wants it: a number for the Unix formats, else text."""
    if moment is None:
        return None
    local = moment.astimezone(ZoneInfo(zone))
    if time_format == "unix":
        return int(moment.timestamp())
    if time_format == "unix_ms":
        return int(moment.timestamp() * 1000)
    if time_format == "iso":
        if zone == "UTC":
            return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
        return local.isoformat(timespec="seconds")
    return local.strftime(pattern or DEFAULT_PATTERN)


def _read_text(value):
    if isinstance(value, dict | list):
        raise ConversionError(f"{_show(value)} is no text.")
    return to_text(value).strip()[:MAX_TEXT]


def _join_names(value):
    if not isinstance(value, list):
        return value
    names = [_read_text(one) for one in value if one]
    return join_name(names[0], names[1]) if len(names) == 2 else " ".join(names)


def _read_flag(value):
    if isinstance(value, bool):
        return value
    if isinstance(value, dict | list):
        return bool(value)
    text = to_text(value).strip().lower()
    if text in _YES or text in _NO:
        return text in _YES
    raise ConversionError(f"{_show(value)} is neither yes nor no.")


def _show(value):
    text = to_text(value) if not isinstance(value, str) else value
    return f"“{text[:60]}”"
