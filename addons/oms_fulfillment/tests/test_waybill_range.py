from psycopg2.errors import UniqueViolation

from odoo import api, fields
from odoo.exceptions import UserError, ValidationError
from odoo.modules.registry import Registry
from odoo.tests import BaseCase, tagged
from odoo.tests.common import get_db_name
from odoo.tools import mute_logger

from ..routing.tracking import TrackingEvent
from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestWaybillRange(FulfillmentCommon):
    def _take(self, count):
        return [
            number
            for _block, number in self.env["oms.waybill.range"]._take_numbers(
                self.express, self.env.company, self.warehouse, count
            )
        ]

    def test_numbers_count_up_with_their_check_digit(self):
        self.express.oms_range_ids.active = False
        block = self._create_range(
            self.express, prefix="RR", suffix="CN", check_digit="s10", first="47312482", last="47312490"
        )
        self.assertEqual(block.example, "RR473124829CN")
        self.assertEqual(block.remaining, 9)
        self.assertEqual(self._take(1), ["RR473124829CN"])
        self.assertEqual(block.remaining, 8)

    def test_numbers_may_be_longer_than_an_integer(self):
        self.express.oms_range_ids.active = False
        self._create_range(self.express, digits=15, first="776000000000001", last="776000000000999")
        self.assertEqual(self._take(2), ["776000000000001", "776000000000002"])

    def test_the_next_range_is_used_when_one_is_empty(self):
        self.express.oms_range_ids.active = False
        self._create_range(self.express, prefix="A", digits=1, last="2")
        self._create_range(self.express, prefix="B", digits=1, last="2")
        self.assertEqual(self._take(3), ["A1", "A2", "B1"])

    def test_a_range_of_a_warehouse_goes_first_and_serves_no_other(self):
        self._create_range(self.express, prefix="W", digits=1, last="9", warehouse_id=self.warehouse.id)
        self.assertEqual(self._take(1), ["W1"])
        other = self.env["stock.warehouse"].create({"name": "Other", "code": "OTHW"})
        numbers = self.env["oms.waybill.range"]._take_numbers(self.express, self.env.company, other, 1)
        self.assertEqual(numbers[0][1], "EX0000000001")

    def test_a_number_never_printed_is_used_again(self):
        self.express.oms_range_ids.active = False
        block = self._create_range(self.express, prefix="R", digits=1, last="1")
        parcel = self._create_delivery(carrier_id=self.express.id)._oms_create_parcels()
        parcel._assign_waybills()
        parcel.action_cancel()
        self.assertEqual(parcel.waybill_state, "recycled")
        self.assertEqual(block.remaining, 1)
        again = parcel.picking_id._oms_create_parcels()
        again._assign_waybills()
        self.assertEqual(again.tracking_number, parcel.tracking_number)

    def test_a_printed_number_waits_until_its_label_is_destroyed(self):
        parcel = self._create_delivery(carrier_id=self.express.id)._oms_create_parcels()
        parcel.action_pack()
        parcel.action_label()
        with self.assertRaisesRegex(UserError, "is printed"):
            parcel.action_cancel_waybill()
        parcel.action_cancel()
        self.assertEqual(parcel.waybill_state, "to_recycle")
        self.assertFalse(self.express.oms_range_ids.free_ids)
        parcel.action_recycle_waybill()
        parcel.action_recycle_waybill()
        self.assertEqual(self.express.oms_range_ids.free_ids.mapped("name"), [parcel.tracking_number])

    def test_numbers_of_rolled_back_transactions_come_back(self):
        block = self.express.oms_range_ids
        lost = self._take(2)  # on no parcel: as if the transaction had been rolled back
        parcel = self._create_delivery(carrier_id=self.express.id)._oms_create_parcels()
        parcel._assign_waybills()
        block._reclaim_numbers()
        self.assertFalse(block.free_ids, "today's numbers may be in a transaction that still runs")
        block._reclaim_numbers()
        self.assertEqual(block.free_ids.mapped("name"), lost)
        block._reclaim_numbers()
        self.assertEqual(len(block.free_ids), 2)

    def test_bounds_are_checked(self):
        for values in ({"first": "9", "last": "3"}, {"first": "A", "last": "3"}, {"digits": 2, "last": "100"}):
            with self.assertRaisesRegex(ValidationError, "digits only"):
                self._create_range(self.express, **values)
        with self.assertRaisesRegex(UserError, "final"):
            self.express.oms_range_ids.first = "5"

    def test_an_operator_uses_numbers_but_edits_no_range(self):
        parcel = self._create_delivery(carrier_id=self.express.id).with_user(self.operator)._oms_create_parcels()
        parcel._assign_waybills()
        self.assertEqual(parcel.tracking_number, "EX0000000001")
        with self.assertRaises(Exception) as caught:
            self.express.oms_range_ids.with_user(self.operator).last = "2000"
        self.assertEqual(type(caught.exception).__name__, "AccessError")

    def test_the_same_number_twice_is_impossible(self):
        picking = self._create_delivery([(self.mouse, 2)], carrier_id=self.express.id)
        first = picking._oms_create_parcels()
        first.line_ids.quantity = 1
        second = picking._oms_create_parcels()
        first.tracking_number = "X1"
        with mute_logger("odoo.sql_db"), self.assertRaises(Exception) as caught, self.env.cr.savepoint():
            second.tracking_number = "X1"
            self.env.flush_all()
        self.assertIn("tracking_number_uniq", str(caught.exception))

    def _type_number(self, picking, number="SF123"):
        parcel = picking._oms_create_parcels()
        parcel.tracking_number = number
        self.env.flush_all()
        return parcel

    def _assert_taken(self, picking, number):
        self.env.flush_all()
        with mute_logger("odoo.sql_db"), self.assertRaises(UniqueViolation), self.env.cr.savepoint():
            self._type_number(picking, number)

    def test_a_typed_number_is_free_again_when_its_parcel_is_cancelled(self):
        picking = self._create_delivery(carrier_id=self.express.id)
        waiting = self._type_number(picking)
        waiting.action_cancel()
        assigned = self._type_number(picking)
        assigned._assign_waybills()
        assigned.action_cancel()
        unneeded = self._type_number(picking)
        unneeded.waybill_state = "none"
        unneeded.action_cancel()
        parcel = self._type_number(picking)
        self._ship(picking)
        self.assertEqual((waiting | assigned | unneeded).mapped("waybill_state"), ["recycled"] * 3)
        self.assertFalse(self.express.oms_range_ids.free_ids, "it is of no range")
        self.assertRecordValues(parcel, [{"tracking_number": "SF123", "waybill_state": "assigned", "state": "shipped"}])

    def test_what_a_carrier_tells_of_a_typed_number_is_about_the_parcel_that_has_it(self):
        picking = self._create_delivery(carrier_id=self.express.id)
        self._type_number(picking).action_cancel()
        parcel = self._type_number(picking)
        event = TrackingEvent("SF123", "picked_up", fields.Datetime.now())
        events = self.env["oms.parcel.event"]._insert_events(self.express, [event], "webhook")
        self.assertEqual(events.parcel_id, parcel)

    def test_a_typed_number_on_paper_waits_until_its_label_is_destroyed(self):
        picking = self._create_delivery(carrier_id=self.express.id)
        parcel = self._type_number(picking)
        parcel.action_label()
        parcel.action_cancel()
        self.assertEqual(parcel.waybill_state, "to_recycle")
        self._assert_taken(picking, "SF123")
        parcel.action_recycle_waybill()
        self.assertEqual(self._type_number(picking).tracking_number, "SF123")

    def test_a_number_that_has_left_stays_taken(self):
        pickings = [self._create_delivery([(self.mouse, 1)], carrier_id=self.express.id) for _time in range(3)]
        self._type_number(pickings[0])
        for picking in pickings[:2]:
            self._ship(picking)
            picking.cancel_shipment()
            self.assertEqual(picking.oms_parcel_ids.waybill_state, "void")
            self._assert_taken(pickings[2], picking.oms_parcel_ids.tracking_number)


@tagged("post_install", "-at_install")
class TestWaybillConcurrency(BaseCase):
    """Real cursors and committed data, which each test takes away again."""

    def setUp(self):
        super().setUp()
        self.registry = Registry(get_db_name())
        with self.registry.cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            product = env["product.product"].create({"name": "Race", "type": "service"})
            carrier = env["delivery.carrier"].create(
                {"name": "Race", "delivery_type": "oms_waybill", "product_id": product.id}
            )
            block = env["oms.waybill.range"].create(
                {"carrier_id": carrier.id, "first": "1", "last": "100", "digits": 3, "company_id": env.company.id}
            )
            self.ids = product.id, carrier.id, block.id
        self.addCleanup(self._clean)

    def _clean(self):
        product_id, carrier_id, block_id = self.ids
        with self.registry.cursor() as cr:
            env = api.Environment(cr, api.SUPERUSER_ID, {})
            env["oms.waybill.range"].browse(block_id).unlink()
            env["delivery.carrier"].browse(carrier_id).unlink()
            env["product.product"].browse(product_id).unlink()

    def _take(self, cr, count):
        cr.execute("SET LOCAL lock_timeout = '2s'")  # a wait is a failure, not a hanging test
        env = api.Environment(cr, api.SUPERUSER_ID, {})
        carrier = env["delivery.carrier"].browse(self.ids[1])
        taken = env["oms.waybill.range"]._take_numbers(carrier, env.company, env["stock.warehouse"], count)
        env.flush_all()
        return [number for _block, number in taken]

    def test_open_transactions_never_get_the_same_number_and_never_wait(self):
        with self.registry.cursor() as one, self.registry.cursor() as two:
            numbers = [self._take(cursor, 3) for cursor in (one, two, one, two)]
            one.rollback()
            two.commit()
            numbers.append(self._take(one, 3))
        flat = [number for batch in numbers for number in batch]
        self.assertEqual(len(set(flat)), 15)

    def test_recycled_numbers_are_handed_out_once(self):
        with self.registry.cursor() as cr:
            block = api.Environment(cr, api.SUPERUSER_ID, {})["oms.waybill.range"].browse(self.ids[2])
            numbers = [(block, number) for number in self._take(cr, 100)]
            block._give_back_numbers(numbers[:2])
        with self.registry.cursor() as one, self.registry.cursor() as two:
            first, second = self._take(one, 1), self._take(two, 1)
            self.assertEqual(sorted(first + second), ["001", "002"])
            one.rollback()
            two.rollback()
