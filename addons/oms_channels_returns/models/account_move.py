from odoo import models


class AccountMove(models.Model):
    _inherit = "account.move"

    def _get_channel_request_ref(self):
        """Override of `oms_channels`: a return that was asked for in the shop is answered there."""
        return self.oms_return_id.channel_request_ref or super()._get_channel_request_ref()
