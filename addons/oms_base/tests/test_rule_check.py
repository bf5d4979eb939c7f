from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestRuleCheck(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["oms.rule"].search([]).state = "draft"

    def _check(self):
        """Return [(kind, rule, other rules)] of the findings."""
        self.env["oms.rule.finding"]._refresh()
        return [
            (finding.kind, finding.rule_id, finding.other_ids) for finding in self.env["oms.rule.finding"].search([])
        ]

    def _make_old(self, rules, days=100):
        """Let rules have been live since long ago."""
        self.env.flush_all()
        date = fields.Datetime.now() - timedelta(days=days)
        self.env.cr.execute("UPDATE oms_rule_version SET date = %s WHERE rule_id IN %s", [date, tuple(rules.ids)])
        self.env.invalidate_all()

    def test_sound_rules_give_no_finding(self):
        tag = self.env["crm.tag"].create({"name": "VIP"})
        self._create_rule("[('amount_total', '>', 5000)]", is_stop=True, sequence=1)
        self._create_rule("[('amount_total', '>', 500)]", sequence=2)
        self._create_rule("['|', ('amount_total', '<', 5), ('oms_has_shortage', '=', True)]", sequence=3)
        self._create_rule(
            "[('tag_ids', '=', False)]",
            trigger="schedule",
            actions=[{"type": "tag", "tag_ids": [Command.set(tag.ids)]}],
        )
        self._create_rule("[]", actions=[{"type": "approve", "severity": "1"}], sequence=4)
        self._create_rule("[('amount_total', '>', 9)]", actions=[{"type": "priority", "priority": "1"}])
        # What is meant for fewer orders comes later: an exception.
        self._create_rule("[('amount_total', '>', 90)]", actions=[{"type": "priority", "priority": "2"}], sequence=11)
        self.assertEqual(self._check(), [])

    def test_rule_in_the_shadow_of_a_stopping_one(self):
        none = self.env["oms.rule"]
        first = self._create_rule("[('amount_total', '>', 100)]", is_stop=True, sequence=1, trigger="received")
        later = self._create_rule("[('amount_total', '>', 500)]", sequence=2, trigger="confirm")
        self._create_rule("[('amount_total', '>', 50)]", sequence=3)
        self.assertEqual(self._check(), [("shadowed", later, first)])
        finding = later.finding_ids
        self.assertIn("“Large order” comes first", finding.sentence)
        self.assertEqual(later.finding_count, 1)
        self.assertEqual(finding.action_view_rule()["res_id"], later.id)
        date = finding.date
        self.assertEqual(self._check(), [("shadowed", later, first)])
        self.assertEqual((later.finding_ids, later.finding_ids.date), (finding, date))
        first.hour_from = 8.0  # runs by day only: it no longer takes all
        self.assertEqual(self._check(), [])
        self.assertEqual(later.finding_ids, none.finding_ids)

    def test_shadows_are_seen_through_or_not_and_lines(self):
        pairs = (
            ("['|', ('amount_total', '>', 100), ('note', 'ilike', 'gift')]", "[('amount_total', '>', 500)]"),
            ("['!', ('amount_total', '<', 100)]", "['|', ('amount_total', '>', 150), ('amount_total', '=', 120)]"),
            ("[('order_line.product_uom_qty', '>', 3)]", "[('order_line', 'any', [('product_uom_qty', '>', 9)])]"),
            (
                "[('partner_shipping_id.city', 'in', ['A', 'B'])]",
                "[('partner_shipping_id.city', '=', 'A'), ('partner_shipping_id.zip', '=like', '3%')]",
            ),
            ("['!', ('order_line.discount', '>', 50)]", "['!', ('order_line.discount', '>', 30)]"),
        )
        for taking, taken in pairs:
            first = self._create_rule(taking, is_stop=True, sequence=1)
            later = self._create_rule(taken, sequence=2)
            self.assertEqual(self._check(), [("shadowed", later, first)], (taking, taken))
            (first | later).action_to_draft()
            first = self._create_rule(taken, is_stop=True, sequence=1)
            later = self._create_rule(taking, sequence=2)
            self.assertEqual(self._check(), [], (taking, taken))
            (first | later).action_to_draft()

    def test_conditions_that_exclude_each_other_inside_or_and_lines(self):
        rules = (
            self._create_rule("['|', '&', ('amount_total', '>', 9), ('amount_total', '<', 5), ('id', 'in', [])]"),
            self._create_rule("[('order_line', 'any', [('price_unit', '>', 9), ('price_unit', '<', 5)])]"),
            self._create_rule("[('order_line.discount', '>', 50), '!', ('order_line.discount', '>', 30)]"),
        )
        none = self.env["oms.rule"]
        self.assertEqual(self._check(), [("never", rule, none) for rule in rules])

    def test_rule_of_another_scope_throws_no_shadow(self):
        company = self.env["res.company"].create({"name": "Other"})
        self._create_rule("[]", is_stop=True, sequence=1, company_id=company.id)
        self._create_rule("[]", is_stop=True, sequence=1, channel_ids=[Command.set(self.channel.ids)])
        self._create_rule("[]", is_stop=True, sequence=1, trigger="ship")
        self._create_rule("[('amount_total', '>', 500)]", sequence=2)
        self.assertEqual(self._check(), [])

    def test_conditions_that_exclude_each_other(self):
        rule = self._create_rule("[('amount_total', '>', 500), ('amount_total', '<', 100)]")
        flag = self._create_rule("[('oms_has_shortage', '=', True), ('oms_has_shortage', '!=', True)]")
        none = self.env["oms.rule"]
        self.assertEqual(self._check(), [("never", rule, none), ("never", flag, none)])

    def _create_setting_rules(self, first, second, **values):
        """Create two rules, on these conditions, that set the priority to high and to urgent."""
        return tuple(
            self._create_rule(domain, actions=[{"type": "priority", "priority": priority}], sequence=sequence, **values)
            for domain, priority, sequence in ((first, "1", 10), (second, "2", 20))
        )

    def test_rules_that_set_different_things_for_the_same_orders(self):
        other = self.env["stock.warehouse"].create({"name": "Other", "code": "OTHR"})
        first = self._create_rule(
            "[('amount_total', '>', 500)]", actions=[{"type": "warehouse", "warehouse_id": self.warehouse.id}]
        )
        second = self._create_rule(
            "[('amount_total', '>', 500)]", actions=[{"type": "warehouse", "warehouse_id": other.id}]
        )
        self.assertEqual(self._check(), [("contradiction", first, second)])
        sentence = first.finding_ids.sentence
        self.assertIn("Set the warehouse", sentence)
        second.name = "Larger"
        self.assertIn("“Larger” is about all of its orders, and wins", first.finding_ids.sentence)

    def test_conditions_of_one_within_those_of_the_other(self):
        """The narrower one is an exception when it comes later; when it comes first, nothing is left of it."""
        wide, narrow = self._create_setting_rules("[('amount_total', '>', 100)]", "[('amount_total', '>', 200)]")
        self.assertEqual(self._check(), [])
        narrow.sequence = wide.sequence  # then it is only the later one to be made
        self.assertEqual(self._check(), [("overlap", wide, narrow)])
        self.assertEqual(wide.finding_ids.severity, "2")
        narrow.sequence = 5
        self.assertEqual(self._check(), [("contradiction", narrow, wide)])
        wide.hour_from = 8.0  # by night it stands
        self.assertEqual(self._check(), [])

    def test_conditions_that_have_something_in_common(self):
        first, second = self._create_setting_rules(
            "[('amount_total', '>', 100), ('amount_total', '<', 300)]",
            "['|', ('amount_total', '>', 200), ('amount_total', '<', 20)]",
        )
        self.assertEqual(self._check(), [("overlap", first, second)])
        self.assertEqual(first.finding_ids.severity, "1", "the sequence says which wins")
        first.is_stop = True
        self.assertEqual(self._check(), [])
        first.write({"is_stop": False, "date_to": "2030-01-01"})
        second.date_from = "2030-01-01"
        self.assertEqual(self._check(), [])
        second.write({"date_from": False, "domain": "[('amount_total', '>=', 300)]"})
        self.assertEqual(self._check(), [])
        second.domain = "[('oms_priority', '=', '1')]"  # another field: it may be that no order is both
        self.assertEqual(self._check(), [])

    def test_routes_dates_and_people_are_compared(self):
        routes = self.env["stock.route"].create([{"name": name, "sale_selectable": True} for name in ("A", "B")])
        for actions in (
            [{"type": "route", "route_ids": [Command.set(route.ids)]} for route in routes],
            [{"type": "planned_date", "days": days} for days in (1, 2)],
            [{"type": "assign", "user_id": user.id} for user in (self.user, self.manager)],
        ):
            first, second = (self._create_rule("[('amount_total', '>', 500)]", actions=[action]) for action in actions)
            self.assertEqual(self._check(), [("contradiction", first, second)])
            second.action_ids.write(actions[0])
            self.assertEqual(self._check(), [])
            (first | second).action_to_draft()

    def test_what_does_not_go_together(self):
        """Which of the two wins does not depend on the sequence alone."""
        wide, narrow = "[('amount_total', '>', 100)]", "[('amount_total', '>', 200)]"
        cancel = {"type": "cancel", "note": "Not sold"}
        approve = {"type": "approve", "severity": "3"}
        hold = {"type": "hold", "hold_type_id": self.env.ref("oms_base.oms_hold_type_manual").id}
        seal, merge, split = {"type": "seal"}, {"type": "merge"}, {"type": "split", "split_kind": "warehouse"}
        # (first rule, second rule, which of them loses and how)
        for first, second, finding in (
            ((hold, narrow), (cancel, wide), (0, "contradiction", "2")),
            ((cancel, wide), (hold, narrow), (1, "contradiction", "2")),
            ((cancel, narrow), (hold, wide), None),
            ((approve, narrow), (cancel, wide), (0, "contradiction", "2")),
            ((seal, wide), (merge, narrow), (1, "contradiction", "2")),
            ((seal, narrow), (merge, wide), None),
            ((merge, wide), (seal, narrow), (1, "overlap", "1")),
            ((merge, narrow), (split, wide), (0, "overlap", "1")),
            ((split, narrow), (merge, wide), None),
        ):
            rules = [
                self._create_rule(domain, actions=[action], sequence=number)
                for number, (action, domain) in enumerate((first, second))
            ]
            found = self._check()
            expected = [(finding[1], rules[finding[0]], rules[1 - finding[0]])] if finding else []
            self.assertEqual(found, expected, (first, second))
            if finding:
                self.assertEqual(rules[finding[0]].finding_ids.severity, finding[2])
            for rule in rules:
                rule.action_to_draft()

    def test_orders_that_one_rule_holds_and_another_passes(self):
        hold = self._create_rule("[('amount_total', '>', 500)]", sequence=1)
        approve = self._create_rule("[('amount_total', '>', 100)]", actions=[{"type": "approve", "severity": "2"}])
        self.assertEqual(self._check(), [("approved", hold, approve)])
        hold.is_stop = True  # the other one never sees them
        self.assertEqual(self._check(), [])

    def test_rule_that_never_fired_in_ninety_days(self):
        silent = self._create_rule("[('amount_total', '>', 5000)]")
        fired = self._create_rule("[('amount_total', '>', 50)]")
        self._make_old(silent | fired)
        young = self._create_rule("[('amount_total', '>', 6000)]")
        self._create_order()._oms_review()
        self.assertEqual(self._check(), [("silent", silent, self.env["oms.rule"])])
        self.assertFalse(young.finding_ids)

    def test_rule_whose_orders_another_always_took(self):
        # The conditions prove nothing: they look at different fields.
        first = self._create_rule("[('partner_id.name', '=', '张三')]", is_stop=True, sequence=1)
        late = self._create_rule("[('amount_total', '>', 50)]", sequence=2)
        self._make_old(first | late)
        self._create_order()._oms_review()
        self.assertEqual(self._check(), [("taken", late, first)])

    def test_broken_domain(self):
        rule = self._create_rule("[]")
        self.env.flush_all()
        self.env.cr.execute("UPDATE oms_rule SET domain = %s WHERE id = %s", ["[('x_gone', '=', 1)]", rule.id])
        self.env.invalidate_all()
        self.assertEqual(self._check(), [("broken", rule, self.env["oms.rule"])])
        self.assertIn("x_gone", rule.finding_ids.sentence)

    def test_references_to_what_is_gone(self):
        hold_type = self.env["oms.hold.type"].create({"name": "Old queue", "code": "old"})
        archived = self._create_rule("[]", actions=[{"type": "hold", "hold_type_id": hold_type.id}])
        assigned = self._create_rule("[]", actions=[{"type": "assign", "user_id": self.user.id}], trigger="ship")
        partner = self._create_buyer("Gone")
        named = self._create_rule(f"[('partner_id', 'in', [{partner.id}])]")
        self.assertEqual(self._check(), [])
        hold_type.active = False
        self.user.active = False
        partner.unlink()
        none = self.env["oms.rule"]
        self.assertEqual(
            self._check(), [("reference", archived, none), ("reference", assigned, none), ("reference", named, none)]
        )
        self.assertIn("Old queue", archived.finding_ids.sentence)

    def test_gift_that_never_ends(self):
        rule = self._create_rule("[]")
        ending = self._create_rule("[]", date_to="2040-01-01", trigger="ship")
        action_class = self.registry["oms.rule.action"]
        with patch.object(action_class, "_is_endless", lambda action: action.rule_id in (rule, ending)):
            self.assertEqual(self._check(), [("endless", rule, self.env["oms.rule"])])

    def test_rules_that_run_in_a_circle(self):
        tag = self.env["crm.tag"].create({"name": "VIP"})
        first = self._create_rule(
            "[('oms_priority', '=', '1')]",
            trigger="changed",
            actions=[{"type": "tag", "tag_ids": [Command.set(tag.ids)]}],
        )
        second = self._create_rule(
            f"[('tag_ids', 'in', [{tag.id}])]", trigger="schedule", actions=[{"type": "priority", "priority": "1"}]
        )
        self.assertEqual(self._check(), [("cycle", first, second)])
        second.trigger = "received"
        self.assertEqual(self._check(), [])

    def test_manager_checks_with_the_button_and_it_runs_every_night(self):
        later = self._create_rule("[('amount_total', '>', 5), ('amount_total', '<', 1)]")
        action = self.env["oms.rule"].with_user(self.manager).action_check_rules()
        self.assertEqual(action["res_model"], "oms.rule.finding")
        self.assertTrue(later.finding_ids)
        with self.assertRaises(AccessError):
            self.env["oms.rule"].with_user(self.user).action_check_rules()
        later.domain = "[]"
        self._run_cron("oms_base.ir_cron_check_rules")
        self.assertFalse(later.finding_ids)

    def test_overview_counts_the_findings(self):
        self._create_rule("[('amount_total', '>', 5), ('amount_total', '<', 1)]")
        self._check()
        sections = {section["key"]: section for section in self.env["oms.overview"].with_user(self.user).get_overview()}
        tile = next(tile for tile in sections["rules"]["tiles"] if tile["key"] == "findings")
        self.assertEqual((tile["value"], tile["level"]), (1, "error"))
        sections = {section["key"] for section in self.env["oms.overview"].with_user(self.operator).get_overview()}
        self.assertNotIn("rules", sections)
