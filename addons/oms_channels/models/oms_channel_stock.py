import uuid
from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import float_compare, ormcache, split_every

from odoo.addons.oms_base.tools import notification

# Levels told in one call: shops limit the size of theirs, and one refused call must not hold up all.
CHUNK_SIZE = 100
# Publishing waits for the inbox at most this many intervals.
MAX_DELAYS = 3
# So long after a change it is told, together with what changed besides.
INSTANT_SECONDS = 1


class OmsChannel(models.Model):
    """Stock publishing: what may be sold, told to the shop where it changed."""

    _name = "oms.channel"
    _inherit = ["oms.channel", "oms.stock.rule.mixin"]
    # What the base keeps cached, and whether there is anybody to tell of stock at all.
    _oms_cached_fields = frozenset(
        ("active", "company_id", "is_publishing_stock", "is_stock_instant", "provider", "warehouse_ids")
    )

    is_publishing_stock = fields.Boolean(
        string="Publish Stock", help="Tell the shop how many of each listing it may sell."
    )
    is_stock_instant = fields.Boolean(
        string="Publish Changes at Once",
        default=True,
        help="Stock that changed is told within seconds; the interval below is then only a safety net.",
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

    # === WAKING === #

    @api.model
    def _wake_stock_publishing(self):
        """Have changed stock published soon after this transaction: asked once, when it is committed."""
        hooks = self.env.cr.precommit
        if "oms_stock_changed" not in hooks.data and self._is_any_instant():
            hooks.data["oms_stock_changed"] = True
            hooks.add(self._trigger_stock_publishing)

    @api.model
    def _trigger_stock_publishing(self):
        """Changes of the same moment are told together."""
        # sudo: ir.cron - waking it is all it can do
        cron_sudo = self.env.ref("oms_channels.ir_cron_publish_stock").sudo()
        cron_sudo._trigger(at=fields.Datetime.now() + timedelta(seconds=INSTANT_SECONDS))

    @api.model
    @ormcache()
    def _is_any_instant(self):
        """Return whether any channel wants to be told at once: if none does, changed stock costs nothing."""
        # sudo: oms.channel - the answer is kept for all users
        return bool(
            self.sudo().search_count(self._get_publishing_domain() & Domain("is_stock_instant", "=", True), limit=1)
        )

    # === PUBLISHING === #

    @api.model
    def _get_publishing_domain(self):
        return Domain("provider", "!=", False) & Domain("is_publishing_stock", "=", True)

    @api.model
    def _cron_publish_stock(self):
        """Queue what changed since it was published last, for each channel that is due."""
        now = fields.Datetime.now()
        is_due = Domain("next_stock_date", "<=", now) | Domain("is_stock_instant", "=", True)
        channels = self.search(self._get_publishing_domain() & is_due)
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(channels))
        for channel in channels:
            if channel._is_inbox_behind():
                # What sells out is told at once; what would be raised waits, or goods of waiting orders were told free.
                channel._queue_stock(only_less=True)
                channel._trigger_stock_publishing()
            else:
                channel._queue_stock()
                if channel.next_stock_date <= now:
                    channel.next_stock_date = now + timedelta(minutes=channel.stock_interval)
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

    def _queue_stock(self, only_less=False):
        """Queue the changed quantities of one channel; one waiting push per channel is enough, the next sees more.

        :param only_less: leave out what is more than was published last
        :return: the new pushes
        """
        self.ensure_one()
        Push = self.env["oms.channel.push"]
        if Push.search_count(
            [("channel_id", "=", self.id), ("kind", "=", "stock"), ("state", "=", "pending")], limit=1
        ):
            return Push
        levels = self._get_stock_levels(only_less=only_less)
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

    def _get_stock_levels(self, only_less=False):
        """Return [[listing id, quantity], ...] of the listings whose quantity is not what was published last.

        Zero goes first: what is sold out must stop selling before anything else is told.
        """
        listings = self.env["oms.channel.listing"].search(
            [
                ("channel_id", "=", self.id),
                ("product_id", "!=", False),
                ("is_publishing", "=", True),
                ("is_active", "=", True),
            ]
        )
        levels = []
        for listing, quantity in self._get_listing_quantities(listings).items():
            order = float_compare(quantity, listing.published_quantity, precision_digits=2)
            is_new = not listing.published_date or listing.publish_error
            if (order or is_new) and not (only_less and order >= 0):
                levels.append([listing.id, quantity])
        return sorted(levels, key=lambda level: (level[1], level[0]))

    def _get_listing_quantities(self, listings):
        """Return {listing: whole units that may be sold} of what is kept in stock, by the rule of the listing or else
        of this channel."""
        self.ensure_one()
        free, rule = self._get_free_quantities(listings.product_id), self._get_stock_rule()
        return {
            listing: (listing._get_stock_rule() if listing.has_own_stock_rule else rule).apply(free[product_id])
            for listing in listings
            if (product_id := listing.product_id.id) in free
        }

    def _get_publishable_quantities(self, products):
        """Return {product id: whole units that may be sold} by the rule of this channel; 0 of what is not in stock."""
        rule = self._get_stock_rule()
        free = self._get_free_quantities(products)
        return defaultdict(float, {product_id: rule.apply(quantity) for product_id, quantity in free.items()})

    def _get_free_quantities(self, products):
        """Return {product id: quantity} of what is sellable in the channel's warehouses, less what orders of any
        channel want that are here but not confirmed yet; it may be below 0. A bundle is as many as its scarcest part
        allows. What is not kept in stock is left out. To be extended by addons that reserve or cap.
        """
        self.ensure_one()
        parts = {product: product._oms_explode(1.0) for product in products}
        components = products.union(*(self.env["product.product"].union(*needs) for needs in parts.values()))
        free = defaultdict(float)
        sellable = self._get_sellable_quantities(components)
        for (product_id, _warehouse_id), quantity in sellable.items():
            free[product_id] += quantity
        for product, quantity in self._get_waiting_demand().items():
            free[product.id] -= quantity
        for product_id, quantity in self._get_promised_demand().items():
            free[product_id] += quantity
        return {
            product.id: min(free[part.id] / needed for part, needed in needs.items())
            for product, needs in parts.items()
            if needs and all(part.is_storable and needed > 0 for part, needed in needs.items())
        }

    def _get_waiting_demand(self):
        """Return {product: quantity in its unit}: what orders of channels that are not confirmed yet want, bundles as
        what is in them."""
        demand = defaultdict(float)
        for product, uom, quantity in self.env["sale.order.line"]._read_group(
            [
                ("order_id.channel_id", "!=", False),
                ("state", "in", ("draft", "sent")),
                ("company_id", "=", self.company_id.id),
                ("product_id", "!=", False),
                ("display_type", "=", False),
            ],
            ["product_id", "product_uom_id"],
            ["product_uom_qty:sum"],
        ):
            for part, needed in product._oms_explode(uom._compute_quantity(quantity, product.uom_id)).items():
                demand[part] += needed
        return demand
