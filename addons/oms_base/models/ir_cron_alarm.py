import logging
from datetime import datetime, timedelta
from functools import partial
from threading import Timer

import psycopg2

from odoo import fields, models, sql_db
from odoo.tools import SQL

from odoo.addons.base.models.ir_cron import ODOO_NOTIFY_FUNCTION

_logger = logging.getLogger(__name__)

# Odoo's workers look by themselves for what is due once a minute.
POLL_SECONDS = 60
# The clock of the database may be a little behind that of this process.
LATE_SECONDS = 0.05

# (database, time) of the alarms of this process that have not rung yet
_alarms = set()


class IrCron(models.Model):
    """A job that is to come back in seconds does: Odoo wakes its workers for what is due now, and what is due soon
    waits for the next full minute.

    The process that asks for it wakes them then. One that ends before leaves it to that minute, as ever.
    """

    _inherit = "ir.cron"

    def _oms_trigger_at(self, at):
        """Have this job run at ``at``, to the second where that is within a minute.

        :param at: datetime; None or a past one for now
        """
        now = fields.Datetime.now()
        self._trigger(at=max(at, now) if at else None)
        if at and now < at < now + timedelta(seconds=POLL_SECONDS):
            self.env.cr.postcommit.add(partial(_set_alarm, self.env.cr.dbname, at))


def _set_alarm(dbname, at):
    """Wake the workers of a database at ``at``; jobs that are due at the same time share an alarm."""
    if (dbname, at) in _alarms:
        return
    _alarms.add((dbname, at))
    seconds = max((at - datetime.now()).total_seconds(), 0) + LATE_SECONDS
    timer = Timer(seconds, _ring, (dbname, at))
    timer.daemon = True  # the minute's look is enough when this process ends
    timer.start()


def _ring(dbname, at):
    """Tell the workers as Odoo's `_notifydb` does; here is no environment of that database."""
    _alarms.discard((dbname, at))
    try:
        with sql_db.db_connect("postgres").cursor() as cr:
            cr.execute(SQL("SELECT %s('cron_trigger', %s)", SQL.identifier(ODOO_NOTIFY_FUNCTION), dbname))
    except psycopg2.Error as error:  # the minute's look does without
        _logger.warning("The workers of %s could not be woken: %s", dbname, error)
