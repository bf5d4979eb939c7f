"""HTTP only: one call of Amazon's Selling Partner API, with tokens of Login with Amazon, at the pace it allows."""

import hashlib
import json
import re
import threading
import time
from functools import partial
from urllib.parse import urlencode, urlsplit

from .. import http
from ..errors import AuthError, BadResponse, RateLimited, Rejected, Throttled
from ..values import load_json, rows, to_text

LOGIN_URL = "https://api.amazon.com/auth/o2/token"
# Waiting for a call's turn takes this long at most; after that the queue shall wait instead of a worker.
MAX_WAIT = 10.0
USER_AGENT = "OdooOMS/19.0 (Language=Python)"
# (calls a second, calls at once) of an account that Amazon has given nothing more; answers tell the true rate.
PACES = {
    "searchOrders": (0.0056, 20),
    "getOrder": (0.5, 30),
    "getOrders": (0.0167, 20),
    "getOrderItems": (0.5, 30),
    "confirmShipment": (2.0, 10),
    "searchListingsItems": (5.0, 5),
    "patchListingsItem": (5.0, 5),
    "getMarketplaceParticipations": (0.016, 15),
    "listTransactions": (0.5, 10),
    "createRestrictedDataToken": (1.0, 10),
}
# Tokens by login and purpose: an adapter lives for one call of ours, a token for an hour.
_TOKENS = {}
_LOCK = threading.Lock()


class Pacer:
    """A bucket an operation, as Amazon keeps it, in the memory; when ours was fuller than Amazon's, Amazon says so."""

    def __init__(self, memory, clock, sleep):
        self.memory, self.clock, self.sleep = memory, clock, sleep

    def wait(self, operation):
        """Sleep until it is the operation's turn. :raises Throttled: when that would take too long"""
        seconds = self.memory(operation, partial(self._take, operation))
        if seconds > MAX_WAIT:
            raise Throttled(f"Amazon allows no more calls of {operation} now.", retry_after=round(seconds, 1))
        if seconds > 0:
            self.sleep(seconds)

    def _take(self, operation, state):
        """(state with a token less, seconds until it is there). A token that is still to come may be taken."""
        rate, burst = PACES.get(operation, (1.0, 1))
        rate, now = state.get("rate") or rate, self.clock()
        tokens = state.get("tokens", float(burst)) + max(now - state.get("at", now), 0.0) * rate
        tokens = min(tokens, float(burst))
        seconds = max(1 - tokens, 0.0) / rate
        if seconds <= MAX_WAIT:
            state = {**state, "tokens": tokens - 1, "at": now}
        return state, seconds

    def learn(self, operation, headers, is_refused=False):
        """Keep the rate that an answer tells, and that there is no token left. :return: the rate, or None"""
        try:
            rate = float(headers.get("x-amzn-ratelimit-limit") or 0)
        except ValueError:
            rate = 0.0
        told = {"rate": rate} if rate > 0 else {}
        empty = {"tokens": 0.0, "at": self.clock()} if is_refused else {}
        if told or empty:
            self.memory(operation, lambda state: ({**state, **told, **empty}, None))
        return rate or None


class AmazonClient:
    """:param transport: callable(HttpRequest) -> HttpResponse
    :param clock, sleep: of the pace; tests give their own
    """

    def __init__(self, config, transport, clock=time.time, sleep=time.sleep):
        self.config, self.transport = config, transport
        self.pacer = Pacer(config.memory, clock, sleep)

    def get(self, operation, path, restricted=None, **params):
        """The JSON object of an answer.

        :param restricted: the path and the data for which a restricted token is needed, ((path, (element, ...)), ...)
        """
        return http.parse_json(self._request(operation, "GET", path, params, restricted=restricted))

    def patch(self, operation, path, body, **params):
        return http.parse_json(self._request(operation, "PATCH", path, params, body))

    def post(self, operation, path, body):
        """Make a call whose answer is empty."""
        self._request(operation, "POST", path, {}, body)

    def _request(self, operation, method, path, params, body=None, restricted=None):
        token, is_kept, key = self._get_token(restricted)
        try:
            return self._call(operation, method, path, params, body, token)
        except AuthError:
            if not is_kept:
                raise
        self._forget(key, token)
        return self._call(operation, method, path, params, body, self._get_token(restricted)[0])

    def _call(self, operation, method, path, params, body, token):
        self.pacer.wait(operation)
        headers = {"Accept": "application/json", "User-Agent": USER_AGENT, "x-amz-access-token": token}
        if body is not None:
            headers["Content-Type"] = "application/json"
        pairs = tuple((name, _join(value)) for name, value in params.items() if value not in (None, "", ()))
        response = self.transport(
            http.HttpRequest(
                method,
                f"{self.config.base_url}{path}",
                params=pairs,
                headers=headers,
                body=None if body is None else json.dumps(body).encode(),
            )
        )
        rate = self.pacer.learn(operation, response.headers, response.status == 429)
        if response.status == 429:
            retry_after = http.get_retry_after(response) or (min(1 / rate, 3600.0) if rate else None)
            # Each operation has a limit of its own: the others go on.
            message = f"Amazon asks to slow down ({operation})."
            raise RateLimited(message, retry_after=retry_after, is_shop_wide=False)
        if not 200 <= response.status < 300:
            http.check_status(response, _find_message(response))
        return response

    # === TOKENS === #

    def _get_token(self, restricted=None):
        """(token, whether it was made before, its key)."""
        key = (self._get_login(), restricted)
        with _LOCK:
            known = _TOKENS.get(key)
        if known and known[1] > time.time():
            return known[0], True, key
        token, seconds, is_kept = self._restrict(restricted) if restricted else (*self._login(), False)
        with _LOCK:
            _TOKENS[key] = (token, time.time() + seconds)
        return token, is_kept, key

    def _forget(self, key, token):
        """The token and those made with it."""
        with _LOCK:
            if _TOKENS.get(key, ("",))[0] == token:
                for one in [one for one in _TOKENS if one[0] == key[0]]:
                    del _TOKENS[one]

    def _get_login(self):
        names = ("api_key", "api_secret", "refresh_token")
        text = "\n".join(to_text(self.config.credentials.get(name)) for name in names)
        return self.config.base_url, hashlib.sha256(text.encode()).hexdigest()

    def _login(self):
        """(access token, seconds it is good for), by the seller's refresh token."""
        names = ("api_key", "api_secret", "refresh_token")
        client_id, secret, refresh = (to_text(self.config.credentials.get(name)) for name in names)
        if not (client_id and secret and refresh):
            raise AuthError(
                "Client ID, client secret and refresh token are not all set. They come from Seller Central > "
                "Apps and Services > Develop Apps."
            )
        form = {
            "grant_type": "refresh_token",
            "refresh_token": refresh,
            "client_id": client_id,
            "client_secret": secret,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        body = urlencode(form).encode()
        response = self.transport(http.HttpRequest("POST", self._get_login_url(), headers=headers, body=body))
        if response.status in (400, 401, 403):
            raise AuthError(f"Amazon refused the login: {_find_login_error(response)}")
        http.check_status(response)
        return _read_token(http.parse_json(response), "access_token", "expires_in")

    def _get_login_url(self):
        """Amazon's, but where the API itself is a stand-in its login is as well."""
        host = urlsplit(self.config.base_url).hostname or ""
        return LOGIN_URL if re.search(r"(^|\.)amazon\.(com|cn)$", host) else f"{self.config.base_url}/auth/o2/token"

    def _restrict(self, restricted):
        """(token that opens buyers' data, seconds, whether it was made before). An app without the right to them goes
        on without: the order then comes masked."""
        resources = [{"method": "GET", "path": path, "dataElements": list(elements)} for path, elements in restricted]
        path = "/tokens/2021-03-01/restrictedDataToken"
        try:
            response = self._request("createRestrictedDataToken", "POST", path, {}, {"restrictedResources": resources})
        except (AuthError, Rejected):
            token, _is_kept, _key = self._get_token()
            return token, 60, False
        return (*_read_token(http.parse_json(response), "restrictedDataToken", "expiresIn"), False)


def _read_token(answer, name, lifetime):
    token, seconds = to_text(answer.get(name)), answer.get(lifetime)
    if not token:
        raise BadResponse("Amazon's answer has no token.")
    # A little early, so that none runs out on its way.
    return token, (seconds if isinstance(seconds, int) and seconds > 0 else 3600) * 0.9


def _join(value):
    return ",".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _find_message(response):
    try:
        errors = rows(load_json(response.body), "errors")
    except (ValueError, BadResponse):
        return ""
    texts = (f"{to_text(row.get('message'))} {to_text(row.get('details'))}".strip() for row in errors)
    return "; ".join(text for text in texts if text)


def _find_login_error(response):
    try:
        answer = load_json(response.body)
        return to_text(answer.get("error_description") or answer.get("error"))[:300]
    except (ValueError, AttributeError):
        return f"HTTP {response.status}"
