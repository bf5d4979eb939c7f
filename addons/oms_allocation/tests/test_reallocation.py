from unittest.mock import patch

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

    def test_orders_confirmed_before_are_taken_in(self):
        """Orders whose transfers nobody allocated, as they are when the addon is installed later."""
        order = self._confirm([(self.lamp, 3)])
        order.oms_allocation_ids.unlink()
        self.receive(self.lamp, 5, self.beijing)
        order.with_user(self.user).action_oms_allocate()
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})
