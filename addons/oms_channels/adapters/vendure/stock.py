"""Sellable quantities, told to Vendure in batches."""

from ..errors import Rejected
from ..stock import BatchPublisher
from ..types import ZERO
from ..values import rows, to_decimal, to_text
from . import queries


class StockPublisher(BatchPublisher):
    """Vendure sells on hand - allocated, and keeps an allocation until an order is fulfilled: what it allocated is
    added to the sellable quantity, else it would be subtracted twice. Publish only when all its orders are imported."""

    def _publish_batch(self, levels):
        default = self.get_location_id() if any(not level.location for level in levels) else ""
        variants = self._fetch_variants(levels)
        errors, changes = [""] * len(levels), []
        for index, level in enumerate(levels):
            variant = variants.get(level.external_id) if level.external_id else variants.get(("sku", level.sku))
            if not variant:
                errors[index] = f"The shop has no variant for {level.sku or level.external_id}."
                continue
            if variant.get("trackInventory") == "FALSE":
                errors[index] = f"The shop does not track the stock of {level.sku or level.external_id}."
                continue
            location = level.location or default
            known = _find_level(variant, location)
            on_hand = int(max(level.quantity, ZERO) + (_get_allocated(known) if known else ZERO))
            if known and known.get("stockOnHand") == on_hand:
                continue
            stock = [{"stockLocationId": location, "stockOnHand": on_hand}]
            changes.append((index, {"id": variant["id"], "stockLevels": stock}))
        self._send(changes, errors)
        return errors

    def _fetch_batch(self, levels):
        default = self.get_location_id() if any(not level.location for level in levels) else ""
        variants, found = self._fetch_variants(levels), []
        for level in levels:
            variant = variants.get(level.external_id or ("sku", level.sku)) or {}
            known = _find_level(variant, level.location or default)
            if not known or variant.get("trackInventory") == "FALSE":
                found.append(None)
            else:
                found.append(to_decimal(known.get("stockOnHand") or 0, "stockOnHand") - _get_allocated(known))
        return found

    def _fetch_variants(self, levels):
        """{variant id or ("sku", sku): variant with its levels}."""
        found = {}
        for field, values in (
            ("id", [level.external_id for level in levels if level.external_id]),
            ("sku", [level.sku for level in levels if level.sku and not level.external_id]),
        ):
            if not values:
                continue
            options = {"filter": {field: {"in": values}}, "take": len(values) + self.batch}
            for variant in rows(self.client.query(queries.STOCK, options=options)["productVariants"], "items"):
                found[variant["id"]] = variant
                found[("sku", to_text(variant.get("sku")))] = variant
        return found

    def _send(self, changes, errors):
        """All in one call; when the shop refuses it, one by one, so that one bad level does not hold up the rest."""
        if not changes:
            return
        try:
            self.client.query(queries.SET_STOCK, input=[change for _index, change in changes])
        except Rejected as error:
            if len(changes) == 1:
                errors[changes[0][0]] = error.message
                return
            for change in changes:
                self._send([change], errors)


def _find_level(variant, location):
    return next((row for row in rows(variant, "stockLevels") if row.get("stockLocationId") == location), None)


def _get_allocated(level):
    return to_decimal(level.get("stockAllocated") or 0, "stockAllocated")
