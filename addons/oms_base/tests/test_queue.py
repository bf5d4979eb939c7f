from types import SimpleNamespace
from unittest.mock import Mock

from psycopg2.errors import DeadlockDetected, SerializationFailure

from odoo.exceptions import UserError
from odoo.tests import BaseCase, tagged

from odoo.addons.oms_base.models.oms_queue_mixin import QueueRetry
from odoo.addons.oms_base.tests.common import OmsBaseCommon

from ..tools import work_undisturbed


@tagged("post_install", "-at_install")
class TestQueueBackoff(OmsBaseCommon):
    """The rows themselves are tested where there are some, in `oms_channels`."""

    def test_backoff_doubles_and_is_capped(self):
        queue = self.env["oms.queue.mixin"]
        self.assertLess(queue._get_queue_backoff(1), 20)
        self.assertGreater(queue._get_queue_backoff(4), 80)
        self.assertLessEqual(queue._get_queue_backoff(50), 3600 * 1.25)

    def test_a_user_error_is_final_and_others_are_not(self):
        queue = self.env["oms.queue.mixin"]
        self.assertFalse(queue._is_retryable_queue_error(UserError("x")))
        self.assertTrue(queue._is_retryable_queue_error(QueueRetry("x", 5)))
        self.assertTrue(queue._is_retryable_queue_error(KeyError("x")))


class TestWorkUndisturbed(BaseCase):
    def setUp(self):
        super().setUp()
        self.fake_env = SimpleNamespace(cr=Mock())

    def test_work_is_done_again_in_a_new_transaction(self):
        work = Mock(side_effect=[SerializationFailure(), DeadlockDetected(), None])
        self.assertTrue(work_undisturbed(self.fake_env, work))
        self.assertEqual((work.call_count, self.fake_env.cr.rollback.call_count), (3, 2))

    def test_work_that_never_gets_through_is_given_up(self):
        self.assertFalse(work_undisturbed(self.fake_env, Mock(side_effect=SerializationFailure)))

    def test_other_errors_are_not_hidden(self):
        with self.assertRaises(ValueError):
            work_undisturbed(self.fake_env, Mock(side_effect=ValueError))
