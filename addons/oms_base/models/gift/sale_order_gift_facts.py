from odoo import models
from odoo.tools import SQL


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _get_judged_line_sql(self):
        """Override of the facts: a gift is not sold below cost or list price. What it costs is in the margin."""
        gift_field = self.env["sale.order.line"]._fields["oms_gift_id"]
        return SQL("%s AND %s", super()._get_judged_line_sql(), SQL("l.oms_gift_id IS NULL", to_flush=gift_field))
