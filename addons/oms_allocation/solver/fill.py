"""What comes from where, when it is settled which warehouses send something.

Exact: depth first over the groups and lines, each with all its ways to be shared by the warehouses, cut where even the
least that the rest can cost is not better than the best found. Within a warehouse lots go by their preference.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from .problem import Problem, Site

# What a way to fill an order costs beside its parcels: (missing, money, balance, age), quantities in whole numbers.
Parts = tuple[int, int, int, int]


class Steps:
    """How many more steps a search may make; shared by all searches for one plan."""

    def __init__(self, limit):
        self.left = limit

    def spend(self):
        self.left -= 1
        return self.left >= 0


def pour(problem: Problem, sites: Sequence[Site]) -> list[dict[Site, int]]:
    """Return a good way to fill the order, {site: quantity} for each line: groups first, from the first site that has
    all; then each product from one site if one has it all (one pick), else from the first sites on."""
    left = {site: list(site.has) for site in sites}
    shares: list[dict[Site, int]] = [{} for _line in problem.lines]
    for places in get_groups(problem).values():
        wanted = sum_by_product(problem, places)
        site = next((s for s in sites if all(left[s][p] >= quantity for p, quantity in wanted.items())), None)
        if site is not None:
            for place in places:
                line = problem.lines[place]
                shares[place][site] = line.quantity
                left[site][line.product] -= line.quantity
    free = [place for place, line in enumerate(problem.lines) if line.group is None]
    for product, need in sum_by_product(problem, free).items():
        whole = next((site for site in sites if left[site][product] >= need), None)
        order = sites if whole is None else (whole,)
        for place in free:
            line = problem.lines[place]
            if line.product != product:
                continue
            quantity = line.quantity
            for site in order:
                share = min(quantity, left[site][product])
                if share > 0:
                    shares[place][site] = share
                    left[site][product] -= share
                    quantity -= share
                if not quantity:
                    break
    return shares


def get_groups(problem: Problem) -> dict[object, list[int]]:
    """Return {group: places of its lines}."""
    groups: dict[object, list[int]] = {}
    for place, line in enumerate(problem.lines):
        if line.group is not None:
            groups.setdefault(line.group, []).append(place)
    return groups


def sum_by_product(problem: Problem, places) -> dict[int, int]:
    found: dict[int, int] = {}
    for place in places:
        line = problem.lines[place]
        found[line.product] = found.get(line.product, 0) + line.quantity
    return found


def count_steps(site: Site, scale: int, grams: int, cm3: int) -> int:
    """Return the steps of the tariff that so much goods take beyond what is paid, in whole numbers (see `Freight`)."""
    freight = site.freight
    paid = 0
    if site.is_open:
        paid = freight.steps(site.candidate.open_weight_g)
        grams += site.candidate.open_weight_g * scale
    if not freight.volume_divisor:
        beyond, step = grams - freight.first_grams * scale, freight.step_grams * scale
    else:
        heavier = max(grams * freight.volume_divisor, cm3 * 1000)
        beyond = heavier - freight.first_grams * scale * freight.volume_divisor
        step = freight.step_grams * scale * freight.volume_divisor
    return max(0, -(-beyond // step) - paid)


def cost_of_lots(lots, quantity: int) -> int:
    """Return the age of the first ``quantity`` of ``lots``."""
    cost = 0
    for _id, age, available in lots:
        if quantity <= 0:
            break
        cost += age * min(quantity, available)
        quantity -= available
    return cost


class Load:
    """What a site sends: sums that the cost depends on."""

    __slots__ = ("cm3", "grams", "picks", "quantities", "value")

    def __init__(self, products):
        self.quantities = [0] * products
        self.grams = self.cm3 = self.picks = self.value = 0

    def add(self, line, quantity, sign=1):
        self.quantities[line.product] += sign * quantity
        self.grams += sign * line.grams * quantity
        self.cm3 += sign * line.cm3 * quantity
        self.value += sign * line.value * quantity
        self.picks += sign


def get_loads(problem: Problem, sites, shares) -> dict[Site, Load]:
    loads = {site: Load(len(problem.products)) for site in sites}
    for line, shared in zip(problem.lines, shares, strict=True):
        for site, quantity in shared.items():
            loads[site].add(line, quantity)
    return loads


def measure(problem: Problem, loads: dict[Site, Load]) -> Parts:
    """Return what the loads cost beside the parcels."""
    scale = problem.stock.scale
    sent = money = balance = age = 0
    for site, load in loads.items():
        if not load.picks:
            continue
        sent += sum(load.quantities)
        money += load.picks * site.pick
        if site.freight.step_price:
            money += site.freight.step_price * count_steps(site, scale, load.grams, load.cm3)
        for product, quantity in enumerate(load.quantities):
            if quantity:
                balance += site.strain[product] * quantity
                age += cost_of_lots(site.lots[product], quantity)
    return problem.demanded - sent, money, balance, age


class Fill:
    """Search for the best way to fill the order from ``sites``.

    :param must_use: a site that must send something
    :param fixed: levels of the parcels
    :param limit: levels that are to be beaten
    """

    def __init__(self, problem: Problem, sites: Sequence[Site], must_use: Site | None, steps: Steps, fixed, limit):
        self.problem = problem
        self.sites = sites
        self.must_use = must_use
        self.steps = steps
        self.scale = problem.stock.scale
        self.loads = {site: Load(len(problem.products)) for site in sites}
        self.left = {site: list(site.has) for site in sites}
        groups = get_groups(problem)
        free = [[place] for place, line in enumerate(problem.lines) if line.group is None]
        self.items = [*groups.values(), *free]
        self.shares: list[dict[Site, int]] = [{} for _line in problem.lines]
        self.need = list(problem.wanted)  # of the items to come
        self.given_up = 0
        self.freight = FreightFloor(sites, self.scale)
        self.strains, self.ages = [], []
        for product in range(len(problem.products)):
            if "balance" in problem.levels.by_fill:
                self.strains.append(sorted(offer for site in sites for offer in get_strains(site, product)))
            if "age" in problem.levels.by_fill:
                self.ages.append(sorted(offer for site in sites for offer in get_ages(site, product)))
        self.fixed = fixed
        self.limit = limit
        self.best: tuple | None = None

    def run(self, bound):
        """Return (levels, shares, parts) of the best way, or None where none is allowed or beats the limit.

        :param bound: levels that no way can beat
        """
        shares = pour(self.problem, self.sites)
        self._offer(shares, get_loads(self.problem, self.sites, shares))
        if bound < self.limit and not self._is_only_way() and self._get_bound(0) < self.limit:
            self._descend(0)
        return None if self.best is None else (self.limit, *self.best)

    def _is_only_way(self) -> bool:
        """Say whether the order can be poured in one way only: from one site, all that is there of each line."""
        problem = self.problem
        return (
            len(self.sites) == 1
            and problem.levels.most_first
            and len(problem.lines) == len(problem.products)
            and len(self.items) == len(problem.lines)
            and all(line.group is None for line in problem.lines)
        )

    def _offer(self, shares, loads):
        if self.must_use is not None and not loads[self.must_use].picks:
            return
        strategy = self.problem.strategy
        if strategy.split == "value":
            new = [load.value for site, load in loads.items() if load.picks and not site.is_open]
            if len(new) + len(self.problem.open) > 1 and any(one < strategy.split_min_part * self.scale for one in new):
                return
        parts = measure(self.problem, loads)
        if parts[0] and strategy.ship == "complete":
            return
        rank = self.problem.add_parts(self.fixed, parts)
        if rank < self.limit:
            self.limit, self.best = rank, ([dict(shared) for shared in shares], parts)

    def _descend(self, depth):
        if depth == len(self.items):
            self._offer(self.shares, self.loads)
            return
        for option in self._get_options(self.items[depth]):
            if not self.steps.spend():
                return
            self._apply(option, 1)
            if self._get_bound(depth + 1) < self.limit:
                self._descend(depth + 1)
            self._apply(option, -1)

    def _apply(self, option, sign):
        for place, shared in option:
            line = self.problem.lines[place]
            self.need[line.product] -= sign * line.quantity
            self.given_up += sign * (line.quantity - sum(shared.values()))
            for site, quantity in shared.items():
                self.loads[site].add(line, quantity, sign)
                self.left[site][line.product] -= sign * quantity
            self.shares[place] = shared if sign > 0 else {}

    def _get_options(self, places):
        """Yield the ways to share lines that go together, or one line: [(place, {site: quantity}), ...]."""
        lines = self.problem.lines
        if lines[places[0]].group is not None:
            wanted = sum_by_product(self.problem, places)
            for site in self.sites:
                if all(self.left[site][product] >= quantity for product, quantity in wanted.items()):
                    yield [(place, {site: lines[place].quantity}) for place in places]
            yield [(place, {}) for place in places]
            return
        line = lines[places[0]]
        sites = [site for site in self.sites if self.left[site][line.product] > 0]
        available = sum(self.left[site][line.product] for site in sites)
        most = min(line.quantity, available)
        least = 0
        if self.problem.levels.most_first:  # what the lines to come can't take must be taken here
            least = min(most, max(0, available - self.need[line.product] + line.quantity))
        step = self.problem.stock.steps[self.problem.products[line.product]]
        for amount in range(most, least - 1, -step):
            for count in range(min(amount, 1), min(len(sites), amount // step) + 1):
                for chosen in combinations(sites, count):
                    for split in self._get_splits(line, chosen, amount, step):
                        yield [(places[0], dict(zip(chosen, split, strict=True)))]

    def _get_splits(self, line, sites, amount, step):
        """Yield all ways to take ``amount`` from ``sites``, something from each; large shares first."""
        if not sites:
            if not amount:
                yield ()
            return
        rest = sites[1:]
        later = sum(self.left[site][line.product] for site in rest)
        for quantity in range(
            min(self.left[sites[0]][line.product], amount - step * len(rest)), max(step, amount - later) - 1, -step
        ):
            for split in self._get_splits(line, rest, amount - quantity, step):
                yield (quantity, *split)

    def _get_bound(self, depth):
        """Return the least that plans can cost which begin as the items before ``depth`` do."""
        problem = self.problem
        _missing, money, balance, age = measure(problem, self.loads)
        short, grams = self.given_up, 0
        for product, need in enumerate(self.need):
            amount = min(need, sum(left[product] for left in self.left.values()))
            short += need - amount
            if amount and problem.levels.most_first:
                money += min([site.pick for site in self.sites if self.left[site][product] > 0])
                grams += amount * problem.grams[product]
                if self.strains:
                    balance += get_floor(self.strains[product], amount)
                if self.ages:
                    age += get_floor(self.ages[product], amount)
        if grams:
            rooms = 0
            for site, load in self.loads.items():
                rooms += get_room(site, self.scale, load.grams, load.cm3)
            money += self.freight.get(grams - rooms)
        return problem.add_parts(self.fixed, (short, money, balance, age))


def get_room(site: Site, scale: int, grams: int, cm3: int) -> int:
    """Return how many grams (times ``scale``) more cost no more freight."""
    freight = site.freight
    steps = count_steps(site, scale, grams, cm3)
    if site.is_open:
        steps += freight.steps(site.candidate.open_weight_g)
        grams += site.candidate.open_weight_g * scale
    return max(0, (freight.first_grams + steps * freight.step_grams) * scale - grams)


class FreightFloor:
    """The least that weight beyond all rooms costs, from whichever of the sites."""

    def __init__(self, sites: Sequence[Site], scale: int):
        tariffs = {(site.freight.step_price, site.freight.step_grams * scale) for site in sites}
        self.tariffs = list(tariffs)
        self.price = min((price for price, _grams in tariffs), default=0)
        self.grams = max((grams for _price, grams in tariffs), default=1)

    def get(self, beyond: int) -> int:
        """Return the least that ``beyond`` grams (times the scale) cost; a step begun is paid."""
        if beyond <= 0 or not self.price:
            return 0
        by_rate = min([-(-beyond * price // grams) for price, grams in self.tariffs])
        return max(by_rate, -(-beyond // self.grams) * self.price)


def get_strains(site: Site, product: int):
    return [(site.strain[product], site.has[product])] if site.has[product] else []


def get_ages(site: Site, product: int):
    return [(age, quantity) for _id, age, quantity in site.lots[product]]


def get_floor(offers, amount: int) -> int:
    """Return the least that ``amount`` costs.

    :param offers: [(cost of one, quantity), ...], sorted
    """
    cost = 0
    for one, quantity in offers:
        if amount <= 0:
            break
        cost += one * min(quantity, amount)
        amount -= quantity
    return cost
