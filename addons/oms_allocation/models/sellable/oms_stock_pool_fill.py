from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain


class OmsStockPool(models.Model):
    """What a pool holds now, and what its owners had."""

    _inherit = "oms.stock.pool"

    wanted_quantity = fields.Float(
        string="Wanted", digits="Product Unit", compute="_compute_fill", help="What it would hold if enough were there."
    )
    held_quantity = fields.Float(
        string="Holds", digits="Product Unit", compute="_compute_fill", help="What is free now and kept for the owners."
    )
    taken_quantity = fields.Float(
        string="Allocated to Owners", digits="Product Unit", compute="_compute_fill", help="Since the start."
    )
    fill_percent = fields.Float(string="Filled (%)", compute="_compute_fill")

    @api.depends("is_live", "line_ids")
    def _compute_fill(self):
        for pool in self:
            pool.wanted_quantity = sum(pool.line_ids.mapped("wanted_quantity"))
            pool.held_quantity = sum(pool.line_ids.mapped("held_quantity"))
            pool.taken_quantity = sum(pool.line_ids.mapped("taken_quantity"))
            pool.fill_percent = 100 * pool.held_quantity / pool.wanted_quantity if pool.wanted_quantity else 0.0

    def _get_fills(self):
        """Return {pool line id: [(warehouse id, product id, wanted, held, taken), ...]} of these pools.

        By the same arithmetic by which orders are served.
        """
        pools_sudo = self.sudo()  # sudo: stock.quant - who may see the pool may see how full it is
        specs = [spec for spec in self._get_live_specs(fields.Datetime.now()) if spec.id in self._ids]
        fills = defaultdict(list)
        if not specs:
            return fills
        scopes = [scope for spec in specs for scope in spec.scopes]
        products = pools_sudo.env["product.product"]._oms_search_scoped(scopes, pools_sudo.company_id.ids)
        warehouses = pools_sudo.env["stock.warehouse"].search([("company_id", "in", pools_sudo.company_id.ids)])
        stock = products._oms_get_stock(warehouses)
        taken = defaultdict(float)
        for warehouse_id, product_id, pool_ids, quantity in self._query_taken(specs, products, warehouses):
            for pool_id in pool_ids:
                taken[pool_id, warehouse_id, product_id] += quantity
        for key in stock.wants:
            free = max(stock.get(key, 0), 0)
            for want, held in stock.get_fills(key):
                if want.pool_id in self._ids:
                    had = taken[want.pool_id, *key] if want.taken is None else want.taken
                    fills[want.line_id].append((*key, want.count(free), held, had))
        return fills

    def action_view_oms_allocations(self):
        """Open what the owners of these pools were allocated since the start."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_allocation.oms_allocation_action")
        return {**action, "domain": list(Domain.OR(pool._get_taken_domain() for pool in self)), "context": {}}

    def _get_taken_domain(self):
        """Return the domain of the allocations that count as taken from one pool."""
        self.ensure_one()
        owners = Domain("channel_id", "in", self.channel_ids.ids) | Domain(
            "order_id.partner_id.commercial_partner_id.category_id", "in", self.partner_category_ids.ids
        )
        goods = Domain.OR(line._get_goods_domain() for line in self.line_ids)
        return owners & goods & Domain("create_date", ">=", self.start_date) & Domain("state", "!=", "cancelled")


class OmsStockPoolLine(models.Model):
    _inherit = "oms.stock.pool.line"

    wanted_quantity = fields.Float(string="Wanted", digits="Product Unit", compute="_compute_fill")
    held_quantity = fields.Float(string="Holds", digits="Product Unit", compute="_compute_fill")
    taken_quantity = fields.Float(string="Allocated to Owners", digits="Product Unit", compute="_compute_fill")

    @api.depends("product_id", "categ_id", "warehouse_id", "quantity", "share", "pool_id.is_live")
    def _compute_fill(self):
        fills = self.pool_id._origin._get_fills()
        for line in self:
            places = fills.get(line._origin.id, ())
            line.wanted_quantity = float(sum(place[2] for place in places))
            line.held_quantity = float(sum(place[3] for place in places))
            line.taken_quantity = float(sum(place[4] for place in places))

    def _get_goods_domain(self):
        """Return the domain of the allocations of the goods of one line."""
        self.ensure_one()
        domain = Domain("warehouse_id", "=", self.warehouse_id.id) if self.warehouse_id else Domain.TRUE
        if self.product_id:
            return domain & Domain("product_id", "=", self.product_id.id)
        if self.categ_id:
            return domain & Domain("product_id.categ_id", "child_of", self.categ_id.ids)
        return domain
