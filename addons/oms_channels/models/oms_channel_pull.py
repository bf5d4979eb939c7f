from datetime import UTC, datetime, timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.oms_base.tools import notification

from ..adapters.errors import AdapterError, Rejected

PULL_LANES = 2
PAGE_SIZE = 50
# A place in the shop's list is good for so long: one that stays right while orders change, and any other. After that
# reading starts at the checkpoint again.
RESUME_AGES = {True: timedelta(days=1), False: timedelta(minutes=30)}


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    pull_checkpoint = fields.Datetime(
        readonly=True, copy=False, help="Time of change, by the shop's clock, of the newest order stored."
    )
    next_pull_date = fields.Datetime(string="Next Pull", default=fields.Datetime.now, copy=False)
    last_pull_date = fields.Datetime(string="Last Pull", readonly=True, copy=False)
    pull_error = fields.Char(readonly=True, copy=False)
    pull_state = fields.Json(readonly=True, copy=False, help="Where a pull is that was out of time.")


class OmsChannel(models.Model):
    """Pulling: orders since the checkpoint. A run that is out of time goes on there later, after the other channels."""

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

    _check_pull = models.Constraint(
        "CHECK(pull_interval > 0 AND pull_overlap >= 0)",
        "The pull interval must be at least one minute, the overlap can't be negative.",
    )

    # === ACTION METHODS === #

    def action_pull_now(self):
        """Have the orders pulled in the background at once."""
        self.write({"next_pull_date": fields.Datetime.now(), "rest_until": False})
        self._wake_pull()
        return notification(self.env._("Orders are being pulled in the background."))

    def _wake_pull(self):
        """Have these channels looked at as soon as this transaction is committed."""
        for lane in {channel.id % PULL_LANES for channel in self}:
            cron = self.env.ref(f"oms_channels.ir_cron_pull_lane_{lane}", raise_if_not_found=False)
            if cron:
                cron.sudo()._trigger()  # sudo: ir.cron - waking a lane is all it can do

    # === PULL === #

    @api.model
    def _get_pull_domain(self):
        """Return the domain of the channels that have something to read now."""
        now = fields.Datetime.now()
        return (
            Domain("provider", "!=", False)
            & (Domain("rest_until", "=", False) | Domain("rest_until", "<=", now))
            & self._get_due_domain(now)
        )

    @api.model
    def _get_due_domain(self, now):
        """Return the domain of what is due at a moment. To be extended by what is read along with the orders."""
        return Domain("is_pulling", "=", True) & Domain("next_pull_date", "<=", now)

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
            if not channel._pull():
                channel._wake_pull()
            if not cron._commit_progress(1):
                break

    def _pull(self):
        """Read what is due from one shop, as far as the time reaches; an error of the shop stays with the channel.

        :return: whether it came to the end
        """
        self.ensure_one()
        started = fields.Datetime.now()
        if not self.is_pulling or self.next_pull_date > started:
            return True
        error, is_through = self._call_shop(lambda: self._pull_orders(self._get_adapter(is_live=True), started))
        is_through = bool(error or is_through)
        self.write({"pull_error": error or False, **self._prepare_next_pull(started, is_through)})
        if not error:
            if not self.pull_state:
                self.last_pull_date = started
            self._close_circuit()
        return is_through

    def _pull_orders(self, adapter, started):
        """Read what changed. To be extended by what is read after that, if there is time.

        :param adapter: ChannelAdapter
        :param started: when this run began (naive UTC)
        :return: whether there is time left
        """
        return self._pull_changed_orders(adapter)

    def _prepare_next_pull(self, started, is_through=True):
        """Return the value of when orders are pulled next; none when somebody has asked for them since this run began:
        that must not be lost. Who was out of time is at the end of the line.

        :param started: when this run began (naive UTC)
        """
        self.state_id.invalidate_recordset(["next_pull_date"], flush=False)
        if self.next_pull_date > started:
            return {}
        if not is_through:
            return {"next_pull_date": fields.Datetime.now()}
        return {"next_pull_date": started + timedelta(minutes=self.pull_interval)}

    def _pull_changed_orders(self, adapter):
        """Store every order changed since the checkpoint, page by page, each committed with its place.

        Only a list that is through moves the checkpoint: what an order says of its last change may be later than its
        place in the list, so that orders behind it would be left out after a break.

        :return: whether there is time left
        """
        state, cron = self._get_pull_place(adapter), self.env["ir.cron"]
        since = datetime.fromisoformat(state["since"])
        # Ends the transaction, as after each page: no snapshot and no lock is held while the shop answers.
        cron._commit_progress()
        while True:
            try:
                page = adapter.fetch_orders_page(since, cursor=state["cursor"], limit=PAGE_SIZE)
            except Rejected:
                self.pull_state = False  # the shop may not know the place any more
                raise
            self._store_orders([(item.external_id, item.version, item.payload) for item in page.items], "poll")
            state = {
                **state,
                "cursor": page.next_cursor,
                "at": fields.Datetime.to_string(fields.Datetime.now()),
                "newest": max(state.get("newest", ""), self._find_newest_change(adapter, page)),
            }
            is_through = page.next_cursor is None
            if is_through:
                self._advance_checkpoint(state["newest"])
            self.pull_state = not is_through and state
            has_time = cron._commit_progress()
            if is_through or not has_time:
                return bool(has_time)

    def _get_pull_place(self, adapter):
        """Return {since: when changes are read from, cursor: of the shop, newest: time of change read so far}: where
        the last run was if that is not too long ago, else somewhat before the checkpoint."""
        state = self.pull_state
        limit = fields.Datetime.now() - RESUME_AGES[adapter.keeps_place]
        if state and fields.Datetime.to_datetime(state["at"]) >= limit:
            return state
        since = self.pull_checkpoint or self.pull_start_date or self.create_date
        since = (since - timedelta(minutes=self.pull_overlap)).replace(tzinfo=UTC)
        return {"since": since.isoformat(), "cursor": None, "newest": ""}

    def _find_newest_change(self, adapter, page):
        """Return the newest time of change on a page, by the shop's clock, never by ours; "" when there is none."""
        newest = ""
        for item in reversed(page.items):
            try:
                changed = adapter.parse_order(item.payload).updated_at
            except AdapterError:
                continue  # its message row will say what is wrong; the time of its neighbour serves as well
            changed = changed.astimezone(UTC).replace(tzinfo=None, microsecond=0)
            newest = max(newest, fields.Datetime.to_string(changed))
            if adapter.keeps_place:  # it is sorted: those before are older
                break
        return newest

    def _advance_checkpoint(self, newest):
        """Move the checkpoint to the newest time of change that was read."""
        newest = fields.Datetime.to_datetime(newest or False)
        if newest and (not self.pull_checkpoint or newest > self.pull_checkpoint):
            self.pull_checkpoint = newest

    def _store_orders(self, items, source):
        """Store raw orders in the inbox. :param items: [(external id, version, payload), ...]"""
        return self.env["oms.channel.message"]._store(self, items, source)
