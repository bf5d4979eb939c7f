from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from odoo.addons.oms_base.models.review import domain_words
from odoo.addons.oms_base.models.review.const import DOMAIN_ERRORS

from .const import RULE_TYPES
from .spec import RuleSpec


class OmsSourcingRule(models.Model):
    """Which warehouses may send an order, or certain products of it.

    A type of rule is a key of ``type`` and a method `sale.order._oms_refuse_<type>`, see there.
    """

    _name = "oms.sourcing.rule"
    _description = "Sourcing Rule"
    _inherit = ["oms.sourcing.part.mixin"]
    _order = "sequence, id"

    strategy_id = fields.Many2one("oms.sourcing.strategy", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="strategy_id.company_id")
    sequence = fields.Integer(default=10)
    name = fields.Char(
        translate=True, help="What people read where it kept a warehouse away. Empty: the rule in words."
    )
    type = fields.Selection(RULE_TYPES, string="Warehouses", required=True, default="warehouses")
    is_preference = fields.Boolean(
        string="If Possible",
        help="Given up for an order of which it would leave something behind; the last of the list first.",
    )
    order_domain = fields.Char(string="Orders", default="[]", required=True, help="The orders this rule is about.")
    product_domain = fields.Char(
        string="Products", default="[]", required=True, help="The products it is about: hazardous, frozen, bulky ones."
    )
    warehouse_ids = fields.Many2many("stock.warehouse", string="Certain Warehouses")
    is_except = fields.Boolean(string="All But These", help="From any warehouse but the named ones.")
    max_km = fields.Float(string="At Most (km)", digits=(10, 0), default=500.0)
    sentence = fields.Char(compute="_compute_sentence")
    problem = fields.Char(compute="_compute_problem", help="Why the rule can't be used; it is left out until mended.")

    @api.depends("order_domain", "product_domain")
    def _compute_problem(self):
        for rule in self:
            rule.problem = False
            for text, model in ((rule.order_domain, "sale.order"), (rule.product_domain, "product.product")):
                try:
                    domain_words.prepare(domain_words.parse(text or "[]"), self.env[model])
                except DOMAIN_ERRORS as error:
                    rule.problem = self.env._("The conditions can't be read: %(error)s", error=error)

    @api.constrains("type", "warehouse_ids", "max_km", "order_domain", "product_domain")
    def _check_complete(self):
        for rule in self:
            problem = rule.problem
            if rule.type == "warehouses" and not rule.warehouse_ids:
                problem = self.env._("name the warehouses")
            if rule.type == "distance" and rule.max_km <= 0:
                problem = self.env._("say how far away a warehouse may be")
            if problem:
                raise ValidationError(
                    self.env._(
                        "A rule of the strategy %(strategy)s is not complete: %(problem)s.",
                        strategy=rule.strategy_id.name,
                        problem=problem,
                    )
                )

    @api.depends_context("lang")
    @api.depends("type", "is_preference", "order_domain", "product_domain", "warehouse_ids", "is_except", "max_km")
    def _compute_sentence(self):
        for rule in self:
            rule.sentence = rule._get_sentence()

    @api.depends("name", "sentence")
    def _compute_display_name(self):
        for rule in self:
            rule.display_name = rule.name or rule.sentence

    def _prepare_spec(self):
        """Return this rule as a RuleSpec."""
        self.ensure_one()
        return RuleSpec(
            id=self.id,
            name=self.name or self.sentence,
            type=self.type,
            is_preference=self.is_preference,
            order_domain=self.order_domain or "[]",
            product_domain=self.product_domain or "[]",
            warehouse_ids=frozenset(self.warehouse_ids.ids),
            is_except=self.is_except,
            max_km=self.max_km,
        )

    # === WORDS === #

    def _get_sentence(self):
        """Return the rule in one sentence, in the language of the context."""
        self.ensure_one()
        what = getattr(self, f"_describe_{self.type}")() if self.type else ""
        about = [
            words
            for text, model in ((self.product_domain, "product.product"), (self.order_domain, "sale.order"))
            if (words := self._describe_domain(text, model))
        ]
        if about:
            what = self.env._("where %(condition)s: %(what)s", condition=self.env._(" and ").join(about), what=what)
        return self.env._("%(rule)s, if possible", rule=what) if self.is_preference else what

    def _describe_domain(self, text, model):
        try:
            return domain_words.describe(Domain(domain_words.parse(text or "[]")), self.env[model])
        except DOMAIN_ERRORS:
            return self.env._("(conditions that can't be read)")

    def _describe_warehouses(self):
        names = ", ".join(self.warehouse_ids.mapped("name"))
        if self.is_except:
            return self.env._("from any warehouse but %(warehouses)s", warehouses=names)
        return self.env._("only from %(warehouses)s", warehouses=names)

    def _describe_zone(self):
        return self.env._("only from warehouses that serve the buyer's zone")

    def _describe_distance(self):
        return self.env._("only from warehouses within %(km)g km", km=self.max_km)

    def _describe_carrier(self):
        return self.env._("only from where a carrier serves the address")

    def _describe_capacity(self):
        return self.env._("only from warehouses that can take more orders today")

    def _describe_cutoff(self):
        return self.env._("only from warehouses from where it still leaves today")
