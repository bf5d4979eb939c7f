from odoo import models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    def _prepare_procurement_values(self):
        """Override of `sale_stock`: transfers know until when their goods must keep."""
        values = super()._prepare_procurement_values()
        if self.order_id.channel_id and self.product_id.use_expiration_date:
            days = self.order_id._oms_get_accesses()[self.order_id].min_life_days
            if days:
                values["oms_min_expiration_date"] = self.order_id._oms_get_min_expiration(days)
        return values
