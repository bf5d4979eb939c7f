from odoo import fields, models


class OmsEvent(models.Model):
    _inherit = "oms.event"

    code = fields.Selection(
        selection_add=[
            ("packed", "Packed"),
            ("label_printed", "Waybill printed"),
            ("handed_over", "Handed to the carrier"),
            ("in_transit", "In transit"),
            ("out_for_delivery", "Out for delivery"),
            ("delivered", "Delivered"),
            ("delivery_exception", "Delivery problem"),
            ("parcel_returned", "Parcel returned to sender"),
            ("parcel_cancelled", "Parcel cancelled"),
            ("buyer_informed", "Buyer informed"),
        ],
        ondelete={
            code: "cascade"
            for code in (
                "packed",
                "label_printed",
                "handed_over",
                "in_transit",
                "out_for_delivery",
                "delivered",
                "delivery_exception",
                "parcel_returned",
                "parcel_cancelled",
                "buyer_informed",
            )
        },
    )
