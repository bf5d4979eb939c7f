from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestReviewDesk(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oms.hold"].search([("state", "=", "active")])._release("Not of this test")
        cls.desk = cls.env["oms.review.desk"].with_user(cls.user)

    def _hold(self, hold_type="manual", reason="Look at it", order_values=None, **kwargs):
        return self._create_order(**(order_values or {}))._oms_place_hold(hold_type, reason, **kwargs)

    def test_queues_count_what_they_open(self):
        holds = self._hold() | self._hold() | self._hold("risk")
        holds[0].user_id = self.user
        holds[1].escalation_date = "2026-01-01"
        for scope, counts in (
            ("all", {"risk": 1, "manual": 2}),
            ("mine", {"manual": 1}),
            ("escalated", {"manual": 1}),
        ):
            answer = self.desk.get_queues(scope)
            self.assertEqual({queue["code"]: queue["count"] for queue in answer["queues"]}, counts)
            self.assertEqual(answer["count"], sum(counts.values()))
            for queue in answer["queues"]:
                self.assertEqual(self.desk.get_cases(queue["id"], scope)["count"], queue["count"])
        self.assertEqual(answer["scopes"], {"all": 3, "mine": 1, "escalated": 1})
        self.assertEqual(self.desk.get_queues()["queues"][0]["code"], "risk", "the most severe comes first")

    def test_cases_of_who_a_rule_assigns_are_theirs(self):
        hold = {"type": "hold", "hold_type_id": self.env.ref("oms_base.oms_hold_type_manual").id}
        self._create_rule("[]", actions=[hold, {"type": "assign", "user_id": self.user.id}])
        order = self._create_order()
        order._oms_review()
        self.assertEqual(self.desk.get_queues("mine")["scopes"]["mine"], 1)
        order.oms_reviewer_id = self.manager
        self.assertEqual(order.oms_hold_ids.user_id, self.manager)
        self.desk.assign(order.oms_hold_ids.ids)
        self.assertEqual(order.oms_hold_ids.user_id, self.user)

    def test_released_and_other_companies_are_not_there(self):
        self._hold()._release("gone")
        company = self.env["res.company"].create({"name": "Other"})
        channel = self.env["oms.channel"].create({"name": "x", "code": "x", "company_id": company.id})
        order = self.env["sale.order"].create(
            {"partner_id": self.buyer.id, "company_id": company.id, "channel_id": channel.id}
        )
        order._oms_place_hold("manual", "x")
        self.assertEqual(self.desk.get_queues()["count"], 0)
        self.assertFalse(self.desk.get_cases()["cases"])

    def test_pages_follow_each_other(self):
        orders = self.env["sale.order"].create([self._prepare_order_values() for _index in range(45)])
        orders._oms_place_hold("manual", "x")
        first, second = self.desk.get_cases(), self.desk.get_cases(offset=40)
        self.assertEqual((len(first["cases"]), len(second["cases"]), first["count"]), (40, 5, 45))

    def test_a_page_costs_the_same_queries_for_many(self):
        def count(size):
            self.env["oms.hold"].search([("state", "=", "active")])._release("gone")
            orders = self.env["sale.order"].create([self._prepare_order_values() for _index in range(size)])
            orders._oms_place_hold("finance", "x")
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(self.desk.get_cases()["cases"]), size)
            return self.env.cr.sql_log_count - before

        count(2)
        self.assertLessEqual(count(38), count(4) + 2)

    def test_a_case_shows_the_evidence_in_words(self):
        order = self._create_order([(self.mouse, 99)], channel_amount_total=1)
        order._oms_review()
        hold = order.oms_hold_ids.filtered(lambda hold: hold.type_id.code == "shortage")
        case = self.desk.get_case(hold.id)
        values = {fact["label"]: fact["value"] for fact in case["evidence"]}
        self.assertEqual(values["Missing Quantities"], "[OMS-MOUSE] Mouse: ordered 99, sellable 10")
        self.assertEqual(len(values), len(case["evidence"]), "nothing is told twice")
        self.assertIn("1,980.00", values["Total"])
        self.assertNotIn("Address Problem", values, "what was empty is left out")
        self.assertEqual(case["others"][0]["type"], "Total differs")
        self.assertIn("1,979.00", case["totals"]["difference"])
        self.assertEqual([entry["rule"] for entry in case["reasons"]], [hold.reason_ids.sentence])
        self.assertIn("Short of Stock", case["reasons"][0]["rule"])

    def test_opening_a_case_touches_it(self):
        hold = self._hold()
        self.desk.get_case(hold.id)
        self.assertEqual(hold.touch_user_id, self.user)
        self.assertFalse(self.desk.get_case(hold.id + 1000))

    def test_a_case_shows_the_steps_and_who_is_next(self):
        hold = self._hold("finance")
        hold.with_user(self.user).action_release()
        approvals = self.desk.get_case(hold.id)["approvals"]
        self.assertEqual([step["is_done"] for step in approvals["steps"]], [True, False])
        self.assertEqual(approvals["steps"][0]["who"], self.user.name)
        self.assertTrue(approvals["steps"][1]["is_next"])
        self.assertIn(self.accountant.name, approvals["next"])

    def test_the_buyers_history_and_similar_orders(self):
        sold, cancelled = self._create_order(), self._create_order()
        sold.action_confirm()
        cancelled._action_cancel()
        namesake = self._create_order(partner_id=self._create_buyer("李四", street="别处").id)
        far = self._create_buyer("王五", street="别处", phone="+86 139 1111 1111")
        stranger = self._create_order(partner_id=far.id)
        case = self.desk.get_case(self._hold().id)
        self.assertEqual((case["history"]["count"], case["history"]["cancelled"]), (2, 1))
        self.assertIn("90.00", case["history"]["total"])
        why = {order["id"]: order["why"] for order in case["similar"]}
        self.assertEqual(why[sold.id], "same buyer, same phone, same address")
        self.assertEqual(why[namesake.id], "same phone")
        self.assertNotIn(stranger.id, why)

    def test_the_map_link_holds_the_address(self):
        url = self.desk.get_case(self._hold().id)["address"]["map_url"]
        self.assertTrue(url.startswith("https://www.openstreetmap.org/search?query="))
        self.assertIn("310012", url)

    def test_the_accountant_works_at_the_desk_too(self):
        hold = self._hold("credit")
        desk = self.desk.with_user(self.accountant)
        self.assertTrue(desk.get_case(hold.id)["can_release"])
        (answer,) = desk.release([hold.id], "paid")
        self.assertTrue(answer["ok"])

    def test_bulk_answers_for_each(self):
        holds = self._hold() | self._hold() | self._hold("credit")
        answers = self.desk.assign(holds.ids)
        self.assertEqual([answer["ok"] for answer in answers], [True] * 3)
        self.assertEqual(holds.user_id, self.user)
        answers = self.desk.release(holds.ids, "fine")
        self.assertEqual([answer["ok"] for answer in answers], [True, True, False])
        self.assertIn("already released", self.desk.assign(holds[0].ids)[0]["message"])

    def test_cancelling_keeps_the_reason_and_explains_refusals(self):
        free, locked = self._hold(), self._hold()
        locked.order_id.locked = True
        answers = self.desk.cancel((free | locked).ids, "The buyer asked for it")
        self.assertEqual([answer["ok"] for answer in answers], [True, False])
        self.assertIn("locked", answers[1]["message"])
        self.assertEqual((free.order_id.state, locked.order_id.state), ("cancel", "draft"))
        self.assertEqual((free.resolution, free.release_comment), ("cancelled", "The buyer asked for it"))
        self.assertIn("The buyer asked for it", free.order_id.message_ids[:1].body)

    def test_corrected_address_is_a_contact_of_this_order_only(self):
        buyer = self._create_buyer("李四", street=False)
        order, other = self._create_order(partner_id=buyer.id), self._create_order(partner_id=buyer.id)
        (order | other)._oms_review()
        hold = order.oms_hold_ids
        answer = self.desk.correct_address(hold.id, {"street": "龙井路 1 号", "evil": "x"})
        self.assertTrue(answer["ok"], answer)
        contact = order.partner_shipping_id
        self.assertEqual((contact.street, contact.type, contact.parent_id), ("龙井路 1 号", "delivery", buyer))
        self.assertEqual((contact.phone, contact.country_id), (buyer.phone, buyer.country_id))
        self.assertFalse(buyer.street)
        self.assertEqual(other.partner_shipping_id, buyer)
        self.assertEqual((hold.state, other.oms_hold_ids.state), ("released", "active"))
        self.assertIn("changed", order.oms_event_ids.mapped("code"))
        self.desk.correct_address(hold.id, {"street": "龙井路 2 号"})
        self.assertEqual((order.partner_shipping_id, contact.street), (contact, "龙井路 2 号"))

    def test_goods_go_to_the_corrected_address(self):
        orders = [self._create_order() for _number in range(2)]
        for order in orders:
            order.action_confirm()
            order._oms_place_hold("manual", "the buyer has moved")
        free, picked = orders
        picked.picking_ids.printed = True
        for order in orders:
            answer = self.desk.correct_address(order.oms_hold_ids.id, {"street": "龙井路 1 号"})
            self.assertTrue(answer["ok"], answer)
            self.assertEqual(order.partner_shipping_id.street, "龙井路 1 号")
        contact = free.partner_shipping_id
        self.assertEqual((free.picking_ids.partner_id, free.picking_ids.move_ids.partner_id), (contact, contact))
        self.assertFalse(free.picking_ids.activity_ids)
        # What somebody works on has its label perhaps: Odoo asks a person.
        self.assertEqual(picked.picking_ids.partner_id, self.buyer)
        self.assertTrue(picked.picking_ids.activity_ids)

    def test_an_address_that_is_still_wrong_stays_held(self):
        order = self._create_order(partner_id=self._create_buyer("李四", street=False, phone="12").id)
        order._oms_review()
        answer = self.desk.correct_address(order.oms_hold_ids.id, {"street": "龙井路 1 号"})
        self.assertFalse(answer["ok"])
        self.assertIn("12", answer["message"])
        order._action_cancel()
        with self.assertRaises(UserError):
            self.desk.correct_address(order.oms_hold_ids.id, {"street": "x"})

    def test_asking_the_buyer_opens_the_composer(self):
        hold = self._hold()
        with self.assertRaisesRegex(UserError, "no e-mail address"):
            self.desk.ask_buyer(hold.id)
        self.buyer.email = "buyer@example.com"
        action = self.desk.ask_buyer(hold.id)
        self.assertEqual(action["context"]["default_res_ids"], hold.order_id.ids)
        composer = self.env["mail.compose.message"].with_context(**action["context"]).create({})
        self.assertEqual(composer.partner_ids, self.buyer)
        self.assertIn(hold.order_id.name, composer.subject)

    def _get_message(self, answers, hold):
        (answer,) = [answer for answer in answers if answer["id"] == hold.id]
        return answer["ok"], answer["message"]

    def test_many_buyers_are_asked_at_once(self):
        mute = self._create_buyer("Mute")
        self.buyer.email = "buyer@example.com"
        asked, twin, refused, released = (
            self._hold(),
            self._hold(),
            self._hold(order_values={"partner_id": mute.id}),
            self._hold(),
        )
        asked.order_id._oms_place_hold("risk", "x")
        both = asked.order_id.oms_hold_ids
        released._release("gone")
        answers = self.desk.ask((both | twin | refused | released).ids, "Which colour?\nRed?")
        self.assertEqual([answer["ok"] for answer in answers], [True, True, True, False, False])
        self.assertIn("Mute has no e-mail address", self._get_message(answers, refused)[1])
        self.assertIn("already released", self._get_message(answers, released)[1])
        for order in (asked | twin).order_id:
            (message,) = order.message_ids.filtered(lambda message: message.partner_ids == self.buyer)
            self.assertIn("Which colour?<br>Red?", message.body)
            self.assertIn(order.name, message.subject)
        self.assertFalse(refused.order_id.message_ids.partner_ids)
        self.assertEqual(both.touch_user_id, self.user)

    def test_many_orders_are_split_at_once(self):
        other = self.env["stock.warehouse"].create({"name": "Other", "code": "OTHR"})
        holds = self._hold() | self._hold() | self._hold()
        first, whole, locked = holds
        for order in (first | locked).order_id:
            order.order_line[1].warehouse_id = other
        locked.order_id.locked = True
        answers = self.desk.split(holds.ids, "warehouse")
        self.assertEqual([answer["ok"] for answer in answers], [True, False, False])
        self.assertEqual(len(first.order_id.oms_delivery_group_ids), 2)
        self.assertIn(first.order_id.oms_delivery_group_ids[0].name, answers[0]["message"])
        self.assertIn("nothing to split", answers[1]["message"])
        self.assertIn("locked", answers[2]["message"])
        with self.assertRaises(UserError):
            self.desk.split(holds.ids, "lines")
        wizard = self.env["oms.desk.split"].with_user(self.user).browse(self.desk.open_split(whole.ids)["res_id"])
        wizard.write({"kind": "value", "limit": 50})
        (answer,) = wizard.action_split()["infos"]["answers"]
        self.assertTrue(answer["ok"], answer)
        self.assertEqual(len(whole.order_id.oms_delivery_group_ids), 2)

    def test_many_orders_are_corrected_at_once(self):
        """Each by itself: what is still wrong and what was not touched is told."""
        holds = self.env["oms.hold"]
        for name in ("李四", "王五", "赵六"):
            order = self._create_order(partner_id=self._create_buyer(name, street=False).id)
            order._oms_review()
            holds |= order.oms_hold_ids
        right, wrong, untouched = holds
        wizard = self.env["oms.desk.correction"].with_user(self.user)
        wizard = wizard.browse(self.desk.open_correction(holds.ids)["res_id"])
        self.assertEqual(wizard.line_ids.order_id, holds.order_id)
        self.assertTrue(all(line.problem for line in wizard.line_ids))
        wizard.line_ids[0].street = "龙井路 1 号"
        wizard.line_ids[1].write({"street": "龙井路 2 号", "phone": "12"})
        answers = wizard.action_correct()["infos"]["answers"]
        self.assertEqual([answer["ok"] for answer in answers], [True, False, False])
        self.assertEqual((right.state, right.order_id.partner_shipping_id.street), ("released", "龙井路 1 号"))
        self.assertEqual((wrong.state, wrong.order_id.partner_shipping_id.street), ("active", "龙井路 2 号"))
        self.assertIn("still", answers[1]["message"])
        self.assertIn("nothing was changed", answers[2]["message"])
        self.assertFalse(untouched.order_id.partner_shipping_id.street)

    def test_many_orders_are_sent_otherwise(self):
        held, picked = self._hold(), self._hold("shortage")
        picked._release("fine")
        picked.order_id.action_confirm()
        picked.order_id.picking_ids.move_ids.write({"quantity": 1, "picked": True})
        picked = picked.order_id._oms_place_hold("manual", "x")
        wizard = self.env["oms.desk.correction"].with_user(self.user)
        wizard = wizard.browse(self.desk.open_correction((held | picked).ids)["res_id"])
        wizard.write({"commitment_date": "2030-01-01 10:00:00", "warehouse_id": self.warehouse.id})
        answers = wizard.action_correct()["infos"]["answers"]
        self.assertEqual([answer["ok"] for answer in answers], [True, False])
        self.assertIn("with the warehouse already", answers[1]["message"])
        self.assertEqual(str(held.order_id.commitment_date), "2030-01-01 10:00:00")
        self.assertEqual(held.order_id.oms_warehouse_id, self.warehouse)
        self.assertFalse(picked.order_id.commitment_date)

    def test_goods_come_from_the_other_warehouse(self):
        south = self.env["stock.warehouse"].create({"name": "South", "code": "OMSTS"})
        self.channel.warehouse_ids += south
        for product in (self.mouse, self.keyboard):
            self._set_stock(product, 10, south)
        order = self._create_order()
        order.action_confirm()
        hold = order._oms_place_hold("manual", "closed today")
        wizard = self.env["oms.desk.correction"].with_user(self.user)
        wizard = wizard.browse(self.desk.open_correction(hold.ids)["res_id"])
        wizard.warehouse_id = south
        self.assertTrue(wizard.action_correct()["infos"]["answers"][0]["ok"])
        moves = order.order_line.move_ids.filtered(lambda move: move.state != "cancel")
        self.assertEqual((moves.warehouse_id, sum(moves.mapped("product_uom_qty"))), (south, 3))

    def test_who_has_no_right_changes_none(self):
        hold = self._hold()
        hold.order_id.order_line[1].warehouse_id = self.env["stock.warehouse"].create({"name": "O", "code": "OTHR"})
        self.buyer.email = "buyer@example.com"
        for user in (self.operator, self._create_user("oms_plain", "base.group_user")):
            for method in ("open_correction", "open_split"):
                with self.assertRaises(AccessError):
                    getattr(self.desk.with_user(user), method)(hold.ids)
        for method, arguments in (("ask", ["?"]), ("split", ["warehouse"])):
            with self.assertRaises(AccessError):
                getattr(self.desk.with_user(user), method)(hold.ids, *arguments)
        self.assertFalse(hold.order_id.oms_delivery_group_ids)
        self.assertFalse(hold.order_id.message_ids.partner_ids)
