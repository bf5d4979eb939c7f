"""Pure: what an order of Vendure says of our cancellations and refunds, and what its payments can still give back."""

from ..types import ZERO
from ..values import rows, to_text
from .mapper import Money


def is_cancelled_by(order, mark):
    """Whether a cancellation of ours, whose reason carries the mark, is in the order's history."""
    entries = rows(order.get("cancellations") or {}, "items")
    return any(mark in to_text((entry.get("data") or {}).get("reason")) for entry in entries)


def find_refunds(order, mark):
    """The refunds of ours whose reason carries the mark, but those that failed."""
    return [
        refund
        for payment in rows(order, "payments")
        for refund in _get_alive(payment)
        if mark in to_text(refund.get("reason"))
    ]


def name_refund(refund):
    """What a refund is called outside the shop, which numbers payments and refunds alike, each from 1 on."""
    return f"refund-{refund['id']}"


def get_left(order):
    """{payment id: what can still be given back of it}. Vendure counts what is promised, though not settled yet."""
    money = Money(order)
    return {
        to_text(payment.get("id")): max(
            money.get(payment, "amount") - sum((money.get(row, "total") for row in _get_alive(payment)), ZERO), ZERO
        )
        for payment in rows(order, "payments")
        if payment.get("state") == "Settled"
    }


def _get_alive(payment):
    return [refund for refund in rows(payment, "refunds") if refund.get("state") != "Failed"]
