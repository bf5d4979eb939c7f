"""What is there to take and who may take how much of it, as plain numbers. No database here."""

import itertools
from collections import defaultdict
from typing import NamedTuple

# Shares are told in hundredths of a percent: whole numbers multiply with floats and with decimals alike.
WHOLE = 10_000


class Access(NamedTuple):
    """Who asks.

    :param pool_ids: the pools of which the asker is an owner
    :param min_life_days: goods that expire must keep at least so long; 0 for no demand
    """

    pool_ids: frozenset = frozenset()
    min_life_days: int = 0


class Want(NamedTuple):
    """What one pool wants of one product in one warehouse: a quantity, or a share of what is free there.

    :param taken: what its owners have had of a quota; None for a pool that is refilled
    :param borrowable: the share of what it holds that others may take now
    """

    pool_id: int
    line_id: int
    quantity: object = 0
    share: int = 0
    taken: object = None
    borrowable: int = 0

    def count(self, free):
        """Return how much the pool wants when ``free`` is there."""
        wanted = self.quantity
        if self.share:
            # Whole pieces: nobody can be left with a third of a lamp.
            wanted = (free + (self.taken or 0)) * self.share // WHOLE
        return max(wanted - (self.taken or 0), 0)


class Stock(dict):
    """What nobody is promised yet: {(warehouse id, product id): quantity}, below 0 where too much is promised.

    Pools are filled from it in their order, each place on its own. Who owns a pool sees what it holds and what no pool
    holds; others see what no pool holds, and what they may borrow.
    """

    def __init__(self, quantities=()):
        super().__init__(quantities)
        self._forget()
        self.wants = {}  # {(warehouse id, product id): (Want, ...)}, who is filled first stands first
        self.fresh = {}  # {days: {(warehouse id, product id): quantity of those goods that keep so long}}
        self.backlog = {}  # {(warehouse id, product id): [(pool ids, quantity that its owners wait for in vain)]}
        self.promised = {}  # {order line id: {(warehouse id, product id): quantity}}: not among the quantities above

    def convert(self, number):
        """Turn all quantities into ``number(product id, quantity)``, and return self."""
        self._forget()
        for tables in (self, *self.fresh.values(), *self.promised.values()):
            for (warehouse_id, product_id), quantity in tables.items():
                tables[warehouse_id, product_id] = number(product_id, quantity)
        for (_warehouse_id, product_id), waiting in self.backlog.items():
            waiting[:] = [(pool_ids, number(product_id, quantity)) for pool_ids, quantity in waiting]
        for (warehouse_id, product_id), wants in self.wants.items():
            self.wants[warehouse_id, product_id] = tuple(
                want._replace(
                    quantity=number(product_id, want.quantity),
                    taken=None if want.taken is None else number(product_id, want.taken),
                )
                for want in wants
            )
        return self

    def add_wants(self, claims, products_by_category, warehouse_ids):
        """Note what pools want of these warehouses; see `spread` for what is in which category.

        :param claims: the scopes of each pool, with `Want`s as their values; who is filled first stands first
        """
        self._forget()
        for alike in group_alike(itertools.chain(*claims), warehouse_ids):
            wants = {}
            for scopes in claims:
                for product_id, want in spread(scopes, products_by_category, alike[0]).items():
                    wants[product_id] = (*wants.get(product_id, ()), want)
            for warehouse_id in alike:
                self.wants.update(zip(itertools.product((warehouse_id,), wants), wants.values(), strict=True))

    def get_total(self):
        """Return {(warehouse id, product id): quantity} of what is there less all that anybody waits for."""
        total = dict(self)
        for key, waiting in self.backlog.items():
            total[key] = total.get(key, 0) - sum(quantity for _pool_ids, quantity in waiting)
        return total

    def wait(self, key, pool_ids, quantity):
        """Note that owners of ``pool_ids``, maybe of none, wait for ``quantity``: they get what they may take, and
        what they do not get takes nothing from pools that are not theirs."""
        self._forget()
        found = max(self.get(key, 0) - self.count_withheld(key, Access(pool_ids)), 0)
        part = min(quantity, found)
        self[key] = self.get(key, 0) - part
        if quantity > part:
            self.backlog.setdefault(key, []).append((pool_ids, quantity - part))

    def get_fills(self, key):
        """Return [(want, what the pool holds)] of one place, in the order in which they are filled."""
        return fill(max(self.get(key, 0), 0), self.wants.get(key, ()))

    def view(self, access, own=()):
        """Return {(warehouse id, product id): quantity} of what may be taken with ``access``.

        :param own: places of which something was promised to the asker: nobody who waits stands before it there
        """
        quantities = dict(self._see(access.pool_ids))
        for key, waiting in self.backlog.items():
            if key not in own:
                # Who waits in vain for all that the asker may take stands before the asker.
                pools = access.pool_ids.intersection(want.pool_id for want in self.wants.get(key, ()))
                quantities[key] -= sum(quantity for pool_ids, quantity in waiting if pools <= pool_ids)
        for days, fresh in self.fresh.items():
            if days <= access.min_life_days:
                for key, quantity in fresh.items():
                    quantities[key] = min(quantities.get(key, 0), quantity)
        return quantities

    def _see(self, pool_ids):
        """Return {place: quantity} of what pools leave to the owners of ``pool_ids``. It is counted once for all who
        ask, until something is taken, and once for all places where as much is free and the same is wanted."""
        if pool_ids not in self._seen:
            seen = self._seen[pool_ids] = dict(self)
            for wants, (keys, free) in self._get_wanted().items():
                left = {quantity: quantity - count_withheld(quantity, wants, pool_ids) for quantity in set(free)}
                seen.update(zip(keys, map(left.__getitem__, free), strict=True))
        return self._seen[pool_ids]

    def _get_wanted(self):
        """Return {wants: (places, what is free in each)}, as far as anything is free there."""
        if self._wanted is None:
            self._wanted = defaultdict(lambda: ([], []))
            for key, quantity in self.items():
                if quantity > 0 and (wants := self.wants.get(key)):
                    keys, free = self._wanted[wants]
                    keys.append(key)
                    free.append(quantity)
        return self._wanted

    def _forget(self):
        """Count anew what is seen of this: it changes."""
        self._wanted = None
        self._seen = {}

    def take(self, access, key, quantity):
        """Note that ``quantity`` was taken with ``access``: first of the own pools, then of what no pool holds."""
        self._forget()
        left = quantity
        for number, (want, held) in enumerate(self.get_fills(key)):
            if want.taken is not None and want.pool_id in access.pool_ids:
                part = min(held, left)
                self.note_taken(key, number, part)
                left -= part
        self[key] = self.get(key, 0) - quantity
        for days, fresh in self.fresh.items():
            # Goods that keep longer are last in turn; who may not have older ones takes them.
            if days <= access.min_life_days and key in fresh:
                fresh[key] -= quantity

    def give_back(self, access, line_id):
        """Put what is promised to an order line among what is there: it is allocated now, to whatever comes of it.

        :return: the places where something was promised
        """
        self._forget()
        promised = self.promised.pop(line_id, {})
        for key, quantity in promised.items():
            left = quantity
            for number, want in enumerate(self.wants.get(key, ())):
                if want.taken is not None and want.pool_id in access.pool_ids:
                    part = min(want.taken, left)
                    self.note_taken(key, number, -part)
                    left -= part
            self[key] = self.get(key, 0) + quantity
            for days, fresh in self.fresh.items():
                if days <= access.min_life_days and key in fresh:
                    fresh[key] += quantity
        return promised.keys()

    def note_taken(self, key, number, quantity):
        """Note that owners have had so much more of a quota, one of those that want something of a place."""
        wants = list(self.wants[key])
        wants[number] = wants[number]._replace(taken=wants[number].taken + quantity)
        self.wants[key] = tuple(wants)

    def get_fresh(self, key, access):
        """Return what of one place keeps long enough, for each demand that ``access`` makes."""
        return [fresh[key] for days, fresh in self.fresh.items() if days <= access.min_life_days and key in fresh]

    def count_withheld(self, key, access):
        return count_withheld(max(self.get(key, 0), 0), self.wants.get(key, ()), access.pool_ids)


def fill(free, wants):
    """Return [(want, what the pool holds)] of a place where ``free`` is there, in the order of ``wants``."""
    left, fills = free, []
    for want in wants:
        held = min(want.count(free), left)
        left -= held
        fills.append((want, held))
    return fills


def count_withheld(free, wants, pool_ids):
    """Return how much of ``free`` pools keep from the owners of ``pool_ids``."""
    return sum(
        held - held * want.borrowable // WHOLE
        for want, held in fill(free, wants)
        if held and want.pool_id not in pool_ids
    )


class Scope(NamedTuple):
    """What a line of a pool or of the safety stock is for, and what it says; what is not given means all.

    :param category_depth: how far below the top its category is: the nearest one wins
    """

    value: object
    product_id: int = 0
    category_id: int = 0
    category_depth: int = 0
    warehouse_id: int = 0


def group_alike(scopes, warehouse_ids):
    """Return lists of ``warehouse_ids`` of which ``scopes`` say the same: none names one of several."""
    named = {scope.warehouse_id for scope in scopes}.intersection(warehouse_ids)
    alike = [id_ for id_ in warehouse_ids if id_ not in named]
    return [*([id_] for id_ in sorted(named)), *([alike] if alike else [])]


def spread(scopes, products_by_category, warehouse_id):
    """Return {product id: value} of one warehouse by the scope that says it most precisely: the product before its
    category before all, and of the same precision the one for the warehouse.

    :param products_by_category: dict {category id: product ids below it}, with 0 for all products
    """
    found = {}
    known = set(products_by_category.get(0, ()))
    ordered = sorted(scopes, key=lambda scope: (bool(scope.product_id), scope.category_depth, bool(scope.warehouse_id)))
    for scope in ordered:
        if scope.warehouse_id in (0, warehouse_id):
            if not scope.product_id:
                found.update(dict.fromkeys(products_by_category.get(scope.category_id, ()), scope.value))
            elif scope.product_id in known:
                found[scope.product_id] = scope.value
    return found
