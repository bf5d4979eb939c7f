"""HTTP only: one call of a connector, with its keys and signature, its pace, and its errors."""

import base64
import hashlib
import json
import threading
import time
import uuid
from collections import deque
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

from .. import http
from ..errors import AuthError, BadResponse, RateLimited, Rejected, Throttled
from ..values import load_json
from . import signing, templates
from .conversions import write_moment
from .expressions import ExpressionError, search
from .spec import read_pairs
from .templates import TemplateError

# A token is renewed this long before it ends: the call that carries it must still arrive in time.
TOKEN_MARGIN = timedelta(seconds=60)
TOKEN_DEFAULT_SECONDS = 300
# Longer than this nobody waits for a shop's pace in one go; the queue comes back instead.
MAX_PAUSE = 10.0
MAX_TOKENS = 256
_tokens = {}
_paces = {}
_lock = threading.Lock()


class CustomClient:
    """:param transport: callable(HttpRequest) -> HttpResponse
    :param clock: callable -> aware datetime; :param nonce: callable -> text; :param pause: callable(seconds)
    """

    def __init__(self, spec, config, transport, clock=None, nonce=None, pause=None):
        self.spec, self.config, self.transport = spec, config, transport
        self.clock = clock or (lambda: datetime.now(UTC))
        self.nonce = nonce or (lambda: uuid.uuid4().hex)
        self.pause = pause or time.sleep

    def call(self, endpoint, context=(), params=(), url=None, key=""):
        """Do one call of the connector.

        :param context: what its templates may name, beyond the settings
        :param params: pairs added to the query (pages, dates)
        :param url: path and query to call instead, as the shop's Link header gave it
        :param key: of idempotency, sent in the connector's header
        :return: (JSON value of the answer, headers in lower case)
        """
        try:
            response = self._send(endpoint, context, params, url, key)
            if response.status == 401 and self.spec.auth_kind == "oauth2":
                _tokens.pop(self._token_key(), None)  # ended earlier than it said
                response = self._send(endpoint, context, params, url, key)
        except TemplateError as error:
            raise Rejected(f"{endpoint.name or endpoint.kind}: {error}") from error
        return self._read(response), response.headers

    def get_settings(self):
        """What every template may name."""
        now, credentials = self.clock(), self.config.credentials
        options, spec = self.config.options, self.spec
        return {
            "key": credentials.get("api_key") or "",
            "token": credentials.get("api_token") or "",
            "timestamp": write_moment(now, spec.sign_time_format, spec.time_pattern, spec.time_zone),
            "nonce": self.nonce(),
            "now": write_moment(now, spec.time_format, spec.time_pattern, spec.time_zone),
            "location": options.get("location_id") or "",
            "sales_channel": options.get("sales_channel_id") or "",
            "currency": options.get("currency") or "",
        }

    # === REQUEST === #

    def _send(self, endpoint, context, params, url, key):
        spec, context = self.spec, {**self.get_settings(), **dict(context)}
        if url is None:
            path = templates.render_path(endpoint.path, context)
            pairs = (*read_pairs(spec.query_lines), *read_pairs(endpoint.query_lines))
            query = [*templates.render_pairs(pairs, context), *params]
        else:
            path, _mark, text = url.partition("?")
            own = {spec.auth_name} if spec.auth_kind in ("query", "sorted", "hmac") else set()
            query = [pair for pair in parse_qsl(text, keep_blank_values=True) if pair[0] not in own]
        headers = {"Accept": "application/json"}
        pairs = (*read_pairs(spec.header_lines), *read_pairs(endpoint.header_lines))
        headers.update(templates.render_pairs(pairs, context))
        body, form = self._make_body(endpoint, context, headers)
        if key and spec.idempotency_header:
            headers[spec.idempotency_header] = key
        query += self._authorize(endpoint.method, path, query, form, body, headers, context)
        for name, value in headers.items():
            templates.check_header(name, value)
        keep_pace(self.config.base_url, spec.rate_limit, spec.rate_seconds, self.pause)
        timeout = (spec.connect_timeout, spec.read_timeout, max(http.TOTAL_TIMEOUT, spec.read_timeout))
        return self.transport(
            http.HttpRequest(
                endpoint.method, self.config.base_url + path, tuple(query), headers, body=body, timeout=timeout
            )
        )

    def _make_body(self, endpoint, context, headers):
        """(bytes or None, pairs of a form)."""
        template = endpoint.get_body()
        if template is None:
            return None, []
        value = templates.render(template, context)
        if endpoint.body_format == "form":
            form = [
                (name, templates.to_text(one))
                for name, one in (value if isinstance(value, dict) else {}).items()
                if one is not None
            ]
            headers.setdefault("Content-Type", "application/x-www-form-urlencoded;charset=utf-8")
            return urlencode(form).encode(), form
        headers.setdefault("Content-Type", "application/json")
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), []

    def _authorize(self, method, path, query, form, body, headers, context):
        """Add the keys to ``headers``. :return: pairs to add to the query"""
        spec, credentials = self.spec, self.config.credentials
        kind, secret = spec.auth_kind, credentials.get("api_secret") or ""
        if kind == "none":
            return []
        if not context["key"] and not context["token"]:
            raise AuthError("No API key is set. Enter the shop's key on the channel.")
        if kind in ("header", "query"):
            value = templates.render_text(spec.auth_value or "{{ key }}", context)
            if kind == "query":
                return [(spec.auth_name, value)]
            headers[spec.auth_name] = value
        elif kind == "basic":
            headers["Authorization"] = _basic(context["key"], secret)
        elif kind == "bearer":
            headers["Authorization"] = f"Bearer {context['token'] or context['key']}"
        elif kind == "oauth2":
            headers["Authorization"] = f"Bearer {self._get_token(context['key'], secret)}"
        else:
            return self._sign(method, path, query, form, body, headers, context, secret)
        return []

    def _sign(self, method, path, query, form, body, headers, context, secret):
        spec, address = self.spec, urlsplit(self.config.base_url)
        if not secret:
            raise AuthError("No API secret is set. Enter the shop's secret on the channel.")
        parts = {name: context[name] for name in ("key", "token", "timestamp", "nonce")}
        parts |= {"method": method, "path": address.path + path, "host": address.netloc}
        parts |= {"query": query, "params": [*query, *form], "body": body}
        signature = signing.sign(spec, secret, parts)
        if spec.sign_place == "query":
            return [(spec.auth_name, signature)]
        headers[spec.auth_name] = signature
        return []

    # === OAUTH2 === #

    def _token_key(self):
        credentials = self.config.credentials
        text = f"{self.config.base_url}\n{self.spec.token_path}\n{self.spec.token_scope}"
        text += f"\n{credentials.get('api_key')}\n{credentials.get('api_secret')}"
        return hashlib.sha256(text.encode()).hexdigest()

    def _get_token(self, key, secret):
        """The access token of client credentials (RFC 6749, 4.4), kept in this process until shortly before its end."""
        known = _tokens.get(self._token_key())
        now = self.clock()
        if known and known[1] > now + TOKEN_MARGIN:
            return known[0]
        spec, headers = self.spec, {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        form = [("grant_type", "client_credentials")]
        if spec.token_scope:
            form.append(("scope", spec.token_scope))
        if spec.token_style == "basic":
            headers["Authorization"] = _basic(key, secret)
        else:
            form += [("client_id", key), ("client_secret", secret)]
        url = spec.token_path if "://" in spec.token_path else self.config.base_url + spec.token_path
        response = self.transport(http.HttpRequest("POST", url, (), headers, body=urlencode(form).encode()))
        if response.status in (400, 401, 403):
            raise AuthError(f"The shop gave no token for these keys (HTTP {response.status}).")
        http.check_status(response)
        answer = parse_json(response.body)
        token = answer.get("access_token") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise BadResponse("The shop's answer holds no token.")
        seconds = answer.get("expires_in")
        seconds = float(seconds) if str(seconds).replace(".", "", 1).isdigit() else TOKEN_DEFAULT_SECONDS
        if len(_tokens) >= MAX_TOKENS:
            _tokens.clear()
        _tokens[self._token_key()] = (token, now + timedelta(seconds=min(seconds, 86400.0)))
        return token

    # === ANSWER === #

    def _read(self, response):
        """The JSON value of an answer; raises what the connector says is an error."""
        if not 200 <= response.status < 300:
            message = self._get_message(response)
            if response.status == 409:  # another request is at the same document
                raise Rejected(f"The shop is working on the same document (HTTP 409): {message}", retryable=True)
            http.check_status(response, message)
        if not response.body.strip():
            return {}
        data = parse_json(response.body)
        if self._find(self.spec.busy_expression, data):
            raise RateLimited("The shop asks to slow down.", retry_after=http.get_retry_after(response))
        if error := self._find(self.spec.error_expression, data):
            raise Rejected(f"The shop refused: {templates.to_text(error)[:300]}")
        return data

    def _find(self, expression, data):
        try:
            return search(expression, data) if expression else None
        except ExpressionError as error:
            raise BadResponse(f"{expression}: {error}", retryable=False) from error

    def _get_message(self, response):
        """What the shop says about an error, wherever it usually stands."""
        try:
            data = parse_json(response.body)
            found = search(self.spec.error_expression, data) if self.spec.error_expression else None
            usual = "message || error.message || error_description || error || errors || msg"
            return templates.to_text(found or search(usual, data))[:300]
        except (BadResponse, ExpressionError):
            return ""


def parse_json(body):
    """The JSON value of a body, whatever its content type says."""
    try:
        return load_json(body)
    except (ValueError, RecursionError) as error:
        raise BadResponse("The shop's answer is no JSON.") from error


def keep_pace(shop, calls, seconds, pause, clock=time.monotonic):
    """Wait until another call is within ``calls`` in ``seconds``, counted in this process.

    :raise Throttled: when the wait would be long
    """
    if not calls:
        return
    with _lock:
        times = _paces.setdefault(shop, deque())
        now = clock()
        while times and times[0] <= now - seconds:
            times.popleft()
        wait = max(times[-calls] + seconds - now, 0.0) if len(times) >= calls else 0.0
        if wait > MAX_PAUSE:
            raise Throttled("The shop's limit of calls is used up for now.", retry_after=wait)
        times.append(now + wait)
    if wait:
        pause(wait)


def _basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
