"""What is there to take and who may take how much of it, as plain numbers. No database here."""

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
        self._public = None
        self.wants = {}  # {(warehouse id, product id): [Want, ...]}, who is filled first stands first
        self.fresh = {}  # {days: {(warehouse id, product id): quantity of those goods that keep so long}}
        self.backlog = {}  # {(warehouse id, product id): [(pool ids, quantity that its owners wait for in vain)]}
        self.promised = {}  # {order line id: {(warehouse id, product id): quantity}}: not among the quantities above

    def convert(self, number):
        """Turn all quantities into ``number(product id, quantity)``, and return self."""
        self._public = None
        for tables in (self, *self.fresh.values(), *self.promised.values()):
            for (warehouse_id, product_id), quantity in tables.items():
                tables[warehouse_id, product_id] = number(product_id, quantity)
        for (_warehouse_id, product_id), waiting in self.backlog.items():
            waiting[:] = [(pool_ids, number(product_id, quantity)) for pool_ids, quantity in waiting]
        for (_warehouse_id, product_id), wants in self.wants.items():
            wants[:] = [
                want._replace(
                    quantity=number(product_id, want.quantity),
                    taken=None if want.taken is None else number(product_id, want.taken),
                )
                for want in wants
            ]
        return self

    def get_total(self):
        """Return {(warehouse id, product id): quantity} of what is there less all that anybody waits for."""
        total = dict(self)
        for key, waiting in self.backlog.items():
            total[key] = total.get(key, 0) - sum(quantity for _pool_ids, quantity in waiting)
        return total

    def wait(self, key, pool_ids, quantity):
        """Note that owners of ``pool_ids``, maybe of none, wait for ``quantity``: they get what they may take, and
        what they do not get takes nothing from pools that are not theirs."""
        self._public = None
        found = max(self.get(key, 0) - self.count_withheld(key, Access(pool_ids)), 0)
        part = min(quantity, found)
        self[key] = self.get(key, 0) - part
        if quantity > part:
            self.backlog.setdefault(key, []).append((pool_ids, quantity - part))

    def get_fills(self, key):
        """Return [(want, what the pool holds)] of one place, in the order in which they are filled."""
        free = left = max(self.get(key, 0), 0)
        fills = []
        for want in self.wants.get(key, ()):
            held = min(want.count(free), left)
            left -= held
            fills.append((want, held))
        return fills

    def view(self, access, own=()):
        """Return {(warehouse id, product id): quantity} of what may be taken with ``access``.

        :param own: places of which something was promised to the asker: nobody who waits stands before it there
        """
        public, by_pool = self._get_public()
        quantities = dict(public)
        for pool_id in access.pool_ids:
            for key, held in by_pool.get(pool_id, {}).items():
                quantities[key] += held
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

    def _get_public(self):
        """Return what is seen of this by who owns no pool, and {pool id: {place: what its owners see besides}}. It is
        counted once for all who ask, until something is taken."""
        if self._public is None:
            quantities, by_pool = dict(self), {}
            for key, wants in self.wants.items():
                free = left = quantities.get(key, 0)
                if free <= 0:
                    continue
                for want in wants:
                    held = min(want.count(free), left)
                    if held:
                        left -= held
                        kept = held - held * want.borrowable // WHOLE if want.borrowable else held
                        by_pool.setdefault(want.pool_id, {})[key] = kept
                        quantities[key] -= kept
            self._public = quantities, by_pool
        return self._public

    def take(self, access, key, quantity):
        """Note that ``quantity`` was taken with ``access``: first of the own pools, then of what no pool holds."""
        self._public = None
        left = quantity
        for number, (want, held) in enumerate(self.get_fills(key)):
            if want.taken is not None and want.pool_id in access.pool_ids:
                part = min(held, left)
                self.wants[key][number] = want._replace(taken=want.taken + part)
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
        self._public = None
        promised = self.promised.pop(line_id, {})
        for key, quantity in promised.items():
            left = quantity
            for number, want in enumerate(self.wants.get(key, ())):
                if want.taken is not None and want.pool_id in access.pool_ids:
                    part = min(want.taken, left)
                    self.wants[key][number] = want._replace(taken=want.taken - part)
                    left -= part
            self[key] = self.get(key, 0) + quantity
            for days, fresh in self.fresh.items():
                if days <= access.min_life_days and key in fresh:
                    fresh[key] += quantity
        return promised.keys()

    def get_fresh(self, key, access):
        """Return what of one place keeps long enough, for each demand that ``access`` makes."""
        return [fresh[key] for days, fresh in self.fresh.items() if days <= access.min_life_days and key in fresh]

    def count_withheld(self, key, access):
        return sum(
            held - held * want.borrowable // WHOLE
            for want, held in self.get_fills(key)
            if held and want.pool_id not in access.pool_ids
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


def spread(scopes, products_by_category, warehouse_ids):
    """Return {(warehouse id, product id): value} by the scope that says it most precisely: the product before its
    category before all, and of the same precision the one for the warehouse.

    :param products_by_category: dict {category id: product ids below it}, with 0 for all products
    """
    found = {}
    known = set(products_by_category.get(0, ()))
    ordered = sorted(scopes, key=lambda scope: (bool(scope.product_id), scope.category_depth, bool(scope.warehouse_id)))
    for scope in ordered:
        if scope.product_id:
            product_ids = (scope.product_id,) if scope.product_id in known else ()
        else:
            product_ids = products_by_category.get(scope.category_id, ())
        for warehouse_id in (scope.warehouse_id,) if scope.warehouse_id else warehouse_ids:
            if warehouse_id in warehouse_ids:
                found.update({(warehouse_id, product_id): scope.value for product_id in product_ids})
    return found
