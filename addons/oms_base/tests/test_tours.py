from odoo.tests import HttpCase, tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestTours(OmsBaseCommon, HttpCase):
    def test_reviewer_settles_a_hold(self):
        """From the overview to the hold, released with a click, as a customer service user."""
        order = self._create_order(channel_amount_total=1)
        order._oms_review()
        self.channel.auto_confirm = False
        self._create_order()
        self.start_tour("/odoo/oms", "oms_base_hold_tour", login="oms_user")
        self.assertEqual(order.oms_hold_ids.state, "released")
        self.assertEqual(order.oms_hold_ids.release_user_id, self.user)

    def test_reviewer_works_at_the_desk(self):
        """With the keyboard through a queue, an address corrected, another among many, and a batch released with one
        refusal."""
        self.env["oms.hold"].search([("state", "=", "active")])._release("Not of this test")
        first, *others = (
            self._create_order()._oms_place_hold("manual", reason, data={"stock": 7})
            for reason in ("Alpha case", "Beta case", "Gamma case", "Delta case")
        )
        wrong = self._create_order(partner_id=self._create_buyer("李四", street=False).id)
        wrong._oms_review()
        refused = self._create_order()._oms_place_hold("credit", "Owes too much")
        self.env.flush_all()
        self.start_tour("/odoo/oms-desk", "oms_review_desk_tour", login="oms_user")
        self.assertEqual((first.resolution, first.release_user_id), ("unchanged", self.user))
        self.assertEqual(wrong.partner_shipping_id.street, "龙井路 1 号")
        self.assertEqual(wrong.oms_hold_ids.state, "released")
        self.assertEqual({hold.release_comment for hold in others}, {"Looked at together"})
        self.assertEqual(others[0].order_id.partner_shipping_id.street, "龙井路 9 号")
        self.assertEqual(refused.state, "active")

    def test_manager_rehearses_a_rule(self):
        """From the list of rules to an order that a draft would hold; the scheduler is run by the tour itself."""
        self.env["oms.rule"].search([]).state = "draft"
        self._create_rule("[('amount_total', '>', 50)]", name="Tour draft", state="draft", sequence=-1)
        orders = self._create_order() | self._create_order([(self.mouse, 1)])
        self.start_tour("/odoo/action-oms_base.oms_rule_action", "oms_base_rehearsal_tour", login="admin")
        rehearsal = self.env["oms.rehearsal"].search([("rule_ids.name", "=", "Tour draft")])
        self.assertEqual(rehearsal.line_ids.order_id & orders, orders[0])
        self.assertFalse(orders.oms_hold_ids)

    def test_customer_service_merges_orders(self):
        """One proposal by its row, the rest at once."""
        self.env["oms.rule"].search([]).state = "draft"
        buyers = [self._create_buyer(name, street=f"{name} 1") for name in ("Tour buyer", "Other buyer")]
        pairs = [
            self._create_order(partner_id=buyer.id) | self._create_order([(self.mouse, 1)], partner_id=buyer.id)
            for buyer in buyers
        ]
        self.start_tour(
            "/odoo/action-oms_base.oms_merge_proposals_open_action", "oms_base_merge_tour", login="oms_user"
        )
        for orders in pairs:
            self.assertEqual(orders.oms_delivery_group_ids.order_ids, orders)
