from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestHoldEscalation(OmsBaseCommon):
    def _old_holds(self, size=1, hold_type="manual"):
        orders = self.env["sale.order"].create([self._prepare_order_values() for _index in range(size)])
        holds = orders._oms_place_hold(hold_type, "x")
        self.env.cr.execute("UPDATE oms_hold SET create_date = '2020-01-01' WHERE id IN %s", [tuple(holds.ids)])
        holds.invalidate_recordset()
        return holds

    def _escalate(self):
        self._run_cron("oms_base.ir_cron_escalate_holds")

    def test_an_untouched_hold_is_escalated_once(self):
        self.channel.user_id = self.manager
        old, young = self._old_holds(), self._create_order()._oms_place_hold("manual", "x")
        self._escalate()
        self.assertTrue(old.escalation_date)
        self.assertEqual((old.escalation_level, young.escalation_level), (1, 0))
        self.assertEqual(old.activity_ids.user_id, self.manager)
        first = old.escalation_date
        self._escalate()
        self.assertEqual((old.escalation_date, len(old.activity_ids)), (first, 1))
        events = old.order_id.oms_event_ids.filtered(lambda event: event.code == "escalated")
        self.assertEqual(len(events), 1)
        self.assertIn(self.manager.name, events.message)

    def test_the_type_names_who_is_told(self):
        hold_type = self.env.ref("oms_base.oms_hold_type_manual")
        hold_type.escalate_group_id = self.env.ref("oms_base.oms_base_group_accountant")
        hold = self._old_holds()
        self.assertIn(hold_type.escalate_group_id, hold._get_escalation_user().all_group_ids)
        hold_type.escalate_user_id = self.accountant
        self.assertEqual(hold._get_escalation_user(), self.accountant)

    def test_a_touched_hold_and_a_type_without_hours_are_left_alone(self):
        opened, commented, waiting = self._old_holds(), self._old_holds(), self._old_holds(hold_type="presale")
        opened.with_user(self.user)._touch()
        commented.with_user(self.user).message_post(body="I asked the buyer", message_type="comment")
        self.assertEqual(commented.touch_user_id, self.user)
        self._escalate()
        self.assertFalse((opened | commented | waiting).filtered("escalation_date"))

    def test_the_first_touch_stays_and_measures_the_handling(self):
        hold = self._old_holds()
        hold.with_user(self.user)._touch()
        hold.with_user(self.manager)._touch()
        self.assertEqual(hold.touch_user_id, self.user)
        hold.touch_date = "2020-01-01 10:00:00"
        hold.with_user(self.user).action_release()
        hold.release_date = "2020-01-01 10:06:30"
        self.assertAlmostEqual(hold.handling_minutes, 6.5)
        untouched = self._old_holds()
        untouched._release("gone")
        self.assertEqual(untouched.handling_minutes, 0)

    def test_release_takes_the_activity_away(self):
        hold = self._old_holds()
        self._escalate()
        self.assertTrue(hold.activity_ids)
        hold.with_user(self.user).action_release()
        self.assertFalse(hold.activity_ids)

    def test_escalating_many_costs_no_query_each(self):
        def count(size):
            holds = self._old_holds(size)
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            holds._escalate()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(2)
        few, many = count(4), count(40)
        self.assertLess(many, few + 5)
