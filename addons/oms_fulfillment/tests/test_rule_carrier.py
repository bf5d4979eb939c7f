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

    def test_desk_sets_the_carrier_of_many(self):
        """Beside the day and the warehouse; what somebody scans is refused with the reason."""
        free, claimed = self._create_delivery(), self._create_delivery()
        claimed.user_id = self.operator
        before = claimed.carrier_id
        holds = (free | claimed).sale_id._oms_place_hold("manual", "Look")
        action = self.env["oms.review.desk"].with_user(self.user).open_correction(holds.ids)
        wizard = self.env["oms.desk.correction"].with_user(self.user).browse(action["res_id"])
        wizard.carrier_id = self.express
        answers = {answer["id"]: answer for answer in wizard.action_correct()["infos"]["answers"]}
        done, refused = (
            answers[order.oms_hold_ids.filtered(lambda hold: hold.state == "active").id]
            for order in (free.sale_id, claimed.sale_id)
        )
        self.assertTrue(done["ok"], done)
        self.assertEqual((free.sale_id.carrier_id, free.carrier_id), (self.express, self.express))
        self.assertFalse(refused["ok"])
        self.assertIn("with the warehouse already", refused["message"])
        self.assertEqual(claimed.carrier_id, before)
