"""Goods that came back, told to Medusa: return -> requested -> received, six calls that may break between any two."""

from contextlib import suppress
from decimal import Decimal

from ..errors import Rejected
from ..notices import PushResult
from ..types import ZERO
from ..values import rows, to_json_number
from . import mapper
from .client import segment

# Metadata of a return: {our key: {line id: units back before}}; tells whether a receipt of ours went through.
RECEIPTS = "oms_receipts"
# Received or not, it is back or on its way: nobody can say no any more.
TAKEN = ("partially_received", "received")


class ReturnFlow:
    """:param get_location_id: callable, asked only when a return must be made"""

    def __init__(self, client, get_location_id):
        self.client, self.get_location_id = client, get_location_id

    def receive(self, notice):
        """Bring the shop to "these units came back" from whatever state an earlier, broken run left."""
        wanted = {line_id: Decimal(quantity) for line_id, quantity in notice.lines}
        document, received = self._find(notice), self._get_received(notice)
        if document and self._is_done(document, notice.idempotency_key, wanted, received):
            return PushResult(document["id"], is_repeat=True)
        if not document or document.get("status") == "open":
            document = self._request(notice, wanted, document)
        path = f"/returns/{segment(document['id'])}"
        self._forget(f"{path}/receive")
        items = [{"id": line_id, "quantity": to_json_number(quantity)} for line_id, quantity in wanted.items()]
        self.client.post(f"{path}/receive", {"internal_note": notice.note})
        self._note_receipt(document, notice.idempotency_key, wanted, received)  # only accepted while a receipt is open
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
                raise Rejected(
                    f"Order {notice.order_external_id} has no return {notice.request_external_id} in the shop."
                )
            return found
        return next(
            (
                row
                for row in documents
                if (row.get("metadata") or {}).get(mapper.OWN_KEY) == notice.idempotency_key
                and row.get("status") != "canceled"
            ),
            None,
        )

    def _get_received(self, notice):
        """{line id: units back}. A return's own received_quantity is no counter: receipts reset it."""
        answer = self.client.get(f"/orders/{segment(notice.order_external_id)}", fields="id,*items,*items.detail")
        items = rows(answer.get("order") or {}, "items")
        return {item["id"]: mapper.get_optional(item.get("detail") or {}, "return_received_quantity") for item in items}

    @staticmethod
    def _is_done(document, key, wanted, received):
        before = ((document.get("metadata") or {}).get(RECEIPTS) or {}).get(key)
        return before is not None and all(
            received.get(line_id, ZERO) >= Decimal(before.get(line_id) or 0) + quantity
            for line_id, quantity in wanted.items()
        )

    def _request(self, notice, wanted, begun):
        """Make and confirm the return request; one begun by a broken run is thrown away first."""
        if begun:
            self._forget(f"/returns/{segment(begun['id'])}/request")
        document = self.client.post(
            "/returns",
            {
                "order_id": notice.order_external_id,
                "location_id": self.get_location_id(),
                "internal_note": notice.note,
                "metadata": {mapper.OWN_KEY: notice.idempotency_key},
            },
        )["return"]
        path = f"/returns/{segment(document['id'])}"
        items = [{"id": line_id, "quantity": to_json_number(quantity)} for line_id, quantity in wanted.items()]
        self.client.post(f"{path}/request-items", {"items": items})
        self.client.post(f"{path}/request", {"no_notification": True})
        return self.client.get(path, fields="*items")["return"]

    def _forget(self, path):
        """Drop a pending step of an earlier run; that there is none is the usual case."""
        with suppress(Rejected):
            self.client.delete(path)

    def _note_receipt(self, document, key, wanted, received):
        metadata = dict(document.get("metadata") or {})
        before = {line_id: str(received.get(line_id, ZERO)) for line_id in wanted}
        metadata[RECEIPTS] = {**(metadata.get(RECEIPTS) or {}), key: before}
        self.client.post(f"/returns/{segment(document['id'])}", {"metadata": metadata})


def answer_return(client, notice, order):
    """Agree to a return that the buyer asks for, or refuse it. Medusa knows no consent: what is refused is cancelled,
    and what was said, and why, stands in the order's metadata. :return: PushResult"""
    request_id = notice.request_external_id
    document = next((row for row in rows(order, "returns") if row.get("id") == request_id), None)
    if not document:
        raise Rejected(f"Order {order['id']} has no return {request_id} in the shop any more.")
    status, given = document.get("status"), mapper.get_answers(order).get(request_id, {}).get("answer")
    wanted = mapper.GRANTED if notice.is_granted else mapper.REFUSED
    if notice.is_granted and (given == wanted or status in TAKEN) or not notice.is_granted and status == "canceled":
        return PushResult(request_id, is_repeat=True)
    if given not in (None, wanted) or status == "canceled" or status in TAKEN:
        raise Rejected(f"Return {request_id} of order {order['id']} is answered already ({given or status}).")
    answers = {**mapper.get_answers(order), request_id: {"answer": wanted, "reason": notice.reason}}
    metadata = {**(order.get("metadata") or {}), mapper.ANSWERS: answers}
    client.post(f"/orders/{segment(order['id'])}", {"metadata": metadata})
    if not notice.is_granted:
        client.post(f"/returns/{segment(request_id)}/cancel", {})
    return PushResult(request_id)
