from odoo import api, fields, models


class OmsRuleFinding(models.Model):
    """Something that is wrong with a rule, or with two that don't go together. Found by `oms.rule.check`, kept until a
    later check no longer finds it."""

    _name = "oms.rule.finding"
    _description = "Rule Finding"
    _order = "severity desc, rule_id, id"
    _rec_name = "sentence"

    rule_id = fields.Many2one("oms.rule", required=True, index=True, ondelete="cascade", readonly=True)
    other_ids = fields.Many2many("oms.rule", string="Other Rules", readonly=True)
    company_id = fields.Many2one(related="rule_id.company_id", store=True, index="btree_not_null")
    kind = fields.Selection(
        [
            ("broken", "Can't judge"),
            ("reference", "Refers to something gone"),
            ("never", "Can never match"),
            ("shadowed", "Shadowed"),
            ("taken", "Always too late"),
            ("contradiction", "Overruled"),
            ("overlap", "Contradicts another rule"),
            ("approved", "Held and passed"),
            ("cycle", "Runs in a circle"),
            ("endless", "Gives without end"),
            ("silent", "Never fired"),
        ],
        required=True,
        readonly=True,
    )
    severity = fields.Selection(
        [("1", "Hint"), ("2", "Warning"), ("3", "Error")], required=True, readonly=True, default="2"
    )
    detail = fields.Char(readonly=True, help="What exactly: the names that belong to it.")
    sentence = fields.Text(string="Finding", compute="_compute_sentence")
    advice = fields.Text(string="What to Do", compute="_compute_sentence")
    key = fields.Char(required=True, readonly=True)
    date = fields.Datetime(string="Found On", default=fields.Datetime.now, readonly=True)

    _key_uniq = models.UniqueIndex("(key)", "This was found already.")

    @api.depends_context("lang")
    @api.depends("kind", "detail", "rule_id.name", "other_ids.name")
    def _compute_sentence(self):
        words = self._get_words()
        for finding in self:
            sentence, advice = words[finding.kind]
            finding.sentence = sentence % {
                "rule": finding.rule_id.name,
                "others": ", ".join(f"“{name}”" for name in finding.other_ids.mapped("name")),
                "detail": finding.detail or "",
            }
            finding.advice = advice

    @api.model
    def _get_words(self):
        """Return {kind: (sentence with %(rule)s, %(others)s and %(detail)s, what to do)}. Can be extended."""
        return {
            "broken": (self.env._("“%(rule)s” can't judge: %(detail)s"), self.env._("Set its conditions again.")),
            "reference": (
                self.env._("“%(rule)s” works with what is archived or deleted: %(detail)s"),
                self.env._("Choose something else, or bring it back."),
            ),
            "never": (
                self.env._("No order can ever match “%(rule)s”: its conditions exclude each other."),
                self.env._("Correct the conditions: perhaps “any” is meant instead of “all”."),
            ),
            "shadowed": (
                self.env._(
                    "“%(rule)s” never sees an order: %(others)s comes first, takes all of its orders and stops."
                ),
                self.env._("Move it above the other rule, or take it out."),
            ),
            "taken": (
                self.env._("In 90 days %(others)s took all orders that “%(rule)s” is about (%(detail)s)."),
                self.env._("Move it above the other rule, or take it out."),
            ),
            "contradiction": (
                self.env._(
                    "What “%(rule)s” does never lasts (%(detail)s): %(others)s is about all of its orders, and wins."
                ),
                self.env._("Take out one of the two, set their conditions apart, or change their order."),
            ),
            "overlap": (
                self.env._("“%(rule)s” and %(others)s disagree about orders of both (%(detail)s): %(others)s wins."),
                self.env._("If that is not what you mean, set their conditions apart, or put them into another order."),
            ),
            "approved": (
                self.env._("“%(rule)s” holds orders that %(others)s always lets pass."),
                self.env._("Take out one of the two, or raise the severity of the hold."),
            ),
            "cycle": (
                self.env._(
                    "“%(rule)s” and %(others)s change what each other looks at (%(detail)s), perhaps over and over."
                ),
                self.env._("Add a condition that ends it, e.g. a tag that is set once."),
            ),
            "endless": (
                self.env._("“%(rule)s” gives something away without an end: %(detail)s"),
                self.env._("Give it an end date, a cap or a rule set."),
            ),
            "silent": (
                self.env._("“%(rule)s” did not match one order in 90 days."),
                self.env._("Rehearse it over more days; if nothing matches, take it out."),
            ),
        }

    # === ACTION METHODS === #

    def action_view_rule(self):
        """Open the rule that the finding is about."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "oms.rule",
            "res_id": self.rule_id.id,
            "views": [(False, "form")],
        }

    # === BUSINESS METHODS === #

    @api.model
    def _cron_check_rules(self):
        """Check the rules every night."""
        self._refresh()

    @api.model
    def _refresh(self):
        """Check all rules: keep what is found again, add what is new, forget what is no longer found."""
        # sudo: oms.rule.finding, oms.rule - a rule may be shadowed by one that is for all companies
        Finding = self.sudo()
        found = {values["key"]: values for values in self.env["oms.rule.check"].sudo()._find()}
        known = Finding.search([("key", "!=", False)])
        gone = known.filtered(
            lambda finding: finding.key not in found or finding.detail != found[finding.key]["detail"]
        )
        kept = set((known - gone).mapped("key"))
        gone.unlink()
        Finding.create([values for key, values in found.items() if key not in kept])
