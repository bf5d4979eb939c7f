"""What the solver is measured against: plans found by trying everything, costs by their definition, in `Decimal`.

Written from `solver/types.py` alone; shares no code with the solver but the types.
"""

import itertools
import math
from dataclasses import replace
from decimal import Decimal

from odoo.addons.oms_allocation.solver import (
    Demand,
    Freight,
    Order,
    Refusal,
    Strategy,
    Supply,
    Warehouse,
    ordered,
)
from odoo.addons.oms_allocation.solver.types import Cost

ZERO = Decimal(0)


def get_candidates(order):
    return [
        one
        for one in order.warehouses
        if not any(refusal.product_id is None for refusal in one.refusals)
        and (one.is_open or one.capacity_left is None or one.capacity_left > 0)
    ]


def get_lots(order, supplies, warehouse, product_id):
    """Return the usable lots in their order."""
    if any(refusal.product_id == product_id for refusal in warehouse.refusals):
        return []
    mine = [d for d in order.demands if d.product_id == product_id and d.quantity > 0]
    limit = max((d.min_expiry for d in mine if d.min_expiry is not None), default=None)
    lots = [
        one
        for one in supplies
        if (one.warehouse_id, one.product_id) == (warehouse.id, product_id)
        and one.quantity > 0
        and (limit is None or one.expiry is None or one.expiry >= limit)
    ]
    return sorted(lots, key=lambda one: (one.preference, one.lot_id or 0))


def get_ways(order, supplies):
    """Yield {(line id, warehouse id): quantity}: every way in whole units to serve the order that its rules allow."""
    candidates = {one.id: one for one in get_candidates(order)}
    had = {
        (id_, product_id): sum((lot.quantity for lot in get_lots(order, supplies, one, product_id)), ZERO)
        for id_, one in candidates.items()
        for product_id in {demand.product_id for demand in order.demands}
    }
    demands = [demand for demand in order.demands if demand.quantity > 0]
    choices = []
    for demand in demands:
        shares = []
        ids = [id_ for id_ in candidates if had[id_, demand.product_id] > 0]
        ranges = [range(int(min(demand.quantity, had[id_, demand.product_id])) + 1) for id_ in ids]
        for split in itertools.product(*ranges):
            whole = sum(split) in (0, demand.quantity) and sum(share > 0 for share in split) <= 1
            if sum(split) <= demand.quantity and (demand.keep_together is None or whole):
                shares.append({id_: Decimal(share) for id_, share in zip(ids, split, strict=True) if share})
        choices.append(shares)
    for way in itertools.product(*choices):
        taken = {}
        for demand, share in zip(demands, way, strict=True):
            for id_, quantity in share.items():
                key = (id_, demand.product_id)
                taken[key] = taken.get(key, ZERO) + quantity
        if all(quantity <= had[key] for key, quantity in taken.items()):
            found = {
                (demand.line_id, id_): quantity
                for demand, share in zip(demands, way, strict=True)
                for id_, quantity in share.items()
            }
            if is_allowed(order, found):
                yield found


def is_allowed(order, way):
    strategy = order.strategy
    demands = {demand.line_id: demand for demand in order.demands}
    sent = sum(way.values(), ZERO)
    if strategy.ship == "complete" and way and sent < sum(max(ZERO, d.quantity) for d in order.demands):
        return False
    for group in {d.keep_together for d in order.demands if d.keep_together is not None}:
        members = [d for d in order.demands if d.keep_together == group and d.quantity > 0]
        places = {id_ for line_id, id_ in way if demands[line_id].keep_together == group}
        if places and (len(places) > 1 or sum(demands[key[0]].keep_together == group for key in way) < len(members)):
            return False
    opened = {one.id for one in order.warehouses if one.is_open}
    new = {id_ for _line_id, id_ in way} - opened
    parts = len(opened) + len(new)
    sending = opened | new | order.sent_ids
    limit = 1 if strategy.split == "never" else len(sending)
    if strategy.split == "value" and order.value < strategy.split_min_value:
        limit = 1
    if strategy.max_parcels is not None:
        limit = min(limit, strategy.max_parcels)
    if new - order.sent_ids and len(sending) > limit:
        return False
    if strategy.split == "value" and parts > 1:
        for id_ in new:
            value = sum(q * demands[line_id].value for (line_id, other), q in way.items() if other == id_)
            if value < strategy.split_min_part:
                return False
    return True


def get_cost(order, supplies, way):
    """Return the `Cost` of a way by the definitions."""
    strategy = order.strategy
    warehouses = {one.id: one for one in order.warehouses}
    opened = [one for one in order.warehouses if one.is_open]
    demands = {demand.line_id: demand for demand in order.demands}
    used = sorted({id_ for _line_id, id_ in way})
    new = [warehouses[id_] for id_ in used if not warehouses[id_].is_open]
    money = strategy.split_penalty * max(0, len(new) - (0 if opened else 1))
    balance = age = ZERO
    for id_ in used:
        one = warehouses[id_]
        mine = {line_id: quantity for (line_id, other), quantity in way.items() if other == id_}
        money += one.handling_line * len(mine)
        grams = sum(quantity * demands[line_id].weight_g for line_id, quantity in mine.items())
        cm3 = sum(quantity * demands[line_id].volume_cm3 for line_id, quantity in mine.items())
        freight = one.freight or Freight()
        if one.is_open:
            money += freight.price(grams + one.open_weight_g, cm3) - freight.price(one.open_weight_g)
        else:
            money += freight.price(grams, cm3) + one.handling_order + one.packaging
        for product_id in {demands[line_id].product_id for line_id in mine}:
            every = [lot for lot in supplies if lot.product_id == product_id]
            here = [lot for lot in every if lot.warehouse_id == id_]
            cover = next((lot.cover for lot in here if lot.cover is not None), None)
            base = cover if cover is not None else sum(max(ZERO, lot.quantity) for lot in here)
            rest = sum(quantity for line_id, quantity in mine.items() if demands[line_id].product_id == product_id)
            balance += rest * (1_000_000 // base)
            oldest = min(lot.preference for lot in every)
            for lot in get_lots(order, supplies, one, product_id):
                share = min(rest, lot.quantity)
                age += share * (lot.preference - oldest)
                rest -= share
    return Cost(
        missing=sum((max(ZERO, d.quantity) for d in order.demands), ZERO) - sum(way.values(), ZERO),
        parcels=len(new),
        money=money,
        days=max((strategy.unknown_days if w.days is None else w.days for w in (*opened, *new)), default=0),
        metres=sum(round((w.distance_km or 0) * 1000) for w in new),
        unknown=sum(w.distance_km is None for w in new),
        priority=sum(w.priority for w in new),
        balance=balance,
        load=sum(
            1000 - 1000 * min(w.capacity_left, w.capacity) // w.capacity
            for w in new
            if w.capacity and w.capacity_left is not None
        ),
        age=age,
    )


# === INSTANCES === #

AIM_SETS = (
    ordered("parcels", "money"),
    ordered("money", "parcels"),
    ordered("days", "money"),
    ordered("age", "parcels", "metres"),
    ordered("balance", "parcels"),
    ordered("load", "priority", "money"),
    ordered("parcels", "days", "balance"),
    ((("missing", 1),), (("money", 1), ("days", Decimal("2.5")), ("parcels", 3), ("age", 1))),
    ((("missing", 1),), (("balance", Decimal("0.0001")), ("money", 2))),
    ((("missing", 9), ("money", 1), ("parcels", 4)), (("metres", 1),)),
)


def make_strategy(rng):
    return Strategy(
        aims=rng.choice((*AIM_SETS, Strategy().aims)),
        ship=rng.choice(("available", "available", "complete")),
        split=rng.choice(("allowed", "allowed", "allowed", "never", "value")),
        split_min_value=rng.randint(0, 40),
        split_min_part=rng.randint(0, 15),
        max_parcels=rng.choice((None, None, 1, 2)),
        split_penalty=rng.choice((0, 0, 5)),
    )


def make_warehouse(rng, number, is_open_share=0.12):
    refusals = []
    if rng.random() < 0.06:
        refusals.append(Refusal("zone"))
    if rng.random() < 0.08:
        refusals.append(Refusal("hazardous", product_id=1))
    capacity = rng.choice((None, None, 5, 8))
    return Warehouse(
        number,
        rng.choice([None, *(float(km) for km in range(100, 500, 100))]),
        priority=rng.randint(0, 2),
        is_open=rng.random() < is_open_share,
        open_weight_g=rng.choice((0, 300, 900)),
        days=rng.choice((None, 1, 2, 3)),
        freight=rng.choice((None, Freight(1000, 8, 500, rng.randint(1, 4), rng.choice((0, 0, 6000))))),
        handling_order=rng.randint(0, 3),
        handling_line=rng.randint(0, 2),
        packaging=rng.randint(0, 2),
        capacity_left=rng.randint(0, capacity) if capacity else None,
        capacity=capacity,
        refusals=tuple(refusals),
    )


def make_order(rng, id_=1, most_warehouses=4, most_lines=3, products=2, most=3):
    demands = tuple(
        Demand(
            10 * id_ + number,
            rng.randint(1, products),
            Decimal(rng.randint(0, most)),
            keep_together=rng.choice((None, None, None, "a")),
            weight_g=0,
            value=rng.randint(0, 9),
            min_expiry=rng.choice((None, None, 5)),
        )
        for number in range(rng.randint(1, most_lines))
    )
    weights = {product: rng.choice((200, 400, 700)) for product in range(1, products + 1)}
    volumes = {product: rng.choice((0, 1200, 5000)) for product in range(1, products + 1)}
    return Order(
        id_,
        tuple(replace(d, weight_g=weights[d.product_id], volume_cm3=volumes[d.product_id]) for d in demands),
        tuple(make_warehouse(rng, number) for number in range(1, rng.randint(1, most_warehouses) + 1)),
        value=rng.randint(0, 50),
        sent_ids=frozenset(rng.choice(((), (), (), (1,), (2, 9)))),
        strategy=make_strategy(rng),
    )


def make_supplies(rng, warehouses=4, products=2, most=3, with_lots=True):
    supplies = []
    for warehouse in range(1, warehouses + 1):
        for product in range(1, products + 1):
            if rng.random() < 0.2:
                continue
            cover = rng.choice((None, None, Decimal(rng.randint(1, 9))))
            for lot in range(rng.choice((1, 1, 2, 3)) if with_lots else 1):
                expiry = rng.choice((None, 3, 6, 8))
                supplies.append(
                    Supply(
                        warehouse,
                        product,
                        Decimal(rng.randint(-1, most)),
                        lot_id=1000 * warehouse + 10 * product + lot if with_lots else None,
                        expiry=expiry if with_lots else None,
                        preference=(expiry or 9) if with_lots else 0,
                        cover=cover,
                    )
                )
    return supplies


def find_best(order, supplies):
    """Return (rank, way) of the best of all ways."""
    ways = list(get_ways(order, supplies))
    if order.strategy.ship == "complete":
        ways = [way for way in ways if way] or ways
    return min(((order.strategy.rank(get_cost(order, supplies, way)), way) for way in ways), key=lambda found: found[0])


# === BATCHES === #


def make_batch(rng, most_ways=4000):
    """Return orders that compete for little stock and capacity, few enough to try every combination of their plans."""
    while True:
        strategy = make_strategy(rng) if rng.random() < 0.7 else None
        orders = []
        for number in range(1, rng.choice((2, 3, 3)) + 1):
            order = make_order(rng, number, 3, 2, 2, 2)
            order = replace(
                order,
                weight=rng.randint(1, 3),
                strategy=strategy or order.strategy,
                demands=tuple(replace(demand, min_expiry=None) for demand in order.demands),
            )
            orders.append(order)
        supplies = make_supplies(rng, 3, 2, 2, with_lots=False)
        ways = [list(get_ways(order, supplies)) for order in orders]
        if math.prod(map(len, ways)) <= most_ways:
            return orders, supplies, ways


def get_batch_rank(costs):
    """Return what plans for a batch are compared by.

    :param costs: [(order, `Cost`), ...]
    """
    first = [(order, cost) for order, cost in costs if [aim for aim, _w in order.strategy.aims[0]] == ["missing"]]
    ranks = [order.strategy.rank(cost) for order, cost in costs]
    return (
        sum(order.weight * cost.missing for order, cost in first),
        -sum(order.weight for order, cost in first if not cost.missing),
        *(sum(values) for values in itertools.zip_longest(*ranks, fillvalue=0)),
    )


def find_best_batch(orders, supplies, ways):
    """Return the rank of the best combination of ways."""
    had, capacities = {}, {}
    for one in supplies:
        key = (one.warehouse_id, one.product_id)
        had[key] = had.get(key, ZERO) + max(ZERO, one.quantity)
    for one in (one for order in orders for one in order.warehouses if one.capacity_left is not None):
        capacities[one.id] = min(one.capacity_left, capacities.get(one.id, one.capacity_left))
    choices = []
    for order, found in zip(orders, ways, strict=True):
        product_ids = {demand.line_id: demand.product_id for demand in order.demands}
        opened = {one.id for one in order.warehouses if one.is_open}
        choices.append(
            [
                (
                    (order, get_cost(order, supplies, way)),
                    [((id_, product_ids[line_id]), quantity) for (line_id, id_), quantity in way.items()],
                    {id_ for _line_id, id_ in way} - opened,
                )
                for way in found
            ]
        )
    best = None
    for combination in itertools.product(*choices):
        taken, parcels = {}, {}
        for _cost, quantities, used in combination:
            for key, quantity in quantities:
                taken[key] = taken.get(key, ZERO) + quantity
            for id_ in used:
                parcels[id_] = parcels.get(id_, 0) + 1
        if all(taken[key] <= had[key] for key in taken) and all(n <= capacities.get(i, n) for i, n in parcels.items()):
            rank = get_batch_rank([cost for cost, _quantities, _used in combination])
            best = rank if best is None else min(best, rank)
    return best
