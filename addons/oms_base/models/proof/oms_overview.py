from datetime import UTC

from odoo import api, fields, models

from .oms_review_report import TARGET_RATE


class OmsOverview(models.AbstractModel):
    _inherit = "oms.overview"

    @api.model
    def _get_sections(self):
        """Override of `oms_base` to show how the rules fare, to those who may read it."""
        sections = super()._get_sections()
        if self.env["oms.review.report"].has_access("read"):
            sections.append(self._get_rule_section())
        return sections

    @api.model
    def _get_rule_section(self):
        tiles = [self._get_pass_tile(), self._get_finding_tile(), self._get_rehearsal_tile()]
        return {"key": "rules", "title": self.env._("Rules"), "kind": "levels", "tiles": tiles}

    @api.model
    def _get_pass_tile(self):
        """Return the share of today's orders that passed by themselves; a click opens those that did."""
        now = fields.Datetime.context_timestamp(self, fields.Datetime.now())
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC).replace(tzinfo=None)
        domain = [("date", ">=", fields.Datetime.to_string(midnight)), ("company_id", "in", self.env.companies.ids)]
        [(count, passed)] = self.env["oms.review.report"]._read_group(domain, [], ["__count", "passed:sum"])
        passed = passed or 0
        rate = 100 * passed / count if count else 100.0
        return {
            "key": "passed",
            "label": self.env._("Passed by themselves today"),
            "value": passed,
            "text": f"{rate:.1f}\N{NO-BREAK SPACE}%" if count else "–",
            "level": ("ok" if rate >= TARGET_RATE else "warning") if count else "",
            "hint": self.env._("%(passed)s of %(count)s orders", passed=passed, count=count),
            "model": "oms.review.report",
            "domain": [*domain, ("passed", "=", 1)],
        }

    @api.model
    def _get_finding_tile(self):
        domain = [("company_id", "in", [*self.env.companies.ids, False])]
        groups = dict(self.env["oms.rule.finding"]._read_group(domain, ["severity"], ["__count"]))
        return {
            "key": "findings",
            "label": self.env._("Findings of the rule check"),
            "value": sum(groups.values()),
            "level": "error" if groups.get("3") else "warning" if groups.get("2") else "ok",
            "hint": self.env._("%(errors)s errors", errors=groups.get("3", 0)),
            "model": "oms.rule.finding",
            "domain": domain,
        }

    @api.model
    def _get_rehearsal_tile(self):
        domain = [("state", "=", "running"), ("company_id", "in", self.env.companies.ids)]
        return {
            "key": "rehearsals",
            "label": self.env._("Rehearsals running"),
            "value": self.env["oms.rehearsal"].search_count(domain),
            "level": "ok",
            "model": "oms.rehearsal",
            "domain": domain,
        }
