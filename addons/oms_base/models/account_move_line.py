from odoo import api, fields, models
from odoo.fields import Command


class AccountMoveLine(models.Model):
    """Lines of credit notes: copies of what they credit, or plain amounts."""

    _inherit = "account.move.line"

    oms_is_money_only = fields.Boolean(
        string="Credits Money Only",
        readonly=True,
        help="The line gives money back and changes nothing in what is invoiced, so it is not invoiced again.",
    )

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

        Here: the line's quantity; an amount without a product stands for no goods. Overridden by `oms_returns`, whose
        lines may give back money for no goods at all.
        """
        self.ensure_one()
        if self.oms_is_money_only and not self.product_id:
            return 0.0
        order_unit = self.sale_line_ids[:1].product_uom_id
        if not order_unit or not self.product_uom_id:
            return self.quantity
        return self.product_uom_id._compute_quantity(self.quantity, order_unit, rounding_method="HALF-UP")

    def _oms_is_taken_off_order(self):
        """Whether the goods of this credit note line were taken off the ordered quantity of its order line. To be
        overridden by who does so: `oms_returns`, of what is refunded before it is shipped."""
        self.ensure_one()
        return False

    def _oms_prepare_credit_values(self, quantity, **values):
        """Return the values of a credit note line like this invoice line.

        :param quantity: in the unit of this line
        :param values: what differs
        """
        self.ensure_one()
        return {
            "display_type": "product",
            "name": self.name,
            "product_id": self.product_id.id,
            "product_uom_id": self.product_uom_id.id,
            "quantity": quantity,
            "price_unit": self.price_unit,
            "discount": self.discount,
            "tax_ids": [Command.set(self.tax_ids.ids)],
            "extra_tax_data": self.tax_ids._oms_keep_charged(self.extra_tax_data),
            "account_id": self.account_id.id,
            "analytic_distribution": self.analytic_distribution,
            "sale_line_ids": [Command.set(self.sale_line_ids.ids)],
            **values,
        }
