"""Pure: what an order of Vendure says of our cancellations and refunds, and which payment gives money back."""

from decimal import Decimal

from ..errors import Rejected
from ..values import rows, to_text


def is_cancelled_by(order, mark):
    """Whether a cancellation of ours, whose reason carries the mark, is in the order's history."""
    entries = rows(order.get("cancellations") or {}, "items")
    return any(mark in to_text((entry.get("data") or {}).get("reason")) for entry in entries)


def find_refund(order, mark):
    """The refund of ours whose reason carries the mark, None when there is none that did not fail."""
    for payment in rows(order, "payments"):
        for refund in rows(payment, "refunds"):
            if mark in to_text(refund.get("reason")) and refund.get("state") != "Failed":
                return refund
    return None


def name_refund(refund):
    """What a refund is called outside the shop, which numbers payments and refunds alike, each from 1 on."""
    return f"refund-{refund['id']}"


def choose_payment(order, payment_id=""):
    """(payment, what can still be refunded). :param payment_id: "" for the one with the most left"""
    left = {row.external_id: max(row.captured_amount - row.refunded_amount, Decimal(0)) for row in order.payments}
    if payment_id:
        chosen = next((row for row in order.payments if row.external_id == payment_id), None)
    else:
        chosen = max(order.payments, key=lambda row: left[row.external_id], default=None)
    if not chosen:
        raise Rejected(f"Order {order.reference} has no payment {payment_id}".rstrip() + ".")
    return chosen, left[chosen.external_id]
