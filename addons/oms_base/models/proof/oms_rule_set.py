from odoo import models


class OmsRuleSet(models.Model):
    _inherit = "oms.rule.set"

    def action_rehearse(self):
        """Rehearse the whole set over the orders of the last 30 days, as if its calendar ran."""
        self.ensure_one()
        company = {"company_id": self.company_id.id} if self.company_id else {}
        rehearsal = self.env["oms.rehearsal"].create({"set_id": self.id, **company})
        return rehearsal._start_and_open()
