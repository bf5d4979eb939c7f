"""Figures over many plans, to lay strategies side by side."""

from __future__ import annotations

from collections.abc import Iterable

from .results import Totals
from .types import ZERO, Money, Order, Plan


def get_totals(planned: Iterable[tuple[Order, Plan]]) -> Totals:
    """Return the sums over orders and their plans."""
    sums = dict.fromkeys(("orders", "complete", "split", "parcels", "metres", "unknown", "known_days", "dated"), 0)
    sums.update(kept=0, promised=0, quantity=ZERO, missing=ZERO, age=ZERO)
    money = Money()
    parcels: dict[int, int] = {}
    capacities: dict[int, int] = {}
    for order, plan in planned:
        cost = plan.cost
        sums["orders"] += 1
        sums["complete"] += not cost.missing
        sums["split"] += len(plan.warehouse_ids) > 1
        sums["quantity"] += plan.demanded - cost.missing
        for name in ("missing", "parcels", "metres", "unknown", "age"):
            sums[name] += getattr(cost, name)
        money += plan.money
        warehouses = {one.id: one for one in order.warehouses}
        for one in order.warehouses:
            if one.capacity is not None:
                capacities[one.id] = max(one.capacity, capacities.get(one.id, 0))
        used = [warehouses[id_] for id_ in plan.warehouse_ids]
        for one in used:
            if not one.is_open:
                parcels[one.id] = parcels.get(one.id, 0) + 1
        is_dated = bool(used) and all(one.days is not None for one in used)
        sums["known_days"] += cost.days if is_dated else 0
        sums["dated"] += is_dated
        if order.promised_days is not None:
            sums["promised"] += 1
            sums["kept"] += is_dated and not cost.missing and cost.days <= order.promised_days
    return Totals(**sums, money=money, parcels_by_warehouse=parcels, capacity_by_warehouse=capacities)
