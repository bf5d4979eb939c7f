from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _post(self, soft=True):
        """Override of `account`: what is given back may have earned a gift."""
        posted = super()._post(soft)
        refunds = posted.filtered(lambda move: move.move_type == "out_refund")
        if refunds:
            # sudo: sale.order - who posts a credit note need not see the order it is for
            refunds.sudo().invoice_line_ids.sale_line_ids.order_id._oms_rejudge_gifts()
        return posted
