from odoo import api, fields, models
from odoo.tools import SQL


class OmsStockPool(models.Model):
    """What pools claim of the stock that is read: how much they want, what their owners had, and who waits for it."""

    _inherit = "oms.stock.pool"

    @api.model
    def _add_wants(self, stock, products, warehouses):
        """Add to ``stock`` what the pools want of it: no query without pools, one for quotas, one for categories."""
        now = fields.Datetime.now()
        specs = self._get_live_specs(now)
        if not specs:
            return
        quotas = [spec for spec in specs if spec.is_quota]
        by_category = products._oms_group_by_category([scope for spec in specs for scope in spec.scopes])
        for company, places in warehouses.grouped("company_id").items():
            claims = [spec.prepare_claims(now) for spec in specs if spec.company_id == company.id]
            stock.add_wants(claims, by_category, places.ids)
        if quotas:
            self._count_taken(stock, quotas, products, warehouses)

    @api.model
    def _count_taken(self, stock, quotas, products, warehouses):
        """Note in the wants of ``stock`` what owners of quotas have had, in the order in which these are filled."""
        for warehouse_id, product_id, pool_ids, quantity in self._query_taken(quotas, products, warehouses):
            key = (warehouse_id, product_id)
            for number, want in enumerate(stock.wants.get(key, ())):
                if want.pool_id in pool_ids and quantity > 0:
                    room = quantity if want.share else max(want.quantity - want.taken, 0)
                    part = min(room, quantity)
                    stock.note_taken(key, number, part)
                    quantity -= part

    @api.model
    def _add_waiting(self, stock, products, warehouses, without=None):
        """Have those who wait for ``stock`` wait for what they may take: it was taken off for all.

        :param without: sale.order records whose waiting was not taken off
        """
        specs = self._get_live_specs(fields.Datetime.now())
        rows = self._query_waiting(specs, products, warehouses, without)
        places = stock.wants.keys() | {key for promised in stock.promised.values() for key in promised}
        waiting = [
            ((warehouse_id, product_id), frozenset(pool_ids or ()), quantity)
            for warehouse_id, product_id, pool_ids, quantity in rows
            if (warehouse_id, product_id) in places
        ]
        for key, _pool_ids, quantity in waiting:
            stock[key] = stock.get(key, 0.0) + quantity
        for key, pool_ids, quantity in waiting:
            stock.wait(key, pool_ids, quantity)

    @api.model
    def _get_quota_sql(self, specs):
        """Return the rows (pool id, start, channel ids, customer group ids) of pools."""
        return SQL(", ").join(
            SQL(
                "(%s, %s::timestamp, %s::int[], %s::int[])",
                *(spec.id, spec.start_date, list(spec.channel_ids), list(spec.category_ids)),
            )
            for spec in specs
        ) or SQL("(0, NULL::timestamp, '{}'::int[], '{}'::int[])")

    @api.model
    def _query_waiting(self, specs, products, warehouses, without=None):
        """Return rows (warehouse id, product id, ids of the pools that are theirs or None, quantity) of what orders of
        channels wait for and have not reserved."""
        products._oms_flush_stock()
        return self.env.execute_query(
            SQL(
                """
                WITH %(place)s, %(asked)s, pool (id, start_date, channel_ids, category_ids) AS (VALUES %(rows)s),
                waiting AS (
                    SELECT place.warehouse_id, move.product_id, line.order_id,
                           move.product_qty * (1 - COALESCE(move.quantity, 0) / move.product_uom_qty) AS quantity
                      FROM stock_move move
                      JOIN asked ON asked.id = move.product_id
                      JOIN place ON place.id = move.location_id AND NOT place.is_blocked
                      JOIN sale_order_line line ON line.id = move.sale_line_id
                     WHERE move.state IN ('confirmed', 'partially_available') AND move.product_uom_qty <> 0
                       AND NOT EXISTS (
                               SELECT FROM place target
                                WHERE target.id = move.location_dest_id AND target.warehouse_id = place.warehouse_id
                           )
                 UNION ALL
                    SELECT warehouse_id, product_id, order_id, quantity - COALESCE(procured_quantity, 0)
                      FROM oms_allocation
                      JOIN asked ON asked.id = product_id
                     WHERE state = 'planned' AND warehouse_id = ANY(%(warehouse_ids)s)
                )
                SELECT warehouse_id, product_id, pool_ids, SUM(quantity)::float8
                  FROM (
                    SELECT waiting.*, (
                        SELECT array_agg(pool.id ORDER BY pool.id) FROM pool
                         WHERE o.channel_id = ANY(pool.channel_ids) OR EXISTS (
                                SELECT FROM res_partner_res_partner_category_rel tag
                                 WHERE tag.partner_id = partner.commercial_partner_id
                                   AND tag.category_id = ANY(pool.category_ids)
                            )
                           ) AS pool_ids
                      FROM waiting
                      JOIN sale_order o ON o.id = waiting.order_id
                      JOIN res_partner partner ON partner.id = o.partner_id
                     WHERE o.channel_id IS NOT NULL AND o.id <> ALL(%(without)s)
                       ) owned
                 GROUP BY warehouse_id, product_id, pool_ids
                HAVING SUM(quantity) > 0
                 ORDER BY warehouse_id, product_id, pool_ids NULLS FIRST
                """,
                place=products._oms_get_place_sql(warehouses),
                rows=self._get_quota_sql(specs),
                asked=products._oms_get_asked_sql(),
                warehouse_ids=warehouses.ids,
                without=without.ids if without else [],
            )
        )

    @api.model
    def _query_taken(self, quotas, products, warehouses):
        """Return rows (warehouse id, product id, ids of the quotas that it counts for, quantity) of what was allocated
        or promised to owners since the start of their quotas."""
        self.env["oms.allocation"].flush_model(
            ["product_id", "warehouse_id", "channel_id", "state", "quantity", "shortage_quantity"]
        )
        self.env["oms.stock.promise"].flush_model()
        self.env["sale.order"].flush_model(["partner_id"])
        self.env["res.partner"].flush_model(["commercial_partner_id", "category_id"])
        return self.env.execute_query(
            SQL(
                """
                WITH %(asked)s, quota (pool_id, start_date, channel_ids, category_ids) AS (VALUES %(rows)s)
                SELECT warehouse_id, product_id, pool_ids, SUM(quantity)::float8
                  FROM (
                    SELECT taken.warehouse_id, taken.product_id, taken.quantity, (
                        SELECT array_agg(quota.pool_id ORDER BY quota.pool_id) FROM quota
                         WHERE taken.date >= quota.start_date AND (
                                o.channel_id = ANY(quota.channel_ids) OR EXISTS (
                                    SELECT FROM res_partner_res_partner_category_rel tag
                                     WHERE tag.partner_id = partner.commercial_partner_id
                                       AND tag.category_id = ANY(quota.category_ids)
                                ))
                           ) AS pool_ids
                      FROM (
                        SELECT order_id, warehouse_id, product_id,
                               quantity - COALESCE(shortage_quantity, 0) AS quantity, create_date AS date
                          FROM oms_allocation
                          JOIN asked ON asked.id = product_id
                         WHERE state <> 'cancelled' AND create_date >= %(start)s
                           AND warehouse_id = ANY(%(warehouse_ids)s)
                     UNION ALL
                        SELECT order_id, warehouse_id, product_id, quantity, create_date
                          FROM oms_stock_promise
                          JOIN asked ON asked.id = product_id
                         WHERE state = 'active' AND expire_date > %(now)s AND create_date >= %(start)s
                           AND warehouse_id = ANY(%(warehouse_ids)s)
                         ) taken
                      JOIN sale_order o ON o.id = taken.order_id
                      JOIN res_partner partner ON partner.id = o.partner_id
                       ) owned
                 WHERE pool_ids IS NOT NULL
                 GROUP BY warehouse_id, product_id, pool_ids
                """,
                rows=self._get_quota_sql(quotas),
                asked=products._oms_get_asked_sql(),
                warehouse_ids=warehouses.ids,
                start=min(spec.start_date for spec in quotas),
                now=fields.Datetime.now(),
            )
        )
