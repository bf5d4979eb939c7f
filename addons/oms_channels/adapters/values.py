"""Reading foreign values: numbers, times, texts, signatures. Pure; what makes no sense raises BadResponse."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from .errors import AuthError, BadResponse

# ISO 4217 currencies without the usual two decimals that shops sell in.
_DIGITS = dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "RWF", "UGX", "VND", "XAF", "XOF", "XPF"), 0)
_DIGITS.update(dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3))


# What no database keeps in a text, NUL and halves of a character: in a text, and as the bytes of JSON may hold it.
_UNKEPT = re.compile("[\x00\ud800-\udfff]")
_UNKEPT_BYTES = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\xed[\xa0-\xbf]|\x00")


def load_json(text):
    """The JSON value of bytes or text, with texts that can be kept: a buyer's note may hold half an emoji, and what
    can't be stored would come again for ever. NUL is left out, half a character becomes U+FFFD.

    :raises ValueError, RecursionError: no JSON, or too deep
    """
    value = json.loads(text, parse_constant=_refuse_constant)
    return _clean(value) if isinstance(text, str) or _UNKEPT_BYTES.search(text) else value


def _refuse_constant(name):
    raise ValueError(f"{name} is no JSON number.")


def _clean(value):
    if isinstance(value, str):
        return _UNKEPT.sub(lambda sign: "" if sign[0] == "\x00" else "\ufffd", value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(one) for key, one in value.items()}
    return value


def bad_payload(what):
    """The error for a payload that another try will not mend."""
    return BadResponse(what, retryable=False)


def to_decimal(value, what):
    """Decimal of a JSON number or numeric string; ``what`` names the field in the error."""
    if isinstance(value, bool) or value is None or value == "":
        raise bad_payload(f"{what} is missing.")
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise bad_payload(f"{what} is no number: {str(value)[:40]!r}.") from error
    if not number.is_finite():
        raise bad_payload(f"{what} is no number: {str(value)[:40]!r}.")
    return number


def get_digits(currency):
    """Return how many decimals a currency's minor unit has."""
    return _DIGITS.get(currency, 2)


def round_money(amount, currency):
    """Round half up to the decimals of the currency."""
    return amount.quantize(Decimal(1).scaleb(-get_digits(currency)), ROUND_HALF_UP)


def to_json_number(amount):
    """JSON number of a Decimal, an int where it is whole."""
    return int(amount) if amount == amount.to_integral_value() else float(amount)


def to_datetime(value, what):
    """Aware UTC datetime of an ISO 8601 text."""
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    # Overflow: the first or last day of all, in another zone.
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_payload(f"{what} is no time: {str(value)[:40]!r}.") from error


def to_text(value):
    """Stripped text, "" for nothing."""
    return "" if value is None else str(value).strip()


def required(mapping, key, what):
    """The value of a key that must be there."""
    value = mapping.get(key) if isinstance(mapping, dict) else None
    if value is None or value == "":
        raise bad_payload(f"{what} is missing.")
    return value


def rows(mapping, key):
    """The list of dicts under a key; nothing counts as an empty list, anything else is an error."""
    value = mapping.get(key) if isinstance(mapping, dict) else None
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise bad_payload(f"{key} is not a list of objects.")
    return value


# === WEBHOOKS === #


def read_webhook(raw_body):
    """The JSON value of a webhook's body, however it is broken or deep. As it came: only ids are kept of it, and one
    that can't be stored is refused, for it would be another when cleaned."""
    try:
        return json.loads(raw_body)
    except (ValueError, RecursionError) as error:
        raise bad_payload("The webhook is signed but not understood.") from error


def lower_headers(headers):
    """The headers with lower-case keys, whatever the web server made of them."""
    return {str(key).lower(): value for key, value in headers.items()}


def check_signature(secret, given, sign):
    """Compare in constant time against each secret (a string, or several while one is being changed).

    :param sign: callable(secret) -> str
    """
    secrets = [one for one in ([secret] if isinstance(secret, str) else list(secret or ())) if one]
    if not secrets:
        raise AuthError("The webhook secret of this channel is not set; the message was refused.")
    if not given:
        raise AuthError("The webhook carries no signature.")
    matches = [hmac.compare_digest(sign(one).encode(), str(given).encode()) for one in secrets]
    if not any(matches):
        raise AuthError("The webhook's signature is wrong.")


def check_age(occurred_at, now, max_age):
    """Refuse what is older than ``max_age`` seconds, or as far in the future: it may be a replay."""
    if abs((now - occurred_at).total_seconds()) > max_age:
        raise AuthError("The webhook's time is too far from ours; it may be a replay.")


def digest(raw_body):
    """Short stable id of a body, for platforms that send no event id."""
    return hashlib.sha256(raw_body).hexdigest()[:32]
