from psycopg2.errors import SerializationFailure, UniqueViolation

from odoo import api, fields, models
from odoo.fields import Domain


class OmsChannelListing(models.Model):
    """What a shop offers, and which product it is. Those without a product are a work list."""

    _name = "oms.channel.listing"
    _description = "Channel Listing"
    _inherit = ["oms.stock.rule.mixin"]
    _order = "channel_id, sku, id"
    _rec_name = "sku"
    _check_company_auto = True

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    external_id = fields.Char(string="ID in the Shop", required=True, readonly=True)
    product_external_id = fields.Char(string="Product ID in the Shop", readonly=True)
    inventory_external_id = fields.Char(string="Inventory ID in the Shop", readonly=True)
    sku = fields.Char(string="SKU", index=True, readonly=True)
    barcode = fields.Char(readonly=True)
    title = fields.Char(readonly=True)
    price = fields.Float(readonly=True, min_display_digits="Product Price")
    currency_id = fields.Many2one("res.currency", readonly=True)
    is_active = fields.Boolean(string="On Sale", default=True, readonly=True)
    product_id = fields.Many2one(
        "product.product",
        check_company=True,
        index="btree_not_null",
        ondelete="set null",
        help="What is sold and shipped for this listing. Orders that wait for it go on by themselves when it is set.",
    )
    state = fields.Selection(
        [("unmatched", "Unmatched"), ("matched", "Matched")], compute="_compute_state", store=True, index=True
    )
    message_ids = fields.Many2many(
        "oms.channel.message",
        "oms_channel_message_listing_rel",
        "listing_id",
        "message_id",
        string="Waiting Messages",
        readonly=True,
    )
    message_count = fields.Integer(string="Waiting Orders", compute="_compute_message_count")
    # Stock publishing
    is_publishing = fields.Boolean(string="Publish Stock", default=True)
    has_own_stock_rule = fields.Boolean(
        string="Own Stock Rule", help="How much of it is told differs from what the channel says."
    )

    _external_uniq = models.Constraint("UNIQUE(channel_id, external_id)", "This listing of the shop is already there.")

    @api.depends("product_id")
    def _compute_state(self):
        for listing in self:
            listing.state = "matched" if listing.product_id else "unmatched"

    @api.depends("sku", "title")
    def _compute_display_name(self):
        for listing in self:
            sku = f"[{listing.sku}] " if listing.sku else ""
            listing.display_name = f"{sku}{listing.title or listing.external_id}"

    @api.depends("message_ids.state")
    def _compute_message_count(self):
        for listing in self:
            listing.message_count = len(listing.message_ids.filtered(lambda message: message.state == "failed"))

    def write(self, vals):
        res = super().write(vals)
        if vals.get("product_id"):
            self._resume_messages()
        return res

    # === BUSINESS METHODS === #

    def _resume_messages(self):
        """Put the messages back in the queue whose last unmatched listing is matched now."""
        # sudo: oms.channel.message - who matches products need not be allowed to work the inbox
        messages = self.sudo().message_ids.filtered(
            lambda message: message.state == "failed" and all(listing.product_id for listing in message.listing_ids)
        )
        messages._resume()

    @api.model
    def _store(self, channel, listings, listed_date=None):
        """Create or update the listings of a channel, and match the new ones.

        :param listings: list of adapters' Listing objects
        :param listed_date: of the reading of the shop's products that they are of
        """
        known = self.search(
            [("channel_id", "=", channel.id), ("external_id", "in", [listing.external_id for listing in listings])]
        ).grouped("external_id")
        currencies = {currency.name: currency for currency in self.env["res.currency"].search([])}
        vals_list = []
        for listing in listings:
            vals = self._prepare_listing_values(channel, listing, currencies)
            record = known.get(listing.external_id)
            if not record:
                vals_list.append(vals)
            elif changed := {key: value for key, value in vals.items() if record._differs(key, value)}:
                record.write(changed)
        rows = self._create_unknown(vals_list) | self.union(*known.values())
        if listed_date:
            rows.listed_date = listed_date
        rows._match_products()
        channel._note_told_stock(
            {listing.external_id: listing.quantity for listing in listings if listing.quantity is not None}
        )
        return rows

    @api.model
    def _create_unknown(self, vals_list):
        """Create listings that were not there when this transaction began.

        :raise SerializationFailure: when another one (an order of the same goods, a reading of the shop's products) has
            just created one of them: a concurrent update as any other, a new transaction sees it
        """
        try:
            return self.create(vals_list)
        except UniqueViolation as error:
            raise SerializationFailure(str(error)) from error

    def _differs(self, key, value):
        field = self._fields[key]
        return field.convert_to_cache(value, self) != field.convert_to_cache(self[key], self)

    @api.model
    def _prepare_listing_values(self, channel, listing, currencies):
        currency = currencies.get(listing.currency)
        return {
            "channel_id": channel.id,
            "external_id": listing.external_id,
            "product_external_id": listing.product_external_id,
            "inventory_external_id": listing.inventory_external_id,
            "sku": listing.sku,
            "barcode": listing.barcode,
            "title": listing.title,
            "price": float(listing.price or 0),
            "currency_id": currency.id if currency else False,
            "is_active": listing.is_active,
        }


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    listing_ids = fields.One2many("oms.channel.listing", "channel_id", string="Listings")

    def _match_lines(self, channel_orders):
        """Return the listing of every line of these orders; what the shop sells that is not listed yet is listed.

        :param channel_orders: list of ChannelOrder
        :return: dict {(order external id, line external id): oms.channel.listing}, with or without a product
        """
        self.ensure_one()
        Listing = self.env["oms.channel.listing"]
        lines = [line for order in channel_orders for line in order.lines]
        ids = {self._get_listing_key(line) for line in lines}
        skus = {line.sku for line in lines if line.sku}
        known = Listing.search(
            Domain("channel_id", "=", self.id) & (Domain("external_id", "in", ids) | Domain("sku", "in", skus))
        )
        by_id = {listing.external_id: listing for listing in known}
        # An SKU sold under several ids is one product: a matched listing says which.
        by_sku = {
            listing.sku: listing for listing in known.sorted(lambda listing: bool(listing.product_id)) if listing.sku
        }
        missing = {}
        for line in lines:
            key = self._get_listing_key(line)
            if key not in by_id and line.sku not in by_sku:
                missing.setdefault(key, self._prepare_line_listing_values(line))
        created = Listing._create_unknown(list(missing.values()))
        by_id |= {listing.external_id: listing for listing in created}
        unmatched = (known | created).filtered(lambda listing: not listing.product_id)
        unmatched._match_products()
        return {
            (order.external_id, line.external_id): self._choose_listing(line, by_id, by_sku)
            for order in channel_orders
            for line in order.lines
        }

    def _choose_listing(self, line, by_id, by_sku):
        listing = by_id.get(self._get_listing_key(line))
        if (not listing or not listing.product_id) and line.sku in by_sku:
            return by_sku[line.sku]
        return listing

    def _get_listing_key(self, line):
        """Return what a line is listed under: the shop's id of the variant, else the SKU or title."""
        return line.variant_external_id or (f"sku:{line.sku}" if line.sku else f"title:{line.title}")

    def _prepare_line_listing_values(self, line):
        self.ensure_one()
        return {
            "channel_id": self.id,
            "external_id": self._get_listing_key(line),
            "product_external_id": line.product_external_id,
            "sku": line.sku,
            "barcode": line.barcode,
            "title": line.title,
            "price": float(line.price_unit),
        }
