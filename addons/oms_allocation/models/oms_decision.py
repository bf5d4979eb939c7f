from odoo import fields, models


class OmsDecision(models.Model):
    _inherit = "oms.decision"

    kind = fields.Selection(selection_add=[("allocation", "Allocation")], ondelete={"allocation": "cascade"})
