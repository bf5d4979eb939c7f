from odoo import api, fields, models
from odoo.tools import SQL


class OmsConservation(models.Model):
    """Where every ordered unit is: ordered = cancelled + unallocated + allocated + picking + shipped, one row a line.

    Read from lines, allocations, transfers and invoices when somebody looks. A row that does not add up says why.
    """

    _name = "oms.conservation"
    _description = "Order Sums"
    _auto = False
    _order = "id desc"
    _rec_name = "line_id"

    line_id = fields.Many2one("sale.order.line", string="Order Line", readonly=True)
    order_id = fields.Many2one("sale.order", readonly=True)
    channel_id = fields.Many2one("oms.channel", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    product_id = fields.Many2one("product.product", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    date = fields.Datetime(string="Order Date", readonly=True)
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    ordered_quantity = fields.Float(string="Ordered", digits="Product Unit", readonly=True)
    cancelled_quantity = fields.Float(string="Cancelled", digits="Product Unit", readonly=True)
    unallocated_quantity = fields.Float(
        string="Unallocated", digits="Product Unit", readonly=True, help="No warehouse was decided on."
    )
    allocated_quantity = fields.Float(
        string="Allocated", digits="Product Unit", readonly=True, help="With a warehouse that has not begun to pick it."
    )
    picking_quantity = fields.Float(string="Picking", digits="Product Unit", readonly=True)
    shipped_quantity = fields.Float(string="Shipped", digits="Product Unit", readonly=True)
    returned_quantity = fields.Float(string="Returned", digits="Product Unit", readonly=True)
    resent_quantity = fields.Float(
        string="Sent Again",
        digits="Product Unit",
        readonly=True,
        help="Came back for a refund and goes out once more, as the line was changed after that.",
    )
    gap_quantity = fields.Float(
        string="Gap", digits="Product Unit", readonly=True, help="Ordered, less all that is accounted for."
    )
    # Of the whole order, so they are not to be added up over its lines.
    amount_total = fields.Monetary(string="Our Total", readonly=True, aggregator=None)
    channel_amount_total = fields.Monetary(string="Total in the Channel", readonly=True, aggregator=None)
    amount_paid = fields.Monetary(string="Paid", readonly=True, aggregator=None)
    amount_refunded = fields.Monetary(string="Refunded", readonly=True, aggregator=None)
    cause = fields.Selection(
        [
            ("over", "More goes out than was ordered"),
            ("plan", "Plan and transfers differ"),
            ("unallocated", "Confirmed, and no warehouse was decided on"),
            ("returned", "More came back than left"),
            ("refunded", "More was given back than was paid"),
            ("total", "The total differs from the channel's"),
        ],
        string="Why",
        readonly=True,
    )

    @api.depends("order_id", "product_id")
    def _compute_display_name(self):
        for row in self:
            row.display_name = f"{row.order_id.name}, {row.product_id.display_name}"

    def action_open(self):
        """Open the order."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "views": [(False, "form")],
        }

    # === THE ROWS === #

    @property
    def _table_query(self):
        self._flush_sources()
        return SQL(
            """
            SELECT sums.*,
                   ordered_quantity + resent_quantity - cancelled_quantity - unallocated_quantity - allocated_quantity
                   - picking_quantity - shipped_quantity AS gap_quantity,
                   CASE WHEN plan_quantity > ordered_quantity + resent_quantity - cancelled_quantity + 0.0001
                        THEN 'over'
                        WHEN ABS(plan_quantity - moved_quantity) > 0.0001
                          OR ABS(done_quantity - shipped_quantity) > 0.0001 THEN 'plan'
                        WHEN unallocated_quantity > 0.0001 AND is_due THEN 'unallocated'
                        WHEN returned_quantity > shipped_quantity + 0.0001 THEN 'returned'
                        WHEN amount_refunded > amount_paid + 0.004 THEN 'refunded'
                        WHEN ABS(channel_amount_difference) > 0.004 THEN 'total'
                    END AS cause
              FROM (
                SELECT line.id, line.id AS line_id, line.order_id, o.channel_id, o.company_id, o.currency_id,
                       o.date_order AS date, line.product_id, o.amount_total, o.channel_amount_total,
                       o.channel_amount_difference, money.paid AS amount_paid, money.refunded AS amount_refunded,
                       ordered.quantity AS ordered_quantity,
                       again.quantity AS resent_quantity,
                       CASE WHEN o.state = 'cancel' THEN GREATEST(ordered.quantity + again.quantity - plan.done, 0)
                            ELSE 0 END AS cancelled_quantity,
                       CASE WHEN o.state = 'cancel' THEN 0 ELSE GREATEST(ordered.quantity - plan.quantity, 0) END
                           AS unallocated_quantity,
                       plan.quantity - plan.done - moved.picking AS allocated_quantity,
                       moved.picking AS picking_quantity, moved.shipped AS shipped_quantity,
                       moved.returned AS returned_quantity, plan.quantity AS plan_quantity, plan.done AS done_quantity,
                       moved.shipped + moved.open AS moved_quantity,
                       o.state = 'sale' AND o.oms_is_launch_pending IS NOT TRUE AND o.locked IS NOT TRUE
                       AND NOT %(held)s AS is_due
                  FROM sale_order_line line
                  JOIN sale_order o ON o.id = line.order_id
                  JOIN product_product product ON product.id = line.product_id
                  JOIN product_template template ON template.id = product.product_tmpl_id AND template.type = 'consu'
                  JOIN uom_uom unit ON unit.id = line.product_uom_id
                  JOIN uom_uom product_unit ON product_unit.id = template.uom_id
            CROSS JOIN LATERAL (
                       SELECT (line.product_uom_qty * unit.factor / product_unit.factor)::float8 AS quantity
                       ) ordered
            CROSS JOIN LATERAL (%(moved)s) moved
            CROSS JOIN LATERAL (%(plan)s) plan
            CROSS JOIN LATERAL (
                       SELECT LEAST(moved.refunded, GREATEST(plan.quantity - ordered.quantity, 0)) AS quantity
                       ) again
            CROSS JOIN LATERAL (%(money)s) money
                 WHERE o.channel_id IS NOT NULL AND o.state IN ('sale', 'cancel')
                   AND line.display_type IS NULL AND NOT COALESCE(line.is_expense, FALSE)
                   ) sums
            """,
            held=self._get_held_sql(),
            moved=self._get_moved_sql(),
            plan=self._get_plan_sql(),
            money=self._get_money_sql(),
        )

    def _flush_sources(self):
        for name in (
            *("sale.order", "sale.order.line", "stock.move", "oms.allocation", "oms.hold", "account.move"),
            *(
                "account.move.line",
                "oms.delivery.group",
                "oms.delivery.group.line",
                "stock.location",
                "product.template",
            ),
        ):
            self.env[name].flush_model()

    def _get_held_sql(self):
        """Return whether something keeps the goods of order ``o`` or of ``line`` from being asked for."""
        return SQL(
            """(EXISTS (SELECT FROM oms_hold hold WHERE hold.order_id = o.id AND hold.state = 'active')
                OR EXISTS (
                    SELECT FROM oms_delivery_group_line part
                      JOIN oms_delivery_group parcel ON parcel.id = part.group_id AND parcel.is_waiting IS TRUE
                     WHERE part.line_id = line.id
                ))"""
        )

    def _get_plan_sql(self):
        """Return what was decided of ``line`` and what left of it: by its allocations, or else by its transfers."""
        return SQL(
            """SELECT COALESCE(SUM(quantity), moved.shipped + moved.open)::float8 AS quantity,
                      COALESCE(SUM(done_quantity), moved.shipped)::float8 AS done
                 FROM oms_allocation WHERE line_id = line.id"""
        )

    def _get_moved_sql(self):
        """Return what of ``line`` left, is open, is being picked and came back: by its transfers.

        Of a delivery in steps the open ones stand for one thing: what its first step has not brought further. Kits are
        moved as their parts, which no database can count: of them it is what their allocations say.
        """
        return SQL(
            """
            SELECT CASE WHEN kit.is_one THEN kit.shipped ELSE own.shipped END AS shipped, own.returned, own.refunded,
                   CASE WHEN kit.is_one THEN kit.open ELSE own.open END AS open, own.picking
              FROM (%s) own
        CROSS JOIN (
                SELECT COALESCE(SUM(done_quantity), 0)::float8 AS shipped,
                       COALESCE(SUM(procured_quantity - COALESCE(done_quantity, 0)), 0)::float8 AS open,
                       EXISTS (
                           SELECT FROM stock_move part
                            WHERE part.sale_line_id = line.id AND part.state <> 'cancel'
                              AND part.product_id <> line.product_id
                       ) AS is_one
                  FROM oms_allocation WHERE line_id = line.id
                   ) kit
            """,
            self._get_own_moved_sql(),
        )

    def _get_own_moved_sql(self):
        """Return the same of the transfers of the product of ``line`` itself."""
        return SQL(
            """
            SELECT COALESCE(SUM(part.done) FILTER (WHERE part.is_out), 0)::float8 AS shipped,
                   COALESCE(SUM(part.done) FILTER (WHERE part.is_back), 0)::float8 AS returned,
                   COALESCE(SUM(part.done) FILTER (WHERE part.is_back AND move.to_refund), 0)::float8 AS refunded,
                   COALESCE(SUM(part.open), 0)::float8 AS open,
                   COALESCE(
                       SUM(CASE WHEN move.picked THEN part.open ELSE LEAST(part.open, chain.brought) END), 0
                   )::float8 AS picking
              FROM stock_move move
              JOIN stock_location source ON source.id = move.location_id
              JOIN stock_location target ON target.id = move.location_dest_id
         LEFT JOIN stock_location final ON final.id = move.location_final_id
        CROSS JOIN LATERAL (
                   SELECT COALESCE(SUM(before.product_qty) FILTER (WHERE before.state = 'done'), 0) AS brought,
                          COALESCE(SUM(before.product_qty) FILTER (WHERE before.state NOT IN ('done', 'cancel')), 0)
                              AS coming
                     FROM stock_move_move_rel rel JOIN stock_move before ON before.id = rel.move_orig_id
                    WHERE rel.move_dest_id = move.id AND before.sale_line_id = move.sale_line_id
                   ) chain
        CROSS JOIN LATERAL (
                   SELECT target.usage = 'customer' AND source.usage <> 'customer' AS is_out,
                          source.usage = 'customer' AND target.usage <> 'customer' AS is_back,
                          CASE WHEN move.state = 'done' AND move.product_uom_qty <> 0
                               THEN move.quantity * move.product_qty / move.product_uom_qty ELSE 0 END AS done,
                          CASE WHEN move.state NOT IN ('done', 'cancel') AND source.usage <> 'customer'
                                AND COALESCE(final.usage, target.usage) = 'customer'
                               THEN GREATEST(move.product_qty - chain.coming, 0) ELSE 0 END AS open
                   ) part
             WHERE move.sale_line_id = line.id AND move.product_id = line.product_id AND move.state <> 'cancel'
            """
        )

    def _get_money_sql(self):
        """Return what was paid for order ``o`` and what was given back: in the channel or on its invoices."""
        return SQL(
            """
            SELECT GREATEST(
                       COALESCE(o.oms_amount_paid, 0),
                       COALESCE(SUM(bill.amount_total - bill.amount_residual)
                                FILTER (WHERE bill.move_type = 'out_invoice'), 0)
                   ) AS paid,
                   COALESCE(SUM(bill.amount_total - bill.amount_residual)
                            FILTER (WHERE bill.move_type = 'out_refund'), 0) AS refunded
              FROM account_move bill
             WHERE bill.state = 'posted' AND bill.id IN (
                       SELECT item.move_id
                         FROM account_move_line item
                         JOIN sale_order_line_invoice_rel rel ON rel.invoice_line_id = item.id
                         JOIN sale_order_line sold ON sold.id = rel.order_line_id
                        WHERE sold.order_id = o.id
                   )
            """
        )
