"""Signatures of the marketplace's open API (sorted parameters) and of its webhooks. Pure."""

import hashlib
import hmac

WEBHOOK_SIGN, WEBHOOK_TIMESTAMP = "x-market-sign", "x-market-timestamp"


def sign_call(secret, params, method="hmac-sha256"):
    """Upper-case hex over ``params`` less ``sign``, sorted by name, strung together; ``md5`` wraps it in the secret."""
    text = "".join(f"{key}{value}" for key, value in sorted(params.items()) if key != "sign")
    if method == "md5":
        return hashlib.md5(f"{secret}{text}{secret}".encode(), usedforsecurity=False).hexdigest().upper()
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest().upper()


def sign_webhook(secret, timestamp, raw_body):
    """Lower-case hex HMAC-SHA256 over time of sending, line feed and raw body."""
    return hmac.new(secret.encode(), f"{timestamp}\n".encode() + raw_body, hashlib.sha256).hexdigest()
