from odoo import fields, models


class OmsEvent(models.Model):
    _inherit = "oms.event"

    code = fields.Selection(
        selection_add=[("allocated", "Allocated"), ("shortage", "Short of stock")],
        ondelete={"allocated": "cascade", "shortage": "cascade"},
    )
