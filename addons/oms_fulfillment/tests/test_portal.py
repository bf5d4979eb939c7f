from datetime import datetime

from odoo.tests import HttpCase, tagged

from ..routing.tracking import TrackingEvent
from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestPortal(HttpCase, FulfillmentCommon):
    def setUp(self):
        super().setUp()
        picking = self._create_delivery(carrier_id=self.express.id)
        self.parcel = self._ship(picking)
        event = TrackingEvent(
            self.parcel.tracking_number, "picked_up", self.parcel.shipped_date, "Hangzhou Hub", "Collected"
        )
        self.env["oms.parcel.event"]._insert_events(self.express, [event], "webhook").parcel_id._apply_tracking()
        self.env.flush_all()

    def test_the_order_page_shows_the_parcel_and_its_way(self):
        page = self.url_open(self.parcel.sale_id.get_portal_url()).text
        for words in (self.parcel.tracking_number, "Hangzhou Hub", "Collected", "https://carrier.test/EX"):
            self.assertIn(words, page)

    def test_the_tracking_link_shows_one_parcel_and_no_amounts(self):
        response = self.url_open(self.parcel.get_portal_url())
        self.assertEqual(response.status_code, 200)
        self.assertIn("Hangzhou Hub", response.text)
        self.assertNotIn("90.00", response.text)

    def test_quantities_are_written_out(self):
        self.parcel.line_ids[0].quantity = 1234567
        self.assertIn("x 1,234,567", self.url_open(self.parcel.get_portal_url()).text)

    def test_what_is_inside_the_warehouse_stays_there(self):
        picking = self._create_delivery(carrier_id=self.express.id)
        picking.action_oms_pack()
        parcel = picking.oms_parcel_ids
        page = self.url_open(parcel.get_portal_url()).text
        self.assertIn("Being Prepared", page)
        self.assertNotIn("To Label", page)

    def test_who_noted_the_delivery_is_not_told(self):
        self.parcel.action_deliver()
        page = self.url_open(self.parcel.get_portal_url()).text
        self.assertIn("Delivered", page)
        self.assertNotIn("Noted by", page)

    def test_times_are_those_of_the_receiver(self):
        self.parcel.partner_id.tz = "Asia/Shanghai"
        moment = datetime(2026, 1, 1, 20, 30)
        self.parcel.event_ids.sudo().date = moment
        local = self.env["ir.qweb.field.datetime"].with_context(tz="Asia/Shanghai").value_to_html(moment, {})
        self.assertIn("4:30", local)
        for url in (self.parcel.get_portal_url(), self.parcel.sale_id.get_portal_url()):
            self.assertIn(local, self.url_open(url).text)

    def test_without_the_token_nothing_is_shown(self):
        for url in (f"/my/parcel/{self.parcel.id}", f"/my/parcel/{self.parcel.id}?access_token=wrong"):
            self.assertNotIn("Hangzhou Hub", self.url_open(url).text)

    def test_an_order_without_parcels_has_no_empty_box(self):
        order = self._create_order()
        self.assertNotIn("oms_parcels", self.url_open(order.get_portal_url()).text)
