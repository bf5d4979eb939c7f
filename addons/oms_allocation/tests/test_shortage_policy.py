from datetime import timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .strategy_common import SourcingCommon


@tagged("post_install", "-at_install")
class TestShortagePolicy(SourcingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_stocks(cls.lamp, shanghai=2)

    def _settle(self):
        self._run_cron("oms_allocation.ir_cron_settle_unfilled")

    def _pass_days(self, order, name="oms_unfilled_due"):
        order[name] = fields.Datetime.now() - timedelta(minutes=1)

    def test_strategy_that_decides_needs_no_person(self):
        """The review's rule "Not enough stock" holds only orders of which nothing says what happens."""
        order = self._create_order([(self.lamp, 3)])
        self.assertTrue(order.oms_has_shortage)
        for policy in ("complete", "wait", "cancel", "substitute", "transfer", "buy", "ask"):
            self.strategy.on_shortage = policy
            order.invalidate_recordset()
            self.assertFalse(order.oms_has_shortage, policy)
            self.assertTrue(order.oms_shortage, "what is missing is known all the same")
        order._oms_review()
        order.with_user(self.user).action_confirm()
        self.assertEqual((order.state, order.oms_hold_summary), ("sale", "Can't be filled"))

    def test_send_what_is_there(self):
        order = self._confirm([(self.lamp, 3)])
        self.assertEqual((order.oms_short_quantity, order.oms_unfilled_reason), (1, "Missing: 1 Lamp"))
        self.assertTrue(order.oms_unfilled_date)
        self.assertFalse(order.oms_unfilled_due or order.oms_cancel_date)
        self._set_stocks(self.lamp, beijing=5)
        order.action_oms_allocate()
        self.assertFalse(order.oms_unfilled_date or order.oms_unfilled_reason)

    def test_complete_waits_and_goes_by_itself(self):
        self.strategy.on_shortage = "complete"
        order = self._confirm([(self.lamp, 3)])
        self.assertFalse(order.picking_ids or order.oms_allocation_ids, "nothing is bound before all is there")
        self.assertEqual((order.oms_stage, order.oms_hold_summary), ("held", "Waits for all goods"))
        self._run_cron("oms_allocation.ir_cron_reallocate")
        self.assertFalse(order.picking_ids)
        self._set_stocks(self.lamp, beijing=5)
        self._run_cron("oms_allocation.ir_cron_reallocate")
        self.assertEqual(sum(self._get_rows(order).values()), 3)
        self.assertFalse(order.oms_hold_count or order.oms_unfilled_date)

    def test_one_of_a_parcel_is_not_all_there(self):
        """The others of its parcel wait for it as for any late order, and no longer than the channel says."""
        self.strategy.on_shortage = "complete"
        self._set_stocks(self.desk, shanghai=5)
        whole, late = self._create_order([(self.desk, 1)]), self._create_order([(self.lamp, 3)])
        group = (whole | late)._oms_merge()
        for order in (whole, late):
            order.action_confirm()
        self.assertEqual((late.oms_stage, group.is_waiting, group.late_order_ids), ("held", True, late))
        holds = late.oms_hold_ids
        self._run_cron("oms_allocation.ir_cron_reallocate")
        self.assertEqual((late.oms_hold_ids, group.is_waiting), (holds, True), "nothing has changed")
        with self.subTest("time is up"), self.env.cr.savepoint() as savepoint:
            group.wait_until = "2020-01-01"
            self._run_cron("oms_base.ir_cron_launch_groups")
            self.assertEqual((self._get_rows(whole), self._get_rows(late)), ({("Desk", "Shanghai"): 1}, {}))
            savepoint.close(rollback=True)
        self.env.invalidate_all()
        self._set_stocks(self.lamp, shanghai=3)
        self._run_cron("oms_allocation.ir_cron_reallocate")
        self.assertEqual((late.oms_hold_count, group.state), (0, "open"))
        self.assertEqual(len((whole | late).order_line.move_ids.picking_id.filtered(lambda p: p.state != "cancel")), 1)

    def test_order_of_which_nothing_is_wanted_any_more_is_let_go(self):
        self.strategy.on_shortage = "complete"
        order = self._confirm([(self.lamp, 3)])
        order.order_line.product_uom_qty = 0
        self._run_cron("oms_allocation.ir_cron_reallocate")
        self.assertFalse(order.oms_hold_count or order.picking_ids)

    def test_stock_goes_to_who_can_be_filled(self):
        self.strategy.on_shortage = "complete"
        large, small = self._create_order([(self.lamp, 3)]), self._create_order([(self.lamp, 2)])
        orders = large | small
        orders.oms_hold_ids._release("Test")
        for order in orders:
            order.action_confirm() if order.state != "sale" and not order.oms_hold_count else None
        orders.oms_hold_ids.filtered(lambda hold: hold.state == "active")._release("Test", resolution="settled")
        orders.filtered(lambda order: order.state != "sale").action_confirm()
        self.assertAllocated(small, {("Lamp", "Shanghai"): 2})
        self.assertFalse(large.picking_ids)

    def test_a_person_lets_go_what_is_there(self):
        self.strategy.on_shortage = "ask"
        order = self._confirm([(self.lamp, 3)])
        hold = order.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        self.assertEqual(hold.type_id.code, "unfilled")
        self.assertIn("Missing: 1 Lamp", hold.reason)
        hold.with_user(self.user).action_release("Send it.")
        order._oms_launch_pending()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 3})
        self.assertEqual(order.oms_short_quantity, 1)

    def test_wait_some_days_then_send(self):
        self.strategy.write({"on_shortage": "wait", "wait_days": 2, "after_wait": "ship"})
        order = self._confirm([(self.lamp, 3)])
        self.assertFalse(order.picking_ids)
        self.assertGreater(order.oms_unfilled_due, fields.Datetime.now() + timedelta(days=1))
        self._settle()
        self.assertFalse(order.picking_ids)
        self._pass_days(order)
        self._settle()
        self.assertEqual((sum(self._get_rows(order).values()), order.oms_short_quantity), (3, 1))
        self.assertFalse(order.oms_hold_count)

    def test_wait_some_days_then_ask(self):
        self.strategy.write({"on_shortage": "wait", "wait_days": 2, "after_wait": "ask"})
        order = self._confirm([(self.lamp, 3)])
        self._pass_days(order)
        self._settle()
        self.assertFalse(order.picking_ids)
        self.assertEqual(order.oms_hold_summary, "Can't be filled")

    def test_wait_some_days_then_bring_it(self):
        other = self.env["stock.warehouse"].create({"name": "Wuhan", "code": "WUH"})
        self.shanghai.resupply_wh_ids = other
        self._set_stock(self.lamp, 5, other)
        self.strategy.write({"on_shortage": "wait", "wait_days": 2, "after_wait": "transfer"})
        order = self._confirm([(self.lamp, 3)])
        self._pass_days(order)
        self._settle()
        self.assertEqual(order.oms_short_quantity, 1)
        transfers = self.env["stock.move"].search([("product_id", "=", self.lamp.id), ("warehouse_id", "=", other.id)])
        self.assertEqual(sum(transfers.mapped("product_uom_qty")), 1)

    def test_cancel_what_is_missing(self):
        self.strategy.on_shortage = "cancel"
        order = self._confirm([(self.lamp, 3)])
        self._settle()
        self.assertEqual(order.order_line.product_uom_qty, 2)
        self.assertAllocated(order, {("Lamp", "Shanghai"): 2})
        self.assertFalse(order.oms_unfilled_date)
        self.assertIn("1 Lamp", order.activity_ids.note)
        self._settle()
        self.assertEqual(order.order_line.product_uom_qty, 2, "it is done once")

    def test_order_of_which_nothing_is_there_is_cancelled(self):
        self.strategy.on_shortage = "cancel"
        order = self._confirm([(self.desk, 1)])
        self._settle()
        self.assertEqual(order.state, "cancel")

    def test_auto_cancel_date(self):
        self.strategy.write({"on_shortage": "complete", "cancel_days": 5})
        order = self._confirm([(self.lamp, 3)])
        self.assertGreater(order.oms_cancel_date, fields.Datetime.now() + timedelta(days=4))
        self._settle()
        self.assertEqual(order.state, "sale")
        self._pass_days(order, "oms_cancel_date")
        self._settle()
        self.assertEqual(order.state, "cancel")

    def test_goods_that_came_in_time_are_not_cancelled(self):
        self.strategy.write({"cancel_days": 5})
        order = self._confirm([(self.lamp, 3)])
        self._set_stocks(self.lamp, beijing=5)
        self._pass_days(order, "oms_cancel_date")
        self._settle()
        self.assertEqual(order.order_line.product_uom_qty, 3)
        self.assertFalse(order.oms_short_quantity)

    def test_substitute_at_the_same_price(self):
        lantern = self.env["product.product"].create({"name": "Lantern", "is_storable": True, "list_price": 999})
        self.lamp.product_tmpl_id.oms_substitute_ids = lantern
        self._set_stocks(lantern, shanghai=5)
        self.strategy.on_shortage = "substitute"
        order = self._confirm([(self.lamp, 3)])
        total, line = order.amount_total, order.order_line
        line.channel_line_id = "L1"
        self._settle()
        self.assertEqual(self._get_rows(order), {("Lamp", "Shanghai"): 2, ("Lantern", "Shanghai"): 1})
        self.assertAlmostEqual(order.amount_total, total)
        substitute = order.order_line - line
        self.assertEqual(substitute._oms_get_channel_line_id(), "L1", "the shop knows only the line it replaces")

    def test_wait_until_a_date(self):
        day = fields.Date.today() + timedelta(days=40)
        self.strategy.write({"on_shortage": "wait", "wait_days": 2, "wait_date": day, "after_wait": "ship"})
        self.assertEqual(self._confirm([(self.lamp, 3)]).oms_unfilled_due.date(), day)
        self.strategy.wait_date = fields.Date.today() - timedelta(days=1)
        self.assertLess(self._confirm([(self.lamp, 4)]).oms_unfilled_due.date(), day)
        self.assertIn("until ", self.strategy.summary)

    def test_what_is_short_later_is_settled_too_and_nothing_twice(self):
        self.strategy.on_shortage = "buy"
        order = self._confirm([(self.lamp, 3)])
        domain = [("product_id", "=", self.lamp.id), ("location_id.usage", "=", "supplier")]
        self._settle()
        self.assertEqual(sum(self.env["stock.move"].search(domain).mapped("product_uom_qty")), 1)
        self.assertFalse(order.oms_unfilled_due)
        order.order_line.product_uom_qty = 7
        self.assertTrue(order.oms_unfilled_due)
        self._settle()
        self.assertEqual(sum(self.env["stock.move"].search(domain).mapped("product_uom_qty")), 5)
        order._oms_source_again()
        self._settle()
        self.assertEqual(sum(self.env["stock.move"].search(domain).mapped("product_uom_qty")), 5)

    def test_order_that_goes_and_is_short_later_waits_as_the_strategy_says(self):
        self.strategy.write({"on_shortage": "wait", "wait_days": 2, "after_wait": "cancel"})
        order = self._confirm([(self.lamp, 2)])
        order.order_line.product_uom_qty = 3
        self.assertEqual((order.oms_short_quantity, bool(order.oms_unfilled_due)), (1, True))
        self._settle()
        self.assertEqual(order.order_line.product_uom_qty, 3)
        self._pass_days(order)
        self._settle()
        self.assertEqual(order.order_line.product_uom_qty, 2)

    def _keep(self, product):
        """Keep all of a product for another channel."""
        owner = self.channel.copy({"name": "Owner", "code": "owner"})
        self.env["oms.stock.pool"].create(
            {
                "name": "Owner's",
                "channel_ids": [Command.set(owner.ids)],
                "line_ids": [Command.create({"product_id": product.id, "share": 100})],
            }
        )

    def test_what_is_kept_for_others_is_no_substitute(self):
        lantern = self.env["product.product"].create({"name": "Lantern", "is_storable": True})
        self.lamp.product_tmpl_id.oms_substitute_ids = lantern
        self._set_stocks(lantern, shanghai=5)
        self._keep(lantern)
        self.strategy.on_shortage = "substitute"
        order = self._confirm([(self.lamp, 3)])
        self._settle()
        self.assertEqual(order.order_line.product_id, self.lamp)

    def test_what_is_kept_for_others_is_not_brought(self):
        other = self.env["stock.warehouse"].create({"name": "Wuhan", "code": "WUH"})
        self.shanghai.resupply_wh_ids = other
        self._set_stock(self.desk, 5, other)
        self._keep(self.desk)
        self.strategy.on_shortage = "transfer"
        self._confirm([(self.lamp, 1), (self.desk, 1)])
        self._settle()
        domain = [("product_id", "=", self.desk.id), ("warehouse_id", "=", other.id)]
        self.assertFalse(self.env["stock.move"].search(domain))

    def test_cause_is_known_and_told(self):
        self._keep(self.desk)
        self._set_stocks(self.desk, shanghai=5)
        order = self._confirm([(self.lamp, 3)])
        self.assertEqual(order.oms_unfilled_cause, "no_stock")
        self.assertIn("No warehouse had 1 × Lamp", order.oms_allocation_why)
        kept = self._confirm([(self.desk, 1)])
        self.assertEqual(kept.oms_unfilled_cause, "kept")
        self.assertIn("kept for others", kept.oms_allocation_why)
        self.assertIn("has it, but keeps it for others", kept.oms_allocation_why)
        self._set_stocks(self.lamp, beijing=5)
        self._add_rule(type="warehouses", warehouse_ids=self.beijing.ids, is_except=True)
        refused = self._confirm([(self.lamp, 1)])
        self.assertEqual(refused.oms_unfilled_cause, "rule")
        self.assertIn("may not send it, by a rule", refused.oms_allocation_why)
        groups = self.env["sale.order"]._read_group(
            [("id", "in", (order | kept | refused).ids)], ["oms_unfilled_cause"], ["__count"]
        )
        self.assertEqual(dict(groups), {"no_stock": 1, "kept": 1, "rule": 1})

    def test_without_a_substitute_it_waits(self):
        self.strategy.on_shortage = "substitute"
        order = self._confirm([(self.lamp, 3)])
        self._settle()
        self.assertEqual((order.order_line.product_uom_qty, order.oms_short_quantity), (3, 1))

    def test_transfer_from_the_warehouse_that_resupplies(self):
        other = self.env["stock.warehouse"].create({"name": "Wuhan", "code": "WUH"})
        self.shanghai.resupply_wh_ids = other
        self._set_stock(self.lamp, 5, other)
        self.strategy.on_shortage = "transfer"
        order = self._confirm([(self.lamp, 3)])
        self._settle()
        transfers = self.env["stock.move"].search([("product_id", "=", self.lamp.id), ("warehouse_id", "=", other.id)])
        self.assertEqual(sum(transfers.mapped("product_uom_qty")), 1)
        self._settle()
        again = self.env["stock.move"].search([("product_id", "=", self.lamp.id), ("warehouse_id", "=", other.id)])
        self.assertEqual(again, transfers, "it is asked for once")
        self.assertTrue(order.oms_unfilled_date)

    def test_order_it_by_the_routes_of_the_product(self):
        self.strategy.on_shortage = "buy"
        order = self._confirm([(self.lamp, 3)])
        self._settle()
        self._settle()
        domain = [("product_id", "=", self.lamp.id), ("location_id.usage", "=", "supplier")]
        self.assertEqual(self.env["stock.move"].search(domain).product_uom_qty, 1)
        self.assertIn("Asked for: 1 Lamp", order.oms_event_ids.mapped("message"))

    def test_what_can_not_be_ordered_is_held_with_the_reason(self):
        self.strategy.on_shortage = "buy"
        order = self._confirm([(self.lamp, 3)])

        refusal = "No supplier for Lamp"

        def run(rules, procurements, raise_user_error=True):
            raise UserError(refusal)

        self.patch(type(self.env["stock.rule"]), "run", run)
        self._settle()
        hold = order.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        self.assertEqual((hold.type_id.code, hold.reason), ("error", "No supplier for Lamp"))
