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
        Of two rules with different verdicts for the same orders the later one wins. To be extended."""
        self.ensure_one()
        verdicts = {
            "warehouse": self.warehouse_id.id,
            "route": tuple(sorted(self.route_ids.ids)),
            "priority": self.priority,
            "planned_date": self.days,
            "assign": self.user_id.id,
        }
        return (self.type, verdicts[self.type]) if self.type in verdicts else None

    def _is_overruled_by(self, other, is_later):
        """Return whether ``other``, an action of another rule, undoes this one for the orders of both, or keeps it from
        happening. To be extended with a new type's own.

        :param is_later: whether the rule of ``other`` comes after this one's
        """
        self.ensure_one()
        own, others = self._get_verdict(), other._get_verdict()
        if own and others and own[0] == others[0]:
            return is_later and own[1] != others[1]
        if self.type == "hold" and other.type == "approve":
            return self.hold_type_id._is_passable(other.severity)
        return self.type in ("hold", "approve") and other.type == "cancel"

    def _is_conditional(self):
        """Return whether this action does something only to those of its orders where it finds a cause. To be extended
        with a new type's own."""
        self.ensure_one()
        return False
