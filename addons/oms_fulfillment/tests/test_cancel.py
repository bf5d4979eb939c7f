from odoo.fields import Command
from odoo.tests import tagged

from .common import FulfillmentCommon


@tagged("post_install", "-at_install")
class TestCancel(FulfillmentCommon):
    """Customer service cancels orders whose parcels the warehouse is already collecting."""

    def _create_batch(self, *pickings):
        batch = self.env["stock.picking.batch"].create(
            {"picking_ids": [Command.link(picking.id) for picking in pickings]}
        )
        batch.action_confirm()
        return batch

    def _cancel(self, picking):
        picking.sale_id.with_user(self.user).with_context(disable_cancel_warning=True).action_cancel()

    def test_order_in_a_batch_is_cancelled_and_leaves_it(self):
        first, second = self._create_delivery(), self._create_delivery()
        batch = self._create_batch(first, second)
        self._cancel(first)
        self.assertEqual((first.state, first.sale_id.state), ("cancel", "cancel"))
        self.assertEqual((batch.picking_ids, batch.state), (second, "in_progress"))

    def test_last_order_of_a_batch_is_cancelled_and_the_batch_with_it(self):
        picking = self._create_delivery()
        batch = self._create_batch(picking)
        self._cancel(picking)
        self.assertEqual((picking.state, batch.state), ("cancel", "cancel"))
