from odoo.exceptions import UserError, ValidationError
from odoo.tests import tagged

from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestDeliveryGroup(FulfillmentCommon):
    """A parcel with goods of two orders is a parcel of both."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.orders = cls._create_order() | cls._create_order([(cls.mouse, 1)])
        cls.group = cls.orders._oms_merge()
        cls.orders.action_confirm()
        cls.picking = cls.group.picking_ids

    def test_both_orders_see_the_parcel_and_its_way(self):
        [parcel] = self._ship(self.picking)
        self.assertEqual(self.orders.mapped("oms_parcel_count"), [1, 1])
        self.assertEqual(self.orders.mapped("oms_stage"), ["shipped", "shipped"])
        self.assertEqual(parcel._get_order_names(), ", ".join(self.orders.mapped("name")))
        for order in self.orders:
            self.assertIn("carrier", order.oms_decision_ids.mapped("kind"))
        parcel.last_event_date = "2026-01-01 12:00:00"
        parcel._reach_state("delivered", {parcel: self.env["oms.parcel.event"]})
        self.env.flush_all()
        self.assertEqual(self.orders.mapped("oms_stage"), ["delivered", "delivered"])
        for order in self.orders:
            self.assertIn("delivered", order.oms_event_ids.mapped("code"))

    def test_who_scans_a_transfer_keeps_its_content(self):
        self.picking.user_id = self.operator
        with self.assertRaisesRegex(UserError, self.picking.name):
            self.group.action_undo()

    def test_packed_goods_are_not_regrouped(self):
        self.picking.action_oms_pack()
        with self.assertRaisesRegex(UserError, self.picking.name):
            self.group.action_undo()

    def test_one_parcel_one_carrier(self):
        with self.assertRaisesRegex(ValidationError, self.orders[0].name):
            self.orders[1].carrier_id = self.express
        other = self._create_order(carrier_id=self.express.id)
        third = self._create_order()
        self.assertNotIn(other, third.oms_merge_candidate_ids)

    def test_the_number_of_either_order_finds_the_transfer(self):
        session = self.env["oms.scan.session"]
        for order in self.orders:
            found = self.env["stock.picking"].search(session._get_order_domain(order.name))
            self.assertEqual(found, self.picking)
