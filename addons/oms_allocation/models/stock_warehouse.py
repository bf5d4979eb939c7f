from odoo import fields, models


class StockWarehouse(models.Model):
    _inherit = "stock.warehouse"

    oms_priority = fields.Integer(
        string="Sourcing Priority",
        default=10,
        help="Who sends an order when several are as near or no distance is known: the lowest number.",
    )
