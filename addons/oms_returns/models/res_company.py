from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    oms_portal_returns = fields.Boolean(string="Returns in the Portal", default=True)
    oms_return_photo_limit = fields.Integer(string="Photos per Return", default=6)
