from odoo import fields, models


class SaleOrder(models.Model):
    """Confirmed orders that wait before the gate "allocate"."""

    _inherit = "sale.order"

    oms_is_launch_pending = fields.Boolean(
        string="Waits for Its Launch",
        copy=False,
        readonly=True,
        help="Confirmed or changed on hold: its goods are asked for as soon as nothing blocks it.",
    )

    # IS TRUE, as domains say it: PostgreSQL before 17 does not see that it means the same.
    _oms_launch_idx = models.Index("(id) WHERE oms_is_launch_pending IS TRUE")

    def _oms_launch_pending(self):
        """Ask for the goods of those of these orders that waited for it and may go on now."""
        waiting = self.filtered(lambda order: order.oms_is_launch_pending and order.state == "sale")
        if waiting:
            lines = waiting.order_line.filtered("oms_is_launch_pending")
            # sudo: sale.order, sale.order.line - the marks are the suite's own
            waiting.sudo().oms_is_launch_pending = lines.sudo().oms_is_launch_pending = False
            # Odoo leaves out locked orders, as those it locks when they are confirmed: these were confirmed before.
            locked = waiting.sudo().filtered("locked")
            locked.locked = False
            for company, some in lines.grouped("company_id").items():
                some.with_company(company)._action_launch_stock_rule()
            locked.locked = True


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    # Not all lines of the order: of one that came back in part, a launch would send as much again.
    oms_is_launch_pending = fields.Boolean(string="Waits for Its Launch", copy=False, readonly=True)

    def _oms_await_launch(self):
        """Mark these lines, and with them their orders, to be launched once nothing blocks them any more."""
        # sudo: sale.order, sale.order.line - the marks are the suite's own
        lines = self.sudo()
        lines.filtered(lambda line: not line.oms_is_launch_pending).oms_is_launch_pending = True
        lines.order_id.filtered(lambda order: not order.oms_is_launch_pending).oms_is_launch_pending = True
