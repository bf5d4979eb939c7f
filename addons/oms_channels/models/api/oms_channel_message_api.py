from odoo import api, models
from odoo.fields import Domain

from .oms_channel_api import CANCEL_TOPIC

# What comes in our own schema, whatever platform the channel has.
OWN_SOURCES = ("api", "file")


class OmsChannelMessage(models.Model):
    """Messages of the inbound API and of files: read by our own adapter, also in a channel without a shop."""

    _inherit = "oms.channel.message"

    def _is_own_format(self):
        """Return whether the payload is in our own schema."""
        return self.source in OWN_SOURCES

    def _get_order_adapter(self):
        """Return the adapter that reads these messages, which are of one channel and one format."""
        if self[:1]._is_own_format():
            return self.channel_id._get_api_adapter()
        return self.channel_id._get_adapter(is_live=self[:1].source == "webhook")

    @api.model
    def _find_channel_orders(self, channel, external_ids):
        """Return the orders that external ids of a channel became."""
        return self.env["sale.order"].search(
            [("channel_id", "=", channel.id), ("channel_order_id", "in", external_ids)]
        )

    def _process_queue_item(self):
        """Override: a cancellation is no order."""
        if self._is_own_format() and self.topic == CANCEL_TOPIC:
            return self.with_company(self.company_id)._process_cancellation()
        return super()._process_queue_item()

    def _process_cancellation(self):
        """Cancel the order, or keep what never became one from becoming it."""
        self._lock_order(self.external_id)
        failed = self.search(
            Domain("channel_id", "=", self.channel_id.id)
            & Domain("external_id", "=", self.external_id)
            & Domain("state", "=", "failed")
            & Domain("id", "<", self.id)
        )
        failed.write(
            {
                "state": "skipped",
                "done_date": self.env.cr.now(),
                "result": self.env._("Cancelled before it was imported"),
            }
        )
        order = self._find_orders([self.external_id])
        if not order:
            return {"state": "skipped", "result": self.env._("Cancelled before it was imported")}
        if order.channel_status == "cancelled":
            return {"state": "skipped", "order_id": order.id, "result": self.env._("Cancelled before")}
        order.channel_status = "cancelled"
        return {"order_id": order.id, "result": order._apply_shop_cancellation()}
