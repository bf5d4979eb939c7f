from odoo import models


class StockRule(models.Model):
    _inherit = "stock.rule"

    def _get_custom_move_fields(self):
        """Override of `stock`: a move knows the delivery group it was made for."""
        return [*super()._get_custom_move_fields(), "oms_delivery_group_id"]
