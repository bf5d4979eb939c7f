"""HTTP only: one call of WooCommerce's REST API v3."""

import base64
import json
import secrets
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .. import http
from ..errors import AuthError, BadResponse, Rejected, Unavailable
from ..values import load_json
from .signature import METHOD, sign_call

PATH = "/wp-json/wc/v3"
NO_ROUTE = "rest_no_route"
# Seconds that a signature's time may be off.
CLOCK_WINDOW = 900


class NoRoute(Rejected):
    """The shop has no such call: an older version, or the feature is switched off."""


class WooCommerceClient:
    """:param transport: callable(HttpRequest) -> HttpResponse
    :param clock: callable -> aware datetime; the signature carries the time
    :param make_nonce: callable -> text that was never used before
    """

    def __init__(self, config, transport, clock=None, make_nonce=None):
        self.config, self.transport = config, transport
        self.clock = clock or (lambda: datetime.now(UTC))
        self.make_nonce = make_nonce or (lambda: secrets.token_hex(16))

    def get(self, path, **params):
        """The JSON object of an answer."""
        return http.parse_json(self._call("GET", path, params))

    def get_list(self, path, **params):
        """(JSON list, number of pages) of an answer."""
        response = self._call("GET", path, params)
        pages = response.headers.get("x-wp-totalpages", "")
        return http.parse_json(response, list), int(pages) if pages.isdigit() else None

    def post(self, path, body, **params):
        return http.parse_json(self._call("POST", path, params, body))

    def put(self, path, body, **params):
        return http.parse_json(self._call("PUT", path, params, body))

    def check(self, method, path, body):
        """Make a call whose answer is of no interest."""
        self._call(method, path, {}, body)

    def _call(self, method, path, params, body=None):
        key, secret = (self.config.credentials.get(name) for name in ("api_key", "api_secret"))
        if not key or not secret:
            raise AuthError(
                "Consumer key and secret are not set. Make them in WooCommerce > Settings > Advanced > API."
            )
        url = f"{self.config.base_url}{PATH}{path}"
        signed_at = None
        pairs = [(name, str(value)) for name, value in params.items() if value is not None]
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if url.lower().startswith("https://"):
            token = base64.b64encode(f"{key}:{secret}".encode()).decode()
            headers["Authorization"] = f"Basic {token}"
        else:
            signed_at = self.clock()
            pairs = self._sign(method, url, pairs, key, secret, signed_at)
        response = self.transport(
            http.HttpRequest(
                method,
                url,
                params=tuple(pairs),
                headers=headers,
                body=None if body is None else json.dumps(body).encode(),
            )
        )
        if not 200 <= response.status < 300:
            _raise(response, method, signed_at)
        return response

    def _sign(self, method, url, pairs, key, secret, moment):
        """Over plain http the secret must not travel: the shop refuses it there."""
        pairs = [
            *pairs,
            ("oauth_consumer_key", key),
            ("oauth_nonce", self.make_nonce()),
            ("oauth_signature_method", METHOD),
            ("oauth_timestamp", str(int(moment.timestamp()))),
        ]
        return [*pairs, ("oauth_signature", sign_call(secret, method, url, pairs))]


def _raise(response, method, signed_at):
    try:
        answer = load_json(response.body)
        code, message = str(answer.get("code") or ""), str(answer.get("message") or "")
    except (ValueError, AttributeError):
        code = message = ""
        if response.status == 404 and "json" in response.headers.get("content-type", ""):
            raise BadResponse("The shop's answer is not complete JSON.") from None
    if response.status == 404 and code == NO_ROUTE:
        raise NoRoute(f"The shop has no such call (HTTP 404): {message[:300]} Check its address and permalinks.")
    if response.status == 404 and not code:
        raise Rejected("There is no WooCommerce at this address (HTTP 404). Check it, and the shop's permalinks.")
    if response.status == 500 and code.startswith("woocommerce_rest"):  # a refusal in the clothes of a failure
        raise Rejected(f"The shop refused ({code}): {message[:300]}")
    if response.status == 503 and "maintenance" in message.lower():
        raise Unavailable("The shop is in maintenance.", retry_after=http.get_retry_after(response))
    if response.status == 401:
        # A key that may only read is refused with 401 as well: what reads goes on, and tells whether the key is wrong.
        text = f"{message[:300]} {_explain_refusal(response, signed_at)}".strip()
        raise AuthError(f"The shop refused the key (HTTP 401): {text}", is_shop_wide=method == "GET")
    http.check_status(response, f"{message} ({code})" if code else message)
    raise BadResponse(f"The shop answered HTTP {response.status}.")


def _explain_refusal(response, signed_at):
    """What a person can look at. By the answer's time, not by its words: these are in the shop's language."""
    if not signed_at:
        return (
            "Check key, secret and permission, and that the web server hands the header Authorization on to WordPress, "
            "which must know that it is called over https."
        )
    try:
        is_off = abs((parsedate_to_datetime(response.headers["date"]) - signed_at).total_seconds()) > CLOCK_WINDOW
    except (KeyError, ValueError, TypeError):
        is_off = False
    if is_off:
        return "Set this server's clock right."
    return "Check key, secret and permission, and that the address is just the Site Address in WordPress > Settings."
