from odoo import api, fields, models


class OmsRule(models.Model):
    """The proof of a rule: rehearse it, check it, see how it fares."""

    _inherit = "oms.rule"

    finding_ids = fields.One2many("oms.rule.finding", "rule_id", string="Findings", readonly=True)
    finding_count = fields.Integer(string="Number of Findings", compute="_compute_finding_count")
    false_alarm_rate = fields.Float(
        string="False Alarms (%)",
        compute="_compute_false_alarm_rate",
        help="Of the holds of this rule that a person decided, the share released without changing anything.",
    )
    decided_count = fields.Integer(compute="_compute_false_alarm_rate")

    # === COMPUTE METHODS === #

    @api.depends("finding_ids")
    def _compute_finding_count(self):
        for rule in self:
            rule.finding_count = len(rule.finding_ids)

    def _compute_false_alarm_rate(self):
        # A reason that went away before the hold ended was nobody's to decide.
        groups = self.env["oms.hold.reason"]._read_group(
            [
                ("rule_id", "in", self.ids),
                ("settled_date", "=", False),
                ("hold_id.state", "=", "released"),
                ("hold_id.resolution", "in", ("unchanged", "corrected", "cancelled")),
            ],
            ["rule_id", "hold_id.resolution"],
            ["__count"],
        )
        counts = {}
        for rule, resolution, count in groups:
            counts.setdefault(rule, {})[resolution] = count
        for rule in self:
            own = counts.get(rule, {})
            rule.decided_count = sum(own.values())
            rule.false_alarm_rate = 100 * own.get("unchanged", 0) / rule.decided_count if own else 0.0

    # === ACTION METHODS === #

    def action_rehearse(self):
        """Rehearse these rules over the orders of the last 30 days: drafts beside today's rules, live rules beside the
        rules without them."""
        now = fields.Datetime.now()
        rests = self.filtered(lambda rule: rule.set_id or (rule.date_from and rule.date_from > now))
        rehearsal = self.env["oms.rehearsal"].create(
            {
                "rule_ids": [fields.Command.set(self.ids)],
                "compare": "live" if any(rule.state == "draft" for rule in self) else "without",
                "ignores_dates": bool(rests),
                **({"company_id": self.company_id.id} if len(self.company_id) == 1 else {}),
            }
        )
        return rehearsal._start_and_open()

    def action_check_rules(self):
        """Check all rules now, and show what is found."""
        self.env["oms.rule"].check_access("write")
        self.env["oms.rule.finding"]._refresh()
        return self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_rule_finding_action")

    def action_view_findings(self):
        """Open what the check says of this rule, alone or with others."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_rule_finding_action")
        return {**action, "domain": ["|", ("rule_id", "=", self.id), ("other_ids", "in", self.ids)]}

    def action_view_feedback(self):
        """Open how this rule fares, by day and channel."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_rule_report_action")
        return {**action, "domain": [("rule_id", "=", self.id)], "context": {}}
