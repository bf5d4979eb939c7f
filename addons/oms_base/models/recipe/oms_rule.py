import base64
import json

from odoo import api, fields, models


class OmsRule(models.Model):
    """Where a rule came from, and the doors to packs, recipes and files."""

    _inherit = "oms.rule"

    pack_code = fields.Char(string="Pack", readonly=True, copy=False, index="btree_not_null")
    pack_rule_code = fields.Char(readonly=True, copy=False, help="Which rule of its pack it is.")

    _pack_rule_uniq = models.UniqueIndex(
        "(pack_code, pack_rule_code, COALESCE(company_id, 0)) WHERE pack_rule_code IS NOT NULL",
        "This rule of the pack is there already.",
    )

    def action_new_from_recipe(self):
        """Open the recipes, each with its numbers, to make a rule of one."""
        return self._open_recipes()

    @api.model
    def _open_recipes(self, order=None):
        """Return the action that opens the recipes; for one ``order``, those that match it first."""
        recipes = self.env["oms.rule.recipe"]._create_for_user(order)
        return {
            "name": self.env._("New Rule from a Recipe"),
            "type": "ir.actions.act_window",
            "res_model": recipes._name,
            "res_id": recipes.id,
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }

    def action_export(self):
        """Download these rules as a file that another database can import."""
        data = self.env["oms.rule.exchange"]._export_rules(self)
        text = json.dumps(data, ensure_ascii=False, indent=2)
        transfer = self.env["oms.rule.transfer"].create(
            {"file": base64.b64encode(text.encode()), "file_name": "oms_rules.json"}
        )
        url = f"/web/content/{transfer._name}/{transfer.id}/file/{transfer.file_name}?download=true"
        return {"type": "ir.actions.act_url", "url": url, "target": "download"}


class OmsRuleSet(models.Model):
    _inherit = "oms.rule.set"

    pack_code = fields.Char(string="Pack", readonly=True, copy=False, index="btree_not_null")
