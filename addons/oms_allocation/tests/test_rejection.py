from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .strategy_common import SourcingCommon


@tagged("post_install", "-at_install")
class TestRejection(SourcingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_stocks(cls.lamp, shanghai=10, beijing=10)
        cls.not_found = cls.env.ref("oms_allocation.oms_reject_reason_not_found")
        cls.damaged = cls.env.ref("oms_allocation.oms_reject_reason_damaged")
        cls.busy = cls.env.ref("oms_allocation.oms_reject_reason_busy")

    def _reject(self, order, reason, user=None):
        Wizard = self.env["oms.reject"].with_user(user or self.operator)
        form = Form(Wizard.with_context(active_model="stock.picking", active_ids=order.picking_ids.ids))
        form.reason_id = reason
        form.save().action_reject()

    def _get_sellable(self, warehouse):
        return self.lamp._oms_get_sellable_quantities(warehouse)[self.lamp.id, warehouse.id]

    def test_rejected_order_is_sourced_elsewhere(self):
        order = self._confirm([(self.lamp, 3)])
        self._reject(order, self.busy)
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})
        self.assertIn("rejected it", order.oms_allocation_why)
        self.assertEqual(self._get_sellable(self.shanghai), 10)
        order.order_line.product_uom_qty = 4
        self.assertEqual(self._get_rows(order), {("Lamp", "Beijing"): 4}, "it is not asked again")

    def test_what_is_not_found_is_not_sold_until_it_is_counted(self):
        order = self._confirm([(self.lamp, 3)])
        self._reject(order, self.not_found)
        self.assertEqual(self._get_sellable(self.shanghai), 0)
        other = self._confirm([(self.lamp, 1)])
        self.assertEqual(other.oms_allocation_ids.warehouse_id, self.beijing)
        quant = self.env["stock.quant"].search(
            [("product_id", "=", self.lamp.id), ("location_id", "child_of", self.shanghai.lot_stock_id.id)]
        )
        quant.inventory_quantity = 7
        quant.action_apply_inventory()
        self.assertEqual(self._get_sellable(self.shanghai), 7)

    def test_damaged_lowers_by_what_was_asked_for(self):
        order = self._confirm([(self.lamp, 3)])
        self._reject(order, self.damaged)
        self.assertEqual(self._get_sellable(self.shanghai), 7)
        self.env["oms.warehouse.rejection"].search([("order_id", "=", order.id)]).action_set_counted()
        self.assertEqual(self._get_sellable(self.shanghai), 10)

    def test_who_waits_is_not_given_what_is_not_trusted(self):
        order = self._confirm([(self.lamp, 3)])
        self._reject(order, self.not_found)
        self._set_stocks(self.lamp, beijing=3)
        waiting = self._confirm([(self.lamp, 2)], warehouse_id=self.shanghai.id, oms_warehouse_id=self.shanghai.id)
        self.assertEqual(waiting.oms_short_quantity, 2)
        waiting.picking_ids.action_assign()
        self.assertEqual(sum(waiting.order_line.move_ids.mapped("quantity")), 0)
        self.env["oms.warehouse.rejection"].search([]).with_user(self.operator).action_set_counted()
        waiting.picking_ids.action_assign()
        self.assertEqual(sum(waiting.order_line.move_ids.mapped("quantity")), 2)

    def test_picture_adds_up_with_a_rejection(self):
        order = self._confirm([(self.lamp, 3)])
        self._reject(order, self.damaged)
        domain = [("product_id", "=", self.lamp.id), ("warehouse_id", "=", self.shanghai.id)]
        entries = self.env["oms.stock.entry"].search([*domain, ("is_counted", "=", True)])
        self.assertEqual({entry.kind: entry.quantity for entry in entries}, {"on_hand": 10, "rejected": -3})
        self.assertEqual(entries.filtered(lambda entry: entry.kind == "rejected").order_id, order)
        row = self.env["oms.sellable"].search(domain)
        self.assertEqual((row.sellable_quantity, row.unsellable_quantity), (self._get_sellable(self.shanghai), 3))

    def _count(self, *quants):
        for quant in quants:
            quant.inventory_quantity = quant.quantity
        self.env["stock.quant"].concat(*quants).action_apply_inventory()

    def test_counted_is_what_was_counted(self):
        """Neither another product of the same count, nor one shelf of several."""
        self._set_stocks(self.desk, shanghai=5, beijing=5)
        shelf = self.env["stock.location"].create({"name": "Shelf", "location_id": self.shanghai.lot_stock_id.id})
        self.env["stock.quant"]._update_available_quantity(self.lamp, shelf, 4)
        self._reject(self._confirm([(self.lamp, 3)]), self.not_found)
        quants = self.env["stock.quant"].search(
            [("product_id", "in", (self.lamp | self.desk).ids), ("location_id.usage", "=", "internal")]
        )
        lamp_shelf = quants.filtered(lambda quant: quant.location_id == shelf)
        lamp_stock = quants.filtered(
            lambda quant: quant.product_id == self.lamp and quant.location_id == self.shanghai.lot_stock_id
        )
        lamp_beijing = quants.filtered(
            lambda quant: quant.product_id == self.lamp and quant.location_id == self.beijing.lot_stock_id
        )
        desk_shanghai = quants.filtered(
            lambda quant: quant.product_id == self.desk and quant.location_id == self.shanghai.lot_stock_id
        )
        self._count(lamp_beijing, desk_shanghai)
        self.assertEqual(self._get_sellable(self.shanghai), 0)
        self._count(lamp_shelf)
        self.assertEqual(self._get_sellable(self.shanghai), 0)
        self._count(lamp_shelf, lamp_stock)
        self.assertEqual(self._get_sellable(self.shanghai), 14)

    def test_nobody_writes_rejections_by_hand(self):
        self._reject(self._confirm([(self.lamp, 3)]), self.not_found)
        row = self.env["oms.warehouse.rejection"].search([])
        for user in (self.operator, self.manager):
            with self.assertRaises(AccessError):
                row.with_user(user).blocked_quantity = 0
        with self.assertRaises(AccessError):
            row.with_user(self.user).action_set_counted()
        row.with_user(self.operator).action_set_counted()
        self.assertEqual(self._get_sellable(self.shanghai), 10)

    def test_transfer_of_a_pick_and_ship_warehouse_is_rejected(self):
        self.shanghai.delivery_steps = "pick_ship"
        order = self._confirm([(self.lamp, 3)])
        self.assertEqual(order.picking_ids.picking_type_id, self.shanghai.pick_type_id)
        self._reject(order, self.busy)
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})
        pickings = order.picking_ids.filtered(lambda picking: picking.state != "cancel")
        self.assertEqual(pickings.picking_type_id.warehouse_id, self.beijing)

    def test_nobody_else_has_it(self):
        self._set_stocks(self.lamp, beijing=0)
        order = self._confirm([(self.lamp, 3)])
        self._reject(order, self.not_found)
        self.assertEqual(order.oms_short_quantity, 3)
        self.assertTrue(order.oms_unfilled_date)
        self.assertNotIn(("Lamp", "Shanghai"), self._get_rows(order))

    def test_what_is_being_picked_can_not_be_rejected(self):
        order = self._confirm([(self.lamp, 3)])
        order.picking_ids.move_ids.picked = True
        with self.assertRaisesRegex(UserError, "picking has begun"):
            self._reject(order, self.busy)

    def test_accountants_reject_nothing(self):
        order = self._confirm([(self.lamp, 3)])
        with self.assertRaises(AccessError):
            self._reject(order, self.busy, user=self.accountant)


@tagged("post_install", "-at_install")
class TestSourceAgain(SourcingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_stocks(cls.lamp, shanghai=10, beijing=10)

    def _source_again(self, orders, **values):
        Wizard = self.env["oms.resource"].with_user(self.user)
        form = Form(Wizard.with_context(active_model="sale.order", active_ids=orders.ids))
        for name, value in values.items():
            form[name] = value
        wizard = form.save()
        wizard.action_apply()
        return wizard

    def test_from_one_warehouse(self):
        order = self._confirm([(self.lamp, 3)])
        wizard = self._source_again(order, warehouse_id=self.beijing)
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})
        line = wizard.line_ids
        self.assertEqual((line.before, line.after, line.result), ("Shanghai (3)", "Beijing (3)", "moved"))
        self._source_again(order)
        self.assertAllocated(order, {("Lamp", "Shanghai"): 3})  # the strategy chooses again
        self.assertFalse(order.oms_warehouse_id)

    def test_by_another_strategy(self):
        order = self._confirm([(self.lamp, 3)])
        self.beijing.oms_priority = 1
        other = self.strategy.copy({"name": "By priority"})
        other.aim_ids.filtered(lambda aim: aim.type == "distance").unlink()
        self._source_again(order, strategy_id=other)
        self.assertAllocated(order, {("Lamp", "Beijing"): 3})
        self.assertEqual(order.oms_strategy_id, other)

    def test_each_order_has_its_result(self):
        moved, begun, same = (self._confirm([(self.lamp, 1)]) for _number in range(3))
        begun.picking_ids.move_ids.picked = True
        same.oms_warehouse_id = self.shanghai
        self._set_stocks(self.lamp, beijing=20)
        wizard = self._source_again(moved | begun, warehouse_id=self.beijing)
        self.assertEqual(wizard.line_ids.mapped("result"), ["moved", "refused"])
        self.assertIn("Picking has begun", wizard.line_ids[1].message)
        self.assertEqual(self._source_again(same).line_ids.result, "same")

    def test_what_left_stays_where_it_left(self):
        order = self._confirm([(self.lamp, 5)])
        picking = order.picking_ids
        picking.move_ids.quantity = 2
        picking.move_ids.picked = True
        picking.with_context(skip_backorder=True)._action_done()
        backorder = order.picking_ids - picking
        self.assertEqual(backorder.move_ids.product_uom_qty, 3)
        order._oms_source_again()
        self.assertEqual(self._get_rows(order), {("Lamp", "Shanghai"): 5})
        order.oms_warehouse_id = self.beijing
        order._oms_source_again()
        self.assertAllocated(order, {("Lamp", "Shanghai"): 2, ("Lamp", "Beijing"): 3})
