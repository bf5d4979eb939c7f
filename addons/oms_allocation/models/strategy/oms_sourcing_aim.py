from odoo import fields, models

from .const import AIMS


class OmsSourcingAim(models.Model):
    """One thing a strategy aims at, and how much it counts."""

    _name = "oms.sourcing.aim"
    _description = "Sourcing Aim"
    _inherit = ["oms.sourcing.part.mixin"]
    _order = "sequence, id"
    _rec_name = "type"

    strategy_id = fields.Many2one("oms.sourcing.strategy", required=True, index=True, ondelete="cascade")
    sequence = fields.Integer(default=10)
    type = fields.Selection(AIMS, string="Aim", required=True)
    weight = fields.Float(
        default=1.0,
        help="For aims that are weighed: what one unit costs. A parcel, a currency unit, a day, 100 km, a day of shelf "
        "life, the whole stock, the whole capacity, a step of priority.",
    )

    _weight_positive = models.Constraint("CHECK(weight >= 0)", "The weight of an aim is not negative.")
