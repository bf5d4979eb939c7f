from odoo.tests import HttpCase, tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestTours(OmsBaseCommon, HttpCase):
    def test_reviewer_settles_a_hold(self):
        """From the overview to the hold, released with a click, as a customer service user."""
        order = self._create_order(channel_amount_total=1)
        order._oms_review()
        self.channel.auto_confirm = False
        self._create_order()
        self.start_tour("/odoo/oms", "oms_base_hold_tour", login="oms_user")
        self.assertEqual(order.oms_hold_ids.state, "released")
        self.assertEqual(order.oms_hold_ids.release_user_id, self.user)
