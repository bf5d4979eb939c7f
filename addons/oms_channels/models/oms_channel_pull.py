import logging
from datetime import UTC, timedelta
from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.oms_base.tools import notification

from ..adapters.errors import AdapterError, BadResponse, Rejected

_logger = logging.getLogger(__name__)

PULL_LANES = 2
PAGE_SIZE = 50
# Open orders re-read in one run; the next run goes on after the last one.
REREAD_SIZE = 40
# An order is re-read until this long after it was placed: refunds come late.
REREAD_DAYS = 45


class OmsChannel(models.Model):
    """Pulling: orders since the checkpoint, open orders again, and what the shop offers."""

    _inherit = "oms.channel"

    is_pulling = fields.Boolean(string="Pull Orders", default=True, help="Ask the shop for new and changed orders.")
    pull_interval = fields.Integer(string="Pull Every (minutes)", default=5)
    pull_overlap = fields.Integer(
        string="Overlap (minutes)",
        default=10,
        help="How far each pull goes back behind the last order seen, so that nothing is lost at the edge. What comes "
        "twice is recognised.",
    )
    pull_start_date = fields.Datetime(
        string="Orders Since", default=fields.Datetime.now, help="The first pull starts here.", copy=False
    )
    reread_interval = fields.Integer(
        string="Re-read Open Orders Every (minutes)",
        default=30,
        help="Shops do not report every change: open orders are read again. 0: never.",
    )
    pull_checkpoint = fields.Datetime(
        readonly=True, copy=False, help="Time of change, by the shop's clock, of the newest order stored."
    )
    next_pull_date = fields.Datetime(string="Next Pull", default=fields.Datetime.now, copy=False)
    last_pull_date = fields.Datetime(string="Last Pull", readonly=True, copy=False)
    pull_error = fields.Char(readonly=True, copy=False)
    next_reread_date = fields.Datetime(string="Next Re-read", default=fields.Datetime.now, readonly=True, copy=False)
    reread_cursor = fields.Integer(readonly=True, copy=False, help="The last order that the running re-read has read.")
    is_listing_import_due = fields.Boolean(readonly=True, copy=False)

    _check_pull = models.Constraint(
        "CHECK(pull_interval > 0 AND pull_overlap >= 0 AND reread_interval >= 0)",
        "The pull interval must be at least one minute, overlap and re-reading can't be negative.",
    )

    # === ACTION METHODS === #

    def action_pull_now(self):
        """Have the orders pulled in the background at once."""
        now = fields.Datetime.now()
        self.write({"next_pull_date": now, "next_reread_date": now, "rest_until": False})
        return self._trigger_pull(self.env._("Orders are being pulled in the background."))

    def action_import_listings(self):
        """Have the shop's products listed in the background."""
        self.write({"is_listing_import_due": True, "rest_until": False})
        return self._trigger_pull(self.env._("The products are being read in the background."))

    def _trigger_pull(self, message):
        for lane in {channel.id % PULL_LANES for channel in self}:
            cron = self.env.ref(f"oms_channels.ir_cron_pull_lane_{lane}", raise_if_not_found=False)
            if cron:
                cron.sudo()._trigger()  # sudo: ir.cron - waking a lane is all it can do
        return notification(message)

    # === PULL === #

    @api.model
    def _get_pull_domain(self):
        """Return the domain of the channels that have something to read now."""
        now = fields.Datetime.now()
        return (
            Domain("provider", "!=", False)
            & (Domain("rest_until", "=", False) | Domain("rest_until", "<=", now))
            & (
                Domain("is_listing_import_due", "=", True)
                | (Domain("is_pulling", "=", True) & (Domain("next_pull_date", "<=", now)))
            )
        )

    @api.model
    def _cron_pull_orders(self, lane):
        """Pull the due channels of one lane (0 or 1). However many runs were missed, a channel is pulled once.

        A lane is one cron, so a channel is never pulled twice at once. Nothing is locked while a shop answers.
        """
        channels = self.search(self._get_pull_domain(), order="next_pull_date, id")
        channels = channels.filtered(lambda channel: channel.id % PULL_LANES == lane)
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(channels))
        for channel in channels:
            channel._pull()
            if not cron._commit_progress(1):
                break

    def _pull(self):
        """Read all that is due from one shop; an error of the shop stays with the channel."""
        self.ensure_one()
        started = fields.Datetime.now()
        error = self._call_shop(partial(self._pull_due, started))
        self.write({"pull_error": error or False, **self._prepare_next_pull(started)})
        if not error:
            self.last_pull_date = started
            self._close_circuit()

    def _pull_due(self, started):
        adapter = self._get_adapter(is_live=True)
        if self.is_listing_import_due:
            self._pull_listings(adapter)
        if self.is_pulling and self.next_pull_date <= started:
            self._pull_changed_orders(adapter)
            self._reread_open_orders(adapter, started)

    def _prepare_next_pull(self, started):
        """Return the value of when orders are pulled next; none when they were not due, or when somebody has asked for
        them since this run began: that must not be lost.

        :param started: when this run began (naive UTC)
        """
        self.invalidate_recordset(["next_pull_date"], flush=False)
        if self.next_pull_date > started:
            return {}
        return {"next_pull_date": started + timedelta(minutes=self.pull_interval)}

    def _pull_changed_orders(self, adapter):
        """Store every order changed since the checkpoint, page by page, each committed with its checkpoint."""
        since = self.pull_checkpoint or self.pull_start_date or self.create_date
        since = (since - timedelta(minutes=self.pull_overlap)).replace(tzinfo=UTC)
        cursor = None
        while True:
            # Ends the transaction: no snapshot and no lock is held while the shop answers.
            self.env["ir.cron"]._commit_progress()
            page = adapter.fetch_orders_page(since, cursor=cursor, limit=PAGE_SIZE)
            self._store_orders([(item.external_id, item.version, item.payload) for item in page.items], "poll")
            self._advance_checkpoint(adapter, page)
            cursor = page.next_cursor
            if cursor is None:
                break

    def _advance_checkpoint(self, adapter, page):
        """Move the checkpoint to the newest time of change on the page, by the shop's clock, never by ours."""
        for item in reversed(page.items):
            try:
                changed = adapter.parse_order(item.payload).updated_at
            except AdapterError:
                continue  # its message row will say what is wrong; the time of its neighbour serves as well
            changed = changed.astimezone(UTC).replace(tzinfo=None, microsecond=0)
            if not self.pull_checkpoint or changed > self.pull_checkpoint:
                self.pull_checkpoint = changed
            return

    def _store_orders(self, items, source):
        """Store raw orders in the inbox. :param items: [(external id, version, payload), ...]"""
        return self.env["oms.channel.message"]._store(self, items, source)

    def _reread_open_orders(self, adapter, started):
        """Read some open orders again, in the order of their ids; the next run goes on after the last."""
        if not adapter.needs_reread or not self.reread_interval or self.next_reread_date > started:
            return
        orders = self.env["sale.order"].search(self._get_reread_domain(), order="id", limit=REREAD_SIZE)
        for order in orders:
            self.env["ir.cron"]._commit_progress()
            external_id, order_id = order.channel_order_id, order.id
            try:
                payload = adapter.fetch_order(external_id)
                self._store_orders([(external_id, adapter.parse_order(payload).version, payload)], "reread")
            except (Rejected, BadResponse) as error:
                _logger.info("Order %s of channel %s could not be read again: %s", external_id, self.id, error.message)
            self.reread_cursor = order_id
        if len(orders) < REREAD_SIZE:
            self.write({"reread_cursor": 0, "next_reread_date": started + timedelta(minutes=self.reread_interval)})

    def _get_reread_domain(self):
        """Return the domain of the orders that may still change in the shop without telling."""
        self.ensure_one()
        return (
            Domain("channel_id", "=", self.id)
            & Domain("channel_order_id", "!=", False)
            & Domain("channel_status", "!=", "cancelled")
            & Domain("id", ">", self.reread_cursor)
            & Domain("date_order", ">=", fields.Datetime.now() - timedelta(days=REREAD_DAYS))
        )

    def _pull_listings(self, adapter):
        """Store what the shop offers and match it by SKU and barcode."""
        cursor = None
        while True:
            self.env["ir.cron"]._commit_progress()
            page = adapter.fetch_listings(cursor=cursor)
            self.env["oms.channel.listing"]._store(self, page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
        self.is_listing_import_due = False
