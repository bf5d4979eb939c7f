from odoo import api, fields, models
from odoo.fields import Domain


class SaleOrder(models.Model):
    _inherit = "sale.order"

    channel_is_direct = fields.Boolean(
        string="Sent to Us",
        readonly=True,
        copy=False,
        help="The order came by the inbound API or from a file: the shop of its channel does not know it.",
    )

    @api.model
    def _prepare_channel_order_values(self, channel, channel_order, contact, setup):
        """Override: keep whether there is a shop to tell."""
        values = super()._prepare_channel_order_values(channel, channel_order, contact, setup)
        return {**values, "channel_is_direct": channel_order.is_direct}


class OmsChannelPush(models.Model):
    _inherit = "oms.channel.push"

    @api.model
    def _enqueue(self, kind, pairs, payloads=None):
        """Override: what was sent to us is asked of us; the shop would only refuse to hear of it."""
        payloads = payloads or [{}] * len(pairs)
        told = [(pair, payload) for pair, payload in zip(pairs, payloads, strict=True) if not pair[0].channel_is_direct]
        return super()._enqueue(kind, [pair for pair, _payload in told], [payload for _pair, payload in told])


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    def _get_reread_domain(self):
        """Override: the shop can't be asked for what it does not know."""
        return super()._get_reread_domain() & Domain("channel_is_direct", "=", False)
