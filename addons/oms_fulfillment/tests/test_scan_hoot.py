from odoo.tests import no_retry, tagged

from odoo.addons.oms_base.tests.common import HootCase


@tagged("post_install", "-at_install")
class TestScanUnits(HootCase):
    @no_retry
    def test_queue_and_screens(self):
        self._run_hoot("oms_fulfillment")
