from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.oms_base.tools import notification

from ...adapters import base
from ...adapters.errors import Rejected

# Movements are put into a payout, and payouts change their state, days after they are first told.
OVERLAP_DAYS = 14
HOURS_BETWEEN = 6
# A reading that was out of time, or met an error, goes on for so long.
RESUME_AGE = timedelta(hours=24)


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    payout_date = fields.Datetime(string="Payouts Read On", readonly=True, copy=False)
    payout_checkpoint = fields.Datetime(readonly=True, copy=False, help="Time of the newest movement kept.")
    payout_state = fields.Json(readonly=True, copy=False, help="Where the running reading is.")
    payout_error = fields.Char(readonly=True, copy=False)


class OmsChannel(models.Model):
    """What a platform keeps and pays out: read in the background, kept as it is told."""

    _inherit = "oms.channel"

    can_tell_payouts = fields.Boolean(compute="_compute_can_tell_payouts")
    payout_count = fields.Integer(compute="_compute_payout_count")

    @api.depends("provider")
    def _compute_can_tell_payouts(self):
        for channel in self:
            channel.can_tell_payouts = base.PAYOUTS in channel._get_capabilities()

    def _compute_payout_count(self):
        counts = dict(
            self.env["oms.channel.payout"]._read_group([("channel_id", "in", self.ids)], ["channel_id"], ["__count"])
        )
        for channel in self:
            channel.payout_count = counts.get(channel, 0)

    def action_pull_payouts(self):
        """Have the payouts read in the background at once."""
        self.payout_date = False
        # sudo: ir.cron - waking it is all it can do
        self.env.ref("oms_channels.ir_cron_pull_payouts").sudo()._trigger()
        return notification(self.env._("The payouts are being read in the background."))

    def action_view_payouts(self):
        """Open the channel's payouts."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_channels.oms_channel_payout_action")
        return {**action, "domain": [("channel_id", "=", self.id)], "context": {}}

    @api.model
    def _cron_pull_payouts(self):
        """Read the payouts of the channels that are due, those that have begun a long reading last. Nothing is locked
        while a shop answers."""
        now = fields.Datetime.now()
        channels = self.search(
            Domain("provider", "!=", False)
            & Domain("is_pulling", "=", True)
            & (Domain("rest_until", "=", False) | Domain("rest_until", "<=", now))
            & (Domain("payout_date", "=", False) | Domain("payout_date", "<=", now - timedelta(hours=HOURS_BETWEEN)))
        ).filtered("can_tell_payouts")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(channels))
        for channel in channels.sorted(lambda channel: bool(channel.payout_state)):
            error, is_through = channel._call_shop(channel._pull_payouts)
            channel.payout_error = error or False
            if not error and not is_through:  # out of time
                break
            channel.payout_date = now
            if not cron._commit_progress(1):
                break

    def _pull_payouts(self):
        """Keep every movement since a while before the newest one, page by page, each committed with its place. Whether
        the newest or the oldest come first is the platform's choice, so only a list that is through moves the
        checkpoint.

        :return: whether it is through; else the time is over
        """
        self.ensure_one()
        adapter, cron, Line = self._get_adapter(is_live=True), self.env["ir.cron"], self.env["oms.channel.payout.line"]
        state = self._begin_payouts()
        # Ends the transaction, as after each page: no snapshot and no lock is held while the shop answers.
        cron._commit_progress()
        while True:
            since = fields.Datetime.to_datetime(state["since"]).replace(tzinfo=UTC)
            try:
                page = adapter.fetch_payouts_page(since, cursor=state["cursor"])
            except Rejected:
                self.payout_state = False  # the platform may not know the place any more
                raise
            Line._store(self, page.items)
            if adapter.refunds_come_by_payouts:
                Line._note_refunds(self, [row.order_external_id for row in page.items if row.kind == "refund"])
            dates = [fields.Datetime.to_string(Line._to_datetime(entry.date)) for entry in page.items]
            state = {**state, "cursor": page.next_cursor, "newest": max([state["newest"], *dates])}
            if page.next_cursor is None:
                newest = fields.Datetime.to_datetime(state["newest"] or False)
                if newest and (not self.payout_checkpoint or newest > self.payout_checkpoint):
                    self.payout_checkpoint = newest
                self.payout_state = False
                return True
            self.payout_state = state
            if not cron._commit_progress():
                return False

    def _begin_payouts(self):
        """Return the reading under way, if it is not too old, or a new one."""
        now = fields.Datetime.now()
        state = self.payout_state
        if state and fields.Datetime.to_datetime(state["started"]) > now - RESUME_AGE:
            return state
        since = self.pull_start_date or self.create_date
        if self.payout_checkpoint:
            since = max(since, self.payout_checkpoint - timedelta(days=OVERLAP_DAYS))
        return {
            "since": fields.Datetime.to_string(since),
            "started": fields.Datetime.to_string(now),
            "cursor": None,
            "newest": "",
        }

    def _get_capability_labels(self):
        """Override."""
        return {
            **super()._get_capability_labels(),
            base.PAYOUTS: self.env._("Its payouts are read, with the fees of each order"),
        }
