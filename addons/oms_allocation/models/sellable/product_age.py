from odoo import fields, models
from odoo.tools import SQL


class ProductProduct(models.Model):
    """How old what is there is, and how long it keeps. Read only for who looks at it."""

    _inherit = "product.product"

    # === HOW LONG IT KEEPS === #

    def _query_fresh_quantities(self, warehouses, days, without=None, is_waiting_counted=True):
        """Return rows (product id, warehouse id, quantity) of what keeps for ``days`` and is not bound for others who
        demand it as well. Only of products that expire.

        :param without: sale.order records whose own waiting demand does not count
        """
        self._oms_flush_stock()
        self.env["oms.channel"].flush_model(["min_shelf_life_days"])
        self.env["res.partner"].flush_model(["oms_min_shelf_life_days", "commercial_partner_id", "category_id"])
        self.env["res.partner.category"].flush_model(["oms_min_shelf_life_days"])
        return self.env.execute_query(
            SQL(
                """
                WITH %(place)s, %(asked)s, bound AS (
                    SELECT order_id, product_id, warehouse_id, quantity - COALESCE(procured_quantity, 0) AS quantity
                      FROM oms_allocation
                     WHERE %(is_waiting_counted)s AND state = 'planned' AND order_id <> ALL(%(order_ids)s)
                       AND warehouse_id = ANY(%(warehouse_ids)s)
                 UNION ALL
                    SELECT order_id, product_id, warehouse_id, quantity
                      FROM oms_stock_promise
                     WHERE state = 'active' AND expire_date > %(now)s
                       AND warehouse_id = ANY(%(warehouse_ids)s)
                )
                SELECT product_id, warehouse_id, SUM(quantity)::float8 FROM (
                    SELECT quant.product_id, place.warehouse_id,
                           CASE WHEN quant.expiration_date IS NULL OR quant.expiration_date >= %(limit)s
                                THEN COALESCE(quant.quantity, 0) - quant.reserved_quantity ELSE 0 END AS quantity
                      FROM stock_quant quant
                      JOIN place ON place.id = quant.location_id
                      JOIN expiring ON expiring.id = quant.product_id
                     WHERE NOT place.is_blocked AND NOT %(expired)s
                 UNION ALL
                    SELECT move.product_id, place.warehouse_id,
                           - move.product_qty * (1 - COALESCE(move.quantity, 0) / move.product_uom_qty)
                      FROM stock_move move
                      JOIN place ON place.id = move.location_id
                      JOIN expiring ON expiring.id = move.product_id
                 LEFT JOIN sale_order_line line ON line.id = move.sale_line_id
                     WHERE %(is_waiting_counted)s AND move.state IN ('confirmed', 'partially_available')
                       AND move.product_uom_qty <> 0 AND move.oms_min_expiration_date IS NOT NULL
                       AND (line.order_id IS NULL OR line.order_id <> ALL(%(order_ids)s))
                 UNION ALL
                    SELECT bound.product_id, bound.warehouse_id, - bound.quantity
                      FROM bound
                      JOIN expiring ON expiring.id = bound.product_id
                      JOIN sale_order o ON o.id = bound.order_id
                      JOIN oms_channel channel ON channel.id = o.channel_id
                      JOIN res_partner contact ON contact.id = o.partner_id
                      JOIN res_partner buyer ON buyer.id = contact.commercial_partner_id
                     WHERE channel.min_shelf_life_days > 0 OR buyer.oms_min_shelf_life_days > 0 OR EXISTS (
                               SELECT FROM res_partner_res_partner_category_rel tagged
                                 JOIN res_partner_category tag ON tag.id = tagged.category_id
                                WHERE tagged.partner_id = buyer.id AND tag.oms_min_shelf_life_days > 0
                           )
                ) entries
                GROUP BY product_id, warehouse_id
                """,
                place=self._oms_get_place_sql(warehouses),
                expired=self._oms_get_expired_sql(),
                limit=self.env["sale.order"]._oms_get_min_expiration(days),
                asked=self._oms_get_asked_sql(),
                warehouse_ids=warehouses.ids,
                order_ids=without.ids if without else [],
                is_waiting_counted=is_waiting_counted,
                now=fields.Datetime.now(),
            )
        )

    # === CHOSEN LOTS === #

    def _query_lot_quantities(self, warehouses, lots):
        """Return rows (lot id, warehouse id, quantity not reserved) of ``lots`` of these products."""
        self._oms_flush_stock()
        return self.env.execute_query(
            SQL(
                """
                WITH %(place)s, %(asked)s
                SELECT quant.lot_id, place.warehouse_id, SUM(quant.quantity - quant.reserved_quantity)::float8
                  FROM stock_quant quant
                  JOIN asked ON asked.id = quant.product_id
                  JOIN place ON place.id = quant.location_id
                 WHERE quant.lot_id = ANY(%(lot_ids)s) AND NOT place.is_blocked AND NOT %(expired)s
                 GROUP BY quant.lot_id, place.warehouse_id
                """,
                place=self._oms_get_place_sql(warehouses),
                asked=self._oms_get_asked_sql(),
                lot_ids=lots.ids,
                expired=self._oms_get_expired_sql(),
            )
        )

    # === HOW OLD IT IS === #

    def _oms_get_ages(self, warehouses, kind):
        """Return {(warehouse id, product id): [(ordinal of the day or None, quantity not reserved), ...]}, the oldest
        first: one query.

        :param kind: "expiry" for the day that goods expire, "received" for the day they came in
        """
        ages = {}
        if self.ids and warehouses.ids:
            for product_id, warehouse_id, day, quantity in self._query_ages(warehouses, kind):
                ages.setdefault((warehouse_id, product_id), []).append((day and day.toordinal(), quantity))
        return ages

    def _query_ages(self, warehouses, kind):
        """Return rows (product id, warehouse id, day, quantity), the oldest first."""
        self._oms_flush_stock()
        self.env["stock.quant"].flush_model(["in_date"])
        return self.env.execute_query(
            SQL(
                """
                WITH %(place)s, %(asked)s
                SELECT quant.product_id, place.warehouse_id, quant.%(date)s::date AS day,
                       SUM(quant.quantity - quant.reserved_quantity)::float8
                  FROM stock_quant quant
                  JOIN asked ON asked.id = quant.product_id
                  JOIN place ON place.id = quant.location_id
                 WHERE NOT place.is_blocked AND NOT %(expired)s
                 GROUP BY quant.product_id, place.warehouse_id, day
                HAVING SUM(quant.quantity - quant.reserved_quantity) > 0
                 ORDER BY quant.product_id, place.warehouse_id, day NULLS LAST
                """,
                place=self._oms_get_place_sql(warehouses),
                date=SQL.identifier({"expiry": "expiration_date", "received": "in_date"}[kind]),
                expired=self._oms_get_expired_sql(),
                asked=self._oms_get_asked_sql(),
            )
        )
