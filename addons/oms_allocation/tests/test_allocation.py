from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import OmsAllocationCommon


@tagged("post_install", "-at_install")
class TestAllocation(OmsAllocationCommon):
    def test_nearest_warehouse_with_stock_wins(self):
        self._set_stocks(self.lamp, beijing=10, shanghai=10, guangzhou=10)
        order = self._confirm([(self.lamp, 3)])
        self.assertAllocated(order, {("Lamp", "Shanghai"): 3})
        self.assertEqual(order.oms_allocation_ids.state, "procured")
        self.assertAlmostEqual(order.oms_allocation_ids.distance_km, 165, delta=5)
        self.assertEqual(order.warehouse_id, self.shanghai, "the order says what serves it")
        self.assertEqual(order.picking_ids.state, "assigned")

    def test_nearest_without_stock_loses(self):
        self._set_stocks(self.lamp, beijing=10, shanghai=2)
        order = self._confirm([(self.lamp, 3)])
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})

    def test_one_parcel_beats_a_nearer_split(self):
        self._set_stocks(self.lamp, shanghai=5, beijing=5)
        self._set_stocks(self.desk, guangzhou=5, beijing=5)
        order = self._confirm([(self.lamp, 1), (self.desk, 1)])
        self.assertAllocated(order, {("Lamp", "Beijing"): 1, ("Desk", "Beijing"): 1})

    def test_what_belongs_together_comes_together_without_a_strategy(self):
        self._set_stocks(self.lamp, beijing=2)
        self._set_stocks(self.desk, guangzhou=1)
        order = self._create_order([(self.lamp, 2), (self.desk, 1)])
        order.order_line.oms_keep_together = "set"
        order.oms_hold_ids._release("Test")
        order.with_user(self.user).action_confirm()
        self.assertEqual(order.oms_short_quantity, 3, "no warehouse has both")
        self._set_stocks(self.desk, beijing=1)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Beijing"): 2, ("Desk", "Beijing"): 1})

    def test_split_when_none_has_all(self):
        self._set_stocks(self.lamp, shanghai=4, beijing=5)
        order = self._confirm([(self.lamp, 9)])
        self.assertAllocated(order, {("Lamp", "Shanghai"): 4, ("Lamp", "Beijing"): 5})
        self.assertEqual(len(order.picking_ids), 2)
        self.assertEqual(set(order.picking_ids.mapped("state")), {"assigned"})
        self._deliver(order)
        self.assertEqual(order.order_line.qty_delivered, 9)
        self.assertEqual(set(order.oms_allocation_ids.mapped("state")), {"done"})

    def test_two_lines_of_one_product_share_its_stock(self):
        self._set_stocks(self.lamp, shanghai=4, beijing=5)
        order = self._confirm([(self.lamp, 3), (self.lamp, 3)])
        self.assertEqual(order.oms_allocation_ids.warehouse_id, self.beijing | self.shanghai)
        self.assertEqual(sum(order.oms_allocation_ids.mapped("quantity")), 6)
        self.assertEqual(set(order.picking_ids.mapped("state")), {"assigned"})

    def test_orders_of_a_batch_never_share_a_unit(self):
        self._set_stocks(self.lamp, shanghai=3, beijing=2)
        orders = self.env["sale.order"].concat(*(self._create_order([(self.lamp, 2)]) for _n in range(3)))
        orders.with_user(self.user).action_confirm()
        self.assertEqual(
            [self._get_rows(order) for order in orders],
            [{("Lamp", "Shanghai"): 2}, {("Lamp", "Beijing"): 2}, {("Lamp", "Shanghai"): 2}],
        )
        self.assertEqual([order.oms_short_quantity for order in orders], [0, 0, 1])
        self.assertIn("3 orders that came together want the same goods: no plan", orders[0].oms_allocation_why)

    def test_shortage_waits_at_the_nearest(self):
        self._set_stocks(self.lamp, beijing=1)
        order = self._confirm([(self.lamp, 3)])
        self.assertAllocated(order, {("Lamp", "Beijing"): 1, ("Lamp", "Shanghai"): 2})
        short = order.oms_allocation_ids.filtered("shortage_quantity")
        self.assertEqual((short.warehouse_id, short.shortage_quantity), (self.shanghai, 2))
        self.assertEqual(order.oms_event_ids.filtered(lambda event: event.code == "shortage").message, "2 Lamp")

    def test_order_that_waits_is_in_stage_waiting(self):
        order = self._confirm([(self.lamp, 3)])
        self.assertAllocated(order, {("Lamp", "Shanghai"): 3})
        self.assertEqual(order.oms_stage, "waiting")

    def test_decision_keeps_winner_and_losers(self):
        self._set_stocks(self.lamp, beijing=10, shanghai=10)
        order = self._confirm([(self.lamp, 3)])
        decision = order.oms_decision_ids.filtered(lambda decision: decision.kind == "allocation")
        self.assertEqual(decision.outcome, "single")
        self.assertEqual([winner["name"] for winner in decision.data["winners"]], ["Shanghai"])
        self.assertEqual(
            {loser["name"]: loser["reason"] for loser in decision.data["losers"]},
            {"Beijing": "distance", "Guangzhou": "no_stock"},
        )
        self.assertEqual(decision.data["place"], "address")
        why = order.with_user(self.user).oms_allocation_why
        for words in ("Shanghai", "Beijing", "is farther", "has none of what was needed"):
            self.assertIn(words, why)
        self.assertEqual(order.oms_event_ids.filtered(lambda event: event.code == "allocated").message, "Shanghai")

    def test_names_in_the_explanation_are_escaped(self):
        self.shanghai.name = "<b>Shanghai</b>"
        self._set_stocks(self.lamp, shanghai=10)
        self.assertNotIn("<b>Shanghai", self._confirm([(self.lamp, 3)]).oms_allocation_why)

    def test_units_of_the_line_are_converted(self):
        self._set_stocks(self.lamp, shanghai=20, beijing=20)
        order = self._create_order([(self.lamp, 3)])
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_dozen")
        order.with_user(self.user).action_confirm()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 20, ("Lamp", "Beijing"): 16})

    def test_units_of_the_line_in_the_transfers(self):
        self.env["ir.config_parameter"].sudo().set_param("stock.propagate_uom", "1")
        self._set_stocks(self.lamp, shanghai=24, beijing=20)
        order = self._create_order([(self.lamp, 3)])
        order.order_line.product_uom_id = self.env.ref("uom.product_uom_dozen")
        order.with_user(self.user).action_confirm()
        self.assertEqual(self._get_rows(order), {("Lamp", "Shanghai"): 24, ("Lamp", "Beijing"): 12})
        self.assertEqual(self._get_moves(order), {("Lamp", "Shanghai"): 2, ("Lamp", "Beijing"): 1})

    def test_goods_without_stock_go_with_the_others(self):
        consumable = self.env["product.product"].create({"name": "Leaflet", "type": "consu"})
        self._set_stocks(self.lamp, beijing=10)
        order = self._confirm([(consumable, 1), (self.lamp, 1)])
        self.assertAllocated(order, {("Lamp", "Beijing"): 1, ("Leaflet", "Beijing"): 1})
        alone = self._confirm([(consumable, 1)])
        self.assertAllocated(alone, {("Leaflet", "Shanghai"): 1})

    def test_services_are_not_allocated(self):
        service = self.env["product.product"].create({"name": "Fitting", "type": "service"})
        order = self._confirm([(service, 1)])
        self.assertFalse(order.oms_allocation_ids)

    def test_make_to_order_lines_are_left_to_odoo(self):
        route = self.env["stock.warehouse"]._find_or_create_global_route("stock.route_warehouse0_mto", "MTO")
        route.active = True
        self.lamp.route_ids = [Command.link(route.id)]
        self._set_stocks(self.desk, shanghai=1)
        buy_nothing = self._create_order([(self.desk, 1)])
        buy_nothing.with_user(self.user).action_confirm()
        self.assertTrue(buy_nothing.oms_allocation_ids)
        line = self._create_order([(self.lamp, 1)]).order_line
        self.assertFalse(line._oms_filter_allocatable())

    def test_confirming_twice_allocates_once(self):
        self._set_stocks(self.lamp, shanghai=10)
        order = self._confirm([(self.lamp, 3)])
        with self.assertRaises(UserError):
            order.with_user(self.user).action_confirm()
        order.order_line._action_launch_stock_rule()
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 3})
        self.assertEqual(len(order.oms_decision_ids.filtered(lambda decision: decision.kind == "allocation")), 1)

    def test_channel_without_warehouses_may_use_all(self):
        self.channel.warehouse_ids = False
        self._set_stocks(self.lamp, guangzhou=10)
        self.assertAllocated(self._confirm([(self.lamp, 3)]), {("Lamp", "Guangzhou"): 3})

    def test_warehouses_of_other_channels_are_no_candidates(self):
        self.channel.warehouse_ids = self.beijing | self.guangzhou
        self._set_stocks(self.lamp, shanghai=10, beijing=3)
        self.assertAllocated(self._confirm([(self.lamp, 3)]), {("Lamp", "Beijing"): 3})

    def test_archived_warehouse_is_no_candidate(self):
        self._set_stocks(self.lamp, beijing=3)
        self.shanghai.active = False
        self.assertAllocated(self._confirm([(self.lamp, 3)]), {("Lamp", "Beijing"): 3})

    def test_priority_decides_without_a_place(self):
        self.buyer.write({"partner_latitude": 0, "partner_longitude": 0, "state_id": False, "country_id": False})
        self.guangzhou.oms_priority = 1
        self._set_stocks(self.lamp, beijing=10, shanghai=10, guangzhou=10)
        order = self._confirm([(self.lamp, 3)])
        self.assertAllocated(order, {("Lamp", "Guangzhou"): 3})
        self.assertIn("the sourcing priority of the warehouses decided", order.oms_allocation_why)

    def test_order_without_channel_is_plain_odoo(self):
        self._set_stocks(self.lamp, shanghai=10)
        order = self._create_order([(self.lamp, 3)], channel_id=False)
        order.action_confirm()
        self.assertFalse(order.oms_allocation_ids or order.oms_decision_ids)
        self.assertEqual(order.picking_ids.picking_type_id.warehouse_id, self.warehouse)

    def test_closed_gate_allocates_nothing(self):
        self._set_stocks(self.lamp, shanghai=10)
        order = self._create_order([(self.lamp, 3)])
        hold_type = self.env["oms.hold.type"].create({"name": "Budget", "code": "test_budget", "gate": "allocate"})
        hold = order._oms_place_hold(hold_type, "Look first")
        order.with_user(self.user).action_confirm()
        self.assertEqual((order.state, order.oms_stage), ("sale", "held"))
        self.assertFalse(order.oms_allocation_ids or order.picking_ids)
        hold.with_user(self.user).action_release()
        order._oms_launch_pending()
        self.assertEqual(order.oms_allocation_ids.quantity, 3)
        self.assertEqual(order.oms_stage, "ready")

    def test_rule_may_bind_an_order_to_one_warehouse(self):
        self._set_stocks(self.lamp, shanghai=10, beijing=10)
        order = self._create_order([(self.lamp, 3)])
        order.oms_warehouse_id = self.beijing
        order.action_confirm()
        self.assertEqual(order.oms_allocation_ids.warehouse_id, self.beijing)

    def test_users_read_allocations_and_write_none(self):
        self._set_stocks(self.lamp, shanghai=10)
        allocation = self._confirm([(self.lamp, 3)]).oms_allocation_ids
        for user in (self.user, self.operator, self.manager):
            self.assertEqual(allocation.with_user(user).quantity, 3)
            with self.assertRaises(AccessError):
                allocation.with_user(user).quantity = 5
        employee, seller = (
            self._create_user("employee", "base.group_user"),
            self._create_user("seller", "sales_team.group_sale_salesman"),
        )
        for model in ("oms.allocation", "oms.stock.pool", "oms.stock.promise", "oms.stock.safety"):
            with self.assertRaises(AccessError, msg=model):
                self.env[model].with_user(employee).search([])
        domain = [("id", "=", allocation.id)]
        self.assertFalse(self.env["oms.allocation"].with_user(seller).search(domain), "a colleague's order")
        allocation.order_id.user_id = seller
        self.assertEqual(self.env["oms.allocation"].with_user(seller).search(domain), allocation)

    def test_companies_are_apart(self):
        company = self.env["res.company"].create({"name": "Other"})
        warehouse = self.env["stock.warehouse"].search([("company_id", "=", company.id)], limit=1)
        self._set_stocks(self.lamp, beijing=10)
        self._set_stock(self.lamp, 10, warehouse)
        channel = self.env["oms.channel"].create({"name": "Other", "code": "other", "company_id": company.id})
        other = (
            self.env["sale.order"]
            .with_company(company)
            .create(
                self._prepare_order_values(
                    [(self.lamp, 1)], channel_id=channel.id, company_id=company.id, warehouse_id=warehouse.id
                )
            )
        )
        other.action_confirm()
        self.assertEqual(other.oms_allocation_ids.warehouse_id, warehouse)
        self.assertEqual(other.oms_allocation_ids.company_id, company)
        own = self._confirm([(self.lamp, 1)])
        self.assertEqual(own.oms_allocation_ids.warehouse_id, self.beijing)
        seen = self.env["oms.allocation"].with_user(self.user).search([("product_id", "=", self.lamp.id)])
        self.assertEqual(seen, own.oms_allocation_ids)

    def test_queries_do_not_grow_with_the_batch(self):
        products = self.env["product.product"].create([{"name": f"P{n}", "is_storable": True} for n in range(6)])
        for product in products:
            self._set_stocks(product, shanghai=1000, beijing=1000)

        def count(size):
            orders = self.env["sale.order"].create(
                [self._prepare_order_values([(products[(n + k) % 6], 1) for k in range(3)]) for n in range(size)]
            )
            self.env.flush_all()
            self.env.invalidate_all()
            missing = {}
            orders.write({"state": "sale"})
            lines = orders.order_line
            missing = {line: 1.0 for line in lines}
            self.env.flush_all()
            before = self.env.cr.sql_log_count
            orders._oms_allocate(missing)
            self.env.flush_all()
            self.assertEqual(len(orders.oms_allocation_ids), 3 * size)
            return self.env.cr.sql_log_count - before

        count(2)
        small, large = count(5), count(50)
        self.assertLessEqual(large, small + 3, "allocating 50 orders may not cost more queries than 5")
