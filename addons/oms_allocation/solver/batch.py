"""Orders that compete for scarce stock and capacity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import product
from math import inf
from random import Random

from . import highs
from .compare import get_totals
from .model import LEVELS, Model
from .problem import Problem, get_refusal
from .results import BatchResult
from .solve import get_capacities, plan_in_turn, refuse_full, solve_from, sort_orders, take_capacity
from .stock import Stock
from .types import Assignment, Order, Plan, Supply

AT_ONCE = 100  # competing orders that are weighed all at once
PART = 12  # of more orders, how many at a time: many small parts gain more in the same time than few large ones
PART_SECONDS = 2.0
BOUND_SHARE = 0.2  # of the time, to find out how good the plans are


def solve_batch(orders: Iterable[Order], supplies: Iterable[Supply], seconds: float = 10.0) -> BatchResult:
    """Return plans for all orders.

    What is better is said by `get_batch_rank`. The orders are served one by one first; those that could gain from what
    others take are then weighed against each other: all at once where they are few, else part by part as long as
    there is time. What is better is kept, so the plans are never worse than one by one.

    :param seconds: for the library, by its own clock; all else takes about as long as `solve_in_turn` a few times
    """
    return _Batch(sort_orders(orders), list(supplies), seconds).run()


def get_batch_rank(orders: Iterable[Order], plans: Mapping[int, Plan]) -> tuple:
    """Return what plans for a batch are compared by, the lower the better.

    First what is missing, each unit times the weight of its order; then orders that are complete, likewise (negative,
    as more are better); both of the orders whose strategy asks for most quantity first. Then, level by level of the
    strategies, the sum over the orders.
    """
    rank: list = [Decimal(0), 0]
    for order in orders:
        cost, strategy = plans[order.id].cost, order.strategy
        if is_most_first(order):
            rank[0] += order.weight * cost.missing
            rank[1] -= 0 if cost.missing else order.weight
        for level, value in enumerate(strategy.rank(cost), 2):
            if level == len(rank):
                rank.append(0)
            rank[level] += value
    return tuple(rank)


def is_most_first(order: Order) -> bool:
    return {aim for aim, weight in order.strategy.aims[0] if weight} == {"missing"}


def get_components(orders: list[Order], stock: Stock, capacities: dict[int, int]) -> list[list[Order]]:
    """Return the orders in groups: none of a group wants what one of another could miss.

    A product in a warehouse is scarce when all who may have it from there want more than there is; its lots are, when
    there are several, as one may need what another could do without. Capacity likewise.
    """
    leader = {order.id: order.id for order in orders}

    def find(id_):
        while leader[id_] != id_:
            leader[id_] = id_ = leader[leader[id_]]
        return id_

    for first, *rivals in get_rivals(orders, stock, capacities):
        for one in rivals:
            leader[find(one.id)] = find(first.id)
    groups: dict[int, list[Order]] = {}
    for order in orders:
        groups.setdefault(find(order.id), []).append(order)
    return list(groups.values())


def get_rivals(orders: list[Order], stock: Stock, capacities: dict[int, int]) -> Iterator[list[Order]]:
    """Yield, for each thing that is scarce, the orders that may want it."""
    wanting: dict[tuple[int, int], list[tuple[Order, int]]] = {}
    sending: dict[int, list[Order]] = {}
    for order in orders:
        candidates = [one for one in order.warehouses if get_refusal(one) is None]
        for one in candidates:
            if one.id in capacities and not one.is_open:
                sending.setdefault(one.id, []).append(order)
        for demand, one in product(order.demands, candidates):
            if demand.quantity > 0 and one.id in stock.lots.get(demand.product_id, ()):
                found = wanting.setdefault((one.id, demand.product_id), [])
                found.append((order, stock.whole(demand.quantity)))
    for warehouse_id, rivals in sending.items():
        if len(rivals) > capacities[warehouse_id]:
            yield rivals
    for (warehouse_id, product_id), found in wanting.items():
        lots = [lot.left for lot in stock.lots[product_id][warehouse_id] if lot.left > 0]
        if len(lots) > 1 or 0 < sum(lots) < sum(quantity for _order, quantity in found):
            yield [order for order, _quantity in found]


class _Batch:
    """Plans for a batch, improved step by step; ``stock`` and ``capacities`` are what the plans leave."""

    def __init__(self, orders: list[Order], supplies: list[Supply], seconds: float):
        self.orders = orders
        self.supplies = supplies
        self.seconds = self.left = seconds
        self.library = None  # loaded when orders compete
        self.stock = self._get_stock()
        self.capacities = get_capacities(orders)
        self.plans = plan_in_turn(orders, self.stock, self.capacities, explain=False)
        self.notes: set[str] = set()
        self.gaps: list[tuple[int, float | None]] = []

    def run(self) -> BatchResult:
        in_turn = dict(self.plans)
        competing = 0
        for group in get_components(self.orders, self._get_stock(), get_capacities(self.orders)):
            if len(group) > 1 and not self._is_ideal(group):
                competing += len(group)
                self._weigh(group)
        self._polish(self.orders, explain=True)
        is_better = get_batch_rank(self.orders, self.plans) < get_batch_rank(self.orders, in_turn)
        level, gap = min(self.gaps, key=lambda one: (one[0], -inf if one[1] is None else -one[1]), default=(None, 0.0))
        return BatchResult(
            plans=self.plans,
            method="alone" if not competing else "optimum" if not self.gaps else "gap" if is_better else "in_turn",
            gap=gap,
            gap_level=level,
            seconds=self.seconds,
            totals=self._get_totals(self.plans),
            in_turn=self._get_totals(in_turn),
            competing=competing,
            note=next((note for note in ("library_missing", "time_up") if note in self.notes), ""),
        )

    def _get_stock(self):
        return Stock(self.supplies, (demand for order in self.orders for demand in order.demands))

    def _get_totals(self, plans):
        return get_totals((order, plans[order.id]) for order in self.orders)

    def _take(self, order: Order, sign=1):
        self.stock.take(self.plans[order.id].assignments, sign)
        take_capacity(order, self.plans[order.id], self.capacities, sign)

    def _is_ideal(self, group) -> bool:
        """Say whether each order has what it would have if it were alone: then nothing is better."""
        stock = self._get_stock()
        return all(
            order.strategy.rank(solve_from(order, stock, explain=False).cost)
            == order.strategy.rank(self.plans[order.id].cost)
            for order in group
        )

    def _polish(self, orders: list[Order], explain: bool):
        """Solve each order again, exactly, with what the others leave to it: no plan gets worse, and each says why."""
        for order in orders:
            self._take(order, -1)
            self.plans[order.id] = solve_from(refuse_full(order, self.capacities), self.stock, explain=explain)
            self._take(order)

    def _weigh(self, group: list[Order]):
        self.library = self.library or highs.load()
        if self.library is None:
            self.notes.add("library_missing")
            self.gaps.append((0, None))
        else:
            self._weigh_with_library(group)

    def _weigh_with_library(self, group: list[Order]):
        answer = None
        if len(group) <= AT_ONCE:
            answer = self._improve(group, self.left / 2)
            if answer.level is None:
                return
        self._polish(group, explain=False)
        reserve = BOUND_SHARE * self.left
        for part in get_neighbourhoods(group):
            if self.left <= reserve:
                break
            self._improve(part, min(self.left - reserve, PART_SECONDS))
        if answer is not None and answer.gap is not None:  # what was reached since is no worse
            level, gap = answer.level, answer.gap
        else:
            level, gap = self._bound(group)
        if level is not None:
            self.notes.add("time_up")
            self.gaps.append((level, gap))

    def _bound(self, group: list[Order]) -> tuple[int | None, float | None]:
        """Return (level, gap): how far from the best possible the plans can be."""
        stock = self._get_stock()
        model = Model([Problem(order, stock) for order in group], get_capacities(self.orders))
        factors = [stock.scale, 1, *(stock.scale * factor for factor in model.factors[LEVELS:])]
        reached = [int(value * by) for value, by in zip(get_batch_rank(group, self.plans), factors, strict=True)]
        return highs.bound(self.library, model, reached, self.left)

    def _improve(self, group: list[Order], seconds: float) -> highs.Answer:
        """Weigh orders against each other, with what all others leave them; keep what is better."""
        for order in group:
            self._take(order, -1)
        problems = [Problem(order, self.stock) for order in group]
        answer = highs.minimize(self.library, model := Model(problems, self.capacities), seconds)
        self.left = max(0.0, self.left - answer.seconds)
        before = {order.id: self.plans[order.id] for order in group}
        if answer.values is not None:
            self.plans.update(read_plans(group, model, answer.values, self.stock))
        for order in group:
            self._take(order)
        if answer.values is not None:
            if is_sound := self._is_sound(group):
                self._polish(group, explain=False)
            if not is_sound or get_batch_rank(group, self.plans) >= get_batch_rank(group, before):
                for order in group:
                    self._take(order, -1)
                self.plans.update(before)
                for order in group:
                    self._take(order)
        return answer

    def _is_sound(self, group) -> bool:
        """Say whether nothing is promised twice: the library calculates with fractions, within its tolerance."""
        return min(self.capacities.values(), default=0) >= 0 and all(
            lot.left >= 0
            for order in group
            for one in self.plans[order.id].assignments
            for lot in self.stock.lots[one.product_id][one.warehouse_id]
        )


def get_neighbourhoods(orders: list[Order]) -> Iterator[list[Order]]:
    """Yield parts of the orders to weigh against each other, without end: around each order those that want most of
    what it wants, or of what those want."""
    wanting: dict[int, list[Order]] = {}
    for order in orders:
        for product_id in {demand.product_id for demand in order.demands}:
            wanting.setdefault(product_id, []).append(order)
    random = Random(1)
    while True:
        for seed in random.sample(orders, len(orders)):
            part, queue = {seed.id: seed}, [seed]
            while queue and len(part) < PART:
                order = queue.pop(0)
                for product_id in sorted({demand.product_id for demand in order.demands}):
                    rivals = [one for one in wanting[product_id] if one.id not in part]
                    for one in random.sample(rivals, min(len(rivals), PART - len(part))):
                        part[one.id] = one
                        queue.append(one)
            yield sorted(part.values(), key=lambda order: (order.sequence, order.id))


def read_plans(orders: list[Order], model: Model, values: list[int], stock: Stock) -> dict[int, Plan]:
    """Return {order id: plan} of which only says what comes from where."""
    assignments: dict[int, list[Assignment]] = {order.id: [] for order in orders}
    for column, (order_id, line_id, product_id, warehouse_id, lot_id) in model.shares.items():
        if values[column] > 0:
            quantity = stock.quantity(values[column])
            assignments[order_id].append(Assignment(line_id, product_id, warehouse_id, quantity, lot_id))
    return {
        order_id: Plan(tuple(found), warehouse_ids=tuple({one.warehouse_id: None for one in found}))
        for order_id, found in assignments.items()
    }
