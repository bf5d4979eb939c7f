"""What can go wrong between us and a shop.

The queue asks one thing of an error: is another try worth it (``retryable``), and when (``retry_after``: seconds, or
None for the queue's own backoff)? Messages are for people: they name the shop's answer, never a secret or a whole URL.
"""


class AdapterError(Exception):
    """A call to a shop, or the reading of what it sent, failed.

    :param message: one sentence for the person who looks at the queue row
    :param retryable: whether the same call may succeed later (default: what the class says)
    :param retry_after: seconds the shop asked us to wait, or None
    """

    retryable = False

    def __init__(self, message, *, retryable=None, retry_after=None):
        super().__init__(message)
        self.message = message
        self.retryable = type(self).retryable if retryable is None else retryable
        self.retry_after = retry_after


class AuthError(AdapterError):
    """Wrong or missing key, missing right, bad webhook signature. Final: a person must change the settings."""


class RateLimited(AdapterError):
    """The shop told us to slow down."""

    retryable = True


class Throttled(AdapterError):
    """Our own limit for this shop is reached: nothing was asked, and nothing is wrong with the shop."""

    retryable = True


class Unavailable(AdapterError):
    """Timeout, no connection, 5xx. It is unknown whether the call took effect: every push re-reads before it writes."""

    retryable = True


class BadResponse(AdapterError):
    """Half, oversized or malformed answer. Retried like an outage; worth a person's look when it stays."""

    retryable = True


class Rejected(AdapterError):
    """The shop understood and refused (4xx, business rule). Final."""


class NotSupported(AdapterError):
    """The platform has no such call; see ``ChannelAdapter.capabilities``. Final."""
