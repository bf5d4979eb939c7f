"""Pure: Amazon's financial transactions -> movements of the seller's account."""

import re

from ..payouts import PayoutEntry
from ..types import ZERO
from ..values import required, rows, to_datetime, to_decimal, to_text

# Only these count: a deferred transaction comes again, as another one, when it is released.
RELEASED = "RELEASED"
_FEES = re.compile(r"fee|expense|commission", re.IGNORECASE)
_KINDS = {
    "shipment": "charge",
    "refund": "refund",
    "guaranteeclaim": "refund",
    "chargeback": "chargeback",
    "servicefee": "fee",
    "transfer": "payout",
    "disbursement": "payout",
    "adjustment": "adjustment",
}


def map_transaction(row):
    transaction_id = to_text(required(row, "transactionId", "The id of a transaction"))
    total, name = row.get("totalAmount") or {}, to_text(row.get("transactionType"))
    net, fee = _money(total), -_sum_fees(rows(row, "breakdowns"))
    related = {
        to_text(one.get("relatedIdentifierName")): to_text(one.get("relatedIdentifierValue"))
        for one in rows(row, "relatedIdentifiers")
    }
    return PayoutEntry(
        external_id=transaction_id,
        kind=_KINDS.get(name.lower().replace("_", "").replace(" ", ""), "other"),
        gross=net + fee,
        fee=fee,
        net=net,
        currency=to_text(total.get("currencyCode")).upper(),
        date=to_datetime(row.get("postedDate"), "The time of a transaction"),
        order_external_id=related.get("ORDER_ID", ""),
        payout_external_id=related.get("FINANCIAL_EVENT_GROUP_ID") or related.get("SETTLEMENT_ID", ""),
        description=" - ".join(filter(None, (name, to_text(row.get("description"))))),
    )


def _sum_fees(breakdowns):
    """What goes to Amazon, whatever it is called; what a fee is made of is in it already."""
    total = ZERO
    for row in breakdowns:
        if _FEES.search(to_text(row.get("breakdownType"))):
            total += _money(row.get("breakdownAmount"))
        else:
            total += _sum_fees(rows(row, "breakdowns"))
    return total


def _money(money):
    return to_decimal((money or {}).get("currencyAmount") or 0, "An amount of a transaction")
