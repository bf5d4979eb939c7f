from contextlib import closing
from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.sql_db import connection_info_for
from odoo.tests import tagged

from odoo.addons.oms_base.models import ir_cron_alarm

from .common import OmsBaseCommon

JOB = "oms_base.ir_cron_review_lane_0"


@tagged("post_install", "-at_install")
class TestCronAlarm(OmsBaseCommon):
    """A job that is to come back in seconds does not wait for the scheduler's next minute."""

    def setUp(self):
        super().setUp()
        self.job, self.now = self.env.ref(JOB), fields.Datetime.now()
        self.timer = self.startPatcher(patch.object(ir_cron_alarm, "Timer"))
        self.startPatcher(patch.object(ir_cron_alarm, "_alarms", set()))

    def _trigger_in(self, seconds):
        """Have the job run in so many seconds; return in how many alarms will ring."""
        self.job._oms_trigger_at(self.now + timedelta(seconds=seconds))
        self.assertFalse(self.timer.called, "not before what is to be done is there")
        self.env.cr.postcommit.run()
        delays = [call.args[0] for call in self.timer.call_args_list]
        self.timer.reset_mock()
        return delays

    def _get_dates(self):
        return self.env["ir.cron.trigger"].search([("cron_id", "=", self.job.id)]).mapped("call_at")

    def test_job_that_is_due_soon_is_woken_then(self):
        [delay] = self._trigger_in(30)
        self.assertTrue(0 < delay < 31)
        self.assertIn(self.now + timedelta(seconds=30), self._get_dates())

    def test_what_is_due_together_is_woken_once(self):
        self.assertTrue(self._trigger_in(30))
        self.assertFalse(self._trigger_in(30))
        self.assertTrue(self._trigger_in(32))

    def test_what_is_later_is_left_to_the_scheduler(self):
        self.assertFalse(self._trigger_in(600))
        self.assertIn(self.now + timedelta(seconds=600), self._get_dates())

    def test_what_is_due_is_woken_by_odoo(self):
        self.assertFalse(self._trigger_in(-5))
        self.assertGreaterEqual(max(self._get_dates()), self.now)

    def test_alarm_wakes_the_workers(self):
        _name, info = connection_info_for("postgres")
        with closing(psycopg2.connect(**info)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("LISTEN cron_trigger")
            at = self.now + timedelta(seconds=1)
            ir_cron_alarm._alarms.add((self.env.cr.dbname, at))
            ir_cron_alarm._ring(self.env.cr.dbname, at)
            # PostgreSQL delivers what was told before a question with its answer; by itself it takes its time
            cursor.execute("SELECT 1")
            self.assertIn(self.env.cr.dbname, [notice.payload for notice in connection.notifies])
        self.assertFalse(ir_cron_alarm._alarms, "the next one is set again")

    def test_alarm_that_cannot_ring_harms_nobody(self):
        with (
            patch.object(ir_cron_alarm.sql_db, "db_connect", side_effect=psycopg2.OperationalError("gone")),
            self.assertLogs(ir_cron_alarm._logger, "WARNING"),
        ):
            ir_cron_alarm._ring(self.env.cr.dbname, self.now)
