from collections import defaultdict

from odoo import models
from odoo.tools import SQL


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _oms_get_sellable_quantities(self, warehouses):
        """Override of `oms_base`: only what a delivery can be reserved from, less all that others wait for.

        On hand below the stock location of the warehouse, less reserved, less what confirmed moves take out of there
        but have not reserved yet, less what allocations promise that are not procured yet. It does not call `super`:
        the same rows would be read twice. A negative number says how much more is promised than is there.
        """
        quantities = defaultdict(float)
        if self.ids and warehouses.ids:
            for product_id, warehouse_id, quantity in self._query_sellable_quantities(warehouses):
                quantities[product_id, warehouse_id] = quantity
        return quantities

    def _query_sellable_quantities(self, warehouses):
        """Return rows (product id, warehouse id, quantity): one read, however many products and warehouses."""
        self.env["stock.quant"].flush_model(["product_id", "location_id", "quantity", "reserved_quantity"])
        self.env["stock.move"].flush_model(
            ["product_id", "location_id", "location_dest_id", "state", "product_qty", "product_uom_qty", "quantity"]
        )
        self.env["oms.allocation"].flush_model(["product_id", "warehouse_id", "state", "quantity", "procured_quantity"])
        self.env["oms.warehouse.rejection"].flush_model(["product_id", "warehouse_id", "blocked_quantity"])
        self.env["stock.warehouse"].flush_model(["lot_stock_id"])
        self.env["stock.location"].flush_model(["parent_path", "usage"])
        return self.env.execute_query(
            SQL(
                """
                WITH place AS (
                    SELECT location.id, warehouse.id AS warehouse_id
                      FROM stock_warehouse warehouse
                      JOIN stock_location root ON root.id = warehouse.lot_stock_id
                      JOIN stock_location location ON location.parent_path LIKE root.parent_path || '%%'
                     WHERE warehouse.id = ANY(%(warehouse_ids)s) AND location.usage = 'internal'
                )
                SELECT product_id, warehouse_id, SUM(quantity)::float FROM (
                    SELECT quant.product_id, place.warehouse_id,
                           COALESCE(quant.quantity, 0) - quant.reserved_quantity AS quantity
                      FROM stock_quant quant
                      JOIN place ON place.id = quant.location_id
                     WHERE quant.product_id = ANY(%(product_ids)s)
                 UNION ALL
                    SELECT move.product_id, place.warehouse_id,
                           - move.product_qty * (1 - COALESCE(move.quantity, 0) / move.product_uom_qty)
                      FROM stock_move move
                      JOIN place ON place.id = move.location_id
                     WHERE move.product_id = ANY(%(product_ids)s)
                       AND move.state IN ('confirmed', 'partially_available') AND move.product_uom_qty <> 0
                       AND NOT EXISTS (
                               SELECT FROM place target
                                WHERE target.id = move.location_dest_id AND target.warehouse_id = place.warehouse_id
                           )
                 UNION ALL
                    SELECT product_id, warehouse_id, COALESCE(procured_quantity, 0) - quantity
                      FROM oms_allocation
                     WHERE product_id = ANY(%(product_ids)s) AND warehouse_id = ANY(%(warehouse_ids)s)
                       AND state = 'planned'
                 UNION ALL
                    SELECT product_id, warehouse_id, - blocked_quantity
                      FROM oms_warehouse_rejection
                     WHERE product_id = ANY(%(product_ids)s) AND warehouse_id = ANY(%(warehouse_ids)s)
                       AND blocked_quantity > 0
                ) entries
                GROUP BY product_id, warehouse_id
                """,
                product_ids=self.ids,
                warehouse_ids=warehouses.ids,
            )
        )
