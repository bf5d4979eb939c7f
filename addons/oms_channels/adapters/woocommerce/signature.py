"""Signatures of WooCommerce: one-legged OAuth 1.0a of calls over plain http, and HMAC of webhooks. Pure."""

import base64
import hashlib
import hmac
from urllib.parse import quote

HEADER = "x-wc-webhook-signature"
METHOD = "HMAC-SHA256"


def sign_webhook(secret, raw_body):
    """Return the text of the signature header: base64 HMAC-SHA256 of the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), raw_body, hashlib.sha256).digest()).decode()


def sign_call(secret, method, url, params):
    """Return ``oauth_signature`` of a call (RFC 5849, no token).

    :param url: without the query
    :param params: [(name, value), ...] of the query, with the other ``oauth_`` parameters
    """
    pairs = sorted((_encode(name), _encode(value)) for name, value in params if name != "oauth_signature")
    query = "&".join(f"{name}={value}" for name, value in pairs)
    base = "&".join((method.upper(), _encode(url), _encode(query)))
    # The second half of the key would be the secret of a token; there is none.
    return base64.b64encode(hmac.new(f"{secret}&".encode(), base.encode(), hashlib.sha256).digest()).decode()


def _encode(value):
    return quote(str(value), safe="-._~")
