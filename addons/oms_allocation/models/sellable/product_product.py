from collections import defaultdict

from odoo import api, fields, models
from odoo.tools import SQL

from .stock import WHOLE, Stock, group_alike, spread


class ProductProduct(models.Model):
    """What is there of products, read at once for any number of products and warehouses."""

    _inherit = "product.product"

    def _oms_get_sellable_quantities(self, warehouses):
        """Override of `oms_base`: only what a delivery can be reserved from, less all that others wait for.

        On hand below the stock location of the warehouse, but for what is not for sale there or past its removal date,
        less reserved, less what confirmed moves take out of there but have not reserved yet, less what allocations
        promise that are not procured yet, less what is promised to orders before that, less the safety stock. It does
        not call `super`: the same rows would be read twice. A negative number says how much more is promised than is
        there. What pools keep is part of it: ask a channel or an order for what it may take.
        """
        stock = self._oms_get_stock(warehouses)
        total = stock.get_total()
        return defaultdict(float, {(product_id, warehouse_id): q for (warehouse_id, product_id), q in total.items()})

    def _oms_get_stock(self, warehouses, lives=(), orders=None, waiting=None, is_waiting_counted=True):
        """Return the `stock.Stock` of these products: one query, and one for each of what is in use of quotas, minimum
        lives and promises, however many products and warehouses.

        :param lives: days that goods must keep, as far as anybody demands it
        :param orders: sale.order records whose promises are to be given back to them
        :param waiting: dict {(warehouse id, product id): quantity} that ``orders`` themselves wait for: it is theirs
        :param is_waiting_counted: take off what others wait for; not where these very moves are to be reserved
        """
        stock = Stock()
        if not self.ids or not warehouses.ids:
            return stock
        rows = self._query_sellable_quantities(warehouses, is_waiting_counted)
        stock.update({(warehouse_id, product_id): quantity for product_id, warehouse_id, quantity, _there in rows})
        for key, kept in self._oms_get_safety(rows, warehouses).items():
            stock[key] -= kept
        for key, quantity in (waiting or {}).items():
            stock[key] = stock.get(key, 0.0) + quantity
        self.env["oms.stock.pool"]._add_wants(stock, self, warehouses)
        if orders:
            ids = set(self.ids)
            for promise in orders._oms_get_promises():
                if promise.product_id.id in ids:
                    promised = stock.promised.setdefault(promise.line_id.id, {})
                    key = (promise.warehouse_id.id, promise.product_id.id)
                    promised[key] = promised.get(key, 0.0) + promise.quantity
        if (stock.wants or stock.promised) and is_waiting_counted:
            self.env["oms.stock.pool"]._add_waiting(stock, self, warehouses, orders if waiting else None)
        for days in sorted({days for days in lives if days}):
            fresh = stock.fresh[days] = {}
            rows = self._query_fresh_quantities(warehouses, days, orders if waiting else None, is_waiting_counted)
            for product_id, warehouse_id, quantity in rows:
                fresh[warehouse_id, product_id] = quantity
        return stock

    def _oms_get_safety(self, rows, warehouses):
        """Return {(warehouse id, product id): quantity} of the safety stock: no more than is there and not reserved,
        as nothing can be kept of what is not there.

        :param rows: see `_query_sellable_quantities`
        """
        kept = {}  # {warehouse id: {product id: quantity}}
        for company, scopes in self.env["oms.stock.safety"]._get_scopes():
            ids = warehouses.filtered(lambda warehouse, id_=company: warehouse.company_id.id == id_).ids
            by_category = self._oms_group_by_category(scopes)
            for alike in group_alike(scopes, ids):
                kept.update(dict.fromkeys(alike, spread(scopes, by_category, alike[0])))
        return {
            (warehouse_id, product_id): min(keep, there)
            for product_id, warehouse_id, _quantity, there in (rows if kept else ())
            if there > 0 and (keep := kept.get(warehouse_id, {}).get(product_id))
        }

    def _oms_get_kits(self):
        """Return {kit: {part: quantity in one}} of those of these products that are kits, as far as the stock of their
        parts is counted."""
        found = {}
        for product in self._oms_filter_kits():
            parts = {part: needed for part, needed in product._oms_explode(1.0).items() if part.is_storable}
            if parts:
                found[product] = parts
        return found

    def _oms_group_by_category(self, scopes):
        """Return {category id: product ids in it and below}, with 0 for all products, as `stock.spread` asks for."""
        grouped = defaultdict(list, {0: self.ids})
        if any(scope.category_id for scope in scopes):
            wanted = {scope.category_id for scope in scopes}
            for parent_path, product_ids in self._query_categories():
                for category_id in wanted.intersection(map(int, parent_path.rstrip("/").split("/"))):
                    grouped[category_id] += product_ids
        return grouped

    def _oms_add_expected(self, view, warehouses):
        """Add to ``view`` the part that may be sold of what is on its way."""
        rules = self.env["stock.warehouse"]._oms_get_incoming_rules()
        rules = {id_: rule for id_, rule in rules.items() if id_ in warehouses.ids}
        if not rules or not self.ids:
            return
        for product_id, warehouse_id, quantity in self._query_expected_quantities(warehouses, rules):
            part = quantity * rules[warehouse_id][1] // WHOLE
            view[warehouse_id, product_id] = view.get((warehouse_id, product_id), 0.0) + part

    @api.model
    def _oms_search_scoped(self, scopes, company_ids):
        """Return the products that ``scopes`` name, and those they are about without naming them, as far as any is on
        hand."""
        ids = {scope.product_id for scope in scopes if scope.product_id}
        if not all(scope.product_id for scope in scopes):
            category_ids = {scope.category_id for scope in scopes if not scope.product_id}
            ids.update(id_ for (id_,) in self._query_stocked_products(company_ids, category_ids))
        return self.browse(sorted(ids))

    # === QUERIES === #

    @api.model
    def _query_stocked_products(self, company_ids, category_ids):
        """Return rows (product id) of what companies have on hand, of some categories; 0 among them means all."""
        self.env["stock.quant"].flush_model(["product_id", "location_id", "quantity", "company_id"])
        # sudo: product.category - what is kept does not depend on who looks
        below = self.env["product.category"].sudo().search([("id", "child_of", list(category_ids - {0}))]).ids
        return self.env.execute_query(
            SQL(
                """SELECT DISTINCT product.id
                     FROM product_product product
                     JOIN product_template template ON template.id = product.product_tmpl_id
                     JOIN stock_quant quant ON quant.product_id = product.id
                     JOIN stock_location location ON location.id = quant.location_id AND location.usage = 'internal'
                    WHERE quant.quantity > 0 AND quant.company_id = ANY(%s)
                      AND (%s OR template.categ_id = ANY(%s))""",
                company_ids,
                0 in category_ids,
                below,
            )
        )

    def _query_categories(self):
        """Return rows (path of a category, ids of the products in it)."""
        return self.env.execute_query(
            SQL(
                """WITH %s
                   SELECT category.parent_path, array_agg(product.id)
                     FROM asked
                     JOIN product_product product ON product.id = asked.id
                     JOIN product_template template ON template.id = product.product_tmpl_id
                     JOIN product_category category ON category.id = template.categ_id
                    GROUP BY category.id""",
                self._oms_get_asked_sql(),
            )
        )

    def _oms_flush_stock(self):
        """Write what the queries of the stock rest on."""
        self.env["stock.quant"].flush_model(
            ["product_id", "location_id", "lot_id", "quantity", "reserved_quantity", "removal_date", "expiration_date"]
        )
        self.env["stock.move"].flush_model(
            [
                *("product_id", "location_id", "location_dest_id", "location_final_id", "state", "date"),
                *("product_qty", "product_uom_qty", "quantity", "oms_min_expiration_date"),
            ]
        )
        self.env["oms.allocation"].flush_model(
            ["product_id", "warehouse_id", "state", "quantity", "procured_quantity", "shortage_quantity"]
        )
        self.env["oms.stock.promise"].flush_model(
            ["product_id", "warehouse_id", "line_id", "state", "quantity", "expire_date"]
        )
        self.env["oms.warehouse.rejection"].flush_model(["product_id", "warehouse_id", "blocked_quantity"])
        self.env["stock.warehouse"].flush_model(["lot_stock_id"])
        self.env["stock.location"].flush_model(["parent_path", "usage"])
        self.env["product.template"].flush_model(["use_expiration_date", "categ_id"])

    def _oms_get_asked_sql(self):
        """Return the common tables ``asked``, these products, and ``expiring``, those of them that expire.

        The ids are one text: of a list, the driver would adapt and PostgreSQL parse and estimate each.
        """
        return SQL(
            """
            asked AS (SELECT unnest(%s::int[]) AS id),
            expiring AS (
                SELECT product.id
                  FROM asked
                  JOIN product_product product ON product.id = asked.id
                  JOIN product_template template ON template.id = product.product_tmpl_id
                 WHERE template.use_expiration_date
            )
            """,
            f"{{{','.join(map(str, self.ids))}}}",
        )

    def _oms_get_place_sql(self, warehouses):
        """Return the common table ``place``: the locations that goods are sold from, and whose they are."""
        return SQL(
            """
            place AS (
                SELECT location.id, warehouse.id AS warehouse_id, location.id = ANY(%(blocked)s) AS is_blocked
                  FROM stock_warehouse warehouse
                  JOIN stock_location root ON root.id = warehouse.lot_stock_id
                  JOIN stock_location location ON location.parent_path LIKE root.parent_path || '%%'
                 WHERE warehouse.id = ANY(%(warehouse_ids)s) AND location.usage = 'internal'
            )
            """,
            blocked=list(self.env["stock.location"]._oms_get_blocked_ids()),
            warehouse_ids=warehouses.ids,
        )

    def _oms_get_expired_sql(self):
        """Return the condition on ``quant`` that Odoo would not reserve it any more: what has no date, it would. The
        query has the common table ``expiring``."""
        return SQL(
            "(COALESCE(quant.removal_date < %s, FALSE) AND quant.product_id IN (SELECT id FROM expiring))",
            fields.Datetime.now(),
        )

    def _query_sellable_quantities(self, warehouses, is_waiting_counted=True):
        """Return rows (product id, warehouse id, quantity, what of it is there and not reserved): one read, however
        many products and warehouses."""
        self._oms_flush_stock()
        return self.env.execute_query(
            SQL(
                """
                WITH %(place)s, %(asked)s
                SELECT product_id, warehouse_id, SUM(quantity), COALESCE(SUM(quantity) FILTER (WHERE is_there), 0)
                  FROM (
                    SELECT quant.product_id, place.warehouse_id,
                           (COALESCE(quant.quantity, 0) - quant.reserved_quantity)::float8 AS quantity, TRUE AS is_there
                      FROM stock_quant quant
                      JOIN asked ON asked.id = quant.product_id
                      JOIN place ON place.id = quant.location_id
                     WHERE NOT place.is_blocked AND NOT %(expired)s
                 UNION ALL
                    SELECT move.product_id, place.warehouse_id,
                           - move.product_qty * (1 - COALESCE(move.quantity, 0) / move.product_uom_qty), FALSE
                      FROM stock_move move
                      JOIN asked ON asked.id = move.product_id
                      JOIN place ON place.id = move.location_id
                     WHERE %(is_waiting_counted)s AND NOT place.is_blocked
                       AND move.state IN ('confirmed', 'partially_available') AND move.product_uom_qty <> 0
                       AND NOT EXISTS (
                               SELECT FROM place target
                                WHERE target.id = move.location_dest_id AND target.warehouse_id = place.warehouse_id
                           )
                 UNION ALL
                    SELECT product_id, warehouse_id, COALESCE(procured_quantity, 0) - quantity, FALSE
                      FROM oms_allocation
                      JOIN asked ON asked.id = product_id
                     WHERE %(is_waiting_counted)s AND state = 'planned' AND warehouse_id = ANY(%(warehouse_ids)s)
                 UNION ALL
                    SELECT product_id, warehouse_id, - quantity, FALSE
                      FROM oms_stock_promise
                      JOIN asked ON asked.id = product_id
                     WHERE state = 'active' AND expire_date > %(now)s AND warehouse_id = ANY(%(warehouse_ids)s)
                 UNION ALL
                    SELECT product_id, warehouse_id, - blocked_quantity, FALSE
                      FROM oms_warehouse_rejection
                      JOIN asked ON asked.id = product_id
                     WHERE blocked_quantity > 0 AND warehouse_id = ANY(%(warehouse_ids)s)
                ) entries
                GROUP BY product_id, warehouse_id
                """,
                place=self._oms_get_place_sql(warehouses),
                expired=self._oms_get_expired_sql(),
                is_waiting_counted=is_waiting_counted,
                asked=self._oms_get_asked_sql(),
                warehouse_ids=warehouses.ids,
                now=fields.Datetime.now(),
            )
        )

    def _query_expected_quantities(self, warehouses, rules):
        """Return rows (product id, warehouse id, quantity) of what is on its way into the warehouses in time.

        :param rules: dict {warehouse id: (days, share)}
        """
        self._oms_flush_stock()
        today = fields.Datetime.now()
        limits = [(id_, fields.Datetime.add(today, days=days)) for id_, (days, _share) in rules.items()]
        return self.env.execute_query(
            SQL(
                """
                WITH %(place)s, %(asked)s
                SELECT move.product_id, place.warehouse_id, SUM(move.product_qty)
                  FROM stock_move move
                  JOIN asked ON asked.id = move.product_id
                  JOIN place ON place.id = COALESCE(move.location_final_id, move.location_dest_id)
                  JOIN (VALUES %(limits)s) rule (warehouse_id, until) ON rule.warehouse_id = place.warehouse_id
                 WHERE move.date <= rule.until AND NOT place.is_blocked
                   AND %(arriving)s
                 GROUP BY move.product_id, place.warehouse_id
                """,
                place=self._oms_get_place_sql(warehouses),
                limits=SQL(", ").join(SQL("(%s, %s::timestamp)", *limit) for limit in limits),
                arriving=self._oms_get_arriving_sql(),
                asked=self._oms_get_asked_sql(),
            )
        )

    def _query_arrivals(self, warehouses, until):
        """Return rows (product id, warehouse id, date, quantity) of what comes into the warehouses until then, the last
        step of each way once."""
        self._oms_flush_stock()
        return self.env.execute_query(
            SQL(
                """
                WITH %s, %s
                SELECT move.product_id, place.warehouse_id, move.date, move.product_qty::float8
                  FROM stock_move move
                  JOIN asked ON asked.id = move.product_id
                  JOIN place ON place.id = COALESCE(move.location_final_id, move.location_dest_id)
                 WHERE move.date <= %s AND NOT place.is_blocked AND %s
                 ORDER BY move.date, move.id
                """,
                self._oms_get_place_sql(warehouses),
                self._oms_get_asked_sql(),
                until,
                self._oms_get_arriving_sql(),
            )
        )

    def _query_next_receipts(self, warehouses):
        """Return rows (product id, warehouse id, date, transfer id) of what comes next into each warehouse."""
        if not self.ids or not warehouses.ids:
            return []
        self._oms_flush_stock()
        self.env["stock.move"].flush_model(["picking_id"])
        return self.env.execute_query(
            SQL(
                """
                WITH %s, %s
                SELECT DISTINCT ON (move.product_id, place.warehouse_id)
                       move.product_id, place.warehouse_id, move.date, move.picking_id
                  FROM stock_move move
                  JOIN asked ON asked.id = move.product_id
                  JOIN place ON place.id = COALESCE(move.location_final_id, move.location_dest_id)
                 WHERE NOT place.is_blocked AND %s
                 ORDER BY move.product_id, place.warehouse_id, move.date, move.id
                """,
                self._oms_get_place_sql(warehouses),
                self._oms_get_asked_sql(),
                self._oms_get_arriving_sql(),
            )
        )

    def _oms_get_arriving_sql(self):
        """Return the condition on ``move`` into ``place`` that it brings goods which are not there yet, and that no
        earlier step of the same way is counted besides."""
        return SQL(
            """(move.state NOT IN ('draft', 'cancel', 'done')
                AND NOT EXISTS (
                        SELECT FROM place origin
                         WHERE origin.id = move.location_id AND origin.warehouse_id = place.warehouse_id
                    )
                AND NOT EXISTS (
                        SELECT FROM stock_move_move_rel chain
                          JOIN stock_move earlier ON earlier.id = chain.move_orig_id
                          JOIN place target ON target.id = COALESCE(earlier.location_final_id, earlier.location_dest_id)
                         WHERE chain.move_dest_id = move.id AND earlier.state NOT IN ('draft', 'cancel', 'done')
                           AND target.warehouse_id = place.warehouse_id
                    ))"""
        )
