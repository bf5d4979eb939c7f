from odoo import fields, models


class OmsChannel(models.Model):
    """What becomes of money that the shop's staff gave back there."""

    _inherit = "oms.channel"

    shop_refund_policy = fields.Selection(
        [("manual", "By hand"), ("draft", "As a draft"), ("posted", "Posted at once")],
        string="Refunds Made in the Shop",
        default="draft",
        required=True,
        tracking=True,
        help="Who makes the credit note when money was given back in the shop itself. The refund is booked in the "
        "payment journal once its credit note is posted.",
    )
