from odoo import models
from odoo.tools import format_amount


class SaleOrder(models.Model):
    """What an order costs more in the shop since its buyer paid: it waits, and a person collects the rest."""

    _inherit = "sale.order"

    def _get_captured_amount(self):
        """Return what the shop took of the buyer."""
        self.ensure_one()
        return sum(self.channel_payment_ids._filter_inbound().mapped("captured_amount"))

    def _get_amount_kept(self):
        """Return what the shop took of the buyer, less what it gave back."""
        return self._get_captured_amount() - sum(self.channel_payment_ids._filter_inbound().mapped("refunded_amount"))

    def _get_unpaid_amount(self, channel_order):
        """Return what the shop has not taken yet of what the order costs there."""
        return self.currency_id.round(float(channel_order.expected_total) - self._get_captured_amount())

    def _get_wait(self, channel_order):
        """Return `_get_channel_wait` of an order that is here. A shop that only says that an order is paid means what
        it cost by then."""
        wait = self._get_channel_wait(channel_order)
        is_by_total = channel_order.status == "open" and any(row.is_by_total for row in channel_order.payments)
        if wait or not is_by_total or not self._get_captured_amount():
            return wait
        return "payment" if self._get_unpaid_amount(channel_order) > 0 else False

    def _collect_the_rest(self, channel_order, waited_for):
        """Have a person collect what an order that was paid costs more now.

        :param waited_for: what it waited for before, see `oms_waits_for`
        """
        if self.oms_waits_for != "payment" or waited_for == "payment" or not self._get_captured_amount():
            return
        amount = format_amount(self.env, self._get_unpaid_amount(channel_order), self.currency_id)
        self._oms_schedule_activity(
            self.env._("Collect from the buyer: %(amount)s", amount=amount),
            self.env._("The order costs more in the shop since it was paid. It waits until the rest has come."),
        )
