import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache

from odoo.addons.base.models.res_partner import _tz_get

from ...tools import work_undisturbed
from . import domain_words
from .const import DOMAIN_ERRORS, TRIGGERS, WEEKDAYS
from .predicate import compile_domain
from .spec import Period, RuleSpec

_logger = logging.getLogger(__name__)


class OmsRule(models.Model):
    """A review rule: when, for which orders, what is done. Judged for many orders at a time, in sequence.

    The content of a live rule is kept as a version each time it changes (`oms.rule.version`); see
    `sale_order_judge.py` for how orders are judged.
    """

    _name = "oms.rule"
    _description = "Review Rule"
    _inherit = ["mail.thread"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    state = fields.Selection(
        [("draft", "Draft"), ("live", "Live")],
        default="draft",
        required=True,
        copy=False,
        tracking=True,
        help="A draft can be rehearsed over past orders; only live rules judge.",
    )
    sequence = fields.Integer(default=10, tracking=True)
    company_id = fields.Many2one("res.company", index=True, help="Leave empty for all companies.")
    channel_ids = fields.Many2many("oms.channel", string="Channels", help="Leave empty for all channels.")
    set_id = fields.Many2one(
        "oms.rule.set",
        index="btree_not_null",
        ondelete="set null",
        help="The rule runs when its set does. Empty: it is a standing rule.",
    )
    is_always = fields.Boolean(
        string="Runs Always", help="Goes on while a rule set takes over from the standing rules."
    )
    trigger = fields.Selection(
        TRIGGERS, string="When", default="received", required=True, tracking=True, help="When orders are judged."
    )
    domain = fields.Char(
        string="Orders", required=True, default="[]", tracking=True, help="The orders this rule is about."
    )
    action_ids = fields.One2many("oms.rule.action", "rule_id", string="Actions", copy=True)
    is_stop = fields.Boolean(string="Stop Here", help="Later rules do not judge the orders that match this one.")
    date_from = fields.Datetime(string="Active From")
    date_to = fields.Datetime(string="Active To")
    mon = fields.Boolean(default=True)
    tue = fields.Boolean(default=True)
    wed = fields.Boolean(default=True)
    thu = fields.Boolean(default=True)
    fri = fields.Boolean(default=True)
    sat = fields.Boolean(default=True)
    sun = fields.Boolean(default=True)
    hour_from = fields.Float(help="Hour of the day from which the rule runs.")
    hour_to = fields.Float(default=24.0, help="Hour at which it rests again; before the first hour: over midnight.")
    tz = fields.Selection(_tz_get, string="Time Zone", default=lambda self: self.env.user.tz or "UTC", required=True)
    schedule_hours = fields.Float(
        string="Every (hours)", default=1.0, help="How often a scheduled rule judges the open orders."
    )
    schedule_date = fields.Datetime(string="Next Judged On", copy=False, readonly=True)
    schedule_cursor = fields.Integer(
        copy=False, readonly=True, aggregator=None, help="The last order that a run under way has judged."
    )
    version_ids = fields.One2many("oms.rule.version", "rule_id", string="Versions", readonly=True)
    version_id = fields.Many2one("oms.rule.version", string="Current Version", readonly=True, copy=False)
    version = fields.Integer(related="version_id.number")
    problem = fields.Char(
        compute="_compute_problem", help="Why the rule can't judge; it is left out until it is mended."
    )
    hit_ids = fields.One2many("oms.rule.hit", "rule_id", string="Matches", readonly=True)
    hold_count = fields.Integer(string="Holds", compute="_compute_counts")
    hit_count = fields.Integer(string="Fired", compute="_compute_counts", help="Orders that matched in 30 days.")

    # === COMPUTE METHODS === #

    def _compute_counts(self):
        holds = dict(
            self.env["oms.hold.reason"]._read_group(
                [("rule_id", "in", self.ids)], ["rule_id"], ["hold_id:count_distinct"]
            )
        )
        since = fields.Datetime.now() - timedelta(days=30)
        hits = dict(
            self.env["oms.rule.hit"]._read_group(
                [("rule_id", "in", self.ids), ("date", ">=", since)], ["rule_id"], ["order_id:count_distinct"]
            )
        )
        for rule in self:
            rule.hold_count = holds.get(rule, 0)
            rule.hit_count = hits.get(rule, 0)

    @api.depends("domain")
    def _compute_problem(self):
        for rule in self:
            try:
                domain_words.prepare(rule._get_order_domain(), self.env["sale.order"])
                rule.problem = False
            except DOMAIN_ERRORS as error:
                rule.problem = self.env._("The conditions can't be read: %(error)s", error=error)

    # === CONSTRAINTS === #

    @api.constrains("domain")
    def _check_domain(self):
        for rule in self:
            if rule.problem:
                raise ValidationError(
                    self.env._(
                        "The rule %(rule)s: %(problem)s. Set them again in the editor.",
                        rule=rule.name,
                        problem=rule.problem,
                    )
                )

    @api.constrains("hour_from", "hour_to", "date_from", "date_to", *WEEKDAYS)
    def _check_window(self):
        for rule in self:
            hours_are_wrong = not (0 <= rule.hour_from < 24 and 0 < rule.hour_to <= 24)
            is_backwards = rule.date_from and rule.date_to and rule.date_from >= rule.date_to
            if hours_are_wrong or is_backwards or not any(rule[day] for day in WEEKDAYS):
                raise ValidationError(
                    self.env._(
                        "The rule %(rule)s would never run: it needs a day of the week, hours between 0 and 24, and an "
                        "end after its beginning.",
                        rule=rule.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        # One save is one version: actions that are saved with their rule leave it to the rule to keep one.
        rules = super(OmsRule, self.with_context(oms_in_rule=True)).create(vals_list).with_env(self.env)
        rules._keep_version()
        self._clear_rule_cache()
        return rules

    def write(self, vals):
        res = super(OmsRule, self.with_context(oms_in_rule=True)).write(vals)
        if self._get_running_fields() & vals.keys():
            self._keep_version()
            self._clear_rule_cache()
        return res

    def unlink(self):
        res = super().unlink()
        self._clear_rule_cache()
        return res

    @api.model
    def _clear_rule_cache(self):
        self.env.registry.clear_cache()

    # === ACTION METHODS === #

    def action_go_live(self):
        """Put drafts to work.

        :raise UserError: when a rule does nothing
        """
        idle = self.filtered(lambda rule: not rule.action_ids)
        if idle:
            raise UserError(
                self.env._(
                    "These rules do nothing yet: %(rules)s. Add an action first.", rules=", ".join(idle.mapped("name"))
                )
            )
        self.write({"state": "live"})
        return True

    def action_to_draft(self):
        """Take rules out of work; what they held stays held."""
        self.write({"state": "draft"})
        return True

    def action_view_holds(self):
        """Open the holds this rule has put."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_hold_action")
        return {**action, "domain": [("reason_ids.rule_id", "=", self.id)], "context": {}}

    def action_view_hits(self):
        """Open the orders that matched this rule."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_rule_hit_action")
        return {**action, "domain": [("rule_id", "=", self.id)], "context": {}}

    def action_view_versions(self):
        """Open the versions of this rule, the newest first."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_rule_version_action")
        return {**action, "domain": [("rule_id", "=", self.id)], "context": {}}

    # === VERSIONS === #

    @api.model
    def _get_content_fields(self):
        """Return the names of the fields that make up what a rule does. Can be extended; each is kept in versions."""
        return [
            *("name", "trigger", "domain", "is_stop", "company_id", "channel_ids", "set_id", "is_always"),
            *("date_from", "date_to", *WEEKDAYS, "hour_from", "hour_to", "tz", "schedule_hours", "action_ids"),
        ]

    @api.model
    def _get_running_fields(self):
        """Return the fields whose change may change which rules judge, and how."""
        return {*self._get_content_fields(), "state", "active", "sequence"}

    def _keep_version(self):
        """Make a version of each live rule whose content is not the one that was kept last."""
        for rule in self:
            if rule.state == "live":
                rule.env["oms.rule.version"]._keep(rule)

    # === WHICH RULES RUN === #

    @api.model
    def _get_specs(self, triggers, date):
        """Return the specs (`spec.RuleSpec`) of the live rules of some triggers that run at ``date``, in sequence."""
        return self._filter_running(self._get_live_specs(tuple(triggers)), date)

    @api.model
    def _are_current(self, specs):
        """Return whether the rules of ``specs`` are, as this transaction sees them, what the specs say."""
        if not specs:
            return True
        # sudo: oms.rule - which rules judge does not depend on who works
        live = self.sudo().search_fetch(
            [("id", "in", [spec.id for spec in specs]), ("state", "=", "live")], ["version_id"]
        )
        versions = {rule.id: rule.version_id.id for rule in live}
        return all(versions.get(spec.id) == spec.version_id for spec in specs)

    @api.model
    def _filter_running(self, specs, date):
        """Return those of ``specs`` that run at ``date`` (naive UTC)."""
        due = [spec for spec in specs if spec.is_unlimited or spec.runs_at(date)]
        takeovers = [calendar for calendar in self._get_takeovers() if calendar.runs_at(date)]
        return [left for spec in due if (left := spec.yield_to(takeovers))] if takeovers else due

    @api.model
    @ormcache("triggers")
    def _get_live_specs(self, triggers):
        """Return the specs of all live rules of some triggers, in sequence. Rules with a broken domain are left out:
        they are marked, and whoever writes their domain again mends them."""
        # sudo: oms.rule - rules judge every order, whoever works on it
        domain = [("state", "=", "live"), ("trigger", "in", triggers), ("version_id", "!=", False)]
        rules = self.sudo().search(domain, order="sequence, id")
        return tuple(spec for rule in rules if (spec := rule._prepare_spec()))

    @api.model
    @ormcache()
    def _get_takeovers(self):
        """Return the calendars (`spec.SetSpec`) of the rule sets that take over when they run, the first one first."""
        # sudo: oms.rule.set - which rules judge does not depend on who works
        sets = self.env["oms.rule.set"].sudo().search([("mode", "=", "replace")], order="sequence, id")
        return tuple(rule_set._prepare_spec() for rule_set in sets)

    def _prepare_spec(self):
        """Return this rule as a RuleSpec, or None when its conditions can't be read any more."""
        self.ensure_one()
        try:
            domain = domain_words.prepare(self._get_order_domain(), self.env["sale.order"])
            predicate = compile_domain(domain, self.env["sale.order"])
        except DOMAIN_ERRORS as error:
            _logger.warning("Review rule %s (%s) is left out: %s", self.id, self.name, error)
            return None
        return RuleSpec(
            id=self.id,
            version_id=self.version_id.id,
            number=self.version_id.number,
            trigger=self.trigger,
            domain=domain,
            predicate=predicate,
            is_stop=self.is_stop,
            is_deciding=self.is_stop or "approve" in self.action_ids.mapped("type"),
            is_settling=any(hasattr(action, f"_settle_{action.type}") for action in self.action_ids),
            is_always=self.is_always,
            company_id=self._get_company().id or None,
            set=self.set_id._prepare_spec() if self.set_id else None,
            period=Period(self.date_from or None, self.date_to or None),
            weekdays=tuple(self[day] for day in WEEKDAYS),
            hours=(self.hour_from, self.hour_to),
            tz=self.tz,
        )

    def _keep_schedule(self, last_id, done_date=None):
        """Note how far these scheduled rules have judged, whoever edits one of them at this moment.

        :param last_id: the last order they judged
        :param done_date: when they were through with all, if they were
        """

        def work():
            for rule in self.exists():
                rule.schedule_cursor = last_id
                if done_date:
                    rule.schedule_date = done_date + timedelta(hours=max(rule.schedule_hours, 0.1))

        work_undisturbed(self.env, work)

    # === DOMAIN === #

    def _get_own_domain(self):
        """Return the Domain that the user built."""
        self.ensure_one()
        return domain_words.parse(self.domain)

    def _get_company(self):
        """Return the company whose orders one rule is about, by itself or by its set; none for all."""
        return self.company_id or self.set_id.company_id

    def _get_order_domain(self):
        """Return the Domain of the orders this rule is about, its scope of company and channel included."""
        self.ensure_one()
        domain = self._get_own_domain()
        if company := self._get_company():
            domain &= Domain("company_id", "=", company.id)
        if self.channel_ids:
            domain &= Domain("channel_id", "in", self.channel_ids.ids)
        return domain
