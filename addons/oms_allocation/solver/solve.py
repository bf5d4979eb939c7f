"""One order exactly, and orders one after the other."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .fill import Steps
from .plan import make_plan
from .problem import Problem
from .search import STEP_LIMIT, Bounds, Search
from .stock import Stock
from .types import DEFAULT_STRATEGY, Demand, Order, Plan, Refusal, Strategy, Supply, Warehouse


def solve(
    demands: Iterable[Demand],
    supplies: Iterable[Supply],
    warehouses: Iterable[Warehouse],
    strategy: Strategy = DEFAULT_STRATEGY,
) -> Plan:
    """Return the best plan for one order; see `solve_order`."""
    return solve_order(Order(0, tuple(demands), tuple(warehouses), strategy=strategy), supplies)


def solve_order(order: Order, supplies: Iterable[Supply], limit: int = STEP_LIMIT, explain: bool = True) -> Plan:
    """Return the best plan for one order.

    :param supplies: stock, of any warehouse and product; what is not about this order is ignored
    :param limit: steps of the search; when they do not suffice `Plan.is_proven` is False
    :param explain: find out why the others lost: a search for each, most of the time that a plan takes
    """
    products = {demand.product_id for demand in order.demands}
    stock = Stock((supply for supply in supplies if supply.product_id in products), order.demands)
    return solve_from(order, stock, limit, explain)


def solve_from(order: Order, stock: Stock, limit: int = STEP_LIMIT, explain: bool = True) -> Plan:
    """Return the best plan from what is left in ``stock``, which is not changed."""
    bounds = Bounds(Problem(order, stock))
    steps = Steps(limit)
    return make_plan(bounds, Search(bounds, steps).run(), steps, explain)


def solve_in_turn(orders: Iterable[Order], supplies: Iterable[Supply], explain: bool = True) -> dict[int, Plan]:
    """Return {order id: plan}: each order takes from what those before it left; see `sort_orders`."""
    orders = sort_orders(orders)
    stock = Stock(supplies, (demand for order in orders for demand in order.demands))
    return plan_in_turn(orders, stock, get_capacities(orders), explain)


def sort_orders(orders: Iterable[Order]) -> list[Order]:
    """Return the orders in the sequence in which they are served: those with the same one as they are given."""
    return sorted(orders, key=lambda order: order.sequence)


def get_capacities(orders: Iterable[Order]) -> dict[int, int]:
    """Return {warehouse id: parcels that can still be made}, of the warehouses that have a limit."""
    capacities: dict[int, int] = {}
    for order in orders:
        for one in order.warehouses:
            if one.capacity_left is not None:
                capacities[one.id] = max(0, min(one.capacity_left, capacities.get(one.id, one.capacity_left)))
    return capacities


def plan_in_turn(orders: list[Order], stock: Stock, capacities: dict[int, int], explain: bool = True):
    """Return {order id: plan}; ``stock`` and ``capacities`` become what is left."""
    plans = {}
    for order in orders:
        plan = plans[order.id] = solve_from(refuse_full(order, capacities), stock, explain=explain)
        stock.take(plan.assignments)
        take_capacity(order, plan, capacities)
    return plans


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
        ),
    )


def take_capacity(order: Order, plan: Plan, capacities: dict[int, int], sign: int = 1):
    """Count the parcels of a plan, or give them back with ``sign`` -1."""
    for one in order.warehouses:
        if one.id in capacities and not one.is_open and one.id in plan.warehouse_ids:
            capacities[one.id] -= sign
