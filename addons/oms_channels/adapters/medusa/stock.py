"""Sellable quantities, told to Medusa in batches."""

from ..errors import Rejected
from ..stock import BatchPublisher
from ..types import ZERO
from ..values import rows, to_json_number, to_text
from . import mapper


class StockPublisher(BatchPublisher):
    """Medusa sells stocked - reserved, and keeps a reservation until an order is fulfilled there: what it reserved is
    added to the sellable quantity, else it would be subtracted twice. Publish only when all its orders are imported."""

    batch = 100  # the query string of the look-up stays below 8 kB

    def _publish_batch(self, levels):
        default = self.get_location_id() if any(not level.location for level in levels) else ""
        items = self._fetch_items(levels)
        errors, changes = [""] * len(levels), []
        for index, level in enumerate(levels):
            item = (
                items.get(level.inventory_external_id) if level.inventory_external_id else items.get(("sku", level.sku))
            )
            if not item:
                errors[index] = f"The shop has no stock item for {level.sku or level.inventory_external_id}."
                continue
            location = level.location or default
            known = _find_level(item, location)
            stocked = max(level.quantity, ZERO) + (_get_reserved(known) if known else ZERO)
            if known and mapper.get_amount(known, "stocked_quantity") == stocked:
                continue
            change = {
                "inventory_item_id": item["id"],
                "location_id": location,
                "stocked_quantity": to_json_number(stocked),
            }
            changes.append((index, "update" if known else "create", change))
        self._send(changes, errors)
        return errors

    def _fetch_batch(self, levels):
        default = self.get_location_id() if any(not level.location for level in levels) else ""
        items, found = self._fetch_items(levels), []
        for level in levels:
            item = items.get(level.inventory_external_id or ("sku", level.sku))
            known = _find_level(item, level.location or default) if item else None
            if known:
                found.append(mapper.get_amount(known, "stocked_quantity") - _get_reserved(known))
            else:
                found.append(None)
        return found

    def _fetch_items(self, levels):
        """{inventory item id or ("sku", sku): item with its levels}."""
        found = {}
        for key, values in (
            ("id[]", [level.inventory_external_id for level in levels if level.inventory_external_id]),
            ("sku[]", [level.sku for level in levels if level.sku and not level.inventory_external_id]),
        ):
            if not values:
                continue
            params = {key: values, "fields": "id,sku,*location_levels", "limit": len(values) + self.batch}
            for item in rows(self.client.get("/inventory-items", **params), "inventory_items"):
                found[item["id"]] = item
                found[("sku", to_text(item.get("sku")))] = item
        return found

    def _send(self, changes, errors):
        """All in one call; when the shop refuses it, one by one, so that one bad level does not hold up the rest."""
        if not changes:
            return
        body = {}
        for _index, kind, change in changes:
            body.setdefault(kind, []).append(change)
        try:
            self.client.post("/inventory-items/location-levels/batch", body)
        except Rejected as error:
            if len(changes) == 1:
                errors[changes[0][0]] = error.message
                return
            for change in changes:
                self._send([change], errors)


def _find_level(item, location):
    return next((row for row in rows(item, "location_levels") if row.get("location_id") == location), None)


def _get_reserved(level):
    return mapper.get_optional(level, "reserved_quantity") or ZERO
