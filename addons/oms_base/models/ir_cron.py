import logging
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import monotonic

from psycopg2.extensions import TransactionRollbackError

from odoo import api, fields, models
from odoo.sql_db import Cursor
from odoo.tools import SQL
from odoo.tools.misc import get_lang

from ..const import BATCH_SIZE
from ..tools import work_undisturbed

_logger = logging.getLogger(__name__)

# Whoever holds a row is mostly through by then.
COME_BACK_SECONDS = 2
# Scheduled actions of this priority, or a lower number, do not wait for others to end.
URGENT_PRIORITY = 0
# What is urgent waits for the end of a step, on a busy machine for that of each worker's: a step is to take so long.
STEP_SECONDS = 1.0
FIRST_STEP_SIZE = 10  # how long a row takes is not known yet


class IrCron(models.Model):
    """Background work that must be done within seconds, however busy the scheduler's workers are.

    A worker works its list of due actions from end to end, and Odoo lets each run for ten seconds and more: with a few
    lanes at work, what is woken now waits for all of them.
    """

    _inherit = "ir.cron"

    def _callback(self, cron_name, server_action_id):
        """Override: a job of the suite that met a concurrent update has not failed. It goes on from what it has
        committed, in a new transaction; where others never let it through, it comes back soon.

        Requests are repeated by the server, jobs by nobody. That an order refers to its channel is enough to meet
        somebody who has just noted something on the channel.

        What it writes for people to read (reasons, alerts, events) is in the language of the company, not in that of
        the scheduler's user, whom nobody ever gave one.
        """
        if not self._oms_is_of_suite():
            return super()._callback(cron_name, server_action_id)
        job = self.with_context(lang=get_lang(self.env).code)
        work = partial(super(IrCron, job)._callback, cron_name, server_action_id)
        if not work_undisturbed(self.env, work):
            _logger.warning("Job %r met concurrent updates only and comes back", cron_name)
            self._oms_come_back(self)
        return None

    def _oms_is_of_suite(self):
        """Return whether an addon of the suite brought this job: such a job can be ended between any two of its commits
        and run again."""
        return any(name.startswith("oms_") for name in self._get_external_ids()[self.id])

    def _commit_progress(self, processed=0, *, remaining=None, deactivate=False):
        """Override: between two steps of an action, when nothing is open, what is urgent is done first."""
        left = super()._commit_progress(processed, remaining=remaining, deactivate=deactivate)
        # A test's cursor commits nothing: there is no moment at which nothing is open.
        if self._oms_get_running() and isinstance(self.env.cr, Cursor):
            self._oms_run_urgent()
        return left

    def _oms_work_in_steps(self, rows, work, most=BATCH_SIZE):
        """Call ``work`` on one part of ``rows`` after the other and commit after each, until all are done or the job's
        time is over.

        Large parts cost less a row, but what is urgent waits for their end: each is as large as can be worked in
        `STEP_SECONDS`, as the part before it tells. So a busy machine takes smaller steps.

        :param work: function from the rows of a part to how many of them are done, the others come back at once
        :param most: rows in a part at the most
        :return: whether all were reached
        """
        size, start = min(FIRST_STEP_SIZE, most), 0
        while start < len(rows):
            part = rows[start : start + size]
            began = monotonic()
            done = work(part)
            seconds = monotonic() - began
            start += len(part)
            size = max(1, min(int(len(part) * STEP_SECONDS / max(seconds, 0.001)), most))
            if not self._commit_progress(done) or not self._oms_hear_changes():
                return start >= len(rows)
        return True

    def _oms_run_urgent(self):
        """Run the urgent actions that are due and that no worker has, in transactions of their own."""
        with self.env.registry.cursor() as cr:
            job_ids = self._query_urgent(cr)
        for job_id in job_ids:
            # Each on a cursor of its own, which ends it; an error says that another worker has just done it.
            with suppress(TransactionRollbackError), self.env.registry.cursor() as cr:
                if job := self._acquire_one_job(cr, job_id):
                    self.env.registry[self._name]._process_job(cr, job)

    def _query_urgent(self, cr):
        cr.execute(
            SQL(
                "SELECT id FROM ir_cron WHERE priority <= %s AND %s ORDER BY priority, id",
                URGENT_PRIORITY,
                self._get_ready_sql_condition(cr),
            )
        )
        return [job_id for (job_id,) in cr.fetchall()]

    def _oms_come_back(self, skipped):
        """Wake these crons again soon when a run has passed over ``skipped``: rows that another transaction held just
        then. Nothing else would come back to them before the interval is over."""
        if self and skipped:
            self._oms_trigger_at(fields.Datetime.now() + timedelta(seconds=COME_BACK_SECONDS))

    @api.model
    def _oms_get_running(self):
        """Return the job that the scheduler runs in this environment; none outside it."""
        return self.browse(self.env.context.get("cron_id"))

    def _oms_lock_due(self, rows, domain):
        """Lock and return what is free of ``rows`` and still in ``domain``; this cron comes back to the others."""
        locked = rows.try_lock_for_update()
        self._oms_come_back(rows - locked)
        return locked.filtered_domain(domain)

    @api.model
    def _oms_hear_changes(self):
        """Let a job that runs for long hear, between its batches, what others changed of cached records (rules,
        calendars, areas); Odoo itself listens before each job only.

        :return: False when the models themselves changed: the job ends, and is started anew with them
        """
        return self.pool.check_signaling() is self.pool
