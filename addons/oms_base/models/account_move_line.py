from odoo import api, models


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    def write(self, vals):
        """Override of `account`, which asks for the description of the tracked fields that are written, and gets that
        of all 200 fields where none is: a tenth of the cost of an invoice."""
        is_tracked = any(getattr(self._fields.get(name), "tracking", False) for name in vals)
        if is_tracked == self.env.context.get("oms_writes_tracked", True):
            return super().write(vals)
        return super(AccountMoveLine, self.with_context(oms_writes_tracked=is_tracked)).write(vals)

    @api.model
    def fields_get(self, allfields=None, attributes=None):
        """Override: nothing is to be described of a write without tracked fields, see there."""
        if allfields == [] and not self.env.context.get("oms_writes_tracked", True):
            return {}
        return super().fields_get(allfields, attributes)

    def _oms_get_refunded_quantity(self):
        """Return the quantity of goods that this credit note line stands for, in the unit of its order line.

        Here: the line's quantity. Overridden by `oms_returns`, whose lines may give back money for no goods at all.
        """
        self.ensure_one()
        order_unit = self.sale_line_ids[:1].product_uom_id
        if not order_unit or not self.product_uom_id:
            return self.quantity
        return self.product_uom_id._compute_quantity(self.quantity, order_unit, rounding_method="HALF-UP")
