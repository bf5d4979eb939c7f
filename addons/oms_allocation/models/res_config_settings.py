from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    oms_strategy_id = fields.Many2one(related="company_id.oms_strategy_id", readonly=False)
    oms_batch_seconds = fields.Float(related="company_id.oms_batch_seconds", readonly=False)
