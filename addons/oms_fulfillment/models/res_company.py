from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    oms_weight_tolerance = fields.Float(
        string="Weight Tolerance (kg)",
        default=0.05,
        digits="Stock Weight",
        help="A parcel may weigh this much more or less than expected.",
    )
    oms_weight_tolerance_percent = fields.Float(
        string="Weight Tolerance (%)", default=10.0, help="Counts where it is more than the tolerance in kilograms."
    )
