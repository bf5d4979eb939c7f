from odoo import fields, models
from odoo.fields import Command


class AccountMoveLine(models.Model):
    """Lines of credit notes: copies of what they credit, or plain amounts."""

    _inherit = "account.move.line"

    oms_is_money_only = fields.Boolean(
        string="Credits Money Only",
        readonly=True,
        help="The line gives money back and changes nothing in what is invoiced, so it is not invoiced again.",
    )

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
            "account_id": self.account_id.id,
            "analytic_distribution": self.analytic_distribution,
            "sale_line_ids": [Command.set(self.sale_line_ids.ids)],
            **values,
        }
