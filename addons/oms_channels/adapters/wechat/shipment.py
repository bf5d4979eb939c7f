"""Parcels, told to WeChat with the units in each."""

from ..china import find_carrier
from ..errors import Rejected
from ..notices import PushResult
from ..values import rows, to_text
from . import mapper

BY_EXPRESS = 1
OTHER = "OTHER"


class ShipmentFlow:
    """The order names its parcels, so a number that is there is not told again."""

    def __init__(self, client):
        self.client = client

    def ship(self, notice, raw):
        """:param raw: as ``fetch_order`` returns it :return: PushResult"""
        number, order_id = notice.tracking_number, to_text(raw["order_id"])
        if not number:
            raise Rejected(f"Order {order_id}: WeChat takes no parcel without a waybill number.")
        if any(to_text(row.get("waybill_id")) == number for row in mapper.get_parcels(raw)):
            return PushResult(number, is_repeat=True)
        if raw.get("status") in mapper.CANCELLED:
            raise Rejected(f"Order {order_id} is cancelled in the shop: stop the parcel.")
        products = mapper.get_line_ids(raw)
        if unknown := [line_id for line_id, _units in notice.lines if line_id not in products]:
            raise Rejected(f"Order {order_id} has no line {', '.join(unknown)}.")
        parcel = {
            "delivery_id": self._find_company(notice.carrier),
            "waybill_id": number,
            "deliver_type": BY_EXPRESS,
            "product_infos": [
                {
                    "product_id": to_text(products[line_id].get("product_id")),
                    "sku_id": to_text(products[line_id].get("sku_id")),
                    "product_cnt": int(units),
                }
                for line_id, units in notice.lines
            ],
        }
        self.client.call("order/delivery/send", order_id=order_id, delivery_list=[parcel])
        return PushResult(number)

    def _find_company(self, carrier):
        """The platform's id of a carrier of ours: one of its own, else by name, the plainest (a company's freight
        service is listed beside it)."""
        answer = self.client.call("order/deliverycompanylist/new/get")
        listed = rows(answer, "company_list") or rows(answer, "delivery_company_list")
        names = {to_text(row.get("delivery_id")): to_text(row.get("delivery_name")) for row in listed}
        if carrier.strip() in names:
            return carrier.strip()
        key = find_carrier(carrier)
        found = [code for code, name in names.items() if key and find_carrier(name) == key]
        return min(found, key=lambda code: (len(names[code]), code), default=OTHER)
