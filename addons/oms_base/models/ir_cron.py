from datetime import timedelta

from odoo import api, fields, models

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

    @api.model
    def _oms_hear_changes(self):
        """Let a job that runs for long hear, between its batches, what others changed of cached records (rules,
        calendars, areas); Odoo itself listens before each job only.

        :return: False when the models themselves changed: the job ends, and is started anew with them
        """
        return self.pool.check_signaling() is self.pool
