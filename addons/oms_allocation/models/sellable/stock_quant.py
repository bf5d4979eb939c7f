from odoo import api, models
from odoo.fields import Domain


class StockQuant(models.Model):
    _inherit = "stock.quant"

    @api.model
    def _get_gather_domain(self, product_id, location_id, lot_id=None, package_id=None, owner_id=None, strict=False):
        """Override of `stock`: leave out what is not for sale, lots that expire too early for who takes them, and all
        but a chosen one."""
        domain = super()._get_gather_domain(product_id, location_id, lot_id, package_id, owner_id, strict)
        blocked = self.env["stock.location"]._oms_get_blocked_ids()
        if blocked and not strict and location_id.id not in blocked:
            domain &= Domain("location_id", "not in", blocked)
        if limit := self.env.context.get("oms_min_expiration"):
            domain &= Domain("expiration_date", ">=", limit) | Domain("expiration_date", "=", False)
        if chosen_id := self.env.context.get("oms_lot_id"):
            domain &= Domain("lot_id", "=", chosen_id)
        return domain
