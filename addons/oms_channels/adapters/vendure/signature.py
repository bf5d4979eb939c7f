"""Signature of the webhooks that the plugin in tests/servers/vendure sends: base64 HMAC-SHA256 of the raw body."""

import base64
import hashlib
import hmac

HEADER = "x-vendure-hmac-sha256"


def sign(secret, raw_body):
    """Return the text of the signature header."""
    return base64.b64encode(hmac.new(secret.encode(), raw_body, hashlib.sha256).digest()).decode()
