from datetime import timedelta
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import SQL, float_compare

from ...adapters import notices

DIGITS = 2
# What a shop refuses again and again is sent to it once a day.
REFUSED_MINUTES = 24 * 60
# What of a listing changes how much its shop is told.
STOCK_FIELDS = frozenset(
    (
        "product_id",
        "is_publishing",
        "is_active",
        "has_own_stock_rule",
        "stock_safety",
        "stock_percent",
        "stock_plus",
        "stock_minimum",
        "stock_maximum",
    )
)


class OmsChannelListing(models.Model):
    """How many the shop was told, has acknowledged, and was seen to have."""

    _inherit = "oms.channel.listing"

    sent_quantity = fields.Float(
        string="Last Sent", readonly=True, digits="Product Unit", copy=False, help="On its way to the shop, or there."
    )
    sent_date = fields.Datetime(string="Sent On", readonly=True, copy=False)
    published_quantity = fields.Float(
        string="Acknowledged", readonly=True, digits="Product Unit", copy=False, help="What the shop has accepted."
    )
    published_date = fields.Datetime(string="Acknowledged On", readonly=True, copy=False)
    seen_quantity = fields.Float(
        string="Seen in the Shop", readonly=True, digits="Product Unit", copy=False, help="What the shop showed last."
    )
    seen_date = fields.Datetime(string="Seen On", readonly=True, copy=False)
    stock_drift = fields.Float(
        string="Drift",
        readonly=True,
        digits="Product Unit",
        copy=False,
        help="The shop showed so many more (or fewer) than it was told, and nothing here explains it. "
        "It is corrected by itself.",
    )
    drift_date = fields.Datetime(string="Last Drift", readonly=True, copy=False)
    drift_count = fields.Integer(string="Drifts", readonly=True, copy=False, help="How often that has happened.")
    is_stock_check_due = fields.Boolean(
        string="To Be Read Back", readonly=True, copy=False, help="The shop said something that it was not told."
    )
    publish_error = fields.Char(string="Publishing Error", readonly=True, copy=False)
    refused_count = fields.Integer(
        string="Refusals in a Row", readonly=True, copy=False, help="The more, the longer until it is told once more."
    )

    _stock_check_idx = models.Index("(channel_id) WHERE is_stock_check_due IS TRUE")
    _stock_drift_idx = models.Index("(channel_id) WHERE stock_drift <> 0")

    @api.model_create_multi
    def create(self, vals_list):
        listings = super().create(vals_list)
        listings.product_id._oms_note_stock_change()
        return listings

    def write(self, vals):
        res = super().write(vals)
        if not STOCK_FIELDS.isdisjoint(vals):
            self.product_id._oms_note_stock_change()
        return res

    # === WHAT IT IS TOLD === #

    def _prepare_stock_levels(self, quantities=None):
        """Return the adapters' StockLevel of each listing. :param quantities: {listing id: quantity}, None to read"""
        return tuple(
            notices.StockLevel(
                sku=listing.sku or "",
                quantity=Decimal(str((quantities or {}).get(listing.id, 0))),
                external_id=listing.external_id,
                inventory_external_id=listing.inventory_external_id or "",
                location=listing.channel_id.location_ref or "",
            )
            for listing in self
        )

    @api.model
    def _write_sent(self, levels):
        """Keep what is on its way to the shop. :param levels: [[listing id, quantity], ...]"""
        self._update_quantities("sent_quantity", levels)
        self.browse(level[0] for level in levels).write({"sent_date": fields.Datetime.now()})

    @api.model
    def _update_quantities(self, field, levels):
        """Write a quantity of its own on each listing, in one UPDATE. :param levels: [[listing id, quantity], ...]"""
        if not levels:
            return
        listings = self.browse(level[0] for level in levels)
        listings.flush_recordset([field])
        self.env.cr.execute(
            SQL(
                "UPDATE oms_channel_listing listing SET %s = told.quantity"
                " FROM unnest(%s::int[], %s::numeric[]) AS told(id, quantity) WHERE listing.id = told.id",
                SQL.identifier(field),
                listings.ids,
                [level[1] for level in levels],
            )
        )
        listings.invalidate_recordset([field])

    # === WHAT THE SHOP HAS === #

    def _get_known_quantity(self):
        """Return what the shop has as far as is known, None when nothing is."""
        self.ensure_one()
        # In the same second either may be newer: told once too often does no harm.
        if self.seen_date and (not self.published_date or self.seen_date >= self.published_date):
            return self.seen_quantity
        return self.published_quantity if self.published_date and not self.publish_error else None

    def _is_refused(self, quantity):
        """Return whether the shop refused this quantity when it was sent last, and it is too early to send it again."""
        if not self.publish_error or not self.refused_count or not self.sent_date:
            return False
        if float_compare(quantity, self.sent_quantity, precision_digits=DIGITS):
            return False
        minutes = min(self.channel_id.stock_interval * 2 ** min(self.refused_count, 20), REFUSED_MINUTES)
        return self.sent_date > fields.Datetime.now() - timedelta(minutes=minutes)

    def _is_own_number(self, quantity):
        """Return whether a quantity that the shop shows is what we said: an echo, no change."""
        self.ensure_one()
        return any(
            date and not float_compare(quantity, own, precision_digits=DIGITS)
            for own, date in (
                (self.sent_quantity, self.sent_date),
                (self.published_quantity, self.published_date),
            )
        )

    @api.model
    def _note_seen(self, seen, started=None):
        """Keep what a shop shows of its listings. What we said is no change, nor is what should be there by now, as
        when the shop took off its own order; anything else is a drift. What is not right is told again.

        :param seen: {listing of one channel: quantity}
        :param started: when the shop was asked: what was told since then is not what it saw
        :return: the listings that do not have what they should have
        """
        listings = self.browse(listing.id for listing in seen)
        wanted = listings.channel_id._get_listing_quantities(listings.filtered("product_id")) if seen else {}
        now, differing = fields.Datetime.now(), self.browse()
        for listing, quantity in seen.items():
            if started and listing.sent_date and listing.sent_date >= started:
                continue
            vals = {"seen_quantity": quantity, "seen_date": now, "is_stock_check_due": False}
            is_right = listing not in wanted or not float_compare(quantity, wanted[listing], precision_digits=DIGITS)
            if is_right or listing._is_own_number(quantity):
                vals["stock_drift"] = 0.0
            elif listing.is_publishing and listing.published_date:
                vals |= {
                    "stock_drift": quantity - listing.published_quantity,
                    "drift_date": now,
                    "drift_count": listing.drift_count + (not listing.stock_drift or quantity != listing.seen_quantity),
                }
            if not is_right and listing.is_publishing and listing.is_active:
                differing |= listing
            listing.write(vals)
        self.env["oms.stock.change"]._insert(listings.channel_id.ids, differing.product_id.ids)
        if differing:
            self.env["oms.channel"]._wake_stock_lanes(listings.channel_id.ids)
        return differing
