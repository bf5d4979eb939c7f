"""Goods that came back, told to Medusa: return -> requested -> received, six calls that may break between any two."""

from decimal import Decimal

from ..errors import Rejected
from ..types import PushResult
from ..values import rows, to_json_number, to_text
from . import mapper
from .client import segment

# Metadata of a return: {our key: {line id: received before}}; tells whether a receipt of ours went through.
RECEIPTS = "oms_receipts"


class ReturnFlow:
    """:param get_location_id: callable, asked only when a return must be made"""

    def __init__(self, client, get_location_id):
        self.client, self.get_location_id = client, get_location_id

    def receive(self, notice):
        """Bring the shop to "these units came back" from whatever state an earlier, broken run left."""
        wanted = {line_id: Decimal(quantity) for line_id, quantity in notice.lines}
        document = self._find(notice)
        if document and self._is_done(document, notice.idempotency_key, wanted):
            return PushResult(document["id"], is_repeat=True)
        if not document or document.get("status") == "open":
            document = self._request(notice, wanted, document)
        path = f"/returns/{segment(document['id'])}"
        self._forget(f"{path}/receive")
        self._note_receipt(document, notice.idempotency_key, wanted)
        items = [{"id": line_id, "quantity": to_json_number(quantity)} for line_id, quantity in wanted.items()]
        self.client.post(f"{path}/receive", {"internal_note": notice.note})
        self.client.post(f"{path}/receive-items", {"items": items})
        self.client.post(f"{path}/receive/confirm", {})
        return PushResult(document["id"])

    def _find(self, notice):
        """The return the buyer asked for, or the one we made for this notice."""
        documents = rows(
            self.client.get("/returns", order_id=notice.order_external_id, fields="*items", limit=200), "returns"
        )
        if notice.request_external_id:
            found = next((row for row in documents if row["id"] == notice.request_external_id), None)
            if not found:
                raise Rejected(f"Order {notice.order_external_id} has no return {notice.request_external_id} in the shop.")
            return found
        return next((
            row for row in documents
            if (row.get("metadata") or {}).get(mapper.OWN_KEY) == notice.idempotency_key and row.get("status") != "canceled"
        ), None)

    @staticmethod
    def _is_done(document, key, wanted):
        before = ((document.get("metadata") or {}).get(RECEIPTS) or {}).get(key)
        if before is None:
            return False
        received = {to_text(row.get("item_id")): mapper.get_amount(row, "received_quantity") for row in rows(document, "items")}
        return all(
            received.get(line_id, Decimal(0)) >= Decimal(before.get(line_id) or 0) + quantity
            for line_id, quantity in wanted.items()
        )

    def _request(self, notice, wanted, begun):
        """Make and confirm the return request; one begun by a broken run is thrown away first."""
        if begun:
            self._forget(f"/returns/{segment(begun['id'])}/request")
        document = self.client.post("/returns", {
            "order_id": notice.order_external_id,
            "location_id": self.get_location_id(),
            "internal_note": notice.note,
            "metadata": {mapper.OWN_KEY: notice.idempotency_key},
        })["return"]
        path = f"/returns/{segment(document['id'])}"
        items = [{"id": line_id, "quantity": to_json_number(quantity)} for line_id, quantity in wanted.items()]
        self.client.post(f"{path}/request-items", {"items": items})
        self.client.post(f"{path}/request", {"no_notification": True})
        return self.client.get(path, fields="*items")["return"]

    def _forget(self, path):
        """Drop a pending step of an earlier run; that there is none is the usual case."""
        try:
            self.client.delete(path)
        except Rejected:
            pass

    def _note_receipt(self, document, key, wanted):
        received = {to_text(row.get("item_id")): mapper.get_amount(row, "received_quantity") for row in rows(document, "items")}
        metadata = dict(document.get("metadata") or {})
        before = {line_id: str(received.get(line_id, 0)) for line_id in wanted}
        metadata[RECEIPTS] = {**(metadata.get(RECEIPTS) or {}), key: before}
        self.client.post(f"/returns/{segment(document['id'])}", {"metadata": metadata})
