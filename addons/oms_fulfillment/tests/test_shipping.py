from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import tagged

from ..routing.tariff import Shipment
from ..routing.tracking import TrackingEvent
from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestShipping(FulfillmentCommon):
    def test_the_backend_button_ships_with_parcel_carrier_and_waybill(self):
        picking = self._create_delivery().with_user(self.operator)
        self.assertIs(picking.button_validate(), True)
        parcel = picking.oms_parcel_ids
        self.assertRecordValues(
            parcel,
            [
                {
                    "state": "shipped",
                    "carrier_id": self.economy.id,
                    "tracking_number": "EC0000000001",
                    "waybill_state": "assigned",
                    "price": 12.0,  # 1.4 kg: first and one continued kilogram
                }
            ],
        )
        self.assertEqual(picking.carrier_tracking_ref, "EC0000000001")
        self.assertEqual(picking.carrier_price, 12.0)
        self.assertEqual(picking.carrier_tracking_url, "https://carrier.test/EC0000000001")
        self.assertIn("handed_over", picking.sale_id.oms_event_ids.mapped("code"))

    def test_odoo_sends_nothing_a_second_time(self):
        """`stock_delivery` would call `send_to_shipper` in `_action_done`: the reference is there before."""
        calls = []
        self.patch(type(self.env["stock.picking"]), "send_to_shipper", lambda picking: calls.append(picking))
        self._ship(self._create_delivery())
        self.assertFalse(calls)

    def test_the_carrier_of_the_order_is_kept(self):
        picking = self._create_delivery(carrier_id=self.express.id)
        self._ship(picking)
        self.assertEqual(picking.oms_parcel_ids.carrier_id, self.express)
        self.assertFalse(picking.sale_id.oms_decision_ids.filtered(lambda decision: decision.kind == "carrier"))

    def test_the_choice_of_a_carrier_is_explained(self):
        picking = self._create_delivery()
        self._ship(picking)
        decision = picking.sale_id.oms_decision_ids.filtered(lambda decision: decision.kind == "carrier")
        self.assertEqual(
            [(row["carrier"], row["price"]) for row in decision.data["candidates"]],
            [("Economy", 12.0), ("Express", 17.0)],
        )
        self.assertIn("Economy", decision.summary)

    def test_no_carrier_for_the_address_is_refused(self):
        picking = self._create_delivery(
            partner_id=self._create_buyer(
                "Smith", country_id=self.env.ref("base.us").id, state_id=self.env.ref("base.state_us_5").id
            ).id
        )
        with self.assertRaisesRegex(UserError, "No carrier serves the address"):
            self._ship(picking)

    def test_a_company_without_tariffs_ships_as_before(self):
        self.env["oms.carrier.tariff"].search([]).unlink()
        parcel = self._ship(self._create_delivery())
        self.assertRecordValues(parcel, [{"state": "shipped", "waybill_state": "none", "carrier_id": False}])

    def test_no_numbers_left_is_refused(self):
        carrier = self._create_carrier("Tiny", "TY", numbers=1, first_price=1.0)
        self._ship(self._create_delivery([(self.mouse, 1)]))
        picking = self._create_delivery([(self.mouse, 1)])
        with self.assertRaisesRegex(UserError, "no waybill numbers left"):
            self._ship(picking)
        self._create_range(carrier, prefix="TZ", last="5")
        self.assertEqual(self._ship(picking).tracking_number, "TZ0000000001")

    def test_an_order_without_channel_is_plain_odoo(self):
        picking = self._create_delivery(channel_id=False)
        self._ship(picking)
        self.assertEqual(picking.state, "done")
        self.assertFalse(picking.oms_parcel_ids)
        self.assertFalse(picking.carrier_tracking_ref)

    def test_an_order_without_channel_may_use_the_carrier(self):
        """The provider contract: Odoo asks the carrier to send, and gets a number."""
        picking = self._create_delivery(channel_id=False, carrier_id=self.express.id)
        self._ship(picking)
        self.assertEqual(picking.carrier_tracking_ref, "EX0000000001")
        self.assertEqual(picking.carrier_price, 17.0)
        self.assertEqual(picking.oms_parcel_ids.state, "shipped")
        self.assertFalse(picking.sale_id.oms_event_ids)

    def test_the_price_before_the_order_is_confirmed(self):
        order = self._create_order(channel_id=False)
        rate = self.express.rate_shipment(order)
        self.assertEqual((rate["success"], rate["price"]), (True, 17.0))
        order.partner_shipping_id = self._create_buyer(
            "Smith", country_id=self.env.ref("base.us").id, state_id=self.env.ref("base.state_us_5").id
        )
        rate = self.express.rate_shipment(order)
        self.assertFalse(rate["success"])
        self.assertIn("no tariff", rate["error_message"])

    def test_a_held_order_does_not_leave(self):
        picking = self._create_delivery()
        hold_type = self.env["oms.hold.type"].create({"name": "Late", "code": "test_late", "gate": "ship"})
        picking.sale_id._oms_place_hold(hold_type, "The buyer wants to think about it.")
        with self.assertRaisesRegex(UserError, "on hold"):
            self._ship(picking)

    def test_a_wrong_weight_does_not_leave(self):
        picking = self._create_delivery()
        picking._oms_create_parcels()._set_weight(9.0)
        with self.assertRaisesRegex(UserError, "weighs 9.000 kg"):
            self._ship(picking)

    def test_a_label_of_another_carrier_does_not_leave(self):
        picking = self._create_delivery(carrier_id=self.express.id)
        picking._oms_create_parcels()._assign_waybills()
        picking.carrier_id = self.economy
        with self.assertRaisesRegex(UserError, "has a waybill of Express"):
            self._ship(picking)
        picking.oms_parcel_ids.action_cancel_waybill()
        self.assertEqual(self._ship(picking).tracking_number, "EC0000000001")

    def test_what_is_in_no_parcel_does_not_leave_with_several(self):
        picking = self._create_delivery([(self.mouse, 3)])
        first = picking._oms_create_parcels()
        first.line_ids.quantity = 1
        picking._oms_create_parcels().line_ids.quantity = 1
        with self.assertRaisesRegex(UserError, "1 of .*Mouse are in no parcel"):
            self._ship(picking)

    def test_a_single_parcel_takes_what_really_goes_out(self):
        picking = self._create_delivery([(self.mouse, 3)])
        parcel = picking._oms_create_parcels()
        picking.move_ids.quantity = 2
        self._ship(picking)
        self.assertEqual(parcel.line_ids.mapped("quantity"), [2])
        backorder = picking.backorder_ids
        self.assertEqual(self._ship(backorder).line_ids.mapped("quantity"), [1])
        self.assertNotEqual(parcel.tracking_number, backorder.oms_parcel_ids.tracking_number)

    def test_a_typed_number_is_taken_over(self):
        fixed = self.env["delivery.carrier"].create(
            {"name": "Own Van", "delivery_type": "fixed", "product_id": self.express.product_id.copy().id}
        )
        picking = self._create_delivery(carrier_id=fixed.id)
        picking.carrier_tracking_ref = "VAN-7"
        parcel = self._ship(picking)
        self.assertRecordValues(parcel, [{"tracking_number": "VAN-7", "waybill_state": "assigned", "state": "shipped"}])
        self.assertEqual(picking.carrier_tracking_ref, "VAN-7")

    def test_a_number_typed_on_the_parcel_is_its_waybill(self):
        picking = self._create_delivery(carrier_id=self.express.id)
        parcel = picking._oms_create_parcels()
        event = TrackingEvent("EX-TYPED", "picked_up", fields.Datetime.now())
        self.env["oms.parcel.event"]._insert_events(self.express, [event], "webhook")
        parcel.tracking_number = "EX-TYPED"
        self._ship(picking)
        self.assertRecordValues(
            parcel, [{"tracking_number": "EX-TYPED", "waybill_state": "assigned", "price": 17.0, "state": "in_transit"}]
        )
        self.assertEqual(picking.carrier_price, 17.0)

    def test_a_shared_carrier_asks_in_the_main_currency(self):
        euro = self.env.ref("base.EUR")
        euro.active = True
        main = self.env["res.company"]._get_main_company()
        company = self.env["res.company"].create({"name": "Europe", "currency_id": euro.id})
        self.env["res.currency.rate"].create(
            [
                {"currency_id": currency.id, "company_id": company.id, "rate": rate, "name": "2020-01-01"}
                for currency, rate in ((euro, 1.0), (main.currency_id, 2.0))
                if currency != main.currency_id or main.currency_id != euro
            ]
        )
        self.express.company_id = False
        shipment = Shipment(self.country.id, self.province.id, self.warehouse.id, 1.0)
        [own] = self.express._oms_quote([shipment], main)[self.express]
        [foreign] = self.express._oms_quote([shipment], company)[self.express]
        self.assertEqual((own.price, foreign.price), (12.0, 6.0))

    def test_freight_counts_pieces_and_kilograms(self):
        dozen = self.env.ref("uom.product_uom_dozen")
        self.mouse.volume = 0.01
        self.express.oms_volume_divisor = 6000
        order = self._create_order([(self.mouse, 1)], carrier_id=self.express.id)
        order.order_line.product_uom_id = dozen
        shipment = order._oms_prepare_shipment()
        self.assertAlmostEqual(shipment.weight, 2.4)
        self.assertAlmostEqual(shipment.volume, 0.12)
        self.patch(type(self.env["oms.parcel"]), "_get_kilogram_factor", lambda parcel: 0.5)
        self.assertAlmostEqual(order._oms_prepare_shipment().weight, 1.2)

    def test_cancelling_at_the_carrier_voids_the_number(self):
        picking = self._create_delivery()
        parcel = self._ship(picking)
        picking.cancel_shipment()
        self.assertRecordValues(parcel, [{"state": "cancelled", "waybill_state": "void"}])
        self.assertFalse(picking.carrier_tracking_ref)
        picking.send_to_shipper()
        self.assertEqual(picking.carrier_tracking_ref, "EC0000000002")
        self.assertEqual((picking.oms_parcel_ids - parcel).state, "shipped")

    def test_real_cost_is_put_on_the_order_once(self):
        self.economy.invoice_policy = "real"
        picking = self._create_delivery(carrier_id=self.economy.id)
        self._ship(picking)
        delivery_line = picking.sale_id.order_line.filtered("is_delivery")
        self.assertEqual(delivery_line.mapped("price_unit"), [12.0])

    def _create_foreign_pricelist(self):
        """Return a price list in a currency of which two are one of ours, with a carrier whose price is not fixed."""
        own = self.env.company.currency_id
        foreign = self.env["res.currency"].with_context(active_test=False).search([("id", "!=", own.id)], limit=1)
        foreign.active = True
        self.env["res.currency.rate"].create(
            [
                {"currency_id": currency.id, "company_id": self.env.company.id, "rate": rate, "name": "2000-01-01"}
                for currency, rate in ((own, 1.0), (foreign, 2.0))
            ]
        )
        self.economy.write({"invoice_policy": "real", "fixed_margin": 1.0, "margin": 0.5})
        self.economy.oms_tariff_ids.first_price = 7.0
        return self.env["product.pricelist"].create({"name": "Foreign", "currency_id": foreign.id})

    def _create_boxes(self, pricelist, **values):
        """Return a delivery in two boxes of 7 each."""
        values |= {"pricelist_id": pricelist.id, "carrier_id": self.economy.id}
        picking = self._create_delivery([(self.mouse, 2)], **values)
        picking._oms_create_parcels().line_ids.quantity = 1
        picking._oms_create_parcels()
        return picking

    def test_real_cost_is_in_the_currency_of_the_order(self):
        pricelist = self._create_foreign_pricelist()
        for channel in (self.channel, self.channel.browse()):
            picking = self._create_boxes(pricelist, channel_id=channel.id)
            self._ship(picking)
            self.assertEqual(picking.oms_parcel_ids.mapped("price"), [7.0, 7.0], "in ours")
            wanted = (14.0 * 1.5 + 1.0) * 2
            self.assertAlmostEqual(picking.carrier_price, wanted)
            self.assertEqual(picking.sale_id.order_line.filtered("is_delivery").mapped("price_unit"), [wanted])

    def test_what_odoo_sends_is_priced_in_the_currency_of_the_order(self):
        picking = self._create_boxes(self._create_foreign_pricelist())
        [sent] = self.economy.oms_waybill_send_shipping(picking)
        self.assertAlmostEqual(sent["exact_price"], 28.0)

    def test_queries_do_not_grow_with_the_batch(self):
        def ship(count):
            orders = self.env["sale.order"].create(
                [self._prepare_order_values([(self.mouse, 1)]) for _i in range(count)]
            )
            orders.action_confirm()
            pickings = orders.picking_ids
            pickings.action_assign()
            pickings.move_ids.picked = True
            self.env.flush_all()
            before = self.cr.sql_log_count
            pickings._oms_prepare_shipping()
            self.env.flush_all()
            return self.cr.sql_log_count - before

        self._set_stock(self.mouse, 100)
        ship(2)  # warm
        few, many = ship(3), ship(15)
        self.assertLess(many, few + 12, f"three deliveries took {few} queries, fifteen {many}")
