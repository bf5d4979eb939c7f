from odoo import fields, models


class PosConfig(models.Model):
    _inherit = "pos.config"

    oms_channel_id = fields.Many2one(
        "oms.channel",
        string="OMS Channel",
        check_company=True,
        index="btree_not_null",
        help="What this till sells counts in the channel, and leaves the stock with each sale instead of at closing.",
    )
