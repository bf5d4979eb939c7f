"""Which warehouses send something: exact search over the sets of candidates.

Sets are tried by size, depth first over the candidates from the cheapest to the dearest. What a set costs is a
vector of levels, compared by the first that differs; such vectors can be added and keep their order, so the sum of
the cheapest that are left is a bound as it is for numbers. A branch is cut where even the richest warehouses left
can't reach, or the cheapest left can't beat, the best that was found.
"""

from __future__ import annotations

from itertools import accumulate
from math import inf
from operator import add

from .fill import Fill, Parts, Steps, get_freight_floor, get_loads, get_rank, get_room, measure, pour
from .problem import Problem, Site

STEP_LIMIT = 50_000
NOTHING = (inf,)  # costs more than everything


class Solution:
    """A way to fill the order, and what it costs by levels."""

    __slots__ = ("parts", "rank", "shares", "sites")

    def __init__(self, rank, sites, shares, parts: Parts):
        self.rank = rank
        self.sites = sites
        self.shares = shares
        self.parts = parts


class Search:
    """Search for the best set.

    :param forced: a site that must send something, or None
    """

    def __init__(self, problem: Problem, forced: Site | None = None, steps: Steps | None = None):
        self.problem = problem
        self.forced = forced
        self.steps = steps or Steps(STEP_LIMIT)
        self.base = [site for site in problem.sites if site.is_open]
        self.free = [site for site in problem.sites if not site.is_open and site is not forced]
        self.max_new = problem.get_max_new()
        self.zero = (0,) * len(problem.levels.weights)
        self.fixed = self.zero
        if not problem.open and problem.strategy.split_penalty:
            # It is for each warehouse beyond the first: where none is open the first pays none.
            self.fixed = problem.get_vector(money=-problem.strategy.split_penalty)
        if forced is not None and not forced.is_open:
            self.base.append(forced)
            self.max_new -= 1
            self.fixed = plus(self.fixed, forced.fixed)
        self.days = max((problem.get_days(one) for one in problem.open), default=0)
        if forced is not None:
            self.days = max(self.days, problem.get_days(forced.candidate))
        self.has_days = any("days" in level for level in problem.levels.weights)
        self.need = list(problem.wanted)
        for site in self.base:
            self.need = subtract(self.need, site.offer)
        self.best: Solution | None = None
        self.limit: tuple = NOTHING  # what is to be beaten

    def run(self) -> Solution | None:
        """Return the best way, None where the rules allow none."""
        if self.max_new < 0:
            return None
        count = min(self.max_new, len(self.free))
        self._prepare(count)
        for size in range(count + 1):
            if size == 2 and self.best is not None and self.best.parts[0]:
                self._dive(count)
            if self._get_bound(self.fixed, self.need, 0, size, len(self.free), self.days) >= self.limit:
                break
            if self._get_bound(self.fixed, self.need, 0, size, size, self.days) >= self.limit:
                continue
            self._descend(0, (), self.need, self.fixed, size, self.days)
        return self.best

    def _prepare(self, count):
        """Get the bounds of the sites from each place on: the most that n of them have, the least that n cost."""
        self.richest = []
        for start in range(len(self.free) + 1):
            rest = self.free[start:]
            self.richest.append(
                [
                    list(accumulate(sorted((site.offer[product] for site in rest), reverse=True), initial=0))
                    for product in range(len(self.need))
                ]
            )
        self.cheapest = [site.fixed for site in self.free]
        if not self.problem.levels.by_fill:
            return
        every = [*self.base, *self.free]
        self.picks = [
            min((site.pick for site in every if site.has[product]), default=0) for product in range(len(self.need))
        ]
        self.grams = [
            min(line.grams for line in self.problem.lines if line.product == product)
            for product in range(len(self.need))
        ]
        scale = self.problem.stock.scale
        self.rooms = sum(get_room(site, scale, 0, 0) for site in self.base)
        self.free_rooms = list(
            accumulate(sorted((get_room(site, scale, 0, 0) for site in self.free), reverse=True), initial=0)
        )

    def _dive(self, count):
        """Get a first good set for orders that need several: each time the site that has most of what is left."""
        picked, need = [], self.need
        while len(picked) < count and any(need):
            rest = [site for site in self.free if site not in picked]
            best = max(rest, key=lambda site: sum(map(min, need, site.offer)))
            if not any(map(min, need, best.offer)):
                break
            picked.append(best)
            need = subtract(need, best.offer)
        picked.sort(key=self.free.index)
        fixed, days = self.fixed, self.days
        for site in picked:
            fixed = plus(fixed, site.fixed)
            days = max(days, self.problem.get_days(site.candidate))
        self._try(tuple(picked), need, fixed, days)

    def _descend(self, start, picked, need, fixed, slots, days):
        if not slots:
            self._try(picked, need, fixed, days)
            return
        for index in range(start, len(self.free) - slots + 1):
            if not self.steps.spend() or self._get_bound(fixed, need, index, slots, slots, days) >= self.limit:
                return  # later ones have less and cost more
            site = self.free[index]
            self._descend(
                index + 1,
                (*picked, site),
                subtract(need, site.offer),
                plus(fixed, site.fixed),
                slots - 1,
                max(days, self.problem.get_days(site.candidate)) if self.has_days else 0,
            )

    def _get_bound(self, fixed, need, start, slots, reach, days):
        """Return the least that sets can cost which add ``slots`` of the sites from ``start`` on.

        :param reach: how many sites may help to get what is needed
        """
        problem = self.problem
        for site_fixed in self.cheapest[start : start + slots]:
            fixed = plus(fixed, site_fixed)
        richest = self.richest[start]
        last = min(reach, len(self.free) - start)
        shorts = [max(0, left - rich[last]) for left, rich in zip(need, richest, strict=True)]
        values = {"missing": sum(shorts)}
        if values["missing"] and problem.strategy.ship == "complete":
            return NOTHING
        if self.has_days:
            values["days"] = days
        if problem.levels.by_fill and problem.levels.most_first:
            values["money"] = self._get_money_floor(shorts, reach)
        return plus(fixed, problem.get_vector(**values))

    def _get_money_floor(self, shorts, reach):
        money = grams = 0
        for product, short in enumerate(shorts):
            amount = self.problem.wanted[product] - short
            if amount > 0:
                money += self.picks[product]
                grams += amount * self.grams[product]
        if grams:
            rooms = self.rooms + self.free_rooms[min(self.max_new, len(self.free))]
            money += get_freight_floor([*self.base, *self.free], self.problem.stock.scale, grams - rooms)
        return money

    def _try(self, picked, need, fixed, days):
        problem = self.problem
        if self.has_days:
            fixed = plus(fixed, problem.get_vector(days=days))
        missing = sum(need)
        if missing and problem.strategy.ship == "complete":
            return
        sites = [*self.base, *picked]
        if not sites and not problem.open:
            fixed = self.zero
        rank = plus(fixed, get_rank(problem, (missing, 0, 0, 0)))
        if rank >= self.limit:
            return
        shares, parts = None, (missing, 0, 0, 0)
        if not problem.is_plain:
            found = Fill(problem, sites, self.forced, self.steps).run()
            if found is None:
                return
            rank, shares, parts = found
            rank = plus(fixed, rank)
        if rank < self.limit:
            self.limit = rank
            self.best = Solution(rank, sites, shares, parts)


def finish(problem: Problem, solution: Solution):
    """Fill in what a plain search leaves out: what comes from where, and what it costs beside the parcels."""
    if solution.shares is None:
        solution.shares = pour(problem, solution.sites)
        solution.parts = measure(problem, get_loads(problem, solution.sites, solution.shares))


def plus(left, right):
    return tuple(map(add, left, right))


def subtract(need, offer):
    return [left - have if left > have else 0 for left, have in zip(need, offer, strict=True)]
