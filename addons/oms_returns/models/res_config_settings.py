from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    oms_portal_returns = fields.Boolean(related="company_id.oms_portal_returns", readonly=False)
    oms_return_photo_limit = fields.Integer(related="company_id.oms_return_photo_limit", readonly=False)
