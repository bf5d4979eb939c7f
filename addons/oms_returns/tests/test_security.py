from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .common import OmsReturnsCommon


@tagged("post_install", "-at_install")
class TestSecurity(OmsReturnsCommon):
    def test_who_may_do_what(self):
        oms_return = self._ask(self._sell([(self.mouse, 1)]))
        oms_return.action_request()
        for user in (self.operator, self.accountant):
            with self.assertRaises(AccessError):
                oms_return.with_user(user).action_approve()
        oms_return.with_user(self.user).action_approve()
        self._receive(oms_return)
        with self.assertRaises(AccessError):
            self.env["oms.return.inspect"].with_user(self.user).create({"return_id": oms_return.id})
        self._inspect(oms_return)
        for user in (self.user, self.operator):
            with self.assertRaises(AccessError):
                oms_return.with_user(user).action_credit()

    def test_warehouse_and_accounting_write_nothing_by_hand(self):
        oms_return = self._ask(self._sell([(self.mouse, 1)]))
        for user in (self.operator, self.accountant):
            with self.assertRaises(AccessError):
                oms_return.with_user(user).state = "done"
            with self.assertRaises(AccessError):
                oms_return.line_ids.with_user(user).quantity = 5

    def test_nobody_sets_the_state_by_hand(self):
        oms_return = self._ask(self._sell([(self.mouse, 1)]))
        with self.assertRaises(AccessError):
            oms_return.with_user(self.manager).write({"state": "done"})
        with self.assertRaises(AccessError):
            self._ask(self._sell([(self.mouse, 1)]), state="approved")

    def test_lines_of_an_approved_return_are_fixed(self):
        oms_return = self._approve(self._sell([(self.mouse, 2)]), {self.mouse: 1})
        with self.assertRaises(AccessError):
            oms_return.line_ids.with_user(self.user).quantity = 2
        with self.assertRaises(AccessError):
            oms_return.with_user(self.user).line_ids = [Command.clear()]

    def test_inspections_are_written_by_the_wizard_only(self):
        oms_return = self._approve(self._sell([(self.mouse, 1)]))
        self._receive(oms_return)
        with self.assertRaises(AccessError):
            self.env["oms.return.inspection"].with_user(self.manager).create(
                {"line_id": oms_return.line_ids.id, "quantity": 1, "disposition": "restock"}
            )

    def test_what_decides_the_money_is_not_written_by_hand(self):
        oms_return = self._ask(self._sell([(self.mouse, 1)]))
        for name in ("quantity_cancelled", "qty_not_billed"):
            with self.assertRaises(AccessError):
                oms_return.line_ids.with_user(self.user).write({name: -5.0})
            with self.assertRaises(AccessError):
                oms_return.with_user(self.user).line_ids = [
                    Command.create({"sale_line_id": oms_return.line_ids.sale_line_id.id, name: 5.0})
                ]

    def test_goods_of_another_return_are_not_inspected(self):
        oms_return, other = (self._approve(self._sell([(self.mouse, 1)])) for _i in range(2))
        self._receive(oms_return)
        self._receive(other)
        wizard = self.env["oms.return.inspect"].with_user(self.operator).create({"return_id": oms_return.id})
        wizard.line_ids.line_id = other.line_ids
        with self.assertRaisesRegex(UserError, oms_return.name):
            wizard.action_inspect()

    def test_who_has_nothing_to_do_with_orders_reads_no_returns(self):
        employee = new_test_user(self.env, "oms_employee", groups="base.group_user")
        oms_return = self._ask(self._sell([(self.mouse, 1)]))
        for record in (oms_return, oms_return.line_ids, self.policy, self.reason):
            with self.assertRaises(AccessError):
                record.with_user(employee).check_access("read")
        for user in (self.user, self.operator, self.accountant):
            oms_return.with_user(user).check_access("read")

    def test_other_companies_stay_apart(self):
        oms_return = self._ask(self._sell([(self.mouse, 1)]))
        company = self.env["res.company"].create({"name": "Other Company"})
        stranger = new_test_user(
            self.env,
            "oms_stranger",
            groups="oms_base.oms_base_group_manager",
            company_id=company.id,
            company_ids=company.ids,
        )
        for record in (oms_return, oms_return.line_ids):
            self.assertFalse(record.with_user(stranger).search([("id", "in", record.ids)]))
            with self.assertRaises(AccessError):
                record.with_user(stranger).check_access("read")

    def test_buyers_see_their_own_returns_only(self):
        portal = new_test_user(self.env, "oms_portal", groups="base.group_portal", partner_id=self.buyer.id)
        stranger = new_test_user(self.env, "oms_portal_other", groups="base.group_portal")
        oms_return = self._ask(self._sell([(self.mouse, 1)]))
        for record in (oms_return, oms_return.line_ids):
            self.assertTrue(record.with_user(portal).search([("id", "=", record.id)]))
            self.assertFalse(record.with_user(stranger).search([("id", "=", record.id)]))
        with self.assertRaises(AccessError):
            oms_return.with_user(portal).buyer_note = "more"
