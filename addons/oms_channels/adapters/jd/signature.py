"""Signature of JD's open platform. Pure."""

from ..china import sign_parameters

# The platform wants them in the call, but not in the signature.
_NOT_SIGNED = ("format", "sign_method", "sign")


def sign_call(secret, params):
    """Upper-case MD5 over the sorted parameters, wrapped in the secret."""
    return sign_parameters(secret, {name: value for name, value in params.items() if name not in _NOT_SIGNED})
