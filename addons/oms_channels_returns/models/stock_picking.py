from odoo import models


class StockPicking(models.Model):
    _inherit = "stock.picking"

    def _get_channel_request_ref(self):
        """Override of `oms_channels`: goods of a return that was asked for in the shop answer that request."""
        return self.oms_return_id.channel_request_ref or super()._get_channel_request_ref()
