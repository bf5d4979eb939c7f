from odoo import api, models
from odoo.tools import ormcache


class StockWarehouseOrderpoint(models.Model):
    """Each stock move asks for reordering rules: a company without any need not ask the database."""

    _inherit = "stock.warehouse.orderpoint"

    @api.model_create_multi
    def create(self, vals_list):
        known = self._oms_exist()
        orderpoints = super().create(vals_list)
        if not known:
            self.env.registry.clear_cache()
        return orderpoints

    @ormcache()
    def _oms_exist(self):
        """Whether there is any reordering rule. It stays true when the last one is deleted: harmless, only slower."""
        # sudo: stock.warehouse.orderpoint - the answer is kept for all users
        return bool(self.sudo().with_context(active_test=False).search_count([], limit=1))
