"""Which warehouses send something: exact search over the sets of candidates.

Sets are tried by size, depth first over the candidates from the cheapest to the dearest. What a set costs is a
vector of levels, compared by the first that differs; such vectors can be added and keep their order, so the sum of
the cheapest that are left is a bound as it is for numbers. A branch is cut where even the richest warehouses left
can't reach, or the cheapest left can't beat, the best that was found.
"""

from __future__ import annotations

from itertools import accumulate
from math import inf
from operator import add, sub

from .fill import (
    Fill,
    FreightFloor,
    Parts,
    Steps,
    get_ages,
    get_floor,
    get_loads,
    get_room,
    get_strains,
    measure,
    pour,
)
from .problem import Problem, Site

STEP_LIMIT = 50_000
NOTHING = (inf,)  # costs more than everything
UNIT_AIMS = {"balance": get_strains, "age": get_ages}


class Solution:
    """A way to fill the order, and what it costs by levels."""

    __slots__ = ("parts", "rank", "shares", "sites")

    def __init__(self, rank, sites, shares, parts: Parts):
        self.rank = rank
        self.sites = sites
        self.shares = shares
        self.parts = parts


class Bounds:
    """The most that the sites that are not open can have, and the least that they can cost; shared by all searches
    for one order, so a site that must be used counts as one of the others too.

    :ivar richest: for each place in the order of sites, for each product, the most that 0, 1, 2, ... of those from
        there on have
    """

    def __init__(self, problem: Problem):
        self.problem = problem
        self.base = [site for site in problem.sites if site.is_open]
        self.free = [site for site in problem.sites if not site.is_open]
        self.places = {site: place for place, site in enumerate(self.free)}
        count = len(problem.products)
        self.richest = [
            [
                list(accumulate(sorted([site.offer[product] for site in self.free[start:]], reverse=True), initial=0))
                for product in range(count)
            ]
            for start in range(len(self.free) + 1)
        ]
        self.sums = list(accumulate((site.fixed for site in self.free), plus, initial=problem.zero))
        self.has_days = bool(problem.levels.terms["days"])
        self.by_fill = bool(problem.levels.by_fill) and problem.levels.most_first
        if self.by_fill:
            self._prepare_fill(count)

    def _prepare_fill(self, count):
        problem, sites = self.problem, self.problem.sites
        self.picks = [min((site.pick for site in sites if site.has[one]), default=0) for one in range(count)]
        self.freight = FreightFloor(sites, problem.stock.scale)
        rooms = [get_room(site, problem.stock.scale, 0, 0) for site in self.free]
        self.base_room = sum(get_room(site, problem.stock.scale, 0, 0) for site in self.base)
        self.rooms = list(accumulate(sorted(rooms, reverse=True), initial=0))
        self.units = {
            aim: [
                [sorted(offer for site in self.free[start:] for offer in get_offers(site, one)) for one in range(count)]
                for start in range(len(self.free) + 1)
            ]
            for aim, get_offers in UNIT_AIMS.items()
            if aim in problem.levels.by_fill
        }

    def get(self, fixed, need, start, slots, reach, days, picked, forced):
        """Return the least that sets can cost which add ``slots`` of the free sites from ``start`` on.

        :param fixed: levels of the parcels there are, ``days`` their promise
        :param need: quantities that the sites ``picked`` do not have
        :param reach: how many sites may help to get what is needed
        :param forced: site of ``picked`` that must send something, or None
        """
        problem = self.problem
        if slots == 1:
            fixed = plus(fixed, self.free[start].fixed)
        elif slots:
            fixed = tuple(map(sub, plus(fixed, self.sums[start + slots]), self.sums[start]))
        if reach:
            reach = min(reach, len(self.free) - start)
            shorts = [left - rich[reach] for left, rich in zip(need, self.richest[start], strict=True)]
        else:
            shorts = need
        missing = sum([short for short in shorts if short > 0])
        if missing:
            if problem.strategy.ship == "complete":
                return NOTHING
            fixed = problem.add(fixed, "missing", missing)
        if self.has_days:
            fixed = problem.add(fixed, "days", days)
        if self.by_fill:
            fixed = self._add_fill(fixed, shorts, start, reach, picked, forced)
        return fixed

    def _add_fill(self, fixed, shorts, start, reach, picked, forced):
        """Add the least that it costs to fill what can be had; all of it is sent, or more is missing."""
        problem = self.problem
        money = grams = 0
        for product, short in enumerate(shorts):
            amount = problem.wanted[product] - max(0, short)
            if amount > 0:
                money += self.picks[product]
                grams += amount * problem.grams[product]
        if grams:
            used = min(len(self.free), len(picked) - len(self.base) + reach)
            money += self.freight.get(grams - self.base_room - self.rooms[max(0, used)])
        vector = problem.add(fixed, "money", money)
        for aim, rest in self.units.items():
            vector = problem.add(
                vector, aim, self._get_unit_floor(aim, shorts, rest[start if reach else -1], picked, forced)
            )
        return vector

    def _get_unit_floor(self, aim, shorts, rest, picked, forced):
        """Return the least "balance" or "age" of what is sent, with one unit at least from ``forced``.

        :param rest: for each product the offers of the free sites that may still be taken
        """
        problem, get_offers, total, detours = self.problem, UNIT_AIMS[aim], 0, []
        for product, short in enumerate(shorts):
            amount = problem.wanted[product] - max(0, short)
            if amount <= 0:
                continue
            offers = rest[product] + [offer for site in picked for offer in get_offers(site, product)]
            offers.sort()
            floor = get_floor(offers, amount)
            total += floor
            if forced is not None and forced.has[product]:
                step = problem.stock.steps[problem.products[product]]
                own = step * min(get_offers(forced, product))[0]
                detours.append(get_floor(offers, amount - step) + own - floor)
        return total + min(detours, default=0)


class Search:
    """Search for the best set.

    :param forced: a site that must send something, or None
    """

    def __init__(self, bounds: Bounds, steps: Steps, forced: Site | None = None):
        self.problem = problem = bounds.problem
        self.bounds = bounds
        self.forced = forced
        self.steps = steps
        self.base = bounds.base
        self.free = bounds.free
        self.max_new = problem.get_max_new()
        self.fixed = problem.zero
        if not problem.open and problem.strategy.split_penalty:
            # It is for each warehouse beyond the first: where none is open the first pays none.
            self.fixed = problem.add(self.fixed, "money", -problem.strategy.split_penalty)
        self.days = max((problem.get_days(one) for one in problem.open), default=0)
        if forced is not None and not forced.is_open:
            self.base = [*self.base, forced]
            self.max_new -= problem.counts(forced)
            self.fixed = plus(self.fixed, forced.fixed)
            self.days = max(self.days, problem.get_days(forced.candidate))
        self.need = list(problem.wanted)
        for site in self.base:
            self.need = subtract(self.need, site.offer)
        self.best: Solution | None = None
        self.limit: tuple = NOTHING  # what is to be beaten

    def run(self) -> Solution | None:
        """Return the best way, None where the rules allow none."""
        if self.max_new < 0:
            return None
        count = min(self.max_new + sum(not self.problem.counts(site) for site in self.free), len(self.free))
        self._try((), self.need, self.fixed, self.days)
        for size in range(1, count + 1):
            if size == 2 and self.best is not None and self.best.parts[0]:
                self._dive(count)
            every = len(self.free)
            if self.bounds.get(self.fixed, self.need, 0, size, every, self.days, self.base, self.forced) >= self.limit:
                break
            self._descend(0, (), self.need, self.fixed, size, self.days)
        return self.best

    def _dive(self, count):
        """Get a first good set for orders that need several: each time the site that has most of what is left."""
        picked, need = [], self.need
        while len(picked) < count and any(need):
            rest = [site for site in self.free if site not in picked and self._may_add(site, picked)]
            best = max(rest, default=None, key=lambda site: sum(map(min, need, site.offer)))
            if best is None or not any(map(min, need, best.offer)):
                break
            picked.append(best)
            need = subtract(need, best.offer)
        picked.sort(key=self.bounds.places.get)
        fixed, days = self.fixed, self.days
        for site in picked:
            fixed = plus(fixed, site.fixed)
            days = max(days, self.problem.get_days(site.candidate))
        self._try(tuple(picked), need, fixed, days)

    def _descend(self, start, picked, need, fixed, slots, days):
        if not slots:
            self._try(picked, need, fixed, days)
            return
        bounds, present = self.bounds, [*self.base, *picked]
        for index in range(start, len(self.free) - slots + 1):
            if (
                not self.steps.spend()
                or bounds.get(fixed, need, index, slots, slots, days, present, self.forced) >= self.limit
            ):
                return  # later ones have less and cost more
            site = self.free[index]
            if self._may_add(site, picked):
                self._descend(
                    index + 1,
                    (*picked, site),
                    subtract(need, site.offer),
                    plus(fixed, site.fixed),
                    slots - 1,
                    max(days, self.problem.get_days(site.candidate)),
                )

    def _may_add(self, site, picked):
        """Whether a free site may send something beside those that are picked."""
        counts = self.problem.counts
        return site is not self.forced and (
            not counts(site) or len(picked) < self.max_new or sum(map(counts, picked)) < self.max_new
        )

    def _try(self, picked, need, fixed, days):
        problem = self.problem
        sites = [*self.base, *picked]
        if not sites and not problem.open:
            fixed = problem.zero
        rank = self.bounds.get(fixed, need, 0, 0, 0, days, sites, self.forced)
        if rank >= self.limit:
            return
        if problem.is_plain:  # the bound is what it costs
            self.limit = rank
            self.best = Solution(rank, sites, None, (sum(need), 0, 0, 0))
            return
        if self.bounds.has_days:
            fixed = problem.add(fixed, "days", days)
        found = Fill(problem, sites, self.forced, self.steps, fixed, self.limit).run(rank)
        if found is not None:
            self.limit, shares, parts = found
            self.best = Solution(self.limit, sites, shares, parts)


def finish(problem: Problem, solution: Solution):
    """Return what each site sends; fill in what a plain search leaves out: what comes from where, and its cost."""
    if solution.shares is not None:
        return get_loads(problem, solution.sites, solution.shares)
    solution.shares = pour(problem, solution.sites)
    loads = get_loads(problem, solution.sites, solution.shares)
    solution.parts = measure(problem, loads)
    return loads


def plus(left, right):
    return tuple(map(add, left, right))


def subtract(need, offer):
    return [left - have if left > have else 0 for left, have in zip(need, offer, strict=True)]
