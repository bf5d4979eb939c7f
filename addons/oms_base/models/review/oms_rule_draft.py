from odoo import fields, models


class OmsRule(models.Model):
    """A change of a live rule: built and rehearsed as a draft while the rule goes on, and handed over when it is put to
    work."""

    _inherit = "oms.rule"

    replaces_id = fields.Many2one(
        "oms.rule",
        string="Change Of",
        copy=False,
        readonly=True,
        index="btree_not_null",
        ondelete="cascade",
        help="This draft takes the place of that rule when it goes live.",
    )

    def action_draft_change(self):
        """Open a draft copy of this rule, to be changed and rehearsed while the rule goes on."""
        self.ensure_one()
        draft = self.search([("replaces_id", "=", self.id), ("state", "=", "draft")], limit=1)
        if not draft:
            draft = self.copy({"name": self.name, "replaces_id": self.id, "set_id": self.set_id.id})
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": draft.id,
            "views": [(False, "form")],
        }

    def action_go_live(self):
        """Override: a draft that is a change of another rule hands its content over and is gone."""
        drafts = self.filtered(lambda rule: rule.replaces_id and rule.action_ids)
        for draft in drafts:
            draft._hand_over()
        return super(OmsRule, self - drafts).action_go_live()

    def _hand_over(self):
        """Give this draft's content to the rule it is a change of, as that rule's next version, in all languages."""
        self.ensure_one()
        rule, content = self.replaces_id, set(self._get_content_fields()) - {"action_ids"}
        values = {name: value for name, value in self.copy_data()[0].items() if name in content}
        self.copy_translations(rule, excluded=[name for name in self._fields if name not in content])
        self.with_context(oms_in_rule=True)._hand_over_actions(rule.with_context(oms_in_rule=True))
        rule.write({**values, "state": "live"})
        self.unlink()

    def _hand_over_actions(self, rule):
        """Bring the actions of ``rule`` in line with those of this draft. They stay the same records where they can:
        what they did to orders, such as gifts, is known by them."""
        gone = rule.action_ids
        for action in self.action_ids:
            own = gone.filtered(lambda other, action=action: other.type == action.type)[:1]
            if not own:
                action.rule_id = rule
                continue
            gone -= own
            own.write({name: value for name, value in action.copy_data()[0].items() if name != "rule_id"})
            action.copy_translations(own)
        gone.unlink()
