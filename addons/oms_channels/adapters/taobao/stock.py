"""Sellable quantities, told to Taobao item by item."""

from ..errors import Rejected
from ..notices import StockResult
from ..types import ZERO
from ..values import to_text
from . import mapper

# SKUs of one item in one call.
BATCH = 20
FULL = 1  # the quantity replaces what is there


class StockPublisher:
    """A level names an SKU (``external_id``) of an item (``inventory_external_id``); an item without SKUs is both."""

    def __init__(self, client):
        self.client = client

    def publish(self, levels):
        """:return: StockResult"""
        errors, items = [""] * len(levels), {}
        for index, level in enumerate(levels):
            iid, sku_id = self._find(level)
            if not iid:
                errors[index] = f"The shop has no product for {level.sku or level.external_id}."
                continue
            items.setdefault(iid, []).append((index, sku_id, int(max(level.quantity, ZERO))))
        for iid, changes in items.items():
            whole = [change for change in changes if change[1] == iid]
            skus = [change for change in changes if change[1] != iid]
            for change in whole:
                self._send([change], errors, "taobao.item.quantity.update", num_iid=iid, quantity=change[2], type=FULL)
            for start in range(0, len(skus), BATCH):
                batch = skus[start : start + BATCH]
                quantities = ";".join(f"{sku_id}:{quantity}" for _index, sku_id, quantity in batch)
                self._send(
                    batch, errors, "taobao.skus.quantity.update", num_iid=iid, skuid_quantities=quantities, type=FULL
                )
        return StockResult(tuple(errors))

    def _send(self, changes, errors, method, **content):
        try:
            self.client.call(method, **content)
        except Rejected as error:
            for index, _sku_id, _quantity in changes:
                errors[index] = error.message

    def _find(self, level):
        """(num_iid, sku_id) of a level, ("", "") when the shop has none."""
        if level.inventory_external_id:
            return level.inventory_external_id, level.external_id or level.inventory_external_id
        if not level.sku:
            return "", ""
        for method, kind, inner in (
            ("taobao.skus.custom.get", "skus", "sku"),
            ("taobao.items.custom.get", "items", "item"),
        ):
            fields = "num_iid,sku_id,outer_id" if kind == "skus" else "num_iid,outer_id"
            try:
                found = mapper.unwrap(self.client.call(method, outer_id=level.sku, fields=fields), kind, inner)
            except Rejected:
                continue  # so it says that there is none
            if found:
                row = next((row for row in found if to_text(row.get("sku_id")) == level.external_id), found[0])
                iid = to_text(row.get("num_iid"))
                return iid, to_text(row.get("sku_id")) or iid
        return "", ""
