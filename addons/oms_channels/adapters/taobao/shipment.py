"""Parcels, told to Taobao sub-order by sub-order."""

from ..china import find_carrier
from ..errors import Rejected
from ..notices import PushResult
from ..values import to_text
from . import mapper

# The platform's company codes.
COMPANIES = {
    "sf": "SF",
    "jd": "JD",
    "ems": "EMS",
    "post": "POSTB",
    "zto": "ZTO",
    "yto": "YTO",
    "sto": "STO",
    "yunda": "YUNDA",
    "jt": "JTSD",
    "deppon": "DBKD",
}


class ShipmentFlow:
    """The platform takes one number for a sub-order, and takes it as sent whole. Further parcels of a sub-order are
    written into the seller's memo, so that the shop's staff can tell the buyer, and so that we know of them."""

    def __init__(self, client):
        self.client = client

    def ship(self, notice, raw):
        """:param raw: as ``fetch_order`` returns it :return: PushResult"""
        number, tid = notice.tracking_number, to_text(raw["tid"])
        if not number:
            raise Rejected(f"Trade {tid}: Taobao takes no parcel without a tracking number.")
        orders = {to_text(row.get("oid")): row for row in mapper.get_orders(raw)}
        wanted = [oid for oid, _units in notice.lines]
        if unknown := [oid for oid in wanted if oid not in orders]:
            raise Rejected(f"Trade {tid} has no sub-order {', '.join(unknown)}.")
        fresh = [oid for oid in wanted if not mapper.is_sent(orders[oid])]
        sent = [oid for oid in wanted if oid not in fresh]
        if closed := [oid for oid in fresh if orders[oid].get("status") in mapper.CLOSED]:
            raise Rejected(f"Sub-order {', '.join(closed)} is closed in the shop: stop the parcel.")
        is_repeat = not fresh
        if fresh:
            self._send(notice, tid, fresh, orders)
        if any(to_text(orders[oid].get("invoice_no")) != number for oid in sent):
            is_repeat = not self._note(notice, raw) and is_repeat
        return PushResult(number, is_repeat=is_repeat)

    def _send(self, notice, tid, fresh, orders):
        """One call for all sub-orders of the parcel; it is split when others stay behind."""
        code = COMPANIES.get(find_carrier(notice.carrier)) or "OTHER"
        content = {"tid": tid, "out_sid": notice.tracking_number, "company_code": code}
        if len(fresh) < len(orders):
            content |= {"is_split": 1, "sub_tid": ",".join(fresh)}
        self.client.call("taobao.logistics.offline.send", **content)

    def _note(self, notice, raw):
        """Write the number into the memo behind what is there. :return: whether it had to be written"""
        memo, entry = to_text(raw.get("seller_memo")), f"{notice.carrier} {notice.tracking_number}".strip()
        if entry in memo:
            return False
        content = {"tid": to_text(raw["tid"]), "memo": "\n".join(filter(None, (memo, entry)))}
        if raw.get("seller_flag"):
            content["flag"] = raw["seller_flag"]
        self.client.call("taobao.trade.memo.update", **content)
        return True
