from odoo import api, fields, models
from odoo.tools import SQL

from .address import ADDRESS_FIELDS
from .sale_order_keys import KEY_FIELDS
from .sql_fact import SqlFact, by_sql

WINDOWS = {"hour": SQL("INTERVAL '1 hour'"), "day": SQL("INTERVAL '24 hours'"), "month": SQL("INTERVAL '30 days'")}
# Counting stops here: more says nothing new, and a shared phone of a dropshipper must not cost a scan of its past.
MAX_COUNTED = 1000
# How many of the latest earlier orders the buyer's average is taken from.
MAX_AVERAGED = 100
KEY_COLUMNS = {
    "ip": SQL.identifier("oms_buyer_ip"),
    "phone": SQL.identifier("oms_phone_key"),
    "address": SQL.identifier("oms_address_key"),
    "buyer": SQL.identifier("oms_buyer_key"),
}


def _count(kind, window):
    labels = {"hour": "in the Hour Before", "day": "in 24 Hours Before", "month": "in 30 Days Before"}
    names = {"ip": "IP Address", "phone": "Phone", "address": "Address", "buyer": "Buyer"}
    return fields.Integer(
        string=f"Orders of the {names[kind]} {labels[window]}",
        compute=f"_compute_oms_{kind}_counts",
        search=by_sql(f"_get_{kind}_count_facts", f"oms_{kind}_count_{window}"),
        aggregator=None,
    )


class SaleOrder(models.Model):
    """Facts about what was before: earlier orders of the same channel company, buyer, phone, address or machine.

    Earlier is by order date, then id. Only orders of channels have keys, so only they are counted. Counts within a
    window also count cancelled orders, as an attempt is one; first orders, new addresses and averages leave them out.
    """

    _inherit = "sale.order"

    oms_ip_count_hour = _count("ip", "hour")
    oms_ip_count_day = _count("ip", "day")
    oms_ip_count_month = _count("ip", "month")
    oms_phone_count_hour = _count("phone", "hour")
    oms_phone_count_day = _count("phone", "day")
    oms_phone_count_month = _count("phone", "month")
    oms_address_count_hour = _count("address", "hour")
    oms_address_count_day = _count("address", "day")
    oms_address_count_month = _count("address", "month")
    oms_buyer_count_hour = _count("buyer", "hour")
    oms_buyer_count_day = _count("buyer", "day")
    oms_buyer_count_month = _count("buyer", "month")
    oms_is_first_order = fields.Boolean(
        string="First Order of the Buyer",
        compute="_compute_oms_is_first_order",
        search=by_sql("_get_first_order_facts", "oms_is_first_order"),
        help="No earlier order of this buyer, cancelled ones aside.",
    )
    oms_is_new_address = fields.Boolean(
        string="New Shipping Address",
        compute="_compute_oms_is_new_address",
        search=by_sql("_get_new_address_facts", "oms_is_new_address"),
        help="No earlier order of this buyer went to this address, cancelled ones aside.",
    )
    oms_amount_to_average = fields.Float(
        string="Times the Buyer's Average",
        compute="_compute_oms_amount_to_average",
        search=by_sql("_get_average_facts", "oms_amount_to_average"),
        digits=(16, 2),
        aggregator=None,
        help="Total of this order divided by the average of the buyer's earlier ones. 0 for a first order.",
    )

    @api.depends("company_id", "date_order", "oms_buyer_ip")
    def _compute_oms_ip_counts(self):
        self._assign_sql_facts(self._get_ip_count_facts())

    @api.depends(
        "company_id",
        "date_order",
        "oms_phone_key",
        "partner_id.phone",
        "partner_shipping_id.phone",
        "partner_shipping_id.country_id",
    )
    def _compute_oms_phone_counts(self):
        self._assign_sql_facts(self._get_phone_count_facts())

    @api.depends(
        "company_id", "date_order", "oms_address_key", *(f"partner_shipping_id.{name}" for name in ADDRESS_FIELDS)
    )
    def _compute_oms_address_counts(self):
        self._assign_sql_facts(self._get_address_count_facts())

    @api.depends("company_id", "date_order", "oms_buyer_key", "partner_id.commercial_partner_id")
    def _compute_oms_buyer_counts(self):
        self._assign_sql_facts(self._get_buyer_count_facts())

    @api.depends("company_id", "date_order", "oms_buyer_key", "partner_id.commercial_partner_id")
    def _compute_oms_is_first_order(self):
        self._assign_sql_facts(self._get_first_order_facts())

    @api.depends(
        "company_id",
        "date_order",
        "oms_buyer_key",
        "oms_address_key",
        "partner_id.commercial_partner_id",
        *(f"partner_shipping_id.{name}" for name in ADDRESS_FIELDS),
    )
    def _compute_oms_is_new_address(self):
        self._assign_sql_facts(self._get_new_address_facts())

    @api.depends("company_id", "date_order", "oms_buyer_key", "partner_id.commercial_partner_id", "amount_total")
    def _compute_oms_amount_to_average(self):
        self._assign_sql_facts(self._get_average_facts())

    # === SQL === #

    def _get_ip_count_facts(self):
        return self._get_count_facts("ip")

    def _get_phone_count_facts(self):
        return self._get_count_facts("phone")

    def _get_address_count_facts(self):
        return self._get_count_facts("address")

    def _get_buyer_count_facts(self):
        return self._get_count_facts("buyer")

    def _get_earlier_sql(self, *kinds):
        """Return the condition on ``e``: an order before ``o`` with the same keys."""
        columns = [KEY_COLUMNS[kind] for kind in kinds]
        return SQL(
            "%s AND e.company_id = o.company_id AND (e.date_order, e.id) < (o.date_order, o.id)",
            SQL(" AND ").join(SQL("e.%s = o.%s", column, column) for column in columns),
            to_flush=self._get_source_fields(
                "sale.order", "company_id", "date_order", "oms_buyer_ip", "state", *KEY_FIELDS
            ),
        )

    def _get_count_facts(self, kind):
        """Return the counts of earlier orders with the same key, all windows by one look at the index."""
        alias = SQL.identifier(f"{kind}_count")
        join = SQL(
            """
            LEFT JOIN LATERAL (
                SELECT COUNT(*) FILTER (WHERE e.date_order > o.date_order - %(hour)s) AS hour,
                       COUNT(*) FILTER (WHERE e.date_order > o.date_order - %(day)s) AS day,
                       COUNT(*) AS month
                  FROM (
                    SELECT e.date_order
                      FROM sale_order e
                     WHERE %(earlier)s AND e.date_order > o.date_order - %(month)s
                     ORDER BY e.date_order DESC
                     LIMIT %(limit)s
                ) e
            ) %(alias)s ON TRUE
            """,
            earlier=self._get_earlier_sql(kind),
            alias=alias,
            limit=MAX_COUNTED,
            **WINDOWS,
        )
        return {
            f"oms_{kind}_count_{window}": SqlFact(SQL("%s.%s", alias, SQL.identifier(window)), (join,))
            for window in WINDOWS
        }

    def _get_first_order_facts(self):
        expression = SQL(
            "o.oms_buyer_key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM sale_order e WHERE %s AND e.state != 'cancel')",
            self._get_earlier_sql("buyer"),
        )
        return {"oms_is_first_order": SqlFact(expression)}

    def _get_new_address_facts(self):
        expression = SQL(
            "o.oms_buyer_key IS NOT NULL AND o.oms_address_key IS NOT NULL"
            " AND NOT EXISTS (SELECT 1 FROM sale_order e WHERE %s AND e.state != 'cancel')",
            self._get_earlier_sql("address", "buyer"),
        )
        return {"oms_is_new_address": SqlFact(expression)}

    def _get_average_facts(self):
        join = SQL(
            """
            LEFT JOIN LATERAL (
                SELECT AVG(e.amount) AS average
                  FROM (
                    SELECT e.amount_total / NULLIF(e.currency_rate, 0) AS amount
                      FROM sale_order e
                     WHERE %s AND e.state != 'cancel'
                     ORDER BY e.date_order DESC, e.id DESC
                     LIMIT %s
                ) e
            ) buyer_average ON TRUE
            """,
            self._get_earlier_sql("buyer"),
            MAX_AVERAGED,
        )
        expression = SQL(
            "ROUND((o.amount_total / NULLIF(o.currency_rate, 0) / NULLIF(buyer_average.average, 0))::numeric, 2)"
            "::float8",
            to_flush=self._get_source_fields("sale.order", "amount_total", "currency_rate"),
        )
        return {"oms_amount_to_average": SqlFact(expression, (join,))}
