"""Sellable quantities, told to WooCommerce in batches."""

from ..errors import Rejected
from ..notices import StockResult
from ..types import ZERO
from ..values import rows, to_text
from .listing import get_quantity

# The shop takes no more in one call.
BATCH = 100


class StockPublisher:
    """WooCommerce subtracts an order's units when it is placed: what it holds is what may be sold, nothing is added.
    Every write makes the shop send webhooks and bumps times of change: only what changed is to be published."""

    def __init__(self, client):
        self.client = client

    def publish(self, levels):
        """:return: StockResult"""
        errors = [""] * len(levels)
        targets = self._find_targets(levels)
        groups = {}  # path -> [(index, change)]
        for index, level in enumerate(levels):
            target = targets[index]
            if not target:
                errors[index] = f"The shop has no product for {level.sku or level.external_id}."
                continue
            parent, _slash, row_id = target.rpartition("/")
            path = f"/products/{parent}/variations/batch" if parent else "/products/batch"
            quantity = int(max(level.quantity, ZERO))
            change = {"id": int(row_id), "manage_stock": True, "stock_quantity": quantity}
            groups.setdefault(path, []).append((index, change))
        for path, changes in groups.items():
            for start in range(0, len(changes), BATCH):
                self._send(path, changes[start : start + BATCH], errors)
        return StockResult(tuple(errors))

    def fetch(self, levels):
        """:return: tuple of Decimal or None, one for each level: None where the shop counts no stock"""
        targets, groups = self._find_targets(levels), {}
        for target in filter(None, targets):
            parent, _slash, row_id = target.rpartition("/")
            groups.setdefault(f"/products/{parent}/variations" if parent else "/products", []).append(row_id)
        found = {}
        for path, ids in groups.items():
            for start in range(0, len(ids), BATCH):
                for row in self._fetch_rows(path, ids[start : start + BATCH]):
                    found[path, to_text(row.get("id"))] = get_quantity(row)
        return tuple(
            found.get(
                (
                    f"/products/{target.rpartition('/')[0]}/variations" if "/" in target else "/products",
                    target.rpartition("/")[2],
                )
            )
            for target in targets
        )

    def _fetch_rows(self, path, ids):
        return self.client.get_list(
            path, include=",".join(ids), per_page=BATCH, _fields="id,manage_stock,stock_quantity"
        )[0]

    def _find_targets(self, levels):
        """["<product>" or "<parent>/<variation>", "" when the shop has none], one a level."""
        targets = [level.inventory_external_id for level in levels]
        for field, get_key in (("include", lambda level: level.external_id), ("sku", lambda level: level.sku)):
            open_keys = sorted(
                {
                    get_key(level)
                    for level, target in zip(levels, targets, strict=True)
                    if not target and get_key(level) and (field == "sku" or level.external_id.isdigit())
                }
            )
            found = self._look_up(field, open_keys)
            targets = [
                target or found.get(get_key(level).casefold(), "")
                for level, target in zip(levels, targets, strict=True)
            ]
        return targets

    def _look_up(self, field, keys):
        """{key in lower case: target}: the shop looks at no case. A variation is found by its SKU, not by its id."""
        found = {}
        for start in range(0, len(keys), BATCH):
            params = {field: ",".join(keys[start : start + BATCH]), "per_page": BATCH}
            for row in self.client.get_list("/products", **params)[0]:
                key = to_text(row.get("id" if field == "include" else "sku"))
                if row.get("type") in ("variable", "grouped", "external"):
                    continue
                parent = row.get("parent_id") if row.get("type") == "variation" else 0
                found[key.casefold()] = f"{parent}/{row['id']}" if parent else to_text(row.get("id"))
        return found

    def _send(self, path, changes, errors):
        try:
            answer = self.client.post(path, {"update": [change for _index, change in changes]})
        except Rejected as error:
            for index, _change in changes:
                errors[index] = error.message
            return
        results = {row.get("id"): row for row in rows(answer, "update")}
        for index, change in changes:
            result = results.get(change["id"])
            if result is None:
                errors[index] = "The shop did not answer for this item."
            elif isinstance(result.get("error"), dict):
                errors[index] = to_text(result["error"].get("message")) or "The shop refused this item."
            elif result.get("manage_stock") is False:  # taken without a word
                errors[index] = (
                    "The shop counts no stock. Switch it on in WooCommerce > Settings > Products > Inventory."
                )
