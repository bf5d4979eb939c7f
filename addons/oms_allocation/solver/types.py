from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Demand:
    """What one order line still needs. Quantities are in the product's own unit."""

    line_id: int
    product_id: int
    quantity: Decimal


@dataclass(frozen=True)
class Supply:
    """What a warehouse can still promise of a product; what is negative counts as nothing."""

    warehouse_id: int
    product_id: int
    quantity: Decimal


@dataclass(frozen=True)
class Warehouse:
    """A candidate for one order.

    :param distance_km: to the buyer; None when one of the two places is not known
    :param priority: lower goes first among equals
    :param is_open: the order already gets a parcel from here, so one more line costs no parcel and no way
    """

    id: int
    distance_km: float | None = None
    priority: int = 0
    is_open: bool = False


@dataclass(frozen=True)
class Order:
    """One order of a batch, with its own candidates."""

    id: int
    demands: tuple[Demand, ...]
    warehouses: tuple[Warehouse, ...]


@dataclass(frozen=True, order=True)
class Cost:
    """What a plan costs, compared field by field: the first that differs decides.

    :param missing: quantity that no warehouse has
    :param parcels: warehouses that send a parcel they would not send otherwise
    :param unknown: parcels whose way is not known; a known way is preferred
    :param metres: way of all parcels together
    :param priority: sum of the priorities
    """

    missing: Decimal = Decimal(0)
    parcels: int = 0
    unknown: int = 0
    metres: int = 0
    priority: int = 0


@dataclass(frozen=True)
class Assignment:
    line_id: int
    product_id: int
    warehouse_id: int
    quantity: Decimal


@dataclass(frozen=True)
class Shortage:
    """What of a line no candidate has."""

    line_id: int
    product_id: int
    quantity: Decimal


@dataclass(frozen=True)
class Loser:
    """A candidate that sends nothing.

    :param reason: "no_stock" nothing of what is needed; "parcels" more parcels with it; "unknown" its way is not known;
        "distance" farther; "priority" as near but with a later priority; "tie" equal in all, the other came first
    :param cost: of the best plan that would use it, None for "no_stock"
    :param covered: quantity of the demand that it has
    """

    warehouse_id: int
    reason: str
    cost: Cost | None
    covered: Decimal


@dataclass(frozen=True)
class Plan:
    """Where an order comes from, and why.

    :param warehouse_ids: the winners, those the order already gets a parcel from first, then the nearest first
    :param nearest_id: the candidate with the shortest way whatever it has; None without candidates. What is short waits
        there, and what has no stock to look at comes from there
    """

    assignments: tuple[Assignment, ...] = ()
    shortages: tuple[Shortage, ...] = ()
    cost: Cost = Cost()
    warehouse_ids: tuple[int, ...] = ()
    nearest_id: int | None = None
    losers: tuple[Loser, ...] = ()
    demanded: Decimal = field(default=Decimal(0))
