import base64
import json

from odoo import fields, models
from odoo.exceptions import UserError

MAX_BYTES = 2_000_000


class OmsRuleTransfer(models.TransientModel):
    """Rules in a file, on their way out of this database or into it."""

    _name = "oms.rule.transfer"
    _description = "Import of Rules"

    file = fields.Binary(attachment=False)
    file_name = fields.Char()
    state = fields.Selection([("draft", "File"), ("done", "Imported")], default="draft", readonly=True)
    report = fields.Html(string="What Became of It", readonly=True)
    rule_ids = fields.Many2many("oms.rule", readonly=True)

    def action_import(self):
        """Make drafts of the rules in the file, and say of each what could not be understood."""
        self.ensure_one()
        exchange = self.env["oms.rule.exchange"]
        rows, rules = [], self.env["oms.rule"]
        for data in exchange._check_format(self._read_file()):
            texts = data.get("name")
            name = exchange._get_own_text(texts) if isinstance(texts, dict) and texts else str(texts or "?")
            rule, problems = self._import_rule(data)
            rules |= rule or self.env["oms.rule"]
            rows.append((name, rule.sentence if rule else "", " ".join(problems)))
        report = self.env["ir.qweb"]._render("oms_base.rule_pack_content", {"rows": rows})
        self.write({"state": "done", "report": report, "rule_ids": [fields.Command.set(rules.ids)], "file": False})
        return {
            "name": self.env._("Import of Rules"),
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
            "target": "new",
        }

    def action_view_rules(self):
        """Open the drafts that were made."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_rule_action")
        return {**action, "domain": [("id", "in", self.rule_ids.ids)], "context": {}}

    def _import_rule(self, data):
        """Create one rule; one that Odoo refuses does not keep the others from being made."""
        try:
            with self.env.cr.savepoint():
                return self.env["oms.rule.exchange"]._create_rule(data)
        except (UserError, ValueError, TypeError, KeyError, AttributeError) as error:
            return None, [str(error)]

    def _read_file(self):
        content = base64.b64decode(self.file or b"")
        if not content:
            raise UserError(self.env._("Choose a file with rules first."))
        if len(content) > MAX_BYTES:
            raise UserError(self.env._("The file is too large to be an export of rules."))
        try:
            return json.loads(content)
        except ValueError as error:
            raise UserError(self.env._("The file can't be read: %(error)s", error=error)) from error
