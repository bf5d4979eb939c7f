from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

# What both sides are summed up by: field of the lines -> field of the trial, each with _a and _b.
MEASURES = ("parcels", "cost", "distance_km", "missing", "split", "kept", "promised", "age", "load")


class OmsSourcingTrial(models.Model):
    """Two ways of sourcing tried on the same orders, by the code that sources real ones; nothing is written to them.

    On the one side is what the orders would be sourced by today, or a strategy; on the other the strategy that is
    tried. Each order finds what is there now and what it was given itself, so past orders can be tried too.
    """

    _name = "oms.sourcing.trial"
    _description = "Sourcing Trial"
    _inherit = ["oms.study.mixin"]
    _order = "id desc"
    _check_company_auto = True
    _study_cron_xmlid = "oms_allocation.ir_cron_run_trials"

    name = fields.Char(compute="_compute_name", store=True, readonly=False)
    strategy_id = fields.Many2one(
        "oms.sourcing.strategy", string="Try", required=True, check_company=True, index=True, ondelete="cascade"
    )
    other_strategy_id = fields.Many2one(
        "oms.sourcing.strategy",
        string="Compared With",
        check_company=True,
        index="btree_not_null",
        ondelete="cascade",
        help="Leave empty for how each order is sourced today.",
    )
    source = fields.Selection(
        [("period", "The orders of a time"), ("orders", "Chosen orders"), ("made_up", "A made-up order")],
        string="Tried On",
        default="period",
        required=True,
    )
    days = fields.Integer(default=7)
    channel_ids = fields.Many2many()  # its table is this addon's, and goes with it
    order_ids = fields.Many2many(
        "sale.order", string="Orders", domain="[('channel_id', '!=', False), ('company_id', '=', company_id)]"
    )
    channel_id = fields.Many2one("oms.channel", string="Made-up: Channel", check_company=True)
    partner_id = fields.Many2one("res.partner", string="Made-up: Ship To")
    product_ids = fields.One2many("oms.sourcing.trial.product", "trial_id", string="Made-up: Products", copy=True)

    tried_count = fields.Integer(string="Tried", compute="_compute_results")
    changed_count = fields.Integer(string="Sourced Otherwise", compute="_compute_results")
    progress = fields.Float(compute="_compute_results")
    line_ids = fields.One2many("oms.sourcing.trial.line", "trial_id", string="Results", readonly=True)
    chart = fields.Json(compute="_compute_results")
    comparison = fields.Html(compute="_compute_results", sanitize=False)

    # === COMPUTE METHODS === #

    @api.depends("strategy_id.name", "other_strategy_id.name")
    def _compute_name(self):
        for trial in self:
            other = trial.other_strategy_id.name or self.env._("today")
            trial.name = self.env._("%(one)s against %(other)s", one=trial.strategy_id.name or "", other=other)

    @api.depends("line_ids", "state", "total_count")
    def _compute_results(self):
        aggregates = ["__count", *(f"{name}_{side}:sum" for name in MEASURES for side in "ab"), "changed:sum"]
        groups = self.env["oms.sourcing.trial.line"]._read_group(
            [("trial_id", "in", self.ids)], ["trial_id"], aggregates
        )
        values = {trial: numbers for trial, *numbers in groups}
        for trial in self:
            count, *sums, changed = values.get(trial, [0] * (2 * len(MEASURES) + 2))
            pairs = dict(zip(MEASURES, zip(sums[::2], sums[1::2], strict=True), strict=True))
            trial.tried_count = count
            trial.changed_count = changed or 0
            trial.progress = trial._get_progress(count)
            rows = trial._prepare_comparison(count, pairs) if count else []
            trial.comparison = self.env["ir.qweb"]._render(
                "oms_allocation.sourcing_comparison", {"rows": rows, "trial": trial}
            )
            trial.chart = {
                "labels": [row["label"] for row in rows],
                "before": [100.0 for _row in rows],
                "after": [row["share"] for row in rows],
                "kinds": [],
                "kind_keys": [],
                "kind_counts": [],
            }

    def _prepare_comparison(self, count, pairs):
        """Return what is compared, a row each: label, both values in words, how much better (percent), share of before.

        :param count: orders
        :param pairs: dict {measure: (sum of side a, sum of side b)}
        """
        self.ensure_one()
        money = self.currency_id.format
        number = "{:,.0f}".format

        def percent(value):
            return f"{100 * value:.1f} %"

        parcels, cost, way = pairs["parcels"], pairs["cost"], pairs["distance_km"]
        rows = [
            (self.env._("Parcels"), *parcels, number),
            (self.env._("Freight, handling, packaging"), *cost, money),
            (self.env._("Way of all parcels (km)"), *way, number),
            (self.env._("Orders split"), *(value / count for value in pairs["split"]), percent),
            (self.env._("Quantity missing"), *pairs["missing"], number),
            (self.env._("Younger than the oldest stock (days)"), *pairs["age"], number),
            (self.env._("Capacity taken (days of a warehouse)"), *pairs["load"], "{:,.2f}".format),
        ]
        promised = pairs["promised"]
        if all(promised):
            late = [1 - kept / asked for kept, asked in zip(pairs["kept"], promised, strict=True)]
            rows.append((self.env._("Promises not kept"), *late, percent))
        return [
            {
                "label": label,
                "before": words(before),
                "after": words(after),
                "better": round(before - after, 6) > 0,
                "worse": round(after - before, 6) > 0,
                "share": round(100 * after / before, 1) if before else (100.0 if not after else 200.0),
            }
            for label, before, after, words in rows
        ]

    @api.constrains("days", "source")
    def _check_days(self):
        for trial in self:
            if trial.source == "period" and trial.days < 1:
                raise ValidationError(
                    self.env._("The trial %(name)s needs at least one day of orders.", name=trial.name)
                )

    # === ACTION METHODS === #

    def action_view_lines(self):
        """Open the orders, to be grouped and measured."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_allocation.oms_sourcing_trial_line_action")
        return {**action, "domain": [("trial_id", "=", self.id)], "context": {}}

    def _check_ready(self):
        """Override of the study."""
        if self.source == "orders" and not self.order_ids:
            raise UserError(self.env._("Choose the orders to try %(name)s on.", name=self.name))
        if self.source == "made_up" and not (self.channel_id and self.partner_id and self.product_ids):
            raise UserError(
                self.env._("%(name)s needs the channel, the address and the products of the order.", name=self.name)
            )

    def _count_orders(self):
        return 1 if self.source == "made_up" else super()._count_orders()

    def _get_order_domain(self):
        """Override of the study: chosen orders are tried whenever they were placed."""
        if self.source != "orders":
            return super()._get_order_domain() & Domain("state", "!=", "cancel")
        domain = Domain("company_id", "=", self.company_id.id) & Domain("state", "!=", "cancel")
        return domain & Domain("id", "in", self.order_ids.ids) & Domain("channel_id", "!=", False)


class OmsSourcingTrialProduct(models.Model):
    """A line of a made-up order."""

    _name = "oms.sourcing.trial.product"
    _description = "Product of a Made-up Order"
    _order = "id"

    trial_id = fields.Many2one("oms.sourcing.trial", required=True, index=True, ondelete="cascade")
    product_id = fields.Many2one("product.product", required=True, ondelete="cascade")
    quantity = fields.Float(default=1.0, digits="Product Unit", required=True)

    _quantity_positive = models.Constraint("CHECK(quantity > 0)", "The quantity of a product is above zero.")
