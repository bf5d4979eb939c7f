from odoo import api, models
from odoo.tools import SQL


class SaleOrder(models.Model):
    _inherit = "sale.order"

    @api.model
    def _oms_get_asked_sql(self):
        """Override of `oms_base`: transfers have the parts of a kit, its delivery groups know for how many."""
        self.env["oms.delivery.group.line"].flush_model(["line_id", "procured_quantity"])
        return SQL(
            """GREATEST(%s, (
                SELECT COALESCE(SUM(part.procured_quantity), 0) * unit.factor / product_unit.factor
                  FROM uom_uom unit, product_product product
                  JOIN product_template template ON template.id = product.product_tmpl_id
                  JOIN uom_uom product_unit ON product_unit.id = template.uom_id
             LEFT JOIN oms_delivery_group_line part ON part.line_id = line.id
                 WHERE unit.id = line.product_uom_id AND product.id = line.product_id
                 GROUP BY unit.factor, product_unit.factor
               ))""",
            super()._oms_get_asked_sql(),
        )
