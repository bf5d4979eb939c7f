"""Parcels, told to Shopify as fulfilments of its fulfilment orders."""

from ..errors import Rejected
from ..notices import PushResult
from ..types import ZERO
from ..values import digest, rows, to_decimal, to_json_number, to_text
from . import mapper, queries

_OPEN = ("OPEN", "IN_PROGRESS")


class FulfillmentFlow:
    """A parcel may hold goods of several fulfilment orders, but a fulfilment only those of one location: one parcel may
    become several fulfilments, all with its number.

    :param location_id: the location to take from first, or None
    """

    def __init__(self, client, location_id=None):
        self.client = client
        self.location = mapper.make_gid("Location", location_id) if location_id else ""

    def ship(self, notice, order):
        """:param order: as ``fetch_order`` returns it :return: PushResult"""
        wanted = {}
        for line_id, quantity in notice.lines:
            wanted[line_id] = wanted.get(line_id, ZERO) + quantity
        known = _find_parcels(order, notice)
        for row in known:
            for line_id, quantity in _get_content(row).items():
                if line_id in wanted:
                    wanted[line_id] -= min(quantity, wanted[line_id])
        external_id = mapper.get_number(known[0].get("id")) if known else ""
        if not any(wanted.values()):
            return PushResult(external_id, is_repeat=True)
        if order.get("cancelledAt"):
            raise Rejected(f"Order {order.get('name')} is cancelled in the shop: stop the parcel.")
        for parts in self._share(order, wanted):
            made = self.client.mutate(
                queries.FULFILL, "fulfillmentCreate", fulfillment={**_make_parcel(notice), **parts}
            )
            external_id = external_id or mapper.get_number((made.get("fulfillment") or {}).get("id"))
        return PushResult(external_id)

    def deliver(self, notice, order):
        """:return: PushResult"""
        found = [
            row
            for row in rows(order, "fulfillments")
            if row.get("status") in mapper.SENT
            and (
                mapper.get_number(row.get("id")) == notice.shipment_external_id
                if notice.shipment_external_id
                else notice.tracking_number and notice.tracking_number in _get_numbers(row)
            )
        ]
        if not found:
            what = notice.shipment_external_id or notice.tracking_number
            raise Rejected(f"Order {order.get('name')} has no shipment {what}.")
        external_id = mapper.get_number(found[0].get("id"))
        due = [row for row in found if not row.get("deliveredAt") and row.get("displayStatus") != "DELIVERED"]
        for row in due:
            event = {"fulfillmentId": row["id"], "status": "DELIVERED"}
            if notice.delivered_at:
                event["happenedAt"] = mapper.format_time(notice.delivered_at)
            self.client.mutate(queries.FULFILLMENT_EVENT, "fulfillmentEventCreate", event=event)
        return PushResult(external_id, is_repeat=not due)

    def _share(self, order, wanted):
        """Spread {line id: units} over the open fulfilment orders.

        :return: [value of ``lineItemsByFulfillmentOrder`` in a dict], one a location
        """
        by_location, left = {}, dict(wanted)
        for row in self._fetch_orders(order["id"]):
            if row.get("status") not in _OPEN:
                continue
            items = []
            for item in mapper.get_nodes(row, "lineItems"):
                line_id = mapper.get_number((item.get("lineItem") or {}).get("id"))
                open_units = to_decimal(item.get("remainingQuantity") or 0, "remainingQuantity")
                units = min(left.get(line_id, ZERO), open_units)
                if units > 0:
                    left[line_id] -= units
                    items.append({"id": item["id"], "quantity": to_json_number(units)})
            if items:
                part = {"fulfillmentOrderId": row["id"], "fulfillmentOrderLineItems": items}
                by_location.setdefault(_get_location(row), []).append(part)
        if missing := [line_id for line_id, units in left.items() if units > 0]:
            raise Rejected(
                f"Order {order.get('name')} has no such units left to send in the shop (lines {', '.join(missing)}): "
                "they were sent, cancelled, put on hold, or are not due yet."
            )
        return [{"lineItemsByFulfillmentOrder": parts} for parts in by_location.values()]

    def _fetch_orders(self, gid):
        found, cursor = [], None
        while True:
            answer = self.client.query(queries.FULFILLMENT_ORDERS, id=gid, after=cursor).get("order") or {}
            page = answer.get("fulfillmentOrders") or {}
            found += rows(page, "nodes")
            info = page.get("pageInfo") or {}
            if not info.get("hasNextPage"):
                return sorted(found, key=lambda row: _get_location(row) != self.location)
            cursor = info.get("endCursor")


def _get_location(row):
    return to_text(((row.get("assignedLocation") or {}).get("location") or {}).get("id"))


def _get_company(notice):
    """Carrier's name; without a tracking number it also tells parcels of the same content apart."""
    name = notice.carrier or "Parcel"
    return name if notice.tracking_number else f"{name} #{digest(notice.idempotency_key.encode())[:8]}"


def _make_parcel(notice):
    tracking = {"company": _get_company(notice)}
    if notice.tracking_number:
        tracking["number"] = notice.tracking_number
    if notice.tracking_url:
        tracking["url"] = notice.tracking_url
    return {"trackingInfo": tracking, "notifyCustomer": True}


def _get_numbers(row):
    return [to_text(info.get("number")) for info in rows(row, "trackingInfo")]


def _get_content(row):
    content = {}
    for item in mapper.get_nodes(row, "fulfillmentLineItems"):
        line_id = mapper.get_number((item.get("lineItem") or {}).get("id"))
        content[line_id] = content.get(line_id, ZERO) + to_decimal(item.get("quantity") or 0, "A quantity")
    return content


def _find_parcels(order, notice):
    """The fulfilments that are this notice, by number, else by the name that carries our key. What a parcel of that
    number holds besides is another notice's."""
    wanted = {line_id for line_id, _quantity in notice.lines}
    found = []
    for row in rows(order, "fulfillments"):
        if row.get("status") not in mapper.SENT or not wanted & set(_get_content(row)):
            continue
        if notice.tracking_number:
            is_same = notice.tracking_number in _get_numbers(row)
        else:
            is_same = _get_company(notice) in [to_text(info.get("company")) for info in rows(row, "trackingInfo")]
        if is_same:
            found.append(row)
    return found
