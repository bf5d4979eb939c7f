from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestSecurity(OmsBaseCommon):
    def test_other_companies_are_not_seen(self):
        company = self.env["res.company"].create({"name": "Other"})
        channel = self.env["oms.channel"].create({"name": "Theirs", "code": "theirs", "company_id": company.id})
        self.assertFalse(self.env["oms.channel"].with_user(self.manager).search([("id", "=", channel.id)]))

    def test_only_managers_set_up(self):
        for user in (self.user, self.operator, self.accountant):
            with self.assertRaises(AccessError):
                self.env["oms.channel"].with_user(user).create({"name": "x", "code": "x"})
            with self.assertRaises(AccessError):
                self.env["oms.hold.type"].with_user(user).create({"name": "x", "code": "x"})
        self.env["oms.channel"].with_user(self.manager).create({"name": "x", "code": "x"})

    def test_warehouse_operator_reads_holds_but_settles_none(self):
        order = self._create_order()
        hold = order._oms_place_hold("manual", "x")
        self.assertTrue(hold.with_user(self.operator).reason)
        with self.assertRaises(AccessError):
            hold.with_user(self.operator).action_release()

    def test_no_hold_by_hand_around_the_rules(self):
        with self.assertRaises(AccessError):
            self.env["oms.hold"].with_user(self.user).create(
                {"order_id": self._create_order().id, "type_id": 1, "gate": "ship", "reason": "x"}
            )
