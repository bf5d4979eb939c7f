from odoo import api, models


class PosSession(models.Model):
    _inherit = "pos.session"

    @api.model_create_multi
    def create(self, vals_list):
        """Override of `point_of_sale`: the till of a channel takes its goods out of stock with each sale, whatever the
        company's setting. Until the session closes, the other channels would sell them a second time."""
        sessions = super().create(vals_list)
        sessions.filtered("config_id.oms_channel_id").update_stock_at_closing = False
        return sessions
