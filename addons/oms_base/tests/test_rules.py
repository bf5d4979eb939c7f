from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestRules(OmsBaseCommon):
    def _create_rule(self, domain, **values):
        return self.env["oms.rule"].create(
            {
                "name": "Large order",
                "domain": domain,
                "hold_type_id": self.env.ref("oms_base.oms_hold_type_manual").id,
                **values,
            }
        )

    def test_rule_puts_its_hold_with_its_version(self):
        rule = self._create_rule("[('amount_total', '>', 50)]")
        order = self._create_order()
        order._oms_review()
        self.assertEqual(order.oms_hold_ids.rule_id, rule)
        rule.domain = "[('amount_total', '>', 500)]"
        self.assertEqual(rule.version, 2)
        order._oms_review()
        self.assertEqual(order.oms_hold_ids.state, "released")
        self.assertEqual(
            order.oms_decision_ids.sorted("id")[0].data["matched"],
            [{"id": rule.id, "name": "Large order", "version": 1}],
        )

    def test_rule_of_another_channel_or_company_does_not_match(self):
        other = self.env["oms.channel"].create({"name": "Other", "code": "other"})
        company = self.env["res.company"].create({"name": "Other"})
        self._create_rule("[]", channel_ids=[(6, 0, other.ids)])
        self._create_rule("[]", company_id=company.id)
        order = self._create_order()
        order._oms_review()
        self.assertFalse(order.oms_hold_ids)

    def test_unreadable_or_unknown_conditions_are_refused(self):
        for domain in ("[('no_such_field', '=', 1)]", "__import__('os')", "[("):
            with self.assertRaises(ValidationError):
                self._create_rule(domain)
