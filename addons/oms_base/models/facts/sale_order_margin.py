from odoo import api, fields, models
from odoo.tools import SQL

from .sql_fact import SqlFact, by_sql


class SaleOrder(models.Model):
    """Facts about what the order is worth to us, in the company's currency, at the products' cost of today."""

    _inherit = "sale.order"

    oms_amount_company = fields.Monetary(
        string="Total in Company Currency",
        compute="_compute_oms_amount_company",
        search=by_sql("_get_amount_facts", "oms_amount_company"),
        currency_field="oms_company_currency_id",
    )
    oms_margin = fields.Monetary(
        string="Margin",
        compute="_compute_oms_margin",
        search=by_sql("_get_margin_facts", "oms_margin"),
        currency_field="oms_company_currency_id",
        help="Untaxed amount less the cost of the products.",
    )
    oms_margin_rate = fields.Float(
        string="Margin (%)",
        compute="_compute_oms_margin",
        search=by_sql("_get_margin_facts", "oms_margin_rate"),
        digits=(16, 2),
        aggregator=None,
        help="Margin in percent of the untaxed amount.",
    )
    oms_has_line_below_cost = fields.Boolean(
        string="Line Below Cost",
        compute="_compute_oms_margin",
        search=by_sql("_get_margin_facts", "oms_has_line_below_cost"),
        help="A line is sold for less than its product costs.",
    )

    @api.depends("amount_total", "currency_rate")
    def _compute_oms_amount_company(self):
        self._assign_sql_facts(self._get_amount_facts())

    @api.depends("currency_rate", "order_line.product_id", "order_line.product_uom_qty", "order_line.price_subtotal")
    def _compute_oms_margin(self):
        self._assign_sql_facts(self._get_margin_facts())

    def _get_amount_facts(self):
        expression = SQL(
            "ROUND((o.amount_total / NULLIF(o.currency_rate, 0))::numeric, 2)::float8",
            to_flush=self._get_source_fields("sale.order", "amount_total", "currency_rate"),
        )
        return {"oms_amount_company": SqlFact(expression)}

    def _get_judged_line_sql(self):
        """Return the SQL condition of the lines ``l`` whose price is judged. To be extended by who adds lines that are
        meant to cost nothing, as gifts are."""
        return SQL("l.product_uom_qty > 0 AND l.price_unit >= 0")

    def _get_margin_join(self):
        return SQL(
            """
            LEFT JOIN LATERAL (
                SELECT SUM(m.revenue) AS revenue,
                       SUM(m.revenue) - SUM(m.cost) AS margin,
                       BOOL_OR(m.is_judged AND m.revenue < m.cost - 0.005) AS below_cost
                  FROM (
                    SELECT l.price_subtotal / NULLIF(o.currency_rate, 0) AS revenue,
                           COALESCE((product.standard_price->>o.company_id::text)::numeric, 0)
                               * l.product_uom_qty * COALESCE(unit.factor / NULLIF(own_unit.factor, 0), 1) AS cost,
                           %s AS is_judged
                      FROM sale_order_line l
                      LEFT JOIN product_product product ON product.id = l.product_id
                      LEFT JOIN product_template template ON template.id = product.product_tmpl_id
                      LEFT JOIN uom_uom unit ON unit.id = l.product_uom_id
                      LEFT JOIN uom_uom own_unit ON own_unit.id = template.uom_id
                     WHERE l.order_id = o.id AND l.display_type IS NULL AND l.is_downpayment IS NOT TRUE
                ) m
            ) margin ON TRUE
            """,
            self._get_judged_line_sql(),
            to_flush=(
                *self._get_source_fields("sale.order", "company_id", "currency_rate"),
                *self._get_source_fields("product.product", "standard_price"),
                *self._get_source_fields(
                    "sale.order.line", "product_id", "product_uom_id", "product_uom_qty", "price_unit", "price_subtotal"
                ),
            ),
        )

    def _get_margin_facts(self):
        join = self._get_margin_join()
        rate = SQL(
            "CASE WHEN margin.revenue > 0 THEN ROUND((100 * margin.margin / margin.revenue)::numeric, 2)::float8"
            " WHEN margin.margin < 0 THEN -100 END"
        )
        return {
            "oms_margin": SqlFact(SQL("ROUND(margin.margin::numeric, 2)::float8"), (join,)),
            "oms_margin_rate": SqlFact(rate, (join,)),
            "oms_has_line_below_cost": SqlFact(SQL("margin.below_cost"), (join,)),
        }
