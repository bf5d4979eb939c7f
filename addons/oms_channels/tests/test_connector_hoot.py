from odoo.tests import no_retry, tagged

from odoo.addons.oms_base.tests.common import HootCase


@tagged("post_install", "-at_install")
class TestSampleTreeUnits(HootCase):
    @no_retry
    def test_paths_of_the_sample_tree(self):
        self._run_hoot("oms_channels")
