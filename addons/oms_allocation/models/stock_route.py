from odoo import models


class StockRoute(models.Model):
    _inherit = "stock.route"

    def write(self, vals):
        """Override of `stock`: what `stock.rule` remembers depends on the routes' sequence."""
        res = super().write(vals)
        self.env.registry.clear_cache()
        return res
