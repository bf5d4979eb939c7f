from odoo import api, fields, models

from ..sale_order import READERS


class SaleOrder(models.Model):
    _inherit = "sale.order"

    payout_line_ids = fields.One2many(
        "oms.channel.payout.line", "order_id", string="Payout Lines", readonly=True, groups=READERS
    )
    channel_fee_amount = fields.Monetary(
        string="Fees of the Channel",
        compute="_compute_channel_fee_amount",
        compute_sudo=True,
        groups=READERS,
        help="What platform and payment provider keep of this order: by its payout lines, before those come by its "
        "payments.",
    )

    @api.depends("payout_line_ids.fee_amount", "channel_payment_ids.fee_amount")
    def _compute_channel_fee_amount(self):
        """The same fee stands on a payment and on its payout line: only one of them counts."""
        for order in self:
            lines = order.payout_line_ids.filtered(lambda line, order=order: line.currency_id == order.currency_id)
            payments = order.channel_payment_ids.filtered(
                lambda payment, order=order: payment.currency_id == order.currency_id
            )
            order.channel_fee_amount = sum((lines or payments).mapped("fee_amount"))
