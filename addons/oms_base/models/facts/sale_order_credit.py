import json

from odoo import api, fields, models
from odoo.tools import SQL

from .sale_order_facts import OPEN_STAGES
from .sql_fact import SqlFact, by_sql


def _amount(name, label, text):
    return fields.Monetary(
        string=label,
        compute="_compute_oms_credit",
        search=by_sql("_get_credit_facts", name),
        currency_field="oms_company_currency_id",
        help=text,
    )


class SaleOrder(models.Model):
    """Facts about what the buyer owes, in the company's currency, as it is now and as long as the order is open.

    Limit and switch are Odoo's own: the contact's credit limit, and "Sales Credit Limit" of the company. Read with SQL,
    without the rights of the reader: a reviewer may learn that a buyer owes too much without reading invoices.
    """

    _inherit = "sale.order"

    oms_credit_limit = _amount(
        "oms_credit_limit", "Credit Limit", "The buyer's limit, 0 where there is none or the company uses none."
    )
    oms_open_orders_amount = _amount(
        "oms_open_orders_amount", "Open Orders", "What of the buyer's other confirmed orders has not been invoiced."
    )
    oms_open_invoices_amount = _amount(
        "oms_open_invoices_amount", "Open Invoices", "What the buyer has to pay of invoices, drafts included."
    )
    oms_overdue_amount = _amount(
        "oms_overdue_amount", "Overdue Amount", "What the buyer should have paid before today."
    )
    oms_overdue_days = fields.Integer(
        string="Overdue Days",
        compute="_compute_oms_credit",
        search=by_sql("_get_credit_facts", "oms_overdue_days"),
        aggregator=None,
        help="Since when the oldest unpaid invoice is overdue.",
    )
    oms_credit_exceeded = _amount(
        "oms_credit_exceeded",
        "Credit Exceeded By",
        "By how much open invoices, open orders and this order are above the limit.",
    )

    @api.depends("partner_id", "partner_invoice_id", "company_id", "amount_total", "currency_rate", "oms_stage")
    def _compute_oms_credit(self):
        self._assign_sql_facts(self._get_credit_facts())

    def _get_credit_facts(self):
        joins = (self._get_credit_buyer_join(), self._get_open_orders_join(), self._get_open_invoices_join())
        own = SQL(
            "(CASE WHEN o.state = 'sale' THEN own_order.amount ELSE o.amount_total END / NULLIF(o.currency_rate, 0))"
        )
        total = SQL("COALESCE(open_orders.amount, 0) + COALESCE(open_invoices.amount, 0) + COALESCE(%s, 0)", own)
        expressions = {
            "oms_credit_limit": SQL("credit.maximum"),
            "oms_open_orders_amount": SQL("ROUND(open_orders.amount::numeric, 2)::float8"),
            "oms_open_invoices_amount": SQL("ROUND(open_invoices.amount::numeric, 2)::float8"),
            "oms_overdue_amount": SQL("ROUND(open_invoices.overdue::numeric, 2)::float8"),
            "oms_overdue_days": SQL("open_invoices.overdue_days"),
            "oms_credit_exceeded": SQL(
                "CASE WHEN credit.maximum > 0"
                " THEN GREATEST(0, ROUND((%s)::numeric - credit.maximum::numeric, 2)::float8) END",
                total,
            ),
        }
        return {name: SqlFact(expression, joins) for name, expression in expressions.items()}

    def _get_credit_buyer_join(self):
        """Return the join of the buyer's company and its limit, of open orders only."""
        # sudo: res.company - the default limit of each company, whoever asks
        companies = self.env["res.company"].sudo().search([("account_use_credit_limit", "=", True)])
        limit = self.env["res.partner"]._fields["credit_limit"]
        defaults = {
            str(company.id): limit.get_company_dependent_fallback(self.env["res.partner"].with_company(company)) or 0
            for company in companies
        }
        return SQL(
            """
            LEFT JOIN LATERAL (
                SELECT buyer.commercial_partner_id AS partner_id,
                       CASE WHEN company.account_use_credit_limit
                            THEN COALESCE((main.credit_limit->>o.company_id::text)::float8,
                                          (%s::jsonb->>o.company_id::text)::float8)
                       END AS maximum
                  FROM res_partner buyer
                  JOIN res_partner main ON main.id = buyer.commercial_partner_id
                  JOIN res_company company ON company.id = o.company_id
                 WHERE buyer.id = o.partner_invoice_id AND o.channel_id IS NOT NULL AND o.oms_stage IN %s
            ) credit ON TRUE
            """,
            json.dumps(defaults),
            OPEN_STAGES,
            to_flush=(
                *self._get_source_fields("sale.order", "partner_invoice_id", "company_id", "channel_id", "oms_stage"),
                *self._get_source_fields("res.partner", "credit_limit", "commercial_partner_id"),
                *self._get_source_fields("res.company", "account_use_credit_limit"),
            ),
        )

    def _get_open_orders_join(self):
        """Return the joins of what of the buyer's other confirmed orders, and of this one, is not invoiced yet."""
        open_amount = SQL(
            "SUM(CASE WHEN l.product_uom_qty != 0"
            " THEN GREATEST(0, l.price_total * (1 - l.qty_invoiced / l.product_uom_qty)) END)",
            to_flush=self._get_source_fields("sale.order.line", "price_total", "qty_invoiced", "product_uom_qty"),
        )
        return SQL(
            """
            LEFT JOIN LATERAL (
                SELECT %(open_amount)s AS amount FROM sale_order_line l WHERE l.order_id = o.id
            ) own_order ON o.state = 'sale'
            LEFT JOIN LATERAL (
                SELECT SUM(line.amount / NULLIF(s.currency_rate, 0)) AS amount
                  FROM res_partner invoiced
                  JOIN sale_order s ON s.partner_invoice_id = invoiced.id
                  CROSS JOIN LATERAL (
                    SELECT %(open_amount)s AS amount FROM sale_order_line l WHERE l.order_id = s.id
                  ) line
                 WHERE invoiced.commercial_partner_id = credit.partner_id AND s.company_id = o.company_id
                   AND s.state = 'sale' AND s.invoice_status != 'invoiced' AND s.id != o.id
            ) open_orders ON TRUE
            """,
            open_amount=open_amount,
            to_flush=self._get_source_fields("sale.order", "state", "invoice_status", "amount_total", "currency_rate"),
        )

    def _get_open_invoices_join(self):
        """Return the join of what the buyer owes: open receivables, as Odoo's own `credit`, and drafts besides."""
        return SQL(
            """
            LEFT JOIN LATERAL (
                SELECT SUM(l.amount_residual) AS amount,
                       SUM(l.amount_residual) FILTER (WHERE due.is_over) AS overdue,
                       MAX(%(today)s - l.date_maturity) FILTER (WHERE due.is_over) AS overdue_days
                  FROM account_move_line l
                  JOIN account_account account ON account.id = l.account_id
                  CROSS JOIN LATERAL (
                    SELECT l.parent_state = 'posted' AND l.amount_residual > 0
                           AND l.date_maturity < %(today)s AS is_over
                  ) due
                 WHERE l.partner_id = credit.partner_id AND l.company_id = o.company_id
                   AND account.account_type = 'asset_receivable'
                   AND l.parent_state IN ('draft', 'posted') AND l.reconciled IS NOT TRUE
            ) open_invoices ON TRUE
            """,
            today=fields.Date.context_today(self),
            to_flush=(
                *self._get_source_fields(
                    "account.move.line", "amount_residual", "date_maturity", "parent_state", "partner_id", "reconciled"
                ),
                *self._get_source_fields("account.account", "account_type"),
            ),
        )
