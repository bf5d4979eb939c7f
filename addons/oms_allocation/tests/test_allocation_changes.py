from odoo.tests import tagged

from .common import OmsAllocationCommon


@tagged("post_install", "-at_install")
class TestAllocationChanges(OmsAllocationCommon):
    """Orders change after they are allocated: more, less, cancelled, half shipped, transfers cancelled by hand."""

    def setUp(self):
        super().setUp()
        self._set_stocks(self.lamp, shanghai=4, beijing=5)
        self.order = self._confirm([(self.lamp, 9)])
        self.line = self.order.order_line.with_user(self.user)

    def get_transfer(self, warehouse):
        return self.order.picking_ids.filtered(lambda picking: picking.picking_type_id.warehouse_id == warehouse)

    def test_increase_allocates_only_the_difference(self):
        self._set_stocks(self.lamp, guangzhou=10)
        self.line.product_uom_qty = 11
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 4, ("Lamp", "Beijing"): 5, ("Lamp", "Guangzhou"): 2})

    def test_increase_joins_a_parcel_that_leaves_anyway(self):
        self._set_stocks(self.lamp, guangzhou=10, beijing=10)
        self.line.product_uom_qty = 11
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 4, ("Lamp", "Beijing"): 7})
        self.assertEqual(len(self.order.picking_ids), 2)

    def test_decrease_takes_from_the_farthest(self):
        self.line.product_uom_qty = 7
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 4, ("Lamp", "Beijing"): 3})

    def test_decrease_over_several_warehouses_makes_no_receipt(self):
        self.line.product_uom_qty = 3
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 3})
        self.assertEqual(
            self.order.oms_allocation_ids.filtered(lambda row: row.warehouse_id == self.beijing).state, "cancelled"
        )

    def test_decrease_to_zero_and_up_again(self):
        self.line.product_uom_qty = 0
        self.assertAllocated(self.order, {})
        self.line.product_uom_qty = 2
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 2})

    def test_decrease_takes_what_waits_first(self):
        self.line.product_uom_qty = 12
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 7, ("Lamp", "Beijing"): 5})
        self.assertEqual(self.order.oms_short_quantity, 3)
        self.line.product_uom_qty = 10
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 5, ("Lamp", "Beijing"): 5})
        self.assertEqual(self.order.oms_short_quantity, 1)

    def test_decrease_leaves_what_is_in_hand(self):
        self.get_transfer(self.beijing).move_ids.picked = True  # though it comes from farthest
        self.line.product_uom_qty = 6
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 1, ("Lamp", "Beijing"): 5})

    def test_decrease_never_takes_what_left(self):
        beijing = self.get_transfer(self.beijing)
        beijing.move_ids.picked = True
        beijing._action_done()
        self.line.product_uom_qty = 6
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 1, ("Lamp", "Beijing"): 5})

    def test_decrease_with_pick_and_ship(self):
        self.beijing.delivery_steps = "pick_ship"
        self._set_stocks(self.desk, shanghai=4, beijing=5)
        order = self._confirm([(self.desk, 9)])
        line = order.order_line.with_user(self.user)
        self.assertAllocated(order, {("Desk", "Shanghai"): 4, ("Desk", "Beijing"): 5})
        line.product_uom_qty = 3
        self.assertAllocated(order, {("Desk", "Shanghai"): 3})
        line.product_uom_qty = 8
        self.assertAllocated(order, {("Desk", "Shanghai"): 3, ("Desk", "Beijing"): 5})  # one pick rather than two
        for _step in range(2):
            self._deliver(order)
        self.assertEqual(line.qty_delivered, 8)
        self.assertEqual(
            {row.warehouse_id: (row.quantity, row.done_quantity, row.state) for row in order.oms_allocation_ids},
            {self.shanghai: (3, 3, "done"), self.beijing: (5, 5, "done")},
        )

    def test_decrease_of_what_was_picked_puts_it_back(self):
        self.beijing.delivery_steps = "pick_ship"
        self._set_stocks(self.desk, beijing=5)
        order = self._confirm([(self.desk, 5)])
        line = order.order_line.with_user(self.user)
        self._deliver(order)
        self.assertEqual(order.picking_ids.sorted("id").mapped("state"), ["done", "assigned"])
        line.product_uom_qty = 3
        self.assertEqual(self._get_rows(order), {("Desk", "Beijing"): 3})
        back = order.picking_ids.filtered(lambda picking: picking.location_dest_id == self.beijing.lot_stock_id)
        self.assertEqual((back.move_ids.product_uom_qty, back.move_ids.location_id.usage), (2, "internal"))
        self._deliver(order)
        self.assertEqual(line.qty_delivered, 3)
        row = order.oms_allocation_ids
        self.assertEqual((row.quantity, row.procured_quantity, row.done_quantity, row.state), (3, 3, 3, "done"))
        self.assertEqual(self.desk.with_context(location=self.beijing.lot_stock_id.id).qty_available, 2)

    def test_cancelled_order_frees_its_stock(self):
        self.order.with_user(self.manager)._action_cancel()
        self.assertEqual(set(self.order.oms_allocation_ids.mapped("state")), {"cancelled"})
        other = self._confirm([(self.lamp, 9)])
        self.assertEqual(set(other.picking_ids.mapped("state")), {"assigned"})

    def test_order_confirmed_again_after_cancelling(self):
        self.order.with_user(self.manager)._action_cancel()
        self.order.with_user(self.user).action_draft()
        self.order.with_user(self.user).action_confirm()
        self.assertEqual(self._get_rows(self.order), {("Lamp", "Shanghai"): 4, ("Lamp", "Beijing"): 5})

    def test_transfer_cancelled_by_hand_is_no_allocation(self):
        beijing = self.get_transfer(self.beijing)
        beijing.with_user(self.operator).action_cancel()
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 4})
        self.line.product_uom_qty = 10  # Odoo then orders anew what was cancelled, and so do we
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 5, ("Lamp", "Beijing"): 5})

    def test_part_shipped_without_backorder(self):
        shanghai = self.get_transfer(self.shanghai)
        shanghai.move_ids.write({"quantity": 1, "picked": True})
        shanghai.with_context(cancel_backorder=True)._action_done()
        self.assertAllocated(self.order, {("Lamp", "Shanghai"): 1, ("Lamp", "Beijing"): 5})
        row = self.order.oms_allocation_ids.filtered(lambda row: row.warehouse_id == self.shanghai)
        self.assertEqual((row.done_quantity, row.state), (1, "done"))

    def test_backorder_keeps_the_allocation_open(self):
        shanghai = self.get_transfer(self.shanghai)
        shanghai.move_ids.write({"quantity": 1, "picked": True})
        shanghai._action_done()
        row = self.order.oms_allocation_ids.filtered(lambda row: row.warehouse_id == self.shanghai)
        self.assertEqual((row.quantity, row.done_quantity, row.state), (4, 1, "procured"))

    def test_line_added_later_joins_the_parcel(self):
        self._set_stocks(self.desk, beijing=5, guangzhou=5)
        self.env["sale.order.line"].with_user(self.user).create(
            {"order_id": self.order.id, "product_id": self.desk.id, "product_uom_qty": 1}
        )
        self.assertEqual(self._get_rows(self.order)["Desk", "Beijing"], 1)
        self.assertEqual(len(self.order.picking_ids), 2)
