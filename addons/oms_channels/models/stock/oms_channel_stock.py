import uuid
from collections import defaultdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, float_compare, ormcache, split_every

from odoo.addons.oms_base.tools import notification

from ...stock_rule import StockRule
from .oms_channel_listing_stock import DIGITS

# Levels told in one call: shops limit the size of theirs, and one refused call must not hold up all.
CHUNK_SIZE = 100
# What is more than before waits for the inbox at most this many intervals.
MAX_DELAYS = 3
# The lanes of the outbox that tell of stock, and nothing else: two, so that a slow shop holds up half of the others.
STOCK_LANES = (4, 5)
# What is read of each listing to compare it.
TOLD_FIELDS = (
    "product_id",
    "channel_id",
    "has_own_stock_rule",
    "published_quantity",
    "published_date",
    "publish_error",
    "refused_count",
    "sent_quantity",
    "sent_date",
    "seen_quantity",
    "seen_date",
)
# What of a channel changes how much all of its listings are told.
RULE_FIELDS = frozenset(
    (
        "is_publishing_stock",
        "warehouse_ids",
        "location_ref",
        "stock_safety",
        "stock_percent",
        "stock_plus",
        "stock_minimum",
        "stock_maximum",
    )
)


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    next_stock_date = fields.Datetime(string="Next Publishing", default=fields.Datetime.now, readonly=True, copy=False)


class OmsChannel(models.Model):
    """Stock publishing: what may be sold, told to the shop where it changed."""

    _name = "oms.channel"
    _inherit = ["oms.channel", "oms.stock.rule.mixin"]
    # What the base keeps cached, and who is to be told of changed stock at once.
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

    _check_stock_interval = models.Constraint(
        "CHECK(stock_interval > 0)", "Stock is published every minute at the most."
    )

    def write(self, vals):
        """Another rule is another quantity for every listing."""
        if not RULE_FIELDS.isdisjoint(vals):
            vals = {"next_stock_date": fields.Datetime.now(), **vals}
            self._wake_stock_lanes(self.ids)
        return super().write(vals)

    def action_publish_stock(self):
        """Have the stock published in the background at once."""
        self.write({"next_stock_date": fields.Datetime.now(), "is_publishing_stock": True})
        # What was refused is told once more at once: somebody may have mended it.
        refused = [("channel_id", "in", self.ids), ("refused_count", ">", 0)]
        self.env["oms.channel.listing"].search(refused).refused_count = 0
        return notification(self.env._("The stock is being published in the background."))

    # === WAKING === #

    def _get_stock_lane(self):
        self.ensure_one()
        return STOCK_LANES[self.id % len(STOCK_LANES)]

    @api.model
    def _wake_stock_lanes(self, channel_ids):
        """Have the stock of these channels looked at as soon as this transaction is committed."""
        for lane in {self.browse(channel_id)._get_stock_lane() for channel_id in channel_ids}:
            # sudo: ir.cron - waking it is all it can do
            self.env["oms.channel.push"]._get_lane_cron(lane).sudo()._trigger()

    @api.model
    @ormcache()
    def _get_instant_channel_ids(self):
        """Return the ids of the channels that are told at once: if none is, changed stock costs nothing."""
        # sudo: oms.channel - the answer is kept for all users
        return tuple(self.sudo().search(self._get_publishing_domain() & Domain("is_stock_instant", "=", True)).ids)

    # === PUBLISHING === #

    @api.model
    def _get_publishing_domain(self):
        return Domain("provider", "!=", False) & Domain("is_publishing_stock", "=", True)

    @api.model
    def _queue_changed_stock(self, lane):
        """Queue what changed since it was told last, for each channel of a stock lane; all of it for those whose
        interval is over. No other lane does so, and this one sends what it queued, so nothing changes between."""
        now, changed = fields.Datetime.now(), self._get_changed_channels()
        for channel in self.search(self._get_publishing_domain()):
            if channel._get_stock_lane() != lane:
                continue
            # Who has the row is changing the channel: it is due again in the next run.
            if channel.next_stock_date <= now and channel._try_lock_state():
                channel._queue_stock(is_full=True)
                channel.next_stock_date = now + timedelta(minutes=channel.stock_interval)
            elif channel in changed:
                channel._queue_stock()
            else:
                continue
            self.env["ir.cron"]._commit_progress()

    @api.model
    def _get_changed_channels(self):
        return self.browse(channel.id for (channel,) in self.env["oms.stock.change"]._read_group([], ["channel_id"]))

    def _queue_stock(self, is_full=False):
        """Queue the changed quantities of one channel; a listing that waits to be told already is told the newest then.

        While orders wait in the inbox only less is told, as goods of theirs would be told free: what is more waits
        until the orders that were there are counted. Not for ever: if the inbox is stuck, it is told all the same.

        :param is_full: compare all listings, not only those of what is noted as changed
        :return: the new pushes
        """
        self.ensure_one()
        oldest, newest = self._get_waiting_messages()
        Change = self.env["oms.stock.change"]
        product_ids, ripe_ids = Change._take(self, oldest, MAX_DELAYS * self.stock_interval)
        listings = self._get_told_listings(None if is_full else product_ids)
        free_ids = set(listings.product_id.ids) if not oldest else ripe_ids
        levels, withheld_ids = self._get_stock_levels(listings, free_ids)
        if withheld_ids:
            Change._insert(self.ids, withheld_ids, newest)
        return self._create_stock_pushes(levels, is_full, bool(oldest))

    def _get_waiting_messages(self):
        """Return (id of the oldest, id of the newest) of the messages in the inbox that may bring an order that is not
        here yet, 0 when none does. What else waits, as news of orders that are here, wants no other goods."""
        self.ensure_one()
        [(oldest, newest)] = self.env.execute_query(
            SQL(
                "SELECT MIN(message.id), MAX(message.id) FROM oms_channel_message message"
                " WHERE message.channel_id = %s AND message.state = 'pending' AND %s",
                self.id,
                self.env["oms.channel.message"]._get_new_order_sql(),
            )
        )
        return oldest or 0, newest or 0

    def _get_told_domain(self):
        """Return the domain of the listings of one channel that are told how many may be sold."""
        self.ensure_one()
        return (
            Domain("channel_id", "=", self.id)
            & Domain("product_id", "!=", False)
            & Domain("is_publishing", "=", True)
            & Domain("is_active", "=", True)
        )

    def _get_told_listings(self, product_ids=None):
        """Return the listings that are told how many may be sold: all, or those that have any of these products or are
        a bundle of them, whether the product or the bundle is what changed."""
        domain = self._get_told_domain()
        if product_ids is not None:
            products = self.env["product.product"].browse(product_ids)
            products |= products.browse(part.id for product in products for part in product._oms_explode(1.0))
            domain &= Domain("product_id", "in", (products | products._oms_find_bundles()).ids)
        # All at once: read as they are touched it would be a query for each thousand.
        return self.env["oms.channel.listing"].search_fetch(domain, TOLD_FIELDS)

    def _get_stock_levels(self, listings, free_ids):
        """Return what is not told yet as [[listing id, quantity], ...], and the ids of the products that are to be told
        later. Zero goes first: what is sold out must stop selling before anything else is told.

        :param free_ids: ids of the products of which more may be told than before
        """
        levels, withheld_ids = [], set()
        for listing, quantity in self._get_listing_quantities(listings).items():
            known = listing._get_known_quantity()
            change = 1 if known is None else float_compare(quantity, known, precision_digits=DIGITS)
            if change > 0 and listing.product_id.id not in free_ids and quantity:
                withheld_ids.add(listing.product_id.id)
            elif change and not listing._is_refused(quantity):
                levels.append([listing.id, quantity])
        return sorted(levels, key=lambda level: (level[1], level[0])), withheld_ids

    def _create_stock_pushes(self, levels, is_full, is_less):
        """Queue levels in chunks, without the listings that wait to be told already.

        :param is_full: of a comparison of all: what changes meanwhile overtakes it
        :param is_less: whether orders wait in the inbox: more than this may not be told when it is sent later
        """
        Push = self.env["oms.channel.push"]
        waiting = set(Push._get_pending_listing_ids(self))
        levels = [level for level in levels if level[0] not in waiting]
        listings = self.env["oms.channel.listing"].browse(level[0] for level in levels)
        before = {str(listing.id): listing._get_known_quantity() for listing in listings}
        self.env["oms.channel.listing"]._write_sent(levels)
        return Push.create(
            [
                {
                    "channel_id": self.id,
                    "kind": "stock",
                    "idempotency_key": f"stock-{uuid.uuid4().hex}",
                    "payload": {
                        "levels": chunk,
                        "before": {str(row[0]): before[str(row[0])] for row in chunk},
                        "is_change": not is_full,
                        "is_less": is_less,
                    },
                }
                for chunk in map(list, split_every(CHUNK_SIZE, levels))
            ]
        )

    def _get_listing_quantities(self, listings):
        """Return {listing: whole units that may be sold} of what is kept in stock, by the rule of the listing or else
        of this channel."""
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

    def _get_offered_quantities(self, products):
        """Override of `oms_base`: a shop of our own sells from the same stock as all others, by the same rules. Without
        a rule parts of a unit are offered as well."""
        rule, free = self._get_stock_rule(), self._get_free_quantities(products)
        offered = {
            product_id: max(quantity, 0.0) if rule == StockRule() else rule.apply(quantity)
            for product_id, quantity in free.items()
        }
        return {**super()._get_offered_quantities(products.filtered(lambda row: row.id not in offered)), **offered}

    def _get_free_quantities(self, products):
        """Return {product id: quantity} of what is sellable in the channel's warehouses, less what orders of any
        channel want and no warehouse was asked for yet; it may be below 0. A bundle is as many as its scarcest part
        allows. What is not kept in stock is left out. To be extended by addons that reserve or cap.
        """
        self.ensure_one()
        parts = {product: product._oms_explode(1.0) for product in products}
        components = products.browse(product.id for needs in parts.values() for product in needs)
        free = defaultdict(float)
        sellable = self._get_sellable_quantities(components)
        for (product_id, _warehouse_id), quantity in sellable.items():
            free[product_id] += quantity
        for product, quantity in self._get_waiting_demand(components).items():
            free[product.id] -= quantity
        for product_id, quantity in self._get_promised_demand().items():
            free[product_id] += quantity
        # Asked, not read from each: in one query, however many there are.
        domain = [("id", "in", components.ids), ("is_storable", "=", True)]
        storable_ids = set(components.with_context(active_test=False).search(domain)._ids)
        return {
            product.id: min(free[part.id] / needed for part, needed in needs.items())
            for product, needs in parts.items()
            if needs and all(part.id in storable_ids and needed > 0 for part, needed in needs.items())
        }

    def _get_waiting_demand(self, products):
        """Return {product: quantity in its unit}: what orders of channels want of these and no warehouse was asked for
        yet, bundles as what is in them, summed for each part whatever it is wanted for."""
        demand = defaultdict(float)
        wanted = products | products._oms_find_bundles()
        quantities = dict(self.env["sale.order"]._query_unasked(self.company_id, wanted))
        for product in wanted.filtered(lambda product: product.id in quantities):
            for part, needed in product._oms_explode(quantities[product.id]).items():
                demand[part] += needed
        return demand
