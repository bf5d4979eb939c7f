from odoo import api, models

from . import domain_words


class OmsHold(models.Model):
    """What rules say of the holds they put."""

    _inherit = "oms.hold"

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
