from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestReview(OmsBaseCommon):
    def _review(self, orders):
        for lane in (0, 1):
            self._run_cron(f"oms_base.ir_cron_review_lane_{lane}")
        return orders

    def test_good_order_is_confirmed_by_itself(self):
        order = self._review(self._create_order())
        self.assertEqual((order.state, order.oms_stage), ("sale", "ready"))
        reviews = order.oms_decision_ids.filtered(lambda decision: decision.kind == "review")
        self.assertEqual(reviews.mapped("outcome"), ["pass"])
        codes = order.oms_event_ids.sorted("id").mapped("code")
        self.assertEqual([code for code in codes if code in ("received", "confirmed")], ["received", "confirmed"])

    def test_incomplete_address_is_held(self):
        order = self._review(self._create_order(partner_id=self._create_buyer("李四", street=False, phone="12").id))
        self.assertEqual((order.state, order.oms_stage), ("draft", "held"))
        self.assertEqual(order.oms_hold_ids.type_id.code, "address")
        self.assertIn("12", order.oms_hold_ids.data["oms_address_problem"])

    def test_reasons_are_in_the_language_of_the_company(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self.env.ref("base.user_root").company_id.partner_id.lang = "zh_CN"
        order = self._review(self._create_order(partner_id=self._create_buyer("李四", phone="12").id))
        self.assertIn("不是该国家的电话号码", order.oms_hold_ids.data["oms_address_problem"])

    def test_wrong_total_is_held(self):
        order = self._review(self._create_order(channel_amount_total=89.99))
        self.assertEqual(order.oms_hold_ids.type_id.code, "total")
        self.assertAlmostEqual(order.channel_amount_difference, 0.01)

    def test_shortage_sums_the_lines_of_one_product(self):
        order = self._review(self._create_order([(self.mouse, 6), (self.mouse, 6)]))
        self.assertEqual(order.oms_hold_ids.type_id.code, "shortage")
        self.assertEqual(order.oms_shortage[0]["ordered"], 12)
        self.assertIn(order, self.env["sale.order"].search([("oms_has_shortage", "=", True)]))

    def test_several_holds_must_all_clear(self):
        buyer = self._create_buyer("李四", street=False)
        order = self._review(self._create_order([(self.mouse, 99)], partner_id=buyer.id))
        self.assertEqual(len(order.oms_hold_ids), 2)
        order.oms_hold_ids[0].with_user(self.user).action_release("called the buyer")
        self._review(order)
        self.assertEqual(order.state, "draft")
        order.oms_hold_ids.filtered(lambda hold: hold.state == "active").with_user(self.user).action_release()
        self.assertEqual(self._review(order).state, "sale")

    def test_corrected_address_releases_its_hold(self):
        buyer = self._create_buyer("李四", street=False)
        order = self._review(self._create_order(partner_id=buyer.id))
        answer = order.with_user(self.user).action_oms_review()
        self.assertEqual(answer["params"]["type"], "warning")
        self.assertIn(order.oms_hold_ids.type_id.name, answer["params"]["message"], "it says what still holds")
        buyer.street = "龙井路 1 号"
        answer = order.with_user(self.user).action_oms_review()
        self.assertEqual(answer["params"]["type"], "success")
        self.assertEqual(order.oms_hold_ids.state, "released")
        self.assertEqual(self._review(order).state, "sale")

    def test_review_twice_places_one_hold(self):
        order = self._create_order(channel_amount_total=1)
        order._oms_review()
        order._oms_review()
        self.assertEqual(len(order.oms_hold_ids), 1)

    def test_channel_without_auto_confirm_waits_for_a_person(self):
        self.channel.auto_confirm = False
        order = self._review(self._create_order())
        self.assertEqual((order.state, order.oms_stage), ("draft", "new"))
        self.assertTrue(order.oms_review_date)
        order.with_user(self.user).action_confirm()
        self.assertEqual(order.state, "sale")

    def test_one_bad_order_does_not_block_the_batch(self):
        bad = self._create_order()
        bad.order_line[0].product_id = False
        self.env.flush_all()
        good = self._create_order()
        self._review(good | bad)
        self.assertEqual(good.state, "sale")
        self.assertEqual((bad.state, bad.oms_hold_ids.type_id.code), ("draft", "error"))

    def test_whatever_goes_wrong_with_an_order_stops_no_other(self):
        """Not only what is said in words: a fault in another addon's code, too."""
        good, bad = self._create_order(), self._create_order()
        Order = self.registry["sale.order"]
        confirm = Order.action_confirm

        def fail(orders):
            if bad.id in orders.ids:
                raise ValueError("no good")
            return confirm(orders)

        with (
            patch.object(Order, "_get_review_queue_domain", lambda _self: [("id", "in", (good | bad).ids)]),
            patch.object(Order, "action_confirm", fail),
            self.assertLogs("odoo.addons.oms_base", "ERROR"),
        ):
            self._review(good | bad)
        self.assertEqual((good.state, bad.state), ("sale", "draft"))
        self.assertEqual((bad.oms_hold_ids.type_id.code, bad.oms_hold_ids.reason), ("error", "ValueError: no good"))

    def test_queries_do_not_grow_with_the_batch(self):
        def count(size):
            orders = self.env["sale.order"].create([self._prepare_order_values() for _index in range(size)])
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            orders._oms_review()
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(2)  # warm the caches
        few, many = count(5), count(50)
        self.assertLess(many, few + 15)
