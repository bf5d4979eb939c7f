from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestParcel(FulfillmentCommon):
    def test_a_delivery_is_packed_into_a_parcel(self):
        picking = self._create_delivery()
        parcel = picking.with_user(self.operator)._oms_create_parcels()
        self.assertRecordValues(
            parcel,
            [{"state": "draft", "quantity": 3, "weight_expected": 1.4, "sale_id": picking.sale_id.id, "number": 1}],
        )
        self.assertEqual(parcel.name, f"{picking.name}-P1")
        self.assertFalse(picking._oms_create_parcels(), "nothing is left to pack")

    def test_packaging_counts_in_the_expected_weight(self):
        parcel = self._create_delivery()._oms_create_parcels()
        parcel.package_type_id = self.env["stock.package.type"].create({"name": "Box", "base_weight": 0.1})
        self.assertAlmostEqual(parcel.weight_expected, 1.5)

    def test_each_package_of_odoo_is_a_parcel(self):
        picking = self._create_delivery([(self.mouse, 2), (self.keyboard, 1)])
        line = picking.move_line_ids.filtered(lambda line: line.product_id == self.keyboard)
        line.result_package_id = self.env["stock.package"].create({"name": "BOX-1"})
        parcels = picking._oms_create_parcels()
        self.assertEqual(len(parcels), 2)
        self.assertEqual(parcels.filtered("package_id").line_ids.product_id, self.keyboard)

    def test_what_comes_back_into_stock_is_packed_again(self):
        picking = self._create_delivery([(self.mouse, 2)])
        first = picking._oms_create_parcels()
        first.line_ids.quantity = 1
        second = picking._oms_create_parcels()
        self.assertEqual(second.mapped("line_ids.quantity"), [1])
        self.assertEqual(second.number, 2)

    def test_buttons_pressed_twice_do_it_once(self):
        parcel = self._create_delivery()._oms_create_parcels().with_user(self.operator)
        parcel.action_pack()
        packed_date = parcel.packed_date
        parcel.action_pack()
        parcel.action_label()
        number = parcel.tracking_number
        parcel.action_label()
        self.assertEqual((parcel.state, parcel.tracking_number), ("labelled", number))
        self.assertEqual(parcel.packed_date, packed_date)
        codes = parcel.sale_id.oms_event_ids.mapped("code")
        self.assertEqual(codes.count("packed"), 1)
        self.assertEqual(codes.count("label_printed"), 1)

    def test_an_empty_parcel_is_not_closed(self):
        parcel = self.env["oms.parcel"].create({"picking_id": self._create_delivery().id})
        with self.assertRaisesRegex(UserError, "is empty"):
            parcel.action_pack()

    def test_wrong_weight_needs_a_manager(self):
        parcel = self._create_delivery()._oms_create_parcels().with_user(self.operator)
        parcel._set_weight(1.45)
        self.assertEqual(parcel.weight_check, "ok")
        parcel._set_weight(2.0)
        with self.assertRaisesRegex(UserError, "weighs 2.000 kg, expected 1.400 kg"):
            parcel.action_pack()
        with self.assertRaisesRegex(UserError, "Only an OMS manager"):
            parcel.action_accept_weight()
        self.assertIn(parcel, parcel.search([("weight_check", "in", ["off"])]))
        parcel.with_user(self.manager).action_accept_weight()
        parcel.action_pack()
        self.assertEqual(parcel.weight_forced_by_id, self.manager)

    def test_weighing_again_takes_the_acceptance_back(self):
        parcel = self._create_delivery()._oms_create_parcels()
        parcel._set_weight(2.0)
        parcel.with_user(self.manager).action_accept_weight()
        parcel._set_weight(3.0)
        self.assertEqual(parcel.weight_check, "off")

    def test_a_parcel_with_a_waybill_is_not_deleted(self):
        parcel = self._create_delivery()._oms_create_parcels()
        parcel._assign_waybills()
        with self.assertRaisesRegex(UserError, "cancel it instead"):
            parcel.unlink()

    def test_a_transfer_does_not_take_waybills_along(self):
        picking = self._create_delivery()
        picking._oms_create_parcels().action_label()
        picking.action_cancel()
        self.assertEqual(picking.oms_parcel_ids.waybill_state, "to_recycle")
        with self.assertRaisesRegex(UserError, "has a waybill"):
            picking.unlink()

    def test_a_cancelled_parcel_is_not_printed(self):
        picking = self._create_delivery()
        parcel = picking._oms_create_parcels()
        parcel._assign_waybills()
        parcel.action_cancel()
        with self.assertRaisesRegex(UserError, "is cancelled"):
            parcel.action_print_label()

    def test_cancelling_the_order_cancels_its_parcels(self):
        picking = self._create_delivery()
        parcel = picking._oms_create_parcels()
        parcel._assign_waybills()
        picking.sale_id._action_cancel()
        self.assertRecordValues(parcel, [{"state": "cancelled", "waybill_state": "recycled"}])

    def test_stages_follow_picking_packing_and_delivery(self):
        picking = self._create_delivery()
        order = picking.sale_id
        self.assertEqual(order.oms_stage, "ready")
        picking.move_ids.picked = True
        self.assertEqual(order.oms_stage, "picked")
        parcel = picking._oms_create_parcels()
        self.assertEqual(order.oms_stage, "picked")
        parcel.action_pack()
        self.assertEqual(order.oms_stage, "packed")
        picking._action_done()
        self.assertEqual(order.oms_stage, "shipped")
        with self.assertRaises(AccessError):
            parcel.with_user(self.accountant).action_deliver()
        parcel.with_user(self.user).action_deliver()
        self.assertEqual(order.oms_stage, "delivered")
        self.assertIn(self.user.name, parcel.event_ids.text)

    def test_picked_in_a_step_of_its_own(self):
        self.warehouse.delivery_steps = "pick_ship"
        order = self._create_order()
        order.action_confirm()
        pick = order.picking_ids
        pick.action_assign()
        self.assertEqual(order.oms_stage, "ready")
        pick.move_ids.picked = True
        pick._action_done()
        self.assertEqual(order.oms_stage, "picked")

    def test_two_parcels_two_numbers_one_reference(self):
        picking = self._create_delivery([(self.mouse, 2)])
        first = picking._oms_create_parcels()
        first.line_ids.quantity = 1
        parcels = first | picking._oms_create_parcels()
        self._ship(picking)
        self.assertEqual(parcels.mapped("state"), ["shipped"] * 2)
        self.assertEqual(picking.carrier_tracking_ref, ",".join(parcels.sorted("id").mapped("tracking_number")))
        self.assertEqual(len(picking.get_multiple_carrier_tracking()), 2)
        numbers = parcels.sorted("id").mapped("tracking_number")
        told = [(number, dict(content)) for number, _url, content in picking._oms_get_parcels()]
        self.assertEqual(told, [(number, {picking.move_ids: 1.0}) for number in numbers])
        parcels[0].action_deliver()
        self.assertEqual(picking.sale_id.oms_stage, "shipped", "one of two has arrived")
        parcels[1].action_deliver()
        self.assertEqual(picking.sale_id.oms_stage, "delivered")

    def test_a_number_of_the_transfer_is_of_all_its_boxes(self):
        fixed = self.env["delivery.carrier"].create(
            {"name": "Own Van", "delivery_type": "fixed", "product_id": self.express.product_id.copy().id}
        )
        picking = self._create_delivery([(self.mouse, 2)], carrier_id=fixed.id)
        picking._oms_create_parcels().line_ids.quantity = 1
        picking._oms_create_parcels()
        self._ship(picking)
        self.assertEqual([number for number, _url, _content in picking._oms_get_parcels()], ["", ""])
        picking.carrier_tracking_ref = "VAN-8"
        self.assertEqual(picking._oms_get_parcels(), [], "the transfer's own number and content count")

    def test_other_companies_do_not_see_it(self):
        parcel = self._create_delivery()._oms_create_parcels()
        company = self.env["res.company"].create({"name": "Other"})
        self.operator.write({"company_ids": [Command.set(company.ids)], "company_id": company.id})
        self.assertFalse(self.env["oms.parcel"].with_user(self.operator).search([("id", "=", parcel.id)]))
