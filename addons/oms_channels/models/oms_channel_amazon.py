from odoo import fields, models


class OmsChannel(models.Model):
    """Amazon: its keys and settings, and what its form says."""

    _inherit = "oms.channel"

    provider = fields.Selection(selection_add=[("amazon", "Amazon")], ondelete={"amazon": "set null"})
    # groups: keys open the shop; only administrators see or change them
    refresh_token = fields.Char(
        copy=False,
        groups="base.group_system",
        help="Begins with Atzr|. Shown once, when you authorise the app in Seller Central under Apps and Services, "
        "Develop Apps.",
    )
    amazon_seller_ref = fields.Char(
        string="Seller ID",
        help="Seller Central shows it under Settings, Account Info, Your Merchant Token. Listings and stock need it.",
    )
    amazon_marketplace_refs = fields.Char(
        string="Marketplace IDs",
        help="For example ATVPDKIKX0DER for Amazon.com, separated by commas. Empty: all that the seller takes part in. "
        "Test Connection names them. Stock is published by way of the first one.",
    )
    amazon_orders_version = fields.Selection(
        [("2026-01-01", "2026-01-01: whole orders in one call"), ("v0", "v0: for apps without access to the new one")],
        string="Orders API",
        default="2026-01-01",
        help="The new version gives a hundred whole orders a call; the old one needs a call for the items of each.",
    )

    def _get_adapter_values(self):
        """Override: Amazon's own settings."""
        values = super()._get_adapter_values()
        if self.provider == "amazon":
            values |= {
                "refresh_token": self.refresh_token,
                "seller_id": self.amazon_seller_ref,
                "marketplace_ids": self.amazon_marketplace_refs,
                "orders_version": self.amazon_orders_version,
            }
        return values

    def _get_platform_limits(self):
        """Override."""
        limits = super()._get_platform_limits()
        if self.provider == "amazon":
            limits += [
                self.env._(
                    "Orders that Amazon ships from its own warehouses (FBA) are left out: they need no work here"
                ),
                self.env._("Orders come in once Amazon has the payment, not while it is pending"),
                self.env._(
                    "Cancel and refund in Seller Central, and it reaches us, refunds with the payouts: Amazon takes "
                    "both only as files whose outcome is told later, so a repeated one could pay twice"
                ),
            ]
        return limits

    def _get_webhook_help(self):
        """Override."""
        if self.provider == "amazon":
            return self.env._("Amazon calls no address of ours: its orders come by pulling only.")
        return super()._get_webhook_help()
