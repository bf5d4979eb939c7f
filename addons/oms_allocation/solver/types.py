"""What the solver is asked and what it answers: frozen, plain values.

Units, everywhere in this folder: quantities are `Decimal` in the product's own unit; money is an int in the
smallest unit of the currency (cents, fen); weights are grams and volumes cubic centimetres for one unit of the
product; days are whole days (dates: ordinals, as `date.toordinal`); minutes count from now, which the caller knows
and the solver does not.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from decimal import Decimal
from fractions import Fraction
from math import ceil

ZERO = Decimal(0)


# === WHAT IS ASKED === #


@dataclass(frozen=True)
class Demand:
    """What one order line still needs.

    :param keep_together: key of a group of lines, or None. A group comes whole from one warehouse, or not at all:
        what is sent later is separated too
    :param weight_g: of one unit
    :param volume_cm3: of one unit
    :param value: money of one unit
    :param min_expiry: lots must be good until this day (ordinal) at least; of several lines of one product the
        strictest counts. Lots without an expiry are always good
    """

    line_id: int
    product_id: int
    quantity: Decimal
    keep_together: int | str | None = None
    weight_g: int = 0
    volume_cm3: int = 0
    value: int = 0
    min_expiry: int | None = None


@dataclass(frozen=True)
class Supply:
    """What a warehouse can still promise of a product, by lot where lots matter; what is negative counts as nothing.

    :param lot_id: None for what has no lots
    :param expiry: ordinal of the day the lot expires, None when it does not
    :param preference: the lower goes first within a warehouse, and is the younger for the aim "age": the expiry's
        ordinal for first expired first out, that of the day it came in for first in first out
    :param cover: what the aim "balance" measures shares by, None for the stock itself; for example the days or weeks
        that the stock lasts. Of several lots of one product in a warehouse the first that is given counts
    """

    warehouse_id: int
    product_id: int
    quantity: Decimal
    lot_id: int | None = None
    expiry: int | None = None
    preference: int = 0
    cover: Decimal | None = None


@dataclass(frozen=True)
class Freight:
    """A carrier's tariff to one place: a price up to the first weight, then one for each step begun.

    :param volume_divisor: cubic centimetres that count as a kilogram (5000 or 6000 as a rule), 0 when volume is free;
        the heavier of the two weights counts
    """

    first_grams: int = 0
    first_price: int = 0
    step_grams: int = 1
    step_price: int = 0
    volume_divisor: int = 0

    def steps(self, grams, cm3=0):
        """Return how many steps beyond the first weight so much goods take."""
        heavier = Fraction(grams)
        if self.volume_divisor:
            heavier = max(heavier, Fraction(cm3) * 1000 / self.volume_divisor)
        return max(0, ceil((heavier - self.first_grams) / self.step_grams))

    def price(self, grams, cm3=0):
        return self.first_price + self.step_price * self.steps(grams, cm3)


@dataclass(frozen=True)
class Refusal:
    """Why a candidate may not serve an order, or one product of it.

    :param reason: code of the filter: "zone", "carrier", "cutoff", "capacity", "class", "lot_life", "hazardous",
        "value", "rejected", ... The solver adds "capacity" and "lot_life" itself where it finds them
    :param product_id: None when it concerns the whole order
    :param args: what the sentence in the user's language needs, pairs of name and plain value
    """

    reason: str
    product_id: int | None = None
    args: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Warehouse:
    """A candidate for one order.

    :param distance_km: to the buyer; None when one of the two places is not known
    :param priority: not negative; lower goes first
    :param is_open: the order already gets a parcel from here: nothing is paid again but what more weight costs
    :param open_weight_g: what is in that parcel already
    :param days: until the buyer has it, None when not known (counts as `Strategy.unknown_days`)
    :param freight: None when it costs nothing or is not known
    :param handling_order: money for each order that is worked on here
    :param handling_line: money for each line that something of is picked here
    :param packaging: money for a parcel
    :param capacity_left: parcels that can still be made, None for any number. In a batch it is shared by the
        orders: the lowest that an order names counts
    :param capacity: parcels of a day, for the aim "load"; None when there is no limit
    :param used: parcels of them that are given away, where ``capacity_left`` does not say it: the limit may not count
    :param refusals: filters that it did not pass
    """

    id: int
    distance_km: float | None = None
    priority: int = 0
    is_open: bool = False
    open_weight_g: int = 0
    days: int | None = None
    freight: Freight | None = None
    handling_order: int = 0
    handling_line: int = 0
    packaging: int = 0
    capacity_left: int | None = None
    capacity: int | None = None
    used: int | None = None
    refusals: tuple[Refusal, ...] = ()


AIMS = ("missing", "parcels", "money", "days", "metres", "unknown", "priority", "balance", "load", "age")


@dataclass(frozen=True)
class Strategy:
    """What is better, and what is allowed.

    :param aims: levels, the first that differs decides; each is a weighted sum ((aim, weight), ...) of fields of
        `Cost`. Weights are ints or `Decimal` and not negative. An aim that stands in a sum with "missing" may be
        reason enough to leave something short
    :param ship: "available" sends what there is; "complete" all when all can be had, else nothing
    :param split: "allowed"; "never": one warehouse; "value": only orders from ``split_min_value`` on, each new parcel
        being worth at least ``split_min_part``
    :param max_parcels: warehouses that may send something for the order, those that are open or have sent included;
        None for any number
    :param split_penalty: money for each warehouse beyond the first
    :param unknown_days: what a promise that is not known counts as
    """

    aims: tuple[tuple[tuple[str, int | Decimal], ...], ...] = (
        (("missing", 1),),
        (("parcels", 1),),
        (("unknown", 1),),
        (("metres", 1),),
        (("priority", 1),),
    )
    ship: str = "available"
    split: str = "allowed"
    split_min_value: int = 0
    split_min_part: int = 0
    max_parcels: int | None = None
    split_penalty: int = 0
    unknown_days: int = 30

    def __post_init__(self):
        for level in self.aims:
            for aim, weight in level:
                if aim not in AIMS or weight < 0:
                    raise ValueError(f"{aim!r} with weight {weight} is not an aim")
        if self.ship not in ("available", "complete") or self.split not in ("allowed", "never", "value"):
            raise ValueError(f"{self.ship!r} or {self.split!r} is not a policy")

    def rank(self, cost: Cost) -> tuple:
        """Return what plans of this strategy are compared by, the lower the better."""
        return tuple(sum(getattr(cost, aim) * weight for aim, weight in level) for level in self.aims)


DEFAULT_STRATEGY = Strategy()


def ordered(*aims: str) -> tuple:
    """Return levels of one aim each, as `Strategy.aims` wants them; "missing" first unless it is named."""
    names = aims if "missing" in aims else ("missing", *aims)
    return tuple(((name, 1),) for name in names)


@dataclass(frozen=True)
class Order:
    """One order, with its own candidates.

    :param sequence: who is served first, lowest first; then as they are given
    :param weight: what a unit for this order is worth beside the others of a batch, at least 1
    :param value: money of the whole order, also of what is not asked for here
    :param promised_days: what the buyer was promised, None when nothing was
    :param sent_ids: warehouses that something of the order left already, or is being picked in: each is one of those
        that the strategy allows, and may send another parcel
    """

    id: int
    demands: tuple[Demand, ...]
    warehouses: tuple[Warehouse, ...]
    sequence: int = 0
    weight: int = 1
    value: int = 0
    promised_days: int | None = None
    sent_ids: frozenset[int] = frozenset()
    strategy: Strategy = DEFAULT_STRATEGY


@dataclass(frozen=True)
class Receipt:
    """What is expected to come in."""

    warehouse_id: int
    product_id: int
    quantity: Decimal
    minutes: int


@dataclass(frozen=True)
class OpenOrder:
    """Another order of the same buyer to the same address, of which a parcel leaves from a warehouse."""

    order_id: int
    warehouse_id: int
    minutes: int = 0
    weight_g: int = 0


# === WHAT IS ANSWERED === #


@dataclass(frozen=True)
class Cost:
    """What a plan costs by each aim. Compared by `Strategy.rank`.

    :param missing: quantity that is not assigned
    :param parcels: warehouses that send a parcel they would not send otherwise
    :param money: freight, handling, packaging and split penalty, see `Money`
    :param days: until the last parcel is there, those open already included
    :param metres: way of all parcels together
    :param unknown: parcels whose way is not known; a known way is preferred
    :param priority: sum of the priorities of the warehouses that send a parcel
    :param balance: millionths of the stock (or cover) of a product and warehouse that are taken, summed up
    :param load: thousandths of the capacity of a day that are used already where a parcel leaves, summed up
    :param age: for each unit taken, by how much its preference is later than the oldest of the product
    """

    missing: Decimal = ZERO
    parcels: int = 0
    money: int = 0
    days: int = 0
    metres: int = 0
    unknown: int = 0
    priority: int = 0
    balance: Decimal = ZERO
    load: int = 0
    age: Decimal = ZERO

    def __add__(self, other):
        return Cost(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Cost)))


@dataclass(frozen=True)
class Money:
    """Parts of `Cost.money`."""

    freight: int = 0
    handling: int = 0
    packaging: int = 0
    split: int = 0

    @property
    def total(self) -> int:
        return self.freight + self.handling + self.packaging + self.split

    def __add__(self, other: Money) -> Money:
        return Money(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Money)))


@dataclass(frozen=True)
class Assignment:
    line_id: int
    product_id: int
    warehouse_id: int
    quantity: Decimal
    lot_id: int | None = None


@dataclass(frozen=True)
class Shortage:
    """What of a line is not assigned.

    :param reason: "no_stock" nobody has it; "taken" other orders of the batch get it; "lot_life" only lots that expire
        too early; "split" it would take a parcel that the strategy forbids; "keep_together" no warehouse has the whole
        group; "incomplete" it is there, but not all of the order; "not_worth" leaving it costs less by the weights; or
        the reason of a `Refusal` where only refused warehouses have it
    """

    line_id: int
    product_id: int
    quantity: Decimal
    reason: str = "no_stock"


@dataclass(frozen=True)
class Loser:
    """A candidate that sends nothing.

    :param reason: "no_stock" nothing of what is needed; "taken" others of the batch get what it has; the reason of a
        `Refusal`; "forbidden" the strategy allows no plan with it; an aim, of the first level that is worse (in a
        weighted sum what adds most), "distance" for metres; "tie" equal in all, the other came first
    :param cost: of the best plan that would use it, None where there is none
    :param covered: quantity of the demand that it has
    :param args: of the refusal
    """

    warehouse_id: int
    reason: str
    cost: Cost | None
    covered: Decimal
    args: tuple[tuple[str, object], ...] = ()


@dataclass(frozen=True)
class Plan:
    """Where an order comes from, and why.

    :param warehouse_ids: the winners, those the order already gets a parcel from first, then the cheapest first
    :param nearest_id: the candidate with the shortest way whatever it has, refused ones only if all are; None without
        candidates. What is short waits there, and what has no stock to look at comes from there
    :param is_proven: nothing better exists. False only where the search was cut off by its limit of steps
    """

    assignments: tuple[Assignment, ...] = ()
    shortages: tuple[Shortage, ...] = ()
    cost: Cost = Cost()
    money: Money = Money()
    warehouse_ids: tuple[int, ...] = ()
    nearest_id: int | None = None
    losers: tuple[Loser, ...] = ()
    demanded: Decimal = ZERO
    is_proven: bool = True

    def get_quantities(self) -> dict[int, dict[int, Decimal]]:
        """Return {line id: {warehouse id: quantity}} of all lots together."""
        quantities: dict[int, dict[int, Decimal]] = {}
        for one in self.assignments:
            found = quantities.setdefault(one.line_id, {})
            found[one.warehouse_id] = found.get(one.warehouse_id, ZERO) + one.quantity
        return quantities
