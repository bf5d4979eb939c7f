from odoo import models


class StockRule(models.Model):
    _inherit = "stock.rule"

    def _get_custom_move_fields(self):
        """Override of `stock`: how long the goods must keep, and of which lot they are, goes with them through all
        steps."""
        return [*super()._get_custom_move_fields(), "oms_min_expiration_date", "oms_lot_id"]
