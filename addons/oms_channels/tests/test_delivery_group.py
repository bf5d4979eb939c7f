from odoo.tests import tagged

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestDeliveryGroup(ChannelsCommon):
    """Orders that travel in one parcel are told to their shop one by one, each with the same number."""

    def _get_fulfillments(self, number):
        return self.shop.orders[f"order_{number}"]["fulfillments"]

    def test_each_merged_order_gets_its_own_feedback(self):
        orders = self._import(1) | self._import(2)
        orders.partner_shipping_id = orders[0].partner_shipping_id
        orders.partner_id = orders[0].partner_id
        group = orders._oms_merge()
        orders.action_confirm()
        group.picking_ids.carrier_tracking_ref = "SF777"
        self._deliver(orders[0])
        self.assertEqual(group.picking_ids.state, "done")
        for order in orders:
            self.assertEqual(order.channel_push_ids.filtered(lambda push: push.kind == "shipment").state, "pending")
        self._work("push")
        for number, order in enumerate(orders, 1):
            [fulfillment] = self._get_fulfillments(number)
            self.assertEqual(fulfillment["labels"][0]["tracking_number"], "SF777")
            self.assertEqual(len(fulfillment["items"]), len(order._oms_get_shippable_lines()))
        self.env["oms.channel"]._notify("delivered", group.picking_ids)
        self.assertEqual(
            [len(order.channel_push_ids.filtered(lambda push: push.kind == "delivered")) for order in orders], [1, 1]
        )

    def test_parts_of_an_order_are_told_one_by_one(self):
        order = self._import(1, [("OMS-MOUSE", 3, 20.0)])
        order.action_confirm()
        groups = order._oms_split([{order._oms_get_shippable_lines(): 1}])
        for number, group in enumerate(groups, 1):
            group.picking_ids.carrier_tracking_ref = f"SF{number}"
        self._deliver(order)
        self._work("push")
        told = [(row["labels"][0]["tracking_number"], row["items"][0]["quantity"]) for row in self._get_fulfillments(1)]
        self.assertEqual(sorted(told), [("SF1", 2), ("SF2", 1)])
