from odoo.tests import tagged

from odoo.addons.oms_base.const import STAGE_NUMBERS, STAGES
from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestStage(OmsBaseCommon):
    def test_way_of_an_order(self):
        order = self._create_order()
        self.assertEqual(order.oms_stage, "new")
        order.action_confirm()
        self.assertEqual((order.oms_stage, order.oms_stage_number), ("ready", 40))

    def test_shortage_waits(self):
        self.env["oms.rule"].search([]).active = False
        order = self._create_order([(self.mouse, 99)])
        order.action_confirm()
        order.picking_ids.do_unreserve()
        self.assertEqual(order.oms_stage, "waiting")

    def test_cancelled(self):
        order = self._create_order()
        order._action_cancel()
        self.assertEqual((order.oms_stage, order.oms_stage_number), ("cancel", 100))

    def test_numbers_follow_the_order_of_the_stages(self):
        numbers = [STAGE_NUMBERS[stage] for stage, _label in STAGES]
        self.assertEqual(numbers, sorted(numbers))

    def test_confirming_keeps_the_time_the_buyer_ordered(self):
        order = self._create_order(date_order="2026-11-11 00:00:01")
        order.action_confirm()
        self.assertEqual(str(order.date_order), "2026-11-11 00:00:01")
        plain = self._create_order(channel_id=False, date_order="2026-11-11 00:00:01")
        plain.action_confirm()
        self.assertNotEqual(str(plain.date_order), "2026-11-11 00:00:01")

    def test_the_board_shows_the_stages_in_their_order(self):
        self._create_order()
        Order = self.env["sale.order"].with_context(read_group_expand=True)
        groups = Order.web_read_group([("channel_id", "=", self.channel.id)], ["oms_stage"], ["__count"])
        stages = [group["oms_stage"] for group in groups["groups"]]
        self.assertEqual(stages[:2], ["new", "held"])
