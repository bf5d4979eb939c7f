from odoo import fields, models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    oms_return_id = fields.Many2one(
        "oms.return", string="Return", index="btree_not_null", ondelete="set null", readonly=True, check_company=True
    )

    def _action_done(self):
        """Override of `stock` to carry the receipt of returned goods over to their return."""
        res = super()._action_done()
        receipts = self.filtered(
            lambda picking: (
                picking.oms_return_id and picking.state == "done" and picking.location_id.usage == "customer"
            )
        )
        # sudo: oms.return - whoever may validate the transfer may not write returns
        receipts.oms_return_id.sudo()._on_received(receipts)
        return res

    def action_cancel(self):
        """Override of `stock`: a return whose last receipt is cancelled waits for nothing more."""
        res = super().action_cancel()
        self.oms_return_id.sudo()._sync_state()  # sudo: oms.return - as above
        return res

    def action_view_oms_return(self):
        """Open the return that the transfer belongs to."""
        self.ensure_one()
        return self.oms_return_id._get_form_action()
