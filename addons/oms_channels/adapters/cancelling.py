"""Pure: units that are taken off an order before they are sent, and what they cost."""

from .errors import Rejected
from .types import ZERO
from .values import round_money


def check_units(order, lines):
    """Refuse units that are not there any more.

    :param order: ChannelOrder
    :param lines: ((line external id, units), ...)
    :return: [(ChannelLine, units), ...]
    """
    found = []
    for line_id, units in lines:
        line = order.find_line(line_id)
        if not line:
            raise Rejected(f"Order {order.reference} has no line {line_id} in the shop.")
        left = line.open_quantity - line.shipped_quantity
        if units > left:
            raise Rejected(
                f"Order {order.reference}: {units:f} of {line.sku or line_id} are to be taken off, but only {left:f} "
                "have not left."
            )
        found.append((line, units))
    return found


def get_worth(order, found):
    """Return what the buyer pays for units, with tax, rounded to the order's currency.

    :param found: see ``check_units``
    """
    worth = sum((line.total * units / line.quantity for line, units in found), ZERO)
    return round_money(worth, order.currency)


def get_refund(order, found, held=None):
    """Return what is to be given back for units: their worth, never more than the shop still has of the buyer.

    :param held: what the shop has of the buyer, where the order does not say so by now
    """
    return max(min(get_worth(order, found), order.captured_total if held is None else held), ZERO)


def describe_short(order, found, held=None):
    """Return {"short": amount as text} of what was paid for units and can't be given back, because more than the rest
    of the order is worth went back before; {} when nothing lacks. What was never paid lacks nobody.

    :param held: see ``get_refund``
    """
    unpaid = max(order.total - sum((row.captured_amount for row in order.payments), ZERO), ZERO)
    short = get_worth(order, found) - unpaid - get_refund(order, found, held)
    return {"short": str(short)} if short > 0 else {}


def describe_refunded(order):
    """Return {payment: what was given back of it, as text}: ``data["refunded"]`` of a PushResult."""
    return {row.external_id: str(row.refunded_amount) for row in order.payments if row.refunded_amount}
