"""Kits are asked for as their parts, a few kits at a time, and told as kits again; a chosen lot is asked for as a
product of its own. Plain values, no records."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal
from typing import NamedTuple

from ...solver import Assignment, Plan, Shortage, Supply

# Kits of a line that may come from different warehouses: so many batches at most, or the solver would think for long.
MAX_BATCHES = 12
# How many parts a kit may have: ids of demands are told apart by it.
MAX_PARTS = 1024


class Part(NamedTuple):
    """What a demand of the solver stands for.

    :param line_id: of the order line
    :param product_id: the kit
    :param batch: the kits that it is asked for with, which come from one warehouse
    :param kits: how many these are
    :param quantity: of the part
    """

    line_id: int
    product_id: int
    batch: int
    kits: Decimal
    quantity: Decimal


class Lot:
    """A lot that somebody chose for an order line.

    :ivar left: {warehouse id: quantity that is free, lowered by what is taken}
    """

    def __init__(self, id_, product_id, expiry, left):
        self.id = id_
        self.product_id = product_id
        self.expiry = expiry
        self.left = left

    def prepare_supplies(self, view):
        """Return the `solver.Supply`s of the lot.

        :param view: dict {(warehouse id, product id): quantity that may be taken of the product}
        """
        return [
            Supply(id_, -self.id, min(quantity, view.get((id_, self.product_id), Decimal(0))), self.id, self.expiry)
            for id_, quantity in self.left.items()
        ]


def name_lots(plan: Plan, lots: dict[int, Lot]) -> Plan:
    """Return ``plan`` with the products of chosen lots.

    :param lots: see `Sourcing`
    """
    if not any(one.product_id in lots for one in (*plan.assignments, *plan.shortages)):
        return plan
    assignments, shortages = (
        tuple(
            replace(one, product_id=lots[one.product_id].product_id) if one.product_id in lots else one
            for one in entries
        )
        for entries in (plan.assignments, plan.shortages)
    )
    return replace(plan, assignments=assignments, shortages=shortages)


def get_batches(quantity):
    """Return the lots that ``quantity`` kits (a Decimal) are asked for in: whole kits, as even as can be."""
    whole = int(quantity)
    count = min(whole, MAX_BATCHES)
    batches = [Decimal(whole // count + (number < whole % count)) for number in range(count)] if count else []
    return batches + ([quantity - whole] if quantity > whole else [])


def get_part_id(line_id, batch, number):
    """Return the id of a demand for the part ``number`` of the kits of a line: below 0, so it is no line's."""
    return -((line_id * (MAX_BATCHES + 1) + batch) * MAX_PARTS + number % MAX_PARTS + 1)


def fold(plan: Plan, parts: dict[int, Part]) -> Plan:
    """Return ``plan`` with kits instead of their parts.

    :param parts: {id of a demand: Part}
    """
    sent = [one for one in plan.assignments if one.line_id in parts]
    short = [one for one in plan.shortages if one.line_id in parts]
    if not sent and not short:
        return plan
    demanded = missing = Decimal(0)
    places = {}  # {(line id, batch): warehouse id, or None}
    for one in (*sent, *short):
        part = parts[one.line_id]
        demanded -= one.quantity
        missing -= one.quantity if isinstance(one, Shortage) else 0
        places.setdefault((part.line_id, part.batch), (part, getattr(one, "warehouse_id", None)))
    taken, lacking = defaultdict(Decimal), defaultdict(Decimal)
    for part, warehouse_id in places.values():
        demanded += part.kits
        if warehouse_id is None:
            missing += part.kits
            lacking[part.line_id, part.product_id] += part.kits
        else:
            taken[part.line_id, part.product_id, warehouse_id] += part.kits
    reasons = {parts[one.line_id].line_id: one.reason for one in reversed(short)}
    return replace(
        plan,
        assignments=(
            *(one for one in plan.assignments if one.line_id not in parts),
            *(Assignment(*key, quantity) for key, quantity in taken.items()),
        ),
        shortages=(
            *(one for one in plan.shortages if one.line_id not in parts),
            *(Shortage(line_id, product_id, q, reasons[line_id]) for (line_id, product_id), q in lacking.items()),
        ),
        demanded=plan.demanded + demanded,
        cost=replace(plan.cost, missing=plan.cost.missing + missing),
    )
