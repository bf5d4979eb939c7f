"""Our refunds of one order in Vendure: found again by our key, settled, shared over the order's payments."""

from ..errors import Rejected
from ..refunding import join_names
from ..types import ZERO
from ..values import round_money
from . import mapper, queries
from .money import find_refunds, name_refund


class RefundFlow:
    """Vendure gives back of one payment a call, and most refunds are settled by another. The reason of each carries the
    notice's key: what a broken run has made is found, and only the rest is made.

    :param order: raw order
    :param key: of the notice
    """

    def __init__(self, client, order, key):
        self.client, self.order, self.key, self.mark = client, order, key, f"[{key}]"
        self.found = find_refunds(order, self.mark)
        money = mapper.Money(order)
        self.given = sum((money.get(refund, "total") for refund in self.found), ZERO)

    @property
    def reference(self):
        """What our refunds are called."""
        return join_names(map(name_refund, self.found))

    def settle(self):
        """Settle what an earlier run made but did not settle. :return: whether there was any"""
        pending = [refund for refund in self.found if refund.get("state") != "Settled"]
        for refund in pending:
            self._settle(refund)
        return bool(pending)

    def give(self, shares, reason):
        """Make and settle refunds.

        :param shares: [(id of the payment, amount), ...]
        :param reason: without our key
        :return: whether there was anything to be given
        """
        for payment_id, amount in shares:
            self._make(payment_id, amount, f"{reason} {self.mark}".strip())
        return bool(shares)

    def _make(self, payment_id, amount, reason):
        precision = self.order.get(mapper.PRECISION_KEY, mapper.PRECISION)
        # Vendure fails at a refund that leaves out any of these, though it calls them outdated.
        refund = self.client.query(
            queries.REFUND,
            input={
                "paymentId": payment_id,
                "amount": int(round_money(amount.scaleb(precision), "JPY")),
                "lines": [],
                "shipping": 0,
                "adjustment": 0,
                "reason": reason,
            },
        )["refundOrder"]
        if refund.get("state") == "Failed":
            raise Rejected(f"The payment provider of order {self.order['id']} refused the refund.")
        self.found.append(refund)
        if refund.get("state") != "Settled":
            self._settle(refund)

    def _settle(self, refund):
        self.client.query(queries.SETTLE_REFUND, input={"id": refund["id"], "transactionId": self.key})
