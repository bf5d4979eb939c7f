import uuid
from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import float_compare, float_round, split_every

from odoo.addons.oms_base.tools import notification

# Levels told in one call: shops limit the size of theirs, and one refused call must not hold up all.
CHUNK_SIZE = 100
# Publishing waits for the inbox at most this many intervals.
MAX_DELAYS = 3


class OmsChannel(models.Model):
    """Stock publishing: what may be sold, told to the shop where it changed."""

    _inherit = "oms.channel"

    is_publishing_stock = fields.Boolean(
        string="Publish Stock", help="Tell the shop how many of each listing it may sell."
    )
    stock_interval = fields.Integer(string="Publish Every (minutes)", default=10)
    next_stock_date = fields.Datetime(string="Next Publishing", default=fields.Datetime.now, readonly=True, copy=False)

    _check_stock_interval = models.Constraint(
        "CHECK(stock_interval > 0)", "Stock is published every minute at the most."
    )

    def action_publish_stock(self):
        """Have the stock published in the background at once."""
        self.write({"next_stock_date": fields.Datetime.now(), "is_publishing_stock": True})
        self.env.ref(
            "oms_channels.ir_cron_publish_stock"
        ).sudo()._trigger()  # sudo: ir.cron - waking it is all it can do
        return notification(self.env._("The stock is being published in the background."))

    @api.model
    def _cron_publish_stock(self):
        """Queue what changed since it was published last, for each channel that is due."""
        channels = self.search(
            Domain("provider", "!=", False)
            & Domain("is_publishing_stock", "=", True)
            & Domain("next_stock_date", "<=", fields.Datetime.now())
        )
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(channels))
        for channel in channels:
            if not channel._is_inbox_behind():
                channel._queue_stock()
                channel.next_stock_date = fields.Datetime.now() + timedelta(minutes=channel.stock_interval)
            if not cron._commit_progress(1):
                break

    def _is_inbox_behind(self):
        """Return whether orders wait in the inbox: their goods would be told as free. Not for ever: a sold-out product
        must stop selling even if the inbox is stuck."""
        self.ensure_one()
        patience = fields.Datetime.now() - timedelta(minutes=MAX_DELAYS * self.stock_interval)
        if self.next_stock_date < patience:
            return False
        waiting = [("channel_id", "=", self.id), ("state", "=", "pending")]
        return bool(self.env["oms.channel.message"].search_count(waiting, limit=1))

    def _queue_stock(self):
        """Queue the changed quantities of one channel; one waiting push per channel is enough, the next sees more.

        :return: the new pushes
        """
        self.ensure_one()
        Push = self.env["oms.channel.push"]
        if Push.search_count(
            [("channel_id", "=", self.id), ("kind", "=", "stock"), ("state", "=", "pending")], limit=1
        ):
            return Push
        levels = self._get_stock_levels()
        return Push.create(
            [
                {
                    "channel_id": self.id,
                    "kind": "stock",
                    "idempotency_key": f"stock-{uuid.uuid4().hex}",
                    "payload": {"levels": chunk},
                }
                for chunk in map(list, split_every(CHUNK_SIZE, levels))
            ]
        )

    def _get_stock_levels(self):
        """Return [[listing id, quantity], ...] of the listings whose quantity is not what was published last.

        Zero goes first: what is sold out must stop selling before anything else is told.
        """
        listings = self.env["oms.channel.listing"].search(
            [
                ("channel_id", "=", self.id),
                ("product_id.is_storable", "=", True),
                ("is_publishing", "=", True),
                ("is_active", "=", True),
            ]
        )
        quantities = self._get_publishable_quantities(listings.product_id)
        levels = []
        for listing in listings:
            quantity = quantities[listing.product_id.id]
            if (
                not listing.published_date
                or listing.publish_error
                or float_compare(quantity, listing.published_quantity, precision_digits=2)
            ):
                levels.append([listing.id, quantity])
        return sorted(levels, key=lambda level: (level[1], level[0]))

    def _get_publishable_quantities(self, products):
        """Return {product id: whole units that may be sold}: sellable in the channel's warehouses, less what orders of
        any channel want that are here but not confirmed yet. To be extended by addons that reserve or cap."""
        self.ensure_one()
        quantities = defaultdict(float)
        for (product_id, _warehouse_id), quantity in products._oms_get_sellable_quantities(
            self._get_warehouses()
        ).items():
            quantities[product_id] += quantity
        wanted = self.env["sale.order.line"]._read_group(
            [
                ("order_id.channel_id", "!=", False),
                ("state", "in", ("draft", "sent")),
                ("company_id", "=", self.company_id.id),
                ("product_id", "in", products.ids),
            ],
            ["product_id", "product_uom_id"],
            ["product_uom_qty:sum"],
        )
        for product, uom, quantity in wanted:
            quantities[product.id] -= uom._compute_quantity(quantity, product.uom_id)
        return defaultdict(
            float,
            {
                key: max(float_round(value, precision_digits=0, rounding_method="DOWN"), 0.0)
                for key, value in quantities.items()
            },
        )
