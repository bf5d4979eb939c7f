from odoo import models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    def action_view_oms_sellable(self):
        """Open what can be sold of these products, warehouse by warehouse."""
        return self.with_context(active_test=False).product_variant_ids.action_view_oms_sellable()


class ProductProduct(models.Model):
    _inherit = "product.product"

    def action_view_oms_sellable(self):
        """Open what can be sold of these products, warehouse by warehouse."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_allocation.oms_sellable_action")
        return {**action, "domain": [("product_id", "in", self.ids)], "context": {}}
