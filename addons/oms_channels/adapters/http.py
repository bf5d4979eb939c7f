"""One HTTP call, with limits, turned into an answer or an AdapterError. No retry here: the queue retries."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import requests
import urllib3

from .errors import AdapterError, AuthError, BadResponse, BrokenDown, RateLimited, Rejected, Unavailable
from .values import load_json

# Connecting takes milliseconds when the shop is there at all; reading covers a slow list of a hundred orders; the whole
# answer must be in before the queue's lane could be thought dead.
CONNECT_TIMEOUT, READ_TIMEOUT, TOTAL_TIMEOUT = 5, 20, 60
# A page of 100 orders with everything in it is about 2 MB.
MAX_BYTES = 32 * 1024 * 1024
CHUNK = 16 * 1024


@dataclass(frozen=True)
class HttpRequest:
    method: str
    url: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    timeout: tuple[float, float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT, TOTAL_TIMEOUT)
    max_bytes: int = MAX_BYTES


@dataclass(frozen=True)
class HttpResponse:
    status: int
    headers: Mapping[str, str]  # keys in lower case
    body: bytes


def send(request):
    """Do one call. Follows no redirect (it could carry the key elsewhere), reads no netrc (it would replace the key).

    :param request: HttpRequest
    :return: HttpResponse of any status
    :raises Unavailable: no connection or timeout; BadResponse: cut short or oversized
    """
    connect, read, total = request.timeout
    deadline = time.monotonic() + total
    try:
        with (
            requests.Session() as session,
            session.request(
                request.method,
                request.url,
                params=request.params,
                data=request.body,
                headers=dict(request.headers),
                auth=lambda prepared: prepared,
                timeout=(connect, read),
                stream=True,
                allow_redirects=False,
            ) as answer,
        ):
            body = _read_body(answer, request.max_bytes, deadline)
            return HttpResponse(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, body)
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise Unavailable("The shop did not answer in time.", is_uncertain=_may_have_arrived(error)) from error
    except (
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
        urllib3.exceptions.HTTPError,
    ) as error:
        raise BadResponse(f"The shop's answer was cut short ({type(error).__name__}).") from error
    except requests.exceptions.ConnectionError as error:
        raise Unavailable("The shop cannot be reached.", is_uncertain=_may_have_arrived(error)) from error
    except (requests.exceptions.RequestException, ValueError) as error:
        raise AdapterError(f"The call could not be made ({type(error).__name__}). Check the shop's address.") from error


def _may_have_arrived(error):
    """Whether the shop may have got the call: not where no connection came about."""
    refused = (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError, requests.exceptions.ProxyError)
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return not isinstance(error, refused) and not isinstance(reason, urllib3.exceptions.NewConnectionError)


def _read_body(answer, max_bytes, deadline):
    chunks, size = [], 0
    for chunk in _iter_chunks(answer):
        size += len(chunk)
        if size > max_bytes:
            raise BadResponse(f"The shop's answer is larger than {max_bytes} bytes.")
        if time.monotonic() > deadline:
            raise Unavailable("The shop's answer took too long.")
        chunks.append(chunk)
    expected = answer.headers.get("Content-Length")
    if expected and expected.isdigit() and not answer.headers.get("Content-Encoding") and size < int(expected):
        raise BadResponse("The shop's answer was cut short.")
    return b"".join(chunks)


def _iter_chunks(answer):
    """Yield what has arrived as soon as it has: a shop that drips is noticed by the deadline, not at the end.

    urllib3 before 2.1 cannot; there a dripping shop is noticed once a chunk is full.
    """
    if not hasattr(answer.raw, "read1"):
        yield from answer.iter_content(CHUNK)
        return
    while chunk := answer.raw.read1(CHUNK, decode_content=True):
        yield chunk


def parse_json(response, kind=dict):
    """Return the JSON object (or list, as ``kind``) of an answer; BadResponse when it is none."""
    content_type = response.headers.get("content-type", "")
    if "json" not in content_type.lower():
        raise BadResponse(f"The shop answered {content_type or 'without content type'} instead of JSON.")
    try:
        data = load_json(response.body)
    except (ValueError, RecursionError) as error:
        raise BadResponse("The shop's answer is not complete JSON.") from error
    if not isinstance(data, kind):
        raise BadResponse(f"The shop's answer is not a JSON {'object' if kind is dict else 'list'}.")
    return data


def check_status(response, message=""):
    """Raise the AdapterError that fits a status other than 2xx. :param message: what the shop says about it"""
    status = response.status
    if 200 <= status < 300:
        return
    detail = f": {message[:300]}" if message else "."
    if status in (401, 403):  # 403: the key is known, but may not do this
        raise AuthError(f"The shop refused the key (HTTP {status}){detail}", is_shop_wide=status == 401)
    if status == 429:
        raise RateLimited(f"The shop asks to slow down (HTTP 429){detail}", retry_after=get_retry_after(response))
    if status in (408, 425) or status >= 500:
        kind = Unavailable if status in (408, 425, 503) else BrokenDown
        raise kind(f"The shop has a problem (HTTP {status}){detail}", retry_after=get_retry_after(response))
    if 300 <= status < 400:
        raise Rejected(f"The shop redirects (HTTP {status}). Enter its final address.")
    raise Rejected(f"The shop refused (HTTP {status}){detail}")


def get_retry_after(response):
    """Seconds of Retry-After (number, or date against the answer's own Date), at most an hour, or None."""
    value = response.headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            sent = parsedate_to_datetime(response.headers["date"])
            seconds = (parsedate_to_datetime(value) - sent).total_seconds()
        except (KeyError, ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), 3600.0)
