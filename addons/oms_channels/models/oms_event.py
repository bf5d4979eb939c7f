from odoo import fields, models


class OmsEvent(models.Model):
    _inherit = "oms.event"

    code = fields.Selection(
        selection_add=[
            ("paid", "Paid in the shop"),
            ("pushed", "Told to the shop"),
            ("push_failed", "Could not be told to the shop"),
            ("invoiced", "Invoiced"),
            ("payment_booked", "Payment booked"),
            ("refunded", "Refunded by the shop"),
            ("shop_refunded", "Refunded in the shop"),
            ("reopened", "Reopened in the shop"),
            ("refund_asked", "Refund asked for in the shop"),
            ("refund_withdrawn", "Refund request withdrawn in the shop"),
        ],
        ondelete={
            "paid": "cascade",
            "pushed": "cascade",
            "push_failed": "cascade",
            "invoiced": "cascade",
            "payment_booked": "cascade",
            "refunded": "cascade",
            "shop_refunded": "cascade",
            "reopened": "cascade",
            "refund_asked": "cascade",
            "refund_withdrawn": "cascade",
        },
    )

    # The inbound API tells which orders changed since.
    _channel_date_idx = models.Index("(channel_id, date) WHERE channel_id IS NOT NULL")
