from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

KINDS = [
    ("on_hand", "On Hand"),
    ("not_for_sale", "Not for Sale"),
    ("expired", "Past Its Date"),
    ("reserved", "Reserved"),
    ("waiting", "Waited For"),
    ("planned", "Planned"),
    ("promised", "Promised"),
    ("rejected", "Rejected, to Be Counted"),
    ("safety", "Safety Stock"),
    ("pool", "Held by a Pool"),
    ("incoming", "Expected"),
    ("transfer", "Between Warehouses"),
    ("unconfirmed", "Not Asked For Yet"),
]
KIND_NUMBERS = {kind: number for number, (kind, _label) in enumerate(KINDS)}
# What the last four say is known, but takes nothing off what can be promised.
UNCOUNTED = ("pool", "incoming", "transfer", "unconfirmed")


class OmsStockEntry(models.Model):
    """Where every unit is bound: a row for each thing that adds to what can be promised, or takes off it.

    The counted rows of a product in a warehouse add up to its sellable quantity. Nothing is stored: the rows are read
    from quants, transfers, allocations and promises when somebody looks.
    """

    _name = "oms.stock.entry"
    _description = "Stock Picture"
    _inherit = ["oms.stock.rows.mixin"]
    _oms_parts = ("stock.warehouse", "oms.stock.pool")
    _auto = False
    _order = "date, id"
    _rec_name = "product_id"

    kind = fields.Selection(KINDS, readonly=True)
    is_counted = fields.Boolean(
        string="Counts", readonly=True, help="Adds to what can be promised, or takes off it. Other rows only tell."
    )
    product_id = fields.Many2one("product.product", readonly=True)
    categ_id = fields.Many2one("product.category", string="Category", readonly=True)
    warehouse_id = fields.Many2one("stock.warehouse", readonly=True)
    location_id = fields.Many2one("stock.location", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    channel_id = fields.Many2one("oms.channel", readonly=True)
    order_id = fields.Many2one("sale.order", readonly=True)
    picking_id = fields.Many2one("stock.picking", string="Transfer", readonly=True)
    pool_id = fields.Many2one("oms.stock.pool", readonly=True)
    date = fields.Datetime(readonly=True, help="When it leaves, comes, or ends.")
    quantity = fields.Float(digits="Product Unit", readonly=True, help="Below 0: taken off what can be promised.")

    def action_open(self):
        """Open what binds the goods: the order, the transfer, the pool, or else the stock itself."""
        self.ensure_one()
        record = self.order_id or self.picking_id or self.pool_id
        if record:
            return {
                "type": "ir.actions.act_window",
                "res_model": record._name,
                "res_id": record.id,
                "views": [(False, "form")],
            }
        if self.kind == "safety":
            return self.env["ir.actions.act_window"]._for_xml_id("oms_allocation.oms_stock_safety_action")
        action = self.env["ir.actions.act_window"]._for_xml_id("stock.stock_quant_action")
        domain = Domain("product_id", "=", self.product_id.id)
        if self.location_id:
            domain &= Domain("location_id", "=", self.location_id.id)
        return {**action, "domain": list(domain), "context": {}}

    # === THE ROWS === #

    @property
    def _table_query(self):
        warehouses = self._get_warehouses()
        products = self.env["product.product"]
        products._oms_flush_stock()
        self.env["stock.move.line"].flush_model()
        self.env["sale.order.line"].flush_model()
        return SQL(
            """
            WITH %(place)s, expiring AS (
                SELECT product.id
                  FROM product_product product
                  JOIN product_template template ON template.id = product.product_tmpl_id
                 WHERE template.use_expiration_date
            )
            SELECT entry.id, entry.kind, entry.kind <> ALL(%(uncounted)s) AS is_counted, entry.product_id,
                   template.categ_id, entry.warehouse_id, entry.location_id, warehouse.company_id, o.channel_id,
                   entry.order_id, entry.picking_id, entry.pool_id, entry.date, entry.quantity::float8 AS quantity
              FROM (%(rows)s) entry (
                       id, kind, product_id, warehouse_id, location_id, order_id, picking_id, pool_id, date, quantity
                   )
              JOIN stock_warehouse warehouse ON warehouse.id = entry.warehouse_id
              JOIN product_product product ON product.id = entry.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
         LEFT JOIN sale_order o ON o.id = entry.order_id
            """,
            place=products._oms_get_place_sql(warehouses),
            uncounted=list(UNCOUNTED),
            rows=SQL(" UNION ALL ").join(self._get_row_queries(warehouses)),
        )

    @api.model
    def _get_warehouses(self):
        # sudo: stock.warehouse - the rules of this model say which rows are seen
        return self.env["stock.warehouse"].sudo().search([("company_id", "in", self.env.companies.ids)])

    @api.model
    def _get_row_queries(self, warehouses):
        """Return the SELECTs of all rows, each with the columns named in `_table_query`. To be extended by addons that
        bind stock in another way."""
        return [
            *self._get_quant_queries(),
            *self._get_move_queries(),
            *self._get_order_queries(warehouses),
            self._get_kept_query(warehouses),
        ]

    @api.model
    def _get_id_sql(self, kind, column):
        return SQL("%s::bigint * 16 + %s", column, KIND_NUMBERS[kind])

    @api.model
    def _get_quant_queries(self):
        expired = self.env["product.product"]._oms_get_expired_sql()
        base = """
            SELECT %(id)s, %(kind)s, quant.product_id, place.warehouse_id, quant.location_id,
                   NULL::int, NULL::int, NULL::int, %(date)s, %(quantity)s
              FROM stock_quant quant
              JOIN place ON place.id = quant.location_id
             WHERE %(condition)s
        """
        free = SQL("quant.reserved_quantity - quant.quantity")
        kinds = (
            ("on_hand", SQL("quant.quantity"), SQL("quant.in_date"), SQL("quant.quantity <> 0")),
            ("not_for_sale", free, SQL("quant.in_date"), SQL("place.is_blocked")),
            ("expired", free, SQL("quant.removal_date"), SQL("NOT place.is_blocked AND %s", expired)),
        )
        return [
            SQL(
                base,
                id=self._get_id_sql(kind, SQL("quant.id")),
                kind=kind,
                date=date,
                quantity=quantity,
                condition=condition,
            )
            for kind, quantity, date, condition in kinds
        ]

    @api.model
    def _get_move_queries(self):
        arriving = self.env["product.product"]._oms_get_arriving_sql()
        between = SQL("(source.usage = 'transit' OR (source.usage = 'internal' AND source.warehouse_id IS NOT NULL))")
        yield SQL(
            """
            SELECT %s, 'reserved', line.product_id, place.warehouse_id, line.location_id,
                   sale_line.order_id, line.picking_id, NULL::int, move.date, - line.quantity_product_uom
              FROM stock_move_line line
              JOIN place ON place.id = line.location_id
              JOIN stock_move move ON move.id = line.move_id
         LEFT JOIN sale_order_line sale_line ON sale_line.id = move.sale_line_id
             WHERE line.state NOT IN ('done', 'cancel') AND line.quantity_product_uom <> 0
            """,
            self._get_id_sql("reserved", SQL("line.id")),
        )
        yield SQL(
            """
            SELECT %s, 'waiting', move.product_id, place.warehouse_id, move.location_id,
                   sale_line.order_id, move.picking_id, NULL::int, move.date,
                   - move.product_qty * (1 - COALESCE(move.quantity, 0) / move.product_uom_qty)
              FROM stock_move move
              JOIN place ON place.id = move.location_id AND NOT place.is_blocked
         LEFT JOIN sale_order_line sale_line ON sale_line.id = move.sale_line_id
             WHERE move.state IN ('confirmed', 'partially_available') AND move.product_uom_qty <> 0
               AND NOT EXISTS (
                       SELECT FROM place target
                        WHERE target.id = move.location_dest_id AND target.warehouse_id = place.warehouse_id
                   )
            """,
            self._get_id_sql("waiting", SQL("move.id")),
        )
        for kind, condition in (("incoming", SQL("NOT %s", between)), ("transfer", between)):
            yield SQL(
                """
                SELECT %s, %s, move.product_id, place.warehouse_id, move.location_dest_id,
                       NULL::int, move.picking_id, NULL::int, move.date, move.product_qty
                  FROM stock_move move
                  JOIN place ON place.id = COALESCE(move.location_final_id, move.location_dest_id)
                  JOIN stock_location source ON source.id = move.location_id
                 WHERE %s AND %s
                """,
                self._get_id_sql(kind, SQL("move.id")),
                kind,
                arriving,
                condition,
            )

    @api.model
    def _get_order_queries(self, warehouses):
        yield SQL(
            """
            SELECT %s, 'planned', product_id, warehouse_id, NULL::int, order_id, NULL::int, NULL::int, create_date,
                   COALESCE(procured_quantity, 0) - quantity
              FROM oms_allocation
             WHERE state = 'planned' AND warehouse_id = ANY(%s)
            """,
            self._get_id_sql("planned", SQL("id")),
            warehouses.ids,
        )
        yield SQL(
            """
            SELECT %s, 'promised', product_id, warehouse_id, NULL::int, order_id, NULL::int, NULL::int, expire_date,
                   - quantity
              FROM oms_stock_promise
             WHERE state = 'active' AND expire_date > %s AND warehouse_id = ANY(%s)
            """,
            self._get_id_sql("promised", SQL("id")),
            fields.Datetime.now(),
            warehouses.ids,
        )
        yield SQL(
            """
            SELECT %s, 'rejected', product_id, warehouse_id, NULL::int, order_id, NULL::int, NULL::int, create_date,
                   - blocked_quantity
              FROM oms_warehouse_rejection
             WHERE blocked_quantity > 0 AND warehouse_id = ANY(%s)
            """,
            self._get_id_sql("rejected", SQL("id")),
            warehouses.ids,
        )
        yield SQL(
            """
            SELECT %s, 'unconfirmed', line.product_id, o.warehouse_id, NULL::int, o.id, NULL::int, NULL::int,
                   o.date_order,
                   COALESCE(promise.quantity, 0) - GREATEST(
                       line.product_uom_qty * unit.factor / product_unit.factor
                       - CASE WHEN o.state = 'sale' THEN %s ELSE 0 END, 0
                   )
              FROM sale_order o
              JOIN sale_order_line line ON line.order_id = o.id AND line.display_type IS NULL
              JOIN product_product product ON product.id = line.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id AND template.is_storable
              JOIN uom_uom unit ON unit.id = line.product_uom_id
              JOIN uom_uom product_unit ON product_unit.id = template.uom_id
         LEFT JOIN LATERAL (
                       SELECT SUM(quantity) AS quantity FROM oms_stock_promise
                        WHERE line_id = line.id AND state = 'active' AND expire_date > %s
                   ) promise ON TRUE
             WHERE o.id IN %s AND o.warehouse_id = ANY(%s) AND line.product_uom_qty > 0
            """,
            self._get_id_sql("unconfirmed", SQL("line.id")),
            self.env["sale.order"]._oms_get_asked_sql(),
            fields.Datetime.now(),
            self.env["sale.order"]._oms_get_unasked_sql(),
            warehouses.ids,
        )

    @api.model
    def _get_kept_query(self, warehouses):
        """Return the rows of safety stock and pools, counted by the code that serves orders: they never differ."""
        columns = [[], [], [], [], [], []]
        for kind, *values in self._get_kept_rows(warehouses):
            for column, value in zip(columns, (kind, KIND_NUMBERS[kind], *values), strict=True):
                column.append(value)
        row_id = self._get_row_id_sql(SQL("product_id"), SQL("warehouse_id"), SQL("COALESCE(pool_id, 0)"))
        return SQL(
            """
            SELECT %s * 16 + number, kind, product_id, warehouse_id, NULL::int, NULL::int, NULL::int, pool_id,
                   NULL::timestamp, quantity
              FROM unnest(%s::text[], %s::int[], %s::int[], %s::int[], %s::int[], %s::float8[])
                   kept (kind, number, product_id, warehouse_id, pool_id, quantity)
            """,
            row_id,
            *columns,
        )

    @api.model
    def _get_kept_rows(self, warehouses):
        """Return [(kind, product id, warehouse id, pool id or None, quantity)] of the products that are asked about."""
        Safety, Pool = self.env["oms.stock.safety"], self.env["oms.stock.pool"]
        companies = set(warehouses.company_id.ids)
        safeties = [scopes for company, scopes in Safety._get_scopes() if company in companies]
        pools = [spec for spec in Pool._get_live_specs(fields.Datetime.now()) if spec.company_id in companies]
        rows = []
        if safeties:
            scopes = [scope for of_company in safeties for scope in of_company]
            products = self._filter_asked(self.env["product.product"]._oms_search_scoped(scopes, list(companies)))
            kept = products._oms_get_safety(products._query_sellable_quantities(warehouses), warehouses)
            rows += [("safety", product_id, id_, None, -quantity) for (id_, product_id), quantity in kept.items()]
        if pools:
            scopes = [scope for spec in pools for scope in spec.scopes]
            products = self._filter_asked(self.env["product.product"]._oms_search_scoped(scopes, list(companies)))
            stock = products._oms_get_stock(warehouses)
            for warehouse_id, product_id in stock.wants:
                for want, held in stock.get_fills((warehouse_id, product_id)):
                    if held:
                        rows.append(("pool", product_id, warehouse_id, want.pool_id, -held))
        return rows

    @api.model
    def _get_products_of_rows(self, ids):
        """Override: of safety stock and pools, all other rows are found by the database."""
        kept = (KIND_NUMBERS["safety"], KIND_NUMBERS["pool"])
        return super()._get_products_of_rows([id_ // 16 for id_ in ids if id_ % 16 in kept])
