from odoo import fields, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    oms_return_line_id = fields.Many2one(
        "oms.return.line", string="Return Line", index="btree_not_null", ondelete="set null", readonly=True, copy=False
    )

    def _oms_get_refunded_quantity(self):
        """Override of `oms_base`: amounts, shipping, fees and rounding stand for no goods; units that are refunded
        without changing what is invoiced do."""
        self.ensure_one()
        return_line = self.oms_return_line_id
        if self.oms_is_money_only and (not return_line or return_line.refund_amount):
            return 0.0
        return super()._oms_get_refunded_quantity()

    def _oms_is_taken_off_order(self):
        """Override of `oms_base`: a refund only lowers what is invoiced by what it took off the order, see
        `oms.return.line._prepare_quantity_credit_values`."""
        self.ensure_one()
        is_refund_only = self.oms_return_line_id.return_id.type == "refund_only"
        return (is_refund_only and not self.oms_is_money_only) or super()._oms_is_taken_off_order()

    # The methods below make an invoice line a source of credit lines; sale.order.line has the same ones for what is not
    # invoiced yet.

    def _oms_get_sale_lines(self):
        """Return the order lines behind the line."""
        return self.sale_line_ids

    def _oms_get_quantity(self):
        """Return the invoiced quantity."""
        return self.quantity

    def _oms_get_gross(self):
        """Return price times quantity less discount, taxes as the price has them."""
        return self.price_unit * self.quantity * (1.0 - self.discount / 100.0)

    def _oms_get_uncredited(self):
        """Return (quantity, gross amount) of the invoice line that no credit note gave back yet."""
        self.ensure_one()
        credits = self.sale_line_ids._oms_get_credit_lines(self.move_id)
        quantity = sum(
            line.product_uom_id._compute_quantity(line.quantity, self.product_uom_id, rounding_method="HALF-UP")
            for line in credits
        )
        return self.quantity - quantity, self._oms_get_gross() - sum(line._oms_get_gross() for line in credits)
