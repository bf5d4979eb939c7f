"""Sellable quantities, told to Shopify in batches."""

import json
import uuid
from decimal import Decimal

from ..errors import BadResponse, Rejected
from ..notices import StockResult
from ..types import ZERO
from ..values import rows, to_text
from . import mapper, queries
from .client import get_user_errors

# The shop takes no more in one call.
BATCH = 250
LOOK_UP = 50


class StockPublisher:
    """Shopify's "available" is what may be sold: it subtracts what orders hold by itself, nothing is added.

    :param get_location_id: callable -> gid of the location for levels that name none
    """

    def __init__(self, client, get_location_id):
        self.client, self._find_location, self._location = client, get_location_id, ""

    def publish(self, levels):
        """:return: StockResult"""
        errors = [""] * len(levels)
        targets, changes = self._find_targets(levels), []
        for index, level in enumerate(levels):
            if not targets[index]:
                errors[index] = f"The shop has no product for {level.sku or level.external_id}."
                continue
            changes.append(
                (
                    index,
                    {
                        "inventoryItemId": mapper.make_gid("InventoryItem", targets[index]),
                        "locationId": self._get_location(level),
                        "quantity": int(max(level.quantity, ZERO)),
                        # What the shop has now does not matter: its orders reach us by another way.
                        "changeFromQuantity": None,
                    },
                )
            )
        for start in range(0, len(changes), BATCH):
            self._send(changes[start : start + BATCH], errors)
        return StockResult(tuple(errors))

    def fetch(self, levels):
        """:return: tuple of Decimal or None, one for each level: None where the shop counts none at the location"""
        targets, groups, found = self._find_targets(levels), {}, {}
        for level, target in zip(levels, targets, strict=True):
            if target:
                groups.setdefault(self._get_location(level), []).append(mapper.make_gid("InventoryItem", target))
        for location, gids in groups.items():
            for start in range(0, len(gids), LOOK_UP):
                data = self.client.query(queries.LEVELS, ids=gids[start : start + LOOK_UP], location=location)
                for row in filter(None, data.get("nodes") or ()):
                    quantities = rows(row.get("inventoryLevel") or {}, "quantities")
                    if quantities:
                        found[mapper.get_number(row["id"])] = Decimal(quantities[0]["quantity"])
        return tuple(found.get(target) for target in targets)

    def _get_location(self, level):
        if level.location:
            return mapper.make_gid("Location", level.location)
        self._location = self._location or self._find_location()
        return self._location

    def _find_targets(self, levels):
        """[number of the inventory item, "" when the shop has none], one a level."""
        targets = [level.inventory_external_id for level in levels]
        open_ids = sorted({row.external_id for row, target in zip(levels, targets, strict=True) if not target} - {""})
        found = self._look_up_ids(open_ids)
        targets = [target or found.get(row.external_id, "") for row, target in zip(levels, targets, strict=True)]
        open_skus = sorted({row.sku for row, target in zip(levels, targets, strict=True) if not target} - {""})
        found = self._look_up_skus(open_skus)
        return [target or found.get(row.sku, "") for row, target in zip(levels, targets, strict=True)]

    def _look_up_ids(self, numbers):
        found = {}
        for start in range(0, len(numbers), LOOK_UP):
            gids = [mapper.make_gid("ProductVariant", number) for number in numbers[start : start + LOOK_UP]]
            for row in self.client.query(queries.VARIANTS_BY_ID, ids=gids).get("nodes") or ():
                if row and row.get("id"):
                    found[mapper.get_number(row["id"])] = mapper.get_number((row.get("inventoryItem") or {}).get("id"))
        return found

    def _look_up_skus(self, skus):
        found = {}
        for start in range(0, len(skus), LOOK_UP):
            # JSON's quoting is that of the search syntax.
            terms = " OR ".join(f"sku:{json.dumps(sku, ensure_ascii=False)}" for sku in skus[start : start + LOOK_UP])
            data = self.client.query(queries.VARIANTS_BY_SKU, query=terms)
            for row in mapper.get_nodes(data, "productVariants"):
                found.setdefault(to_text(row.get("sku")), mapper.get_number((row.get("inventoryItem") or {}).get("id")))
        return found

    def _send(self, changes, errors):
        """All or nothing: what the shop refuses is left out, and the rest sent again."""
        while changes:
            body = {"name": "available", "reason": "correction", "quantities": [change for _index, change in changes]}
            # A key of its own each time: the same quantity may be right again later.
            data = self.client.query(queries.SET_QUANTITIES, input=body, key=str(uuid.uuid4()))
            result = data.get("inventorySetQuantities")
            if not isinstance(result, dict):
                raise BadResponse("The shop did not answer to the quantities.")
            refused = get_user_errors(result)
            if not refused:
                return
            bad = {}
            for row in refused:
                place = _get_place(row.get("field"))
                if place is None or place >= len(changes):
                    raise Rejected(f"The shop refused the quantities: {to_text(row.get('message'))[:300]}")
                bad[place] = to_text(row.get("message")) or "The shop refused this item."
            for place, message in bad.items():
                errors[changes[place][0]] = message
            changes = [change for place, change in enumerate(changes) if place not in bad]


def _get_place(field):
    """3 of ["input", "quantities", "3", "locationId"], None where an error names no row."""
    return next((int(part) for part in field or () if to_text(part).isdigit()), None)
