from odoo.tests import tagged

from .common import OmsAllocationCommon


@tagged("post_install", "-at_install")
class TestSellable(OmsAllocationCommon):
    def get_sellable(self, product, warehouse):
        return product._oms_get_sellable_quantities(self.warehouses)[product.id, warehouse.id]

    def test_reserved_is_not_sellable(self):
        self._set_stocks(self.lamp, shanghai=10)
        self._confirm([(self.lamp, 3)])
        self.assertEqual(self.get_sellable(self.lamp, self.shanghai), 7)
        self.assertEqual(self.get_sellable(self.lamp, self.beijing), 0)

    def test_open_demand_that_is_not_reserved_is_not_sellable(self):
        self.shanghai.out_type_id.reservation_method = "manual"
        self._set_stocks(self.lamp, shanghai=10)
        order = self._confirm([(self.lamp, 3)])
        self.assertEqual(order.picking_ids.state, "confirmed")
        self.assertEqual(self.get_sellable(self.lamp, self.shanghai), 7)

    def test_shortage_is_negative(self):
        self._confirm([(self.lamp, 3)])
        self.assertEqual(self.get_sellable(self.lamp, self.shanghai), -3)

    def test_planned_allocation_is_not_sellable(self):
        self._set_stocks(self.lamp, shanghai=10)
        line = self._create_order([(self.lamp, 4)]).order_line
        allocation = self.env["oms.allocation"].create(
            {"order_id": line.order_id.id, "line_id": line.id, "warehouse_id": self.shanghai.id, "quantity": 4}
        )
        self.assertEqual(allocation.state, "planned")
        self.assertEqual(self.get_sellable(self.lamp, self.shanghai), 6)
        line.order_id.with_user(self.user).action_confirm()
        self.assertAllocated(line.order_id, {("Lamp", "Shanghai"): 4})
        self.assertEqual(self.get_sellable(self.lamp, self.shanghai), 6)

    def test_goods_outside_the_stock_location_are_not_sellable(self):
        self._set_stocks(self.lamp, shanghai=10)
        damaged = self.env["stock.location"].create(
            {"name": "Damaged", "location_id": self.shanghai.view_location_id.id, "usage": "internal"}
        )
        self.env["stock.quant"]._update_available_quantity(self.lamp, damaged, 5)
        shelf = self.env["stock.location"].create(
            {"name": "Shelf", "location_id": self.shanghai.lot_stock_id.id, "usage": "internal"}
        )
        self.env["stock.quant"]._update_available_quantity(self.lamp, shelf, 2)
        self.assertEqual(self.get_sellable(self.lamp, self.shanghai), 12)

    def test_picked_goods_are_counted_once(self):
        self.shanghai.delivery_steps = "pick_ship"
        self._set_stocks(self.lamp, shanghai=10)
        order = self._confirm([(self.lamp, 3)])
        self.assertEqual(self.get_sellable(self.lamp, self.shanghai), 7)
        self._deliver(order)
        self.assertEqual(order.order_line.qty_delivered, 0)
        self.assertEqual(self.get_sellable(self.lamp, self.shanghai), 7)
        self._deliver(order)
        self.assertEqual(order.order_line.qty_delivered, 3)
        self.assertEqual(self.get_sellable(self.lamp, self.shanghai), 7)

    def test_queries_do_not_depend_on_the_number_of_products(self):
        products = self.env["product.product"].create([{"name": f"P{n}", "is_storable": True} for n in range(60)])
        for product in products:
            self._set_stocks(product, shanghai=1, beijing=2)
        self.env.flush_all()
        with self.assertQueryCount(1):
            found = products._oms_get_sellable_quantities(self.warehouses)
        self.assertEqual((len(found), sum(found.values())), (120, 180))

    def test_nothing_asked_nothing_read(self):
        with self.assertQueryCount(0):
            self.assertFalse(self.env["product.product"]._oms_get_sellable_quantities(self.warehouses))
            self.assertFalse(self.lamp._oms_get_sellable_quantities(self.env["stock.warehouse"]))
