import math
from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from .sql_fact import by_compute

# What of products says how they are stocked: all of their columns, with words in all languages, cost a multiple.
STOCK_FIELDS = ("categ_id", "uom_id", "is_storable")


class SaleOrder(models.Model):
    """Facts about what the warehouses can send."""

    _inherit = "sale.order"

    oms_has_shortage = fields.Boolean(
        string="Short of Stock",
        compute="_compute_oms_has_shortage",
        search=by_compute("oms_has_shortage"),
        help="An order not confirmed yet that the warehouses of its channel can't fill together, and of which nothing"
        " says what is done about it then.",
    )
    oms_shortage = fields.Json(string="Missing Quantities", compute="_compute_oms_has_shortage")

    @api.depends(
        "state",
        "channel_id",
        "company_id",
        *(f"order_line.{name}" for name in ("product_id", "product_uom_id", "product_uom_qty", "route_ids")),
    )
    def _compute_oms_has_shortage(self):
        self.oms_has_shortage = False
        self.oms_shortage = False
        open_orders = self.filtered(lambda order: order.state in ("draft", "sent") and order.channel_id)
        demands = open_orders._get_component_demands()
        products = self.env["product.product"].browse(sorted(set().union(*demands.values())))
        products = products.filtered(lambda product: product.product_tmpl_id.is_storable)
        promised = open_orders._oms_get_promised_quantities()
        short = []
        for orders, quantities in open_orders._oms_get_sellable_quantities(products):
            sellable = dict.fromkeys(products.ids, 0.0)
            for (product_id, _warehouse_id), quantity in quantities.items():
                sellable[product_id] += quantity
            for order in orders:
                own = self._oms_sum_promised(promised.get(order._origin.id, {}))
                if missing := self._get_missing_quantities(demands[order._origin.id], sellable, own):
                    order.oms_shortage = missing
                    short.append(order)
        if short:
            self.browse().union(*short)._oms_filter_undecided().oms_has_shortage = True

    def _oms_filter_undecided(self):
        """Return those of these orders about which a person decides when they are short. To be overridden by addons
        that know what else is done about it."""
        return self

    @api.model
    def _get_missing_quantities(self, demand, sellable, own):
        """Return what of a demand can't be had, as the list of dicts that `oms_shortage` holds.

        :param demand: dict {product id: quantity}
        :param sellable: dict {product id: quantity} of what is kept in stock
        :param own: dict {product id: quantity} of what is bound for the order already
        """
        missing = []
        for product_id, quantity in demand.items():
            # Most is there: that needs no rounding.
            if quantity <= max(sellable.get(product_id, math.inf), 0):
                continue
            product, bound = self.env["product.product"].browse(product_id), own.get(product_id, 0.0)
            if product.uom_id.compare(quantity, max(sellable[product_id], 0) + bound) > 0:
                found = sellable[product_id] + bound
                missing.append({"product": product.display_name, "ordered": quantity, "sellable": found})
        return missing

    def _get_component_demands(self):
        """Return {order id: {product id: quantity in the product's unit}} that these orders take from stock, a bundle
        as what is in it.

        Summed over all lines of an order: two lines of one product, or a product and a bundle with it, share its stock.
        """
        demands = {order_id: defaultdict(float) for order_id in self._origin.ids}
        # One order is about to be confirmed, and its lines are read anyway; of many nothing else is needed.
        rows = self._get_demand() if len(self) == 1 else self._query_demand()
        products = self.env["product.product"].browse({product_id for _order_id, product_id, _uom_id, _qty in rows})
        if len(self) > 1:
            products.fetch(["product_tmpl_id"])
            products.product_tmpl_id.fetch(STOCK_FIELDS)
        parts, units = {}, {}
        for product in products._oms_filter_from_stock():
            parts[product.id] = [(part.id, needed) for part, needed in product._oms_explode(1.0).items()]
            units[product.id] = product.product_tmpl_id.uom_id
        for order_id, product_id, uom_id, quantity in rows:
            if product_id not in parts:
                continue
            if uom_id != units[product_id].id:
                quantity = self.env["uom.uom"].browse(uom_id)._compute_quantity(quantity, units[product_id])
            for part_id, needed in parts[product_id]:
                demands[order_id][part_id] += quantity * needed
        return demands

    def _get_demand(self):
        """Return what `_query_demand` does, from the lines as they are known here."""
        return [
            (order_id, line.product_id.id, line.product_uom_id.id, line.product_uom_qty)
            for order_id, order in zip(self._origin.ids, self, strict=True)
            for line in order._origin.order_line.sorted(lambda line: line.id)
            if line.product_id and not line.display_type and not line.route_ids
        ]

    def _query_demand(self):
        """Return rows (order id, product id, unit id, quantity), one for each line of goods without a route of its
        own."""
        ids = self._origin.ids
        routes = self.env["sale.order.line"]._fields["route_ids"]
        return ids and self.env.execute_query(
            SQL(
                "SELECT order_id, product_id, product_uom_id, product_uom_qty::float8 FROM sale_order_line line"
                " WHERE order_id = ANY(%s) AND product_id IS NOT NULL AND display_type IS NULL"
                " AND NOT EXISTS (SELECT FROM %s own WHERE %s = line.id) ORDER BY id",
                ids,
                SQL.identifier(routes.relation),
                SQL.identifier("own", routes.column1),
                to_flush=self._get_source_fields(
                    "sale.order.line", "order_id", "product_id", "product_uom_id", "product_uom_qty", "display_type"
                ),
            )
        )
