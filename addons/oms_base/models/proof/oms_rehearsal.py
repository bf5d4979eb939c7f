from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from .const import CHANGE_KINDS, CHUNK_SIZE


class OmsRehearsal(models.Model):
    """Rules tried over past orders by the code that judges new ones, in a transaction that is rolled back; see
    `oms_rehearsal_judge.py` for how a chunk is judged."""

    _name = "oms.rehearsal"
    _description = "Rule Rehearsal"
    _inherit = ["oms.study.mixin"]
    _order = "id desc"
    _check_company_auto = True
    _study_cron_xmlid = "oms_base.ir_cron_run_rehearsals"

    name = fields.Char(compute="_compute_name", store=True, readonly=False)
    rule_ids = fields.Many2many("oms.rule", string="Rules", context={"active_test": False})
    set_id = fields.Many2one(
        "oms.rule.set",
        string="Rule Set",
        index="btree_not_null",
        ondelete="cascade",
        help="Rehearse the whole set, as if its calendar ran.",
    )
    days = fields.Integer(default=30)
    compare = fields.Selection(
        [("live", "Today's live rules"), ("without", "Today's rules without these"), ("none", "No rules at all")],
        string="Compared With",
        default="live",
        required=True,
        help="What stands on the other side. To see what a live rule does, compare with the rules without it.",
    )
    ignores_dates = fields.Boolean(
        string="As If They Ran",
        help="The rehearsed rules run whatever their dates and calendar say. Otherwise each order is judged by the "
        "rules that run at its own date.",
    )

    start_date = fields.Datetime(string="Started On", readonly=True, copy=False)
    content = fields.Json(readonly=True, copy=False, help="What the rules said when the rehearsal began.")
    progress = fields.Float(compute="_compute_progress")

    judged_count = fields.Integer(string="Judged", readonly=True, copy=False)
    held_before = fields.Integer(string="Held Now", readonly=True, copy=False)
    held_after = fields.Integer(string="Held Then", readonly=True, copy=False)
    passed_before = fields.Integer(string="Passed Now", readonly=True, copy=False)
    passed_after = fields.Integer(string="Passed Then", readonly=True, copy=False)
    cancelled_before = fields.Integer(string="Cancelled Now", readonly=True, copy=False)
    cancelled_after = fields.Integer(string="Cancelled Then", readonly=True, copy=False)
    tagged_before = fields.Integer(string="Tagged Now", readonly=True, copy=False)
    tagged_after = fields.Integer(string="Tagged Then", readonly=True, copy=False)
    gifted_before = fields.Integer(string="With a Gift Now", readonly=True, copy=False)
    gifted_after = fields.Integer(string="With a Gift Then", readonly=True, copy=False)
    error_count = fields.Integer(string="Can't Be Judged", readonly=True, copy=False)
    changed_count = fields.Integer(string="Changed", readonly=True, copy=False)
    gift_cost_before = fields.Monetary(string="Gifts Cost Now", readonly=True, copy=False)
    gift_cost_after = fields.Monetary(string="Gifts Cost Then", readonly=True, copy=False)
    pass_rate_before = fields.Float(string="Pass Rate Now (%)", compute="_compute_pass_rates")
    pass_rate_after = fields.Float(string="Pass Rate Then (%)", compute="_compute_pass_rates")
    line_ids = fields.One2many("oms.rehearsal.line", "rehearsal_id", string="Orders That Change", readonly=True)
    chart = fields.Json(compute="_compute_chart")
    summary = fields.Char(compute="_compute_summary")

    # === COMPUTE METHODS === #

    @api.depends("rule_ids.name", "set_id.name")
    def _compute_name(self):
        for rehearsal in self:
            names = [rehearsal.set_id.name] if rehearsal.set_id else rehearsal.rule_ids.mapped("name")
            rehearsal.name = ", ".join(name for name in names if name) or self.env._("Today's rules")

    @api.depends("judged_count", "total_count", "state")
    def _compute_progress(self):
        for rehearsal in self:
            rehearsal.progress = rehearsal._get_progress(rehearsal.judged_count)

    @api.depends("judged_count", "error_count", "passed_before", "passed_after")
    def _compute_pass_rates(self):
        for rehearsal in self:
            judged = rehearsal.judged_count - rehearsal.error_count
            rehearsal.pass_rate_before = 100 * rehearsal.passed_before / judged if judged else 0.0
            rehearsal.pass_rate_after = 100 * rehearsal.passed_after / judged if judged else 0.0

    @api.depends("held_before", "held_after", "passed_before", "passed_after", "cancelled_before", "cancelled_after")
    def _compute_chart(self):
        kinds = dict(self.env["oms.rehearsal.line"]._fields["kind"]._description_selection(self.env))
        counts = {}
        groups = self.env["oms.rehearsal.line"]._read_group(
            [("rehearsal_id", "in", self.ids)], ["rehearsal_id", "kind"], ["__count"]
        )
        for rehearsal, kind, count in groups:
            counts.setdefault(rehearsal, {})[kind] = count
        labels = [self.env._("Passed"), self.env._("Held"), self.env._("Cancelled")]
        for rehearsal in self:
            own = counts.get(rehearsal, {})
            shown = [key for key, _label in CHANGE_KINDS if own.get(key)]
            rehearsal.chart = {
                "labels": labels,
                "before": [rehearsal.passed_before, rehearsal.held_before, rehearsal.cancelled_before],
                "after": [rehearsal.passed_after, rehearsal.held_after, rehearsal.cancelled_after],
                "kinds": [kinds[key] for key in shown],
                "kind_keys": shown,
                "kind_counts": [own[key] for key in shown],
            }

    @api.depends("judged_count", "changed_count", "held_before", "held_after")
    def _compute_summary(self):
        for rehearsal in self:
            rehearsal.summary = self.env._(
                "%(changed)s of %(judged)s orders would fare otherwise; %(after)s would be held instead of %(before)s.",
                changed=rehearsal.changed_count,
                judged=rehearsal.judged_count,
                before=rehearsal.held_before,
                after=rehearsal.held_after,
            )

    @api.constrains("days")
    def _check_days(self):
        for rehearsal in self:
            if rehearsal.days < 1:
                raise ValidationError(
                    self.env._("The rehearsal %(name)s needs at least one day of orders.", name=rehearsal.name)
                )

    # === ACTION METHODS === #

    def action_view_lines(self):
        """Open the orders that change, to be grouped and measured."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_rehearsal_line_action")
        return {**action, "domain": [("rehearsal_id", "=", self.id)], "context": {}}

    # === RUN === #

    def _check_ready(self):
        """Override of the study."""
        rules = self._get_rules()
        if not rules:
            raise UserError(self.env._("Choose the rules or the rule set to rehearse in %(name)s.", name=self.name))
        if broken := rules.filtered("problem"):
            raise UserError(
                self.env._(
                    "%(rule)s can't judge: %(problem)s. Set its conditions again first.",
                    rule=broken[0].name,
                    problem=broken[0].problem,
                )
            )

    def _prepare_start_values(self):
        """Override of the study: the counters, and what the rules say as it begins."""
        return {
            **super()._prepare_start_values(),
            **dict.fromkeys(self._get_counters(), 0),
            "start_date": fields.Datetime.now(),
            "content": self._prepare_content(),
        }

    @api.model
    def _get_counters(self):
        return [
            *("judged_count", "changed_count", "error_count", "held_before", "held_after", "passed_before"),
            *("passed_after", "cancelled_before", "cancelled_after", "gift_cost_before", "gift_cost_after"),
            *("tagged_before", "tagged_after", "gifted_before", "gifted_after"),
        ]

    def _get_rules(self):
        """Return the rules that are rehearsed, drafts and live ones."""
        self.ensure_one()
        return self.set_id.rule_ids if self.set_id else self.rule_ids

    def _prepare_content(self):
        """Return what the rehearsed rules say, as JSON: chunks judged by different rules would prove nothing."""
        self.ensure_one()
        prepare = self.env["oms.rule.version"]._prepare_content
        return {str(rule.id): {**prepare(rule), "state": rule.state} for rule in self._get_rules()}

    @api.model
    def _cron_run_rehearsals(self):
        """Go on with the rehearsals that are running."""
        self._run_studies()

    def _run_chunk(self):
        """Judge the next orders and keep what came out; the last chunk ends the rehearsal."""
        self.ensure_one()
        if self._prepare_content() != self.content:
            raise UserError(
                self.env._("The rules were changed while %(name)s was rehearsed. Rehearse it again.", name=self.name)
            )
        orders = self._get_next_orders(CHUNK_SIZE)
        if not orders:
            self._set_state("done")
            return 0
        results = self._judge_apart(orders.ids)
        rehearsal = self._lock_running()
        rehearsal._keep_results(results, orders.ids[-1])
        if len(orders) < CHUNK_SIZE:
            rehearsal._set_state("done")
        return len(orders)

    def _keep_results(self, results, last_order_id):
        """Add what came out of a chunk to the totals, and keep a line for each order that changes."""
        if not self:
            return
        totals = {
            name: self[name] + sum(result["totals"].get(name, 0) for result in results) for name in self._get_counters()
        }
        self.write({**totals, "last_order_id": last_order_id})
        self.env["oms.rehearsal.line"].create(
            [{**result["line"], "rehearsal_id": self.id} for result in results if result["line"]]
        )
