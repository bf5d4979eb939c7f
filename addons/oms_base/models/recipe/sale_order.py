from odoo import models


class SaleOrder(models.Model):
    """From an order that shows what a rule should catch, to the rule."""

    _inherit = "sale.order"

    def action_oms_new_rule(self):
        """Open the recipes, those that match this order first: the button "Make a Rule Like This"."""
        return self.env["oms.rule"]._open_recipes(self[:1])

    def _get_desk_actions(self):
        """Override of the review desk: who may write rules makes one of the case."""
        actions = super()._get_desk_actions()
        if self.env["oms.rule"].has_access("create"):
            label = self.env._("Make a Rule Like This")
            actions.append({"name": "action_oms_new_rule", "label": label, "icon": "fa-gavel", "hotkey": "l"})
        return actions
