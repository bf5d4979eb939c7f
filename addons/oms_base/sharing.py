"""Sharing out money and packing goods into parcels: plain Python, no Odoo."""

from dataclasses import dataclass, field
from fractions import Fraction


def share(amount, weights, digits):
    """Split ``amount`` by ``weights`` into parts of whole units of the last digit that add up to it exactly.

    The largest remainder method (Hamilton's, https://en.wikipedia.org/wiki/Quota_method): everybody gets the whole
    units of their exact share, and the units that are left go to the largest remainders, ties to who comes first. So no
    part is more than one unit off its exact share, whatever the number of parts. Without any weight all count the same.

    :param amount: number with at most ``digits`` decimals, may be negative
    :param weights: non-negative numbers, one a part
    :param digits: decimals of the currency
    :return: list of floats, as long as ``weights``
    """
    if not weights:
        return []
    scale = 10**digits
    units = round(Fraction(repr(amount)) * scale)
    exact_weights = [Fraction(repr(abs(weight))) for weight in weights]
    total = sum(exact_weights)
    if not total:
        exact_weights, total = [Fraction(1)] * len(weights), Fraction(len(weights))
    sign, units = (-1 if units < 0 else 1), abs(units)
    exact = [units * weight / total for weight in exact_weights]
    parts = [int(quota) for quota in exact]
    by_remainder = sorted(range(len(parts)), key=lambda index: (parts[index] - exact[index], index))
    for index in by_remainder[: units - sum(parts)]:
        parts[index] += 1
    return [sign * part / scale for part in parts]


@dataclass(frozen=True)
class Money:
    """What one part of an order costs. The discount is what the whole order got off, so it is negative."""

    goods: float = 0.0
    discount: float = 0.0
    shipping: float = 0.0
    tax: float = 0.0

    @property
    def untaxed(self):
        return self.goods + self.discount + self.shipping

    @property
    def total(self):
        return self.untaxed + self.tax


@dataclass(frozen=True)
class OrderMoney:
    """What a whole order costs.

    :param lines: {line key: (goods untaxed, tax)} of the lines that are shipped
    :param discount: untaxed sum of the lines below zero that are not shipped
    :param shipping: untaxed sum of the other lines that are not shipped: carriage, fees
    :param tax: tax of the whole order
    """

    lines: dict = field(default_factory=dict)
    discount: float = 0.0
    shipping: float = 0.0
    tax: float = 0.0


def share_order(order, parts, digits):
    """Return the `Money` of each part of an order, which add up to the order's to the last digit.

    A line's own money follows its quantities; what belongs to no line that is shipped (carriage, discounts, tax on
    them, cents of rounding) follows the value of the goods.

    :param order: OrderMoney
    :param parts: list of (line key, quantity), in a stable order
    :param digits: decimals of the currency
    """
    goods, own_tax = [0.0] * len(parts), [0.0] * len(parts)
    by_line = {}
    for index, (key, _quantity) in enumerate(parts):
        by_line.setdefault(key, []).append(index)
    for key, indexes in by_line.items():
        weights = [parts[index][1] for index in indexes]
        line_goods, line_tax = order.lines[key]
        for amount, target in ((line_goods, goods), (line_tax, own_tax)):
            for index, value in zip(indexes, share(amount, weights, digits), strict=True):
                target[index] = value
    values = goods if any(goods) else [quantity for _key, quantity in parts]
    other_tax = round(order.tax - sum(own_tax), digits)
    return [
        Money(money_goods, discount, shipping, round(tax + more_tax, digits))
        for money_goods, discount, shipping, tax, more_tax in zip(
            goods,
            share(order.discount, values, digits),
            share(order.shipping, values, digits),
            own_tax,
            share(other_tax, values, digits),
            strict=True,
        )
    ]


@dataclass(frozen=True)
class Item:
    """Goods to be packed.

    :param key: what the caller knows it by
    :param quantity: how many
    :param size: weight or value of one
    :param together: items with the same value stay in one parcel, undivided; None: may go anywhere, unit by unit
    """

    key: object
    quantity: float
    size: float
    together: object = None


def pack(items, limit):
    """Put ``items`` into as few parcels as first fit finds, the largest first, none above ``limit``.

    What is above the limit by itself gets a parcel of its own: it can't be made smaller.

    :return: list of {item key: quantity}
    """
    bundles = {}
    for index, item in enumerate(items):
        bundles.setdefault(("alone", index) if item.together is None else ("together", item.together), []).append(item)
    order = sorted(bundles.values(), key=lambda bundle: -_get_unit_size(bundle))
    parcels, rooms = [], []
    for bundle in order:
        for piece in _get_pieces(bundle, limit):
            size = sum(item.size * quantity for item, quantity in piece)
            index = next((i for i, room in enumerate(rooms) if size <= room + 1e-9), None)
            if index is None:
                index = len(parcels)
                parcels.append({})
                rooms.append(limit)
            rooms[index] -= size
            for item, quantity in piece:
                parcels[index][item.key] = parcels[index].get(item.key, 0.0) + quantity
    return parcels


def _get_unit_size(bundle):
    """What can't be divided any further: the whole of what stays together, or one of a kind."""
    if bundle[0].together is None:
        return bundle[0].size * min(1.0, bundle[0].quantity)
    return sum(item.size * item.quantity for item in bundle)


def _get_pieces(bundle, limit):
    """Yield the indivisible pieces of a bundle as lists of (item, quantity)."""
    item = bundle[0]
    if item.together is not None or item.size * item.quantity <= 0:
        yield [(item, item.quantity) for item in bundle]
        return
    # As many as fill a parcel are one piece: a thousand screws are not a thousand steps.
    count = max(1, int((limit + 1e-9) // item.size))
    left = item.quantity
    while left >= count:
        yield [(item, float(count))]
        left -= count
    while left > 1e-9:
        yield [(item, min(1.0, left))]
        left -= min(1.0, left)
