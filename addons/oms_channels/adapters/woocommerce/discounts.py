"""Pure: what WooCommerce says of discounts: the coupons of an order, and what a line costs before and after."""

from ..types import DUST, ZERO, ChannelDiscount
from ..values import rows, to_decimal, to_text


def get_coupon_shares(raw):
    """[(code, share of the lines' discounts that it gave)]: the shop tells coupons of the order, not of its lines."""
    given = sum((_read(item, "subtotal") - _read(item, "total") for item in rows(raw, "line_items")), ZERO)
    coupons = [(to_text(row.get("code")), _read(row, "discount")) for row in rows(raw, "coupon_lines")]
    base = max(given, sum((amount for _code, amount in coupons), ZERO))
    return [(code, amount / base) for code, amount in coupons if base > 0 and amount > 0]


def map_discounts(discount, coupons):
    """What a line was made cheaper by beyond its coupons, the shop's staff did by hand."""
    found = [ChannelDiscount("coupon", discount * share, code) for code, share in coupons]
    manual = discount - sum((row.amount for row in found), ZERO)
    return (*found, ChannelDiscount("manual", manual)) if manual >= DUST else tuple(found)


def _read(row, key):
    return to_decimal(row.get(key) or "0", key)
