from odoo import models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def _oms_get_refunded_quantity(self):
        """Return the quantity of goods that this credit note line stands for, in the unit of its order line.

        Here: the line's quantity. Overridden by `oms_returns`, whose lines may give back money for no goods at all.
        """
        self.ensure_one()
        order_unit = self.sale_line_ids[:1].product_uom_id
        if not order_unit or not self.product_uom_id:
            return self.quantity
        return self.product_uom_id._compute_quantity(self.quantity, order_unit, rounding_method="HALF-UP")
