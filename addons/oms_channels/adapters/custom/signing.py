"""Signatures of calls and webhooks. Pure."""

import base64
import hashlib
import hmac
from urllib.parse import urlencode

from . import templates

DEFAULT_SORTED = "{{ secret }}{{ sorted_params }}{{ secret }}"


def sort_params(params, pair_text="", join_text=""):
    """Parameters sorted by name as platforms sign them: name, ``pair_text``, value, joined by ``join_text``."""
    return join_text.join(f"{name}{pair_text}{value}" for name, value in sorted(params))


def digest(algorithm, secret, text):
    """Bytes of the signature of a text."""
    data, key = text.encode(), secret.encode()
    if algorithm.startswith("hmac_"):
        return hmac.new(key, data, algorithm.removeprefix("hmac_")).digest()
    return hashlib.new(algorithm, data).digest()


def encode(raw, encoding):
    """Signature bytes as text."""
    if encoding == "base64":
        return base64.b64encode(raw).decode()
    return raw.hex().upper() if encoding == "upper" else raw.hex()


def sign(spec, secret, parts):
    """Signature of a call.

    :param parts: dict with method, path, query (pairs), params (pairs), body (bytes), host, key, token, timestamp and
        nonce
    """
    template = spec.sign_template or (DEFAULT_SORTED if spec.auth_kind == "sorted" else "")
    body = parts["body"] or b""
    context = {
        **{name: parts[name] for name in ("method", "path", "host", "key", "token", "timestamp", "nonce")},
        "query": urlencode(parts["query"]),
        "sorted_params": sort_params(parts["params"], spec.sign_pair_text, spec.sign_join_text),
        "body": body.decode(errors="replace"),
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "secret": secret,
    }
    return encode(digest(spec.sign_algorithm, secret, templates.render_text(template, context)), spec.sign_encoding)


def sign_webhook(kind, secret, raw_body):
    """What a webhook of this kind must carry."""
    if kind == "token":
        return secret
    raw = hmac.new(secret.encode(), raw_body, hashlib.sha256).digest()
    return encode(raw, "base64" if kind == "hmac_base64" else "hex")
