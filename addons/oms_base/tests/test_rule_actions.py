from unittest.mock import patch

import requests

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.oms_base.models.review import sale_order_review_queue
from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestRuleActions(OmsBaseCommon):
    def _review_by(self, *actions, order=None, **values):
        """Judge an order by one rule that does ``actions``; return (rule, order)."""
        self.env["oms.rule"].search([]).state = "draft"
        rule = self._create_rule("[]", actions=list(actions), **values)
        order = order or self._create_order()
        order._oms_review()
        return rule, order

    def test_several_actions_in_one_rule_run_once(self):
        tag = self.env["crm.tag"].create({"name": "Big"})
        _rule, order = self._review_by(
            {"type": "tag", "tag_ids": [(6, 0, tag.ids)]},
            {"type": "priority", "priority": "2"},
            {"type": "assign", "user_id": self.user.id},
            {"type": "seal"},
            {"type": "note", "note_target": "warehouse", "note": "Fragile"},
        )
        order._oms_review()
        self.assertEqual(order.tag_ids, tag)
        self.assertEqual((order.oms_priority, order.oms_reviewer_id, order.oms_is_sealed), ("2", self.user, True))
        self.assertEqual(order.oms_warehouse_note, "Fragile")
        self.assertEqual(
            order.oms_decision_ids.filtered(lambda d: d.kind == "review").mapped("outcome"), ["act", "act"]
        )

    def test_priority_and_note_reach_the_transfer(self):
        _rule, order = self._review_by(
            {"type": "priority", "priority": "1"}, {"type": "note", "note_target": "warehouse", "note": "Fragile"}
        )
        order.action_confirm()
        self.assertEqual(order.picking_ids.priority, "1")
        self.assertEqual(order.picking_ids.with_user(self.operator).oms_warehouse_note, "Fragile")

    def test_hold_by_a_rule_may_differ_from_its_type(self):
        rule, order = self._review_by(
            {
                "type": "hold",
                "hold_type_id": self.env.ref("oms_base.oms_hold_type_address").id,
                "gate": "ship",
                "group_id": self.env.ref("oms_base.oms_base_group_manager").id,
                "release_hours": 2.0,
                "reason": "Look twice",
            }
        )
        hold = order.oms_hold_ids
        self.assertEqual((hold.gate, hold.reason, hold.rule_id), ("ship", "Look twice", rule))
        self.assertEqual(hold.reason_ids.group_id, self.env.ref("oms_base.oms_base_group_manager"))
        self.assertTrue(hold.auto_release_date)
        self.assertFalse(hold.with_user(self.user).can_release)
        self.assertTrue(hold.with_user(self.manager).can_release)
        self.assertEqual(hold.data["amount_total"], order.amount_total)

    def test_what_a_person_released_is_not_held_again_until_it_changes(self):
        rule = self._create_rule("[('amount_total', '>', 50)]")
        order = self._create_order()
        order._oms_review()
        order.oms_hold_ids.with_user(self.user).action_release("fine")
        order._oms_review()
        self.assertEqual(order.oms_hold_ids.mapped("state"), ["released"])
        order.order_line[0].product_uom_qty = 3
        order._oms_judge_changes()
        self.assertEqual(order.oms_hold_ids.filtered(lambda hold: hold.state == "active").rule_id, rule)

    def test_approval_passes_lower_holds_only(self):
        low = self.env.ref("oms_base.oms_hold_type_manual")
        high = self.env.ref("oms_base.oms_hold_type_total")
        low.severity, high.severity = "1", "3"
        self._create_rule("[]", sequence=1, hold_type="oms_base.oms_hold_type_manual")
        self._create_rule("[]", sequence=2, hold_type="oms_base.oms_hold_type_total")
        self._create_rule("[]", sequence=3, actions=[{"type": "approve", "severity": "1"}])
        order = self._create_order()
        order._oms_review()
        self.assertEqual(order.oms_hold_ids.type_id, high)

    def test_warehouse_route_and_ship_date(self):
        other = self.env["stock.warehouse"].create({"name": "South", "code": "OMSTS"})
        _rule, order = self._review_by(
            {"type": "warehouse", "warehouse_id": other.id}, {"type": "planned_date", "days": 3}
        )
        self.assertEqual(order.warehouse_id, other)
        self.assertEqual((order.commitment_date - order.date_order).days, 3)

    def test_route_and_parcels(self):
        route = self.warehouse.delivery_route_id
        route.sale_selectable = True
        self.channel.merge_window_hours = 24
        first = self._create_order()
        _rule, order = self._review_by({"type": "route", "route_ids": [(6, 0, route.ids)]}, {"type": "merge"})
        self.assertEqual(order.order_line.route_ids, route)
        self.assertEqual(order.oms_delivery_group_ids.order_ids, first | order)
        _rule, order = self._review_by(
            {"type": "split", "split_kind": "value", "split_limit": 60},
            order=self._create_order(partner_id=self._create_buyer("李四").id),
        )
        self.assertEqual(len(order.oms_delivery_group_ids), 2)
        self.assertEqual(sum(order.oms_group_line_ids.mapped("quantity")), 3)

    def test_note_of_another_language_is_not_left_again(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        rule = self._create_rule(
            "[]", actions=[{"type": "note", "note_target": "warehouse", "note": "Handle with care"}]
        )
        rule.action_ids.with_context(lang="zh_CN").note = "小心轻放"
        order = self._create_order()
        order._oms_review()
        order.with_context(lang="zh_CN")._oms_review()
        self.assertEqual(order.oms_warehouse_note, "Handle with care")

    def test_activity_and_notification(self):
        rule, order = self._review_by(
            {"type": "activity", "activity_type_id": self.env.ref("mail.mail_activity_data_todo").id, "note": "Call"},
            {"type": "notify", "user_ids": [(6, 0, self.manager.ids)], "note": "Big order"},
        )
        order._oms_review()
        self.assertEqual(order.activity_ids.mapped("summary"), ["Call"])
        message = self.env["mail.message"].search([("partner_ids", "in", self.manager.partner_id.ids)])
        self.assertEqual((message.model, message.res_id), ("sale.order", order.id), "told once, with the order")
        self.assertIn(order.name, message.body)
        order.activity_ids.action_done()
        order._oms_review()
        self.assertFalse(order.activity_ids, "what a person has done does not come back")
        rule.action_ids.filtered("user_ids").note = "Very big order"
        order._oms_review()
        messages = self.env["mail.message"].search([("partner_ids", "in", self.manager.partner_id.ids)])
        self.assertEqual(len(messages), 2, "another version of the rule tells again")

    def test_notification_of_many_orders_links_them(self):
        self.env["oms.rule"].search([]).state = "draft"
        notify = {"type": "notify", "user_ids": [(6, 0, self.manager.ids)], "note": "Look"}
        self._create_rule("[]", actions=[notify])
        orders = self._create_order() | self._create_order()
        orders._oms_review()
        message = self.env["mail.message"].search([("partner_ids", "in", self.manager.partner_id.ids)])
        self.assertEqual(len(message), 1)
        for order in orders:
            self.assertIn(f'data-oe-id="{order.id}"', message.body)

    def test_cancel_with_a_reason(self):
        _rule, order = self._review_by({"type": "cancel", "note": "Test order of the shop"})
        self.assertEqual(order.state, "cancel")
        self.assertIn("Test order of the shop", "".join(order.oms_event_ids.filtered("message").mapped("message")))

    def test_nothing_holds_what_a_rule_has_cancelled(self):
        _rule, order = self._review_by(
            {"type": "cancel", "note": "Fraud"},
            {"type": "cancel", "note": "Fraud indeed"},
            {"type": "hold", "hold_type_id": self.env.ref("oms_base.oms_hold_type_manual").id},
        )
        self.assertEqual((order.state, len(order.oms_hold_ids)), ("cancel", 0))

    def test_cancel_is_too_late_once_goods_left(self):
        order = self._create_order()
        order.action_confirm()
        self._deliver(order)
        self._review_by({"type": "cancel", "note": "Fraud"}, order=order)
        self.assertEqual(order.state, "sale")
        self.assertEqual(order.oms_hold_ids.type_id.code, "edited")

    def test_what_somebody_picks_is_not_changed_by_a_rule(self):
        other = self.env["stock.warehouse"].create({"name": "South", "code": "OMSTS"})
        order = self._create_order()
        order.action_confirm()
        order.picking_ids.move_ids[0].picked = True
        self._review_by(
            {"type": "warehouse", "warehouse_id": other.id}, {"type": "cancel", "note": "Fraud"}, order=order
        )
        self.assertEqual((order.state, order.warehouse_id), ("sale", self.warehouse))
        self.assertEqual(order.oms_hold_ids.type_id.code, "edited")

    def test_action_that_fails_for_one_order_holds_only_that_one(self):
        good, bad = self._create_order(), self._create_order()
        bad.locked = True
        self.env["oms.rule"].search([]).state = "draft"
        self._create_rule("[]", actions=[{"type": "cancel", "note": "x"}])
        (good | bad)._oms_review()
        self.assertEqual((good.state, bad.state), ("cancel", "draft"))
        self.assertEqual(bad.oms_hold_ids.type_id.code, "error")

    def test_incomplete_action_is_refused(self):
        with self.assertRaisesRegex(ValidationError, "Large order"):
            self._create_rule("[]", actions=[{"type": "tag"}])

    def test_webhook_is_called_after_and_once_for_each_version(self):
        webhook = self.env["oms.webhook"].create({"name": "ERP", "url": "https://erp.example.com/hook", "secret": "s"})
        with patch.object(requests, "post") as post:
            _rule, order = self._review_by({"type": "webhook", "webhook_id": webhook.id})
            order._oms_review()
            post.assert_not_called()
            call = webhook.call_ids
            self.assertEqual(len(call), 1)
            post.return_value.status_code, post.return_value.ok, post.return_value.is_redirect = 200, True, False
            call._process_queue_row()
        self.assertEqual(call.state, "done")
        headers = post.call_args.kwargs["headers"]
        self.assertEqual(headers["Idempotency-Key"], call.idempotency_key)
        self.assertEqual(len(headers["X-OMS-Signature"]), 64)
        self.assertTrue(post.call_args.kwargs["timeout"])

    def test_a_rule_may_call_two_webhooks(self):
        webhooks = self.env["oms.webhook"].create(
            [{"name": name, "url": "https://erp.example.com/hook"} for name in ("ERP", "CRM")]
        )
        _rule, order = self._review_by(*({"type": "webhook", "webhook_id": webhook.id} for webhook in webhooks))
        order._oms_review()
        self.assertEqual([len(webhook.call_ids) for webhook in webhooks], [1, 1])

    def test_webhook_that_is_down_is_tried_again_and_a_refusal_is_final(self):
        webhook = self.env["oms.webhook"].create({"name": "ERP", "url": "https://erp.example.com/hook"})
        self._review_by({"type": "webhook", "webhook_id": webhook.id})
        call = webhook.call_ids
        with patch.object(requests, "post", side_effect=requests.ConnectionError("no route")):
            call._process_queue_row()
        self.assertEqual((call.state, call.attempts), ("pending", 1))
        with patch.object(requests, "post") as post:
            post.return_value.status_code, post.return_value.ok, post.return_value.is_redirect = 403, False, False
            call._process_queue_row()
        self.assertEqual(call.state, "failed")
        self.assertIn("403", call.last_error)

    def test_webhook_needs_a_web_address(self):
        for url in ("ftp://example.com", "javascript:alert(1)", "example.com"):
            with self.assertRaises(ValidationError):
                self.env["oms.webhook"].create({"name": "x", "url": url})

    def test_allocate_hold_confirms_and_launches_once_released(self):
        rule, order = self._review_by(
            {
                "type": "hold",
                "hold_type_id": self.env.ref("oms_base.oms_hold_type_manual").id,
                "gate": "allocate",
            },
            trigger="allocate",
        )
        order.action_confirm()
        self.assertEqual((order.state, order.oms_stage), ("sale", "held"))
        self.assertFalse(order.picking_ids)
        self.assertEqual(order.oms_hold_ids.rule_id, rule)
        order.oms_hold_ids.with_user(self.user).action_release()
        self._run_cron(f"oms_base.ir_cron_review_lane_{order.id % 2}")
        self.assertEqual(order.oms_stage, "ready")
        self.assertEqual(sum(order.picking_ids.move_ids.mapped("product_uom_qty")), 3)

    def test_rule_before_shipping_stops_the_transfer(self):
        order = self._create_order()
        order.action_confirm()
        self._review_by(
            {"type": "hold", "hold_type_id": self.env.ref("oms_base.oms_hold_type_manual").id, "reason": "Weigh again"},
            order=order,
            trigger="ship",
        )
        self.assertFalse(order.oms_hold_ids)
        with self.assertRaisesRegex(Exception, "Weigh again"):
            self._deliver(order)

    def test_scheduled_rule_judges_open_orders_when_due(self):
        order = self._create_order()
        order._oms_review()
        rule = self._create_rule("[]", trigger="schedule", schedule_hours=2.0)
        self._run_cron("oms_base.ir_cron_judge_scheduled")
        self.assertEqual(order.oms_hold_ids.rule_id, rule)
        self.assertGreater(rule.schedule_date, fields.Datetime.now())
        later = self._create_order()
        later._oms_review()
        self._run_cron("oms_base.ir_cron_judge_scheduled")
        self.assertFalse(later.oms_hold_ids)

    def test_scheduled_rule_leaves_a_trace_of_what_it_finds_only(self):
        order, other = self._create_order(), self._create_order([(self.mouse, 1)])
        (order | other)._oms_review()
        rule = self._create_rule("[('amount_total', '>', 50)]", trigger="schedule")
        before = [len(order.oms_decision_ids), len(other.oms_decision_ids)]
        for _run in range(2):
            rule.schedule_date = False
            self._run_cron("oms_base.ir_cron_judge_scheduled")
        self.assertEqual([len(order.oms_decision_ids), len(other.oms_decision_ids)], [before[0] + 1, before[1]])
        self.assertEqual(self.env["oms.rule.hit"].search_count([("rule_id", "=", rule.id)]), 1)
        order.order_line.price_unit = 1
        rule.schedule_date = False
        self._run_cron("oms_base.ir_cron_judge_scheduled")
        self.assertEqual(order.oms_hold_ids.resolution, "settled")

    def test_scheduled_run_goes_on_where_time_was_up(self):
        orders = self.env["sale.order"].concat(*[self._create_order() for _order in range(3)])
        orders._oms_review()
        rule = self._create_rule("[]", trigger="schedule")
        Order, Cron = self.env["sale.order"], self.env.registry["ir.cron"]
        self.patch(sale_order_review_queue, "SCHEDULED_BATCH_SIZE", 1)
        self.patch(self.env.registry["sale.order"], "_get_scheduled_domain", lambda _self: [("id", "in", orders.ids)])
        with patch.object(Cron, "_commit_progress", lambda *args, remaining=None, **kwargs: remaining):
            Order._cron_judge_scheduled()
        self.assertEqual((rule.schedule_cursor, rule.schedule_date), (orders[0].id, False))
        with patch.object(Cron, "_commit_progress", lambda *args, **kwargs: 100):
            Order._cron_judge_scheduled()
        self.assertEqual([bool(order.oms_hold_ids) for order in orders], [True, True, True])
        self.assertEqual(orders[0].oms_hold_ids.reason_ids.rule_id, rule)
        self.assertEqual((rule.schedule_cursor, bool(rule.schedule_date)), (0, True))

    def test_order_that_fails_on_schedule_stops_no_other(self):
        good, bad = self._create_order(), self._create_order()
        (good | bad)._oms_review()
        rule = self._create_rule("[]", trigger="schedule", actions=[{"type": "priority"}])
        Action = self.registry["oms.rule.action"]
        run = Action._run_priority

        def fail(action, orders):
            if bad.id in orders.ids:
                raise ValueError("no good")
            return run(action, orders)

        domain = [("id", "in", (good | bad).ids)]
        with (
            patch.object(self.registry["sale.order"], "_get_scheduled_domain", lambda _self: domain),
            patch.object(Action, "_run_priority", fail),
            self.assertLogs("odoo.addons.oms_base", "ERROR"),
        ):
            self._run_cron("oms_base.ir_cron_judge_scheduled")
        self.assertEqual((good.oms_priority, bad.oms_priority), ("1", "0"))
        self.assertEqual(bad.oms_hold_ids.type_id.code, "error")
        self.assertTrue(rule.schedule_date)

    def test_history_of_closed_orders_is_forgotten_after_years(self):
        order, old = self._create_order(), self._create_order()
        (order | old)._oms_review()
        old._action_cancel()
        self._create_rule("[]")
        (order | old)._oms_review()
        self.env.flush_all()
        for table in ("oms_event", "oms_decision", "oms_rule_hit"):
            ids = [order.id, old.id]
            self.env.cr.execute(f"UPDATE {table} SET date = '2020-01-01' WHERE order_id = ANY(%s)", [ids])
        self.env.invalidate_all()
        parameters = self.env["ir.config_parameter"].sudo()
        parameters.set_param("oms_base.history_keep_days", 0)
        for model in ("oms.event", "oms.decision", "oms.rule.hit"):
            self.assertEqual(self.env["oms.event"]._forget_old(self.env[model]), (0, False))
        parameters.set_param("oms_base.history_keep_days", 730)
        self.env["oms.event"]._gc_events()
        self.env["oms.decision"]._gc_decisions()
        self.env["oms.rule.hit"]._gc_hits()
        self.assertTrue(order.oms_event_ids and order.oms_decision_ids)
        self.assertFalse(old.oms_event_ids or old.oms_decision_ids)
        hits = self.env["oms.rule.hit"].search([("order_id", "in", (order | old).ids)])
        self.assertEqual(hits.order_id, order)
