from odoo import api, fields, models
from odoo.exceptions import ValidationError


class OmsDeliveryGroupLine(models.Model):
    """How much of an order line travels with a delivery group, and what of the order's money belongs to it."""

    _name = "oms.delivery.group.line"
    _description = "Delivery Group Line"
    _order = "group_id, id"
    _rec_name = "product_id"

    group_id = fields.Many2one("oms.delivery.group", required=True, index=True, ondelete="cascade", readonly=True)
    line_id = fields.Many2one(
        "sale.order.line", string="Order Line", required=True, index=True, ondelete="cascade", readonly=True
    )
    order_id = fields.Many2one(related="line_id.order_id", store=True, index=True)
    company_id = fields.Many2one(related="group_id.company_id", store=True, index=True)
    product_id = fields.Many2one(related="line_id.product_id")
    uom_id = fields.Many2one(related="line_id.product_uom_id", string="Unit")
    currency_id = fields.Many2one(related="order_id.currency_id")
    quantity = fields.Float(digits="Product Unit", required=True, readonly=True, help="In the unit of the order line.")
    procured_quantity = fields.Float(
        string="In Transfers",
        digits="Product Unit",
        readonly=True,
        help="How much of it the warehouse has been asked for, in the unit of the order line.",
    )
    # Not stored: always shared from the order as it is now, so that the sum is right by construction.
    amount_goods = fields.Monetary(
        string="Goods", compute="_compute_amounts", help="Without tax, less the line's own discount."
    )
    amount_discount = fields.Monetary(
        string="Order Discount", compute="_compute_amounts", help="Share of what the whole order got off, without tax."
    )
    amount_shipping = fields.Monetary(
        string="Shipping", compute="_compute_amounts", help="Share of shipping and fees of the order, without tax."
    )
    amount_tax = fields.Monetary(string="Tax", compute="_compute_amounts")
    amount_total = fields.Monetary(string="Total", compute="_compute_amounts")

    _group_line_uniq = models.Constraint("UNIQUE(group_id, line_id)", "The order line is in this group already.")
    _quantity_positive = models.Constraint("CHECK(quantity >= 0)", "A delivery group can't hold less than nothing.")

    @api.depends(
        "quantity", "order_id.amount_untaxed", "order_id.amount_tax", "line_id.price_subtotal", "line_id.price_tax"
    )
    def _compute_amounts(self):
        for order in self.order_id:
            rows = order.oms_group_line_ids.sorted("id")
            money = order._oms_share_money([(row.line_id, row.quantity) for row in rows])
            for row, share in zip(rows, money, strict=True):
                if row in self:
                    row.amount_goods, row.amount_discount = share.goods, share.discount
                    row.amount_shipping, row.amount_tax, row.amount_total = share.shipping, share.tax, share.total

    @api.constrains("group_id", "line_id")
    def _check_quantities(self):
        """No unit of an order line is in two groups: they hold no more than was ordered."""
        for line in self.line_id:
            quantity = sum(line.oms_group_line_ids.mapped("quantity"))
            if line.product_uom_id.compare(quantity, line.product_uom_qty) > 0:
                raise ValidationError(
                    self.env._(
                        "%(order)s: the delivery groups hold %(quantity)g of %(product)s, but only %(ordered)g were"
                        " ordered. Undo the grouping and do it again.",
                        order=line.order_id.name,
                        quantity=quantity,
                        product=line.product_id.display_name,
                        ordered=line.product_uom_qty,
                    )
                )

    def _get_pending_quantity(self):
        """Return what the warehouse has still to be asked for; negative when it was asked for too much."""
        self.ensure_one()
        return self.quantity - self.procured_quantity

    def _withdraw_moves(self):
        """Withdraw what the warehouse was asked for by these lines: their moves, in every step of the way."""
        wanted = {(row.line_id, row.group_id) for row in self}
        self.line_id.move_ids.filtered(
            lambda move: (move.sale_line_id, move.oms_delivery_group_id) in wanted
        )._oms_withdraw()
        self.procured_quantity = 0.0
