"""Sellable quantities, told to WeChat SKU by SKU."""

from ..errors import Rejected
from ..notices import StockResult
from ..types import ZERO
from ..values import to_decimal
from . import mapper

MORE, LESS = 1, 2  # 3 sets: WeChat advises against it, an order that comes meanwhile is lost in it


class StockPublisher:
    """A level names an SKU (``external_id``) of a product (``inventory_external_id``).

    :param iter_listings: callable -> iterable of Listing, for levels that name no product
    """

    def __init__(self, client, iter_listings):
        self.client, self.iter_listings, self._ids = client, iter_listings, None

    def publish(self, levels):
        """:return: StockResult"""
        return StockResult(tuple(self._publish(level) for level in levels))

    def _publish(self, level):
        """Return what went wrong, "" for nothing. Reads first: the shop takes differences."""
        ids = self._find(level)
        if not ids:
            return f"The shop has no product for {level.sku or level.external_id}."
        try:
            change = int(max(level.quantity, ZERO)) - int(self._read(ids))
            if change:
                kind = MORE if change > 0 else LESS
                self.client.call("product/stock/update", **ids, diff_type=kind, num=abs(change))
        except Rejected as error:
            return error.message
        return ""

    def fetch(self, levels):
        """:return: tuple of Decimal or None, one for each level"""
        found = []
        for level in levels:
            ids = self._find(level)
            try:
                found.append(self._read(ids) if ids else None)
            except Rejected:  # so it says that there is none
                found.append(None)
        return tuple(found)

    def _read(self, ids):
        data = mapper.get_part(self.client.call("product/stock/get", **ids), "data")
        return to_decimal(data.get("normal_stock_num"), "normal_stock_num of an SKU")

    def _find(self, level):
        """The ids of a level's product and SKU, None when the shop has none."""
        if level.inventory_external_id and level.external_id:
            return {"product_id": level.inventory_external_id, "sku_id": level.external_id}
        if self._ids is None:
            self._ids = {}
            for row in self.iter_listings():
                ids = {"product_id": row.product_external_id, "sku_id": row.external_id}
                self._ids[row.external_id] = ids
                self._ids.setdefault(("sku", row.sku), ids)
        return self._ids.get(level.external_id or ("sku", level.sku))
