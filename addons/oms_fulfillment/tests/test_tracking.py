import itertools
import json
from datetime import datetime, timedelta

from odoo import fields
from odoo.exceptions import UserError
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ..errors import CarrierError
from ..routing.tracking import TrackingEvent, sign
from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestTracking(FulfillmentCommon):
    def setUp(self):
        super().setUp()
        self.picking = self._create_delivery(carrier_id=self.express.id)
        self.parcel = self._ship(self.picking)
        self.start = datetime(2026, 11, 22, 8)
        self.notified = []
        self.patch(
            type(self.env["oms.channel"]),
            "_notify",
            lambda _self, topic, records: self.notified.append((topic, records)),
        )

    def _event(self, code, hours, text=""):
        return TrackingEvent(self.parcel.tracking_number, code, self.start + timedelta(hours=hours), "Hangzhou", text)

    def _tell(self, *events):
        self.env["oms.parcel.event"]._insert_events(self.express, events, "webhook").parcel_id._apply_tracking()

    def test_events_bring_the_parcel_to_the_door(self):
        self._tell(self._event("picked_up", 1, "Collected"))
        self.assertEqual((self.parcel.state, self.parcel.last_event_text), ("in_transit", "Collected Hangzhou"))
        self._tell(self._event("out_for_delivery", 20), self._event("delivered", 24))
        self.assertRecordValues(
            self.parcel, [{"state": "delivered", "delivered_date": self.start + timedelta(hours=24)}]
        )
        order = self.picking.sale_id
        self.assertEqual(order.oms_stage, "delivered")
        event = order.oms_event_ids.filtered(lambda event: event.code == "delivered")
        self.assertEqual(event.date, self.start + timedelta(hours=24))
        self.assertEqual(self.notified, [("delivered", self.picking)])

    def test_any_order_of_telling_leads_to_the_same(self):
        story = [self._event("picked_up", 1), self._event("delivery_failed", 20), self._event("delivered", 30)]
        for telling in itertools.permutations(story):
            with self.subTest([event.code for event in telling]), self.env.cr.savepoint() as savepoint:
                for event in telling:
                    self._tell(event)
                self.assertEqual(self.parcel.state, "delivered")
                self.assertEqual(self.parcel.delivered_date, self.start + timedelta(hours=30))
                savepoint.rollback()
                self.env.invalidate_all()

    def test_the_same_told_twice_happens_once(self):
        for _time in range(2):
            self._tell(self._event("delivered", 24), self._event("delivered", 24))
        self.assertEqual(len(self.parcel.event_ids), 1)
        self.assertEqual(len(self.notified), 1)
        self.assertEqual(self.picking.sale_id.oms_event_ids.mapped("code").count("delivered"), 1)

    def test_a_delivery_taken_back_is_a_problem_again(self):
        self._tell(self._event("delivered", 24))
        self._tell(self._event("delivery_failed", 25))
        self.assertRecordValues(self.parcel, [{"state": "exception", "delivered_date": False}])
        self.assertEqual(self.picking.sale_id.oms_stage, "shipped")

    def test_events_before_the_handover_count_after_it(self):
        picking = self._create_delivery(carrier_id=self.express.id)
        parcel = picking._oms_create_parcels()
        parcel.action_pack()
        parcel.action_label()
        event = TrackingEvent(parcel.tracking_number, "picked_up", self.start)
        self.env["oms.parcel.event"]._insert_events(self.express, [event], "webhook").parcel_id._apply_tracking()
        self.assertEqual(parcel.state, "labelled")
        self._ship(picking)
        self.assertEqual(parcel.state, "in_transit")

    def test_events_of_an_unknown_number_wait_for_it(self):
        event = TrackingEvent("EX0000000002", "picked_up", self.start)
        stored = self.env["oms.parcel.event"]._insert_events(self.express, [event], "webhook")
        self.assertFalse(stored.parcel_id)
        parcel = self._ship(self._create_delivery(carrier_id=self.express.id))
        self.assertEqual((parcel.tracking_number, parcel.state), ("EX0000000002", "in_transit"))

    def test_delivered_by_hand(self):
        self.parcel.with_user(self.operator).action_deliver()
        self.parcel.with_user(self.operator).action_deliver()
        self.assertEqual(self.parcel.state, "delivered")
        self.assertRecordValues(self.parcel.event_ids, [{"code": "delivered", "source": "manual"}])
        self.assertIn(self.operator.name, self.parcel.event_ids.text)

    def test_a_parcel_without_carrier_is_delivered_by_hand_too(self):
        self.env["oms.carrier.tariff"].search([]).unlink()
        parcel = self._ship(self._create_delivery())
        parcel.action_deliver()
        self.assertEqual((parcel.state, parcel.event_ids.tracking_number), ("delivered", parcel.name))

    def test_what_was_told_is_not_rewritten(self):
        self._tell(self._event("picked_up", 1))
        event = self.parcel.event_ids.with_user(self.manager)
        with self.assertRaises(UserError):
            event.text = "Better"
        with self.assertRaises(UserError):
            event.unlink()

    def test_silence_raises_the_alarm_and_news_take_it_back(self):
        self.parcel.shipped_date = fields.Datetime.now() - timedelta(hours=25)
        self._run_cron("oms_fulfillment.ir_cron_flag_late_parcels")
        self.assertEqual(self.parcel.alarm, "not_picked_up")
        self.assertEqual(self.channel.health, "warning")
        self.parcel.shipped_date -= timedelta(hours=30)
        self._run_cron("oms_fulfillment.ir_cron_flag_late_parcels")
        self.assertEqual(self.parcel.alarm, "no_movement")
        self._tell(self._event("picked_up", 1))
        self.assertFalse(self.parcel.alarm)

    def test_the_cron_applies_what_was_stored(self):
        stored = self.env["oms.parcel.event"]._insert_events(self.express, [self._event("picked_up", 1)], "webhook")
        self._run_cron("oms_fulfillment.ir_cron_apply_tracking")
        self.assertEqual(self.parcel.state, "in_transit")
        self.assertTrue(stored.is_applied)

    def test_the_cron_comes_back_to_busy_parcels(self):
        self.env["oms.parcel.event"]._insert_events(self.express, [self._event("picked_up", 1)], "webhook")
        self.patch(type(self.parcel), "try_lock_for_update", lambda parcels, **options: parcels.browse())
        triggers = [("cron_id", "=", self.env.ref("oms_fulfillment.ir_cron_apply_tracking").id)]
        self.env["ir.cron.trigger"].search(triggers).unlink()
        self._run_cron("oms_fulfillment.ir_cron_apply_tracking")
        self.assertEqual(self.parcel.state, "shipped")
        self.assertEqual(self.env["ir.cron.trigger"].search_count(triggers), 1)

    def test_a_parcel_that_comes_back_is_somebodys_to_do(self):
        self.channel.user_id = self.user
        self._tell(self._event("picked_up", 1), self._event("return_to_sender", 30))
        [activity] = self.picking.sale_id.activity_ids
        self.assertEqual((activity.user_id, self.parcel.name in activity.summary), (self.user, True))
        overview = self.env["oms.overview"].with_user(self.operator)
        domain = overview._get_came_back_domain()
        Parcel = self.env["oms.parcel"].with_user(self.operator)
        self.assertEqual(Parcel.search(domain) & self.parcel, self.parcel.with_user(self.operator))
        self.assertEqual(self.picking._oms_get_arrival_dates(), {self.picking: self.start + timedelta(hours=30)})

    def test_goods_arrive_with_their_last_parcel(self):
        self.assertEqual(self.picking._oms_get_arrival_dates(), {}, "nothing was told yet")
        self._tell(self._event("picked_up", 1))
        self.assertEqual(self.picking._oms_get_arrival_dates(), {self.picking: self.start + timedelta(hours=1)})
        self._tell(self._event("delivered", 24), self._event("in_transit", 48))
        self.assertEqual(self.picking._oms_get_arrival_dates(), {self.picking: self.start + timedelta(hours=24)})

    def _make_askable(self, answer):
        """Let the carrier's type be asked; ``answer`` gets the parcels."""
        self.patch(type(self.env["delivery.carrier"]), "oms_waybill_oms_track", answer, create=True)
        self.parcel.write({"poll_date": fields.Datetime.now() - timedelta(minutes=1), "poll_hours": 1})

    def patch(self, obj, key, val, create=False):
        if not create:
            return super().patch(obj, key, val)
        setattr(obj, key, val)
        self.addCleanup(delattr, obj, key)

    def test_carriers_are_asked_less_often_while_nothing_is_new(self):
        answers = [[], [], [self._event("picked_up", 1)], []]
        self._make_askable(lambda carrier, parcels: answers.pop(0))
        hours = []
        for _time in range(4):
            self._run_cron("oms_fulfillment.ir_cron_poll_tracking")
            hours.append(self.parcel.poll_hours)
            self.parcel.poll_date = fields.Datetime.now() - timedelta(minutes=1)
        self.assertEqual(hours, [2, 4, 1, 2])
        self.assertEqual(self.parcel.state, "in_transit")

    def test_a_carrier_that_fails_is_asked_later(self):
        def fail(carrier, parcels):
            raise CarrierError("timeout")

        self._make_askable(fail)
        with mute_logger("odoo.addons.oms_fulfillment.models.oms_parcel_tracking"):
            self._run_cron("oms_fulfillment.ir_cron_poll_tracking")
        self.assertEqual(self.parcel.poll_hours, 2)
        self.assertGreater(self.parcel.poll_date, fields.Datetime.now())

    def test_a_broken_connection_stops_nobody_else(self):
        self._make_askable(lambda carrier, parcels: {}["number"])
        with self.assertLogs("odoo.addons.oms_fulfillment.models.oms_parcel_tracking", "ERROR"):
            self._run_cron("oms_fulfillment.ir_cron_poll_tracking")
        self.assertEqual(self.parcel.poll_hours, 2)

    def test_arrived_parcels_are_not_asked_for(self):
        self._make_askable(lambda carrier, parcels: [self._event("delivered", 1)])
        self._run_cron("oms_fulfillment.ir_cron_poll_tracking")
        self.assertFalse(self.parcel.poll_date)

    def test_queries_do_not_grow_with_the_events(self):
        def tell(count):
            pickings = self.env["stock.picking"].union(
                *(self._create_delivery([(self.mouse, 1)], carrier_id=self.express.id) for _i in range(count))
            )
            parcels = self._ship(pickings)
            events = [
                TrackingEvent(parcel.tracking_number, "picked_up", self.start + timedelta(minutes=n))
                for n, parcel in enumerate(parcels)
            ]
            self.env.flush_all()
            before = self.cr.sql_log_count
            self.env["oms.parcel.event"]._insert_events(self.express, events, "webhook").parcel_id._apply_tracking()
            self.env.flush_all()
            return self.cr.sql_log_count - before

        self._set_stock(self.mouse, 100)
        tell(2)  # warm
        few, many = tell(3), tell(12)
        self.assertLess(many, few + 6, f"three events took {few} queries, twelve {many}")


@tagged("post_install", "-at_install")
class TestTrackingWebhook(HttpCase, FulfillmentCommon):
    def setUp(self):
        super().setUp()
        self.express.oms_tracking_secret = "s3cret"
        self.parcel = self._ship(self._create_delivery(carrier_id=self.express.id))

    def _post(self, body, secret="s3cret", code="test_ex"):
        return self.url_open(
            f"/oms/tracking/{code}",
            data=body,
            headers={"Content-Type": "application/json", "X-OMS-Signature": sign(secret, body)},
        )

    def _body(self, number=None, code="picked_up"):
        event = {
            "tracking_number": number or self.parcel.tracking_number,
            "code": code,
            "time": "2026-11-22T12:00:00+08:00",
        }
        return json.dumps({"events": [event]}).encode()

    def test_signed_events_are_stored_once_and_applied_later(self):
        self.assertEqual(self._post(self._body()).json(), {"stored": 1, "known": 0, "unmatched": 0})
        self.assertEqual(self._post(self._body()).json(), {"stored": 0, "known": 1, "unmatched": 0})
        self.assertEqual(self.parcel.state, "shipped", "nothing is worked in the web request")
        self._run_cron("oms_fulfillment.ir_cron_apply_tracking")
        self.assertEqual(self.parcel.state, "in_transit")

    def test_unknown_numbers_are_kept_and_told(self):
        self.assertEqual(self._post(self._body("NOBODY")).json(), {"stored": 1, "known": 0, "unmatched": 1})

    @mute_logger("odoo.addons.oms_fulfillment.controllers.tracking")
    def test_who_does_not_sign_is_refused(self):
        for secret, code in (("wrong", "test_ex"), ("s3cret", "nobody"), ("s3cret", "test_ec")):
            self.assertEqual(self._post(self._body(), secret, code).status_code, 401)
        self.assertFalse(self.parcel.event_ids)

    @mute_logger("odoo.addons.oms_fulfillment.controllers.tracking")
    def test_what_cannot_be_read_is_refused_and_named(self):
        response = self._post(b'{"events": [{}]}')
        self.assertEqual(response.status_code, 400)
        self.assertIn("lacks tracking_number", response.json()["error"])

    def test_the_secret_is_for_administrators(self):
        with self.assertRaisesRegex(Exception, "oms_tracking_secret|access"):
            self.express.with_user(self.manager).read(["oms_tracking_secret"])
