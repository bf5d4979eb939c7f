from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    channel_line_id = fields.Char(
        string="Channel Line ID", copy=False, readonly=True, help="The line's technical id in the channel."
    )

    _channel_line_uniq = models.UniqueIndex(
        "(order_id, channel_line_id) WHERE channel_line_id IS NOT NULL",
        "This line of the channel's order is already there.",
    )

    def _action_launch_stock_rule(self, *, previous_product_uom_qty=False):
        """Override of `sale_stock` to keep the gate "allocate"."""
        self.order_id.filtered("channel_id")._oms_check_gate("allocate")
        return super()._action_launch_stock_rule(previous_product_uom_qty=previous_product_uom_qty)
