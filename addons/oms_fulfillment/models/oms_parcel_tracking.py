import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..const import MOVING_PARCEL_STATES, TRACKING_STATES
from ..errors import CarrierError
from ..routing.tracking import TrackingEvent, fold_state

_logger = logging.getLogger(__name__)

# What an order's timeline says when a parcel reaches a state.
STATE_EVENTS = {
    "packed": "packed",
    "shipped": "handed_over",
    "in_transit": "in_transit",
    "out_for_delivery": "out_for_delivery",
    "delivered": "delivered",
    "exception": "delivery_exception",
    "returned": "parcel_returned",
    "cancelled": "parcel_cancelled",
}
NOT_PICKED_UP_HOURS = 24
NO_MOVEMENT_HOURS = 48
# How long after the last answer a carrier is asked again: doubles while nothing is new, starts over when something is.
POLL_HOURS = 1
POLL_HOURS_MAX = 24
POLL_DAYS = 30


class OmsParcel(models.Model):
    """A parcel on its way: what the carrier told, what follows from it, and what should have been told by now."""

    _inherit = "oms.parcel"

    event_ids = fields.One2many("oms.parcel.event", "parcel_id", string="Tracking", readonly=True)
    last_event_date = fields.Datetime(string="Last Movement", readonly=True, copy=False)
    last_event_text = fields.Char(string="Last Message", readonly=True, copy=False)
    alarm = fields.Selection(
        [("not_picked_up", "Not Picked Up"), ("no_movement", "No Movement")],
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="Nothing heard for 24 hours after it was handed over, or for 48 hours on the way.",
    )
    poll_date = fields.Datetime(string="Ask Carrier At", readonly=True, copy=False, index="btree_not_null")
    poll_hours = fields.Integer(readonly=True, copy=False)

    # === ACTION METHODS === #

    def action_deliver(self):
        """Note by hand that parcels arrived: the warehouse, or customer service whom a buyer told."""
        self.check_access("read" if self.env.user.has_group("oms_base.oms_base_group_user") else "write")
        # sudo: oms.parcel - customer service writes nothing else of a parcel
        parcels = self.sudo().filtered(lambda parcel: parcel.state in MOVING_PARCEL_STATES)
        now = self.env.cr.now().replace(microsecond=0)
        Event = self.env["oms.parcel.event"]
        for carrier, group in parcels.grouped("carrier_id").items():
            rows = [(parcel._prepare_manual_event("delivered", now), parcel) for parcel in group]
            Event._query_insert(carrier, rows, "manual")
        parcels._apply_tracking()
        return True

    def action_track(self):
        """Ask the carriers at the next run of the scheduled action."""
        parcels = self.filtered(
            lambda parcel: parcel.state in MOVING_PARCEL_STATES and parcel.carrier_id._oms_can_track()
        )
        parcels.write({"poll_date": fields.Datetime.now(), "poll_hours": POLL_HOURS})
        self.env.ref("oms_fulfillment.ir_cron_poll_tracking")._trigger()
        return True

    # === BUSINESS METHODS === #

    def _start_tracking(self):
        """Handed over: the buyer is told, the carrier is asked from now on, what it told already counts."""
        if not self:
            return
        askable = self.filtered(lambda parcel: parcel.tracking_number and parcel.carrier_id._oms_can_track())
        askable.write({"poll_date": fields.Datetime.now(), "poll_hours": POLL_HOURS})
        self._queue_buyer_message("shipped")
        self._apply_tracking()

    def _prepare_manual_event(self, code, date):
        self.ensure_one()
        text = self.env._("Noted by %(user)s", user=self.env.user.name)
        return TrackingEvent(self.tracking_number or self.name, code, date, "", text)

    def _apply_tracking(self):
        """Bring parcels to the state that all their events, in the order of their time, lead to.

        The result does not depend on the order in which the events came in, nor on how often.
        """
        events = self.event_ids.sorted(lambda event: (event.date, event.id))
        by_parcel = events.grouped("parcel_id")
        reached = {}
        for parcel in self.filtered(lambda p: p in by_parcel):
            history = by_parcel[parcel]
            parcel.write(parcel._prepare_last_event_values(history[-1]))
            if parcel.state in (*MOVING_PARCEL_STATES, "delivered", "returned"):
                state = fold_state("shipped", history.mapped("code"), self._TRANSITIONS, TRACKING_STATES)
                if state != parcel.state:
                    reached[state] = reached.get(state, self.browse()) | parcel
        events.filtered(lambda event: not event.is_applied).sudo().is_applied = True  # sudo: machine mark, see write()
        for state, parcels in reached.items():
            parcels._reach_state(state, by_parcel)

    def _prepare_last_event_values(self, event):
        words = event.text or dict(event._fields["code"]._description_selection(self.env))[event.code]
        return {
            "last_event_date": event.date,
            "last_event_text": " ".join(filter(None, (words, event.place))),
            "alarm": False,
        }

    def _reach_state(self, state, events_by_parcel):
        """Write a state that tracking led to, and tell who wants to know.

        :param dict events_by_parcel: {parcel: its events in the order of time}
        """
        dates = {}
        for parcel in self:
            meant = events_by_parcel[parcel].filtered(lambda event: TRACKING_STATES.get(event.code) == state)
            dates[parcel] = meant[-1:].date or parcel.last_event_date
        self.state = state
        for parcel in self:
            parcel.delivered_date = dates[parcel] if state == "delivered" else False
        self._log_state(state, dates)
        if state == "delivered":
            self.poll_date = False
            self._queue_buyer_message("delivered")
            self._notify_delivered()
        elif state == "returned":
            self._ask_what_becomes()

    def _notify_delivered(self):
        """Tell the channels of the transfers whose last parcel arrived."""
        pickings = self.picking_id.filtered(
            lambda picking: all(parcel.state == "delivered" for parcel in picking._oms_get_live_parcels())
        )
        for channel, group in pickings.grouped(lambda picking: picking.sale_id.channel_id).items():
            if channel:
                channel._notify("delivered", group)

    def _ask_what_becomes(self):
        """Give the responsible of the channel of each order, or of the order, the parcels that come back to do: only a
        person knows whether they are sent again or refunded."""
        for parcel in self:
            for order in parcel._get_orders():
                # sudo: sale.order, mail.activity - carriers and crons have no rights of their own
                order_sudo = order.sudo()
                if user := order_sudo.channel_id.user_id or order_sudo.user_id:
                    order_sudo.activity_schedule(
                        "mail.mail_activity_data_warning",
                        summary=self.env._("%(parcel)s comes back to the sender", parcel=parcel.name),
                        note=self.env._("Ask the buyer, then send it again, or make a return and refund it."),
                        user_id=user.id,
                    )

    def _log_state(self, state, dates=None):
        """Write a parcel's state into its order's timeline."""
        if code := STATE_EVENTS.get(state):
            self._log_order_event(code, dates)

    def _log_order_event(self, code, dates=None):
        """Write one event for each of these parcels into the timeline of its order, or of each order it has goods of.

        :param dict dates: {parcel: when it happened}, if not now
        """
        vals_list = []
        for parcel in self.filtered("channel_id"):
            message = " ".join(filter(None, (parcel.name, parcel.carrier_id.name, parcel.tracking_number)))
            date = dates[parcel] if dates else None
            vals_list += parcel._get_orders()._prepare_event_vals_list(code, parcel, message, date=date)
        self.env["oms.event"]._query_insert(vals_list)

    def _link_waiting_events(self):
        """Take the events that carriers sent before the parcels had their numbers."""
        numbers = {(parcel.carrier_id, parcel.tracking_number): parcel for parcel in self if parcel.tracking_number}
        # sudo: oms.parcel.event - events are nobody's to write
        waiting = (
            self.env["oms.parcel.event"]
            .sudo()
            .search([("parcel_id", "=", False), ("tracking_number", "in", [number for _carrier, number in numbers])])
        )
        for event in waiting:
            if parcel := numbers.get((event.carrier_id, event.tracking_number)):
                event.write({"parcel_id": parcel.id, "company_id": parcel.company_id.id})

    # === SCHEDULED ACTIONS === #

    @api.model
    def _cron_apply_tracking(self, limit=100):
        """Work through the events that carriers sent."""
        domain = Domain("is_applied", "=", False) & Domain("parcel_id", "!=", False)
        Event = self.env["oms.parcel.event"]
        self.env["ir.cron"]._commit_progress(remaining=Event.search_count(domain))
        busy = self.browse()
        while events := Event.search(domain & Domain("parcel_id", "not in", busy.ids), limit=limit, order="id"):
            parcels = events.parcel_id.try_lock_for_update()
            busy |= events.parcel_id - parcels
            parcels._apply_tracking()
            if not self.env["ir.cron"]._commit_progress(len(events)):
                break
        self.env.ref("oms_fulfillment.ir_cron_apply_tracking")._oms_come_back(busy)

    @api.model
    def _cron_poll_tracking(self, limit=100):
        """Ask the carriers that can be asked, less and less often while nothing is new."""
        now = fields.Datetime.now()
        carriers = self.env["delivery.carrier"].search([("delivery_type", "not in", ("fixed", "base_on_rule"))])
        carriers = carriers.filtered(lambda carrier: carrier._oms_can_track())
        due = Domain("carrier_id", "in", carriers.ids) & Domain("state", "in", MOVING_PARCEL_STATES)
        due &= Domain("poll_date", "<=", now)
        self.env["ir.cron"]._commit_progress(remaining=self.search_count(due))
        for carrier in carriers:
            parcels = self.search(due & Domain("carrier_id", "=", carrier.id), limit=limit, order="poll_date, id")
            parcels = parcels.try_lock_for_update().filtered_domain(due)
            if parcels:
                parcels._poll(carrier)
            if not self.env["ir.cron"]._commit_progress(len(parcels)):
                break

    def _poll(self, carrier):
        """Ask one carrier about these parcels, and say when to ask again."""
        try:
            told = carrier._oms_track(self)
        except CarrierError as error:
            _logger.warning("Tracking of %s failed, asked again later: %s", carrier.name, error)
            told = []
        except Exception:  # whatever a connection brings, the other carriers are asked all the same
            _logger.exception("Tracking of %s failed, asked again later", carrier.name)
            told = []
        known = self.env["oms.parcel.event"]._insert_events(carrier, told, "poll").parcel_id
        known._apply_tracking()
        now = fields.Datetime.now()
        for parcel in self:
            hours = POLL_HOURS if parcel in known else min(max(parcel.poll_hours, POLL_HOURS) * 2, POLL_HOURS_MAX)
            too_old = parcel.shipped_date and parcel.shipped_date < now - timedelta(days=POLL_DAYS)
            moving = parcel.state in MOVING_PARCEL_STATES and not too_old
            parcel.write({"poll_hours": hours, "poll_date": now + timedelta(hours=hours) if moving else False})

    @api.model
    def _cron_flag_late_parcels(self):
        """Raise the alarm for parcels of which too long nothing was heard; the next event takes it back."""
        now = fields.Datetime.now()
        unheard = Domain("alarm", "=", False) & Domain("last_event_date", "=", False)
        not_picked_up = unheard & Domain("state", "=", "shipped")
        not_picked_up &= Domain("shipped_date", "<", now - timedelta(hours=NOT_PICKED_UP_HOURS))
        self.search(not_picked_up).alarm = "not_picked_up"
        stuck = Domain("state", "in", MOVING_PARCEL_STATES) & Domain("alarm", "!=", "no_movement")
        stuck &= Domain("last_event_date", "<", now - timedelta(hours=NO_MOVEMENT_HOURS)) | (
            Domain("last_event_date", "=", False)
            & Domain("shipped_date", "<", now - timedelta(hours=NO_MOVEMENT_HOURS))
        )
        self.search(stuck).alarm = "no_movement"
