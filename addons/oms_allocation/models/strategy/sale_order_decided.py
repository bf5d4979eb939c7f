from odoo import api, models


class SaleOrder(models.Model):
    """Who lets a strategy say what happens when not all is there needs no person for it."""

    _inherit = "sale.order"

    @api.depends("oms_strategy_id")
    def _compute_oms_has_shortage(self):
        return super()._compute_oms_has_shortage()

    def _oms_filter_undecided(self):
        """Override of `oms_base`: a strategy that does more than send what is there decides by itself."""
        orders = super()._oms_filter_undecided()
        strategies = orders._oms_get_current_strategies()
        return orders.filtered(lambda order: strategies[order].on_shortage == "ship")
