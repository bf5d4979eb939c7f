from odoo import fields, models

_ORIGIN_NOTE = "mail.message_origin_link"


class AccountMove(models.Model):
    """What Odoo does invoice by invoice, done for the batch or with less: the records that result are the same.

    And what the credit notes of the suite's addons share."""

    _inherit = "account.move"

    def message_post_with_source(
        self,
        source_ref,
        *,
        render_values=None,
        message_type="notification",
        subtype_xmlid=False,
        subtype_id=False,
        **kwargs,
    ):
        """Override of `mail`: the note that says what an invoice was made from concerns nobody's inbox: log it."""
        if source_ref != _ORIGIN_NOTE or subtype_xmlid != "mail.mt_note" or message_type != "notification" or kwargs:
            return super().message_post_with_source(
                source_ref,
                render_values=render_values,
                message_type=message_type,
                subtype_xmlid=subtype_xmlid,
                subtype_id=subtype_id,
                **kwargs,
            )
        view = self.env.ref(source_ref)
        bodies = self.env["mail.render.mixin"]._render_template_qweb_view(
            view, self._name, self.ids, add_context=render_values
        )
        return self._message_log_batch(bodies)

    def _stock_account_prepare_realtime_out_lines_vals(self):
        """Override of `stock_account`, which reads the stock moves line by line: have them read at once."""
        self.invoice_line_ids.sale_line_ids.move_ids.fetch(["is_dropship"])
        return super()._stock_account_prepare_realtime_out_lines_vals()

    def _invoice_paid_hook(self):
        """Override of `account`: what has left and is paid for is done, where nobody will tell of its arrival."""
        res = super()._invoice_paid_hook()
        # sudo: sale.order - who registers the payment need not see the order it is for
        orders = self.sudo().invoice_line_ids.sale_line_ids.order_id.filtered(lambda one: one.oms_stage == "shipped")
        self.env.add_to_compute(orders._fields["oms_stage"], orders._oms_filter_unfollowed())
        return res

    # === CREDIT NOTES === #

    def _oms_prepare_credit_note_values(self, reason):
        """Return the values, without lines, of a credit note of this invoice.

        :param reason: why, in a few words
        """
        self.ensure_one()
        today = fields.Date.context_today(self)
        reversal = self.env["account.move.reversal"].new(
            {"date": today, "reason": reason, "journal_id": self.journal_id.id}
        )
        return {
            **reversal._prepare_default_reversal(self),
            "move_type": "out_refund",
            "reversed_entry_id": self.id,
            "partner_id": self.partner_id.id,
            "partner_shipping_id": self.partner_shipping_id.id,
            "currency_id": self.currency_id.id,
            "fiscal_position_id": self.fiscal_position_id.id,
            "company_id": self.company_id.id,
            "team_id": self.team_id.id,
            "narration": self.narration,
        }

    def _oms_add_cents(self, cents):
        """Add a line for the cents that rounding leaves to this draft credit note."""
        self.ensure_one()
        values = self.invoice_line_ids[:1]._oms_prepare_credit_values(
            1.0, price_unit=cents, discount=0.0, oms_is_money_only=True
        )
        values.update(
            name=self.env._("Rounding"), product_id=False, product_uom_id=False, tax_ids=False, sale_line_ids=False
        )
        self.invoice_line_ids = [fields.Command.create(values)]
