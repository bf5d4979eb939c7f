import importlib.util

from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools.misc import file_path

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestHoldReasons(OmsBaseCommon):
    """Rules that ask for the same type of hold share one card, and none of their reasons is lost."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oms.rule"].search([]).state = "draft"
        cls.channel.auto_confirm = True
        review = "oms_base.oms_hold_type_review"
        cls.review = cls.env.ref(review)
        cls.by_address = cls._create_rule("[('partner_shipping_id.street', '=', False)]", review, name="No street")
        cls.by_amount = cls._create_rule("[('amount_total', '>', 50)]", review, name="Large")
        cls.order = cls._create_order(partner_id=cls._create_buyer("李四", street=False).id)
        cls.order._oms_review()
        cls.hold = cls.order.oms_hold_ids

    def _hold_by(self, **action):
        return self._create_rule("[]", actions=[{"type": "hold", "hold_type_id": self.review.id, **action}])

    def test_one_card_has_all_reasons(self):
        self.assertEqual(len(self.hold), 1)
        self.assertEqual(self.hold.reason, "No street\nLarge")
        self.assertEqual(self.hold.reason_ids.rule_id, self.by_address | self.by_amount)
        case = self.env["oms.review.desk"].with_user(self.user).get_case(self.hold.id)
        self.assertEqual([entry["reason"] for entry in case["reasons"]], ["No street", "Large"])
        self.assertIn("Total is above 50", case["reasons"][1]["rule"])
        self.order._oms_review()
        self.assertEqual(len(self.hold.reason_ids), 2)
        self.assertEqual([self.by_address.hold_count, self.by_amount.hold_count], [1, 1])

    def test_hold_settles_only_when_no_rule_holds_it(self):
        self.order.partner_shipping_id.street = "龙井路 1 号"
        self.order._oms_judge_changes()
        self.assertEqual((self.hold.state, self.hold.reason, self.hold.rule_id), ("active", "Large", self.by_amount))
        self.order.with_user(self.user).action_confirm()
        self.assertEqual(self.order.state, "draft")
        self.order.order_line.product_uom_qty = 0
        self.order._oms_judge_changes()
        self.assertEqual((self.hold.state, self.hold.resolution), ("released", "settled"))

    def test_release_lets_all_rules_of_the_card_pass(self):
        self.hold.with_user(self.user).action_release("called")
        self.order.with_user(self.user).action_confirm()
        self.assertEqual(self.order.state, "sale")

    def test_change_asks_again_for_what_it_touches(self):
        """Also when it comes in the very second of the release."""
        self.hold.with_user(self.user).action_release("called")
        self.order.order_line[0].product_uom_qty = 9
        self.order._oms_judge_changes()
        active = self.order.oms_hold_ids - self.hold
        self.assertEqual(active.reason_ids.rule_id, self.by_amount)

    def test_release_after_the_change_holds(self):
        self.order.order_line[0].product_uom_qty = 9
        self.hold.with_user(self.user).action_release("seen")
        self.order._oms_judge_changes()
        self.assertEqual(self.order.oms_hold_ids.mapped("state"), ["released"])

    def test_first_gate_counts_and_every_right_is_needed(self):
        manager = self.env.ref("oms_base.oms_base_group_manager")
        order = self._create_order([(self.mouse, 1)])
        later = self._hold_by(gate="ship", release_hours=1)
        order._oms_review()
        hold = order.oms_hold_ids
        self.assertEqual((hold.gate, bool(hold.auto_release_date)), ("ship", True))
        self._hold_by(gate="allocate", group_id=manager.id)
        order._oms_review()
        self.assertEqual((hold.gate, hold.auto_release_date), ("allocate", False))
        with self.assertRaises(AccessError):
            hold.with_user(self.user).action_release("no")
        later.state = "draft"
        hold.with_user(self.manager).action_release("yes")
        self.assertEqual(hold.state, "released")

    def test_refund_stands_apart(self):
        order = self._create_order([(self.mouse, 1)])
        self._hold_by(gate="refund")
        self._hold_by(gate="ship")
        order._oms_review()
        self.assertEqual(sorted(order.oms_hold_ids.mapped("gate")), ["refund", "ship"])

    def test_approvals_given_before_a_reason_came_are_asked_for_again(self):
        finance = self.env.ref("oms_base.oms_hold_type_finance")
        order = self._create_order([(self.mouse, 1)])
        hold = order._oms_place_hold(finance, "x").with_user(self.user)
        hold.action_release()
        self.assertEqual(hold.approval_count, 1)
        rule = self._create_rule("[]", "oms_base.oms_hold_type_finance")
        order._oms_review()
        self.assertEqual((hold.approval_count, hold.reason_ids.rule_id), (0, rule))

    def test_what_the_suite_stopped_stands_when_a_rule_lets_go(self):
        order = self._create_order([(self.keyboard, 2)])
        order._oms_review()
        order._oms_place_hold(self.review, "by hand")
        order._oms_place_hold(self.review, "by hand again")
        hold = order.oms_hold_ids
        self.assertEqual(hold.reason, "Large\nby hand")
        order.order_line.product_uom_qty = 1
        order._oms_judge_changes()
        self.assertEqual((hold.state, hold.reason, hold.rule_id.id), ("active", "by hand", False))
        hold._settle_own_reasons("gone")
        self.assertEqual(hold.state, "released")

    def test_rule_passes_only_what_rules_alone_put_and_nobody_approves(self):
        finance = self._create_rule("[]", "oms_base.oms_hold_type_finance")
        order = self._create_order()
        order._oms_place_hold("error", "by the suite")
        order._oms_place_hold("edited", "by the shop")
        order._oms_review()
        self._create_rule("[]", sequence=99, actions=[{"type": "approve", "severity": "3"}])
        order._oms_review()
        active = order.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        self.assertEqual(set(active.type_id.mapped("code")), {"error", "edited", "finance"})
        other = self._create_order()
        other._oms_review()
        self.assertEqual(other.oms_hold_ids.rule_id, finance)

    def test_figures_are_those_of_each_rule(self):
        self.order.partner_shipping_id.street = "龙井路 1 号"
        self.order._oms_judge_changes()
        self.hold.action_release("fine")
        self.env.flush_all()
        self.env.cr.execute("UPDATE oms_hold SET handling_minutes = 3 WHERE id = %s", [self.hold.id])
        rows = self.env["oms.rule.report"]._read_group(
            [("rule_id", "in", (self.by_address | self.by_amount).ids)],
            ["rule_id"],
            ["held:sum", "settled:sum", "false_alarms:sum", "acted:sum", "handling_minutes:sum"],
        )
        self.assertEqual(
            {rule: tuple(figures) for rule, *figures in rows},
            {self.by_address: (1, 1, 0, 0, 1.5), self.by_amount: (1, 0, 0, 1, 1.5)},
        )
        self.assertEqual([self.by_address.decided_count, self.by_amount.decided_count], [0, 1])

    def test_reopened_order_gets_all_reasons_back(self):
        self.order._action_cancel()
        self.order.with_user(self.user).action_draft()
        active = self.order.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        self.assertEqual(active.reason_ids.rule_id, self.by_address | self.by_amount)

    def test_reopened_order_is_looked_at_anew(self):
        self.hold.with_user(self.user)._touch()
        self.hold._escalate()
        self.hold.release_comment = "the buyer did not want it"
        self.order._action_cancel()
        self.order.with_user(self.user).action_draft()
        active = self.order.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        for name in ("touch_date", "escalation_date", "release_comment", "release_number", "resolution"):
            self.assertFalse(active[name], name)
        self.order._oms_review()
        self.order.order_line[0].product_uom_qty = 7
        active.with_user(self.user).action_release("put right")
        self.assertEqual(active.resolution, "corrected")

    def test_reasons_are_nobodys_to_write(self):
        for values in ({"name": "x"}, {"settled_date": "2020-01-01"}):
            with self.assertRaises(AccessError):
                self.hold.reason_ids.with_user(self.user).write(values)
        with self.assertRaises(AccessError):
            self.hold.with_user(self.user).write({"reason_ids": [Command.clear()]})

    def test_holds_of_an_older_version_get_their_reason(self):
        self.hold.action_release("called")
        number = self.hold.release_number
        self.order.order_line[0].product_uom_qty = 3
        changes = dict(self.order.oms_changes)
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM oms_hold_reason WHERE hold_id = %s", [self.hold.id])
        self.env.cr.execute("UPDATE oms_hold SET release_number = NULL WHERE id = %s", [self.hold.id])
        old = '{"lines": "2026-01-01 00:00:00"}'
        self.env.cr.execute("UPDATE sale_order SET oms_changes = %s WHERE id = %s", [old, self.order.id])
        path = file_path("oms_base/migrations/19.0.2.2.0/post-hold_reasons.py")
        spec = importlib.util.spec_from_file_location("post_hold_reasons", path)
        script = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(script)
        for _run in range(2):
            script.migrate(self.env.cr, "19.0.2.1.0")
            self.env.invalidate_all()
            reason = self.hold.reason_ids
            self.assertEqual((reason.rule_id, reason.name, reason.gate), (self.by_address, self.hold.reason, "confirm"))
            self.assertEqual((self.hold.release_number, self.order.oms_changes), (number, changes))
