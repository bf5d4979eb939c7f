from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.oms_base.tools import notification

from ...adapters import base

BATCH = 100
EVERY = timedelta(days=1)


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    next_compare_date = fields.Datetime(
        string="Next Comparison", default=fields.Datetime.now, readonly=True, copy=False
    )
    compare_state = fields.Json(readonly=True, copy=False, help="Where the running comparison is.")
    compare_date = fields.Datetime(string="Last Comparison", readonly=True, copy=False)
    compare_count = fields.Integer(string="Compared", readonly=True, copy=False)
    compare_differ_count = fields.Integer(
        string="Differed", readonly=True, copy=False, help="The shop had another quantity than it should. Told again."
    )
    compare_missing_count = fields.Integer(
        string="Not in the Shop", readonly=True, copy=False, help="Listings of which the shop keeps no stock."
    )
    compare_error = fields.Char(string="Comparison Failed", readonly=True, copy=False)


class OmsChannel(models.Model):
    """Once a day the shop is asked how many it has of each listing: else nobody knows what was changed there."""

    _inherit = "oms.channel"

    is_comparing_stock = fields.Boolean(
        string="Compare Daily",
        default=True,
        help="Once a day all quantities are read from the shop. What differs from what it was told is corrected.",
    )
    can_compare_stock = fields.Boolean(compute="_compute_can_compare_stock")
    alert_stock_count = fields.Integer(
        string="Alert: Stock Differs",
        default=10,
        help="Alert when so many listings differed at the last comparison. 0: never.",
    )

    _check_alert_stock = models.Constraint("CHECK(alert_stock_count >= 0)", "The limit of an alert can't be negative.")

    @api.depends("provider")
    def _compute_can_compare_stock(self):
        for channel in self:
            channel.can_compare_stock = base.STOCK_READ in channel._get_capabilities()

    def action_compare_stock(self):
        """Have all quantities read from the shop in the background at once."""
        self.write({"next_compare_date": fields.Datetime.now(), "rest_until": False})
        # sudo: ir.cron - waking it is all it can do
        self.env.ref("oms_channels.ir_cron_compare_stock").sudo()._trigger()
        return notification(self.env._("The stock is being compared in the background."))

    # === COMPARING === #

    @api.model
    def _cron_compare_stock(self):
        """Compare the channels that are due, and read back single listings of which a shop said something strange."""
        now = fields.Datetime.now()
        publishing = self.search(self._get_publishing_domain()) - self._get_resting_channels()
        publishing = publishing.filtered("can_compare_stock")
        due = publishing.filtered(lambda channel: channel.is_comparing_stock and channel.next_compare_date <= now)
        groups = self.env["oms.channel.listing"]._read_group([("is_stock_check_due", "=", True)], ["channel_id"])
        asked = publishing & self.union(*(channel for (channel,) in groups))
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(due | asked))
        for channel in due | asked:
            is_done = channel._compare_stock(is_all=channel in due)
            if not is_done or not cron._commit_progress(1):
                break

    def _compare_stock(self, is_all):
        """Read back listings of one channel, batch by batch; a run that is out of time goes on where it was.

        :param is_all: all of them, else those that are to be checked
        :return: whether it came to the end
        """
        self.ensure_one()
        error, is_through = self._call_shop(lambda: self._read_stock(is_all))
        if error:
            self.write({"compare_error": error, "next_compare_date": fields.Datetime.now() + EVERY / 24})
        return bool(error or is_through)

    def _read_stock(self, is_all):
        adapter = self._get_adapter(is_live=True)
        if base.STOCK_READ not in adapter.capabilities:  # of a connector: known only now
            return True
        asked = self._get_told_domain() & Domain("is_stock_check_due", "=", True)
        self._read_back(adapter, self.env["oms.channel.listing"].search(asked))
        return not is_all or self._compare_all(adapter)

    def _compare_all(self, adapter):
        state = self.compare_state or {"after": 0, "count": 0, "differ": 0, "missing": 0}
        Listing, domain = self.env["oms.channel.listing"], self._get_told_domain()
        while batch := Listing.search(domain & Domain("id", ">", state["after"]), order="id", limit=BATCH):
            differing, missing = self._read_back(adapter, batch)
            state = {
                "after": batch[-1].id,
                "count": state["count"] + len(batch),
                "differ": state["differ"] + len(differing),
                "missing": state["missing"] + len(missing),
            }
            self.compare_state = state
            if not self.env["ir.cron"]._commit_progress() and len(batch) == BATCH:
                self.env.ref("oms_channels.ir_cron_compare_stock").sudo()._trigger()  # sudo: ir.cron - to go on
                return False
        self.write(
            {
                "compare_state": False,
                "compare_date": fields.Datetime.now(),
                "compare_count": state["count"],
                "compare_differ_count": state["differ"],
                "compare_missing_count": state["missing"],
                "compare_error": False,
                "next_compare_date": fields.Datetime.now() + EVERY,
            }
        )
        return True

    def _read_back(self, adapter, listings):
        """Ask the shop for these listings. :return: (those that differ, those that it has no stock of)"""
        if not listings:
            return listings, listings
        # Ends the transaction: no snapshot and no lock is held while the shop answers.
        self.env["ir.cron"]._commit_progress()
        started = fields.Datetime.now()
        answers = adapter.fetch_stock(listings._prepare_stock_levels())
        self.env["ir.cron"]._commit_progress()
        found = {
            listing: float(quantity)
            for listing, quantity in zip(listings, answers, strict=True)
            if quantity is not None
        }
        missing = listings.filtered(lambda listing: listing not in found)
        missing.filtered("is_stock_check_due").is_stock_check_due = False
        # Orders that wait in the inbox explain what is missing in the shop; when they are counted, it is told.
        return self.env["oms.channel.listing"]._note_seen(found, started=started), missing

    # === WHAT A SHOP SAYS BY ITSELF === #

    def _note_told_stock(self, quantities):
        """A shop said in a webhook, or in its list of products, how many it has. Our own number is an echo; what is
        another is read back before anything is made of it: a webhook may be old when it arrives.

        :param quantities: {id of the listing, or of its stock item, in the shop: quantity}
        """
        self.ensure_one()
        if not quantities:
            return
        keys = list(quantities)
        listings = self.env["oms.channel.listing"].search(
            Domain("channel_id", "=", self.id)
            & Domain("product_id", "!=", False)
            & (Domain("external_id", "in", keys) | Domain("inventory_external_id", "in", keys))
        )
        seen = {
            listing: float(quantities.get(listing.inventory_external_id, quantities.get(listing.external_id)))
            for listing in listings
        }
        own = {listing: quantity for listing, quantity in seen.items() if listing._is_own_number(quantity)}
        others = {listing: seen[listing] for listing in listings if listing.published_date and listing not in own}
        self.env["oms.channel.listing"]._note_seen(own)
        if not others or not self.is_publishing_stock:
            return
        if self.can_compare_stock:
            listings.browse(listing.id for listing in others).is_stock_check_due = True
            # sudo: ir.cron - waking it is all it can do
            self.env.ref("oms_channels.ir_cron_compare_stock").sudo()._trigger()
        else:
            self.env["oms.channel.listing"]._note_seen(others)

    # === ALERTS === #

    def _find_own_issues(self, issues):
        """Override: many quantities were not what they should be."""
        res = super()._find_own_issues(issues)
        if self.compare_date and self.alert_stock_count and self.compare_differ_count >= self.alert_stock_count:
            issues[self, "stock"] = (
                "warning",
                self.env._(
                    "The shop had another quantity of %(differ)s of %(count)s listings than it should have.",
                    differ=self.compare_differ_count,
                    count=self.compare_count,
                ),
            )
        return res

    def _get_health_issues(self):
        """Override of `oms_base`: what the alert says."""
        issues = super()._get_health_issues()
        alerts = self.alert_ids.filtered(lambda alert: alert.kind == "stock")
        for alert in alerts:
            issues.setdefault(alert.channel_id, []).append((alert.level, alert.message))
        return issues


class OmsChannelAlert(models.Model):
    _inherit = "oms.channel.alert"

    kind = fields.Selection(selection_add=[("stock", "Stock Differs")], ondelete={"stock": "cascade"})


class OmsChannelMessage(models.Model):
    _inherit = "oms.channel.message"

    @api.model
    def _cron_process_queue(self, lane, limit=200):
        """Override: what waited for these messages to be counted can be told now."""
        res = super()._cron_process_queue(lane, limit=limit)
        waiting = self.env["oms.stock.change"]._read_group([("message_id", "!=", 0)], ["channel_id"])
        self.env["oms.channel"]._wake_stock_lanes([channel.id for (channel,) in waiting])
        return res
