"""HTTP only: one call of Shopify's Admin API (GraphQL), within the shop's budget of query cost."""

import hashlib
import json
import threading
import time
from functools import partial

from .. import http
from ..errors import AuthError, BadResponse, RateLimited, Rejected, Throttled
from ..values import load_json, to_text
from .queries import API_VERSION

# A token of the Admin API begins like this; anything else is the client ID of an app, which fetches its tokens itself.
TOKEN_PREFIXES = ("shpat_", "shpca_", "shpua_", "shppa_")
# Waiting for the budget takes this long at most; after that the queue shall wait instead of a worker.
MAX_WAIT = 10.0
_AUTH_CODES = {"ACCESS_DENIED", "UNAUTHENTICATED", "UNAUTHORIZED"}
# Tokens by shop and app: an adapter lives for one call of ours, a token for a day.
_TOKENS = {}
_LOCK = threading.Lock()


class Budget:
    """What the shop lets us ask: a bucket that fills by the second.

    A call waits until twice its cost is there: other apps and other workers of ours drink from the same bucket. What
    the shop said last is in the memory, so that a new adapter begins where the last one was.
    """

    def __init__(self, memory, clock, sleep):
        self.memory, self.clock, self.sleep = memory, clock, sleep

    def wait(self, document):
        """Sleep until the document may be sent. :raises Throttled: when that would take too long"""
        seconds = self.memory("budget", partial(self._take, _get_name(document)))
        if seconds > MAX_WAIT:
            raise Throttled("The shop's budget of query cost is used up.", retry_after=round(seconds, 1))
        if seconds > 0:
            self.sleep(seconds)

    def _take(self, name, state):
        """(state less the cost of a document, seconds until it may be sent)."""
        cost = state.get("costs", {}).get(name)
        if not cost:
            return state, 0.0
        now = self.clock()
        seconds = _get_delay(state, cost, now)
        if seconds <= MAX_WAIT:
            state = {**state, "available": _get_available(state, now) - cost, "seen_at": now}
        return state, seconds

    def learn(self, document, cost):
        """Keep what an answer says about its cost. :param cost: ``extensions.cost``"""
        status = cost.get("throttleStatus") if isinstance(cost, dict) else None
        if not isinstance(status, dict):
            return
        try:
            requested = float(cost.get("requestedQueryCost") or 0)
            maximum, available, rate = (
                float(status[key]) for key in ("maximumAvailable", "currentlyAvailable", "restoreRate")
            )
        except (KeyError, TypeError, ValueError):
            return
        if rate > 0:
            told = {"maximum": maximum, "available": available, "rate": rate, "seen_at": self.clock()}
            self.memory(
                "budget",
                lambda state: ({**told, "costs": {**state.get("costs", {}), _get_name(document): requested}}, None),
            )

    def get_delay(self, cost):
        """Seconds until twice the cost is available, or all there ever is; None when the shop has said nothing yet."""
        now = self.clock()
        return self.memory("budget", lambda state: (state, _get_delay(state, cost, now) if state else None))


def _get_name(document):
    return hashlib.sha256(document.encode()).hexdigest()[:16]


def _get_available(state, now):
    return min(state["available"] + state["rate"] * max(now - state["seen_at"], 0.0), state["maximum"])


def _get_delay(state, cost, now):
    return max(min(2 * cost, state["maximum"]) - _get_available(state, now), 0.0) / state["rate"]


class ShopifyClient:
    """Errors come in three ways, and all three are looked for: as HTTP status, as ``errors``, and as ``userErrors``
    within the data of an answer that looks well.

    :param transport: callable(HttpRequest) -> HttpResponse
    :param clock, sleep: of the throttle; tests give their own
    """

    def __init__(self, config, transport, clock=time.time, sleep=time.sleep):
        self.config, self.transport = config, transport
        self.budget = Budget(config.memory, clock, sleep)

    def query(self, document, **variables):
        """Return the ``data`` of the answer."""
        token, is_kept = self._get_token()
        self.budget.wait(document)
        try:
            return self._call(document, variables, token)
        except AuthError:
            if not is_kept:
                raise
        self._forget(token)
        return self._call(document, variables, self._get_token()[0])

    def mutate(self, document, name, **variables):
        """Return what the mutation ``name`` answers. :raises Rejected: with the shop's own reasons"""
        result = self.query(document, **variables).get(name)
        if not isinstance(result, dict):
            raise BadResponse(f"The shop did not answer to {name}.")
        if errors := get_user_errors(result):
            raise Rejected(f"The shop refused: {'; '.join(to_text(row.get('message')) for row in errors)[:300]}")
        return result

    def fetch_file(self, url, start, size):
        """(bytes from ``start`` on, whether more may follow) of a result file. Our token stays here: the file lies
        elsewhere."""
        headers = {"Range": f"bytes={start}-{start + size - 1}", "Accept-Encoding": "identity"}
        response = self.transport(http.HttpRequest("GET", url, headers=headers, max_bytes=size * 2))
        if response.status == 416:  # nothing is left
            return b"", False
        if response.status == 200 and start:
            raise BadResponse("The result file can't be read in parts.", retryable=False)
        http.check_status(response)
        return response.body, response.status == 206 and len(response.body) >= size

    # === TOKEN === #

    def _get_token(self):
        """(access token, whether it is one kept from an earlier login)."""
        key, secret = (to_text(self.config.credentials.get(name)) for name in ("api_key", "api_secret"))
        if not key:
            raise AuthError("The access token is not set. Make a custom app for the shop and enter its token.")
        if key.startswith(TOKEN_PREFIXES):
            return key, False
        if not secret:
            raise AuthError("Enter the Admin API access token (shpat_...), or the app's client ID with its secret.")
        with _LOCK:
            known = _TOKENS.get(self._get_login())
        if known and known[1] > time.time():
            return known[0], True
        return self._login(key, secret), False

    def _login(self, key, secret):
        """Fetch a token with the app's own ID and secret."""
        body = json.dumps({"client_id": key, "client_secret": secret, "grant_type": "client_credentials"}).encode()
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        url = f"{self.config.base_url}/admin/oauth/access_token"
        response = self.transport(http.HttpRequest("POST", url, headers=headers, body=body))
        if response.status in (400, 401, 403, 404):
            raise AuthError(f"The shop refused the client ID or its secret (HTTP {response.status}).")
        http.check_status(response)
        answer = http.parse_json(response)
        token, seconds = to_text(answer.get("access_token")), answer.get("expires_in")
        if not token:
            raise AuthError("The shop gave no access token.")
        lifetime = seconds if isinstance(seconds, int) and seconds > 0 else 3600
        with _LOCK:
            _TOKENS[self._get_login()] = (token, time.time() + lifetime * 0.9)
        return token

    def _get_login(self):
        key, secret = (to_text(self.config.credentials.get(name)) for name in ("api_key", "api_secret"))
        return self.config.base_url, key, hashlib.sha256(secret.encode()).hexdigest()

    def _forget(self, token):
        with _LOCK:
            if _TOKENS.get(self._get_login(), ("",))[0] == token:
                del _TOKENS[self._get_login()]

    # === CALL === #

    def _call(self, document, variables, token):
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "X-Shopify-Access-Token": token,
        }
        url = f"{self.config.base_url}/admin/api/{API_VERSION}/graphql.json"
        body = json.dumps({"query": document, "variables": variables}).encode()
        response = self.transport(http.HttpRequest("POST", url, headers=headers, body=body))
        if response.status != 200:
            if response.status == 402:
                raise Rejected("The shop is frozen: its plan is not paid.")
            if response.status == 423:
                raise AuthError("The shop is locked.")
            http.check_status(response, _find_message(response))
        answer = http.parse_json(response)
        cost = (answer.get("extensions") or {}).get("cost") or {}
        self.budget.learn(document, cost)
        if answer.get("errors"):
            self._raise_errors(answer["errors"], cost)
        if not isinstance(answer.get("data"), dict):
            raise BadResponse("The shop's answer has no data.")
        return answer["data"]

    def _raise_errors(self, errors, cost):
        error = errors[0] if isinstance(errors, list) else {"message": errors}
        error = error if isinstance(error, dict) else {"message": error}
        code = to_text((error.get("extensions") or {}).get("code"))
        message = to_text(error.get("message"))[:300]
        if code == "THROTTLED":
            requested = cost.get("requestedQueryCost")
            delay = self.budget.get_delay(float(requested)) if requested else None
            delay = delay if delay is None else round(delay, 1) or 1.0
            raise RateLimited("The shop asks to slow down: its budget of query cost is used up.", retry_after=delay)
        if code in _AUTH_CODES:
            is_key = code != "ACCESS_DENIED"  # that is a scope of this one call
            raise AuthError(f"The shop refused the token, or it lacks a scope: {message}", is_shop_wide=is_key)
        if code == "INTERNAL_SERVER_ERROR" or "internal error" in message.lower():
            raise BadResponse(f"The shop failed: {message}")
        raise Rejected(f"The shop refused ({code or 'error'}): {message}")


def get_user_errors(result):
    """The reasons that a mutation's answer gives, [] when it took effect."""
    return [
        row for key in ("userErrors", "orderCancelUserErrors") for row in result.get(key) or () if isinstance(row, dict)
    ]


def _find_message(response):
    try:
        errors = load_json(response.body)["errors"]
        return to_text(errors if isinstance(errors, str) else errors[0]["message"])
    except (ValueError, LookupError, TypeError):
        return ""
