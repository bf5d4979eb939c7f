from datetime import datetime

from odoo.exceptions import UserError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon

from ..models.review import sale_order_judge


@tagged("post_install", "-at_install")
class TestRules(OmsBaseCommon):
    def test_rule_puts_its_hold_with_its_version(self):
        rule = self._create_rule("[('amount_total', '>', 50)]")
        order = self._create_order()
        order._oms_review()
        reason = order.oms_hold_ids.reason_ids
        self.assertEqual((reason.rule_id, reason.version_id), (rule, rule.version_id))
        rule.domain = "[('amount_total', '>', 500)]"
        self.assertEqual(rule.version, 2)
        order._oms_review()
        self.assertEqual((order.oms_hold_ids.state, order.oms_hold_ids.resolution), ("released", "settled"))
        first = order.oms_decision_ids.sorted("id")[0]
        self.assertEqual(
            first.data["matched"],
            [
                {
                    "id": rule.id,
                    "name": "Large order",
                    "version": 1,
                    "version_id": rule.version_ids.sorted("number")[0].id,
                }
            ],
        )
        self.assertIn("50", first.explanation)
        self.assertEqual(self.env["oms.rule.hit"].search([("rule_id", "=", rule.id)]).version_id.number, 1)

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

    def test_draft_rule_does_not_judge(self):
        rule = self._create_rule("[]", state="draft")
        order = self._create_order()
        order._oms_review()
        self.assertFalse(order.oms_hold_ids)
        self.assertFalse(rule.version_ids)
        rule.with_user(self.manager).action_go_live()
        order._oms_review()
        self.assertEqual(order.oms_hold_ids.rule_id, rule)

    def test_rule_without_action_does_not_go_live(self):
        rule = self.env["oms.rule"].create({"name": "Idle", "domain": "[]"})
        with self.assertRaisesRegex(UserError, "Idle"):
            rule.action_go_live()

    def test_change_is_tried_as_a_draft_and_takes_over(self):
        rule = self._create_rule("[('amount_total', '>', 50)]")
        draft = self.env["oms.rule"].browse(rule.action_draft_change()["res_id"])
        self.assertEqual(rule.action_draft_change()["res_id"], draft.id)
        draft.domain = "[('amount_total', '>', 5000)]"
        order = self._create_order()
        order._oms_review()
        self.assertTrue(order.oms_hold_ids)
        draft.action_go_live()
        self.assertFalse(draft.exists())
        self.assertEqual((rule.domain, rule.version, len(rule.action_ids)), ("[('amount_total', '>', 5000)]", 2, 1))

    def test_change_is_handed_over_in_all_languages(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        hold = {"type": "hold", "hold_type_id": self.env.ref("oms_base.oms_hold_type_manual").id, "reason": "Look"}
        rule = self._create_rule("[]", actions=[hold, {"type": "priority"}])
        action = rule.action_ids[0]
        chinese = rule.with_context(lang="zh_CN").with_user(self.manager)
        draft = chinese.browse(chinese.action_draft_change()["res_id"])
        draft.name, draft.action_ids[0].reason = "大单", "看一看"
        draft.action_ids[1].unlink()
        draft.action_ids = [Command.create({"type": "seal"})]
        draft.action_go_live()
        self.assertEqual((rule.name, chinese.name, rule.version), ("Large order", "大单", 2))
        self.assertEqual(rule.action_ids.mapped("type"), ["hold", "seal"])
        self.assertEqual(rule.action_ids[0], action, "what it did is known by it")
        self.assertEqual((action.reason, action.with_context(lang="zh_CN").reason), ("Look", "看一看"))
        self.assertIn("大单", str(rule.version_id.words["zh_CN"]))

    def test_rule_says_the_same_to_everybody(self):
        """Who works in another language makes no version by it, only by changing a text."""
        self.env["res.lang"]._activate_lang("zh_CN")
        rule = self._create_rule("[]")
        rule.with_context(lang="zh_CN").name = "大单"
        self.assertEqual(rule.version, 2)
        rule.with_context(lang="zh_CN").sequence = 3
        rule.sequence = 4
        self.assertEqual(rule.version, 2)

    def test_what_decisions_name_is_not_deleted(self):
        rule, unused = self._create_rule("[]"), self._create_rule("[('id', '=', 0)]")
        self._create_order()._oms_review()
        with self.assertRaisesRegex(UserError, "Archive it"):
            rule.unlink()
        unused.unlink()
        sale = self.env["oms.rule.set"].create({"name": "618"})
        rule.set_id = sale
        with self.assertRaisesRegex(UserError, "run at any time: Large order"):
            sale.unlink()
        rule.action_to_draft()
        sale.unlink()

    def test_versions_are_kept_once_and_compared_in_words(self):
        rule = self._create_rule("[('amount_total', '>', 50)]")
        rule.name = rule.name
        rule.sequence = 3
        self.assertEqual(rule.version, 1)
        rule.action_ids.hold_type_id = self.env.ref("oms_base.oms_hold_type_total")
        self.assertEqual(rule.version, 2)
        first, second = rule.version_ids.sorted("number")
        rows = second._compare(first)
        self.assertEqual(len(rows), 1)
        self.assertIn("Set by hand", rows[0][1])
        self.assertIn("Total differs", rows[0][2])

    def test_calendar_of_the_set_is_in_the_versions_and_the_order_in_the_log(self):
        sale = self.env["oms.rule.set"].create({"name": "618"})
        rule = self._create_rule("[]", set_id=sale.id, tz="Asia/Shanghai")
        sale.period_ids = [Command.create({"date_from": "2030-06-17 16:00:00", "date_to": "2030-06-18 16:00:00"})]
        self.assertEqual(rule.version, 2)
        self.assertIn(
            "06/18/2030 12:00:00 AM to 06/19/2030 12:00:00 AM (Asia/Shanghai)",
            rule.version_id.changes.replace("\u202f", " "),
        )
        sale.period_ids.date_to = "2030-06-19 16:00:00"
        sale.mode = "replace"
        self.assertEqual(rule.version, 4)
        self.assertTrue(rule._fields["sequence"].tracking)

    def test_times_are_told_by_the_clock_of_the_rule(self):
        rule = self._create_rule("[]", tz="Asia/Shanghai", date_from="2030-01-01 00:30:00", hour_from=8.5, hour_to=20.0)
        self.assertIn("8:30:00", rule.sentence)
        self.assertIn("Only from 08:30 to 20:00 (Asia/Shanghai).", rule.sentence)

    def test_any_two_versions_are_compared(self):
        rule = self._create_rule("[('amount_total', '>', 50)]")
        for amount in (60, 70):
            rule.domain = f"[('amount_total', '>', {amount})]"
        first, second, third = rule.version_ids.sorted("number")
        action = (third | first).with_user(self.user).action_compare()
        self.assertEqual(action["res_id"], third.id)
        changes = third.with_context(**action["context"]).changes
        self.assertIn("50", changes)
        self.assertNotIn("60", changes)
        self.assertIn("60", third.changes, "by itself it is compared with the one before")
        self.assertEqual((third.compared_id, first.compared_id), (second, self.env["oms.rule.version"]))
        with self.assertRaises(UserError):
            rule.version_ids.action_compare()

    def test_stop_keeps_later_rules_from_judging(self):
        self._create_rule("[('amount_total', '>', 50)]", is_stop=True, sequence=1)
        self._create_rule("[]", sequence=2, hold_type="oms_base.oms_hold_type_total")
        order, small = self._create_order(), self._create_order([(self.mouse, 1)])
        (order | small)._oms_review()
        self.assertEqual(order.oms_hold_ids.type_id.code, "manual")
        self.assertEqual(small.oms_hold_ids.type_id.code, "total")

    def test_sql_and_memory_agree(self):
        tag = self.env["crm.tag"].create({"name": "VIP"})
        orders = self.env["sale.order"].create(
            [
                self._prepare_order_values(
                    [(self.mouse, quantity)], tag_ids=[Command.set(tag.ids if quantity % 2 else [])]
                )
                for quantity in range(1, 9)
            ]
        )
        domains = [
            "[('amount_total', '>', 60)]",
            f"['|', ('amount_total', '<', 50), ('tag_ids', 'in', [{tag.id}])]",
            "[('order_line', 'any', [('product_uom_qty', '>=', 4)])]",
            "[('partner_id.name', 'ilike', '张')]",
            "['!', ('partner_shipping_id.country_id.code', '=', 'CN')]",
            "[('oms_has_shortage', '=', True), ('amount_total', '>', 10)]",
            "[('date_order', '>=', 'today -1d')]",
        ]
        rules = self.env["oms.rule"].concat(*[self._create_rule(domain) for domain in domains])
        specs = [rule._prepare_spec() for rule in rules]
        in_memory = orders._oms_match(specs)
        self.patch(sale_order_judge, "IN_MEMORY_LIMIT", 0)
        self.assertEqual(orders._oms_match(specs), in_memory)
        self.assertTrue(all(ids is not None for ids in in_memory.values()))

    def test_rule_broken_later_is_left_out_and_says_so(self):
        broken, good = self._create_rule("[]"), self._create_rule("[]", hold_type="oms_base.oms_hold_type_total")
        self.env.flush_all()
        self.env.cr.execute("UPDATE oms_rule SET domain = %s WHERE id = %s", ["[('x_gone', '=', 1)]", broken.id])
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        order = self._create_order()
        with self.assertLogs("odoo.addons.oms_base", "WARNING"):
            order._oms_review()
        self.assertEqual(order.oms_hold_ids.rule_id, good)
        self.assertIn("x_gone", broken.problem)

    def test_rule_of_no_day_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "would never run"):
            self._create_rule("[]", **dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), False))

    def test_window_of_weekdays_and_hours(self):
        rule = self._create_rule("[]", hour_from=22.0, hour_to=6.0, sat=False, sun=False, tz="Asia/Shanghai")
        spec = rule._prepare_spec()
        # 2026-11-20 was a Friday
        self.assertTrue(spec.runs_at(datetime(2026, 11, 20, 15, 0)))  # Friday 23:00 in Shanghai
        self.assertTrue(spec.runs_at(datetime(2026, 11, 20, 21, 0)))  # Saturday 05:00: Friday's night
        self.assertFalse(spec.runs_at(datetime(2026, 11, 20, 23, 0)))  # Saturday 07:00
        self.assertFalse(spec.runs_at(datetime(2026, 11, 21, 15, 0)))  # Saturday 23:00

    def test_set_takes_over_and_gives_back(self):
        sale = self.env["oms.rule.set"].create(
            {
                "name": "双11",
                "mode": "replace",
                "period_ids": [Command.create({"date_from": "2030-11-11", "date_to": "2030-11-12"})],
            }
        )
        standing = self._create_rule("[]")
        always = self._create_rule("[]", is_always=True)
        special = self._create_rule("[]", set_id=sale.id)

        def run_at(date):
            ids = {spec.id for spec in self.env["oms.rule"]._get_specs(("received",), date)}
            return [rule for rule in (standing, always, special) if rule.id in ids]

        self.assertEqual(run_at(datetime(2030, 11, 10)), [standing, always])
        self.assertEqual(run_at(datetime(2030, 11, 11, 12)), [always, special])
        self.assertEqual(run_at(datetime(2030, 11, 12)), [standing, always])
        sale.active = False
        self.assertEqual(run_at(datetime(2030, 11, 11, 12)), [standing, always])

    def test_set_of_a_company_takes_over_there_only(self):
        companies = self.env["res.company"].create([{"name": "North"}, {"name": "South"}])
        period = {"date_from": "2030-11-11", "date_to": "2030-11-12"}
        sets = self.env["oms.rule.set"].create(
            [
                {
                    "name": company.name,
                    "mode": "replace",
                    "company_id": company.id,
                    "period_ids": [Command.create(period)],
                }
                for company in companies
            ]
        )
        standing = self._create_rule("[]")
        own = [self._create_rule("[]", set_id=rule_set.id) for rule_set in sets]
        date = datetime(2030, 11, 11, 12)

        def run_in(company):
            specs = self.env["oms.rule"]._get_specs(("received",), date)
            specs = [spec for spec in specs if spec.applies_to(company.id)]
            return {spec.id for spec in specs if spec.company_id in (None, company.id)}

        ids = {rule.id for rule in (standing, *own)}
        self.assertEqual(run_in(companies[0]) & ids, {own[0].id})
        self.assertEqual(run_in(companies[1]) & ids, {own[1].id})
        self.assertEqual(run_in(self.env.company) & ids, {standing.id})
        # An order of the company that the set left the standing rule to is held by it, and keeps its hold.
        sets[1].company_id = self.env.company
        order = self._create_order()
        spec = standing._prepare_spec()
        order._oms_review(specs=[spec])
        self.assertEqual(order.oms_hold_ids.rule_id, standing)
        order._oms_review(specs=self.env["oms.rule"]._get_specs(("received",), date))
        reason = order.oms_hold_ids.reason_ids.filtered(lambda reason: reason.rule_id == standing)
        self.assertEqual((len(reason), reason.settled_date), (1, False))

    def test_sentence_in_english_and_chinese(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        rule = self._create_rule("[('amount_total', '>', 5000), ('oms_has_shortage', '=', True)]")
        self.assertEqual(
            rule.sentence,
            "When an order arrives, if Total is above 5000 and Short of Stock: put it on hold for “Set by hand”.",
        )
        self.assertIn("5000", rule.with_context(lang="zh_CN").sentence)
        self.assertIn("人工冻结", rule.with_context(lang="zh_CN").sentence)

    def test_only_a_manager_writes_rules(self):
        rule = self._create_rule("[]")
        with self.assertRaisesRegex(Exception, "oms.rule"):
            rule.with_user(self.user).name = "Mine"
