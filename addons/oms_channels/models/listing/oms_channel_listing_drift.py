from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.oms_base.tools import notification

from ...adapters import base
from ...matching import is_other_title


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    listing_pricelist_id = fields.Many2one(
        "product.pricelist",
        string="Price List of the Shop",
        check_company=True,
        help="What the shop should ask for its listings. Empty: prices are not compared.",
    )
    can_push_price = fields.Boolean(compute="_compute_can_push_price")

    @api.depends("provider")
    def _compute_can_push_price(self):
        for channel in self:
            channel.can_push_price = base.PRICE in channel._get_capabilities()


class OmsChannelListing(models.Model):
    """What the shop shows against what we say: titles that are about something else, prices that are not ours."""

    _inherit = "oms.channel.listing"

    is_title_drift = fields.Boolean(
        string="Title Differs",
        compute="_compute_is_title_drift",
        store=True,
        help="The product's name, in any language, is not in the title: the listing may be matched wrongly, or one of "
        "them was renamed.",
    )
    expected_price = fields.Float(
        string="Our Price", compute="_compute_price_drift", store=True, min_display_digits="Product Price"
    )
    is_price_drift = fields.Boolean(
        string="Price Differs",
        compute="_compute_price_drift",
        store=True,
        help="The shop's price is not that of the channel's price list.",
    )
    accepted_title = fields.Char(readonly=True, copy=False, help="Title and name that a person said are the same.")
    accepted_price = fields.Char(readonly=True, copy=False, help="Prices that a person said may differ.")
    drift_text = fields.Char(string="Differs", compute="_compute_drift_text", help="What is not as it is here.")
    can_push_price = fields.Boolean(related="channel_id.can_push_price")

    _title_drift_idx = models.Index("(channel_id) WHERE is_title_drift")
    _price_drift_idx = models.Index("(channel_id) WHERE is_price_drift")

    # === COMPUTE METHODS === #

    @api.depends("title", "product_id.name", "accepted_title")
    def _compute_is_title_drift(self):
        languages = [code for code, _name in self.env["res.lang"].get_installed()]
        for listing in self:
            names = [listing.product_id.with_context(lang=code).name for code in languages]
            listing.is_title_drift = (
                all(is_other_title(listing.title, name) for name in names)
                and listing.accepted_title != listing._get_title_pair()
            )

    @api.depends("price", "currency_id", "product_id.lst_price", "channel_id.listing_pricelist_id", "accepted_price")
    def _compute_price_drift(self):
        compared = self.filtered(
            lambda row: row.product_id and row.price and row.channel_id.listing_pricelist_id and row.currency_id
        )
        left = self - compared
        left.expected_price, left.is_price_drift = 0.0, False
        for (channel, currency), listings in compared.grouped(lambda row: (row.channel_id, row.currency_id)).items():
            prices = channel.listing_pricelist_id._get_products_price(listings.product_id, 1.0, currency=currency)
            for listing in listings:
                listing.expected_price = currency.round(prices[listing.product_id.id])
                listing.is_price_drift = (
                    bool(currency.compare_amounts(listing.price, listing.expected_price))
                    and listing.accepted_price != listing._get_price_pair()
                )

    @api.depends("is_title_drift", "is_price_drift", "stock_drift")
    def _compute_drift_text(self):
        labels = {
            "is_title_drift": self.env._("Title"),
            "is_price_drift": self.env._("Price"),
            "stock_drift": self.env._("Stock"),
        }
        for listing in self:
            listing.drift_text = ", ".join(label for field, label in labels.items() if listing[field])

    def _get_title_pair(self):
        name = self.product_id.with_context(lang=None).name  # whoever looks
        return f"{self.title}\n{name}"

    def _get_price_pair(self):
        return f"{self.price:.6f} {self.expected_price:.6f} {self.currency_id.name}"

    # === ACTION METHODS === #

    def action_accept_drift(self):
        """Say that title and price are right as they are, until one of the two sides changes."""
        for listing in self.filtered("is_title_drift"):
            listing.accepted_title = listing._get_title_pair()
        for listing in self.filtered("is_price_drift"):
            listing.accepted_price = listing._get_price_pair()
        return True

    def action_push_price(self):
        """Have the shops ask our price, where they can be told."""
        listings = self.filtered(lambda row: row.is_price_drift and row.can_push_price)
        if not listings:
            raise UserError(self.env._("None of these listings has a price that can be sent to its shop."))
        listings.channel_id.check_access("write")  # who matches products need not be allowed to set prices
        self.env["oms.channel.push"]._enqueue_prices(listings)
        message = self.env._("%(count)s prices are sent in the background.", count=len(listings))
        if left := self - listings:
            names = ", ".join(left[:10].mapped("display_name"))
            message += " " + self.env._("Left as they were: %(names)s.", names=names)
        return notification(message, "warning" if left else "success")

    @api.model
    def _cron_refresh_prices(self):
        """Compute our prices anew: price lists change with the date, and by rules that no field of a product shows."""
        listings = self.search([("channel_id.listing_pricelist_id", "!=", False), ("product_id", "!=", False)])
        self.env.add_to_compute(self._fields["expected_price"], listings)
        self.env.add_to_compute(self._fields["is_price_drift"], listings)
        listings.flush_recordset(["expected_price", "is_price_drift"])
