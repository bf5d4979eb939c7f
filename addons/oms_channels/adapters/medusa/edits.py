"""Units taken off an order that has not left, told to Medusa: an edit of the order, then their money."""

from contextlib import suppress
from decimal import Decimal

from ..cancelling import check_units, describe_short, get_refund
from ..errors import Rejected
from ..values import rows, to_json_number, to_text
from . import mapper
from .client import segment

# Metadata of an order: {our key: {"left": {line id: units to be left}, "amount": what is given back, as text}}, and
# "short" where that is less than was paid for the units.
CANCELLED = "oms_cancelled"


class EditFlow:
    """What is to be left of each line is noted in the order first: a broken run goes on with just these numbers."""

    def __init__(self, client):
        self.client = client

    def cancel(self, notice, order):
        """Take the units off. :return: (whether there was nothing to do, what is noted)"""
        noted = ((order.get("metadata") or {}).get(CANCELLED) or {}).get(notice.idempotency_key)
        if not noted:
            noted = self._note(notice, order)
        wanted = {line_id: Decimal(units) for line_id, units in noted["left"].items()}
        units = {to_text(item.get("id")): mapper.get_amount(item, "quantity") for item in rows(order, "items")}
        todo = {line_id: left for line_id, left in wanted.items() if units.get(line_id, left) > left}
        if todo:
            self._edit(order["id"], todo, notice.reason)
        return not todo, noted

    def _note(self, notice, order):
        parsed = mapper.map_order(order)
        found = check_units(parsed, notice.lines)
        noted = {
            "left": {line.external_id: str(line.quantity - units) for line, units in found},
            "amount": str(get_refund(parsed, found)),
            **describe_short(parsed, found),
        }
        metadata = dict(order.get("metadata") or {})
        metadata[CANCELLED] = {**(metadata.get(CANCELLED) or {}), notice.idempotency_key: noted}
        self.client.post(f"/orders/{segment(order['id'])}", {"metadata": metadata})
        return noted

    def _edit(self, order_id, left, reason):
        path = f"/order-edits/{segment(order_id)}"
        with suppress(Rejected):  # an edit that an earlier run began; mostly there is none
            self.client.delete(path)
        self.client.post("/order-edits", {"order_id": order_id, "internal_note": reason})
        for line_id, units in left.items():
            self.client.post(f"{path}/items/item/{segment(line_id)}", {"quantity": to_json_number(units)})
        self.client.post(f"{path}/confirm", {})
