from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from .terms import Pool, trim


class OmsGift(models.Model):
    _inherit = "oms.gift"

    def _query_take_turn(self):
        """Make whoever else gives this limited gift wait until this transaction ends, and then count again.

        A lock alone would not do: who waited for it still sees the numbers of before. A changed row makes PostgreSQL
        refuse the other transaction, which is then tried again on fresh numbers. Lines may still refer to the row.
        """
        self.flush_recordset(["serial"])
        self.env.execute_query(
            SQL("UPDATE oms_gift SET serial = COALESCE(serial, 0) + 1 WHERE id IN %s RETURNING id", tuple(self.ids))
        )
        self.invalidate_recordset(["serial"], flush=False)


class SaleOrder(models.Model):
    """Limits of gifts: in all, per buyer, and what stock there is."""

    _inherit = "sale.order"

    def _oms_limit_gifts(self, action, wanted):
        """Return ``wanted`` cut to the limits of the action's gift.

        Who already has the gift keeps it before others get it, then the older order comes first: judging again takes
        nothing from one order for another.

        :param wanted: dict {order: {product id: quantity}}
        """
        gift = action.gift_id
        if not wanted or not (gift._is_limited() or gift.is_while_stock_lasts):
            return wanted
        had = self._oms_get_given_quantities(action)
        if gift._is_limited() and any(
            sum(quantities.values()) > sum(had.get(order, {}).values()) for order, quantities in wanted.items()
        ):
            gift._query_take_turn()
        gone = set((self - self._oms_filter_unreleased())._ids)
        queue = sorted(wanted, key=lambda order: (order not in had, order.id))
        if gift.is_while_stock_lasts:
            wanted = self.browse([order.id for order in queue])._oms_limit_to_stock(wanted, had, gone)
        if not gift._is_limited():
            return wanted
        total = gift.max_quantity - self._oms_count_given(action) if gift.max_quantity else float("inf")
        buyers = self._oms_count_given_by_buyer(action) if gift.max_per_buyer else {}
        limited = {}
        for order in queue:
            buyer = order.partner_id.commercial_partner_id
            limit = min(total, gift.max_per_buyer - buyers.get(buyer, 0.0) if gift.max_per_buyer else total)
            quantities = trim(wanted.get(order, {}), limit)
            # What is with the warehouse is given, earned or not.
            used = sum((had.get(order, {}) if order.id in gone else quantities).values())
            total -= used
            buyers[buyer] = buyers.get(buyer, 0.0) + used
            if quantities:
                limited[order] = quantities
        return limited

    def _oms_get_given_quantities(self, action):
        """Return what these orders have by ``action``: {order: {product id: quantity}}."""
        given = {}
        for line in self._get_gift_lines(action):
            if line.product_uom_qty:
                quantities = given.setdefault(line.order_id, {})
                quantities[line.product_id.id] = quantities.get(line.product_id.id, 0.0) + line.product_uom_qty
        return given

    def _get_given_domain(self, action):
        """Return the Domain of the lines by which the gift of ``action`` was given, but for those now being judged."""
        judged = self._get_gift_lines(action)
        return (
            Domain("oms_gift_id", "=", action.gift_id.id)
            & Domain("state", "!=", "cancel")
            & Domain("id", "not in", judged.ids)
        )

    def _oms_count_given(self, action):
        rows = self.env["sale.order.line"]._read_group(self._get_given_domain(action), [], ["product_uom_qty:sum"])
        return rows[0][0] or 0.0

    def _oms_count_given_by_buyer(self, action):
        """Return {commercial partner: quantity} for the buyers of these orders."""
        buyers = self.partner_id.commercial_partner_id
        rows = self.env["sale.order.line"]._read_group(
            self._get_given_domain(action) & Domain("order_partner_id.commercial_partner_id", "in", buyers.ids),
            ["order_partner_id"],
            ["product_uom_qty:sum"],
        )
        given = {}
        for partner, quantity in rows:
            buyer = partner.commercial_partner_id
            given[buyer] = given.get(buyer, 0.0) + quantity
        return given

    # === WHILE STOCK LASTS === #

    def _oms_limit_to_stock(self, wanted, had, gone):
        """Return ``wanted`` cut to what the warehouses of the channels can send, these orders served in their order."""
        products = self.env["product.product"].browse({pid for quantities in wanted.values() for pid in quantities})
        warehouses = {channel: channel._get_warehouses() for channel in self.channel_id}
        groups = self._oms_get_sellable_quantities(products)
        views = {order: number for number, (orders, _quantities) in enumerate(groups) for order in orders}
        promised = self._oms_get_promised_quantities()
        pool = Pool(*(quantities for _orders, quantities in groups))
        for product, warehouse, quantity in self._oms_get_promised_gifts(products):
            pool.promise(product.id, warehouse.id, quantity)
        limited = {}
        for order in self:
            if order.id in gone:
                limited[order] = wanted[order]
                continue
            own = had.get(order, {}) if order.state == "sale" else self._oms_sum_promised(promised.get(order.id, {}))
            ids = warehouses.get(order.channel_id, order.warehouse_id).ids
            if quantities := order._oms_take_gifts(pool, views[order], ids, wanted[order], own):
                limited[order] = quantities
        return limited

    @api.model
    def _oms_sum_promised(self, promised):
        """Return {product id: quantity} of what is bound for one order, in all warehouses."""
        own = {}
        for (product_id, _warehouse_id), quantity in promised.items():
            own[product_id] = own.get(product_id, 0.0) + quantity
        return own

    def _oms_take_gifts(self, pool, view, warehouse_ids, wanted, own):
        """Return what there is of ``wanted`` for one order, and take it.

        :param view: number of the view on ``pool`` that the order has
        :param own: dict {product id: quantity} that is bound for the order, and so is not among what is free
        """
        self.ensure_one()
        own = dict(own)
        if self.state != "sale":
            # Goods that are bought come before gifts.
            for line in self.order_line:
                if line.product_id.id in wanted and not line.oms_gift_id:
                    pieces = line._oms_get_pieces()
                    mine = min(own.get(line.product_id.id, 0.0), pieces)
                    own[line.product_id.id] = own.get(line.product_id.id, 0.0) - mine
                    pool.take(line.product_id.id, warehouse_ids, pieces - mine, view)
        taken = {}
        for product_id, quantity in wanted.items():
            mine = min(own.get(product_id, 0.0), quantity)
            if found := mine + pool.take(product_id, warehouse_ids, quantity - mine, view):
                taken[product_id] = found
        return taken

    def _oms_get_promised_gifts(self, products):
        """Return rows (product, warehouse, quantity) of the gifts in orders that are not confirmed, but for these."""
        return self.env["sale.order.line"]._read_group(
            [
                ("oms_gift_id", "!=", False),
                ("product_id", "in", products.ids),
                ("state", "in", ("draft", "sent")),
                ("order_id", "not in", self.ids),
            ],
            ["product_id", "warehouse_id"],
            ["product_uom_qty:sum"],
        )
