from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from .types import Assignment, Demand, Supply

MILLION = 1_000_000


class Lot:
    """One supply in whole numbers: what was given, and what is ``left`` as orders take from it."""

    __slots__ = ("age", "expiry", "given", "id", "left", "preference")

    def __init__(self, supply: Supply):
        self.id = supply.lot_id
        self.expiry = supply.expiry
        self.preference = supply.preference
        self.age = 0
        self.given = self.left = 0


class Stock:
    """What is there, in whole numbers: quantities times ``scale``, so that sums and comparisons are exact and quick.

    What the aims "balance" and "age" measure by is taken from the stock as it was given and does not change as orders
    take from it: plans made one after the other can be compared with plans made at once.

    :ivar steps: {product id: the smallest quantity it is split by}, one unit, or the last decimal that any of its
        quantities is written with
    :ivar lots: {product id: {warehouse id: [Lot, ...]}}, those to go first come first
    :ivar strain: {(warehouse id, product id): millionths of the stock that one unit is}
    """

    def __init__(self, supplies: Iterable[Supply], demands: Iterable[Demand]):
        supplies = list(supplies)
        decimals: dict[int, int] = {}
        for one in (*supplies, *demands):
            places = -one.quantity.normalize().as_tuple().exponent
            if places > decimals.get(one.product_id, -1):
                decimals[one.product_id] = max(0, places)
        most = max(decimals.values(), default=0)
        self.scale = 10**most
        self.steps = {product_id: 10 ** (most - places) for product_id, places in decimals.items()}
        self.lots: dict[int, dict[int, list[Lot]]] = {}
        covers: dict[tuple[int, int], Decimal] = {}
        found: dict[tuple, Lot] = {}
        for supply in supplies:
            key = (supply.warehouse_id, supply.product_id, supply.lot_id)
            lot = found.get(key)
            if lot is None:
                lot = found[key] = Lot(supply)
                self.lots.setdefault(supply.product_id, {}).setdefault(supply.warehouse_id, []).append(lot)
            lot.left += self.whole(supply.quantity)
            if supply.cover is not None:
                covers.setdefault(key[:2], supply.cover)
        self.strain: dict[tuple[int, int], int] = {}
        for product_id, by_warehouse in self.lots.items():
            self._prepare(product_id, by_warehouse, covers)

    def _prepare(self, product_id, by_warehouse, covers):
        oldest = min(lot.preference for lots in by_warehouse.values() for lot in lots)
        for warehouse_id, lots in by_warehouse.items():
            total = 0
            for lot in lots:
                lot.age = lot.preference - oldest
                lot.given = lot.left = max(0, lot.left)
                total += lot.left
            if len(lots) > 1:
                lots.sort(key=lambda lot: (lot.preference, lot.id or 0))
            key = (warehouse_id, product_id)
            cover = covers.get(key)
            base = round(cover * self.scale) if cover is not None else total
            self.strain[key] = MILLION * self.scale // base if base > 0 else MILLION

    def whole(self, quantity: Decimal) -> int:
        return int(quantity * self.scale)

    def quantity(self, whole: int) -> Decimal:
        return Decimal(whole) / self.scale

    def take(self, assignments: Iterable[Assignment], sign=1):
        """Take away what was assigned, or put it back with ``sign`` -1."""
        for one in assignments:
            lot = next(lot for lot in self.lots[one.product_id][one.warehouse_id] if lot.id == one.lot_id)
            lot.left -= sign * self.whole(one.quantity)
