from odoo import api, fields, models


class OmsSourcingVersion(models.Model):
    """What a strategy once said: what decisions are stamped with. Written once, never changed."""

    _name = "oms.sourcing.version"
    _description = "Sourcing Strategy Version"
    _order = "strategy_id, number desc"

    strategy_id = fields.Many2one("oms.sourcing.strategy", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="strategy_id.company_id", store=True, index="btree_not_null")
    number = fields.Integer(required=True, readonly=True)
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one("res.users", string="By", readonly=True, default=lambda self: self.env.user)
    words = fields.Json(required=True, readonly=True, help="By language: its parts as [label, text] pairs.")
    text = fields.Text(string="What It Says", compute="_compute_text")
    changes = fields.Html(string="What Changed", compute="_compute_text", help="Compared with the version before.")

    _number_uniq = models.UniqueIndex("(strategy_id, number)", "The strategy already has a version of this number.")

    @api.depends("strategy_id", "number")
    def _compute_display_name(self):
        for version in self:
            version.display_name = f"{version.strategy_id.name} v{version.number}"

    @api.depends_context("lang")
    @api.depends("words")
    def _compute_text(self):
        for version in self:
            parts = dict(version._get_parts())
            version.text = "\n".join(f"{label}: {text}" for label, text in parts.items())
            before = version.strategy_id.version_ids.filtered(lambda other, v=version: other.number < v.number)
            old = dict(before.sorted("number", reverse=True)[:1]._get_parts())
            rows = [
                (label, old.get(label, ""), parts.get(label, ""))
                for label in dict.fromkeys([*parts, *old])
                if old.get(label, "") != parts.get(label, "")
            ]
            version.changes = self.env["ir.qweb"]._render("oms_base.rule_version_changes", {"rows": rows})

    def _get_parts(self):
        """Return the [label, text] pairs in the language of the context, else in the first one there is."""
        words = self.words or {}
        return words.get(self.env.lang or "en_US") or next(iter(words.values()), [])

    @api.model
    def _keep(self, strategy):
        """Make a version of what ``strategy`` says now, unless that is what its last version says."""
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        words = {code: strategy.with_context(lang=code)._get_parts() for code in languages}
        if strategy.version_id.words == words:
            return
        # sudo: oms.sourcing.version - nobody writes versions by hand; who may change the strategy makes one by doing so
        strategy.version_id = self.sudo().create(
            {"strategy_id": strategy.id, "number": strategy.version_id.number + 1, "words": words}
        )
