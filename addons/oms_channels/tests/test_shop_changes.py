from datetime import UTC, datetime
from unittest.mock import patch

from odoo.tests import tagged

from odoo.addons.oms_channels.adapters.medusa.adapter import MedusaAdapter
from odoo.addons.oms_channels.adapters.types import ChannelEvent

from .common import ADDRESS, ChannelsCommon


@tagged("post_install", "-at_install")
class TestShopChanges(ChannelsCommon):
    """What the buyer changes after the import is applied while nothing has happened, else a person stops the parcel."""

    def _change(self, **values):
        self.shop.change("order_1", **values)
        self._pull()

    def _edit_holds(self, order):
        return order.oms_hold_ids.filtered(lambda hold: hold.type_id.code == "edited" and hold.state == "active")

    def test_quotation_follows_address_and_lines(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)])
        item = self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", 3, 20.0)
        self._change(items=[item], total=70.0, shipping_address={**ADDRESS, "address_1": "解放路 1 号"})
        self.assertEqual(order.order_line[0].product_uom_qty, 3)
        self.assertEqual(order.partner_shipping_id.street, "解放路 1 号")
        self._assert_totals(order, 70.0)
        event = order.oms_event_ids.filtered(lambda row: row.code == "changed")
        self.assertIn("2 → 3", event.message)
        self.assertFalse(order.oms_review_date)

    def test_correction_made_here_survives_an_unrelated_change(self):
        order = self._import(1)
        order.partner_shipping_id = self._create_buyer("Corrected", street="Right Street 1")
        self._change(metadata={"colour": "x"})
        self.assertEqual(order.partner_shipping_id.street, "Right Street 1")
        self.assertEqual(self._message("order_1")[0].result, "No change of address or lines")

    def test_confirmed_order_is_intercepted_with_the_difference(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)])
        order.action_confirm()
        item = self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", 1, 20.0)
        self._change(items=[item], total=30.0)
        hold = self._edit_holds(order)
        self.assertEqual(hold.gate, "ship")
        self.assertEqual(hold.data["lines"]["ordli_1_0"]["now"], "1")
        self.assertEqual(order.order_line[0].product_uom_qty, 2)
        self.assertIn("2 → 1", hold.reason)

    def test_cancelled_before_shipping_is_cancelled(self):
        order = self._import(1)
        order.action_confirm()
        self._change(status="canceled")
        self.assertEqual(order.state, "cancel")
        self.assertEqual(set(order.picking_ids.mapped("state")), {"cancel"})

    def test_cancelled_after_shipping_is_held(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)])
        order.action_confirm()
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 1, "picked": True})
        picking._action_done()
        self._change(status="canceled")
        self.assertEqual(order.state, "sale")
        self.assertTrue(self._edit_holds(order).data["cancelled"])

    def _delete(self, topic="order.deleted"):
        """The shop tells that it has deleted the order for good."""
        self.shop.orders.pop("order_1")
        self.startPatcher(patch.object(MedusaAdapter, "deleted_topics", frozenset({"order.deleted"})))
        event = ChannelEvent(topic, topic, datetime.now(UTC), order_external_id="order_1", resource_type="order")
        message = self.env["oms.channel.message"]._store_event(self.channel, event)
        self._work("message")
        return message

    def test_order_deleted_in_the_shop_is_cancelled(self):
        order = self._import(1)
        order.action_confirm()
        message = self._delete()
        self.assertEqual((message.state, order.state, order.channel_status), ("done", "cancel", "cancelled"))
        self.assertFalse(order.channel_push_ids, "nobody is told")

    def test_order_deleted_in_the_shop_after_shipping_is_held(self):
        order = self._import(1)
        order.action_confirm()
        self._deliver(order)
        self._delete()
        self.assertEqual(order.state, "sale")
        self.assertTrue(self._edit_holds(order))

    def test_order_that_is_gone_without_a_word_is_an_error(self):
        self._import(1)
        self.assertEqual(self._delete("order.updated").state, "failed")

    def test_unknown_sku_in_a_change_waits_in_the_work_list(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)])
        item = self.shop._prepare_item("ordli_1_9", "GHOST", 1, 20.0)
        self._change(items=[item], total=30.0)
        message = self._message("order_1")[0]
        self.assertEqual(message.state, "failed")
        self.assertEqual(order.order_line[0].product_id, self.mouse)
        message.listing_ids.product_id = self.keyboard
        self._work("message")
        self.assertEqual(message.state, "done", message.last_error)
        self.assertEqual(order.order_line[0].product_id, self.keyboard)

    def test_captured_amount_never_shrinks(self):
        order = self._import(1, captured=True)
        payment = order.channel_payment_ids
        captured = payment.captured_amount
        self.shop.payment("pay_1").update(captures=[], captured_at=None)
        self._change()
        self.assertEqual((payment.state, payment.captured_amount), ("captured", captured))
