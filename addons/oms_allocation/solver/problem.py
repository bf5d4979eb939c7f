from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from math import lcm
from typing import NamedTuple

from .stock import Stock
from .types import Freight, Order, Strategy, Warehouse

QUANTITY_AIMS = ("missing", "balance", "age")
FIXED_AIMS = ("parcels", "money", "metres", "unknown", "priority", "load")
NO_FREIGHT = Freight()


class Levels(NamedTuple):
    """The aims of a strategy with whole weights, and what follows from them.

    :param weights: for each level {aim: weight}
    :param most_first: the first level is what is missing, alone: everything that can be sent is sent
    :param by_fill: aims that depend on what comes from where, not only on which warehouses send something
    """

    weights: tuple[dict[str, int], ...]
    most_first: bool
    by_fill: frozenset[str]


@lru_cache(maxsize=256)
def get_levels(strategy: Strategy) -> Levels:
    weights = []
    for level in strategy.aims:
        fractions = [Decimal(weight).as_integer_ratio() for _aim, weight in level]
        factor = lcm(*(below for _above, below in fractions))
        found: dict[str, int] = {}
        for (aim, _weight), (above, below) in zip(level, fractions, strict=True):
            found[aim] = found.get(aim, 0) + above * factor // below
        weights.append({aim: weight for aim, weight in found.items() if weight})
    by_fill = {aim for level in weights for aim in level} & {"money", "balance", "age"}
    return Levels(tuple(weights), list(weights[0]) == ["missing"], frozenset(by_fill))


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
        self.products: list[int] = []
        self.lines = self._get_lines(order.demands, stock)
        self.wanted = [0] * len(self.products)
        for line in self.lines:
            self.wanted[line.product] += line.quantity
        self.demanded = sum(self.wanted)
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
        """Return what a parcel adds to each level whatever is in it, in levels' numbers (times `Stock.scale`)."""
        if candidate.is_open:
            return (0,) * len(self.levels.weights)
        values = get_parcel_values(candidate, self.strategy)
        scale = self.stock.scale
        return tuple(
            sum(weight * values[aim] * scale for aim, weight in level.items() if aim in values)
            for level in self.levels.weights
        )

    def get_vector(self, **values) -> tuple[int, ...]:
        """Return levels of what does not come by parcel; quantities are whole numbers, the rest is as in `Cost`."""
        scale = self.stock.scale
        return tuple(
            sum(weight * values.get(aim, 0) * (1 if aim in QUANTITY_AIMS else scale) for aim, weight in level.items())
            for level in self.levels.weights
        )

    def get_days(self, candidate: Warehouse) -> int:
        return self.strategy.unknown_days if candidate.days is None else candidate.days

    def get_max_new(self) -> int:
        """Return how many warehouses may send a parcel that they would not send otherwise."""
        strategy, limit = self.strategy, len(self.open) + len(self.allowed)
        if strategy.split == "never" or (strategy.split == "value" and self.order.value < strategy.split_min_value):
            limit = 1
        if strategy.max_parcels is not None:
            limit = min(limit, strategy.max_parcels)
        return max(0, limit - len(self.open))


def get_refusal(candidate: Warehouse):
    """Return (reason, args) of why a candidate may not serve the order at all, or None."""
    for refusal in candidate.refusals:
        if refusal.product_id is None:
            return refusal.reason, refusal.args
    if candidate.capacity_left is not None and candidate.capacity_left <= 0 and not candidate.is_open:
        return "capacity", ()
    return None


def get_parcel_values(candidate: Warehouse, strategy: Strategy) -> dict[str, int]:
    """Return what a parcel from here adds to each of `FIXED_AIMS`; the penalty is paid by each but the first."""
    freight = candidate.freight or NO_FREIGHT
    capacity, left = candidate.capacity, candidate.capacity_left
    unknown = candidate.distance_km is None
    return {
        "parcels": 1,
        "money": candidate.handling_order + candidate.packaging + freight.first_price + strategy.split_penalty,
        "metres": 0 if unknown else round(candidate.distance_km * 1000),
        "unknown": int(unknown),
        "priority": candidate.priority,
        "load": 1000 - 1000 * min(left, capacity) // capacity if capacity and left is not None else 0,
    }
