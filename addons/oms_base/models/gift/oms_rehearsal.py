from odoo import api, models


class OmsRehearsal(models.Model):
    _inherit = "oms.rehearsal"

    @api.model
    def _get_outcome(self, order):
        """Override of the rehearsal's own: what the order gets for nothing, and what that costs."""
        lines = order._get_gift_lines()
        return {
            **super()._get_outcome(order),
            "gifts": sorted(f"{line.product_uom_qty:g} x {line.product_id.display_name}" for line in lines),
            "gift_cost": order._get_gift_cost()[order.id],
        }


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _oms_lift_for_rehearsal(self):
        """Override of the rehearsal's own: gifts that were given are given anew, by the rules that are rehearsed."""
        res = super()._oms_lift_for_rehearsal()
        self.with_context(oms_in_review=True)._get_gift_lines().unlink()
        return res
