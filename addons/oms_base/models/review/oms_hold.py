from odoo import fields, models

from . import domain_words


class OmsHold(models.Model):
    """What a rule adds to the holds it puts."""

    _inherit = "oms.hold"

    version_id = fields.Many2one(
        "oms.rule.version", string="Rule Version", readonly=True, index="btree_not_null", ondelete="set null"
    )
    sentence = fields.Text(related="version_id.sentence", string="Rule in Words")
    group_id = fields.Many2one(
        "res.groups",
        string="May Be Released By",
        readonly=True,
        help="Set by the rule, instead of the hold type's own.",
    )

    def _get_rule_sentence(self):
        """Override of the desk's: the sentence of the version that put the hold."""
        return self.sudo().sentence or super()._get_rule_sentence()  # sudo: oms.rule.version - its words only

    def _get_key_label(self, key):
        """Override of the desk's: conditions may look at fields behind the order."""
        try:
            return domain_words.resolve(key, self.env["sale.order"])[0] if "." in key else super()._get_key_label(key)
        except KeyError:  # a field that is gone since
            return key

    def _get_release_group(self):
        """Override of the hold's own: a rule may name another group."""
        return self.group_id or super()._get_release_group()
