"""Orders that compete as a mixed integer program: columns, rows and an objective for each level. Knows no library.

For an order o, a line l, a site s and a lot t, in whole numbers (see `problem`):

- x[o,l,s,t] is sent: at most what the lot has and the line wants; all x of a lot together at most what it has
- y[o,s] = 1 where a parcel is made that would not be made otherwise; all y of a warehouse at most its capacity;
  x <= min(wanted, had) * y
- z[o,l,s] = 1 where something of the line is picked (only if picks cost); x <= wanted * z
- g[o,k,s] = 1 where the group k comes from: x = wanted * g, one s at most
- n[o,s] steps of the tariff: step * n >= grams - first * y (and the same for volume)
- d[o] >= days of each y; f[o] <= sum of y is the first parcel, which pays no split penalty
- c[o] = 1 where all of an order is sent; v[o] = 1 where one that is split by value is split
"""

from __future__ import annotations

from math import lcm

from .fill import get_groups, get_room
from .problem import Problem, Site

# The first objectives, see `batch.get_batch_rank`; behind them come the levels of the strategies.
MISSING, COMPLETE, LEVELS = range(3)


class Model:
    """Columns and rows.

    :ivar columns: [(upper, is_integer)], the lower bound is 0
    :ivar costs: for each objective {column: cost}, ``constants`` what is added to it
    :ivar rows: [(lower or None, upper or None, {column: factor})]
    :ivar shares: {column: (order id, line id, product id, warehouse id, lot id)} of every x
    """

    def __init__(self, problems: list[Problem], capacities: dict[int, int]):
        self.columns: list[tuple[int, bool]] = []
        self.rows: list[tuple[int | None, int | None, dict[int, int]]] = []
        levels = LEVELS + max((problem.levels.count for problem in problems), default=0)
        self.costs: list[dict[int, int]] = [{} for _level in range(levels)]
        self.constants = [0] * levels
        self.factors = [1] * levels
        for problem in problems:
            for level, factor in enumerate(problem.levels.factors, LEVELS):
                self.factors[level] = lcm(self.factors[level], factor)
        self.shares: dict[int, tuple] = {}
        self._by_lot: dict[tuple, list[int]] = {}
        self._by_warehouse: dict[int, list[int]] = {}
        self._lots: dict[tuple, int] = {}
        for problem in problems:
            _OrderPart(self, problem)
        for key, columns in self._by_lot.items():
            if sum(self.columns[column][0] for column in columns) > self._lots[key]:
                self.rows.append((None, self._lots[key], dict.fromkeys(columns, 1)))
        for warehouse_id, columns in self._by_warehouse.items():
            if len(columns) > capacities.get(warehouse_id, len(columns)):
                self.rows.append((None, capacities[warehouse_id], dict.fromkeys(columns, 1)))

    def add_column(self, upper, is_integer=True) -> int:
        self.columns.append((upper, is_integer))
        return len(self.columns) - 1

    def add_row(self, lower, upper, factors):
        self.rows.append((lower, upper, factors))


class _OrderPart:
    """What one order adds to the model."""

    def __init__(self, model: Model, problem: Problem):
        self.model = model
        self.problem = problem
        self.zero = problem.zero
        self.parcels: dict[Site, int] = {}
        self.sent: dict[int, dict[Site, list[int]]] = {}
        self._add_constants()
        for site in problem.sites:
            if not site.is_open:
                column = self.parcels[site] = model.add_column(1)
                self._add_cost(column, site.fixed)
                model._by_warehouse.setdefault(site.id, []).append(column)
        for place, line in enumerate(problem.lines):
            self._add_line(place, line)
        self._add_groups()
        self._add_completeness()
        self._add_split_rules()
        if problem.levels.terms["money"]:
            for site in problem.sites:
                self._add_freight(site)
        if problem.levels.terms["days"]:
            self._add_days()

    def _get_levels(self, vector):
        """Yield the objectives that a vector of the order's levels adds to; whole weights of all orders alike."""
        for place, value in enumerate(vector):
            if value:
                level = LEVELS + place
                yield level, value * self.model.factors[level] // self.problem.levels.factors[place]

    def _add_cost(self, column, vector):
        for level, cost in self._get_levels(vector):
            costs = self.model.costs[level]
            costs[column] = costs.get(column, 0) + cost

    def _add_constant(self, vector):
        for level, value in self._get_levels(vector):
            self.model.constants[level] += value

    def _add_constants(self):
        problem, model = self.problem, self.model
        self._add_constant(problem.add(self.zero, "missing", problem.demanded))
        if problem.levels.most_first:
            model.constants[MISSING] += problem.order.weight * problem.demanded

    def _add_line(self, place, line):
        problem, model = self.problem, self.model
        by_site = self.sent[place] = {}
        for site in problem.sites:
            columns = [self._add_share(site, line, lot) for lot in site.lots[line.product]]
            if not columns:
                continue
            by_site[site] = columns
            most = min(line.quantity, site.has[line.product])
            sent = dict.fromkeys(columns, 1)
            if site in self.parcels:
                model.add_row(None, 0, {**sent, self.parcels[site]: -most})
            if site.pick and problem.levels.terms["money"] and line.group is None:
                pick = model.add_column(1)
                self._add_cost(pick, problem.add(self.zero, "money", site.pick))
                model.add_row(None, 0, {**sent, pick: -most})
        every = [column for columns in by_site.values() for column in columns]
        if sum(model.columns[column][0] for column in every) > line.quantity:
            model.add_row(None, line.quantity, dict.fromkeys(every, 1))

    def _add_share(self, site, line, lot) -> int:
        problem, model = self.problem, self.model
        lot_id, age, quantity = lot
        column = model.add_column(min(line.quantity, quantity))
        vector = problem.add_parts(self.zero, (-1, 0, site.strain[line.product], age))
        self._add_cost(column, vector)
        if problem.levels.most_first:
            model.costs[MISSING][column] = -problem.order.weight
        key = (site.id, problem.products[line.product], lot_id)
        model._by_lot.setdefault(key, []).append(column)
        model._lots[key] = quantity
        model.shares[column] = (problem.order.id, line.id, key[1], site.id, lot_id)
        return column

    def _add_groups(self):
        problem, model = self.problem, self.model
        for places in get_groups(problem).values():
            chosen = []
            for site in problem.sites:
                if not all(site in self.sent[place] for place in places):
                    for place in places:  # what stands alone there can't be sent
                        for column in self.sent[place].get(site, ()):
                            model.add_row(None, 0, {column: 1})
                    continue
                column = model.add_column(1)
                chosen.append(column)
                self._add_cost(column, problem.add(self.zero, "money", site.pick * len(places)))
                for place in places:
                    sent = dict.fromkeys(self.sent[place][site], 1)
                    model.add_row(0, 0, {**sent, column: -problem.lines[place].quantity})
            if len(chosen) > 1:
                model.add_row(None, 1, dict.fromkeys(chosen, 1))

    def _add_completeness(self):
        problem, model = self.problem, self.model
        is_needed = problem.strategy.ship == "complete"
        wanted = problem.levels.most_first and all(
            sum(site.has[product] for site in problem.sites) >= quantity
            for product, quantity in enumerate(problem.wanted)
        )
        if not problem.lines and problem.levels.most_first:
            model.constants[COMPLETE] -= problem.order.weight
        if not problem.lines or not (is_needed or wanted):
            return
        complete = model.add_column(1)
        if problem.levels.most_first:
            model.costs[COMPLETE][complete] = -problem.order.weight
        for place, by_site in self.sent.items():
            every = [column for columns in by_site.values() for column in columns]
            factors = {**dict.fromkeys(every, 1), complete: -problem.lines[place].quantity}
            model.add_row(0, 0 if is_needed else None, factors)

    def _add_split_rules(self):
        problem, model = self.problem, self.model
        parcels, strategy = list(self.parcels.values()), problem.strategy
        further = [column for site, column in self.parcels.items() if problem.counts(site)]
        if problem.get_max_new() < len(further):
            model.add_row(None, problem.get_max_new(), dict.fromkeys(further, 1))
        if parcels and strategy.split_penalty and problem.levels.terms["money"] and not problem.open:
            first = model.add_column(1)
            self._add_cost(first, problem.add(self.zero, "money", -strategy.split_penalty))
            model.add_row(None, 0, {first: 1, **dict.fromkeys(parcels, -1)})
        if strategy.split != "value" or not strategy.split_min_part:
            return
        floor = strategy.split_min_part * problem.stock.scale
        split = None
        if not problem.open:
            split = model.add_column(1)
            model.add_row(None, 1, {**dict.fromkeys(parcels, 1), split: 1 - len(parcels)})
        for site, parcel in self.parcels.items():
            values = self._get_factors(site, "value")
            if split is None:
                model.add_row(0, None, {**values, parcel: -floor})
            else:
                model.add_row(-floor, None, {**values, parcel: -floor, split: -floor})

    def _get_factors(self, site, name) -> dict[int, int]:
        return {
            column: factor
            for place, by_site in self.sent.items()
            if (factor := getattr(self.problem.lines[place], name))
            for column in by_site.get(site, ())
        }

    def _add_freight(self, site):
        problem, model, freight = self.problem, self.model, site.freight
        if not freight.step_price:
            return
        scale, divisor = problem.stock.scale, freight.volume_divisor
        grams, cm3 = self._get_factors(site, "grams"), self._get_factors(site, "cm3")
        heaviest = sum(factor * model.columns[column][0] for column, factor in grams.items())
        largest = sum(factor * model.columns[column][0] for column, factor in cm3.items()) if divisor else 0
        step = freight.step_grams * scale
        most = max(-(-heaviest // step), -(-largest * 1000 // (step * divisor)) if divisor else 0)
        steps = model.add_column(most + 1)
        self._add_cost(steps, problem.add(self.zero, "money", freight.step_price))
        parcel = self.parcels.get(site)
        if grams:
            first = get_room(site, scale, 0, 0)
            allowed = {parcel: -first} if parcel is not None else {}
            model.add_row(None, 0 if allowed else first, {**grams, **allowed, steps: -step})
        if divisor and cm3:
            paid = freight.first_grams + (freight.steps(site.candidate.open_weight_g) if site.is_open else 0) * (
                freight.step_grams
            )
            first = paid * scale * divisor
            allowed = {parcel: -first} if parcel is not None else {}
            factors = {column: 1000 * factor for column, factor in cm3.items()}
            model.add_row(None, 0 if allowed else first, {**factors, **allowed, steps: -step * divisor})

    def _add_days(self):
        problem, model = self.problem, self.model
        base = max((problem.get_days(one) for one in problem.open), default=0)
        self._add_constant(problem.add(self.zero, "days", base))
        beyond = {site: problem.get_days(site.candidate) - base for site in self.parcels}
        most = max(beyond.values(), default=0)
        if most > 0:
            days = model.add_column(most)
            self._add_cost(days, problem.add(self.zero, "days", 1))
            for site, later in beyond.items():
                if later > 0:
                    model.add_row(0, None, {days: 1, self.parcels[site]: -later})
