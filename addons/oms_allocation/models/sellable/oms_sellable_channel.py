from odoo import api, fields, models
from odoo.tools import SQL


class OmsSellableChannel(models.Model):
    """What each channel may sell of a product in a warehouse: by the code that says it to shops and to the review."""

    _name = "oms.sellable.channel"
    _description = "Sellable by Channel"
    _inherit = ["oms.stock.rows.mixin"]
    _oms_parts = ("stock.warehouse", "oms.channel")
    _auto = False
    _order = "product_id, warehouse_id, channel_id"
    _rec_name = "product_id"

    product_id = fields.Many2one("product.product", readonly=True)
    categ_id = fields.Many2one("product.category", string="Category", readonly=True)
    warehouse_id = fields.Many2one("stock.warehouse", readonly=True)
    channel_id = fields.Many2one("oms.channel", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    quantity = fields.Float(
        string="May Sell",
        digits="Product Unit",
        readonly=True,
        help="Without what is kept for others and what expires too early, with the part of what is on its way that the"
        " channel may sell. Below 0: more is promised than is there. Several channels may sell the same goods, so there"
        " is no total of them.",
    )

    def _read_group_select(self, aggregate_spec, query):
        """Override of `base`: channels share what is there, so what they may sell is not added up over them."""
        total = super()._read_group_select(aggregate_spec, query)
        if aggregate_spec != "quantity:sum":
            return total
        channel = self._field_to_sql(self._table, "channel_id", query)
        return SQL("CASE WHEN COUNT(DISTINCT %s) = 1 THEN %s END", channel, total)

    @property
    def _table_query(self):
        columns = [[], [], [], []]
        for row in self._get_rows():
            for column, value in zip(columns, row, strict=True):
                column.append(value)
        return SQL(
            """
            SELECT %s AS id, entry.product_id, template.categ_id, entry.warehouse_id, entry.channel_id,
                   channel.company_id, entry.quantity
              FROM unnest(%s::int[], %s::int[], %s::int[], %s::float8[])
                   entry (product_id, warehouse_id, channel_id, quantity)
              JOIN oms_channel channel ON channel.id = entry.channel_id
              JOIN product_product product ON product.id = entry.product_id
              JOIN product_template template ON template.id = product.product_tmpl_id
            """,
            self._get_row_id_sql(SQL("entry.product_id"), SQL("entry.warehouse_id"), SQL("entry.channel_id")),
            *columns,
        )

    @api.model
    def _get_rows(self):
        """Yield (product id, warehouse id, channel id, quantity) of what is on hand or bound somewhere."""
        # sudo: oms.channel, product.product - the rules of this model say which rows are seen
        channels_sudo = self.env["oms.channel"].sudo().search([("company_id", "in", self.env.companies.ids)])
        Product_sudo = self.env["product.product"].sudo()
        ids = self.env.context.get("oms_product_ids")
        if ids is None:
            ids = [id_ for (id_,) in Product_sudo._query_stocked_products(self.env.companies.ids, {0})]
            ids += Product_sudo.browse(ids)._oms_find_bundles().ids
        for channel, view in channels_sudo._oms_get_views(Product_sudo.browse(ids)).items():
            for (warehouse_id, product_id), quantity in view.items():
                yield product_id, warehouse_id, channel.id, float(quantity)

    @api.depends("product_id", "warehouse_id", "channel_id")
    def _compute_display_name(self):
        for row in self:
            row.display_name = f"{row.product_id.display_name}, {row.warehouse_id.name}, {row.channel_id.name}"
