from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    oms_weight_tolerance = fields.Float(related="company_id.oms_weight_tolerance", readonly=False)
    oms_weight_tolerance_percent = fields.Float(related="company_id.oms_weight_tolerance_percent", readonly=False)
