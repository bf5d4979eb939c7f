from odoo import api, fields, models
from odoo.fields import Domain


class OmsStockPromise(models.Model):
    """Stock that is bound for an order line before it is allocated: the order waits, its goods do not go to others.

    It counts for everybody but its order, until the order is allocated, cancelled or changed, or the time is up.
    """

    _name = "oms.stock.promise"
    _description = "Promised Stock"
    _order = "id desc"
    _rec_name = "order_id"
    _check_company_auto = True

    line_id = fields.Many2one("sale.order.line", string="Order Line", required=True, index=True, ondelete="cascade")
    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="line_id.company_id", store=True, precompute=True, index=True)
    channel_id = fields.Many2one(related="order_id.channel_id", store=True, precompute=True, index="btree_not_null")
    product_id = fields.Many2one("product.product", required=True, index=True, ondelete="cascade")
    warehouse_id = fields.Many2one("stock.warehouse", required=True, index=True, ondelete="cascade", check_company=True)
    uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")
    quantity = fields.Float(digits="Product Unit", help="In the product's unit.")
    expire_date = fields.Datetime(string="Until", required=True)
    state = fields.Selection(
        [("active", "Bound"), ("used", "Allocated"), ("dropped", "Given Back"), ("expired", "Expired")],
        default="active",
        required=True,
    )

    _active_idx = models.Index("(product_id, warehouse_id) WHERE state = 'active'")
    _due_idx = models.Index("(expire_date) WHERE state = 'active'")
    _active_uniq = models.UniqueIndex(
        "(line_id, product_id, warehouse_id) WHERE state = 'active'",
        "For an order line, the goods of a warehouse are bound once.",
    )

    @api.model
    def _get_active_domain(self):
        return Domain("state", "=", "active") & Domain("expire_date", ">", fields.Datetime.now())

    def _end(self, state):
        """End these promises, and offer what they bound to those who wait for it."""
        ending = self.filtered(lambda promise: promise.state == "active")
        ending.state = state
        if ending and state != "used":
            self.env["sale.order"]._oms_trigger_reallocation(ending.product_id)

    @api.model
    def _cron_expire_promises(self, limit=1000):
        """End what is over. It does not count any more anyway; this tells those who wait, and shows it."""
        due = Domain("state", "=", "active") & Domain("expire_date", "<=", fields.Datetime.now())
        promises = self.search(due, limit=limit).try_lock_for_update().filtered_domain(due)
        promises._end("expired")
        self.env["ir.cron"]._commit_progress(len(promises), remaining=self.search_count(due))
