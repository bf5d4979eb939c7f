"""One order exactly, and orders one after the other."""

from __future__ import annotations

<<<<<<< HEAD
from collections.abc import Iterable, Sequence
from decimal import Decimal
from itertools import accumulate

from .types import Assignment, Cost, Demand, Loser, Order, Plan, Shortage, Supply, Warehouse

ZERO = Decimal(0)
NAMES = ("parcels", "unknown", "metres", "priority")
=======
from collections.abc import Iterable
from dataclasses import replace

from .fill import Steps
from .plan import make_plan
from .problem import Problem
from .search import STEP_LIMIT, Search
from .stock import Stock
from .types import DEFAULT_STRATEGY, Demand, Order, Plan, Refusal, Strategy, Supply, Warehouse
>>>>>>> dev/sol


def solve(
    demands: Iterable[Demand],
    supplies: Iterable[Supply],
    warehouses: Iterable[Warehouse],
    strategy: Strategy = DEFAULT_STRATEGY,
) -> Plan:
    """Return the best plan for one order; see `solve_order`."""
    return solve_order(Order(0, tuple(demands), tuple(warehouses), strategy=strategy), supplies)


def solve_order(order: Order, supplies: Iterable[Supply], limit: int = STEP_LIMIT) -> Plan:
    """Return the best plan for one order.

    :param supplies: stock, of any warehouse and product; what is not about this order is ignored
    :param limit: steps of the search; when they do not suffice `Plan.is_proven` is False
    """
    products = {demand.product_id for demand in order.demands}
    stock = Stock((supply for supply in supplies if supply.product_id in products), order.demands)
    return solve_from(order, stock, limit)


<<<<<<< HEAD
def solve_in_turn(orders: Iterable[Order], supplies: Iterable[Supply]) -> dict[int, Plan]:
    """Return {order id: plan}: the orders in the sequence given, each takes from what those before it left."""
    left = {(supply.warehouse_id, supply.product_id): supply.quantity for supply in supplies}
=======
def solve_from(order: Order, stock: Stock, limit: int = STEP_LIMIT, explain: bool = True) -> Plan:
    """Return the best plan from what is left in ``stock``, which is not changed."""
    problem = Problem(order, stock)
    steps = Steps(limit)
    return make_plan(problem, Search(problem, steps=steps).run(), steps, explain)


def solve_in_turn(orders: Iterable[Order], supplies: Iterable[Supply]) -> dict[int, Plan]:
    """Return {order id: plan}: each order takes from what those before it left; see `sort_orders`."""
    orders = sort_orders(orders)
    stock = Stock(supplies, (demand for order in orders for demand in order.demands))
    return plan_in_turn(orders, stock, get_capacities(orders))


def sort_orders(orders: Iterable[Order]) -> list[Order]:
    """Return the orders in the sequence in which they are served: those with the same one as they are given."""
    return sorted(orders, key=lambda order: order.sequence)


def get_capacities(orders: Iterable[Order]) -> dict[int, int]:
    """Return {warehouse id: parcels that can still be made}, of the warehouses that have a limit."""
    capacities: dict[int, int] = {}
    for order in orders:
        for one in order.warehouses:
            if one.capacity_left is not None:
                capacities[one.id] = min(one.capacity_left, capacities.get(one.id, one.capacity_left))
    return capacities


def plan_in_turn(orders: list[Order], stock: Stock, capacities: dict[int, int], explain: bool = True):
    """Return {order id: plan}; ``stock`` and ``capacities`` become what is left."""
>>>>>>> dev/sol
    plans = {}
    for order in orders:
        plan = plans[order.id] = solve_from(refuse_full(order, capacities), stock, explain=explain)
        stock.take(plan.assignments)
        take_capacity(order, plan, capacities)
    return plans


<<<<<<< HEAD
def _solve_order(demands, stock, warehouses) -> Plan:
    demands = [demand for demand in demands if demand.quantity > 0]
    wanted: dict[int, Decimal] = {}
    for demand in demands:
        wanted[demand.product_id] = wanted.get(demand.product_id, ZERO) + demand.quantity
    candidates = sorted(warehouses, key=_sort_key)
    offers = {
        warehouse.id: {
            product_id: min(quantity, available)
            for product_id, quantity in wanted.items()
            if (available := stock.get((warehouse.id, product_id), ZERO)) > 0
        }
        for warehouse in candidates
    }
    need = {
        product_id: min(quantity, sum((offer.get(product_id, ZERO) for offer in offers.values()), ZERO))
        for product_id, quantity in wanted.items()
    }
    demanded = sum(wanted.values(), ZERO)
    missing = demanded - sum(need.values(), ZERO)
    opened = [warehouse for warehouse in candidates if warehouse.is_open]
    others = [warehouse for warehouse in candidates if not warehouse.is_open and offers[warehouse.id]]
    rest = _subtract(need, opened, offers)
    chosen, cost = _find_cover(rest, others, offers)
    winners = [*opened, *chosen]
    taken = _pour(need, winners, offers)
    assignments, shortages = _share_out(demands, taken, winners)
    used = {assignment.warehouse_id for assignment in assignments}
    best = Cost(missing, **cost)
    return Plan(
        assignments=assignments,
        shortages=shortages,
        cost=best,
        warehouse_ids=tuple(warehouse.id for warehouse in winners if warehouse.id in used),
        nearest_id=min(candidates, key=lambda warehouse: (_weigh(warehouse), warehouse.id)).id if candidates else None,
        losers=tuple(
            _explain(warehouse, best, rest, others, offers) for warehouse in candidates if warehouse.id not in used
=======
def refuse_full(order: Order, capacities: dict[int, int]) -> Order:
    """Return the order without the candidates that can make no more parcels."""
    if all(left > 0 for left in capacities.values()):
        return order
    return replace(
        order,
        warehouses=tuple(
            replace(one, refusals=(*one.refusals, Refusal("capacity")))
            if not one.is_open and capacities.get(one.id, 1) <= 0
            else one
            for one in order.warehouses
>>>>>>> dev/sol
        ),
    )


<<<<<<< HEAD
def _sort_key(warehouse: Warehouse):
    """Sort the open ones first, then from the cheapest to the dearest."""
    return (not warehouse.is_open, *_weigh(warehouse), warehouse.id)


def _weigh(warehouse: Warehouse) -> tuple[int, int, int]:
    """Return what one parcel from the warehouse adds to `Cost`, behind its number. Whole metres add up exactly."""
    if warehouse.distance_km is None:
        return (1, 0, warehouse.priority)
    return (0, round(warehouse.distance_km * 1000), warehouse.priority)


def _add(left, right):
    return tuple(a + b for a, b in zip(left, right, strict=True))


def _subtract(need, warehouses, offers):
    """Return what is still needed after all that ``warehouses`` have, without the products that are filled."""
    rest = {}
    for product_id, quantity in need.items():
        quantity -= sum((offers[warehouse.id].get(product_id, ZERO) for warehouse in warehouses), ZERO)
        if quantity > 0:
            rest[product_id] = quantity
    return rest


def _find_cover(need, warehouses: Sequence[Warehouse], offers):
    """Return the cheapest set of ``warehouses`` that together has ``need``, and its cost without what is missing.

    ``need`` must not be more than all have together; ``warehouses`` are sorted from the cheapest to the dearest.
    """
    if not need:
        return [], dict.fromkeys(NAMES, 0)
    useful = [warehouse for warehouse in warehouses if any(product_id in offers[warehouse.id] for product_id in need)]
    for size in range(1, len(useful) + 1):
        cover = _CoverSearch(need, useful, offers, size).run()
        if cover is not None:
            return cover
    raise ValueError("The need is more than all warehouses have together")


class _CoverSearch:
    """Depth-first search for the cheapest set of exactly ``size`` warehouses that has ``need``."""

    def __init__(self, need, warehouses, offers, size):
        self.need = need
        self.warehouses = warehouses
        self.size = size
        self.offers = [offers[warehouse.id] for warehouse in warehouses]
        self.weights = [_weigh(warehouse) for warehouse in warehouses]
        # richest[i][product][n]: the most that n of the warehouses from i on can have of the product
        self.richest = [
            {
                product_id: list(
                    accumulate(
                        sorted((offer.get(product_id, ZERO) for offer in self.offers[start:]), reverse=True)[:size],
                        initial=ZERO,
                    )
                )
                for product_id in need
            }
            for start in range(len(warehouses) + 1)
        ]
        self.best = None
        self.best_weight = None

    def run(self):
        self._descend(0, (), self.need, (0, 0, 0))
        if self.best is None:
            return None
        return [self.warehouses[index] for index in self.best], dict(
            zip(NAMES, (self.size, *self.best_weight), strict=True)
        )

    def _descend(self, start, picked, need, weight):
        if not need:
            # All sets of a smaller size were tried in vain, so this one is complete.
            if self.best is None or weight < self.best_weight:
                self.best, self.best_weight = picked, weight
            return
        slots = self.size - len(picked)
        for index in range(start, len(self.warehouses) - slots + 1):
            if not self._is_within_reach(need, self.richest[index], slots):
                return  # fewer warehouses are left for each later index
            if self.best is not None:
                bound = weight
                for cheapest in self.weights[index : index + slots]:
                    bound = _add(bound, cheapest)
                if bound >= self.best_weight:
                    return  # later ones cost more
            offer = self.offers[index]
            rest = {
                product_id: left
                for product_id, quantity in need.items()
                if (left := quantity - offer.get(product_id, ZERO)) > 0
            }
            if slots > 1 or not rest:
                self._descend(index + 1, (*picked, index), rest, _add(weight, self.weights[index]))

    @staticmethod
    def _is_within_reach(need, richest, slots):
        return slots > 0 and all(
            quantity <= richest[product_id][min(slots, len(richest[product_id]) - 1)]
            for product_id, quantity in need.items()
        )


def _pour(need, winners, offers):
    """Return {product id: {warehouse id: quantity}}: a product comes from one warehouse if one has it all (one pick),
    else from the first winners on. Each winner gets something: without it the others would not have enough."""
    taken = {}
    for product_id, quantity in need.items():
        whole = [warehouse for warehouse in winners if offers[warehouse.id].get(product_id, ZERO) >= quantity]
        shares = taken[product_id] = {}
        for warehouse in whole[:1] or winners:
            share = min(quantity, offers[warehouse.id].get(product_id, ZERO))
            if share > 0:
                shares[warehouse.id] = share
                quantity -= share
    return taken


def _share_out(demands, taken, winners):
    """Give the lines their quantities, the first line from the first warehouse on; what is left of them is short."""
    assignments, shortages = [], []
    left = {product_id: dict(shares) for product_id, shares in taken.items()}
    for demand in demands:
        quantity = demand.quantity
        shares = left[demand.product_id]
        for warehouse in winners:
            share = min(quantity, shares.get(warehouse.id, ZERO))
            if share > 0:
                assignments.append(Assignment(demand.line_id, demand.product_id, warehouse.id, share))
                shares[warehouse.id] -= share
                quantity -= share
        if quantity > 0:
            shortages.append(Shortage(demand.line_id, demand.product_id, quantity))
    return tuple(assignments), tuple(shortages)


def _explain(warehouse, best: Cost, rest, others, offers) -> Loser:
    """Compare the plan with the best one that uses ``warehouse``."""
    offer = offers[warehouse.id]
    covered = sum(offer.values(), ZERO)
    if not offer:
        return Loser(warehouse.id, "no_stock", None, covered)
    if warehouse.is_open:
        # Its parcel costs nothing, but one of the winners has all of each product that it could give.
        return Loser(warehouse.id, "tie", best, covered)
    remaining = [other for other in others if other is not warehouse]
    _chosen, cost = _find_cover(_subtract(rest, [warehouse], offers), remaining, offers)
    own = dict(zip(NAMES, (1, *_weigh(warehouse)), strict=True))
    alternative = Cost(best.missing, **{name: cost[name] + own[name] for name in NAMES})
    for name, reason in (
        ("parcels", "parcels"),
        ("unknown", "unknown"),
        ("metres", "distance"),
        ("priority", "priority"),
    ):
        if getattr(alternative, name) > getattr(best, name):
            return Loser(warehouse.id, reason, alternative, covered)
    return Loser(warehouse.id, "tie", alternative, covered)
=======
def take_capacity(order: Order, plan: Plan, capacities: dict[int, int], sign: int = 1):
    """Count the parcels of a plan, or give them back with ``sign`` -1."""
    for one in order.warehouses:
        if one.id in capacities and not one.is_open and one.id in plan.warehouse_ids:
            capacities[one.id] -= sign
>>>>>>> dev/sol
