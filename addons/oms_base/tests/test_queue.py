from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.oms_base.models.oms_queue_mixin import QueueRetry
from odoo.addons.oms_base.tests.common import OmsBaseCommon


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
