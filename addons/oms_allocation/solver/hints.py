"""What would get better by waiting: for goods that are to come in, or to go with another order of the same buyer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .fill import Steps
from .plan import make_plan
from .problem import Problem
from .results import Hint
from .search import STEP_LIMIT, Bounds, Search
from .stock import Stock
from .types import OpenOrder, Order, Plan, Receipt, Supply

RECEIVED_LAST = 10**7  # a preference later than that of every day


def find_hints(
    order: Order,
    supplies: Iterable[Supply],
    receipts: Iterable[Receipt] = (),
    open_orders: Iterable[OpenOrder] = (),
    plan: Plan | None = None,
) -> tuple[Hint, ...]:
    """Return the waits that make the order's plan better, the shortest first.

    A wait is worth a hint when it saves missing goods, or else parcels, or else money, more than each shorter wait
    does. To wait for goods is to plan again with all that came in by then; to wait for
    another order is to plan again with its parcel open.

    :param plan: of the order from ``supplies`` as they are; made if it is not given
    """
    supplies = list(supplies)
    now = plan or _plan(order, supplies)
    hints = [*_wait_for_receipts(order, supplies, list(receipts), now)]
    hints += _wait_for_orders(order, supplies, open_orders, now)
    return tuple(sorted(hints, key=lambda hint: (hint.minutes, hint.kind, hint.order_id or 0)))


def _plan(order: Order, supplies: list[Supply]) -> Plan:
    bounds = Bounds(Problem(order, Stock(supplies, order.demands)))
    steps = Steps(STEP_LIMIT)
    return make_plan(bounds, Search(bounds, steps).run(), steps, explain=False)


def _wait_for_receipts(order: Order, supplies: list[Supply], receipts: list[Receipt], now: Plan):
    wanted = {demand.product_id for demand in order.demands if demand.quantity > 0}
    useful = {one.id for one in order.warehouses}
    receipts = [one for one in receipts if one.product_id in wanted and one.warehouse_id in useful and one.quantity > 0]
    best = (0, 0, 0)
    for minutes in sorted({one.minutes for one in receipts}):
        came = [one for one in receipts if one.minutes <= minutes]
        later = _plan(order, [*supplies, *map(_to_supply, came)])
        saved = _get_saved(now, later)
        if _is_worth(saved, best):
            best = saved
            taken = {(one.warehouse_id, one.product_id) for one in later.assignments}
            products = {one.product_id for one in came if (one.warehouse_id, one.product_id) in taken}
            yield _make_hint("receipt", minutes, later, saved, product_ids=tuple(sorted(products)))


def _to_supply(receipt: Receipt) -> Supply:
    # Its lots are not known yet: what comes in is the youngest.
    return Supply(receipt.warehouse_id, receipt.product_id, receipt.quantity, preference=RECEIVED_LAST)


def _wait_for_orders(order: Order, supplies: list[Supply], open_orders: Iterable[OpenOrder], now: Plan):
    for other in sorted(open_orders, key=lambda one: (one.minutes, one.order_id, one.warehouse_id)):
        warehouses = tuple(
            replace(one, is_open=True, open_weight_g=other.weight_g)
            if one.id == other.warehouse_id and not one.is_open
            else one
            for one in order.warehouses
        )
        if warehouses == order.warehouses:
            continue
        later = _plan(replace(order, warehouses=warehouses), supplies)
        saved = _get_saved(now, later)
        if other.warehouse_id in later.warehouse_ids and _is_worth(saved, (0, 0, 0)):
            yield _make_hint("order", other.minutes, later, saved, order_id=other.order_id)


def _get_saved(now: Plan, later: Plan):
    return (
        now.cost.missing - later.cost.missing,
        now.cost.parcels - later.cost.parcels,
        now.cost.money - later.cost.money,
    )


def _is_worth(saved, best) -> bool:
    """Say whether a wait is better than the best shorter one. More goods may cost more parcels and money."""
    missing, parcels, money = saved
    if missing != best[0]:
        return missing > best[0]
    return parcels > best[1] or (parcels == best[1] and money > best[2])


def _make_hint(kind: str, minutes: int, later: Plan, saved, **values) -> Hint:
    missing, parcels, money = saved
    return Hint(
        kind,
        minutes,
        later.warehouse_ids,
        saved_parcels=parcels,
        saved_money=money,
        saved_missing=missing,
        **values,
    )
