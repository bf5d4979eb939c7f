from odoo import fields, models


class OmsEvent(models.Model):
    _inherit = "oms.event"

    code = fields.Selection(selection_add=[("gift", "Gift changed")], ondelete={"gift": "cascade"})
