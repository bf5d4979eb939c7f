from odoo.tests import no_retry, tagged

from .common import HootCase


@tagged("post_install", "-at_install")
class TestDeskUnits(HootCase):
    @no_retry
    def test_keys_and_neighbours(self):
        self._run_hoot("oms_base")
