"""HTTP only: one call of Vendure's Admin API (GraphQL)."""

import hashlib
import json
import threading

from .. import http
from ..errors import AuthError, BadResponse, RateLimited, Rejected
from ..values import load_json

# Sessions by shop and login: an adapter lives for one call of ours, and a login costs more than most calls.
_TOKENS = {}
_LOCK = threading.Lock()
_AUTH_CODES = {"FORBIDDEN", "UNAUTHORIZED", "UNAUTHENTICATED"}
_LOGIN = """mutation ($username: String!, $password: String!) { login(username: $username, password: $password) {
    __typename ... on ErrorResult { errorCode message } } }"""


class VendureClient:
    """Errors come in three ways, and all three are looked for: as HTTP status, as ``errors``, and as an ErrorResult
    within the data of an answer that looks well.

    :param transport: callable(HttpRequest) -> HttpResponse
    """

    def __init__(self, config, transport):
        self.config, self.transport = config, transport

    def query(self, document, **variables):
        """Return the ``data`` of the answer. A session that has ended is opened again once."""
        token, is_new = self._get_token()
        try:
            return self._call(document, variables, token)
        except AuthError:
            self._forget(token)
            if is_new:
                raise
        token, _is_new = self._get_token()
        return self._call(document, variables, token)

    def _get_token(self):
        """(token, whether it was made just now)."""
        key = self._get_key()
        with _LOCK:
            token = _TOKENS.get(key)
        if token:
            return token, False
        token = self._login()
        with _LOCK:
            _TOKENS[key] = token
        return token, True

    def _forget(self, token):
        key = self._get_key()
        with _LOCK:
            if _TOKENS.get(key) == token:
                del _TOKENS[key]

    def _get_key(self):
        credentials = self.config.credentials
        secret = hashlib.sha256((credentials.get("password") or "").encode()).hexdigest()
        return self.config.base_url, credentials.get("username"), secret

    def _login(self):
        username, password = (self.config.credentials.get(name) for name in ("username", "password"))
        if not username or not password:
            raise AuthError("User name and password are not set. Enter those of an administrator of the shop.")
        response = self._send(_LOGIN, {"username": username, "password": password})
        result = self._read(response).get("login") or {}
        if result.get("errorCode"):
            raise AuthError(f"The shop refused the login: {str(result.get('message'))[:300]}")
        token = response.headers.get("vendure-auth-token")
        if not token:
            raise AuthError("The shop gave no token: its authOptions.tokenMethod must allow 'bearer'.")
        return token

    def _call(self, document, variables, token):
        data = self._read(self._send(document, variables, token))
        for value in data.values():
            if isinstance(value, dict) and value.get("errorCode"):
                raise Rejected(f"The shop refused ({value['errorCode']}): {_get_reason(value)}")
        return data

    def _send(self, document, variables, token=""):
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if channel := self.config.options.get("sales_channel_id"):
            headers["vendure-token"] = channel
        body = json.dumps({"query": document, "variables": variables}).encode()
        return self.transport(http.HttpRequest("POST", f"{self.config.base_url}/admin-api", headers=headers, body=body))

    @staticmethod
    def _read(response):
        """Return the data of an answer. A status of 400 usually carries the reason in ``errors``."""
        if response.status != 200 and (response.status >= 500 or response.status in (401, 403, 408, 425, 429)):
            http.check_status(response, _find_message(response))
        try:
            answer = http.parse_json(response)
        except BadResponse:
            http.check_status(response)
            raise
        for error in answer.get("errors") or ():
            _raise_error(error)
        http.check_status(response)
        if not isinstance(answer.get("data"), dict):
            raise BadResponse("The shop's answer has no data.")
        return answer["data"]


def _raise_error(error):
    error = error if isinstance(error, dict) else {"message": error}
    code = str((error.get("extensions") or {}).get("code") or "")
    message = str(error.get("message") or "")[:300]
    if code in _AUTH_CODES:
        # A session that ended is replaced before this reaches anybody: what stays is a permission of this one call.
        raise AuthError(f"The shop refused the login, or it lacks a permission: {message}", is_shop_wide=False)
    if code == "TOO_MANY_REQUESTS":
        raise RateLimited(f"The shop asks to slow down: {message}")
    if code == "INTERNAL_SERVER_ERROR":  # the shop's own fault at this one call; it is alive otherwise
        raise BadResponse(f"The shop failed: {message}")
    raise Rejected(f"The shop refused ({code or 'error'}): {message}")


def _get_reason(result):
    details = (result.get("transitionError"), result.get("fulfillmentHandlerError"), result.get("message"))
    return str(next((text for text in details if text), ""))[:300]


def _find_message(response):
    try:
        return str(load_json(response.body)["errors"][0]["message"])
    except (ValueError, LookupError, TypeError):
        return ""
