import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import file_open

from ..review import domain_words

# The numbers a recipe may leave to the user, each a column of its own.
PARAMETERS = ("amount", "rate", "hours", "times")


class OmsRuleRecipe(models.TransientModel):
    """Rules that only lack a number: read as sentences, used with one click."""

    _name = "oms.rule.recipe"
    _description = "New Rule from a Recipe"

    line_ids = fields.One2many("oms.rule.recipe.line", "recipe_id", string="Recipes")
    order_id = fields.Many2one(
        "sale.order", string="Like", readonly=True, index="btree_not_null", help="The order such a rule is wanted for."
    )
    is_live = fields.Boolean(string="Put to Work at Once", help="Otherwise a draft is made, to be looked at first.")

    @api.model
    def _get_recipe_paths(self):
        """Return the data files with recipes. To be extended by addons that bring some."""
        return ["oms_base/data/rule_recipes.json"]

    @api.model
    def _get_recipes(self):
        """Return {code: data} of all recipes."""
        recipes = {}
        for path in self._get_recipe_paths():
            with file_open(path, filter_ext=(".json",)) as file:
                recipes |= {recipe["_code"]: recipe for recipe in json.load(file)["recipes"]}
        return recipes

    @api.model
    def _create_for_user(self, order=None):
        """Create the list of recipes with the numbers they come with.

        :param order: one order that a rule is wanted for: what would match it comes first
        """
        exchange = self.env["oms.rule.exchange"]
        lines = [
            {
                "code": code,
                "name": exchange._get_own_text(recipe["name"]),
                **{f"has_{name}": name in recipe["_parameters"] for name in PARAMETERS},
                **recipe["_parameters"],
            }
            for code, recipe in self._get_recipes().items()
        ]
        recipes = self.create(
            {"order_id": order.id if order else False, "line_ids": [fields.Command.create(line) for line in lines]}
        )
        for position, line in enumerate(recipes.line_ids.sorted(lambda line: not line.is_match)):
            line.sequence = position
        return recipes


class OmsRuleRecipeLine(models.TransientModel):
    """One recipe, and the numbers chosen for it."""

    _name = "oms.rule.recipe.line"
    _description = "Recipe"
    _order = "sequence, id"

    sequence = fields.Integer()
    recipe_id = fields.Many2one("oms.rule.recipe", required=True, index=True, ondelete="cascade")
    code = fields.Char(required=True)
    name = fields.Char()
    amount = fields.Float(digits=(16, 2))
    rate = fields.Float(string="Percent", digits=(16, 2))
    hours = fields.Float()
    times = fields.Integer(string="Number")
    has_amount = fields.Boolean()
    has_rate = fields.Boolean()
    has_hours = fields.Boolean()
    has_times = fields.Boolean()
    sentence = fields.Text(string="What It Does", compute="_compute_sentence")
    problem = fields.Char(compute="_compute_sentence")
    is_match = fields.Boolean(
        string="Matches", compute="_compute_is_match", help="The order would be one that the rule is about."
    )

    @api.depends_context("lang")
    @api.depends("code", *PARAMETERS)
    def _compute_sentence(self):
        recipes = self.env["oms.rule.recipe"]._get_recipes()
        exchange = self.env["oms.rule.exchange"]
        for line in self:
            sentence, problems = exchange._describe(recipes[line.code], line._get_parameters())
            line.sentence = sentence or " ".join(problems)
            line.problem = " ".join(problems)

    @api.depends("code", "recipe_id.order_id", *PARAMETERS)
    def _compute_is_match(self):
        recipes = self.env["oms.rule.recipe"]._get_recipes()
        exchange = self.env["oms.rule.exchange"]
        for line in self:
            order = line.recipe_id.order_id
            values = order and exchange._prepare_rule_values(recipes[line.code], line._get_parameters())[0]
            line.is_match = bool(values and order.filtered_domain(domain_words.parse(values["domain"])))

    def _get_parameters(self):
        self.ensure_one()
        values = {name: self[name] for name in PARAMETERS}
        # A whole number reads better without a point.
        return {name: int(value) if value == int(value) else value for name, value in values.items()}

    def action_use(self):
        """Make a rule of this recipe and open it."""
        self.ensure_one()
        recipe = self.env["oms.rule.recipe"]._get_recipes()[self.code]
        if self.problem:
            raise UserError(
                self.env._(
                    "The recipe %(recipe)s can't be used here: %(problem)s", recipe=self.name, problem=self.problem
                )
            )
        rule, _problems = self.env["oms.rule.exchange"]._create_rule(recipe, self._get_parameters())
        if self.recipe_id.is_live:
            rule.action_go_live()
        return {
            "type": "ir.actions.act_window",
            "res_model": "oms.rule",
            "res_id": rule.id,
            "views": [(False, "form")],
            "target": "current",
        }
