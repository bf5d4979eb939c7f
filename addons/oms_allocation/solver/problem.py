from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from math import lcm
from typing import NamedTuple

from .stock import Stock
from .types import AIMS, Freight, Order, Strategy, Warehouse

QUANTITY_AIMS = ("missing", "balance", "age")
PART_AIMS = ("missing", "money", "balance", "age")
NO_FREIGHT = Freight()


class Levels(NamedTuple):
    """The aims of a strategy with whole weights, and what follows from them.

    :param count: number of levels
    :param terms: {aim: ((level, weight), ...)}
    :param factors: by how much the weights of each level were multiplied to become whole
    :param most_first: the first level is what is missing, alone: everything that can be sent is sent
    :param by_fill: aims that depend on what comes from where, not only on which warehouses send something
    """

    count: int
    terms: dict[str, tuple[tuple[int, int], ...]]
    factors: tuple[int, ...]
    most_first: bool
    by_fill: frozenset[str]


@lru_cache(maxsize=256)
def get_levels(strategy: Strategy) -> Levels:
    terms: dict[str, list] = {aim: [] for aim in AIMS}
    factors = []
    for number, level in enumerate(strategy.aims):
        fractions = [Decimal(weight).as_integer_ratio() for _aim, weight in level]
        factor = lcm(*(below for _above, below in fractions))
        factors.append(factor)
        for (aim, weight), (above, below) in zip(level, fractions, strict=True):
            if weight:
                terms[aim].append((number, above * factor // below))
    first = {aim for aim, weight in strategy.aims[0] if weight}
    return Levels(
        len(strategy.aims),
        {aim: tuple(found) for aim, found in terms.items()},
        tuple(factors),
        first == {"missing"},
        frozenset(aim for aim in ("money", "balance", "age") if terms[aim]),
    )


class Line(NamedTuple):
    """A line in whole numbers; ``product`` is the place in `Problem.products`."""

    id: int
    product: int
    quantity: int
    group: object
    grams: int
    cm3: int
    value: int


class Site:
    """A candidate in whole numbers.

    :ivar offer: what it has of each product, up to what is wanted
    :ivar lots: for each product [(lot id, age, quantity), ...], those to go first come first
    :ivar fixed: what its parcel adds to each level whatever is in it; nothing where a parcel is open
    """

    __slots__ = ("candidate", "fixed", "freight", "has", "id", "is_open", "lots", "offer", "pick", "strain")

    def __init__(self, candidate: Warehouse):
        self.candidate = candidate
        self.id = candidate.id
        self.is_open = candidate.is_open
        self.freight = candidate.freight or NO_FREIGHT
        self.pick = candidate.handling_line


class Problem:
    """One order and the stock as the search wants them.

    :ivar sites: candidates that may serve the order and have something for it, the open ones first, then from the
        cheapest to the dearest
    :ivar hidden: {product: quantity} of allowed candidates that expires too early
    """

    def __init__(self, order: Order, stock: Stock):
        self.order = order
        self.stock = stock
        self.strategy = order.strategy
        self.levels = get_levels(order.strategy)
        self.zero = (0,) * self.levels.count
        self.products: list[int] = []
        self.lines = self._get_lines(order.demands, stock)
        self.wanted = [0] * len(self.products)
        for line in self.lines:
            self.wanted[line.product] += line.quantity
        self.demanded = sum(self.wanted)
        self.grams = [
            min([line.grams for line in self.lines if line.product == place]) for place in range(len(self.products))
        ]
        self.hidden: dict[int, int] = {}
        self.allowed = [one for one in order.warehouses if get_refusal(one) is None]
        self.sites = []
        for candidate in self.allowed:
            site = Site(candidate)
            self._fill_site(site)
            if any(site.offer):
                site.fixed = self.get_fixed(candidate)
                self.sites.append(site)
        self.sites.sort(key=lambda site: (not site.is_open, site.fixed, site.id))
        self.open = [one for one in order.warehouses if one.is_open]
        self.sent_ids = order.sent_ids - {one.id for one in self.open}
        self.is_plain = not self.levels.by_fill and self.levels.most_first and not self.has_rules()

    def has_rules(self):
        return self.strategy.split == "value" or any(line.group is not None for line in self.lines)

    def _get_lines(self, demands, stock):
        places: dict[int, int] = {}
        lines = []
        self.min_expiry: dict[int, int] = {}
        for one in demands:
            if one.quantity > 0:
                place = places.setdefault(one.product_id, len(places))
                if one.min_expiry is not None:
                    self.min_expiry[place] = max(one.min_expiry, self.min_expiry.get(place, one.min_expiry))
                lines.append(
                    Line(
                        one.line_id,
                        place,
                        stock.whole(one.quantity),
                        one.keep_together,
                        one.weight_g,
                        one.volume_cm3,
                        one.value,
                    )
                )
        self.products = list(places)
        return lines

    def _fill_site(self, site):
        site.offer, site.lots, site.has, site.strain = [], [], [], []
        refused = {one.product_id for one in site.candidate.refusals} if site.candidate.refusals else ()
        for place, product_id in enumerate(self.products):
            lots, total = [], 0
            if product_id not in refused:
                for lot in self.stock.lots.get(product_id, {}).get(site.id, ()):
                    if lot.left <= 0:
                        continue
                    if lot.expiry is not None and lot.expiry < self.min_expiry.get(place, lot.expiry):
                        self.hidden[place] = self.hidden.get(place, 0) + lot.left
                        continue
                    lots.append((lot.id, lot.age, lot.left))
                    total += lot.left
            site.lots.append(lots)
            site.has.append(total)
            site.offer.append(min(total, self.wanted[place]))
            site.strain.append(self.stock.strain.get((site.id, product_id), 0))

    def get_fixed(self, candidate: Warehouse) -> tuple[int, ...]:
        """Return what a parcel adds to each level whatever is in it."""
        fixed = self.zero
        if not candidate.is_open:
            for aim, value in get_parcel_values(candidate, self.strategy).items():
                fixed = self.add(fixed, aim, value)
        return fixed

    def add(self, vector, aim: str, value: int):
        """Return ``vector`` of levels with ``value`` of an aim added.

        :param value: as in `Cost`; for `QUANTITY_AIMS` a whole number. All levels are in whole numbers, so the other
            aims are multiplied by `Stock.scale`
        """
        terms = self.levels.terms[aim]
        if not value or not terms:
            return vector
        if aim not in QUANTITY_AIMS:
            value *= self.stock.scale
        raised = list(vector)
        for level, weight in terms:
            raised[level] += weight * value
        return tuple(raised)

    def add_parts(self, vector, parts):
        """Return ``vector`` with (missing, money, balance, age) added."""
        for aim, value in zip(PART_AIMS, parts, strict=True):
            vector = self.add(vector, aim, value)
        return vector

    def get_days(self, candidate: Warehouse) -> int:
        return self.strategy.unknown_days if candidate.days is None else candidate.days

    def get_max_new(self) -> int:
        """Return how many warehouses that `counts` may send a parcel."""
        strategy, limit = self.strategy, len(self.open) + len(self.sent_ids) + len(self.allowed)
        if strategy.split == "never" or (strategy.split == "value" and self.order.value < strategy.split_min_value):
            limit = 1
        if strategy.max_parcels is not None:
            limit = min(limit, strategy.max_parcels)
        return max(0, limit - len(self.open) - len(self.sent_ids))

    def counts(self, site: Site) -> bool:
        """Whether a parcel from here is from one warehouse more than the order comes from anyway."""
        return not site.is_open and site.id not in self.sent_ids


def get_refusal(candidate: Warehouse):
    """Return (reason, args) of why a candidate may not serve the order at all, or None."""
    for refusal in candidate.refusals:
        if refusal.product_id is None:
            return refusal.reason, refusal.args
    if candidate.capacity_left is not None and candidate.capacity_left <= 0 and not candidate.is_open:
        return "capacity", ()
    return None


def get_parcel_values(candidate: Warehouse, strategy: Strategy) -> dict[str, int]:
    """Return what a parcel from here adds to each aim whatever is in it; the penalty is paid by each but the first."""
    freight = candidate.freight or NO_FREIGHT
    capacity, left = candidate.capacity, candidate.capacity_left
    if left is None and capacity and candidate.used is not None:
        left = max(0, capacity - candidate.used)
    unknown = candidate.distance_km is None
    return {
        "parcels": 1,
        "money": candidate.handling_order + candidate.packaging + freight.first_price + strategy.split_penalty,
        "metres": 0 if unknown else round(candidate.distance_km * 1000),
        "unknown": int(unknown),
        "priority": candidate.priority,
        "load": 1000 - 1000 * min(left, capacity) // capacity if capacity and left is not None else 0,
    }
