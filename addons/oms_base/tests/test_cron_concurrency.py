from unittest.mock import Mock, patch

from psycopg2.errors import SerializationFailure

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.base.models.ir_cron import IrCron

from .common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestCronConcurrency(OmsBaseCommon):
    """A job of the suite that meets concurrent updates has not failed: requests are repeated too."""

    def _run(self, xmlid, *outcomes):
        """Let the scheduler call a job that ends so, and return how often it was called."""
        action = Mock(side_effect=outcomes)
        self.patch(IrCron, "_callback", lambda cron, name, action_id: action())
        with patch.object(self.env.cr, "rollback"), mute_logger("odoo.addons.oms_base.models.ir_cron"):
            self.env.ref(xmlid)._callback("Job", 1)
        return action.call_count

    def test_job_is_run_again(self):
        self.assertEqual(self._run("oms_base.ir_cron_check_rules", SerializationFailure(), None), 2)

    def test_job_that_never_gets_through_comes_back(self):
        triggers = [("cron_id", "=", self.env.ref("oms_base.ir_cron_check_rules").id)]
        self.env["ir.cron.trigger"].search(triggers).unlink()
        self._run("oms_base.ir_cron_check_rules", *[SerializationFailure() for _try in range(9)])
        self.assertEqual(self.env["ir.cron.trigger"].search_count(triggers), 1)

    def test_jobs_of_others_are_odoos(self):
        with self.assertRaises(SerializationFailure):
            self._run("base.autovacuum_job", SerializationFailure(), None)

    def test_other_errors_are_failures(self):
        with self.assertRaises(ValueError):
            self._run("oms_base.ir_cron_check_rules", ValueError(), None)
