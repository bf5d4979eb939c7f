from collections import defaultdict

from odoo import models
from odoo.tools import SQL


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _oms_get_sellable_quantities(self, warehouses):
        """Return what may still be promised of these products: on hand in the warehouses and not reserved.

        `oms_allocation` overrides it to take off what is promised but not reserved yet.

        :param warehouses: stock.warehouse records
        :return: dict {(product id, warehouse id): quantity in the product's unit}; what is not there is 0
        """
        quantities = defaultdict(float)
        if self.ids and warehouses.ids:
            for product_id, warehouse_id, quantity in self._query_unreserved_quantities(warehouses):
                quantities[product_id, warehouse_id] = quantity
        return quantities

    def _oms_note_stock_change(self):
        """Called with the products of which more or less may be sold from now on, by whatever changes that: stock,
        reservations, orders, what is kept for others. To be extended by who tells others of it."""

    def _query_unreserved_quantities(self, warehouses):
        """Return rows (product id, warehouse id, quantity). Read without the rights of the reader: a reviewer who may
        not read stock must still learn whether an order can be sent."""
        self.env["stock.quant"].flush_model(["product_id", "location_id", "quantity", "reserved_quantity"])
        self.env["stock.location"].flush_model(["usage", "warehouse_id"])
        return self.env.execute_query(
            SQL(
                """
                SELECT quant.product_id, location.warehouse_id,
                       SUM(quant.quantity - COALESCE(quant.reserved_quantity, 0))::float8
                  FROM stock_quant quant
                  JOIN stock_location location ON location.id = quant.location_id
                 WHERE quant.product_id = ANY(%s) AND location.warehouse_id = ANY(%s) AND location.usage = 'internal'
                 GROUP BY quant.product_id, location.warehouse_id
                """,
                self.ids,
                warehouses.ids,
            )
        )

    def _oms_filter_from_stock(self):
        """Return the products that come from the shelf of a warehouse; others go a way of their own to the buyer."""
        own = self.env["stock.route"]._oms_get_buyer_route_ids()
        if not own:
            return self
        # Of the templates, where these fields are stored: of many products it is asked for every batch.
        templates = self.product_tmpl_id
        categories = {
            category.id for category in templates.categ_id if not own.isdisjoint(category.total_route_ids._ids)
        }
        others = {
            template.id
            for template in templates
            if template.categ_id.id in categories or not own.isdisjoint(template.route_ids._ids)
        }
        return self.filtered(lambda product: product.product_tmpl_id.id not in others) if others else self
