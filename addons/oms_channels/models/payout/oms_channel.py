from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.oms_base.tools import notification

from ...adapters import base

# Movements are put into a payout, and payouts change their state, days after they are first told.
OVERLAP_DAYS = 14
HOURS_BETWEEN = 6


class OmsChannel(models.Model):
    """What a platform keeps and pays out: read in the background, kept as it is told."""

    _inherit = "oms.channel"

    can_tell_payouts = fields.Boolean(compute="_compute_can_tell_payouts")
    payout_count = fields.Integer(compute="_compute_payout_count")
    payout_date = fields.Datetime(string="Payouts Read On", readonly=True, copy=False)
    payout_checkpoint = fields.Datetime(readonly=True, copy=False, help="Time of the newest movement kept.")
    payout_error = fields.Char(readonly=True, copy=False)

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
        """Read the payouts of the channels that are due. Nothing is locked while a shop answers."""
        now = fields.Datetime.now()
        channels = self.search(
            Domain("provider", "!=", False)
            & Domain("is_pulling", "=", True)
            & (Domain("rest_until", "=", False) | Domain("rest_until", "<=", now))
            & (Domain("payout_date", "=", False) | Domain("payout_date", "<=", now - timedelta(hours=HOURS_BETWEEN)))
        ).filtered("can_tell_payouts")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(channels))
        for channel in channels:
            error, _result = channel._call_shop(channel._pull_payouts)
            channel.write({"payout_error": error or False, "payout_date": now})
            if not cron._commit_progress(1):
                break

    def _pull_payouts(self):
        """Keep every movement since a while before the newest one, page by page, each committed."""
        self.ensure_one()
        since = self.pull_start_date or self.create_date
        if self.payout_checkpoint:
            since = max(since, self.payout_checkpoint - timedelta(days=OVERLAP_DAYS))
        adapter, cursor = self._get_adapter(is_live=True), None
        while True:
            # Ends the transaction: no snapshot and no lock is held while the shop answers.
            self.env["ir.cron"]._commit_progress()
            page = adapter.fetch_payouts_page(since.replace(tzinfo=UTC), cursor=cursor)
            Line = self.env["oms.channel.payout.line"]
            Line._store(self, page.items)
            if adapter.refunds_come_by_payouts:
                Line._note_refunds(self, [row.order_external_id for row in page.items if row.kind == "refund"])
            newest = max((Line._to_datetime(entry.date) for entry in page.items), default=False)
            if newest and (not self.payout_checkpoint or newest > self.payout_checkpoint):
                self.payout_checkpoint = newest
            cursor = page.next_cursor
            if cursor is None:
                return

    def _get_capability_labels(self):
        """Override."""
        return {
            **super()._get_capability_labels(),
            base.PAYOUTS: self.env._("Its payouts are read, with the fees of each order"),
        }
