"""What the open platforms of China have in common: calls, clock, lists read from the back, shares to the cent,
hidden receivers, names of carriers. Pure, but for the callables it is given."""

import hashlib
import hmac
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_DOWN, Decimal
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from . import http
from .errors import AuthError, BadResponse, RateLimited
from .types import ZERO, Credentials
from .values import bad_payload, to_text

CURRENCY = "CNY"
HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Accept": "application/json"}
CHINA = timezone(timedelta(hours=8))
CENT = Decimal("0.01")
# Signs, in lower case, in the code or name of a carrier of ours -> one key per company; each platform has codes of it.
CARRIERS = {
    "sf": ("sf", "shunfeng", "顺丰"),
    "jd": ("jd", "jingdong", "京东"),
    "ems": ("ems", "邮政ems"),
    "post": ("china post", "chinapost", "邮政"),
    "zto": ("zto", "zhongtong", "中通"),
    "yto": ("yto", "yuantong", "圆通"),
    "sto": ("sto", "shentong", "申通"),
    "yunda": ("yunda", "韵达"),
    "jt": ("j&t", "jt", "jitu", "极兔"),
    "deppon": ("deppon", "debang", "dbl", "德邦"),
}


def format_time(moment):
    """Time as the platforms write it: China's, to the second, without a zone."""
    return moment.astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")


def read_time(text, what):
    """Aware UTC datetime of a platform's text."""
    try:
        return datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_payload(f"{what} is no time: {str(text)[:40]!r}.") from error


def read_optional_time(text):
    """Aware UTC datetime, or None for nothing and for what is no time."""
    try:
        return read_time(text, "") if text else None
    except BadResponse:
        return None


def sign_parameters(secret, params, method="md5"):
    """Upper-case hex over ``params`` less ``sign``, sorted by name and strung together without any separator.

    :param method: ``md5`` wraps the text in the secret; ``hmac`` is HMAC-MD5, ``hmac-sha256`` what it says
    """
    text = "".join(f"{name}{value}" for name, value in sorted(params.items()) if name != "sign")
    if method == "md5":
        return hashlib.md5(f"{secret}{text}{secret}".encode(), usedforsecurity=False).hexdigest().upper()
    digest = {"hmac": "md5", "hmac-sha256": "sha256"}[method]
    return hmac.new(secret.encode(), text.encode(), digest).hexdigest().upper()


def parse_answer(response):
    """The JSON object of an answer. The gateways call their JSON text/javascript or text/plain as well."""
    kind = response.headers.get("content-type", "").lower()
    if "javascript" in kind or "text/plain" in kind:
        response = http.HttpResponse(response.status, {**response.headers, "content-type": "json"}, response.body)
    return http.parse_json(response)


def get_server_time(response):
    """The platform's own clock, as its answer says it; None where it does not."""
    try:
        return parsedate_to_datetime(response.headers["date"]).astimezone(UTC)
    except (KeyError, TypeError, ValueError):
        return None


def limited(message):
    """RateLimited with the seconds the platform names ("This ban will last for 9 more seconds"), if it does."""
    found = re.search(r"(\d+)\s*(?:more\s+)?(?:seconds?|秒)", message)
    return RateLimited(message, retry_after=min(float(found[1]), 3600.0) if found else None)


# === CALLS === #


class OpenPlatformClient:
    """What the clients of these platforms share: the keys of a call, the session's renewal, the platform's clock.

    :param transport: callable(HttpRequest) -> HttpResponse
    :param clock: callable -> aware datetime; the signature carries the time
    :ivar server_time: what the platform's clock said in its last answer
    """

    # What a person has to do when the session is gone.
    how_to_authorise = ""

    def __init__(self, config, transport, clock=None):
        self.config, self.transport = config, transport
        self.clock = clock or (lambda: datetime.now(UTC))
        self.server_time = None

    def _get_keys(self):
        """Return app key, app secret and session of a call."""
        key, secret, session = (
            self.config.credentials.get(name) for name in ("api_key", "api_secret", "session_token")
        )
        if not key or not secret:
            raise AuthError("App key and app secret are not set. Enter those of your application on the open platform.")
        if not session:
            raise AuthError(f"The shop has not authorised your application yet. {self.how_to_authorise}")
        return key, secret, session

    def _get_refresh_token(self):
        token = self.config.credentials.get("session_refresh_token")
        if not token:
            raise AuthError(f"There is no refresh token. {self.how_to_authorise}")
        return token

    def _get_token_url(self, gateway, host, path):
        """Return where tokens are renewed: a host of their own, unless somebody stands in for the gateway (a proxy, a
        test), who is asked itself."""
        is_gateway = (urlsplit(self.config.base_url).hostname or "").endswith(gateway)
        return f"{host if is_gateway else self.config.base_url}{path}"

    def _post(self, url, params, may_refuse=False):
        """Send a form. :param may_refuse: whether a refusal (400) is an answer to be read"""
        response = self.transport(http.HttpRequest("POST", url, headers=HEADERS, body=urlencode(params).encode()))
        if not (may_refuse and response.status == 400):
            http.check_status(response)
        self.server_time = get_server_time(response)
        return response


def read_grant(answer, token, now):
    """The Credentials of an answer that has a new token; the refresh token stays where none comes along."""
    seconds = int(answer.get("expires_in") or 0)
    return Credentials(
        {
            "session_token": to_text(answer["access_token"]),
            "session_refresh_token": to_text(answer.get("refresh_token")) or token,
        },
        expires_at=now + timedelta(seconds=seconds) if seconds else None,
    )


# === LISTS READ FROM THE BACK === #


class ListPart(NamedTuple):
    """One page of a list: newest change first."""

    rows: list
    total: int
    server_time: datetime | None


class BackwardReader:
    """Windows of time, each read from its last page to its first.

    Who changes an order takes it out of the window, so that all behind it move up: read forward, one of them would be
    missed; read from the back, one comes twice. That only holds when the window has ended by the platform's clock, so
    none ends later than the platform's own time. What changes meanwhile is found by the next pull.

    The cursor is "start|end|page".

    :param fetch: callable(start text, end text, page, size) -> ListPart
    :param span: the longest window the platform takes
    """

    def __init__(self, fetch, span, clock):
        self.fetch, self.span, self.clock = fetch, span, clock

    def read_page(self, since, until, cursor, size):
        """:return: (rows, oldest change first; cursor of the next page or None)"""
        if cursor and not cursor.endswith("|"):
            start, end, page = cursor.split("|")
            part, page = self.fetch(start, end, int(page), size), int(page)
        else:
            start = cursor.rstrip("|") if cursor else format_time(since)
            end, part, page = self._open(start, until, size)
            if page > 1:
                part = self.fetch(start, end, page, size)
        rows = part.rows[::-1]
        if page > 1:
            return rows, f"{start}|{end}|{page - 1}"
        is_full = read_time(end, "The cursor") - read_time(start, "The cursor") >= self.span
        is_last = not is_full or (until is not None and end >= format_time(until))
        return rows, None if is_last else f"{end}|"

    def _open(self, start, until, size):
        """Return (end of the window, its first page, number of its pages)."""
        start_at = read_time(start, "The cursor")
        end_at = min(start_at + self.span, self.clock(), until or datetime.max.replace(tzinfo=UTC))
        # An empty window is refused by the platforms.
        end = format_time(max(end_at, start_at + timedelta(seconds=1)))
        part = self.fetch(start, end, 1, size)
        if part.server_time and start_at < part.server_time < end_at:
            end = format_time(part.server_time)
            part = self.fetch(start, end, 1, size)
        return end, part, max(-(-part.total // size), 1)


# === VALUES === #


def share_amount(amount, weights):
    """Share an amount to the cent in proportion to the weights; what is left over goes to the largest, cent by cent.

    :return: list of Decimal that adds up to ``amount``
    """
    total = sum(weights, ZERO)
    if not weights or not total:
        return [amount if index == 0 else ZERO for index, _weight in enumerate(weights)]
    shares = [(amount * weight / total).quantize(CENT, ROUND_DOWN) for weight in weights]
    left, step = amount - sum(shares, ZERO), CENT if amount >= 0 else -CENT
    order = sorted(range(len(weights)), key=lambda index: -weights[index])
    for turn in range(int(left / step)):
        shares[order[turn % len(order)]] += step
    return shares


def is_hidden(*texts):
    """Whether the platform has put stars into one of the texts."""
    return any("*" in text for text in texts)


def find_carrier(carrier):
    """The key of a carrier in CARRIERS, by a word in its code or name; "" when none fits."""
    name = carrier.casefold()
    words = name.replace("-", " ").replace("_", " ").split()
    for key, signs in CARRIERS.items():
        if any(sign in words if sign.isascii() and " " not in sign else sign in name for sign in signs):
            return key
    return ""


def dump(value):
    """JSON as the platforms sign it: short, in UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
