from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestPlainOrders(OmsBaseCommon):
    """An order without a channel is none of our business, whatever the rules say."""

    def test_nothing_of_ours_happens(self):
        order = self._create_order(
            [(self.mouse, 99)], channel_id=False, partner_id=self.env["res.partner"].create({"name": "x"}).id
        )
        self.assertIs(order.action_confirm(), True)
        self.assertEqual(order.state, "sale")
        self.assertFalse(order.oms_stage or order.oms_event_ids or order.oms_decision_ids or order.oms_hold_ids)
        self.assertFalse(order.oms_has_shortage)
