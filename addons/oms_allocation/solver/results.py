"""What is said of many plans, and of what waiting would change. Units as in `types`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from .types import ZERO, Money, Plan


@dataclass(frozen=True)
class Hint:
    """What would get better by waiting.

    :param kind: "receipt" for goods to come in, "order" to go with another order of the buyer
    :param minutes: how long to wait
    :param warehouse_ids: of the better plan
    :param saved_parcels, saved_money, saved_missing: what the better plan saves
    """

    kind: str
    minutes: int
    warehouse_ids: tuple[int, ...]
    saved_parcels: int = 0
    saved_money: int = 0
    saved_missing: Decimal = ZERO
    order_id: int | None = None
    product_ids: tuple[int, ...] = ()


@dataclass(frozen=True)
class Totals:
    """What a strategy does to many orders, to be laid beside another's.

    :param parcels: of all orders, those open already not included
    :param split: orders that come from more than one warehouse
    :param complete: orders of which nothing is missing
    :param known_days: sum of the days of the orders whose promise is known, ``dated`` their number
    :param kept: orders with a promise that is kept, ``promised`` the orders with a promise
    :param parcels_by_warehouse: {warehouse id: parcels}
    """

    orders: int = 0
    complete: int = 0
    split: int = 0
    quantity: Decimal = ZERO
    missing: Decimal = ZERO
    parcels: int = 0
    money: Money = field(default_factory=Money)
    metres: int = 0
    unknown: int = 0
    age: Decimal = ZERO
    known_days: int = 0
    dated: int = 0
    kept: int = 0
    promised: int = 0
    parcels_by_warehouse: Mapping[int, int] = field(default_factory=dict)
    capacity_by_warehouse: Mapping[int, int] = field(default_factory=dict)

    @property
    def split_rate(self) -> float:
        return self.split / self.orders if self.orders else 0.0

    @property
    def kept_rate(self) -> float:
        return self.kept / self.promised if self.promised else 0.0


@dataclass(frozen=True)
class BatchResult:
    """Plans for orders that compete.

    :param plans: {order id: plan}, in the sequence in which the orders are served
    :param method: "alone" no two orders want the same scarce thing; "optimum" proven; "gap" within ``gap`` of the
        optimum; "in_turn" one by one, since nothing better was found
    :param gap: how far from the best possible the plans may be at most, as a share, at the first level that is not
        proven; 0.0 when all is proven, None when nothing is known
    :param gap_level: the place of that level in `batch.get_batch_rank`: 0 the quantity, 1 complete orders, then the
        levels of the strategies; None when all is proven
    :param seconds: what was allowed
    :param in_turn: totals of the one-by-one plans, to see the saving against ``totals``
    :param competing: orders that had to be weighed against others
    :param note: "" or why it is not the optimum: "library_missing", "time_up"
    """

    plans: Mapping[int, Plan]
    method: str
    gap: float | None = 0.0
    gap_level: int | None = None
    seconds: float = 0.0
    totals: Totals = Totals()
    in_turn: Totals = Totals()
    competing: int = 0
    note: str = ""
