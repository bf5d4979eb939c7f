from datetime import timedelta
from unittest.mock import patch

from psycopg2.errors import SerializationFailure

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.tests.common import OmsBaseCommon

CRON = "oms_base.ir_cron_run_rehearsals"


@tagged("post_install", "-at_install")
class TestRehearsal(OmsBaseCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The tests' own channel and company data only: rules that come with the addon would judge them too.
        cls.env["oms.rule"].search([]).state = "draft"
        cls._set_stock(cls.mouse, 1000)

    @classmethod
    def _create_orders(cls, count, **values):
        """Create orders of 20, 40, ... each with one line of mice."""
        return cls.env["sale.order"].create(
            [cls._prepare_order_values([(cls.mouse, number)], **values) for number in range(1, count + 1)]
        )

    def _rehearse(self, rules=None, **values):
        values = {"rule_ids": [Command.set(rules.ids)], **values} if rules else values
        Rehearsal = self.env["oms.rehearsal"].with_env((rules or self).env)
        rehearsal = Rehearsal.create({"channel_ids": [Command.set(self.channel.ids)], **values})
        rehearsal.action_start()
        self._run_cron(CRON)
        return rehearsal

    def _count_traces(self):
        models = ("oms.hold", "oms.event", "oms.decision", "oms.rule.hit", "oms.rule.version", "oms.webhook.call")
        models += ("mail.message", "mail.activity", "mail.mail")
        self.env.flush_all()
        return {model: self.env[model].search_count([]) for model in models}

    def test_draft_shows_which_of_sixty_orders_it_would_hold_and_leaves_nothing(self):
        orders = self._create_orders(60)
        orders[:5].action_confirm()
        orders[5:10]._oms_review()
        orders[10].action_cancel()
        webhook = self.env["oms.webhook"].create({"name": "Hook", "url": "https://hook.example"})
        draft = self._create_rule(
            "[('amount_total', '>', 1000)]",
            state="draft",
            actions=[
                {"type": "hold", "hold_type_id": self.env.ref("oms_base.oms_hold_type_manual").id},
                {"type": "webhook", "webhook_id": webhook.id},
                {"type": "notify", "user_ids": [Command.set(self.user.ids)], "note": "Look"},
                {
                    "type": "activity",
                    "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id,
                    "user_id": self.user.id,
                },
            ],
        )
        traces = self._count_traces()
        states = orders.mapped("state")
        stages = orders.mapped("oms_stage")
        rehearsal = self._rehearse(draft)
        self.assertEqual(self._count_traces(), traces)
        self.assertEqual((orders.mapped("state"), orders.mapped("oms_stage")), (states, stages))
        self.assertEqual(orders[0].picking_ids.move_ids.sale_line_id, orders[0].order_line)
        self.assertRecordValues(
            rehearsal,
            [
                {
                    "state": "done",
                    "progress": 100.0,
                    "judged_count": 60,
                    "held_before": 0,
                    "held_after": 10,
                    "passed_before": 60,
                    "passed_after": 50,
                    "changed_count": 10,
                    "error_count": 0,
                }
            ],
        )
        self.assertAlmostEqual(rehearsal.pass_rate_after, 100 * 50 / 60)
        self.assertEqual(rehearsal.line_ids.order_id, orders[50:])
        line = rehearsal.line_ids[0]
        self.assertEqual((line.kind, line.before), ("newly_held", "Passed"))
        self.assertIn("Held: Set by hand; Call the webhook “Hook”; Notify oms_user", line.after)
        self.assertEqual(line.reason, draft.sentence)
        self.assertEqual(line.action_view_order()["res_id"], line.order_id.id)
        self.assertEqual(rehearsal.chart["after"], [50, 10, 0])
        self.assertEqual(rehearsal.chart["kind_keys"], ["newly_held"])

    def test_shipped_and_cancelled_orders_are_judged_as_if_they_had_just_arrived(self):
        shipped, cancelled = self._create_orders(2)
        shipped.action_confirm()
        self._deliver(shipped)
        cancelled.action_cancel()
        draft = self._create_rule("[]", state="draft", actions=[{"type": "cancel", "note": "No"}])
        rehearsal = self._rehearse(draft)
        self.assertEqual(rehearsal.line_ids.mapped("kind"), ["cancelled", "cancelled"])
        self.assertEqual((rehearsal.cancelled_after, shipped.state, shipped.oms_stage), (2, "sale", "shipped"))

    def test_change_of_a_live_rule_stands_in_its_place(self):
        rule = self._create_rule("[('amount_total', '>', 100)]")
        orders = self._create_orders(10)
        orders._oms_review()
        orders.oms_hold_ids.action_release()  # what a person let pass is judged anew
        draft = self.env["oms.rule"].browse(rule.action_draft_change()["res_id"])
        draft.domain = "[('amount_total', '>', 160)]"
        draft.action_ids.hold_type_id = self.env.ref("oms_base.oms_hold_type_total")
        rehearsal = self._rehearse(draft)
        self.assertEqual((rehearsal.held_before, rehearsal.held_after), (5, 2))
        kinds = {line.order_id: line.kind for line in rehearsal.line_ids}
        self.assertEqual(
            [kinds.get(order) for order in orders], [None] * 5 + ["no_longer_held"] * 3 + ["other_hold"] * 2
        )

    def test_what_the_order_does_not_show_is_told_too(self):
        """Also where the live rule did it to the order before."""
        webhook = self.env["oms.webhook"].create({"name": "ERP", "url": "https://erp.example.com/hook"})
        draft = self._create_rule(
            "[]",
            state="draft",
            actions=[
                {"type": "seal"},
                {"type": "notify", "user_ids": [(6, 0, self.manager.ids)], "note": "Look"},
                {"type": "webhook", "webhook_id": webhook.id},
            ],
        )
        [order] = self._create_orders(1)
        order.oms_is_sealed = True
        rehearsal = self._rehearse(draft)
        self.assertEqual((rehearsal.line_ids.kind, rehearsal.line_ids.before), ("changed", "Passed"))
        for words in ("Never merge it", "Notify oms_manager", "Call the webhook “ERP”"):
            self.assertIn(words, rehearsal.line_ids.after)

    def test_live_rule_is_compared_with_the_rules_without_it(self):
        rule = self._create_rule("[('amount_total', '>', 100)]")
        self._create_rule("[('amount_total', '>', 180)]", hold_type="oms_base.oms_hold_type_total")
        self._create_orders(10)
        action = rule.with_user(self.manager).action_rehearse()
        rehearsal = self.env["oms.rehearsal"].browse(action["res_id"])
        rehearsal.channel_ids = self.channel
        self._run_cron(CRON)
        self.assertEqual(rehearsal.compare, "without")
        self.assertEqual((rehearsal.held_before, rehearsal.held_after), (1, 5))

    def test_tags_and_other_changes_are_told(self):
        tag = self.env["crm.tag"].create({"name": "VIP"})
        order = self._create_orders(1)
        tagging = self._create_rule("[]", state="draft", actions=[{"type": "tag", "tag_ids": [Command.set(tag.ids)]}])
        urgent = self._create_rule("[]", state="draft", actions=[{"type": "priority", "priority": "2"}])
        line = self._rehearse(tagging).line_ids
        self.assertEqual((line.kind, line.after), ("tagged", "Tag it “VIP”"))
        self.assertEqual((line.rehearsal_id.tagged_before, line.rehearsal_id.tagged_after), (0, 1))
        line = self._rehearse(urgent).line_ids
        self.assertEqual((line.kind, line.after), ("changed", "Order Priority: Urgent"))
        self.assertEqual((order.tag_ids, order.oms_priority), (self.env["crm.tag"], "0"))

    def test_gifts_are_told_with_their_cost(self):
        mug = self.env["product.product"].create({"name": "Mug", "is_storable": True, "standard_price": 3.0})
        self._set_stock(mug, 100)
        tier = {"threshold": 100, "line_ids": [Command.create({"product_id": mug.id, "quantity": 2})]}
        gift = self.env["oms.gift"].create({"name": "Gift", "tier_ids": [Command.create(tier)]})
        rule = self._create_rule("[]", state="draft", actions=[{"type": "gift", "gift_id": gift.id}])
        small, large = self._create_orders(5)[::4]
        rehearsal = self._rehearse(rule)
        self.assertEqual((rehearsal.gift_cost_before, rehearsal.gift_cost_after), (0.0, 6.0))
        self.assertRecordValues(
            rehearsal.line_ids,
            [{"order_id": large.id, "kind": "gift", "after": "Gift: 2 x Mug", "gift_cost": 6.0}],
        )
        self.assertFalse((small | large)._get_gift_lines())
        # What a live rule gave already is given anew: without the rule it is not there.
        rule.action_go_live()
        (small | large)._oms_review()
        rehearsal = self._rehearse(rule, compare="without")
        self.assertEqual((rehearsal.gift_cost_before, rehearsal.gift_cost_after), (0.0, 6.0))
        self.assertEqual(len(large._get_gift_lines()), 1)
        # Nor does it stay because the order went on.
        large.action_confirm()
        self._deliver(large)
        rehearsal = self._rehearse(rule, compare="without")
        self.assertEqual((rehearsal.gift_cost_before, rehearsal.gift_cost_after), (0.0, 6.0))
        self.assertEqual(rehearsal.line_ids.mapped("kind"), ["gift"])

    def test_each_order_is_judged_by_the_rules_of_its_own_date(self):
        now = fields.Datetime.now()
        old, new = self._create_orders(2)
        old.date_order = now - timedelta(days=10)
        draft = self._create_rule("[]", state="draft", date_to=now - timedelta(days=5))
        self.assertEqual(self._rehearse(draft).line_ids.order_id, old)
        self.assertEqual(self._rehearse(draft, ignores_dates=True).line_ids.order_id, old | new)
        self.assertFalse(self._rehearse(draft, days=7).line_ids)

    def test_set_is_rehearsed_as_if_its_calendar_ran(self):
        self._create_rule("[('amount_total', '>', 100)]")
        sale = self.env["oms.rule.set"].create(
            {
                "name": "双11",
                "mode": "replace",
                "period_ids": [Command.create({"date_from": "2040-11-11", "date_to": "2040-11-12"})],
            }
        )
        self._create_rule("[('amount_total', '>', 180)]", set_id=sale.id)
        self._create_rule("[('amount_total', '>', 160)]", set_id=sale.id, state="draft")
        self._create_orders(10)
        action = sale.with_user(self.manager).action_rehearse()
        rehearsal = self.env["oms.rehearsal"].browse(action["res_id"])
        rehearsal.channel_ids = self.channel
        self._run_cron(CRON)
        self.assertEqual((rehearsal.held_before, rehearsal.held_after), (5, 2))

    def test_order_that_cannot_be_judged_does_not_stop_the_rest(self):
        orders = self._create_orders(60)
        tag = self.env["crm.tag"].create({"name": "VIP"})
        draft = self._create_rule("[]", state="draft", actions=[{"type": "tag", "tag_ids": [Command.set(tag.ids)]}])
        bad = orders[7]
        run_tag = self.registry["oms.rule.action"]._run_tag

        def fail(action, todo):
            if bad.id in todo.ids:
                raise ValueError("no good")
            return run_tag(action, todo)

        with patch.object(self.registry["oms.rule.action"], "_run_tag", fail):
            rehearsal = self._rehearse(draft)
        self.assertEqual((rehearsal.state, rehearsal.judged_count, rehearsal.error_count), ("done", 60, 1))
        line = rehearsal.line_ids.filtered(lambda line: line.kind == "error")
        self.assertEqual((line.order_id, line.reason), (bad, "no good"))
        self.assertEqual(len(rehearsal.line_ids), 60)

    def test_rule_that_refuses_an_order_says_so(self):
        self._create_orders(2)
        draft = self._create_rule("[]", state="draft", actions=[{"type": "priority"}])

        def refuse(action, todo):
            refusal = "not this one"
            raise UserError(refusal)

        with patch.object(self.registry["oms.rule.action"], "_run_priority", refuse):
            rehearsal = self._rehearse(draft)
        self.assertEqual(rehearsal.line_ids.mapped("kind"), ["error", "error"])
        self.assertIn("not this one", rehearsal.line_ids[0].reason)

    def test_goes_on_where_a_killed_worker_left_it(self):
        orders = self._create_orders(60)
        draft = self._create_rule("[('amount_total', '>', 20)]", state="draft")
        rehearsal = self.env["oms.rehearsal"].create(
            {"rule_ids": [Command.set(draft.ids)], "channel_ids": [Command.set(self.channel.ids)]}
        )
        rehearsal.action_start()
        with self.enter_registry_test_mode():
            rehearsal._run_chunk()
        self.assertEqual((rehearsal.state, rehearsal.judged_count), ("running", 50))
        self.assertEqual(round(rehearsal.progress), 83)
        self._run_cron(CRON)
        self.assertEqual((rehearsal.state, rehearsal.judged_count), ("done", 60))
        self.assertEqual(rehearsal.line_ids.order_id, orders[1:])
        self.assertEqual(len(rehearsal.line_ids), 59)

    def test_chunk_that_met_a_concurrent_update_is_run_again(self):
        self._create_orders(2)
        Rehearsal = self.registry["oms.rehearsal"]
        judge, refusals = Rehearsal._judge_apart, [SerializationFailure()]

        def meet(rehearsal, order_ids):
            if refusals:
                raise refusals.pop()
            return judge(rehearsal, order_ids)

        with patch.object(Rehearsal, "_judge_apart", meet):
            rehearsal = self._rehearse(self._create_rule("[]", state="draft"))
        self.assertEqual((rehearsal.state, rehearsal.judged_count, len(rehearsal.line_ids)), ("done", 2, 2))

    def test_what_can_not_go_on_ends_and_stops_no_other(self):
        self._create_orders(2)
        drafts = [self._create_rule("[]", state="draft") for _number in range(2)]
        bad = self.env["oms.rehearsal"].create({"rule_ids": [Command.set(drafts[0].ids)]})
        bad.action_start()
        Rehearsal = self.registry["oms.rehearsal"]
        judge = Rehearsal._judge_apart

        def fail(rehearsal, order_ids):
            if rehearsal.id == bad.id:
                raise ValueError("odd")
            return judge(rehearsal, order_ids)

        with patch.object(Rehearsal, "_judge_apart", fail), self.assertLogs("odoo.addons.oms_base", "ERROR"):
            good = self._rehearse(drafts[1])
        self.assertEqual((bad.state, bad.error, good.state), ("failed", "ValueError: odd", "done"))

    def test_cancelled_rehearsal_stops_and_starts_anew(self):
        self._create_orders(3)
        draft = self._create_rule("[]", state="draft")
        rehearsal = self.env["oms.rehearsal"].create(
            {"rule_ids": [Command.set(draft.ids)], "channel_ids": [Command.set(self.channel.ids)]}
        )
        rehearsal.action_start()
        rehearsal.action_cancel()
        self._run_cron(CRON)
        self.assertEqual((rehearsal.state, rehearsal.judged_count), ("cancelled", 0))
        rehearsal.action_start()
        self._run_cron(CRON)
        rehearsal.action_start()
        self._run_cron(CRON)
        self.assertEqual((rehearsal.state, rehearsal.judged_count, len(rehearsal.line_ids)), ("done", 3, 3))

    def test_rule_that_is_changed_or_gone_meanwhile_ends_the_rehearsal(self):
        self._create_orders(60)
        changed, gone = (self._create_rule("[]", state="draft") for _number in range(2))
        rehearsals = self.env["oms.rehearsal"].create(
            [
                {"rule_ids": [Command.set(rule.ids)], "channel_ids": [Command.set(self.channel.ids)]}
                for rule in (changed, gone)
            ]
        )
        rehearsals.action_start()
        with self.enter_registry_test_mode():
            for rehearsal in rehearsals:
                rehearsal._run_chunk()
        changed.domain = "[('amount_total', '>', 5)]"
        gone.unlink()
        self._run_cron(CRON)
        self.assertEqual(rehearsals.mapped("state"), ["failed", "failed"])
        self.assertEqual(rehearsals.mapped("judged_count"), [50, 50])
        self.assertIn("changed while", rehearsals[0].error)
        rehearsals[0].action_start()
        self._run_cron(CRON)
        self.assertEqual((rehearsals[0].state, rehearsals[0].judged_count), ("done", 60))

    def test_language_of_who_rehearses_is_no_change_of_the_rules(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        self._create_orders(1)
        draft = self._create_rule("[]", state="draft")
        draft.with_context(lang="zh_CN").name = "大单"
        rehearsal = self._rehearse(draft.with_context(lang="zh_CN"))
        self.assertEqual((rehearsal.state, rehearsal.error), ("done", False))

    def test_nothing_to_rehearse_is_refused(self):
        with self.assertRaisesRegex(UserError, "Choose the rules"):
            self.env["oms.rehearsal"].create({}).action_start()
        with self.assertRaises(AccessError):
            self.env["oms.rehearsal"].with_user(self.user).create({})

    def test_queries_do_not_grow_with_the_orders(self):
        self._create_rule("[('amount_total', '>', 500)]")
        draft = self._create_rule("[('amount_total', '>', 20)]", state="draft")
        rehearsal = self.env["oms.rehearsal"].create({"rule_ids": [Command.set(draft.ids)]})
        orders = self._create_orders(50)
        self.env.flush_all()

        def count(ids):
            self.env.invalidate_all()
            with self.enter_registry_test_mode():
                before = self.env.cr.sql_log_count
                rehearsal._judge_apart(ids)
                return self.env.cr.sql_log_count - before

        count(orders.ids)
        # Either part has orders that only the draft holds and orders that both rules hold.
        few, many = count(orders[20:30].ids), count(orders.ids)
        self.assertLessEqual(many, few + 2)
