from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

from odoo.addons.oms_base.tools import notification

from ...adapters import base
from ...adapters.errors import Rejected

EVERY = timedelta(days=1)
RETRY = timedelta(hours=1)


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    is_listing_import_due = fields.Boolean(readonly=True, copy=False)
    next_listing_date = fields.Datetime(
        string="Next Reading of Products", default=fields.Datetime.now, readonly=True, copy=False
    )
    listing_date = fields.Datetime(
        string="Products Read On", readonly=True, copy=False, help="When the last reading began that came to its end."
    )
    listing_state = fields.Json(readonly=True, copy=False, help="Where the running reading is.")
    listing_error = fields.Char(string="Products Could Not Be Read", readonly=True, copy=False)


class OmsChannel(models.Model):
    """What the shop offers is read once a day, and when somebody asks: page by page, each committed with its place. A
    run that is out of time goes on there."""

    _inherit = "oms.channel"

    is_importing_listings = fields.Boolean(
        string="Read Products Daily",
        default=True,
        help="New products, other titles and prices are found, and what the shop no longer has is not told any more.",
    )

    def action_import_listings(self):
        """Have the shop's products listed in the background."""
        self.write({"is_listing_import_due": True, "listing_state": False, "rest_until": False})
        self._wake_pull()
        return notification(self.env._("The products are being read in the background."))

    def _get_due_domain(self, now):
        """Override: products that somebody asked for. The daily reading rides along with a pull."""
        return super()._get_due_domain(now) | Domain("is_listing_import_due", "=", True)

    def _pull(self):
        """Override: then the products, whose troubles are none of the orders'."""
        is_through = super()._pull()
        now = fields.Datetime.now()
        if is_through and self._is_listing_due(now) and not self._is_resting():
            is_through = self._import_listings(now)
        return is_through

    def _is_listing_due(self, now):
        self.ensure_one()
        is_daily = self.is_importing_listings and self.is_pulling and self.next_listing_date <= now
        return self.is_listing_import_due or (is_daily and base.LISTINGS in self._get_capabilities())

    def _import_listings(self, now):
        """Read the products, as far as the time reaches; an error of the shop stays with the channel.

        :return: whether it came to the end
        """
        error, _result = self._call_shop(self._pull_listings)
        if error:
            self.write(
                {
                    "listing_error": error,
                    "next_listing_date": now + RETRY,
                    "is_listing_import_due": self._is_resting() and self.is_listing_import_due,
                }
            )
        return bool(error) or not self.listing_state

    def _pull_listings(self):
        """Store what the shop offers, match it, and mark what it no longer has."""
        adapter, cron = self._get_adapter(is_live=True), self.env["ir.cron"]
        state = self.listing_state or {"cursor": None, "started": fields.Datetime.to_string(fields.Datetime.now())}
        started = fields.Datetime.to_datetime(state["started"])
        # Ends the transaction, as after each page: no snapshot and no lock is held while the shop answers.
        cron._commit_progress()
        while True:
            try:
                page = adapter.fetch_listings(cursor=state["cursor"])
            except Rejected:
                self.listing_state = False  # the shop may not know the place any more
                raise
            self.env["oms.channel.listing"]._store(self, page.items, started)
            state = {**state, "cursor": page.next_cursor}
            if page.next_cursor is None:
                return self._finish_listings(started)
            self.listing_state = state
            if not cron._commit_progress():
                return None

    def _finish_listings(self, started):
        """A whole reading is through: what neither it nor the one before has met is no longer in the shop. One alone
        may miss what changes its page while it is read."""
        Listing = self.env["oms.channel.listing"]
        own = Domain("channel_id", "=", self.id)
        if self.listing_date and Listing.search_count(own & Domain("listed_date", "=", started), limit=1):
            Listing.search(
                own & Domain("is_active", "=", True) & Domain("listed_date", "<", self.listing_date)
            ).is_active = False
        self.write(
            {
                "is_listing_import_due": False,
                "listing_date": started,
                "listing_error": False,
                "listing_state": False,
                "next_listing_date": started + EVERY,
            }
        )


class OmsChannelListing(models.Model):
    _inherit = "oms.channel.listing"

    listed_date = fields.Datetime(
        string="Last Listed",
        readonly=True,
        copy=False,
        help="The last reading of the shop's products that met it. Empty: it is known from an order only.",
    )
