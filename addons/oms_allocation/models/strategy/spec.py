"""What strategies say, as plain values that stay in the registry's cache. No records, no clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta


@dataclass(frozen=True)
class RuleSpec:
    """Which warehouses may send what, see `oms.sourcing.rule`.

    :param type: key of `const.RULE_TYPES`
    :param is_preference: given up for an order that could otherwise not be had in full
    :param order_domain: the orders it is about, as the list of a domain; empty for all
    :param product_domain: the products it is about, likewise
    :param warehouse_ids: for "warehouses"
    :param is_except: for "warehouses": all but these
    :param max_km: for "distance"
    """

    id: int
    name: str
    type: str
    is_preference: bool = False
    order_domain: str = "[]"
    product_domain: str = "[]"
    warehouse_ids: frozenset[int] = frozenset()
    is_except: bool = False
    max_km: float = 0.0


@dataclass(frozen=True)
class StrategySpec:
    """What a strategy says; the defaults are what is done without one.

    Values in the company's currency, costs likewise.

    :param aims: ((key of `const.AIMS`, weight), ...) in their order
    :param wait_date: until this day, while it is to come; else ``wait_days``
    :param is_studied: it is laid beside another, so all that can be compared is worked out
    """

    id: int | None = None
    version_id: int | None = None
    number: int = 0
    is_weighted: bool = False
    aims: tuple[tuple[str, float], ...] = (("parcels", 1.0), ("distance", 1.0), ("priority", 1.0))
    split: str = "always"
    split_order_value: float = 0.0
    split_part_value: float = 0.0
    max_parcels: int = 0
    split_cost: float = 0.0
    on_shortage: str = "ship"
    wait_days: int = 0
    wait_date: date | None = None
    after_wait: str = "ship"
    cancel_days: int = 0
    rules: tuple[RuleSpec, ...] = ()
    is_studied: bool = False

    @property
    def is_split_limited(self):
        """Whether the strategy does not make as many parcels as it takes."""
        return self.split != "always" or bool(self.max_parcels)

    def get_max_warehouses(self, value):
        """Return how many warehouses may send something of an order that is worth so much, None for any number."""
        if self.split == "never" or (self.split == "value" and value < self.split_order_value):
            return 1
        return self.max_parcels or None

    def get_wait_end(self, now):
        """Return until when an order that is short ``now`` is waited for: the date, or else the days."""
        end = datetime.combine(self.wait_date, time()) if self.wait_date else now
        return end if end > now else now + timedelta(days=self.wait_days)

    def needs(self, *aims):
        """Whether one of ``aims`` is looked at, so that what it rests on has to be read."""
        return self.is_studied or any(aim in aims for aim, _weight in self.aims)

    def has_rule(self, *types):
        """Whether a rule of one of ``types`` looks at the order."""
        return any(rule.type in types for rule in self.rules)
