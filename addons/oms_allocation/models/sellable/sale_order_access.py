from collections import defaultdict

from odoo import api, fields, models

from .stock import Access


class SaleOrder(models.Model):
    """What stock an order may take: of which pools, and how long it must keep."""

    _inherit = "sale.order"

    def _oms_get_sellable_quantities(self, products):
        """Override of `oms_base`: by the pools and the minimum life of each order; one read for all."""
        plain = self.filtered(lambda order: not order.channel_id)
        groups = super(SaleOrder, plain)._oms_get_sellable_quantities(products) if plain else []
        orders_by_key = defaultdict(self.browse)
        accesses = (self - plain)._oms_get_accesses()
        for order, access in accesses.items():
            orders_by_key[order.channel_id, access] |= order
        channels = (self - plain).channel_id
        warehouses = self.env["stock.warehouse"].union(*(channel._get_warehouses() for channel in channels))
        stock = products._oms_get_stock(warehouses, lives={access.min_life_days for access in accesses.values()})
        for (channel, access), orders in orders_by_key.items():
            ids = set(channel._get_warehouses().ids)
            view = {key: quantity for key, quantity in stock.view(access).items() if key[0] in ids}
            if channel.is_selling_incoming:
                products._oms_add_expected(view, channel._get_warehouses())
            quantities = {(product_id, warehouse_id): q for (warehouse_id, product_id), q in view.items()}
            groups.append((orders, defaultdict(float, quantities)))
        return groups

    def _oms_get_accesses(self):
        """Return {order: `stock.Access`}; what is the same for all is asked once."""
        pools = self.env["oms.stock.pool"]._get_live_specs(fields.Datetime.now())
        by_channel = {
            channel: frozenset(pool.id for pool in pools if channel.id in pool.channel_ids)
            for channel in self.channel_id
        }
        lives = self.env["res.partner.category"]._oms_get_lives()
        by_category = {pool.id: pool.category_ids for pool in pools if pool.category_ids}
        is_tag_needed = bool(lives or by_category)
        accesses = {}
        for order in self:
            # sudo: res.partner, oms.channel - what goods an order may take does not depend on who looks
            buyer_sudo = order.sudo().partner_id.commercial_partner_id
            tags = set(buyer_sudo.category_id.ids) if is_tag_needed else set()
            pool_ids = by_channel.get(order.channel_id, frozenset())
            accesses[order] = Access(
                pool_ids | {id_ for id_, category_ids in by_category.items() if category_ids & tags},
                max(
                    order.sudo().channel_id.min_shelf_life_days,
                    buyer_sudo.oms_min_shelf_life_days,
                    *(days for id_, days in lives.items() if id_ in tags),
                ),
            )
        return accesses

    @api.model
    def _oms_get_min_expiration(self, days):
        """Return the earliest expiration date of goods that keep for ``days`` from today on: the same all day, so what
        was counted is what is reserved."""
        return fields.Datetime.add(fields.Datetime.today(), days=days)
