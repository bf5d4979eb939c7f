from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.models.sale_order_freight import FreightTerms

from .strategy_common import SourcingCommon


@tagged("post_install", "-at_install")
class TestStrategy(SourcingCommon):
    def test_default_strategy_is_what_is_done_without_one(self):
        self._set_stocks(self.lamp, beijing=10, shanghai=10)
        self.assertAllocated(self._confirm([(self.lamp, 3)]), {("Lamp", "Shanghai"): 3})
        self.assertEqual(self.strategy.aim_ids.mapped("type"), ["parcels", "distance", "priority"])

    def test_company_strategy_serves_channels_without_one(self):
        self._set_stocks(self.lamp, beijing=10, shanghai=10)
        self.beijing.oms_priority = 1
        self._set_aims("priority")
        self.channel.oms_strategy_id = False
        self.assertAllocated(self._confirm([(self.lamp, 3)]), {("Lamp", "Shanghai"): 3})
        settings = self.env["res.config.settings"].create({"oms_strategy_id": self.strategy.id, "oms_batch_seconds": 0})
        settings.execute()
        self.assertAllocated(self._confirm([(self.lamp, 3)]), {("Lamp", "Beijing"): 3})
        self.assertEqual(self.env.company.oms_batch_seconds, 0)

    def test_first_aim_that_differs_decides(self):
        self._set_stocks(self.lamp, beijing=10, shanghai=10)
        self.beijing.oms_priority = 1
        self._set_aims("parcels", "priority", "distance")
        order = self._confirm([(self.lamp, 3)])
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})
        self.assertIn("comes later by its priority", order.oms_allocation_why)

    def test_even_stock_takes_from_where_most_is(self):
        self._set_stocks(self.lamp, beijing=100, shanghai=10)
        self._set_aims("parcels", "stock", "distance")
        self.assertAllocated(self._confirm([(self.lamp, 3)]), {("Lamp", "Beijing"): 3})

    def test_lowest_cost_counts_handling_and_packaging(self):
        self._set_stocks(self.lamp, beijing=10, shanghai=10)
        self.shanghai.write({"oms_order_cost": 5, "oms_line_cost": 1, "oms_parcel_cost": 2})
        self.beijing.write({"oms_order_cost": 2, "oms_line_cost": 1, "oms_parcel_cost": 2})
        self._set_aims("cost")
        order = self._confirm([(self.lamp, 3)])
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})
        data = self._get_decision(order).data
        self.assertEqual((data["cost"]["money"], data["money"]), (5.0, {"handling": 3.0, "packaging": 2.0}))
        self.assertEqual({loser["name"]: loser["reason"] for loser in data["losers"]}["Shanghai"], "money")

    def test_weighed_aims_are_added_up(self):
        self._set_stocks(self.lamp, beijing=10, shanghai=2)
        # one parcel from Beijing is about 1,100 km; two parcels are a parcel more and 1,300 km together
        self._set_aims(mode="weighted", parcels=1.0, distance=0.01)
        self.assertAllocated(self._confirm([(self.lamp, 3)]), {("Lamp", "Beijing"): 3})

    def test_price_of_a_split(self):
        self._set_stocks(self.lamp, shanghai=5)
        self._set_stocks(self.desk, shanghai=5, beijing=5)
        self.shanghai.oms_line_cost = 10
        self._set_aims("cost")
        order = self._confirm([(self.lamp, 1), (self.desk, 1)])
        self.assertEqual(len(order.oms_allocation_ids.warehouse_id), 2)
        self.strategy.split_cost = 20
        order = self._confirm([(self.lamp, 1), (self.desk, 1)])
        self.assertEqual(order.oms_allocation_ids.warehouse_id, self.shanghai)

    def test_never_split(self):
        self._set_stocks(self.lamp, beijing=2, shanghai=1)
        self.strategy.split = "never"
        order = self._confirm([(self.lamp, 3)])
        self.assertEqual(order.oms_short_quantity, 1)
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})

    def test_what_waits_makes_no_further_parcel_where_splits_are_limited(self):
        """Desks are nowhere: they wait with the lamp in Beijing, and not in Shanghai, which is nearer."""
        self._set_stocks(self.lamp, beijing=1)
        for values in ({"split": "never"}, {"split": "always", "max_parcels": 1}):
            self.strategy.write({"max_parcels": 0, **values})
            order = self._confirm([(self.lamp, 1), (self.desk, 1)])
            self.assertAllocated(order, {("Lamp", "Beijing"): 1, ("Desk", "Beijing"): 1})
            order._action_cancel()
        self.strategy.write({"split": "always", "max_parcels": 0})
        order = self._confirm([(self.lamp, 1), (self.desk, 1)])
        self.assertAllocated(order, {("Lamp", "Beijing"): 1, ("Desk", "Shanghai"): 1})

    def test_rule_is_named_in_the_language_of_who_confirms(self):
        self._set_stocks(self.lamp, beijing=10, shanghai=10)
        self.env["res.lang"]._activate_lang("zh_CN")
        rule = self._add_rule(type="warehouses", name="Only Beijing", warehouse_ids=self.beijing.ids)
        rule.with_context(lang="zh_CN").name = "仅北京"
        names = [
            self.strategy.with_context(lang=lang)._get_spec().rules[0].name for lang in ("en_US", "zh_CN", "en_US")
        ]
        self.assertEqual(names, ["Only Beijing", "仅北京", "Only Beijing"])

    def test_split_only_above_a_value(self):
        self.lamp.list_price = 100
        self._set_stocks(self.lamp, beijing=2, shanghai=1)
        self.strategy.write({"split": "value", "split_order_value": 250, "split_part_value": 100})
        cheap = self._confirm([(self.lamp, 2), (self.desk, 0)])
        self.assertEqual(cheap.oms_allocation_ids.warehouse_id, self.beijing)
        cheap._action_cancel()
        self.strategy.split_part_value = 150
        order = self._confirm([(self.lamp, 3)])
        self.assertEqual(order.oms_short_quantity, 1, "a part of 100 is below the value of a part")
        order._action_cancel()
        self.strategy.split_part_value = 100
        dear = self._confirm([(self.lamp, 3)])
        self.assertAllocated(dear, {("Lamp", "Beijing"): 2, ("Lamp", "Shanghai"): 1})

    def test_review_rule_sets_the_strategy(self):
        own = self.env["oms.sourcing.strategy"].create({"name": "Own"})
        self.env["oms.rule"].create(
            {
                "name": "Dear orders",
                "trigger": "received",
                "domain": "[('amount_total', '>', 100)]",
                "state": "live",
                "action_ids": [Command.create({"type": "strategy", "strategy_id": own.id})],
            }
        )
        order = self._create_order([(self.lamp, 1)])
        order.order_line.price_unit = 500
        order._oms_review()
        self.assertEqual(order.oms_strategy_id, own)
        self.assertIn("source it by “Own”", self.env["oms.rule.action"].search([("strategy_id", "=", own.id)]).sentence)

    def test_strategy_by_channel_and_by_product(self):
        """Each channel has its own; a rule gives another one to orders with certain products, while it is in force."""
        self._set_stocks(self.lamp, beijing=10, shanghai=10, guangzhou=10)
        self.beijing.oms_priority, self.guangzhou.oms_priority = 1, 2
        by_priority = self.env["oms.sourcing.strategy"].create(
            {"name": "By priority", "aim_ids": [Command.create({"type": "priority"})]}
        )
        other = self.channel.copy({"name": "Other", "code": "other", "oms_strategy_id": by_priority.id})
        self.assertAllocated(self._confirm([(self.lamp, 1)]), {("Lamp", "Shanghai"): 1})
        self.assertAllocated(self._confirm([(self.lamp, 1)], channel_id=other.id), {("Lamp", "Beijing"): 1})
        south = self.env["oms.sourcing.strategy"].create({"name": "From the south"})
        self.env["oms.sourcing.rule"].create(
            {"strategy_id": south.id, "type": "warehouses", "warehouse_ids": self.guangzhou.ids}
        )
        rule = self.env["oms.rule"].create(
            {
                "name": "Lamps",
                "trigger": "received",
                "domain": f"[('order_line.product_id', 'in', {self.lamp.ids})]",
                "state": "live",
                "action_ids": [Command.create({"type": "strategy", "strategy_id": south.id})],
            }
        )
        order = self._create_order([(self.lamp, 1)])
        order._oms_review()
        order.with_user(self.user).action_confirm()
        self.assertAllocated(order, {("Lamp", "Guangzhou"): 1})
        rule.write({"date_from": "2020-11-11 00:00:00", "date_to": "2020-11-12 00:00:00"})
        late = self._create_order([(self.lamp, 1)])
        late._oms_review()
        late.with_user(self.user).action_confirm()
        self.assertAllocated(late, {("Lamp", "Shanghai"): 1})

    def test_decision_is_stamped_with_the_version(self):
        self._set_stocks(self.lamp, shanghai=10)
        first = self._confirm([(self.lamp, 1)])
        self.strategy.split = "never"
        second = self._confirm([(self.lamp, 1)])
        numbers = [self._get_decision(order).data["strategy"]["number"] for order in (first, second)]
        self.assertEqual(numbers, [1, 2])
        self.assertIn("Test v2", second.oms_allocation_why)
        version = self.strategy.version_id
        self.assertEqual(version.number, 2)
        self.assertIn("Never split it", version.changes)
        self.strategy.split = "never"
        self.assertEqual(self.strategy.version_id, version, "saying the same makes no version")

    def test_incomplete_rules_are_refused(self):
        for values in (
            {"type": "warehouses"},
            {"type": "distance", "max_km": 0},
            {"type": "zone", "order_domain": "[('no_such_field', '=', 1)]"},
        ):
            with self.assertRaises(ValidationError), self.env.cr.savepoint():
                self._add_rule(**values)

    def test_an_aim_is_named_once(self):
        with self.assertRaises(ValidationError):
            self._set_aims("parcels", "parcels")

    def test_only_managers_change_strategies(self):
        self.assertEqual(self.strategy.with_user(self.user).name, "Test")
        with self.assertRaises(AccessError):
            self.strategy.with_user(self.user).split = "never"
        self.strategy.with_user(self.manager).split = "never"

    def test_queries_do_not_grow_with_the_batch(self):
        self._set_stocks(self.lamp, shanghai=1000, beijing=1000)
        self._set_aims("cost", "days", "stock")
        self.shanghai.oms_daily_capacity = 900
        self._add_rule(type="zone", is_preference=True)
        self._add_rule(type="capacity")
        self._add_rule(
            type="warehouses", warehouse_ids=self.shanghai.ids, order_domain="[('amount_total', '>', 100000)]"
        )

        def count(size):
            orders = self.env["sale.order"].create(
                [self._prepare_order_values([(self.lamp, 1)]) for _number in range(size)]
            )
            orders.write({"state": "sale"})
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            orders._oms_allocate(dict.fromkeys(orders.order_line, 1.0))
            self.env.flush_all()
            return self.env.cr.sql_log_count - before

        count(2)
        small, large = count(5), count(50)
        self.assertLessEqual(large, small + 3)


@tagged("post_install", "-at_install")
class TestSourcingRules(SourcingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_stocks(cls.lamp, beijing=10, shanghai=10)
        cls._set_stocks(cls.desk, beijing=10, shanghai=10)

    def test_products_that_only_some_warehouses_may_send(self):
        self._add_rule(
            type="warehouses",
            name="Lithium batteries",
            warehouse_ids=self.beijing.ids,
            product_domain=f"[('id', '=', {self.desk.id})]",
        )
        order = self._confirm([(self.lamp, 1), (self.desk, 1)])
        self.assertEqual(order.oms_allocation_ids.warehouse_id, self.beijing, "one parcel is better than two")
        alone = self._confirm([(self.lamp, 1)])
        self.assertEqual(alone.oms_allocation_ids.warehouse_id, self.shanghai)
        desk = self._confirm([(self.desk, 1)])
        self.assertIn("may not send it: Lithium batteries", desk.oms_allocation_why)

    def test_orders_that_a_rule_is_about(self):
        self._add_rule(
            type="warehouses",
            warehouse_ids=self.shanghai.ids,
            is_except=True,
            order_domain="[('amount_total', '>', 1000)]",
        )
        self.lamp.list_price = 600
        self.assertAllocated(self._confirm([(self.lamp, 1)]), {("Lamp", "Shanghai"): 1})
        self.assertAllocated(self._confirm([(self.lamp, 2)]), {("Lamp", "Beijing"): 2})

    def test_zone_of_the_buyer(self):
        province = self.env["res.country.state"].create(
            {"name": "Zhejiang", "code": "ZJT", "country_id": self.env.ref("base.cn").id}
        )
        self.buyer.write({"country_id": province.country_id.id, "state_id": province.id, "zip": "310 000"})
        zone = self.env["oms.zone"].create(
            {"name": "East", "state_ids": province.ids, "warehouse_ids": self.beijing.ids}
        )
        self._add_rule(type="zone")
        self.assertAllocated(self._confirm([(self.lamp, 1)]), {("Lamp", "Beijing"): 1})
        self.beijing.oms_zone_ids = False
        self.assertEqual(self._confirm([(self.lamp, 1)]).oms_hold_summary, "Can't be filled")
        self.beijing.oms_zone_ids = zone
        zone.zip_prefixes = "20, 31"
        self.assertAllocated(self._confirm([(self.lamp, 1)]), {("Lamp", "Beijing"): 1})
        zone.zip_prefixes = "20"
        order = self._confirm([(self.lamp, 1)])
        self.assertEqual(
            (order.oms_hold_summary, order.picking_ids.ids), ("Can't be filled", []), "none serves the zone"
        )
        order.oms_hold_ids.with_user(self.user).action_release("From wherever it is.")
        order._oms_launch_pending()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 1})

    def test_order_that_nobody_may_send_goes_once_somebody_may(self):
        zone = self.env["oms.zone"].create({"name": "Nowhere", "zip_prefixes": "99", "warehouse_ids": self.beijing.ids})
        self._add_rule(type="zone")
        order = self._confirm([(self.lamp, 1)])
        self._run_cron("oms_allocation.ir_cron_reallocate")
        self.assertEqual((order.oms_hold_summary, order.picking_ids.ids), ("Can't be filled", []))
        zone.zip_prefixes = "31"
        self._run_cron("oms_allocation.ir_cron_reallocate")
        self.assertAllocated(order, {("Lamp", "Beijing"): 1})
        self.assertFalse(order.oms_hold_count)

    def test_zone_needs_a_place(self):
        with self.assertRaisesRegex(ValidationError, "needs countries"):
            self.env["oms.zone"].create({"name": "World", "country_ids": []})

    def test_distance(self):
        self._set_stocks(self.lamp, shanghai=0)
        self._add_rule(type="distance", max_km=500)
        order = self._confirm([(self.lamp, 1)])
        self.assertEqual(order.oms_short_quantity, 1)
        self.assertEqual(order.oms_allocation_ids.warehouse_id, self.shanghai, "it waits where it may come from")

    def test_preference_is_given_up_where_something_would_be_left_behind(self):
        self._add_rule(type="warehouses", name="Beijing first", warehouse_ids=self.beijing.ids, is_preference=True)
        self.assertAllocated(self._confirm([(self.lamp, 1)]), {("Lamp", "Beijing"): 1})
        order = self._confirm([(self.lamp, 12)])
        self.assertEqual(sum(self._get_rows(order).values()), 12)
        self.assertFalse(order.oms_short_quantity)
        self.assertEqual(self._get_decision(order).data["given_up"], ["Beijing first"])
        self.assertIn("Given up, to have more of the order: Beijing first", order.oms_allocation_why)

    def test_capacity_is_shared_by_the_orders_of_a_day(self):
        self.shanghai.oms_daily_capacity = 2
        self._add_rule(type="capacity")
        orders = self.env["sale.order"].union(*(self._create_order([(self.lamp, 1)]) for _number in range(3)))
        orders.action_confirm()
        self.assertEqual(orders.mapped("oms_allocation_ids.warehouse_id.name"), ["Shanghai", "Beijing"])
        later = self._confirm([(self.lamp, 1)])
        self.assertEqual(later.oms_allocation_ids.warehouse_id, self.beijing)
        self.assertIn("can take no more orders today", later.oms_allocation_why)

    def test_nobody_is_given_more_than_it_can_send_today(self):
        """All are full: the order is held until tomorrow instead of being sent by one of them all the same."""
        self.channel.warehouse_ids = [Command.set((self.beijing | self.shanghai).ids)]
        self.warehouses.oms_daily_capacity = 1
        self._add_rule(type="capacity")
        orders = self.env["sale.order"].union(*(self._create_order([(self.lamp, 1)]) for _number in range(3)))
        orders.action_confirm()
        held = orders.filtered(lambda order: order.oms_hold_summary == "Can't be filled")
        self.assertEqual((len(held), held.picking_ids.ids, held.oms_allocation_ids.ids), (1, [], []))
        self._run_cron("oms_allocation.ir_cron_reallocate")
        self.assertFalse(held.picking_ids, "nor later on the same day")
        self.strategy.on_shortage = "cancel"
        self._confirm([(self.lamp, 1)])
        self._run_cron("oms_allocation.ir_cron_settle_unfilled")
        self.assertFalse(
            self.env["sale.order"].search([("state", "=", "cancel"), ("channel_id", "=", self.channel.id)])
        )
        self.strategy.on_shortage = "ship"
        self.cr.execute("UPDATE oms_allocation SET create_date = create_date - interval '2 days'")
        self._run_cron("oms_allocation.ir_cron_reallocate")
        self.assertEqual(sum(held.mapped("order_line.move_ids.product_uom_qty")), 1, "it goes on the next day")

    def test_capacity_is_shared_by_orders_that_may_take_different_stock(self):
        """The pool makes two groups of the batch, which are solved one after the other."""
        self.shanghai.oms_daily_capacity = 1
        self._add_rule(type="capacity")
        owner = self.channel.copy({"name": "Owner", "code": "owner", "sequence": 99})
        self.env["oms.stock.pool"].create(
            {
                "name": "Owner's",
                "channel_ids": [Command.set(owner.ids)],
                "line_ids": [Command.create({"product_id": self.lamp.id, "quantity": 1})],
            }
        )
        orders = self._create_order([(self.lamp, 1)]) | self._create_order([(self.lamp, 1)], channel_id=owner.id)
        orders.action_confirm()
        self.assertEqual(orders.mapped("oms_allocation_ids.warehouse_id.name"), ["Shanghai", "Beijing"])

    def test_capacity_counts_the_orders_that_were_served_before_a_preference_was_given_up(self):
        self.shanghai.oms_daily_capacity = 1
        self._add_rule(type="capacity")
        self._add_rule(type="warehouses", warehouse_ids=self.shanghai.ids, is_preference=True)
        orders = self._create_order([(self.lamp, 1)]) | self._create_order([(self.lamp, 1)])
        orders.action_confirm()
        self.assertEqual(orders.mapped("oms_allocation_ids.warehouse_id.name"), ["Shanghai", "Beijing"])

    def test_capacity_is_asked_for_by_orders_with_a_rule_only(self):
        self.shanghai.oms_daily_capacity = 5
        self._set_aims("parcels", "capacity", "distance")
        self._confirm([(self.lamp, 1)])
        turns = self.env["oms.warehouse.turn"].search([("warehouse_id", "=", self.shanghai.id)])
        self.assertFalse(turns)
        self._add_rule(type="capacity")
        order = self._confirm([(self.lamp, 1)])
        turns = self.env["oms.warehouse.turn"].search([("warehouse_id", "in", self.warehouses.ids)])
        self.assertEqual(turns.mapped(lambda row: (row.warehouse_id, row.turns)), [(self.shanghai, 1)])
        order.invalidate_recordset()
        self.assertTrue(order.oms_sourcing_hint)
        turns.invalidate_recordset()
        self.assertEqual(turns.turns, 1, "who only looks keeps nobody waiting")

    def test_capacity_counts_what_is_given_again(self):
        self.shanghai.oms_daily_capacity = 1
        self._add_rule(type="capacity")
        order = self._confirm([(self.lamp, 1)])
        self.assertAllocated(order, {("Lamp", "Shanghai"): 1})
        order._oms_source_again()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 1})  # its own parcel is not counted against it
        self.cr.execute("UPDATE oms_allocation SET create_date = create_date - interval '2 days'")
        self.env.invalidate_all()
        self.assertEqual(self.shanghai._oms_get_capacities(fields.Datetime.now()), {self.shanghai: (1, 1)})
        self._deliver(order)
        order.order_line.product_uom_qty = 2
        self.assertEqual(self.shanghai._oms_get_capacities(fields.Datetime.now()), {self.shanghai: (1, 0)})

    def test_what_only_waits_is_no_parcel_of_the_day(self):
        self.shanghai.oms_daily_capacity = 1
        self._add_rule(type="capacity")
        self._set_stocks(self.lamp, beijing=0, shanghai=0, guangzhou=0)
        order = self._confirm([(self.lamp, 1)])
        self.assertAllocated(order, {("Lamp", "Shanghai"): 1})
        now = fields.Datetime.now()
        self.assertEqual(self.shanghai._oms_get_capacities(now), {self.shanghai: (1, 1)})
        self.cr.execute("UPDATE oms_allocation SET create_date = create_date - interval '2 days'")
        self.env.invalidate_all()
        self._set_stocks(self.lamp, shanghai=1)
        order._oms_reallocate()
        self.assertEqual(order.oms_short_quantity, 0)
        self.assertEqual(self.shanghai._oms_get_capacities(now), {self.shanghai: (1, 0)}, "it leaves now")

    def test_preference_given_up_takes_promises_once(self):
        """One order gives its preference up; the other's promise must not be taken off besides its plan."""
        self.channel.promise_hours = 24
        self._set_stocks(self.lamp, beijing=4, shanghai=6)
        first = self._create_order([(self.lamp, 4)])
        first._oms_promise_stock()
        self.assertEqual(first.oms_promise_ids.warehouse_id, self.shanghai)
        self._add_rule(type="warehouses", warehouse_ids=self.shanghai.ids, is_preference=True)
        second = self._create_order([(self.lamp, 6)])
        (first | second).write({"state": "sale"})
        quantities = {first.order_line: 4.0, second.order_line: 6.0}
        self.env["sale.order"]._oms_allocate(quantities)
        self.assertEqual((first | second).mapped("oms_short_quantity"), [0, 0])

    def test_only_what_was_given_up_is_said_to_be(self):
        self._set_stocks(self.lamp, beijing=0, shanghai=0)
        for number in range(6):
            self._add_rule(
                type="warehouses",
                name=f"Rule {number}",
                sequence=number,
                warehouse_ids=self.guangzhou.ids,
                is_preference=True,
            )
        order = self._confirm([(self.lamp, 1)])
        self.assertEqual(self._get_decision(order).data["given_up"], ["Rule 5", "Rule 4", "Rule 3", "Rule 2"])

    def test_urgent_orders_are_served_first_then_what_was_promised_first(self):
        self._set_stocks(self.lamp, beijing=0, shanghai=3)
        soon, later = fields.Datetime.now() + timedelta(days=1), fields.Datetime.now() + timedelta(days=9)
        orders = self.env["sale.order"].union(
            *(
                self._create_order([(self.lamp, 1)], oms_priority=priority, commitment_date=date)
                for priority, date in (("0", later), ("0", soon), ("2", later), ("0", False), ("1", False))
            )
        )
        orders.oms_hold_ids._release("Test")
        orders.action_confirm()
        self.assertEqual(orders.mapped("oms_short_quantity"), [1, 0, 0, 1, 0])

    def test_parcel_that_is_being_picked_is_not_open(self):
        self._set_stocks(self.desk, shanghai=5, beijing=5)
        self.lamp.weight = 2.0
        order = self._confirm([(self.lamp, 3)])
        self.assertEqual(order._oms_get_open_parcels(), {self.shanghai: round(6 * order._oms_get_grams())})
        order.picking_ids.move_ids.picked = True
        self.assertEqual(order._oms_get_open_parcels(), {})

    def test_capacity_is_seen_at_once(self):
        self.shanghai.oms_daily_capacity = 4
        self._add_rule(type="capacity")
        self._confirm([(self.lamp, 1)])
        self.env.invalidate_all()
        row = self.shanghai
        self.assertEqual((row.oms_capacity_today, row.oms_capacity_left, row.oms_capacity_percent), (4, 3, 25))

    def test_even_workload_sends_from_who_has_least_to_do(self):
        self.shanghai.oms_daily_capacity = 2
        self.beijing.oms_daily_capacity = 100
        self._set_aims("parcels", "capacity", "distance")
        self.assertAllocated(self._confirm([(self.lamp, 1)]), {("Lamp", "Shanghai"): 1})
        self.assertAllocated(self._confirm([(self.lamp, 1)]), {("Lamp", "Beijing"): 1})

    def test_fastest_delivery_may_be_farther(self):
        terms = {self.shanghai: 3, self.beijing: 1}
        self.patch(
            type(self.env["sale.order"]),
            "_oms_get_freights",
            lambda orders, warehouses: {
                (order.id, warehouse.id): FreightTerms(0, 1.0, 5.0, 1.0, 1.0, days=days)
                for order in orders
                for warehouse, days in terms.items()
            },
        )
        self._set_aims("parcels", "days", "distance")
        order = self._confirm([(self.lamp, 1)])
        self.assertAllocated(order, {("Lamp", "Beijing"): 1})
        self.assertIn("is slower", order.oms_allocation_why)

    def test_waiting_for_a_receipt_is_hinted(self):
        self._set_stocks(self.lamp, shanghai=2, beijing=2)
        order = self._confirm([(self.lamp, 3)])
        self.assertEqual(len(order.oms_allocation_ids), 2)
        move = self.env["stock.move"].create(
            {
                "product_id": self.lamp.id,
                "product_uom_qty": 5,
                "location_id": self.env.ref("stock.stock_location_suppliers").id,
                "location_dest_id": self.shanghai.lot_stock_id.id,
                "date": fields.Datetime.now() + timedelta(hours=6),
            }
        )
        self.assertFalse(order.oms_sourcing_hint)
        move._action_confirm()
        order.invalidate_recordset()
        self.assertIn("Lamp: 1 parcel(s) saved", order.oms_sourcing_hint)
        move._action_cancel()
        order.invalidate_recordset()
        self.assertFalse(order.oms_sourcing_hint)
        self.shanghai.reception_steps = "two_steps"
        steps = {"location_dest_id": self.shanghai.wh_input_stock_loc_id.id}
        move.copy({**steps, "location_final_id": self.shanghai.lot_stock_id.id, "date": move.date})._action_confirm()
        order.invalidate_recordset()
        self.assertIn("Lamp: 1 parcel(s) saved", order.oms_sourcing_hint, "it comes in by two steps")

    def test_parcel_with_another_order_of_the_buyer_is_hinted(self):
        self._set_stocks(self.lamp, shanghai=1, beijing=5)
        self._set_stocks(self.desk, beijing=5, shanghai=0)
        first = self._confirm([(self.desk, 1)])
        second = self._confirm([(self.lamp, 1)])
        self.assertEqual((first | second).oms_allocation_ids.mapped("warehouse_id.name"), ["Beijing", "Shanghai"])
        self.assertIn(f"In one parcel with {first.name}", second.oms_sourcing_hint)

    def test_capacity_of_other_days(self):
        now = datetime(2030, 11, 11, 4)
        self.shanghai.write(
            {
                "oms_tz": "Asia/Shanghai",
                "oms_daily_capacity": 100,
                "oms_capacity_ids": [
                    Command.create({"date_from": "2030-11-11", "date_to": "2030-11-11", "parcels": 500})
                ],
            }
        )
        self.assertEqual(self.shanghai._oms_get_capacities(now), {self.shanghai: (500, 500)})
        evening = datetime(2030, 11, 11, 17)  # 1 o'clock of the next day in Shanghai
        self.assertEqual(self.shanghai._oms_get_capacities(evening), {self.shanghai: (100, 100)})

    def test_cutoff_goes_by_the_clock_of_the_warehouse(self):
        self.shanghai.write({"oms_tz": "Asia/Shanghai", "oms_cutoff_hour": 16.5})
        self.assertTrue(self.shanghai._oms_leaves_today(datetime(2030, 1, 1, 8, 29)))
        self.assertFalse(self.shanghai._oms_leaves_today(datetime(2030, 1, 1, 8, 30)))

    def test_cutoff_rule_keeps_late_warehouses_away(self):
        self.patch(type(self.shanghai), "_oms_leaves_today", lambda warehouse, now: warehouse == self.beijing)
        self._add_rule(type="cutoff")
        self.assertAllocated(self._confirm([(self.lamp, 1)]), {("Lamp", "Beijing"): 1})

    def test_carrier_rule_without_carriers_refuses_all(self):
        self._add_rule(type="carrier")
        self.patch(type(self.env["sale.order"]), "_oms_get_freights", lambda orders, warehouses: {})
        self.assertEqual(self._confirm([(self.lamp, 1)]).oms_hold_summary, "Can't be filled")
