from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .spec import Period, SetSpec


class OmsRuleSet(models.Model):
    """Rules that belong together and run by a calendar: a set for a sale takes over on a date and gives back by itself.

    Nothing is switched: which sets run is asked of the calendar each time orders are judged.
    """

    _name = "oms.rule.set"
    _description = "Rule Set"
    _inherit = ["oms.cached.mixin", "mail.thread"]  # the specs of the rules
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(default=10, help="Where two sets take over at once, the first one does.")
    company_id = fields.Many2one("res.company", index=True, help="Leave empty for all companies.")
    mode = fields.Selection(
        [("add", "Runs beside the standing rules"), ("replace", "Takes over from the standing rules")],
        default="add",
        required=True,
        tracking=True,
        help="While a set takes over, rules without a set rest, but for those that are marked to run always.",
    )
    period_ids = fields.One2many("oms.rule.set.period", "set_id", string="Calendar", copy=True)
    rule_ids = fields.One2many("oms.rule", "set_id", string="Rules")
    rule_count = fields.Integer(compute="_compute_rule_count")
    is_running = fields.Boolean(string="Running", compute="_compute_is_running")
    next_date = fields.Datetime(string="Next Change", compute="_compute_is_running")

    @api.depends("rule_ids")
    def _compute_rule_count(self):
        for rule_set in self:
            rule_set.rule_count = len(rule_set.rule_ids)

    @api.depends("period_ids.date_from", "period_ids.date_to")
    def _compute_is_running(self):
        now = fields.Datetime.now()
        for rule_set in self:
            rule_set.is_running = rule_set._prepare_spec().runs_at(now)
            dates = [date for period in rule_set.period_ids for date in (period.date_from, period.date_to)]
            rule_set.next_date = min((date for date in dates if date > now), default=False)

    def write(self, vals):
        res = super().write(vals)
        if {"mode", "active", "period_ids", "company_id"} & vals.keys():
            self._keep_versions()
        return res

    @api.ondelete(at_uninstall=False)
    def _unlink_except_live(self):
        """Rules that lose their set are standing rules: those of a sale must not run for ever because it is over."""
        if live := self.with_context(active_test=False).rule_ids.filtered(lambda rule: rule.state == "live"):
            raise UserError(
                self.env._(
                    "Without their set these rules would run at any time: %(rules)s. Take them out of work first, or "
                    "archive the set.",
                    rules=", ".join(live.mapped("name")),
                )
            )

    def _keep_versions(self):
        """When the rules of these sets run is a part of what they do: their versions tell of it."""
        self.with_context(active_test=False).rule_ids._keep_version()

    def _prepare_spec(self):
        """Return this set's calendar as a SetSpec. An archived set never runs."""
        self.ensure_one()
        periods = tuple(Period(period.date_from, period.date_to) for period in self.period_ids if self.active)
        return SetSpec(self.id, self.company_id.id or None, self.mode == "replace", periods)

    def action_view_rules(self):
        """Open the rules of this set."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_rule_action")
        return {**action, "domain": [("set_id", "=", self.id)], "context": {"default_set_id": self.id}}


class OmsRuleSetPeriod(models.Model):
    """From when to when a rule set runs."""

    _name = "oms.rule.set.period"
    _description = "Rule Set Period"
    _inherit = ["oms.cached.mixin"]  # the specs of the rules
    _order = "date_from, id"

    set_id = fields.Many2one("oms.rule.set", required=True, index=True, ondelete="cascade")
    name = fields.Char(string="Occasion", help="e.g. 618, Singles' Day")
    date_from = fields.Datetime(string="From", required=True)
    date_to = fields.Datetime(string="To", required=True)

    @api.model_create_multi
    def create(self, vals_list):
        periods = super().create(vals_list)
        periods.set_id._keep_versions()
        return periods

    def write(self, vals):
        res = super().write(vals)
        self.set_id._keep_versions()
        return res

    @api.constrains("date_from", "date_to")
    def _check_dates(self):
        for period in self:
            if period.date_from >= period.date_to:
                raise ValidationError(
                    self.env._(
                        "A period of the rule set %(set)s ends before it begins. Correct its dates.",
                        set=period.set_id.name,
                    )
                )
