from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL


class OmsStockDrift(models.Model):
    """Stock: what it says is reserved, and what transfers say they have reserved of it."""

    _inherit = "oms.stock.drift"

    @api.model
    def _check_stock(self):
        """Compare reservations with transfers and with what is on hand; Odoo's own clean-up repairs the former."""
        domain = Domain("kind", "in", ("reserved", "oversold"))
        drifts = self._settle(self._find_in_stock(), domain, is_repairing=False)
        if drifts.filtered(lambda drift: drift.kind == "reserved"):
            self.env["stock.quant"]._clean_reservations()
            self._settle(self._find_in_stock(), domain, is_repairing=True)

    @api.model
    def _find_in_stock(self):
        """Return {key: values of a finding} of what is wrong with the stock now."""
        self.env["stock.quant"].flush_model()
        self.env["stock.move.line"].flush_model()
        found = {}
        for kind, rows in (("reserved", self._query_reserved()), ("oversold", self._query_oversold())):
            for product_id, location_id, expected, seen, warehouse_id, company_id, order_id in rows:
                found[f"{kind}/{product_id}/{location_id}"] = {
                    "kind": kind,
                    "order_id": order_id,
                    "product_id": product_id,
                    "location_id": location_id,
                    "warehouse_id": warehouse_id,
                    "company_id": company_id,
                    "expected": expected,
                    "found": seen,
                }
        return found

    def _query_reserved(self):
        """Return rows (product, location, reserved by transfers, reserved on quants, warehouse, company, order) where
        the two differ for any lot, package and owner; summed over those that do."""
        return self.env.execute_query(
            SQL(
                """
                WITH entry AS (
                    SELECT product_id, location_id, lot_id, package_id, owner_id,
                           reserved_quantity::float8 AS on_quants, 0::float8 AS on_lines
                      FROM stock_quant WHERE reserved_quantity <> 0
                 UNION ALL
                    SELECT line.product_id, line.location_id, line.lot_id, line.package_id, line.owner_id,
                           0, line.quantity_product_uom
                      FROM stock_move_line line
                      JOIN product_product product ON product.id = line.product_id
                      JOIN product_template template ON template.id = product.product_tmpl_id AND template.is_storable
                     WHERE line.state IN ('assigned', 'partially_available', 'waiting', 'confirmed')
                       AND line.quantity_product_uom <> 0
                ), place AS (
                    SELECT product_id, location_id, SUM(on_lines) AS on_lines, SUM(on_quants) AS on_quants
                      FROM entry GROUP BY product_id, location_id, lot_id, package_id, owner_id
                    HAVING ABS(SUM(on_lines) - SUM(on_quants)) > 0.0001
                )
                SELECT place.product_id, place.location_id, SUM(place.on_lines), SUM(place.on_quants),
                       location.warehouse_id, location.company_id, %s
                  FROM place JOIN stock_location location ON location.id = place.location_id
                 WHERE location.usage IN ('internal', 'transit')
                 GROUP BY place.product_id, place.location_id, location.warehouse_id, location.company_id
                """,
                self._get_order_sql("place"),
            )
        )

    def _query_oversold(self):
        """Return rows (product, location, on hand, reserved, warehouse, company, order) where more is reserved."""
        return self.env.execute_query(
            SQL(
                """
                SELECT quant.product_id, quant.location_id, SUM(quant.quantity)::float8,
                       SUM(quant.reserved_quantity)::float8, location.warehouse_id, location.company_id, %s
                  FROM stock_quant quant JOIN stock_location location ON location.id = quant.location_id
                 WHERE location.usage = 'internal'
                 GROUP BY quant.product_id, quant.location_id, location.warehouse_id, location.company_id
                HAVING SUM(quant.reserved_quantity) > GREATEST(SUM(quant.quantity), 0) + 0.0001
                """,
                self._get_order_sql("quant"),
            )
        )

    @api.model
    def _get_order_sql(self, table):
        """Return the subselect of the order that reserved last of what ``table`` says: where to look first."""
        return SQL(
            """(SELECT sale_line.order_id
                  FROM stock_move_line line
                  JOIN stock_move move ON move.id = line.move_id
                  JOIN sale_order_line sale_line ON sale_line.id = move.sale_line_id
                 WHERE line.product_id = %s AND line.location_id = %s AND line.state NOT IN ('done', 'cancel')
                 ORDER BY line.id DESC LIMIT 1)""",
            SQL.identifier(table, "product_id"),
            SQL.identifier(table, "location_id"),
        )
