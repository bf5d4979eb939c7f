from odoo import models


class PaymentTransaction(models.Model):
    _inherit = "payment.transaction"

    def _check_amount_and_confirm_order(self):
        """Override of `sale`: an order that the review holds is paid, but not confirmed yet. Its buyer is told of the
        payment now, and of the confirmation when the hold is released."""
        return super()._check_amount_and_confirm_order().filtered(lambda order: order.state == "sale")
