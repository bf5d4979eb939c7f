"""What a gift gives, as plain values: which tiers are reached and what they come to. No database here."""

from dataclasses import dataclass
from math import floor

# Amounts are sums of floats: a hundred that is a hair short of a hundred is a hundred.
TOLERANCE = 1e-6


@dataclass(frozen=True)
class Tier:
    """From ``threshold`` on, ``items`` are given: pairs of (product id, quantity in the product's unit)."""

    threshold: float
    items: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Terms:
    """The tiers of a gift and how they add up.

    :param is_multiple: a tier is given once for every full threshold
    :param max_times: at most so often; 0 for no limit
    """

    tiers: tuple[Tier, ...]
    is_highest_only: bool = True
    is_multiple: bool = False
    max_times: int = 0

    def count(self, measure):
        """Return {product id: quantity} that an order gets which comes to ``measure``."""
        reached = sorted(
            (tier for tier in self.tiers if measure + TOLERANCE >= tier.threshold), key=lambda tier: tier.threshold
        )
        quantities = {}
        for tier in reached[-1:] if self.is_highest_only else reached:
            times = self._get_times(tier, measure)
            for product_id, quantity in tier.items:
                quantities[product_id] = quantities.get(product_id, 0.0) + times * quantity
        return quantities

    def _get_times(self, tier, measure):
        if not self.is_multiple or not tier.threshold:
            return 1
        times = floor((measure + TOLERANCE) / tier.threshold)
        return min(times, self.max_times) if self.max_times else times


def trim(quantities, limit):
    """Return ``quantities`` cut to ``limit`` in all, the last products first."""
    trimmed = {}
    for product_id, quantity in quantities.items():
        taken = max(min(quantity, limit), 0.0)
        limit -= taken
        if taken:
            trimmed[product_id] = taken
    return trimmed


class Pool:
    """What is free of each product in each warehouse, and taken piece by piece.

    Not everybody sees the same of it; what one takes is gone for all.

    :param views: list of dicts {(product id, warehouse id): quantity}, each what somebody may take
    """

    def __init__(self, *views):
        self._views = [dict(view) for view in views]

    def take(self, product_id, warehouse_ids, quantity, view=0):
        """Take up to ``quantity`` from the warehouses in their order, and return how much there was."""
        taken = 0.0
        for warehouse_id in warehouse_ids:
            free = self._views[view].get((product_id, warehouse_id), 0.0)
            part = max(min(free, quantity - taken), 0.0)
            if part:
                self.promise(product_id, warehouse_id, part)
                taken += part
        return taken

    def promise(self, product_id, warehouse_id, quantity):
        """Keep ``quantity`` for somebody else, whether it is there or not."""
        for view in self._views:
            view[product_id, warehouse_id] = view.get((product_id, warehouse_id), 0.0) - quantity
