import uuid
from decimal import Decimal

from odoo import api, fields, models
from odoo.tools import float_repr

from ...adapters import notices


class OmsChannelPush(models.Model):
    """Prices in the outbox: one waiting push for each listing, told as it is when its turn comes."""

    _inherit = "oms.channel.push"

    kind = fields.Selection(selection_add=[("price", "Price")], ondelete={"price": "cascade"})

    @api.model
    def _enqueue_prices(self, listings):
        """Queue the prices of these listings, but for those that wait already."""
        # sudo: oms.channel.push - the outbox follows what users do; nobody writes it by hand
        Push = self.sudo()
        waiting = Push.search(
            [
                ("kind", "=", "price"),
                ("state", "=", "pending"),
                ("res_model", "=", listings._name),
                ("res_id", "in", listings.ids),
            ]
        )
        known = set(waiting.mapped("res_id"))
        return Push.create(
            [
                {
                    "channel_id": listing.channel_id.id,
                    "kind": "price",
                    "res_model": listing._name,
                    "res_id": listing.id,
                    "idempotency_key": f"price-{uuid.uuid4().hex}",
                }
                for listing in listings
                if listing.id not in known
            ]
        )

    def _prepare_price_notice(self):
        """Return the adapters' PriceNotice, or why there is nothing to tell."""
        listing = self._get_document()
        if not listing.is_price_drift:
            return self.env._("The shop has our price already.")
        price = Decimal(float_repr(listing.expected_price, listing.currency_id.decimal_places))
        return notices.PriceNotice(
            external_id=listing.external_id,
            product_external_id=listing.product_external_id or "",
            sku=listing.sku or "",
            price=price,
            currency=listing.currency_id.name,
        )

    def _apply_result(self, notice, result):
        """Override: what the shop asks now."""
        if self.kind != "price":
            return super()._apply_result(notice, result)
        self._get_document().price = float(notice.price)
        return {"response": self.env._("Accepted.")}
