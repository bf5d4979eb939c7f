from odoo import models
from odoo.exceptions import UserError


class SaleOrder(models.Model):
    """What buyers ask back in the shop after their goods have left is a return; who withdraws it takes it back."""

    _inherit = "sale.order"

    def _follow_late_requests(self, asked):
        """Override of `oms_channels`: a return for each; what can't be one is left to a person."""
        left = {}
        for external_id, request in asked.items():
            try:
                with self.env.cr.savepoint():
                    self.env["oms.return"]._create_from_channel(self, external_id, request)
            except UserError as error:
                self.env.invalidate_all()
                left[external_id] = {**request, "reason": f"{request['reason']} ({error})".strip()}
        if left:
            return super()._follow_late_requests(left)
        return self.env._("Refund asked for: return requested")

    def _withdraw_refund_requests(self, withdrawn):
        """Override of `oms_channels`: returns of which nothing has happened are cancelled."""
        returns = self.env["oms.return"]._find_from_channel(self, list(withdrawn))
        for oms_return in returns.filtered(lambda row: row.state in ("draft", "requested", "approved")):
            try:
                with self.env.cr.savepoint():
                    oms_return._cancel()
            except UserError as error:
                self.env.invalidate_all()
                self._oms_schedule_activity(
                    self.env._("%(name)s was withdrawn in the shop", name=oms_return.name), str(error)
                )
        return super()._withdraw_refund_requests(withdrawn)
