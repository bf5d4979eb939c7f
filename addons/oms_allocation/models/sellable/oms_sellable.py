from odoo import api, fields, models
from odoo.tools import SQL


class OmsSellable(models.Model):
    """What can be sold of a product in a warehouse, and why it is no more: the stock picture added up."""

    _name = "oms.sellable"
    _description = "Sellable Stock"
    _inherit = ["oms.stock.rows.mixin"]
    _auto = False
    _order = "sellable_quantity, product_id, warehouse_id"
    _rec_name = "product_id"

    product_id = fields.Many2one("product.product", readonly=True)
    categ_id = fields.Many2one("product.category", string="Category", readonly=True)
    warehouse_id = fields.Many2one("stock.warehouse", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    on_hand_quantity = fields.Float(string="On Hand", digits="Product Unit", readonly=True)
    unsellable_quantity = fields.Float(
        string="Not Sellable",
        digits="Product Unit",
        readonly=True,
        help="Not for sale, past its removal date, or rejected and not counted yet.",
    )
    reserved_quantity = fields.Float(string="Reserved", digits="Product Unit", readonly=True)
    waiting_quantity = fields.Float(
        string="Waited For", digits="Product Unit", readonly=True, help="In transfers or planned, and not reserved."
    )
    promised_quantity = fields.Float(string="Promised", digits="Product Unit", readonly=True)
    safety_quantity = fields.Float(string="Safety Stock", digits="Product Unit", readonly=True)
    sellable_quantity = fields.Float(
        string="Sellable", digits="Product Unit", readonly=True, help="Below 0: more is promised than is there."
    )
    pooled_quantity = fields.Float(
        string="Of It in Pools", digits="Product Unit", readonly=True, help="Kept for their owners."
    )
    public_quantity = fields.Float(string="For Everybody", digits="Product Unit", readonly=True)
    unconfirmed_quantity = fields.Float(
        string="Not Asked For Yet",
        digits="Product Unit",
        readonly=True,
        help="Wanted by orders that are in review, held, or wait for others of their parcel.",
    )
    transfer_quantity = fields.Float(string="Between Warehouses", digits="Product Unit", readonly=True)
    incoming_quantity = fields.Float(string="Expected", digits="Product Unit", readonly=True)
    next_date = fields.Datetime(string="Next Receipt", readonly=True)
    sellable_percent = fields.Float(
        string="Sellable (%)", readonly=True, aggregator="avg", help="What can be sold of what is on hand."
    )

    @property
    def _table_query(self):
        kinds = {
            "on_hand": ("on_hand",),
            "unsellable": ("not_for_sale", "expired", "rejected"),
            "reserved": ("reserved",),
            "waiting": ("waiting", "planned"),
            "promised": ("promised",),
            "safety": ("safety",),
            "pooled": ("pool",),
            "unconfirmed": ("unconfirmed",),
            "transfer": ("transfer",),
            "incoming": ("incoming",),
        }
        sums = [
            SQL(
                "ABS(COALESCE(SUM(quantity) FILTER (WHERE kind = ANY(%s)), 0)) AS %s",
                list(names),
                SQL.identifier(f"{column}_quantity"),
            )
            for column, names in kinds.items()
        ]
        return SQL(
            """
            SELECT summary.*, sellable_quantity - pooled_quantity AS public_quantity,
                   CASE WHEN on_hand_quantity > 0 THEN GREATEST(100 * sellable_quantity / on_hand_quantity, 0) ELSE 0
                    END AS sellable_percent
              FROM (
                SELECT %s AS id, product_id, categ_id, warehouse_id, company_id,
                       COALESCE(SUM(quantity) FILTER (WHERE is_counted), 0) AS sellable_quantity,
                       MIN(date) FILTER (WHERE kind IN ('incoming', 'transfer')) AS next_date,
                       %s
                  FROM (%s) entry
                 GROUP BY product_id, categ_id, warehouse_id, company_id
                   ) summary
            """,
            self._get_row_id_sql(SQL("product_id"), SQL("warehouse_id")),
            SQL(", ").join(sums),
            self.env["oms.stock.entry"]._table_query,  # with the context of this, which says what is asked about
        )

    @api.depends("product_id", "warehouse_id")
    def _compute_display_name(self):
        for sellable in self:
            sellable.display_name = f"{sellable.product_id.display_name}, {sellable.warehouse_id.name}"
