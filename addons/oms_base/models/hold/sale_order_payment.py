from odoo import fields, models


class SaleOrder(models.Model):
    """What the channel waits for before it wants an order sent."""

    _inherit = "sale.order"

    oms_waits_for = fields.Selection(
        [("payment", "Payment of the Buyer"), ("shop", "Release by the Shop")],
        string="Waits in the Channel for",
        copy=False,
        help="What has to come in the channel before the order may be sent.",
    )
