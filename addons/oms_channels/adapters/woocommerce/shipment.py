"""Parcels told to WooCommerce: as fulfilments where the shop has them, else as meta, note and status of the order."""

import html
import json

from ..errors import Rejected
from ..notices import PushResult
from ..values import rows, to_json_number, to_text
from . import mapper
from .client import NoRoute

# Providers by their keys in the fulfilments feature; what is not here is sent as "other", with its name.
PROVIDERS = ("amazon-logistics", "an-post", "australia-post", "bpost", "canada-post", "chronopost", "correos")
PROVIDERS += ("deutsche-post", "dhl", "dpd", "evri-hermes", "fedex", "gls", "inpost", "la-poste-colissimo")
PROVIDERS += ("mondial-relay", "new-zealand-post", "nova-poshta", "parcelforce", "postnl", "postnord", "purolator")
PROVIDERS += ("royal-mail", "swiss-post", "ups", "usps")
ALIASES = {"evri": "evri-hermes", "colissimo": "la-poste-colissimo"}


class ShipmentFlow:
    def __init__(self, client):
        self.client = client

    def ship(self, notice, order):
        """:param order: as ``fetch_order`` returns it :return: PushResult"""
        path = f"/orders/{order['id']}"
        try:
            answer = self.client.get_list(f"{path}/fulfillments")[0]
        except NoRoute:
            return self._ship_by_note(notice, order, path)
        order = {**order, mapper.FULFILLMENTS: answer}
        parcel = _find_parcel(mapper.get_parcels(order), notice)
        if not parcel:
            _check_alive(order)
            made = self.client.post(f"{path}/fulfillments", _make_fulfillment(notice))
            external_id, is_repeat = to_text(made.get("id")), False
            order = {**order, mapper.FULFILLMENTS: [*answer, {**made, "is_fulfilled": True}]}
        else:
            external_id, is_repeat = parcel["id"], True
        # The shop leaves the order's status as it was.
        if _is_all_sent(order) and to_text(order.get("status")) in ("processing", "on-hold", "pending"):
            self.client.put(path, {"status": "completed"})
            is_repeat = False
        return PushResult(external_id or notice.idempotency_key, is_repeat=is_repeat)

    def _ship_by_note(self, notice, order, path):
        """One call changes meta and status together; the note to the buyer is a call of its own and is made up for when
        it is missing."""
        parcels = mapper.read_own_parcels(order)
        is_repeat = bool(_find_parcel(parcels, notice))
        if not is_repeat:
            _check_alive(order)
            items = [{"item_id": int(line_id), "qty": to_json_number(quantity)} for line_id, quantity in notice.lines]
            parcel = {
                "id": notice.idempotency_key,
                "key": notice.idempotency_key,
                "number": notice.tracking_number,
                "url": notice.tracking_url,
                "carrier": notice.carrier,
                "items": items,
            }
            known = mapper.get_meta(order, mapper.SHIPMENTS_META)
            known = json.loads(known) if isinstance(known, str) and known else known or []
            meta = [
                {"key": mapper.SHIPMENTS_META, "value": json.dumps([*known, parcel], ensure_ascii=False)},
                # Where tracking plug-ins and e-mail templates look.
                {"key": "_tracking_number", "value": notice.tracking_number},
                {"key": "_tracking_provider", "value": notice.carrier},
                {"key": "_tracking_url", "value": notice.tracking_url},
            ]
            changed = {**order, "meta_data": [*_without(order, mapper.SHIPMENTS_META), meta[0]]}
            body = {"meta_data": meta}
            if _is_all_sent(changed):
                body["status"] = "completed"
            self.client.put(path, body)
        note = _make_note(notice)
        told = [
            html.unescape(to_text(row.get("note"))) for row in self.client.get_list(f"{path}/notes", type="customer")[0]
        ]
        if html.unescape(note) not in told:
            self.client.post(f"{path}/notes", {"note": note, "customer_note": True})
            is_repeat = False
        return PushResult(notice.idempotency_key, is_repeat=is_repeat)


def _check_alive(order):
    """The shop itself would take a parcel of a cancelled order."""
    if mapper.map_order(order).status == "cancelled":
        raise Rejected(f"Order {order.get('number')} is cancelled in the shop: stop the parcel.")


def _without(order, key):
    return [row for row in rows(order, "meta_data") if row.get("key") != key]


def _make_fulfillment(notice):
    name = notice.carrier.strip().casefold().replace(" ", "-")
    provider = ALIASES.get(name, name)
    if provider not in PROVIDERS:
        provider = "other"
    meta = {
        "_items": [{"item_id": int(line_id), "qty": to_json_number(quantity)} for line_id, quantity in notice.lines],
        "_tracking_number": notice.tracking_number,
        "_tracking_url": notice.tracking_url,
        "_shipment_provider": provider,
        mapper.OWN_KEY: notice.idempotency_key,
    }
    if provider == "other":
        meta["_provider_name"] = notice.carrier
    return {
        "status": "fulfilled",
        "is_fulfilled": True,
        "notify_customer": True,  # else the buyer never reads the number
        # Before WooCommerce 10.8 an entry without an id is passed over, so that the parcel has no items.
        "meta_data": [{"id": 0, "key": key, "value": value} for key, value in meta.items()],
    }


def _find_parcel(parcels, notice):
    """The parcel that is this notice: by our key, else by number and content."""
    wanted = dict(notice.lines)
    for parcel in parcels:
        if parcel["key"] == notice.idempotency_key:
            return parcel
    for parcel in parcels:
        is_same = notice.tracking_number and parcel["number"] == notice.tracking_number
        if is_same and not parcel["key"] and parcel["items"] == wanted:
            return parcel
    return None


def _is_all_sent(order):
    """Whether every unit has left or was cancelled."""
    lines = mapper.map_order(order).lines
    return all(line.shipped_quantity >= line.open_quantity for line in lines)


def _make_note(notice):
    name = notice.carrier or "our carrier"
    number = f", tracking number {notice.tracking_number}" if notice.tracking_number else ""
    link = f": {notice.tracking_url}" if notice.tracking_url else ""
    return f"Your goods were handed over to {name}{number}{link}"
