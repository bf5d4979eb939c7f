from datetime import UTC
from decimal import Decimal

from odoo import api, models


class SaleOrder(models.Model):
    """What the shop says has been sent though nothing was sent from here: by its staff, or before we came to it."""

    _inherit = "sale.order"

    @api.model
    def _is_channel_history(self, channel, channel_order):
        """Return whether an order that is not here is over: placed before the channel began, and sent since then by
        somebody else."""
        begun = (channel.pull_start_date or channel.create_date).replace(tzinfo=UTC)
        return channel_order.is_sent and channel_order.placed_at < begun

    def _apply_foreign_shipment(self, channel_order, before):
        """Keep from leaving what the shop says has been sent already, once for each thing it says.

        The shop's word on what we told it is an echo, and many shops can tell of a parcel only as of the whole order:
        once something was told from here its word is not taken for news any more.

        :param channel_order: ChannelOrder
        :param before: {line id in the shop: units sent}, as the shop told it last, see `_prepare_sent_units`
        :return: list of sentences for the result of the message
        """
        self.ensure_one()
        sent = self._prepare_sent_units(channel_order)
        if sent == before or self.state == "cancel" or self._is_shipment_told() or self._has_left():
            return []
        lines = {line.external_id: line for line in channel_order.lines}
        news = [
            f"{lines[key].sku or lines[key].title} {units}/{lines[key].open_quantity.normalize():f}"
            for key, units in sent.items()
            if Decimal(units) > Decimal(before.get(key, "0")) and self._has_goods_of(key)
        ]
        if not news:
            return []
        reason = self.env._(
            "The shop says that it has been sent already: %(lines)s. If it left from here, release the hold and book"
            " the delivery; else take it off the order.",
            lines=", ".join(news),
        )
        self._place_shop_hold(reason, {"sent": ", ".join(news)})
        self.channel_snapshot = {**(self.channel_snapshot or {}), "sent_there": sent}
        return [self.env._("Sent in the shop: put on hold")]

    @api.model
    def _prepare_sent_units(self, channel_order):
        """Return, JSON-able, {line id in the shop: units of it the shop says have been sent}; part of the snapshot."""
        return {key: f"{units.normalize():f}" for key, units in channel_order.sent_units.items()}

    def _is_shipment_told(self):
        """Return whether the shop was, or will be, told from here of something that left."""
        return any(push.kind == "shipment" for push in self.channel_push_ids)

    def _has_goods_of(self, line_key):
        """Return whether a line of the shop is one of goods here."""
        lines = self.order_line.filtered(lambda line: line._oms_get_channel_line_id() == line_key)
        return any(line.product_id.type == "consu" for line in lines)

    def _is_sent_in_shop(self, lines):
        """Return whether the shop itself sent all of these, before anything was told from here.

        :param lines: ((line id in the shop, quantity), ...)
        """
        sent = (self.channel_snapshot or {}).get("sent_there") or {}
        return bool(lines) and all(Decimal(sent.get(key, "0")) >= quantity for key, quantity in lines)
