from odoo import fields, models


class OmsEvent(models.Model):
    _inherit = "oms.event"

    code = fields.Selection(
        selection_add=[
            ("return_requested", "Return requested"),
            ("return_approved", "Return approved"),
            ("return_refused", "Return refused"),
            ("return_received", "Return received"),
            ("return_inspected", "Return inspected"),
            ("return_credited", "Return credited"),
            ("return_done", "Return done"),
            ("return_cancelled", "Return cancelled"),
        ],
        ondelete={
            "return_requested": "cascade",
            "return_approved": "cascade",
            "return_refused": "cascade",
            "return_received": "cascade",
            "return_inspected": "cascade",
            "return_credited": "cascade",
            "return_done": "cascade",
            "return_cancelled": "cascade",
        },
    )
