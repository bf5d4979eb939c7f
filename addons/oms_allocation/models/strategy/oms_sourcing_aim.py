from odoo import api, fields, models

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


class OmsSourcingPartMixin(models.AbstractModel):
    """A part of a strategy: when it changes, what the strategy says does."""

    _name = "oms.sourcing.part.mixin"
    _description = "Part of a Sourcing Strategy"
    _inherit = ["oms.cached.mixin"]

    @api.model_create_multi
    def create(self, vals_list):
        parts = super().create(vals_list)
        parts._after_part_change(parts.strategy_id)
        return parts

    def write(self, vals):
        res = super().write(vals)
        self._after_part_change(self.strategy_id)
        return res

    def unlink(self):
        strategies = self.strategy_id
        res = super().unlink()
        self._after_part_change(strategies.exists())
        return res

    @api.model
    def _after_part_change(self, strategies):
        """Keep a version of the strategies whose parts changed; one that is saved itself keeps its own."""
        if not self.env.context.get("oms_in_strategy"):
            strategies._keep_version()
