from odoo import fields, models


class OmsDecision(models.Model):
    _inherit = "oms.decision"

    kind = fields.Selection(selection_add=[("carrier", "Carrier Choice")], ondelete={"carrier": "cascade"})
