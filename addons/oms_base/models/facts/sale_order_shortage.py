import itertools
from collections import defaultdict

from odoo import api, fields, models

from .sql_fact import by_compute


class SaleOrder(models.Model):
    """Facts about what the warehouses can send."""

    _inherit = "sale.order"

    oms_has_shortage = fields.Boolean(
        string="Short of Stock",
        compute="_compute_oms_has_shortage",
        search=by_compute("oms_has_shortage"),
        help="An order not confirmed yet that the warehouses of its channel can't fill together.",
    )
    oms_shortage = fields.Json(string="Missing Quantities", compute="_compute_oms_has_shortage")

    @api.depends(
        "state",
        "channel_id",
        "company_id",
        *(f"order_line.{name}" for name in ("product_id", "product_uom_id", "product_uom_qty")),
    )
    def _compute_oms_has_shortage(self):
        self.oms_has_shortage = False
        self.oms_shortage = False
        open_orders = self.filtered(lambda order: order.state in ("draft", "sent") and order.channel_id)
        for channel, orders in open_orders.grouped("channel_id").items():
            warehouses = channel._get_warehouses()
            demands = {order: order._get_storable_demand() for order in orders}
            products = self.env["product.product"].union(*itertools.chain(*demands.values()))
            sellable = defaultdict(float)
            for (product_id, _warehouse_id), quantity in products._oms_get_sellable_quantities(warehouses).items():
                sellable[product_id] += quantity
            for order, demand in demands.items():
                missing = [
                    {"product": product.display_name, "ordered": quantity, "sellable": sellable[product.id]}
                    for product, quantity in demand.items()
                    if product.uom_id.compare(quantity, sellable[product.id]) > 0
                ]
                order.oms_has_shortage = bool(missing)
                order.oms_shortage = missing

    def _get_storable_demand(self):
        """Return {product: quantity} of `_get_component_demand`, what is kept in stock only."""
        return {
            product: quantity
            for product, quantity in self._get_component_demand().items()
            if product.is_storable and product.uom_id.compare(quantity, 0) > 0
        }

    def _get_component_demand(self):
        """Return {product: quantity in the product's unit} that one order takes from stock, a bundle as what is in it.

        Summed over all lines: two lines of one product, or a product and a bundle with it, share its stock.
        """
        self.ensure_one()
        demand = defaultdict(float)
        for line in self.order_line:
            if line.product_id and not line.display_type:
                quantity = line.product_uom_id._compute_quantity(line.product_uom_qty, line.product_id.uom_id)
                for product, needed in line.product_id._oms_explode(quantity).items():
                    demand[product] += needed
        return dict(demand)
