from datetime import timedelta

from odoo import api, fields, models

from .oms_channel_stock import STOCK_LANES

# Calls before the lane looks again for what has changed meanwhile and must overtake.
STEP_SIZE = 3
# What waited longer is counted again before it is told.
FRESH_SECONDS = 3


def to_text(quantity):
    """Return a quantity as it is read; a question mark for what is not known."""
    return "?" if quantity is None else f"{quantity:g}"


class OmsChannelPush(models.Model):
    """Stock in the outbox: lanes of its own, which first look for what changed. What waits is told as it is when its
    turn comes, so that one waiting push for each listing is enough."""

    _inherit = "oms.channel.push"

    def _get_queue_key(self):
        """Override: stock pushes have no listing in common, so none waits for another."""
        key = super()._get_queue_key()
        return f"{key}:{self.idempotency_key}" if self.kind == "stock" else key

    def _get_queue_lane(self, key):
        """Override of `oms_base`: stock does not wait behind parcels and refunds, nor they behind it."""
        return self.channel_id._get_stock_lane() if self.kind == "stock" else super()._get_queue_lane(key)

    @api.model
    def _get_lanes(self):
        """Override of `oms_base`: and the lanes of stock."""
        return super()._get_lanes() + STOCK_LANES

    def _filter_urgent(self):
        """Override: what has just changed overtakes what a comparison of all has found."""
        changes = self.filtered(lambda push: push.kind == "stock" and (push.payload or {}).get("is_change"))
        return super()._filter_urgent() | changes

    @api.model
    def _cron_process_queue(self, lane, limit=200):
        """Override: the lanes of stock look for what changed, and look again after a few calls."""
        if lane not in STOCK_LANES:
            return super()._cron_process_queue(lane, limit=limit)
        self.env["oms.channel"]._queue_changed_stock(lane)
        return super()._cron_process_queue(lane, limit=min(limit, STEP_SIZE))

    @api.model
    def _get_pending_listing_ids(self, channel):
        """Yield the ids of the listings that wait to be told."""
        pushes = self.search_fetch(
            [("channel_id", "=", channel.id), ("kind", "=", "stock"), ("state", "=", "pending")], ["payload"]
        )
        for push in pushes:
            for listing_id, _quantity in push.payload["levels"]:
                yield listing_id

    def _prepare_stock_notice(self):
        """Return the StockLevels of the listings this was queued for that still want publishing."""
        self._renew_levels()
        listings, quantities = self._get_stock_listings(), dict(self.payload["levels"])
        if not listings:
            return self.env._("The listings are gone, or have this quantity already.")
        return listings._prepare_stock_levels(quantities)

    def _renew_levels(self):
        """Bring the levels of a push that had to wait up to date: what counts is how many may be sold now."""
        if not self.attempts and self.create_date > fields.Datetime.now() - timedelta(seconds=FRESH_SECONDS):
            return
        queued = dict(self.payload["levels"])
        listings = self._get_stock_listings().filtered(
            lambda listing: listing.product_id and listing.is_publishing and listing.is_active
        )
        levels = []
        for listing, quantity in self.channel_id._get_listing_quantities(listings).items():
            told = min(quantity, queued[listing.id]) if self.payload.get("is_less") else quantity
            if told != listing._get_known_quantity():
                levels.append([listing.id, told])
        self.payload = {**self.payload, "levels": levels}
        self.env["oms.channel.listing"]._write_sent([level for level in levels if level[1] != queued[level[0]]])

    def _compute_content_text(self):
        """Override: of stock, each listing with what the shop had as far as was known, and what it is told."""
        stock = self.filtered(lambda push: push.kind == "stock" and push.payload)
        res = super(OmsChannelPush, self - stock)._compute_content_text()
        names = {listing.id: listing.display_name for listing in stock._get_stock_listings()}
        for push in stock:
            before = push.payload.get("before") or {}
            rows = [
                (names.get(listing_id, listing_id), to_text(before.get(str(listing_id))), to_text(quantity))
                for listing_id, quantity in push.payload["levels"]
            ]
            push.content_text = "\n".join(f"{name}: {was} \u2192 {told}" for name, was, told in rows)
        return res

    def _get_stock_listings(self):
        ids = [row[0] for push in self for row in push.payload["levels"]]
        return self.env["oms.channel.listing"].browse(ids).exists()

    def _apply_stock_result(self, result):
        """Keep on each listing what the shop has now, or why it has not. :return: values of this row"""
        quantities, listings = dict(self.payload["levels"]), self._get_stock_listings()
        errors = dict(zip(listings, result.errors, strict=True))
        accepted = listings.filtered(lambda listing: not errors[listing])
        accepted._update_quantities("published_quantity", [[one.id, quantities[one.id]] for one in accepted])
        accepted.write(
            {
                "published_date": fields.Datetime.now(),
                "publish_error": False,
                "refused_count": 0,
                "stock_drift": 0.0,
            }
        )
        refused = listings - accepted
        for (error, count), rows in refused.grouped(lambda row: (errors[row], row.refused_count)).items():
            rows.write({"publish_error": error, "refused_count": count + 1})
        return {
            "response": self.env._(
                "%(accepted)s accepted, %(refused)s refused.", accepted=len(accepted), refused=len(refused)
            )
        }
