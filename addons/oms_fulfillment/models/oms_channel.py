from odoo import fields, models


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    notify_buyer_shipped = fields.Boolean(
        string="Tell Buyers: Shipped", default=True, help="Mail the buyer when a parcel is handed to the carrier."
    )
    notify_buyer_delivered = fields.Boolean(
        string="Tell Buyers: Delivered", default=True, help="Mail the buyer when a parcel is delivered."
    )

    def _get_health_issues(self):
        """Override of `oms_base` to add parcels that do not move."""
        issues = super()._get_health_issues()
        groups = self.env["oms.parcel"]._read_group(
            [("channel_id", "in", self.ids), ("alarm", "!=", False)], ["channel_id"], ["__count"]
        )
        for channel, count in groups:
            issues.setdefault(channel, []).append(
                ("warning", self.env._("%(count)s parcels do not move at the carrier.", count=count))
            )
        return issues
