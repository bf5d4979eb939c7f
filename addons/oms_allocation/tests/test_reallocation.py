from unittest.mock import patch

from odoo import fields
from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import OmsAllocationCommon

CRON = "oms_allocation.ir_cron_reallocate"


@tagged("post_install", "-at_install")
class TestReallocation(OmsAllocationCommon):
    def receive(self, product, quantity, warehouse):
        """Receive goods from a supplier, as a warehouse operator who knows nothing of sales."""
        supplier = self.env.ref("stock.stock_location_suppliers")
        picking = self.env["stock.picking"].create(
            {
                "picking_type_id": warehouse.in_type_id.id,
                "location_id": supplier.id,
                "location_dest_id": warehouse.lot_stock_id.id,
                "move_ids": [
                    Command.create(
                        {
                            "product_id": product.id,
                            "product_uom_qty": quantity,
                            "location_id": supplier.id,
                            "location_dest_id": warehouse.lot_stock_id.id,
                        }
                    )
                ],
            }
        )
        picking = picking.with_user(self.operator)
        picking.action_confirm()
        picking.move_ids.write({"quantity": quantity, "picked": True})
        picking._action_done()

    def test_waiting_order_moves_to_the_warehouse_that_got_stock(self):
        order = self._confirm([(self.lamp, 3)])
        self.assertAllocated(order, {("Lamp", "Shanghai"): 3})
        self.receive(self.lamp, 5, self.beijing)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})
        self.assertEqual((order.oms_short_quantity, order.warehouse_id), (0, self.beijing))
        self.assertEqual(order.oms_stage, "ready")
        self.assertEqual(len(order.oms_decision_ids.filtered(lambda decision: decision.kind == "allocation")), 2)

    def test_asking_again_changes_nothing(self):
        order = self._confirm([(self.lamp, 3)])
        self.receive(self.lamp, 2, self.beijing)
        for _time in range(3):
            order.with_user(self.user).action_oms_allocate()
            self.assertAllocated(order, {("Lamp", "Shanghai"): 1, ("Lamp", "Beijing"): 2})
        self.assertEqual(order.oms_short_quantity, 1)
        self.assertEqual(len(order.oms_decision_ids.filtered(lambda decision: decision.kind == "allocation")), 2)

    def test_what_is_reserved_stays_where_it_is(self):
        self._set_stocks(self.lamp, guangzhou=2)
        order = self._confirm([(self.lamp, 3)])
        self.assertAllocated(order, {("Lamp", "Guangzhou"): 2, ("Lamp", "Shanghai"): 1})
        self.receive(self.lamp, 5, self.beijing)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Guangzhou"): 2, ("Lamp", "Beijing"): 1})

    def test_stock_at_the_warehouse_that_waits_is_taken_there(self):
        order = self._confirm([(self.lamp, 3)])
        self._set_stocks(self.lamp, shanghai=3)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 3})
        self.assertEqual((order.oms_short_quantity, order.picking_ids.state), (0, "assigned"))

    def test_cron_serves_the_oldest_first(self):
        orders = [self._confirm([(self.lamp, 2)]) for _n in range(3)]
        self.env["ir.cron.trigger"].search([("cron_id", "=", self.env.ref(CRON).id)]).unlink()
        self.receive(self.lamp, 4, self.guangzhou)
        self.assertTrue(self.env["ir.cron.trigger"].search([("cron_id", "=", self.env.ref(CRON).id)]))
        self._run_cron(CRON)
        self.assertEqual(
            [self._get_rows(order) for order in orders],
            [{("Lamp", "Guangzhou"): 2}, {("Lamp", "Guangzhou"): 2}, {("Lamp", "Shanghai"): 2}],
        )
        for order in orders:
            self.assertAllocated(order, self._get_rows(order))

    def test_one_order_that_fails_does_not_stop_the_others(self):
        broken, sound = self._confirm([(self.lamp, 1)]), self._confirm([(self.desk, 1)])
        self.receive(self.lamp, 1, self.beijing)
        self.receive(self.desk, 1, self.beijing)
        launch = type(self.env["sale.order.line"])._oms_launch_differences

        def fail_on_lamps(lines):
            if self.lamp in lines.product_id:
                reason = "No rule brings lamps to the buyer."  # not a term of the addon's catalogue
                raise UserError(reason)
            return launch(lines)

        with patch.object(type(self.env["sale.order.line"]), "_oms_launch_differences", fail_on_lamps):
            self._run_cron(CRON)
        self.assertAllocated(sound, {("Desk", "Beijing"): 1})
        self.assertAllocated(broken, {("Lamp", "Shanghai"): 1})
        self.assertIn("No rule brings lamps", broken.oms_hold_ids.filtered(lambda hold: hold.state == "active").reason)

    def test_what_others_hold_is_come_back_to(self):
        order = self._confirm([(self.lamp, 1)])
        self.receive(self.lamp, 1, self.beijing)
        self._is_woken()
        with patch.object(type(order), "try_lock_for_update", lambda orders, **options: orders.browse()):
            self._run_cron(CRON)
        self.assertAllocated(order, {("Lamp", "Shanghai"): 1})
        self.assertTrue(self._is_woken())
        self._run_cron(CRON)
        self.assertAllocated(order, {("Lamp", "Beijing"): 1})
        self.assertFalse(self._is_woken())

    def _is_woken(self):
        """Whether the scheduled action was woken since the last time."""
        triggers = self.env["ir.cron.trigger"].search([("cron_id", "=", self.env.ref(CRON).id)])
        triggers.unlink()
        return bool(triggers)

    def _move(self, product, quantity, source, target):
        move = self.env["stock.move"].create(
            {
                "product_id": product.id,
                "product_uom_qty": quantity,
                "location_id": source.id,
                "location_dest_id": target.id,
            }
        )
        move._action_confirm()
        move.write({"quantity": quantity, "picked": True})
        move._action_done()

    def test_goods_wake_where_they_can_be_sold(self):
        """Not at the input of a warehouse, nor in a corner that is not for sale, but once they leave it."""
        self._confirm([(self.lamp, 3)])
        self.beijing.reception_steps = "two_steps"
        entrance, shelf = self.beijing.wh_input_stock_loc_id, self.beijing.lot_stock_id
        corner = self.env["stock.location"].create(
            {"name": "Corner", "location_id": shelf.id, "oms_is_not_for_sale": True}
        )
        supplier = self.env.ref("stock.stock_location_suppliers")
        self._is_woken()
        steps = [(supplier, entrance, False), (entrance, corner, False), (corner, shelf, True), (shelf, corner, False)]
        for source, target, is_woken in steps:
            self._move(self.lamp, 5, source, target)
            self.assertEqual(self._is_woken(), is_woken, f"from {source.name} to {target.name}")

    def test_what_is_kept_less_wakes(self):
        pool = self.env["oms.stock.pool"].create(
            {
                "name": "Ours",
                "channel_ids": [Command.set(self.channel.copy({"name": "Owner", "code": "owner"}).ids)],
                "line_ids": [Command.create({"product_id": self.lamp.id, "quantity": 3})],
            }
        )
        safety = self.env["oms.stock.safety"].create({"product_id": self.lamp.id, "quantity": 1})
        pool.line_ids.quantity = 2
        self.assertFalse(self._is_woken(), "nobody waits")
        self._confirm([(self.lamp, 3)])
        self._is_woken()
        for change in (
            lambda: pool.line_ids.write({"quantity": 1}),
            lambda: pool.write({"active": False}),
            lambda: safety.write({"quantity": 0}),
            safety.unlink,
        ):
            change()
            self.assertTrue(self._is_woken())
        late = "2100-01-01 00:00:00"
        pool.release_date = late
        dates = self.env["ir.cron.trigger"].search([("cron_id", "=", self.env.ref(CRON).id)]).mapped("call_at")
        self.assertIn(fields.Datetime.to_datetime(late), dates)

    def test_lowered_line_wakes_who_waits(self):
        self._set_stocks(self.lamp, shanghai=3)
        rich = self._confirm([(self.lamp, 3)])
        poor = self._confirm([(self.lamp, 1)])
        self._is_woken()
        rich.order_line.product_uom_qty = 2
        self.assertTrue(self._is_woken())
        self._run_cron(CRON)
        self.assertEqual(poor.oms_short_quantity, 0)

    def test_stock_nobody_waits_for_wakes_nobody(self):
        self.env["ir.cron.trigger"].search([("cron_id", "=", self.env.ref(CRON).id)]).unlink()
        self.receive(self.lamp, 4, self.guangzhou)
        self.assertFalse(self.env["ir.cron.trigger"].search([("cron_id", "=", self.env.ref(CRON).id)]))

    def test_order_on_hold_is_passed_over(self):
        held, free = self._confirm([(self.lamp, 2)]), self._confirm([(self.lamp, 2)])
        hold_type = self.env["oms.hold.type"].create({"name": "Wait", "code": "test_wait", "gate": "allocate"})
        held._oms_place_hold(hold_type, "Wait")
        self.receive(self.lamp, 4, self.beijing)
        (held | free).with_user(self.user).action_oms_allocate()
        self.assertAllocated(held, {("Lamp", "Shanghai"): 2})
        self.assertAllocated(free, {("Lamp", "Beijing"): 2})

    def test_waiting_quantities_of_two_warehouses(self):
        """A plan may take more at a warehouse that waits already than what waits there."""
        self._set_stocks(self.lamp, shanghai=2, beijing=3)
        order = self._confirm([(self.lamp, 5)])
        order.picking_ids.do_unreserve()
        self._set_stocks(self.lamp, shanghai=0, beijing=0, guangzhou=0)
        self._set_stocks(self.lamp, shanghai=9)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 5})

    # === WHAT BELONGS TOGETHER, WHAT MAY NOT BE SPLIT === #

    def _confirm_together(self, *others):
        """Return a confirmed order of a lamp and a desk that belong together, and of one of each other product."""
        order = self._create_order([(self.lamp, 1), (self.desk, 1), *((product, 1) for product in others)])
        order.order_line[:2].oms_keep_together = "set"
        order.action_confirm()
        if order.state != "sale":
            order.oms_hold_ids.with_user(self.manager).action_release("It may wait.")
            order.action_confirm()
        return order

    def _confirm_half(self):
        """Return such an order of which the lamp is reserved, and the desk is nowhere."""
        self._set_stocks(self.lamp, shanghai=1)
        order = self._confirm_together()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 1, ("Desk", "Shanghai"): 1})
        self.assertEqual([line.move_ids.quantity for line in order.order_line], [1, 0])
        return order

    def test_what_belongs_together_moves_together_or_not_at_all(self):
        order = self._confirm_half()
        self.receive(self.desk, 1, self.beijing)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 1, ("Desk", "Shanghai"): 1})
        self.receive(self.lamp, 1, self.beijing)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Beijing"): 1, ("Desk", "Beijing"): 1})
        self.assertEqual(order.oms_short_quantity, 0)

    def test_what_belongs_to_goods_that_are_picked_waits_for_goods_there(self):
        order = self._confirm_half()
        order.order_line[0].move_ids.picked = True
        for product in (self.lamp, self.desk):
            self.receive(product, 1, self.beijing)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 1, ("Desk", "Shanghai"): 1})
        self.receive(self.desk, 1, self.shanghai)
        order.with_user(self.user).action_oms_allocate()
        self.assertEqual(order.oms_short_quantity, 0)

    def test_what_belongs_together_waits_together(self):
        """The chair leaves from Guangzhou, where a lamp is; the desk would wait in Shanghai, which is nearest."""
        chair = self.env["product.product"].create({"name": "Chair", "is_storable": True, "taxes_id": False})
        self._set_stocks(chair, guangzhou=1)
        self._set_stocks(self.lamp, guangzhou=1)
        order = self._confirm_together(chair)
        self.assertEqual(order.oms_allocation_ids.warehouse_id, self.guangzhou)

    def test_rest_of_an_order_that_may_not_be_split_waits_where_the_first_part_left(self):
        strategy = self.env["oms.sourcing.strategy"].create({"name": "Test", "split": "never"})
        self.channel.oms_strategy_id = strategy
        self._set_stocks(self.lamp, shanghai=2)
        order = self._confirm([(self.lamp, 3)])
        self.assertAllocated(order, {("Lamp", "Shanghai"): 3})
        order.picking_ids.move_ids.picked = True
        order.picking_ids._action_done()  # of the two that are there; the third is a backorder
        self.receive(self.lamp, 1, self.beijing)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 3})
        strategy.write({"split": "always", "max_parcels": 2})
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 2, ("Lamp", "Beijing"): 1})

    def test_one_plan_makes_no_more_parcels_than_are_allowed_with_those_that_left(self):
        strategy = self.env["oms.sourcing.strategy"].create({"name": "Test", "max_parcels": 2})
        self.channel.oms_strategy_id = strategy
        self._set_stocks(self.lamp, shanghai=1)
        order = self._confirm([(self.lamp, 3)])
        order.picking_ids.move_ids.picked = True
        order.picking_ids._action_done()
        self._set_stocks(self.lamp, beijing=1, guangzhou=1)
        order.with_user(self.user).action_oms_allocate()
        warehouses = order.oms_allocation_ids.filtered(lambda row: row.state != "cancelled").warehouse_id
        self.assertEqual((len(warehouses), order.oms_short_quantity), (2, 1))

    def test_goods_without_stock_records_do_not_keep_an_order_from_being_sourced_again(self):
        flyer = self.env["product.product"].create({"name": "Flyer", "type": "consu", "is_storable": False})
        self._set_stocks(self.lamp, shanghai=1)
        order = self._confirm([(self.lamp, 1), (flyer, 1)])
        order._oms_source_again()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 1, ("Flyer", "Shanghai"): 1})

    def test_orders_confirmed_before_are_taken_in(self):
        """Orders whose transfers nobody allocated, as they are when the addon is installed later."""
        order = self._confirm([(self.lamp, 3)])
        order.oms_allocation_ids.unlink()
        self.receive(self.lamp, 5, self.beijing)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})
