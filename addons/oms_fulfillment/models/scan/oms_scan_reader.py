import re
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import ValidationError

_WEIGHT = re.compile(r"^\s*[+]?(\d{1,4}(?:[.,]\d{1,4})?)\s*(kg|g)?\s*$", re.IGNORECASE)
_SYMBOLOGY = re.compile(r"^\](C1|e0|d2|Q3)")  # what a scanner may put before a GS1 code


class ScannedItem(NamedTuple):
    """An article read from a barcode. ``quantity`` is in the product's own unit."""

    product: models.BaseModel
    lot_name: str | None = None
    quantity: float = 1.0


class OmsScanReader(models.AbstractModel):
    """What a barcode means: plain codes, packagings, weighed articles and GS1 codes with lot and quantity in them."""

    _name = "oms.scan.reader"
    _description = "Barcode Reader"

    @api.model
    def _read_item(self, barcode, company):
        """Return the ScannedItem ``barcode`` stands for, None when it is no article."""
        if item := self._find_plain_item(barcode, company):
            return item
        for parsed in self._parse(barcode, company):
            if item := self._find_parsed_item(parsed, company):
                return item
        return None

    @api.model
    def _read_weight(self, text):
        """Return the kilograms in what a scale typed or a person entered, None when it is no weight."""
        if isinstance(text, int | float):
            return float(text)
        match = _WEIGHT.match(text or "")
        if not match:
            return None
        weight = float(match[1].replace(",", "."))
        return weight / 1000 if (match[2] or "").lower() == "g" else weight

    def _find_plain_item(self, barcode, company):
        if product := self._find_product([barcode], company):
            return ScannedItem(product)
        packaging = self.env["product.uom"].search(
            [("barcode", "=", barcode), ("company_id", "in", [False, company.id])], limit=1
        )
        if packaging:
            product = packaging.product_id
            return ScannedItem(product, quantity=packaging.uom_id._compute_quantity(1.0, product.uom_id))
        return None

    def _find_product(self, barcodes, company):
        """Return the one product with one of ``barcodes``, or whose reference is the code typed by hand."""
        # What was archived since it was ordered still lies on the shelf and has to be packed.
        for is_active in (True, False):
            Product = self.env["product.product"].with_context(active_test=is_active)
            domain = Product._check_company_domain(company)
            found = Product.search([("barcode", "in", barcodes), *domain], limit=1)
            if not found:
                found = Product.search([("default_code", "=", barcodes[0]), *domain], limit=2)
            if len(found) == 1:
                return found.with_env(self.env)
        return None

    def _parse(self, barcode, company):
        """Yield what the nomenclatures read in ``barcode``: {"product": codes, "lot": name, "quantity": float}."""
        nomenclatures = company.nomenclature_id
        # GS1 codes are on the goods whatever the company's own labels are.
        nomenclatures |= (
            self.env.ref("barcodes_gs1_nomenclature.default_gs1_nomenclature", raise_if_not_found=False)
            or (self.env["barcode.nomenclature"])
        )
        code = _SYMBOLOGY.sub("", barcode)
        for nomenclature in nomenclatures:
            try:
                parsed = nomenclature.parse_barcode(code)
            except ValidationError:  # a date that is none: not a GS1 code after all
                continue
            if isinstance(parsed, dict):
                if parsed["type"] in ("weight", "product") and parsed["value"]:
                    yield {"product": [parsed["base_code"]], "quantity": parsed["value"]}
            elif parsed:
                yield self._flatten_gs1(parsed)

    @staticmethod
    def _flatten_gs1(parts):
        result = {}
        for part in parts:
            if part["type"] == "product":
                code = str(part["value"])
                # a GTIN-14 of the single piece is its EAN-13, UPC-A or EAN-8 with zeros in front
                result["product"] = [code] + [code[-n:] for n in (13, 12, 8) if not code[:-n].strip("0")]
            elif part["type"] == "lot":
                result["lot"] = str(part["value"])
            elif part["type"] == "quantity" and isinstance(part["value"], int | float):
                result["quantity"] = float(part["value"])
        return result

    def _find_parsed_item(self, parsed, company):
        codes = parsed.get("product")
        if not codes:
            return None
        lot, quantity = parsed.get("lot"), parsed.get("quantity")
        if product := self._find_product(codes, company):
            return ScannedItem(product, lot, quantity or 1.0)
        for code in codes:
            if item := self._find_plain_item(code, company):
                return ScannedItem(item.product, lot, item.quantity * (quantity or 1.0))
        return None
