import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.oms_base.tools import notification

from ...adapters import base
from ...matching import is_other_title
from ...tools import try_apart

_logger = logging.getLogger(__name__)

PRICES_EVERY = timedelta(hours=20)
STEP_SIZE = 1000


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    price_date = fields.Datetime(string="Prices Computed On", readonly=True, copy=False)
    price_place = fields.Integer(readonly=True, copy=False, help="The last listing whose price was computed anew.")


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

    def _refresh_prices(self):
        """Compute the prices of all listings of a channel, as far as the time reaches. What is wrong with some stops no
        others.

        :return: whether it came to the end
        """
        self.ensure_one()
        own = Domain("channel_id", "=", self.id) & Domain("product_id", "!=", False)
        while listings := self.env["oms.channel.listing"].search(
            own & Domain("id", ">", self.price_place), order="id", limit=STEP_SIZE
        ):
            if error := try_apart(listings, listings._refresh_price_drift):
                _logger.warning("Channel %s: prices could not be computed: %s", self.id, error)
            self.price_place = listings[-1].id
            if not self.env["ir.cron"]._commit_progress():
                return False
        self.write({"price_place": 0, "price_date": fields.Datetime.now()})
        return True


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

    _title_drift_idx = models.Index("(channel_id) WHERE is_title_drift IS TRUE")
    _price_drift_idx = models.Index("(channel_id) WHERE is_price_drift IS TRUE")

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
        """Compute our prices anew, once a day: price lists change with the date, and by rules that no field of a
        product shows. A run that is out of time goes on where it was."""
        cron = self.env["ir.cron"]
        channels = self.env["oms.channel"].search(
            Domain("listing_pricelist_id", "!=", False)
            & (Domain("price_date", "=", False) | Domain("price_date", "<", fields.Datetime.now() - PRICES_EVERY))
        )
        cron._commit_progress(remaining=len(channels))
        for channel in channels:
            if not channel._refresh_prices() or not cron._commit_progress(1):
                break

    def _refresh_price_drift(self):
        self.env.add_to_compute(self._fields["expected_price"], self)
        self.env.add_to_compute(self._fields["is_price_drift"], self)
        self.flush_recordset(["expected_price", "is_price_drift"])
