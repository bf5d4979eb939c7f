from odoo.tests import tagged

from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestRuleCarrier(FulfillmentCommon):
    """The action "carrier" of a rule: what nobody picks yet goes with it, also what has a transfer."""

    def test_rule_sets_the_carrier(self):
        free, claimed = self._create_delivery(), self._create_delivery()
        claimed.user_id = self.operator
        before = claimed.carrier_id
        self.env["oms.rule"].search([]).state = "draft"
        self._create_rule("[]", actions=[{"type": "carrier", "carrier_id": self.express.id}])
        (free | claimed).sale_id._oms_review()
        self.assertEqual((free.sale_id.carrier_id, free.carrier_id), (self.express, self.express))
        self.assertEqual(claimed.carrier_id, before, "somebody scans it")
