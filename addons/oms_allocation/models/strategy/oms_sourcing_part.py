from odoo import api, models


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
