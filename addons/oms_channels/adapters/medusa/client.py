"""HTTP only: one call of the Medusa v2 Admin API."""

import base64
import json
from urllib.parse import quote

from .. import http
from ..errors import AuthError, Rejected
from ..values import load_json


class MedusaClient:
    """:param transport: callable(HttpRequest) -> HttpResponse"""

    def __init__(self, config, transport):
        self.config, self.transport = config, transport

    def get(self, path, **params):
        return self._call("GET", path, params=params)

    def post(self, path, body=None, **params):
        return self._call("POST", path, params=params, body=body or {})

    def delete(self, path):
        return self._call("DELETE", path)

    def _call(self, method, path, params=None, body=None):
        """Return the JSON object of the answer.

        :param path: below /admin; ids in it must be quoted by ``segment``
        :param params: a list value is sent once per item
        """
        pairs = []
        for key, value in (params or {}).items():
            pairs += [(key, str(one)) for one in (value if isinstance(value, list | tuple) else [value])]
        response = self.transport(
            http.HttpRequest(
                method,
                f"{self.config.base_url}/admin{path}",
                params=tuple(pairs),
                headers=self._headers(),
                body=None if body is None else json.dumps(body).encode(),
            )
        )
        if not 200 <= response.status < 300:
            self._raise(response)
        return http.parse_json(response)

    def _headers(self):
        key = self.config.credentials.get("api_key")
        if not key:
            raise AuthError("No API key is set. Enter the shop's secret API key (sk_...).")
        token = base64.b64encode(f"{key}:".encode()).decode()
        return {"Authorization": f"Basic {token}", "Content-Type": "application/json", "Accept": "application/json"}

    def _raise(self, response):
        try:
            answer = load_json(response.body)
            message = str(answer.get("message") or answer.get("type") or "")
        except (ValueError, AttributeError):
            message = ""
        if response.status == 409:  # another request holds the order's lock
            raise Rejected(f"The shop is working on the same document (HTTP 409): {message[:300]}", retryable=True)
        http.check_status(response, message)


def segment(value):
    """A foreign id as one path segment."""
    return quote(str(value), safe="")
