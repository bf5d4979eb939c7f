"""What can go wrong between us and a shop.

The queue asks of an error whether another try is worth it (``retryable``), when (``retry_after``: seconds, or None for
the queue's own backoff), and whether every other call would meet it as well (``is_shop_wide``: the channel rests).
Messages are for people: they name the shop's answer, never a secret or a whole URL.
"""


class AdapterError(Exception):
    """A call to a shop, or the reading of what it sent, failed.

    :param message: one sentence for the person who looks at the queue row
    :param retryable: whether the same call may succeed later (default: what the class says)
    :param retry_after: seconds the shop asked us to wait, or None
    :param is_shop_wide: whether it is the shop's or the key's, not only this call's (default: what the class says)
    :param is_uncertain: whether the call may have taken effect all the same (default: what the class says)
    """

    retryable = is_shop_wide = is_uncertain = False

    def __init__(self, message, *, retryable=None, retry_after=None, is_shop_wide=None, is_uncertain=None):
        super().__init__(message)
        self.message = message
        self.retryable = type(self).retryable if retryable is None else retryable
        self.retry_after = retry_after
        self.is_shop_wide = type(self).is_shop_wide if is_shop_wide is None else is_shop_wide
        self.is_uncertain = type(self).is_uncertain if is_uncertain is None else is_uncertain


class AuthError(AdapterError):
    """Wrong or missing key, missing right, bad webhook signature. Final: a person must change the settings.

    A right that is missing for one kind of call is not shop-wide: all others go on."""

    is_shop_wide = True


class RateLimited(AdapterError):
    """The shop told us to slow down."""

    retryable = is_shop_wide = True


class Throttled(AdapterError):
    """Our own limit for this shop is reached: nothing was asked, and nothing is wrong with the shop."""

    retryable = True


class Unavailable(AdapterError):
    """Timeout, no connection, 5xx. It is unknown whether the call took effect: every push re-reads before it writes."""

    retryable = is_shop_wide = is_uncertain = True


class BrokenDown(Unavailable):
    """The shop broke down over a call (5xx, but for the 503 of who is closed): others may well be answered."""


class BadResponse(AdapterError):
    """Half, oversized or malformed answer. Retried like an outage; worth a person's look when it stays."""

    retryable = is_uncertain = True


class Rejected(AdapterError):
    """The shop understood and refused (4xx, business rule). Final."""


class NotSupported(AdapterError):
    """The platform has no such call; see ``ChannelAdapter.capabilities``. Final."""
