from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestChanges(OmsBaseCommon):
    """What changes after the review is judged again, and only by what depends on it."""

    def setUp(self):
        super().setUp()
        self.channel.auto_confirm = False
        self.order = self._create_order()
        self.order._oms_review()

    def _judge(self, order):
        before = self.env["oms.decision"].search_count([("order_id", "=", order.id)])
        self._run_cron(f"oms_base.ir_cron_review_lane_{order.id % 2}")
        decision = self.env["oms.decision"].search([("order_id", "=", order.id)], limit=1)
        return (
            decision
            if self.env["oms.decision"].search_count([("order_id", "=", order.id)]) > before
            else decision.browse()
        )

    def test_changed_address_is_judged_by_address_rules_only(self):
        self.order.partner_shipping_id = self._create_buyer("李四", street=False)
        self.assertEqual(self.order.oms_pending_parts, "address")
        decision = self._judge(self.order)
        self.assertEqual(self.order.oms_hold_ids.type_id.code, "address")
        self.assertEqual([match["name"] for match in decision.data["matched"]], ["Incomplete delivery address"])
        specs = self.env["oms.rule"]._get_specs(("received", "confirm"), self.order.oms_review_date)
        self.assertLess(decision.data["judged"], len(specs))
        self.assertFalse(self.order.oms_pending_parts)

    def test_corrected_contact_releases_the_hold(self):
        buyer = self._create_buyer("李四", street=False)
        order = self._create_order(partner_id=buyer.id)
        order._oms_review()
        buyer.street = "龙井路 1 号"
        self._judge(order)
        self.assertEqual((order.oms_hold_ids.state, order.oms_hold_ids.resolution), ("released", "settled"))

    def test_changed_line_is_judged_by_what_reads_lines(self):
        rule = self._create_rule("[('amount_total', '>', 500)]")
        self.order.order_line[0].product_uom_qty = 100
        self.assertEqual(self.order.oms_pending_parts, "lines")
        self._judge(self.order)
        self.assertIn(rule, self.order.oms_hold_ids.rule_id)
        self.assertIn("shortage", self.order.oms_hold_ids.type_id.mapped("code"))

    def test_who_was_let_pass_still_is_after_a_change(self):
        """A rule that stops others, or lets orders pass, decides though nothing of what it looks at has changed."""
        self.env["oms.rule"].search([]).state = "draft"
        domain = "[('client_order_ref', '=', 'VIP')]"
        self._create_rule("[('amount_total', '>', 500)]", sequence=2)
        for values in ({"is_stop": True}, {"actions": [{"type": "approve", "severity": "3"}, {"type": "seal"}]}):
            deciding = self._create_rule(domain, **{"actions": [{"type": "seal"}], "sequence": 1, **values})
            order, other = self._create_order(client_order_ref="VIP"), self._create_order()
            (order | other)._oms_review()
            self.assertTrue(order.oms_is_sealed)
            order.oms_is_sealed = False
            for changed in (order, other):
                changed.order_line[0].product_uom_qty = 100
                self._judge(changed)
            self.assertFalse(order.oms_hold_ids, values)
            self.assertFalse(order.oms_is_sealed, "it was not asked to act")
            self.assertTrue(other.oms_hold_ids)
            deciding.action_to_draft()

    def test_who_was_let_pass_still_is_when_confirmed(self):
        self._create_rule("[]", is_stop=True, sequence=-2, actions=[{"type": "seal"}])
        self._create_rule("[]", sequence=-1, trigger="confirm")
        order = self._create_order()
        order._oms_review()
        self.assertTrue(order._oms_review(("confirm",)))
        self.assertFalse(order.oms_hold_ids)

    def test_changes_are_judged_before_confirming(self):
        self.order.partner_shipping_id = self._create_buyer("李四", street=False)
        self.order.with_user(self.user).action_confirm()
        self.assertEqual((self.order.state, self.order.oms_hold_ids.type_id.code), ("draft", "address"))

    def test_rule_on_changes_judges_changes_only(self):
        rule = self._create_rule("[]", trigger="changed")
        other = self._create_order()
        other._oms_review()
        self.order.order_line[0].price_unit = 19
        self._judge(self.order)
        self.assertEqual(self.order.oms_hold_ids.rule_id, rule)
        self.assertFalse(other.oms_hold_ids)

    def test_what_a_review_writes_is_no_change(self):
        self._create_rule("[]", actions=[{"type": "note", "note_target": "buyer", "note": "Thank you"}])
        self.order._oms_review()
        self.assertIn("Thank you", self.order.note)
        self.assertFalse(self.order.oms_pending_parts)

    def test_orders_not_judged_yet_and_plain_orders_are_not_marked(self):
        new = self._create_order()
        plain = self._create_order(channel_id=False)
        for order in (new, plain):
            order.order_line[0].product_uom_qty = 5
            self.assertFalse(order.oms_pending_parts)
            self.assertFalse(order.oms_event_ids.filtered(lambda event: event.code == "changed"))

    def test_shipped_orders_are_left_alone(self):
        self.order.action_confirm()
        self._deliver(self.order)
        self.order.order_line[0].price_unit = 1
        self.assertFalse(self.order.oms_pending_parts)

    def test_risk_told_later_is_judged(self):
        self.order.oms_channel_risk = 90
        self.assertFalse(self.order.oms_pending_parts, "no rule asks for it")
        self._create_rule("[('oms_channel_risk', '>', 80)]", "oms_base.oms_hold_type_risk")
        self.order.oms_channel_risk = 95
        self.assertEqual(self.order.oms_pending_parts, "risk")
        self._judge(self.order)
        self.assertEqual(self.order.oms_hold_ids.type_id.code, "risk")

    def test_terms_and_tags_are_judged_where_a_rule_asks(self):
        self._create_rule("[('client_order_ref', '=', 'VIP')]")
        self._create_rule("[('commitment_date', '>', '2030-01-01 00:00:00')]", "oms_base.oms_hold_type_review")
        self.order.write({"client_order_ref": "VIP", "commitment_date": "2030-02-01"})
        self.assertEqual(self.order.oms_pending_parts, "delivery,reference")
        self._judge(self.order)
        self.assertEqual(set(self.order.oms_hold_ids.type_id.mapped("code")), {"manual", "review"})

    def test_phone_of_the_buyer_is_judged(self):
        shipping = self._create_buyer("收货人", parent_id=self.buyer.id, type="delivery")
        order = self._create_order(partner_shipping_id=shipping.id)
        order._oms_review()
        self._create_rule("[('partner_id.email', '=', 'bad@example.com')]", "oms_base.oms_hold_type_risk")
        self.buyer.email = "bad@example.com"
        self.assertEqual(order.oms_pending_parts, "buyer")
        self._judge(order)
        self.assertEqual(order.oms_hold_ids.type_id.code, "risk")

    def test_goods_that_arrive_settle_the_hold(self):
        order = self._create_order([(self.mouse, 50)])
        rule = self._create_rule("[('amount_total', '>', 1)]", "oms_base.oms_hold_type_review")
        order._oms_review()
        self.assertEqual(set(order.oms_hold_ids.type_id.mapped("code")), {"shortage", "review"})
        self._set_stock(self.mouse, 60)
        self._run_cron("oms_base.ir_cron_release_holds")
        active = order.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        self.assertEqual(active.rule_id, rule)
        self.assertEqual((order.oms_hold_ids - active).resolution, "settled")

    def test_credit_that_is_free_again_settles_the_hold(self):
        self.env.company.account_use_credit_limit = True
        self.buyer.credit_limit = 50
        self._create_rule("[('oms_credit_exceeded', '>', 0)]", "oms_base.oms_hold_type_credit")
        order = self._create_order()
        order._oms_review()
        self.assertEqual(order.oms_hold_ids.type_id.code, "credit")
        self._run_cron("oms_base.ir_cron_release_holds")
        self.assertEqual(order.oms_hold_ids.state, "active")
        self.buyer.credit_limit = 500
        self._run_cron("oms_base.ir_cron_release_holds")
        self.assertEqual((order.oms_hold_ids.state, order.oms_hold_ids.resolution), ("released", "settled"))

    def test_facts_tell_what_they_depend_on(self):
        Order = self.env["sale.order"]
        # the delivery address follows the buyer
        self.assertEqual(Order._oms_get_path_parts("oms_address_problem"), {"address", "buyer"})
        self.assertEqual(Order._oms_get_path_parts("amount_total"), {"lines", "buyer"})
        self.assertEqual(Order._oms_get_path_parts("channel_id"), frozenset())
