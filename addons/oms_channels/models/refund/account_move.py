from odoo import models


class AccountMove(models.Model):
    """Credit notes and the shop: each is paid back there once, unless the shop has done it before."""

    _inherit = "account.move"

    def _post(self, soft=True):
        """Override of `account`: what is credited of a channel's order is paid back through its shop. What was set off
        against an open invoice pays nobody anything."""
        credit_notes = self.filtered(lambda move: move.move_type == "out_refund")
        # sudo: sale.order, oms.channel.payment - who posts credit notes need not be allowed to read them
        to_pay = credit_notes.sudo().filtered(
            lambda move: move._get_refunded_orders().filtered("channel_order_id") and not move._is_paid_by_shop()
        )
        if to_pay and not self.env.context.get(
            "move_reverse_cancel"
        ):  # Odoo's own key: the invoice is replaced, no money moves
            to_pay._get_refunded_orders()._oms_check_gate("refund")
        posted = super()._post(soft)
        # sudo: account.move - as above; the shop is told in the background
        owed = (to_pay & posted.sudo()).filtered(lambda move: not move.currency_id.is_zero(move.amount_residual))
        if owed:
            self.env["oms.channel"]._notify("refund", owed)
        return posted

    def _is_paid_by_shop(self):
        """Return whether this credit note was made for money that the shop gave back itself."""
        self.ensure_one()
        return bool(self.env["oms.channel.payment"].search_count([("refund_move_id", "=", self.id)], limit=1))
