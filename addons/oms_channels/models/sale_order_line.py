from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    channel_total = fields.Monetary(
        string="Total in the Channel", readonly=True, copy=False, help="With tax and after discount, as the shop said."
    )

    def _filter_priced_here(self):
        """Return the lines whose price the price list says: what a shop sold costs what the buyer paid for it."""
        return self.filtered(lambda line: not (line._origin and line._oms_get_channel_line_id()))

    def _compute_price_unit(self):
        """Override of `sale`, which asks the price list anew when a quantity changes: units are cancelled, too."""
        return super(SaleOrderLine, self._filter_priced_here())._compute_price_unit()

    def _compute_discount(self):
        """Override of `sale`: as for the price."""
        return super(SaleOrderLine, self._filter_priced_here())._compute_discount()
