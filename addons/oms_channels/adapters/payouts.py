"""Money that a platform pays out: what moved on the account it keeps for a shop."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple


class PayoutEntry(NamedTuple):
    """One movement of the account that the platform keeps for the shop. ``gross`` - ``fee`` = ``net``; what takes money
    away is negative."""

    external_id: str
    kind: str  # charge, refund, fee, chargeback, adjustment, payout (what left for the bank), other
    gross: Decimal
    fee: Decimal
    net: Decimal
    currency: str  # ISO 4217, upper case
    date: datetime
    order_external_id: str = ""
    payment_external_id: str = ""
    payout_external_id: str = ""  # "" while it is not in a payout yet
    payout_state: str = ""  # open, in_transit, paid, failed, cancelled; "" where it is not told
    description: str = ""  # in the platform's words


@dataclass(frozen=True)
class PayoutPage:
    items: tuple[PayoutEntry, ...]
    next_cursor: str | None = None
