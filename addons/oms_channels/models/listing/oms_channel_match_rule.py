from odoo import api, fields, models

from ...matching import DEFAULT_RULES, MatchRule


class OmsChannelMatchRule(models.Model):
    """One way in which a channel's listings are recognised; they are tried in order."""

    _name = "oms.channel.match.rule"
    _description = "Matching Rule"
    _order = "channel_id, sequence, id"
    _rec_name = "kind"

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    sequence = fields.Integer(default=10)
    kind = fields.Selection(
        [
            ("sku", "SKU is our internal reference"),
            ("barcode", "Barcode is our barcode"),
            ("sku_barcode", "SKU is our barcode"),
            ("cleaned", "SKU without prefix, suffix and separators"),
            ("code", "SKU is in the table of codes"),
            ("title", "Title is our product's name"),
        ],
        required=True,
        default="sku",
        string="Recognise By",
    )
    prefix = fields.Char(help="What the shop puts before our reference.")
    suffix = fields.Char(help="What the shop puts behind our reference.")
    ignores_case = fields.Boolean(string="Ignore Case", default=True)
    ignores_separators = fields.Boolean(
        string="Ignore Separators", default=True, help="Blanks, hyphens, dots and the like make no difference."
    )

    @api.depends("kind")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for rule in self:
            rule.display_name = kinds.get(rule.kind)

    def _make_rule(self):
        self.ensure_one()
        return MatchRule(self.kind, self.prefix or "", self.suffix or "", self.ignores_case, self.ignores_separators)


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    match_rule_ids = fields.One2many("oms.channel.match.rule", "channel_id", string="Matching Rules", copy=True)
    code_ids = fields.One2many("oms.channel.code", "channel_id", string="Codes of the Shop")

    def _get_match_rules(self):
        """Return the `MatchRule`s of one channel in their order."""
        self.ensure_one()
        return tuple(rule._make_rule() for rule in self.match_rule_ids) or DEFAULT_RULES

    def _describe_match_rule(self, rule):
        """Return a `MatchRule` in words."""
        label = dict(self.env["oms.channel.match.rule"]._fields["kind"]._description_selection(self.env))[rule.kind]
        parts = [part for part in (rule.prefix, rule.suffix) if part]
        return f"{label} ({', '.join(parts)})" if parts and rule.kind == "cleaned" else label

    def action_preview_matching(self):
        """Show what the rules would do with the listings that are not matched yet; nothing is changed."""
        self.ensure_one()
        preview = self.env["oms.match.preview"]._create_for(self)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("What Would Match"),
            "res_model": preview._name,
            "res_id": preview.id,
            "views": [(False, "form")],
            "target": "new",
        }
