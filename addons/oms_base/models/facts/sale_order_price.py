from odoo import api, fields, models
from odoo.tools import SQL

from .sql_fact import SqlFact, by_sql


class SaleOrder(models.Model):
    """Facts about prices against the products' list prices, in percent: 15 is fifteen percent off."""

    _inherit = "sale.order"

    oms_discount_rate = fields.Float(
        string="Discount (%)",
        compute="_compute_oms_price_facts",
        search=by_sql("_get_price_facts", "oms_discount_rate"),
        digits=(16, 2),
        aggregator=None,
        help="How much less than the list prices the products cost together, discounts of the whole order included.",
    )
    oms_price_below_list_rate = fields.Float(
        string="Price Below List (%)",
        compute="_compute_oms_price_facts",
        search=by_sql("_get_price_facts", "oms_price_below_list_rate"),
        digits=(16, 2),
        aggregator=None,
        help="How far the price of a line, its discount included, is below the list price at most.",
    )

    @api.depends(
        "currency_rate",
        *(
            f"order_line.{name}"
            for name in ("product_id", "product_uom_id", "product_uom_qty", "price_unit", "discount")
        ),
    )
    def _compute_oms_price_facts(self):
        self._assign_sql_facts(self._get_price_facts())

    def _get_rate_sql(self, currency):
        """Return the SQL of the rate of ``currency`` on the day of the order ``o`` of ``company``, as Odoo's
        `res.currency._get_rates` has it: that of the company before one for all, the last before the day or the first.
        """
        own = SQL(
            """SELECT rate.rate FROM res_currency_rate rate
                WHERE rate.currency_id = %s
                  AND (rate.company_id IS NULL OR rate.company_id = split_part(company.parent_path, '/', 1)::int)""",
            currency,
            to_flush=self._get_source_fields("res.currency.rate", "currency_id", "company_id", "name", "rate"),
        )
        return SQL(
            """COALESCE((%s AND rate.name <= o.date_order::date ORDER BY rate.company_id, rate.name DESC LIMIT 1),
                        (%s ORDER BY rate.company_id, rate.name LIMIT 1), 1)""",
            own,
            own,
        )

    def _get_price_join(self):
        """A product without a list price (shipping) is left out; a negative line is a discount of the whole order. A
        list price is in the currency of the product's company, or of the main one where it is everybody's."""
        main_id = self.env["ir.model.data"]._xmlid_to_res_id("base.main_company")
        return SQL(
            """
            LEFT JOIN LATERAL (
                SELECT SUM(m.list * m.quantity) FILTER (WHERE m.is_judged) AS list,
                       SUM(m.price * m.quantity) FILTER (WHERE m.is_judged OR m.price * m.quantity < 0) AS paid,
                       MAX(1 - m.price / m.list) FILTER (WHERE m.is_judged) AS below
                  FROM (
                    SELECT l.product_uom_qty AS quantity,
                           l.price_unit * (1 - COALESCE(l.discount, 0) / 100) AS price,
                           list.price AS list,
                           list.price > 0 AND %s AS is_judged
                      FROM sale_order_line l
                      JOIN product_product product ON product.id = l.product_id
                      JOIN product_template template ON template.id = product.product_tmpl_id
                      LEFT JOIN uom_uom unit ON unit.id = l.product_uom_id
                      LEFT JOIN uom_uom own_unit ON own_unit.id = template.uom_id
                      JOIN res_company owner ON owner.id = COALESCE(template.company_id, %s)
                      JOIN res_company company ON company.id = o.company_id
                      CROSS JOIN LATERAL (
                        SELECT (template.list_price + COALESCE(SUM(value.price_extra), 0))
                               * CASE WHEN owner.currency_id = company.currency_id THEN o.currency_rate
                                      ELSE %s / %s END
                               * COALESCE(unit.factor / NULLIF(own_unit.factor, 0), 1) AS price
                          FROM product_variant_combination combination
                          JOIN product_template_attribute_value value
                            ON value.id = combination.product_template_attribute_value_id
                         WHERE combination.product_product_id = product.id
                      ) list
                     WHERE l.order_id = o.id AND l.display_type IS NULL AND l.is_downpayment IS NOT TRUE
                ) m
            ) price ON TRUE
            """,
            self._get_judged_line_sql(),
            main_id or self.env["res.company"]._get_main_company().id,
            self._get_rate_sql(SQL("o.currency_id")),
            self._get_rate_sql(SQL("owner.currency_id")),
            to_flush=(
                *self._get_source_fields("sale.order", "currency_rate", "currency_id", "company_id", "date_order"),
                *self._get_source_fields("res.company", "currency_id", "parent_path"),
                *self._get_source_fields("product.template", "list_price", "uom_id", "company_id"),
                *self._get_source_fields(
                    "sale.order.line", "product_id", "product_uom_id", "product_uom_qty", "price_unit", "discount"
                ),
            ),
        )

    def _get_price_facts(self):
        join = self._get_price_join()
        discount = SQL("GREATEST(0, ROUND((100 * (1 - price.paid / NULLIF(price.list, 0)))::numeric, 2)::float8)")
        below = SQL("GREATEST(0, ROUND((100 * price.below)::numeric, 2)::float8)")
        return {
            "oms_discount_rate": SqlFact(discount, (join,)),
            "oms_price_below_list_rate": SqlFact(below, (join,)),
        }
