from odoo import fields, models


class SaleOrder(models.Model):
    """Confirmed orders that wait before the gate "allocate"."""

    _inherit = "sale.order"

    oms_is_launch_pending = fields.Boolean(
        string="Waits for Its Launch",
        copy=False,
        readonly=True,
        help="Confirmed on hold: its goods are asked for as soon as nothing blocks it.",
    )

    _oms_launch_idx = models.Index("(id) WHERE oms_is_launch_pending")

    def _oms_launch_pending(self):
        """Ask for the goods of those of these orders that waited for it and may go on now."""
        waiting = self.filtered(lambda order: order.oms_is_launch_pending and order.state == "sale")
        if waiting:
            # sudo: sale.order - the mark is the suite's own
            waiting.sudo().oms_is_launch_pending = False
            for company, orders in waiting.grouped("company_id").items():
                orders.with_company(company).order_line._action_launch_stock_rule()
