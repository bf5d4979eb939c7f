from odoo import fields, models


class AccountMove(models.Model):
    _inherit = "account.move"

    oms_return_id = fields.Many2one(
        "oms.return", string="Return", index="btree_not_null", ondelete="set null", readonly=True, copy=False
    )

    def _post(self, soft=True):
        """Override of `account` to keep the gate "refund" and to tell the channel what to refund."""
        # sudo: oms.return - accountants of other departments post without access to returns
        self.sudo().filtered(lambda move: move.move_type == "out_refund").oms_return_id.order_ids._oms_check_gate(
            "refund"
        )
        posted = super()._post(soft=soft)
        credit_notes = posted.filtered(lambda move: move.oms_return_id and move.move_type == "out_refund")
        credit_notes.oms_return_id.sudo()._on_credited(credit_notes)  # sudo: oms.return - as above
        return posted

    def _invoice_paid_hook(self):
        """Override of `account`: a return whose credit notes are paid is done."""
        res = super()._invoice_paid_hook()
        self.oms_return_id.sudo()._sync_state()  # sudo: oms.return - as above
        return res

    def _oms_get_credit_sources(self, kind):
        """Return the lines of this invoice that are ``kind``: "goods", "shipping" or "discount"."""
        self.ensure_one()
        lines = self.invoice_line_ids.filtered(lambda line: line.display_type == "product" and not line.is_downpayment)
        return lines.filtered(lambda line: line.sale_line_ids[:1]._oms_get_credit_kind() == kind)

    def _oms_absorb_cents(self):
        """Add a line for the cents that rounding leaves: credit notes that together give back a whole invoice give back
        exactly its total, and a refunded amount is exactly that amount."""
        for credit_note in self:
            cents = credit_note._oms_get_missing_cents()
            if not credit_note.currency_id.is_zero(cents):
                credit_note._oms_add_cents(cents)

    def _oms_get_missing_cents(self):
        """Return what rounding leaves between this draft credit note and what it should give back."""
        self.ensure_one()
        amount_lines = self.invoice_line_ids.filtered("oms_return_line_id.refund_amount")
        if amount_lines:
            return sum(line.oms_return_line_id.refund_amount - line.price_total for line in amount_lines)
        invoice = self.reversed_entry_id
        credit_notes = invoice.reversal_move_ids.filtered(lambda move: move.state != "cancel")
        left = invoice.amount_total - sum(credit_notes.mapped("amount_total"))
        # Each line may be off by half a cent, once for itself and once for its tax.
        tolerance = self.currency_id.rounding * len(credit_notes.invoice_line_ids)
        return left if invoice and abs(left) <= tolerance else 0.0

    def action_view_oms_return(self):
        """Open the return that the credit note belongs to."""
        self.ensure_one()
        return self.oms_return_id._get_form_action()
