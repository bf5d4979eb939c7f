from datetime import timedelta

from odoo import fields, models

# The scheduler looks for triggers of the future once a minute, so a shorter time would change nothing.
COME_BACK_SECONDS = 10


class IrCron(models.Model):
    _inherit = "ir.cron"

    def _oms_come_back(self, skipped):
        """Wake these crons again soon when a run has passed over ``skipped``: rows that another transaction held just
        then. Nothing else would come back to them before the interval is over."""
        if self and skipped:
            # sudo: ir.cron - waking it is all that is done
            self.sudo()._trigger(at=fields.Datetime.now() + timedelta(seconds=COME_BACK_SECONDS))
