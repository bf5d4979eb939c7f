from odoo.fields import Command
from odoo.tests import tagged
from odoo.tools import SQL

from odoo.addons.oms_base.tests.common import OmsBaseCommon


@tagged("post_install", "-at_install")
class TestStockLock(OmsBaseCommon):
    """The lock and what is remembered, in one process; racing processes are in tests/test_oversell.py at the root."""

    def _get_row_version(self, quant):
        self.env.flush_all()
        return self.env.execute_query(SQL("SELECT ctid FROM stock_quant WHERE id = %s", quant.id))[0][0]

    def _get_quant(self, product):
        return self.env["stock.quant"].search(
            [("product_id", "=", product.id), ("location_id", "=", self.warehouse.lot_stock_id.id)]
        )

    def _confirm_orders(self, count, lines):
        orders = self.env["sale.order"].create(
            [self._prepare_order_values(lines, channel_id=False) for _number in range(count)]
        )
        orders.action_confirm()
        return orders

    def _count_queries(self, work):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.cr.sql_log_count
        work()
        self.env.flush_all()
        return self.cr.sql_log_count - before

    def test_more_orders_than_stock_reserve_what_is_there(self):
        orders = self._confirm_orders(4, [(self.mouse, 4)])
        self.assertEqual(orders.picking_ids.sorted("id").move_ids.mapped("quantity"), [4, 4, 2, 0])
        self.assertEqual(
            orders.picking_ids.sorted("id").move_ids.mapped("state"),
            ["assigned", "assigned", "partially_available", "confirmed"],
        )
        self.assertEqual(self._get_quant(self.mouse).reserved_quantity, 10)

    def test_who_has_a_part_already_keeps_the_turn(self):
        orders = self._confirm_orders(2, [(self.mouse, 12)])
        first, second = orders.picking_ids.sorted("id").move_ids
        self.assertEqual((first.quantity, second.quantity), (10, 0))
        self._set_stock(self.mouse, 15)
        (first | second)._action_assign()
        self.assertEqual((first.quantity, second.quantity), (12, 3))

    def test_stock_on_a_shelf_is_found_and_the_oldest_goes_first(self):
        shelf = self.env["stock.location"].create({"name": "Shelf", "location_id": self.warehouse.lot_stock_id.id})
        self.env["stock.quant"]._update_available_quantity(self.mouse, shelf, 5, in_date="2020-01-01 00:00:00")
        move = self._confirm_orders(1, [(self.mouse, 7)]).picking_ids.move_ids
        quantities = {line.location_id: line.quantity for line in move.move_line_ids}
        self.assertEqual(quantities, {shelf: 5, self.warehouse.lot_stock_id: 2})

    def test_released_stock_is_reserved_again(self):
        first, second = self._confirm_orders(2, [(self.mouse, 10)])
        self.assertEqual(second.picking_ids.state, "confirmed")
        first.picking_ids.do_unreserve()
        second.picking_ids.action_assign()
        self.assertEqual((first.picking_ids.state, second.picking_ids.state), ("confirmed", "assigned"))

    def test_reservation_without_stock_below_makes_others_stumble(self):
        quant = self._get_quant(self.mouse)
        shelf = self.env["stock.location"].create({"name": "Empty", "location_id": self.warehouse.lot_stock_id.id})
        version = self._get_row_version(quant)
        self.env["stock.quant"]._update_reserved_quantity(self.mouse, shelf, 3)
        self.assertNotEqual(self._get_row_version(quant), version)

    def test_plan_that_reserves_nothing_makes_others_stumble(self):
        """By hand, at the first step of two: what was planned must not be planned by another transaction too."""
        self.warehouse.delivery_steps = "pick_ship"
        for method, is_changed in (("at_confirm", False), ("manual", True)):
            self.warehouse.pick_type_id.reservation_method = method
            quant = self._get_quant(self.mouse)
            order = self._create_order([(self.mouse, 1)])
            self.env.flush_all()
            version = self._get_row_version(quant)
            order.state = "sale"
            self.env["sale.order"]._oms_allocate({order.order_line: 1.0})
            self.assertEqual(self._get_row_version(quant) != version, is_changed)

    def test_receipt_makes_nobody_stumble(self):
        quant = self._get_quant(self.mouse)
        shelf = self.env["stock.location"].create({"name": "New", "location_id": self.warehouse.lot_stock_id.id})
        version = self._get_row_version(quant)
        self.env["stock.quant"]._update_available_quantity(self.mouse, shelf, 3)
        self.assertEqual(self._get_row_version(quant), version)

    def test_queries_of_reservation_do_not_grow_with_the_batch(self):
        products = self.env["product.product"].create(
            [{"name": f"Bulk {number}", "is_storable": True} for number in range(12)]
        )
        for product in products:
            self._set_stock(product, 100)
        self.env["stock.picking.type"].search([]).write({"reservation_method": "manual", "auto_batch": False})
        counts = []
        for size in (3, 3, 12):  # the first only fills the caches
            pickings = self.env["stock.picking"]
            for product in products[:size]:
                pickings |= self._confirm_orders(1, [(product, 1)]).picking_ids
            counts.append(self._count_queries(pickings.action_assign))
            self.assertEqual(set(pickings.mapped("state")), {"assigned"})
        self.assertLessEqual(counts[2], counts[1] + 3)

    def test_first_reordering_rule_is_noticed(self):
        self._confirm_orders(1, [(self.mouse, 1)])
        self.env["stock.warehouse.orderpoint"].search([]).unlink()
        supplier = self.env["stock.warehouse"].create({"name": "Supplier", "code": "OMSSU"})
        self.warehouse.resupply_wh_ids = [Command.set(supplier.ids)]
        orderpoint = self.env["stock.warehouse.orderpoint"].create(
            {
                "product_id": self.mouse.id,
                "warehouse_id": self.warehouse.id,
                "location_id": self.warehouse.lot_stock_id.id,
                "product_min_qty": 5,
                "product_max_qty": 20,
                "route_id": self.warehouse.resupply_route_ids.id,
            }
        )
        self._confirm_orders(1, [(self.mouse, 8)])
        resupply = self.env["stock.move"].search([("orderpoint_id", "=", orderpoint.id)])
        self.assertGreater(sum(resupply.mapped("product_uom_qty")), 0)

    def test_changed_rule_is_followed_at_once(self):
        self._confirm_orders(1, [(self.mouse, 1)])
        self.warehouse.delivery_steps = "pick_ship"
        picking = self._confirm_orders(1, [(self.mouse, 1)]).picking_ids
        self.assertEqual(picking.picking_type_id, self.warehouse.pick_type_id)

    def test_first_analytic_distribution_model_is_noticed(self):
        order = self._create_order(channel_id=False)
        self.assertFalse(any(order.order_line.mapped("analytic_distribution")))
        plan = self.env["account.analytic.plan"].create({"name": "OMS Plan"})
        account = self.env["account.analytic.account"].create({"name": "OMS Account", "plan_id": plan.id})
        self.env["account.analytic.distribution.model"].create(
            {"partner_id": self.buyer.id, "analytic_distribution": {str(account.id): 100}}
        )
        order = self._create_order(channel_id=False)
        self.assertEqual(order.order_line[0].analytic_distribution, {str(account.id): 100})
