from odoo import api, models


class OmsRuleAction(models.Model):
    """What the check of the rules has to know of actions."""

    _inherit = "oms.rule.action"

    def _is_endless(self):
        """Return whether this action gives something away without a limit of its own. To be overridden by types that
        do, such as gifts: a rule that does so and never ends is a finding."""
        self.ensure_one()
        return False

    @api.model
    def _get_written_fields(self):
        """Return {type: the field paths of the order that actions of that type write}. To be extended with a new type's
        own: rules that keep changing what each other reads are found by it."""
        return {
            "hold": ["oms_hold_ids", "oms_stage"],
            "approve": ["oms_hold_ids", "oms_stage"],
            "tag": ["tag_ids"],
            "priority": ["oms_priority"],
            "assign": ["oms_reviewer_id"],
            "activity": ["activity_ids"],
            "warehouse": ["warehouse_id"],
            "route": ["order_line.route_ids"],
            "planned_date": ["commitment_date"],
            "seal": ["oms_is_sealed"],
            "note": ["oms_warehouse_note", "note"],
            "cancel": ["state", "oms_stage"],
        }

    def _get_references(self):
        """Return the records this action works with that must be there and active. To be extended with a new type's."""
        self.ensure_one()
        references = {
            "hold": [self.hold_type_id],
            "assign": [self.user_id],
            "activity": [self.user_id, self.activity_type_id],
            "warehouse": [self.warehouse_id],
            "route": [self.route_ids],
            "notify": [self.user_ids],
            "webhook": [self.webhook_id],
        }
        return references.get(self.type, [])

    def _get_verdict(self):
        """Return what this action sets that only one rule can set for an order, as (what, value); None for other types.
        Two rules with different verdicts for the same orders contradict each other. To be extended."""
        self.ensure_one()
        verdicts = {
            "warehouse": self.warehouse_id.id,
            "priority": self.priority,
            "planned_date": self.days,
            "assign": self.user_id.id,
        }
        return (self.type, verdicts[self.type]) if self.type in verdicts else None
