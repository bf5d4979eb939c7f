from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command, Domain
from odoo.tools import ormcache

from .const import AFTER_WAIT, SHORTAGES, SPLITS
from .spec import StrategySpec


class OmsSourcingStrategy(models.Model):
    """How the warehouses of an order are chosen: which may send it, what is aimed at, what happens when not all is
    there.

    An order has the strategy that a review rule gave it, or else that of its channel; without one the nearest warehouse
    with the goods sends it. What strategies say is kept as versions, and as plain values in the registry's cache.
    """

    _name = "oms.sourcing.strategy"
    _description = "Sourcing Strategy"
    _inherit = ["oms.cached.mixin", "mail.thread"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", index=True, help="Leave empty for all companies.")
    currency_id = fields.Many2one("res.currency", compute="_compute_currency_id")
    rule_ids = fields.One2many("oms.sourcing.rule", "strategy_id", string="Which Warehouses", copy=True)
    aim_ids = fields.One2many("oms.sourcing.aim", "strategy_id", string="Aims", copy=True)
    aim_mode = fields.Selection(
        [("ordered", "The first that differs decides"), ("weighted", "Weighed against each other")],
        string="Aims Are",
        default="ordered",
        required=True,
        tracking=True,
        help="Having most of the order comes before all of them.",
    )
    split = fields.Selection(
        SPLITS,
        string="Several Parcels",
        default="always",
        required=True,
        tracking=True,
        help="When no single warehouse has all of an order.",
    )
    split_order_value = fields.Monetary(
        string="Orders Above", help="Cheaper orders are not split. Without taxes, in the company's currency."
    )
    split_part_value = fields.Monetary(string="Each Part Above", help="No parcel of a split order is worth less.")
    max_parcels = fields.Integer(string="At Most Parcels", help="0: as many as it takes.")
    split_cost = fields.Monetary(
        string="Price of a Split", help="What one more parcel is held to cost besides its freight, for the lowest cost."
    )
    on_shortage = fields.Selection(
        SHORTAGES,
        string="When Not All Is There",
        default="ship",
        required=True,
        tracking=True,
    )
    wait_days = fields.Integer(string="Days to Wait", default=3)
    wait_date = fields.Date(
        string="Or Until",
        help="Orders that are short before this day wait until it, e.g. for a large receipt. Later ones wait the days.",
    )
    after_wait = fields.Selection(AFTER_WAIT, string="Then", default="ship")
    cancel_days = fields.Integer(
        string="Cancel After (days)",
        help="What is still missing after this many days is cancelled by itself. 0: never.",
    )
    channel_ids = fields.One2many("oms.channel", "oms_strategy_id", string="Channels", readonly=True)
    version_ids = fields.One2many("oms.sourcing.version", "strategy_id", string="Versions", readonly=True)
    version_id = fields.Many2one("oms.sourcing.version", string="Current Version", readonly=True, copy=False)
    version = fields.Integer(related="version_id.number")

    _days = models.Constraint(
        "CHECK(wait_days >= 0 AND cancel_days >= 0 AND max_parcels >= 0)", "Days and parcels are not negative."
    )
    _values = models.Constraint(
        "CHECK(split_order_value >= 0 AND split_part_value >= 0 AND split_cost >= 0)", "Values are not negative."
    )

    # === COMPUTE METHODS === #

    @api.depends("company_id")
    @api.depends_context("company")
    def _compute_currency_id(self):
        for strategy in self:
            strategy.currency_id = (strategy.company_id or self.env.company).currency_id

    @api.constrains("aim_ids")
    def _check_aims(self):
        for strategy in self:
            types = strategy.aim_ids.mapped("type")
            if len(set(types)) < len(types):
                raise ValidationError(
                    self.env._("The strategy %(strategy)s names an aim twice. Remove one.", strategy=strategy.name)
                )
            if {"expiry", "fifo"} <= set(types):
                raise ValidationError(
                    self.env._(
                        "The strategy %(strategy)s goes by what expires first and by what came in first. Remove one.",
                        strategy=strategy.name,
                    )
                )

    # === CRUD METHODS === #

    @api.model
    def default_get(self, fields):
        """Start a new strategy with the aims that are used where no strategy is set."""
        values = super().default_get(fields)
        if "aim_ids" in fields and "aim_ids" not in values:
            types = ("parcels", "distance", "priority")
            values["aim_ids"] = [Command.create({"type": type_, "sequence": n}) for n, type_ in enumerate(types)]
        return values

    @api.model_create_multi
    def create(self, vals_list):
        # One save is one version: parts that are saved with their strategy leave it to the strategy to keep one.
        strategies = super(OmsSourcingStrategy, self.with_context(oms_in_strategy=True)).create(vals_list)
        strategies = strategies.with_env(self.env)
        strategies._keep_version()
        return strategies

    def write(self, vals):
        res = super(OmsSourcingStrategy, self.with_context(oms_in_strategy=True)).write(vals)
        if not vals.keys().isdisjoint(self._get_content_fields()):
            self._keep_version()
        return res

    # === ACTION METHODS === #

    def action_view_orders(self):
        """Open the orders that are sourced by this strategy: it is theirs, or that of their channel or company."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.sale_order_action")
        own, by_channel, by_company = (
            Domain(name, "=", self.id)
            for name in ("oms_strategy_id", "channel_id.oms_strategy_id", "company_id.oms_strategy_id")
        )
        by_channel |= Domain("channel_id.oms_strategy_id", "=", False) & by_company
        domain = own | (Domain("oms_strategy_id", "=", False) & by_channel)
        return {**action, "domain": list(domain), "context": {}}

    def action_view_versions(self):
        """Open the versions of this strategy, the newest first."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_allocation.oms_sourcing_version_action")
        return {**action, "domain": [("strategy_id", "=", self.id)], "context": {}}

    def action_try(self):
        """Open a new trial of this strategy."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "oms.sourcing.trial",
            "views": [(False, "form")],
            "context": {"default_strategy_id": self.id},
        }

    # === VERSIONS === #

    @api.model
    def _get_content_fields(self):
        """Return the fields that make up what a strategy says. Can be extended; each is kept in the versions."""
        return [
            *("name", "company_id", "aim_mode", "aim_ids", "rule_ids"),
            *("split", "split_order_value", "split_part_value", "max_parcels", "split_cost"),
            *("on_shortage", "wait_days", "wait_date", "after_wait", "cancel_days"),
        ]

    def _keep_version(self):
        """Make a version of each of these strategies whose content is not the one that was kept last."""
        for strategy in self:
            self.env["oms.sourcing.version"]._keep(strategy)

    # === SPEC === #

    def _get_spec(self):
        """Return what this strategy says as plain values (`spec.StrategySpec`); for no strategy, the standard ones."""
        return self._get_spec_of(self.id) if self else StrategySpec()

    @api.model
    @ormcache("strategy_id", "self.env.lang")  # what its rules are called is told in decisions
    def _get_spec_of(self, strategy_id):
        # sudo: oms.sourcing.strategy - how orders are sourced does not depend on who confirms them
        strategy = self.sudo().browse(strategy_id)
        return StrategySpec(
            id=strategy.id,
            version_id=strategy.version_id.id,
            number=strategy.version_id.number,
            is_weighted=strategy.aim_mode == "weighted",
            aims=tuple((aim.type, aim.weight) for aim in strategy.aim_ids),
            split=strategy.split,
            split_order_value=strategy.split_order_value,
            split_part_value=strategy.split_part_value,
            max_parcels=strategy.max_parcels,
            split_cost=strategy.split_cost,
            on_shortage=strategy.on_shortage,
            wait_days=strategy.wait_days,
            wait_date=strategy.wait_date or None,
            after_wait=strategy.after_wait or "ship",
            cancel_days=strategy.cancel_days,
            rules=tuple(rule._prepare_spec() for rule in strategy.rule_ids if not rule.problem),
        )
