from odoo import api, fields, models


class PosOrder(models.Model):
    _inherit = "pos.order"

    oms_channel_id = fields.Many2one(
        "oms.channel",
        string="OMS Channel",
        compute="_compute_oms_channel_id",
        store=True,
        index="btree_not_null",
        help="The channel of the till when it sold: it stays when the till gets another.",
    )

    @api.depends("session_id")
    def _compute_oms_channel_id(self):
        for order in self:
            order.oms_channel_id = order.session_id.config_id.oms_channel_id
