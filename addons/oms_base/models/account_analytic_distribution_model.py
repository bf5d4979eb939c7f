from odoo import api, models
from odoo.tools import ormcache


class AccountAnalyticDistributionModel(models.Model):
    """Odoo looks for a model for each line of an order or invoice: where there is none, the database is not asked."""

    _inherit = "account.analytic.distribution.model"

    @api.model_create_multi
    def create(self, vals_list):
        known = self._oms_exist()
        records = super().create(vals_list)
        if not known:
            self.env.registry.clear_cache()
        return records

    @api.model
    def _get_applicable_models(self, vals):
        """Override of `analytic`."""
        return super()._get_applicable_models(vals) if self._oms_exist() else self.browse()

    @ormcache()
    def _oms_exist(self):
        """Whether there is any model. It stays true when the last one is deleted: harmless, only slower."""
        # sudo: account.analytic.distribution.model - the answer is kept for all users
        return bool(self.sudo().search_count([], limit=1))
