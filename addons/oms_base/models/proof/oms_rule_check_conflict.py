from itertools import combinations

from odoo import api, models

from ..review.const import WEEKDAYS
from .implication import are_contradictory, implies
from .overlap import overlap


class OmsRuleCheck(models.AbstractModel):
    """Rules that don't go together: what one does with orders of both, the other undoes or keeps from happening.

    A rule that makes an exception to a more general one is no contradiction, where it is plain that the exception wins:
    by the sequence, or because what it does is stronger. Nor is anything behind a rule that stops.
    """

    _inherit = "oms.rule.check"

    @api.model
    def _get_checks(self):
        return [*super()._get_checks(), self._find_conflicts]

    @api.model
    def _find_conflicts(self, rules):
        conditions = {rule: self._get_conditions(rule) for rule in rules if not rule.problem}
        possible = [rule for rule, own in conditions.items() if not are_contradictory(own)]
        findings = []
        for first, second in combinations(possible, 2):
            if first.is_stop or not self._may_meet(first, second):
                continue
            for loser, winner in ((first, second), (second, first)):
                if finding := self._find_conflict(loser, winner, winner == second, conditions):
                    findings.append(finding)
        return findings

    @api.model
    def _find_conflict(self, loser, winner, is_later, conditions):
        """Return the finding that ``winner`` overrules what ``loser`` does to some orders, or None.

        :param is_later: whether ``winner`` comes after ``loser``
        :param conditions: dict {rule: conditions for `implication`}
        """
        pairs = [
            (action, other)
            for action in loser.action_ids
            for other in winner.action_ids
            if action._is_overruled_by(other, is_later)
        ]
        if not pairs:
            return None
        is_plain = loser.sequence != winner.sequence or all(
            action._is_overruled_by(other, not is_later) for action, other in pairs
        )
        kind, severity = self._compare_overruled(loser, winner, conditions, is_plain)
        if kind == "contradiction":
            if all(other._is_conditional() for _action, other in pairs):
                kind, severity = "overlap", "1"
            elif all(other.type == "approve" for _action, other in pairs):
                kind = "approved"
        detail = ", ".join(dict.fromkeys(self._get_pair_label(*pair) for pair in pairs))
        return kind and self._prepare_finding(kind, loser, severity, others=winner, detail=detail)

    @api.model
    def _compare_overruled(self, loser, winner, conditions, is_plain):
        """Return (kind of finding, severity) for two rules of which one overrules the other; (None, None) where that is
        not proved, or is what exceptions are made for.

        :param is_plain: whether anybody sees from the rules which one wins
        """
        given, others = conditions[loser], conditions[winner]
        is_inside = implies(given, others)
        if is_inside and self._covers_window(winner, loser):
            return "contradiction", "2"
        if is_inside or implies(others, given):
            return (None, None) if is_plain else ("overlap", "2")
        if overlap(given, others):
            return "overlap", "1" if is_plain else "2"
        return None, None

    @api.model
    def _get_pair_label(self, action, other):
        labels = dict(action._fields["type"]._description_selection(self.env))
        return " / ".join(dict.fromkeys((labels[action.type], labels[other.type])))

    @api.model
    def _may_meet(self, first, second):
        """Return whether two rules judge in one run, at times that they have in common."""
        if not self._judge_together(first, second):
            return False
        for one, other in ((first, second), (second, first)):
            if one.date_to and other.date_from and one.date_to <= other.date_from:
                return False
        if first.tz != second.tz or any(rule.hour_from >= rule.hour_to for rule in (first, second)):
            return True  # another clock, or over midnight: not looked into
        have_hours = first.hour_from < second.hour_to and second.hour_from < first.hour_to
        return have_hours and any(first[day] and second[day] for day in WEEKDAYS)
