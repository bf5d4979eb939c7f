import math
from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import ormcache

from .stock import Access


class OmsChannel(models.Model):
    """What one channel may sell: its own pools, what no pool keeps, and what is on its way if it says so."""

    _name = "oms.channel"
    _inherit = "oms.channel"
    _oms_cached_fields = frozenset(("active", "promise_hours"))

    promise_hours = fields.Integer(
        string="Promise Stock For (hours)",
        tracking=True,
        help="Stock is bound for an order that waits (on hold, for payment, for a person) from its review on, for so"
        " long. 0: nothing is bound before the order is allocated.",
    )
    min_shelf_life_days = fields.Integer(
        string="Minimum Shelf Life (days)",
        tracking=True,
        help="Lots that expire earlier than so many days after they leave are neither sold nor reserved for the"
        " channel's orders.",
    )
    is_selling_incoming = fields.Boolean(
        string="Sell What Is on Its Way",
        tracking=True,
        help="Sells what its warehouses expect within the days, and by the part, that each warehouse says. Orders that"
        " bought it wait until it comes.",
    )
    pool_ids = fields.Many2many("oms.stock.pool", string="Pools", readonly=True, copy=False)
    pool_count = fields.Integer(compute="_compute_pool_count")

    _check_promise_hours = models.Constraint(
        "CHECK(promise_hours >= 0 AND min_shelf_life_days >= 0)", "Hours and days can't be negative."
    )

    @api.depends("pool_ids")
    def _compute_pool_count(self):
        for channel in self:
            channel.pool_count = len(channel.pool_ids)

    def action_view_oms_pools(self):
        """Open the pools that are kept for the channel."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_allocation.oms_stock_pool_action")
        return {
            **action,
            "domain": [("channel_ids", "in", self.ids)],
            "context": {"default_channel_ids": self.ids, "default_company_id": self.company_id.id},
        }

    def _get_sellable_quantities(self, products):
        """Override of `oms_base`: without what pools keep for others, without goods that do not keep long enough."""
        self.ensure_one()
        view = self._oms_get_views(products)[self]
        return defaultdict(float, {(product_id, warehouse_id): q for (warehouse_id, product_id), q in view.items()})

    def _oms_get_views(self, products):
        """Return {channel: {(warehouse id, product id): quantity}} of what each of these channels may sell; the stock
        is read once for all of them. Of a kit it is what its scarcest part makes in a warehouse."""
        kits = products._oms_get_kits()
        products |= products.union(*(part for parts in kits.values() for part in parts))
        accesses = {channel: channel._oms_get_access() for channel in self}
        ids_by_channel = {channel: set(channel._get_warehouses().ids) for channel in self}
        warehouses = self.env["stock.warehouse"].browse(sorted(set().union(*ids_by_channel.values())))
        stock = products._oms_get_stock(warehouses, lives={access.min_life_days for access in accesses.values()})
        views = {}
        for channel, access in accesses.items():
            view = stock.view(access)
            if len(ids_by_channel[channel]) < len(warehouses):
                view = {key: quantity for key, quantity in view.items() if key[0] in ids_by_channel[channel]}
            if channel.is_selling_incoming:
                products._oms_add_expected(view, channel._get_warehouses())
            for kit, parts in kits.items():
                for id_ in ids_by_channel[channel]:
                    found = min(view.get((id_, part.id), 0.0) / needed for part, needed in parts.items())
                    view[id_, kit.id] = float(math.floor(found + 1e-6))
            views[channel] = view
        return views

    def _oms_get_access(self):
        """Return the `stock.Access` of somebody in this channel of whom nothing else is known."""
        self.ensure_one()
        now = fields.Datetime.now()
        pools = self.env["oms.stock.pool"]._get_live_specs(now)
        return Access(
            frozenset(pool.id for pool in pools if self.id in pool.channel_ids),
            self.sudo().min_shelf_life_days,  # sudo: oms.channel - what it sells does not depend on who looks
        )

    def _get_promised_demand(self):
        """Override of `oms_base`: the stock that is bound for orders whose goods no warehouse was asked for yet."""
        demand = super()._get_promised_demand()
        if not self._oms_is_any_promising():
            return demand
        Promise_sudo = self.env["oms.stock.promise"].sudo()  # sudo: oms.stock.promise - only sums are told
        domain = Promise_sudo._get_active_domain() & fields.Domain("company_id", "=", self.company_id.id)
        for product, quantity in Promise_sudo._read_group(domain, ["product_id"], ["quantity:sum"]):
            demand[product.id] = demand.get(product.id, 0.0) + quantity
        return demand

    @api.model
    @ormcache()
    def _oms_is_any_promising(self):
        """Whether any channel binds stock before it is allocated, or anything is still bound of one that did: if not,
        nothing is asked for it."""
        # sudo: oms.channel, oms.stock.promise - the answer is kept for all users
        channels_sudo = self.sudo().with_context(active_test=False)
        return bool(
            channels_sudo.search_count([("promise_hours", ">", 0)], limit=1)
            or self.env["oms.stock.promise"].sudo().search_count([("state", "=", "active")], limit=1)
        )
