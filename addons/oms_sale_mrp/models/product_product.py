from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import ormcache


class ProductProduct(models.Model):
    """Kits leave the shelf as their parts."""

    _inherit = "product.product"

    def _oms_explode(self, quantity):
        """Override of `oms_base`: the parts of a kit, those of the kits in it included."""
        parts = self._oms_get_kit_parts()
        if not parts:
            return super()._oms_explode(quantity)
        return {self.browse(part_id): quantity * needed for part_id, needed in parts}

    def _oms_filter_kits(self):
        """Override of `oms_base`: those with a kit of their own, or of their template."""
        product_ids, template_ids = self._oms_get_kit_ids(self.env.company.id)
        if not product_ids and not template_ids:
            return super()._oms_filter_kits()
        kits = Domain("id", "in", product_ids) | Domain("product_tmpl_id", "in", template_ids)
        return (
            self.with_context(active_test=False).search(kits & Domain("id", "in", self._origin.ids)).with_env(self.env)
        )

    def _oms_find_bundles(self):
        """Override of `oms_base`: the kits that any of these is a part of, also of a kit in them."""
        product_ids, template_ids = self._oms_get_kit_ids(self.env.company.id)
        bundles = super()._oms_find_bundles()
        if not product_ids and not template_ids:
            return bundles
        wanted = set(self._origin.ids)
        kits = self.search(Domain("id", "in", product_ids) | Domain("product_tmpl_id", "in", template_ids))
        return bundles | kits.filtered(
            lambda kit: any(part_id in wanted for part_id, _needed in kit._oms_get_kit_parts())
        )

    def _oms_get_kit_parts(self):
        """Return what is in one of this product as ((product id, quantity in its unit), ...), none for what is no kit
        in the current company."""
        self.ensure_one()
        product, company_id = self._origin, self.env.company.id
        product_ids, template_ids = self._oms_get_kit_ids(company_id)
        if product.id in product_ids or (template_ids and product.product_tmpl_id.id in template_ids):
            return product._oms_find_kit_parts(company_id)
        return ()

    @api.model
    @ormcache("company_id")
    def _oms_get_kit_ids(self, company_id):
        """Return the ids of the products and of the templates that have a kit of their own."""
        # sudo: mrp.bom - what a kit is made of is no secret to who sells it
        boms = (
            self.env["mrp.bom"]
            .sudo()
            .search_fetch(
                [("type", "=", "phantom"), ("company_id", "in", (False, company_id))], ["product_id", "product_tmpl_id"]
            )
        )
        own = boms.filtered("product_id")
        return frozenset(own.product_id.ids), frozenset((boms - own).product_tmpl_id.ids)

    @ormcache("self.id", "company_id")
    def _oms_find_kit_parts(self, company_id):
        # sudo: mrp.bom - as above
        product = self.sudo()
        bom = product.env["mrp.bom"]._bom_find(product, company_id=company_id, bom_type="phantom")[product]
        made = bom.product_uom_id._compute_quantity(bom.product_qty, product.uom_id, round=False) if bom else 0.0
        needed = defaultdict(float)
        # One run of the bill, as it is written: the parts of one piece would be rounded up.
        for line, data in bom.explode(product, 1.0)[1] if made else ():
            if line.product_id.type == "consu":
                unit = line.product_id.uom_id
                needed[line.product_id.id] += line.product_uom_id._compute_quantity(data["qty"], unit, round=False)
        return tuple((part_id, quantity / made) for part_id, quantity in needed.items() if quantity > 0)
