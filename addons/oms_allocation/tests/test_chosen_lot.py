from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import OmsAllocationCommon


@tagged("post_install", "-at_install")
class TestChosenLot(OmsAllocationCommon):
    """Tea of two lots: L1 in Shanghai, which is nearer, L2 in Beijing; somebody wants L2."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tea = cls.env["product.product"].create(
            {"name": "Tea", "is_storable": True, "tracking": "lot", "taxes_id": False}
        )
        cls.first, cls.second = cls.env["stock.lot"].create(
            [{"name": name, "product_id": cls.tea.id} for name in ("L1", "L2")]
        )
        for lot, warehouse in ((cls.first, cls.shanghai), (cls.second, cls.beijing)):
            cls.env["stock.quant"]._update_available_quantity(cls.tea, warehouse.lot_stock_id, 5, lot_id=lot)

    def order(self, quantity, lot):
        order = self._create_order([(self.tea, quantity)])
        order.order_line.oms_lot_id = lot
        order.with_user(self.user).action_confirm()
        return order

    def get_reserved(self, order):
        lines = order.order_line.move_ids.move_line_ids
        return {(line.location_id.warehouse_id.name, line.lot_id.name): line.quantity for line in lines}

    def test_plan_and_reservation_take_the_lot(self):
        order = self.order(3, self.second)
        self.assertAllocated(order, {("Tea", "Beijing"): 3})
        self.assertEqual(self.get_reserved(order), {("Beijing", "L2"): 3})
        self.assertEqual((order.oms_allocation_ids.lot_id, order.oms_short_quantity), (self.second, 0))
        self.assertEqual(self.get_reserved(self.order(3, self.env["stock.lot"])), {("Shanghai", "L1"): 3})
        order._oms_source_again()
        self.assertAllocated(order, {("Tea", "Beijing"): 3})

    def test_no_other_lot_stands_in_for_it(self):
        order = self.order(7, self.second)
        self.assertEqual((sum(self.get_reserved(order).values()), order.oms_short_quantity), (5, 2))
        order.order_line.move_ids._action_assign()
        self.assertEqual(self.get_reserved(order), {("Beijing", "L2"): 5})
        self.env["stock.quant"]._update_available_quantity(self.tea, self.shanghai.lot_stock_id, 2, lot_id=self.second)
        order.with_user(self.user).action_oms_allocate()
        self.assertEqual(self.get_reserved(order), {("Beijing", "L2"): 5, ("Shanghai", "L2"): 2})

    def test_the_step_before_brings_it_too(self):
        self.shanghai.delivery_steps = "pick_ship"
        self.env["stock.quant"]._update_available_quantity(self.tea, self.shanghai.lot_stock_id, 5, lot_id=self.second)
        order = self.order(2, self.second)
        self.assertEqual(self.get_reserved(order), {("Shanghai", "L2"): 2})

    def test_lot_is_one_of_the_product_and_stays_when_it_was_asked_for(self):
        order = self._create_order([(self.lamp, 1)])
        with self.assertRaises(ValidationError):
            order.order_line.oms_lot_id = self.first
        order = self.order(1, self.second)
        with self.assertRaises(UserError):
            order.order_line.oms_lot_id = self.first
