from odoo import api, fields, models


class OmsStockClaimMixin(models.AbstractModel):
    """What keeps stock from being sold to all. When less is kept, those who wait for stock are offered it."""

    _name = "oms.stock.claim.mixin"
    _description = "Keeps Stock"
    _inherit = ["oms.cached.mixin"]

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._wake_waiting()  # a line that says it more precisely may keep less than the one it stands before
        return records

    def write(self, vals):
        res = super().write(vals)
        self._wake_waiting()
        return res

    def unlink(self):
        res = super().unlink()
        self.browse()._wake_waiting()
        return res

    def _wake_waiting(self):
        """Have the orders that wait for stock looked at now, and when these records let go of it."""
        Order_sudo = self.env["sale.order"].sudo()  # sudo: sale.order - whoever keeps less, those who wait are asked
        if Order_sudo.search_count(Order_sudo._get_reallocation_queue_domain(), limit=1):
            self.env.ref("oms_allocation.ir_cron_reallocate")._trigger(self._get_release_dates())

    def _get_release_dates(self):
        """Return when these records keep less: now, as they were just changed, and whenever they say."""
        return [fields.Datetime.now()]
