"""Money back, and units taken off, in WooCommerce.

Facts of WooCommerce 11, by its source:
- A refund may be of at most what the order cost, less earlier ones; its lines say what it is for, and need not add up.
  One of nothing with quantities is taken. Its total counts, not whether money came.
- The payment provider is only asked with ``api_refund``, and only where its gateway supports "refunds"; otherwise the
  whole refund is refused, with HTTP 500. Without ``api_refund`` it is written down and nothing more.
- Lines may be lowered in every status through the API; the taxes are computed anew.
"""

from decimal import Decimal
from urllib.parse import quote

from ..cancelling import check_units, describe_refunded
from ..errors import AuthError, Rejected
from ..notices import PushResult
from ..types import ZERO
from ..values import round_money, rows, to_text
from . import mapper
from .client import NoRoute

# Money that came without a payment provider can't be sent back by one.
OFFLINE = ("bacs", "cheque", "cod", "other", "")
REFUNDS_FEATURE = "refunds"
# Meta of an unpaid order: the keys of ours by which units were taken off it.
CANCELLED_META = "_oms_cancelled"
# Of a line, net of tax: what it cost before discounts, and what it costs. With decimals the taxes come out right.
AMOUNTS, EXACT = ("subtotal", "total"), Decimal("0.000001")


class RefundFlow:
    """Each of our refunds carries our key in its reason, so it is found again.

    :param fetch_order: callable(id) -> the raw order in full
    """

    def __init__(self, client, fetch_order):
        self.client, self.fetch_order = client, fetch_order

    def cancel(self, notice, order):
        """Cancel, and give back what was paid: WooCommerce itself leaves the money where it is.

        The money first: a full refund makes the order "refunded", which is what its buyer should read.
        """
        parsed, mark = mapper.map_order(order), f"[{notice.idempotency_key}]"
        if any(line.shipped_quantity for line in parsed.lines):
            raise Rejected(f"Order {parsed.reference} has left in part or in full: it can't be cancelled in the shop.")
        is_repeat, made = parsed.status == "cancelled", find_refund(order, mark)
        if (left := _get_left(parsed, notice)) > 0:
            made = self._refund(order, left, f"{notice.reason or 'Cancelled'} {mark}")
            is_repeat = False
            order = self.fetch_order(parsed.external_id)
        if to_text(order.get("status")) not in ("cancelled", "refunded", "trash"):
            self.client.check("PUT", f"/orders/{parsed.external_id}", {"status": "cancelled"})
            order = self.fetch_order(parsed.external_id)
        return PushResult(parsed.external_id, is_repeat=is_repeat, data=_describe(order, made))

    def cancel_lines(self, notice, order):
        """Units that have not left: of a paid order a refund that names them, of an unpaid one they are taken off, so
        that its buyer is asked for less: there is no money to be given back."""
        mark = f"[{notice.idempotency_key}]"
        made = find_refund(order, mark)
        is_repeat = bool(made) or notice.idempotency_key in _get_cancelled_keys(order)
        if not is_repeat:
            parsed = mapper.map_order(order)
            check_units(parsed, notice.lines)
            if parsed.is_paid:
                items, worth = make_refund_lines(order, notice.lines)
                amount = max(min(worth, _get_left(parsed, notice)), ZERO)
                reason = f"{notice.reason or 'Cancelled'} {mark}"
                made = self._refund(order, amount, reason, _lower(items, amount, worth, parsed.currency))
            else:
                self._take_off(order, notice)
            order = self.fetch_order(notice.order_external_id)
        return PushResult(notice.idempotency_key, is_repeat=is_repeat, data=_describe(order, made))

    def refund(self, notice, order):
        """A cancelled order's money went back already: that counts as done."""
        mark = f"[{notice.idempotency_key}]"
        if made := find_refund(order, mark):
            return PushResult(to_text(made.get("id")), is_repeat=True, data=_describe_by_hand(order, made))
        parsed = mapper.map_order(order)
        if not parsed.payments or not parsed.is_paid:
            raise Rejected(f"Order {parsed.reference} is not paid in the shop.")
        left = parsed.captured_total
        if parsed.status == "cancelled" and left == 0:
            return PushResult(is_repeat=True, data={"reason": "refunded by the cancellation"})
        if parsed.currency != notice.currency:
            raise Rejected(f"The payment is in {parsed.currency}, the refund in {notice.currency}.")
        if notice.amount > left:
            raise Rejected(f"Order {parsed.reference}: {notice.amount} is to be refunded, only {left} is left.")
        items, worth = make_refund_lines(order, notice.lines)
        # The units that the money is for are only named when they fit it.
        reason = f"{notice.note} {mark}".strip()
        made = self._refund(order, notice.amount, reason, items if worth <= notice.amount else ())
        return PushResult(to_text(made.get("id")), data=_describe_by_hand(order, made))

    def _refund(self, order, amount, reason, items=()):
        """:param items: what it is for, see ``make_refund_lines`` :return: the refund, as the shop made it"""
        body = {
            "amount": str(amount),
            "reason": reason,
            "api_refund": amount > 0 and self._can_pay_back(order),
            "api_restock": False,  # what may be sold is published, not counted by the shop
        }
        if items:
            body["line_items"] = items
        made = self.client.post(f"/orders/{order['id']}/refunds", body)
        return {**made, "amount": str(amount), "refunded_payment": body["api_refund"]}

    def _can_pay_back(self, order):
        """Whether the order's payment provider gives money back when the shop asks it to."""
        method = to_text(order.get("payment_method"))
        if not order.get("date_paid_gmt") or method in OFFLINE:
            return False
        try:
            # Only these: the settings of a gateway hold its keys.
            gateway = self.client.get(f"/payment_gateways/{quote(method, safe='')}", _fields="id,method_supports")
        except NoRoute:
            return True
        except Rejected:  # its extension was removed
            return False
        except AuthError as error:
            if error.is_shop_wide:
                raise
            return True  # a key that may not look: the shop says it when it refunds
        features = gateway.get("method_supports")
        # A list with gaps comes as an object.
        features = features.values() if isinstance(features, dict) else features
        return features is None or REFUNDS_FEATURE in features

    def _take_off(self, order, notice):
        known = {to_text(item.get("id")): item for item in rows(order, "line_items")}
        lines, left_units = [], sum(item["quantity"] for item in known.values())
        for line_id, units in notice.lines:
            item = known[line_id]
            left, left_units = item["quantity"] - int(units), left_units - int(units)
            share = Decimal(left) / Decimal(item["quantity"])
            amounts = {name: str((Decimal(item.get(name) or "0") * share).quantize(EXACT)) for name in AMOUNTS}
            lines.append({"id": item["id"], "quantity": left, **amounts})
        if not left_units:
            raise Rejected(
                f"Order {order.get('number')} is not paid, and nothing would be left of it: cancel it as a whole."
            )
        keys = " ".join([*_get_cancelled_keys(order), notice.idempotency_key])
        body = {"line_items": lines, "meta_data": [{"key": CANCELLED_META, "value": keys}]}
        self.client.check("PUT", f"/orders/{order['id']}", body)


def find_refund(order, mark):
    """The refund whose reason has this mark, None when there is none."""
    return next((row for row in rows(order, mapper.REFUNDS) if mark in to_text(row.get("reason"))), None)


def make_refund_lines(order, lines):
    """(the refund's share of each line, net and by tax rate; what they are worth together); [] for an unknown line.

    :param lines: ((line id, units), ...)
    """
    items, total, currency = [], ZERO, to_text(order.get("currency")).upper()
    known = {to_text(item.get("id")): item for item in rows(order, "line_items")}
    for line_id, units in lines:
        item = known.get(line_id)
        if not item or not item.get("quantity"):
            return [], ZERO
        share = Decimal(units) / Decimal(str(item["quantity"]))
        net = _share(item.get("total"), share, currency)
        taxes = [
            {"id": tax.get("id"), "refund_total": _share(tax.get("total"), share, currency)}
            for tax in rows(item, "taxes")
        ]
        total += net + sum((tax["refund_total"] for tax in taxes), ZERO)
        items.append(
            {
                "id": item["id"],
                "quantity": int(units),
                "refund_total": float(net),
                "refund_tax": [{**tax, "refund_total": float(tax["refund_total"])} for tax in taxes],
            }
        )
    return items, total


def _lower(items, amount, worth, currency):
    """The shares of the lines, lowered in proportion where less than they are worth is left of the buyer's money: what
    rounding leaves over goes to the largest."""
    if amount >= worth:
        return items
    lowered, left = [], amount
    for item in items:
        parts = [
            {**part, "refund_total": _share(part["refund_total"], amount / worth, currency)}
            for part in (item, *item["refund_tax"])
        ]
        left -= sum((part["refund_total"] for part in parts), ZERO)
        lowered.append(parts)
    every = [part for parts in lowered for part in parts]
    max(every, key=lambda part: part["refund_total"])["refund_total"] += left
    for part in every:
        part["refund_total"] = float(part["refund_total"])
    return [{**first, "refund_tax": taxes} for first, *taxes in lowered]


def _share(value, share, currency):
    return round_money(Decimal(str(value or 0)) * share, currency)


def _get_left(parsed, notice):
    """What is left of the buyer's money: of what the shop says, or of what is known to have come where that is less."""
    left = parsed.captured_total
    if notice.captured_amount is None:
        return left
    refunded = sum((row.refunded_amount for row in parsed.payments), ZERO)
    return min(left, notice.captured_amount - refunded)


def _get_cancelled_keys(order):
    return to_text(mapper.get_meta(order, CANCELLED_META)).split()


def _describe(order, made):
    """``data`` of a PushResult: how much was given back so far, by payment; what a person has to pay back."""
    return {"refunded": describe_refunded(mapper.map_order(order)), **_describe_by_hand(order, made)}


def _describe_by_hand(order, made):
    """{"by_hand": ...} for a refund of ours that was only written down."""
    if not made or made.get("refunded_payment") is not False or not Decimal(str(made.get("amount") or 0)):
        return {}
    provider = to_text(order.get("payment_method_title")) or to_text(order.get("payment_method"))
    return {"by_hand": {"amount": str(made["amount"]), "provider": provider}}
