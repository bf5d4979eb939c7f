"""Pure: Shopify's transactions and payouts -> payments, and what is left of each to give back."""

from decimal import Decimal
from typing import NamedTuple

from ..payouts import PayoutEntry
from ..refunding import share_out
from ..types import ZERO, ChannelPayment
from ..values import required, round_money, rows, to_datetime, to_decimal, to_text

_ROOTS = ("SALE", "AUTHORIZATION", "EMV_AUTHORIZATION")
_TAKEN = ("SALE", "CAPTURE")


def _number(gid):
    return to_text(gid).rpartition("/")[2]


def _amount(row, money="shopMoney"):
    return to_decimal(((row.get("amountSet") or {}).get(money) or {}).get("amount"), "The amount of a transaction")


def _get_tree(raw):
    """(roots, {id: root id}, {root id: its transactions}) of an order's transactions."""
    known = {to_text(required(row, "id", "The id of a transaction")): row for row in rows(raw, "transactions")}
    parents = {key: to_text((row.get("parentTransaction") or {}).get("id")) for key, row in known.items()}
    members, roots = {}, []
    for key, row in known.items():
        root, seen = key, {key}
        while parents.get(root) in known and parents[root] not in seen:
            root = parents[root]
            seen.add(root)
        members.setdefault(root, []).append(row)
        if root == key and row.get("kind") in _ROOTS and row.get("status") in ("SUCCESS", "PENDING"):
            roots.append(row)
    return roots, members


def map_payments(raw, currency):
    """One ChannelPayment for each time the buyer paid: a sale, or an authorisation with its captures."""
    roots, members = _get_tree(raw)
    return tuple(_map_payment(root, members[root["id"]], currency) for root in roots)


def _map_payment(root, members, currency):
    done = [row for row in members if row.get("status") == "SUCCESS"]
    captured = sum((_amount(row) for row in done if row.get("kind") in _TAKEN), ZERO)
    refunded = sum((_amount(row) for row in done if row.get("kind") == "REFUND"), ZERO)
    first_capture = next((row for row in done if row.get("kind") in _TAKEN), root)
    if refunded:
        state = "refunded" if refunded >= captured else "partially_refunded"
    elif any(row.get("kind") == "VOID" for row in done):
        state = "cancelled"
    elif captured:
        state = "captured"
    else:
        state = "pending" if root.get("status") == "PENDING" else "authorized"
    moment = first_capture.get("processedAt") or first_capture.get("createdAt")
    fees = [fee for row in done for fee in rows(row, "fees")]
    return ChannelPayment(
        external_id=_number(root["id"]),
        provider=to_text(root.get("gateway")),
        amount=round_money(_amount(root), currency),
        currency=currency,
        state=state,
        captured_amount=round_money(captured, currency),
        refunded_amount=round_money(refunded, currency),
        fee_amount=sum((_read_fee(fee, currency) for fee in fees), ZERO),
        date=to_datetime(moment, "The payment's time") if moment else None,
    )


def _read_fee(fee, currency):
    """Fees of another currency than the order's are told by the payout."""
    money = fee.get("amount") or {}
    if to_text(money.get("currencyCode")).upper() != currency:
        return ZERO
    return to_decimal(money.get("amount"), "A fee")


class Refundable(NamedTuple):
    """What is left of a payment: ``shop`` in the shop's currency, ``buyer`` in the one that was paid in."""

    payment_id: str
    parent_id: str  # of the transaction that took the money
    gateway: str
    shop: Decimal
    buyer: Decimal
    currency: str  # the buyer's


def get_refundable(raw):
    """[Refundable] of each transaction that took money."""
    roots, members = _get_tree(raw)
    found = []
    for root in roots:
        done = [row for row in members[root["id"]] if row.get("status") == "SUCCESS"]
        for taken in (row for row in done if row.get("kind") in _TAKEN):
            given = [
                row
                for row in done
                if row.get("kind") == "REFUND" and (row.get("parentTransaction") or {}).get("id") == taken["id"]
            ]
            left = {
                money: _amount(taken, money) - sum((_amount(row, money) for row in given), ZERO)
                for money in ("shopMoney", "presentmentMoney")
            }
            if left["shopMoney"] > 0:
                currency = to_text(taken["amountSet"]["presentmentMoney"].get("currencyCode"))
                found.append(
                    Refundable(
                        _number(root["id"]),
                        taken["id"],
                        to_text(taken.get("gateway")),
                        left["shopMoney"],
                        left["presentmentMoney"],
                        currency,
                    )
                )
    return found


def make_refund_transactions(order_gid, refundable, amount):
    """The transactions that give back ``amount`` (of the shop's currency), in the buyer's currency."""
    transactions = []
    for row, part in share_out(amount, {row: row.shop for row in refundable}):
        paid = row.buyer if part == row.shop else round_money(row.buyer * part / row.shop, row.currency)
        transactions.append(
            {
                "orderId": order_gid,
                "parentId": row.parent_id,
                "gateway": row.gateway,
                "kind": "REFUND",
                "amount": str(paid),
            }
        )
    return transactions


_KINDS = (("chargeback", ("dispute", "chargeback")), ("refund", ("refund",)), ("payout", ("transfer", "payout")))
_KINDS += (("adjustment", ("adjustment", "credit", "debit", "reserve")), ("fee", ("fee", "billing", "tax")))
_PAYOUT_STATES = {
    "SCHEDULED": "open",
    "IN_TRANSIT": "in_transit",
    "PAID": "paid",
    "FAILED": "failed",
    "CANCELED": "cancelled",
}


def _get_kind(name):
    if name == "CHARGE":
        return "charge"
    found = (kind for kind, words in _KINDS if any(word in name.lower() for word in words))
    return next(found, "other")


def get_payment_number(transaction):
    """The payment that a transaction belongs to: the first of those it came of."""
    while parent := transaction.get("parentTransaction"):
        transaction = parent
    return _number(transaction.get("id"))


def map_payout_entry(row, payment_ids=()):
    """A balance transaction. The one by which a payout leaves names that payout itself.

    :param payment_ids: {number of a transaction: number of its payment}
    """
    amount, fee, net = (row.get(key) or {} for key in ("amount", "fee", "net"))
    payout, name = row.get("associatedPayout") or {}, to_text(row.get("type")).upper()
    transaction = to_text(row.get("sourceOrderTransactionId"))
    return PayoutEntry(
        external_id=_number(required(row, "id", "The id of a balance transaction")),
        kind=_get_kind(name),
        gross=to_decimal(amount.get("amount"), "The amount of a balance transaction"),
        fee=to_decimal(fee.get("amount") or 0, "The fee of a balance transaction"),
        net=to_decimal(net.get("amount"), "The net amount of a balance transaction"),
        currency=to_text(amount.get("currencyCode")).upper(),
        date=to_datetime(row.get("transactionDate"), "The time of a balance transaction"),
        order_external_id=_number((row.get("associatedOrder") or {}).get("id")),
        payment_external_id=dict(payment_ids).get(transaction, transaction),
        payout_external_id=_number(payout.get("id")),
        payout_state=_PAYOUT_STATES.get(to_text(payout.get("status")).upper(), ""),
        description=name,
    )
