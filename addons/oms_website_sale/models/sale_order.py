from odoo import models


class SaleOrder(models.Model):
    """Orders of a website that is a channel. A cart is none: it joins when it is confirmed, which for the buyer means
    when it is paid, and then is reviewed like any shop's."""

    _inherit = "sale.order"

    def action_confirm(self):
        """Override of `sale`: the channel must be known before the review, so before what `oms_base` does here."""
        self._oms_join_website_channel()
        return super().action_confirm()

    def _oms_join_website_channel(self):
        """Give the carts among these orders the channel of their website."""
        carts = self.filtered(
            lambda order: not order.channel_id and order.state in ("draft", "sent") and order.website_id.oms_channel_id
        )
        for order in carts:
            order.write(
                {
                    "channel_id": order.website_id.oms_channel_id.id,
                    "channel_order_ref": order.name,
                    "oms_amount_paid": order.amount_paid,
                }
            )
        # sudo: oms.event - the buyer, who may be nobody, brings the order into the suite
        carts.sudo()._oms_log_event("received")

    def _get_free_qty(self, product):
        """Override of `website_sale_stock`: the cart may hold what the channel may sell."""
        if not self.website_id.oms_channel_id:
            return super()._get_free_qty(product)
        return self.website_id._oms_get_sellable_quantity(product)
