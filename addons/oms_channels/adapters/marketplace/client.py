"""HTTP only: one signed call of the marketplace's open API."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

from .. import http
from ..errors import AuthError, BadResponse, RateLimited, Rejected, Unavailable
from .mapper import format_time
from .signature import sign_call

SIGN_METHOD = "hmac-sha256"
# Codes in an answer of HTTP 200. All others are business refusals.
_CLOCK_CODE = 1002
_AUTH_CODES = {1001, 1003, 1005}
_RATE_CODES = {1010}
_BUSY_CODES = {5000}


class MarketplaceClient:
    """:param transport: callable(HttpRequest) -> HttpResponse
    :param clock: callable -> aware datetime; the signature carries the time"""

    def __init__(self, config, transport, clock=None):
        self.config, self.transport = config, transport
        self.clock = clock or (lambda: datetime.now(UTC))

    def call(self, method, **content):
        """Return the ``data`` object of the answer."""
        key, secret = (self.config.credentials.get(name) for name in ("api_key", "api_secret"))
        if not key or not secret:
            raise AuthError("App key and app secret are not set. Enter those of the shop's application.")
        params = {
            "method": method,
            "app_key": key,
            "timestamp": format_time(self.clock()),
            "v": "1.0",
            "sign_method": SIGN_METHOD,
            "biz_content": json.dumps(content, ensure_ascii=False, separators=(",", ":")),
        }
        params["sign"] = sign_call(secret, params, SIGN_METHOD)
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Accept": "application/json"}
        response = self.transport(
            http.HttpRequest("POST", f"{self.config.base_url}/router", headers=headers, body=urlencode(params).encode())
        )
        http.check_status(response)
        return self._read(method, http.parse_json(response))

    @staticmethod
    def _read(method, answer):
        code, message = answer.get("code"), str(answer.get("msg") or "")[:300]
        if code == _CLOCK_CODE:
            raise AuthError(f"The marketplace refused the time of the call ({message}). Set this server's clock right.")
        if code in _AUTH_CODES:
            raise AuthError(f"The marketplace refused the key ({code}): {message}")
        if code in _RATE_CODES:
            raise RateLimited(f"The marketplace asks to slow down ({code}): {message}")
        if code in _BUSY_CODES:
            raise Unavailable(f"The marketplace is busy ({code}): {message}")
        if not isinstance(code, int):
            raise BadResponse(f"The marketplace's answer to {method} has no code.")
        if code:
            raise Rejected(f"The marketplace refused {method} ({code}): {message}")
        if not isinstance(answer.get("data"), dict):
            raise BadResponse(f"The marketplace's answer to {method} has no data.")
        return answer["data"]
