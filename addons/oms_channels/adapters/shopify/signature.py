"""Signature of Shopify's webhooks. Pure."""

import base64
import hashlib
import hmac

HEADER = "x-shopify-hmac-sha256"


def sign(secret, raw_body):
    """Return the text of the signature header: base64 HMAC-SHA256 of the raw body."""
    return base64.b64encode(hmac.new(secret.encode(), raw_body, hashlib.sha256).digest()).decode()
