from odoo import models


class SaleOrder(models.Model):
    """Orders that were cancelled in the shop and are open there again: paid late, or taken out of the bin."""

    _inherit = "sale.order"

    def _is_reopened(self, channel_order):
        """Return whether the shop has opened this order again. :param channel_order: ChannelOrder"""
        self.ensure_one()
        return channel_order.status == "open" and self.channel_status == "cancelled" and self.state == "cancel"

    def _apply_shop_reopening(self, channel_order):
        """Begin this order anew where nothing was done with it, else have a person look.

        :return: what was done, as a sentence
        """
        self.ensure_one()
        self._oms_log_event("reopened")
        if reason := self._get_reopening_obstacle():
            self._place_shop_hold(reason, {"reopened": True})
            self._oms_schedule_activity(self.env._("%(order)s is open in the shop again", order=self.name), reason)
            return self.env._("Reopened in the shop: left to a person")
        self.action_draft()
        self._apply_differences(channel_order, {part: {} for part in ("address", "billing", "lines", "note")})
        return self.env._("Reopened in the shop: reviewed anew")

    def _get_reopening_obstacle(self):
        """Return why this order can't begin anew by itself, "" when it can."""
        if any(push.kind == "cancel" for push in self.channel_push_ids):
            return self.env._("The order was cancelled here, and was opened again in the shop.")
        if any(picking.state == "done" for picking in self._oms_get_pickings()) or self._get_channel_moves():
            return self.env._("The order is open in the shop again, but goods were moved or it was invoiced before.")
        return ""
