from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestHoldApprovals(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.finance = cls.env.ref("oms_base.oms_hold_type_finance")
        cls.service_step, cls.finance_step = cls.finance.step_ids
        cls.colleague = cls._create_user("oms_colleague", "oms_base.oms_base_group_user")

    def _hold(self, hold_type="finance", **values):
        return self._create_order()._oms_place_hold(hold_type, "Look at it", values=values)

    def _stand_in(self, user, substitute, **values):
        return self.env["oms.substitute"].create({"user_id": user.id, "substitute_id": substitute.id, **values})

    def test_steps_are_approved_in_their_order(self):
        hold = self._hold()
        with self.assertRaisesRegex(AccessError, "OMS / User"):
            hold.with_user(self.accountant).action_release()
        hold.with_user(self.user).action_release("called the buyer")
        self.assertEqual((hold.state, hold.next_step_id, hold.approval_count), ("active", self.finance_step, 1))
        self.assertIn(self.accountant.name, hold.next_approvers)
        hold.with_user(self.accountant).action_release()
        self.assertEqual((hold.state, hold.release_user_id), ("released", self.accountant))
        self.assertRecordValues(
            hold.approval_ids,
            [
                {"step_id": self.service_step.id, "user_id": self.user.id, "comment": "called the buyer"},
                {"step_id": self.finance_step.id, "user_id": self.accountant.id, "comment": False},
            ],
        )
        events = hold.order_id.oms_event_ids.sorted("id").filtered(lambda event: event.res_id == hold.id)
        self.assertEqual(events.mapped("code"), ["held", "approved", "approved", "released"])

    def test_nobody_approves_two_steps(self):
        hold = self._hold()
        hold.with_user(self.manager).action_release()
        with self.assertRaisesRegex(AccessError, "Another person"):
            hold.with_user(self.manager).action_release()
        self.assertFalse(hold.with_user(self.manager).can_release)
        self.assertEqual(hold.state, "active")

    def test_one_person_approves_all_steps_where_the_type_allows_it(self):
        self.finance.is_four_eyes = False
        hold = self._hold()
        hold.with_user(self.manager).action_release()
        self.assertEqual((hold.state, len(hold.approval_ids)), ("released", 2))

    def test_a_step_is_asked_only_from_its_amount(self):
        self.finance_step.amount_from = 1000
        hold = self._hold()
        hold.with_user(self.user).action_release()
        self.assertEqual(hold.state, "released")
        dear = self._hold()
        dear.order_id.order_line[0].price_unit = 5000
        dear.with_user(self.user).action_release()
        self.assertEqual(dear.state, "active")

    def test_amounts_are_compared_in_the_currency_of_the_company(self):
        currency = self.env["res.currency"].create({"name": "TST", "symbol": "t", "rounding": 0.01})
        self.env["res.currency.rate"].create({"currency_id": currency.id, "rate": 100.0, "name": "2020-01-01"})
        pricelist = self.env["product.pricelist"].create({"name": "TST", "currency_id": currency.id})
        self.finance_step.amount_from = 1000
        order = self._create_order(pricelist_id=pricelist.id)
        order.order_line[0].price_unit = 20000
        hold = order._oms_place_hold("finance", "x")
        hold.with_user(self.user).action_release()
        self.assertEqual(hold.state, "released", "40000 of a currency that is worth a hundredth are 400")

    def test_repeating_and_another_service_user_change_nothing(self):
        hold = self._hold()
        hold.with_user(self.user).action_release()
        for user in (self.user, self.colleague):
            with self.assertRaises(AccessError):
                hold.with_user(user).action_release()
        self.assertEqual(hold.approval_count, 1)

    def test_approvals_are_append_only(self):
        hold = self._hold()
        hold.with_user(self.user).action_release()
        with self.assertRaises(AccessError):
            hold.approval_ids.with_user(self.manager).write({"comment": "never"})
        with self.assertRaises(AccessError):
            hold.approval_ids.with_user(self.manager).unlink()

    def test_substitute_approves_by_the_right_of_the_absent(self):
        self._stand_in(self.accountant, self.colleague)
        hold = self._hold()
        hold.with_user(self.user).action_release()
        hold.with_user(self.colleague).action_release()
        self.assertEqual(hold.state, "released")
        self.assertEqual(hold.approval_ids[-1].on_behalf_id, self.accountant)
        released = hold.order_id.oms_event_ids.filtered(lambda event: event.code == "released")
        self.assertIn(f"on behalf of {self.accountant.name}", released.message)
        self.assertEqual(released.user_id, self.colleague)

    def test_substitute_is_one_person_too(self):
        self._stand_in(self.accountant, self.user)
        hold = self._hold()
        hold.with_user(self.user).action_release()
        with self.assertRaises(AccessError):
            hold.with_user(self.user).action_release()

    def test_substitution_ends_and_belongs_to_a_company(self):
        today = fields.Date.today()
        self._stand_in(
            self.accountant,
            self.user,
            date_from=fields.Date.subtract(today, days=9),
            date_to=fields.Date.subtract(today, days=2),
        )
        other = self.env["res.company"].create({"name": "Other"})
        self._stand_in(self.accountant, self.user, company_id=other.id)
        with self.assertRaises(AccessError):
            self._hold("credit").with_user(self.user).action_release()
        self._stand_in(self.accountant, self.user)
        hold = self._hold("credit")
        hold.with_user(self.user).action_release()
        self.assertEqual(hold.state, "released")

    def test_only_ones_own_right_is_lent(self):
        Substitute = self.env["oms.substitute"]
        values = {"user_id": self.manager.id, "substitute_id": self.user.id}
        with self.assertRaises(AccessError):
            Substitute.with_user(self.user).create(values)
        own = Substitute.with_user(self.user).create({"user_id": self.user.id, "substitute_id": self.colleague.id})
        with self.assertRaises(AccessError):
            own.with_user(self.user).write({"user_id": self.manager.id})
        self.assertTrue(Substitute.with_user(self.manager).create(values))

    def test_accountant_releases_what_is_his(self):
        hold = self._hold("refund")
        hold.with_user(self.accountant).action_release("checked")
        self.assertEqual(hold.state, "released")

    def test_comment_is_asked_for_where_the_type_says_so(self):
        hold = self._hold("risk")
        with self.assertRaisesRegex(UserError, "needs a comment"):
            hold.with_user(self.user).action_release()
        hold.with_user(self.user).action_release("known buyer")
        self.assertEqual(hold.release_comment, "known buyer")

    def test_a_hold_is_not_released_by_a_write(self):
        hold = self._hold("manual")
        for vals in ({"state": "released"}, {"gate": "refund"}, {"auto_release_date": "2020-01-01"}):
            with self.assertRaises(AccessError):
                hold.with_user(self.manager).write(vals)
        hold.with_user(self.user).write({"release_comment": "still looking", "user_id": self.user.id})
        self.assertEqual(hold.user_id, self.user)

    def test_a_copied_type_keeps_its_steps(self):
        self.assertEqual(
            self.finance.copy({"code": "finance_2"}).step_ids.mapped("name"), ["Customer service", "Finance"]
        )

    def test_rights_cost_the_same_queries_for_many(self):
        def count(size):
            holds = self.env["sale.order"].create([self._prepare_order_values() for _i in range(size)])
            holds = holds._oms_place_hold("finance", "x").with_user(self.user)
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(set(holds.mapped("can_release")), {True})
            return self.env.cr.sql_log_count - before

        count(2)
        self.assertLessEqual(count(40), count(4) + 2)

    def test_who_has_to_approve_next_and_does_not_is_told_of(self):
        self.finance.escalate_hours = 4
        waiting, fresh, done = self._hold(), self._hold(), self._hold()
        for hold in (waiting, fresh, done):
            hold.with_user(self.user).action_release()
        done.with_user(self.accountant).action_release()
        old = (waiting | done).approval_ids
        self.env.flush_all()
        self.env.cr.execute("UPDATE oms_hold_approval SET date = '2020-01-01' WHERE id IN %s", [tuple(old.ids)])
        self.env.invalidate_all()
        self._run_cron("oms_base.ir_cron_escalate_holds")
        self.assertEqual([bool(hold.escalation_date) for hold in (waiting, fresh, done)], [True, False, False])
