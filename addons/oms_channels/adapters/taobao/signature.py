"""Signature of Taobao's open platform. Pure."""

from ..china import sign_parameters

SIGN_METHOD = "hmac-sha256"


def sign_call(secret, params):
    """Upper-case hex over the sorted parameters, by the method that ``sign_method`` names: md5, hmac or hmac-sha256."""
    return sign_parameters(secret, params, params["sign_method"])
