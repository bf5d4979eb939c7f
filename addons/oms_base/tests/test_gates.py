from psycopg2 import IntegrityError

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestGates(OmsBaseCommon):
    def test_button_keeps_the_hold_and_says_so(self):
        order = self._create_order(channel_amount_total=1)
        result = order.with_user(self.user).action_confirm()
        self.assertEqual(order.state, "draft")
        self.assertEqual(result["tag"], "display_notification")
        self.assertIn(order.name, result["params"]["message"])

    def test_a_mixed_selection_confirms_the_free_ones(self):
        held, free = self._create_order(channel_amount_total=1), self._create_order()
        (held | free).with_user(self.user).action_confirm()
        self.assertEqual((held.state, free.state), ("draft", "sale"))

    def test_no_way_around_the_confirm_gate(self):
        order = self._create_order()
        order._oms_place_hold("address", "wrong street")
        with self.assertRaisesRegex(UserError, "wrong street"):
            order._action_confirm()

    def test_ship_gate_stops_the_transfer(self):
        order = self._create_order()
        order.action_confirm()
        order._oms_place_hold("manual", "stop this parcel")
        self.assertEqual(order.oms_stage, "held")
        with self.assertRaisesRegex(UserError, "stop this parcel"):
            self._deliver(order)
        with self.assertRaisesRegex(UserError, "stop this parcel"):
            order.oms_hold_ids.gate = "release"
            order.picking_ids.with_user(self.operator)._oms_check_release()

    def test_a_hold_on_a_gate_closes_the_gates_behind_it(self):
        order = self._create_order()
        order._oms_place_hold("address", "x")
        for gate in ("confirm", "allocate", "release", "ship"):
            self.assertFalse(order._oms_filter_open(gate), gate)
        self.assertTrue(order._oms_filter_open("refund"))

    def test_a_refund_hold_blocks_nothing_else(self):
        order = self._create_order()
        order._oms_place_hold("refund", "x")
        self.assertTrue(order._oms_filter_open("ship"))
        self.assertFalse(order._oms_filter_open("refund"))

    def test_release_is_a_right(self):
        order = self._create_order()
        hold = order._oms_place_hold("refund", "check the amount")
        with self.assertRaises(AccessError):
            hold.with_user(self.user).action_release()
        with self.assertRaises(AccessError):
            hold.with_user(self.operator).action_release()
        hold.with_user(self.manager).action_release("checked")
        self.assertEqual(
            (hold.state, hold.release_user_id, hold.release_comment), ("released", self.manager, "checked")
        )

    def test_one_active_hold_per_type(self):
        order = self._create_order()
        first = order._oms_place_hold("manual", "a")
        self.assertFalse(order._oms_place_hold("manual", "b"))
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            first.copy()
            self.env.flush_all()

    def test_released_twice_is_released_once(self):
        order = self._create_order()
        hold = order._oms_place_hold("manual", "a")
        hold.with_user(self.user).action_release()
        hold.with_user(self.user).action_release()
        self.assertEqual(len(order.oms_event_ids.filtered(lambda event: event.code == "released")), 1)

    def test_hold_releases_itself(self):
        order = self._create_order()
        self.env.ref("oms_base.oms_hold_type_manual").auto_release_hours = 1
        hold = order._oms_place_hold("manual", "a")
        self._run_cron("oms_base.ir_cron_release_holds")
        self.assertEqual(hold.state, "active")
        hold.auto_release_date = "2020-01-01"
        self._run_cron("oms_base.ir_cron_release_holds")
        self.assertEqual(hold.state, "released")

    def test_cancelling_closes_the_holds(self):
        order = self._create_order()
        hold = order._oms_place_hold("manual", "a")
        order._action_cancel()
        self.assertEqual((hold.state, order.oms_stage), ("released", "cancel"))
