from odoo import fields, models


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    channel_total = fields.Monetary(
        string="Total in the Channel", readonly=True, copy=False, help="With tax and after discount, as the shop said."
    )
