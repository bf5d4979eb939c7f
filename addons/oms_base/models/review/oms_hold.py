from odoo import api, fields, models

from . import domain_words


class OmsHold(models.Model):
    """What rules say of the holds they put."""

    _inherit = "oms.hold"

    user_id = fields.Many2one(compute="_compute_user_id", store=True, readonly=False)

    @api.depends("order_id.oms_reviewer_id")
    def _compute_user_id(self):
        """Whoever an order is assigned to, by a rule or by hand, has its cases."""
        for hold in self:
            is_followed = hold.state == "active" and hold.order_id.oms_reviewer_id
            hold.user_id = hold.order_id.oms_reviewer_id if is_followed else hold.user_id

    def _get_reason_sentence(self, reason):
        """Override of the desk's: the sentence of the version that put the hold."""
        return reason.sudo().sentence or super()._get_reason_sentence(reason)  # sudo: oms.rule.version - its words only

    def _get_key_label(self, key):
        """Override of the desk's: conditions may look at fields behind the order."""
        try:
            return domain_words.resolve(key, self.env["sale.order"])[0] if "." in key else super()._get_key_label(key)
        except KeyError:  # a field that is gone since
            return key

    @api.model
    def _cron_release_holds(self):
        """Override of the hold's own: what rules held for stock or credit may be settled by what others did."""
        res = super()._cron_release_holds()
        self.env["sale.order"]._oms_judge_held()
        return res
