import logging
from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

from odoo.addons.oms_base.const import STAGE_NUMBERS

from ..adapters.errors import BadResponse, Rejected

_logger = logging.getLogger(__name__)

# Orders re-read in one run; the next run goes on after the last one.
REREAD_SIZE = 200
# (step, days since the order was placed, whether only what has not left, hours between two rounds). What is still to be
# sent matters most and comes first, at the channel's interval; then refunds, which come late, and seldom very late.
STEPS = (("open", 45, True, 0), ("recent", 10, False, 6), ("old", 45, False, 24))


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    reread_state = fields.Json(
        readonly=True, copy=False, help="{step: {after: the order read last, next: when it begins again}}"
    )


class OmsChannel(models.Model):
    """Reading orders again: some shops do not report every change. In steps, each through all of its orders by their
    ids and then at rest, so that thousands of old orders do not keep away the news of those to be sent."""

    _inherit = "oms.channel"

    reread_interval = fields.Integer(
        string="Re-read Open Orders Every (minutes)",
        default=30,
        help="Shops do not report every change: orders that have not left are read again. Those that have left follow "
        "every six hours, after ten days once a day. 0: never.",
    )

    _check_reread = models.Constraint("CHECK(reread_interval >= 0)", "The interval of re-reading can't be negative.")

    def action_pull_now(self):
        """Override: open orders are read again as well."""
        for channel in self:
            channel.reread_state = {**(channel.reread_state or {}), "open": {}}
        return super().action_pull_now()

    def _pull_orders(self, adapter, started):
        """Override: then orders are read again."""
        has_time = super()._pull_orders(adapter, started)
        if has_time and adapter.needs_reread and self.reread_interval:
            has_time = self._reread_orders(adapter, started)
        return has_time

    def _reread_orders(self, adapter, started):
        """Read some orders again; the next run goes on after the last. :return: whether there is time left"""
        left, has_time = REREAD_SIZE, True
        for step, days, is_open, hours in STEPS:
            place = (self.reread_state or {}).get(step, {})
            if place.get("next") and fields.Datetime.to_datetime(place["next"]) > started:
                continue
            domain = (
                self._get_reread_domain()
                & Domain("oms_stage_number", "<" if is_open else ">=", STAGE_NUMBERS["shipped"])
                & Domain("id", ">", place.get("after", 0))
                & Domain("date_order", ">=", started - timedelta(days=days))
            )
            orders = self.env["sale.order"].search_fetch(domain, ["channel_order_id"], order="id", limit=left)
            places = [(order.id, order.channel_order_id) for order in orders]
            # Ends the transaction, as after each order: no snapshot and no lock is held while the shop answers.
            self.env["ir.cron"]._commit_progress()
            for order_id, external_id in places:
                self._reread_order(adapter, external_id)
                self._keep_reread_place(step, {"after": order_id})
                has_time, left = self.env["ir.cron"]._commit_progress(), left - 1
                if not has_time:
                    return False
            if not left:
                break
            pause = timedelta(hours=hours) or timedelta(minutes=self.reread_interval)
            self._keep_reread_place(step, {"next": fields.Datetime.to_string(started + pause)})
        return True

    def _keep_reread_place(self, step, place):
        self.reread_state = {**(self.reread_state or {}), step: place}

    def _reread_order(self, adapter, external_id):
        """Read one order again. One that the shop does not show holds up no other; one that can't be understood is
        stored all the same, and its message says why."""
        try:
            payload = adapter.fetch_order(external_id)
        except (Rejected, BadResponse) as error:
            _logger.info("Order %s of channel %s could not be read again: %s", external_id, self.id, error.message)
            return
        try:
            version = adapter.parse_order(payload).version
        except BadResponse:
            Message, version = self.env["oms.channel.message"], ""
            if Message._get_digest(payload) in {digest for *_key, digest in Message._query_known(self, [external_id])}:
                return  # the list has brought it, with its version
        self._store_orders([(external_id, version, payload)], "reread")

    def _get_reread_domain(self):
        """Return the domain of the orders that may still change in the shop without telling."""
        self.ensure_one()
        return (
            Domain("channel_id", "=", self.id)
            & Domain("channel_order_id", "!=", False)
            & Domain("channel_status", "!=", "cancelled")
        )
