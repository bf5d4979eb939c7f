from datetime import UTC

from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import split_every

from ..adapters.errors import Rejected

# Orders of a file that are stored, and committed, at once.
BACKFILL_SIZE = 50


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    backfill_ref = fields.Char(readonly=True, copy=False, help="The shop's name of the file being prepared.")
    backfill_state = fields.Json(readonly=True, copy=False, help="The place in the file that the reading has come to.")
    is_backfill_due = fields.Boolean(string="Old Orders Are Being Fetched", readonly=True, copy=False)


class OmsChannel(models.Model):
    """Shopify: what its form says, and the back-fill of old orders, which the shop writes into a file."""

    _inherit = "oms.channel"

    provider = fields.Selection(selection_add=[("shopify", "Shopify")], ondelete={"shopify": "set null"})
    backfill_since = fields.Datetime(
        string="Old Orders Since",
        copy=False,
        help="Orders changed since then are read from a file that the shop prepares. Orders older than 60 days need "
        "the scope read_all_orders.",
    )

    # === ACTION METHODS === #

    def action_backfill(self):
        """Have the shop prepare its old orders, and read them once they are ready: in the background, with the pull."""
        for channel in self:
            if channel.provider != "shopify" or not channel.backfill_since:
                raise UserError(
                    self.env._("%(channel)s: enter since when old orders are to be fetched.", channel=channel.name)
                )
        self.write({"is_backfill_due": True, "backfill_ref": False, "backfill_state": False})
        return self.action_pull_now()

    # === PULL === #

    def _pull_orders(self, adapter, started):
        """Override: the old orders after the new ones, which must not wait for them."""
        has_time = super()._pull_orders(adapter, started)
        if has_time and self.is_backfill_due and self.provider == "shopify":
            has_time = self._pull_backfill(adapter)
        return has_time

    def _pull_backfill(self, adapter):
        """One step: have the file prepared, or see whether it is ready and read it as far as the time reaches.

        :return: whether there is time left
        """
        self.ensure_one()
        if not self.backfill_ref:
            self.write(
                {
                    "backfill_ref": adapter.start_backfill(self.backfill_since.replace(tzinfo=UTC)),
                    "backfill_state": False,
                }
            )
            return True
        try:
            state = adapter.get_backfill(self.backfill_ref)
        except Rejected:  # the shop has forgotten it
            self.backfill_ref = False
            return True
        if state.state == "running":
            return True
        if state.state == "failed":
            self.backfill_ref = False
            raise Rejected(f"The shop could not prepare its old orders: {state.error}. It is asked again.")
        if state.url and not self._read_backfill(adapter, state.url):
            return False
        self.write({"is_backfill_due": False, "backfill_ref": False, "backfill_state": False})
        return True

    def _read_backfill(self, adapter, url):
        """Store the orders of a file, a batch and its place in each transaction. :return: whether it is through"""
        items = adapter.iter_backfill(url, (self.backfill_state or {}).get("place", 0))
        for batch in split_every(BACKFILL_SIZE, items, list):
            self._store_orders([(item.external_id, item.version, item.payload) for item, _place in batch], "poll")
            self.backfill_state = {"place": batch[-1][1]}
            if not self.env["ir.cron"]._commit_progress():
                return False
        return True

    # === WHAT THE FORM SAYS === #

    def _get_platform_limits(self):
        """Override."""
        limits = super()._get_platform_limits()
        if self.provider == "shopify":
            limits += [
                self.env._("Amounts are read in the shop's own currency; refunds are made in the buyer's"),
                self.env._("Goods that come back are not booked in the shop's returns"),
            ]
        return limits

    def _get_webhook_help(self):
        """Override."""
        if self.provider == "shopify":
            return self.env._(
                "Click on Register Webhooks. Shopify signs them with the client secret of the app: enter it as the "
                "Client Secret. The webhook secret below is only for webhooks made by hand in the shop's settings, "
                "which shows theirs."
            )
        return super()._get_webhook_help()
