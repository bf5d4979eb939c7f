from odoo import models

_ORIGIN_NOTE = "mail.message_origin_link"


class AccountMove(models.Model):
    """What Odoo does invoice by invoice, done for the batch or with less. The records that result are the same."""

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
