from datetime import timedelta

from odoo import fields
from odoo.fields import Command
from odoo.tests import Form, tagged

from .common import ChannelsCommon, patch_method


@tagged("post_install", "-at_install")
class TestOutbox(ChannelsCommon):
    """What is done here is told to the shop once, in order, after the user's transaction."""

    def _ship(self, order, tracking="SF123"):
        order.action_confirm()
        order.picking_ids.carrier_tracking_ref = tracking
        self._deliver(order)
        return order.channel_push_ids.filtered(lambda push: push.kind == "shipment")

    def _fulfillments(self, number=1):
        return self.shop.orders[f"order_{number}"]["fulfillments"]

    def test_shipment_with_tracking_number_and_quantities(self):
        order = self._import(1)
        self.shop.calls.clear()
        push = self._ship(order)
        self.assertEqual(push.state, "pending")
        self.assertFalse(self.shop.calls, "nothing is sent in the user's transaction")
        self._work("push")
        self.assertEqual(push.state, "done", push.last_error)
        [fulfillment] = self._fulfillments()
        self.assertEqual(push.external_ref, fulfillment["id"])
        self.assertEqual(fulfillment["labels"][0]["tracking_number"], "SF123")
        self.assertEqual(
            fulfillment["items"],
            [{"line_item_id": "ordli_1_0", "quantity": 2}, {"line_item_id": "ordli_1_1", "quantity": 1}],
        )
        self.assertIn("pushed", order.oms_event_ids.mapped("code"))

    def test_what_was_sent_is_kept_and_shown_also_when_it_was_refused(self):
        order = self._import(1)
        push = self._ship(order)
        self.assertIn("ordli_1_0", push.content_text, "before it is sent: what it will be made of")
        raw = self.shop.orders.pop("order_1")
        self._work("push")
        self.assertEqual((push.state, push.notice["tracking_number"]), ("failed", "SF123"))
        self.shop.orders["order_1"] = raw
        push.action_retry()
        self._work("push")
        self.assertEqual(push.state, "done")
        self.assertEqual(push.notice["lines"], [["ordli_1_0", "2.00"], ["ordli_1_1", "1.00"]])
        self.assertIn("SF123", push.with_user(self.user).content_text)

    def test_partial_shipments_are_told_one_by_one(self):
        order = self._import(1, [("OMS-MOUSE", 3, 20.0)])
        order.action_confirm()
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 1, "picked": True})
        picking._action_done()
        self._deliver(order)
        self._work("push")
        quantities = [row["items"][0]["quantity"] for row in self._fulfillments()]
        self.assertEqual(quantities, [1, 2])

    def test_parcels_of_one_transfer_are_told_one_by_one(self):
        order = self._import(1)
        push = self._ship(order, "SF1,SF2")
        mouse, keyboard = order.picking_ids.move_ids.sorted("id")
        boxes = [("SF1", "", {mouse: 2}), ("SF2", "", {keyboard: 1})]
        with patch_method(order.picking_ids, "_oms_get_parcels", lambda picking: boxes):
            self._work("push")
            told = [(row["labels"][0]["tracking_number"], row["items"]) for row in self._fulfillments()]
            self.assertEqual(
                told,
                [
                    ("SF1", [{"line_item_id": "ordli_1_0", "quantity": 2}]),
                    ("SF2", [{"line_item_id": "ordli_1_1", "quantity": 1}]),
                ],
            )
            self.assertEqual(push.external_ref, "ful_1,ful_2")
            push.write({"state": "pending", "external_ref": False})
            self._work("push")
            self.assertEqual((len(self._fulfillments()), push.state), (2, "done"))
            self.env["oms.channel"]._notify("delivered", order.picking_ids)
            self._work("push")
        self.assertTrue(all(row["delivered_at"] for row in self._fulfillments()))

    def test_joined_numbers_are_never_told(self):
        """Of boxes nobody knows the content of, the first is told; of one box of several, its own number."""
        for number, boxes, told in ((1, [], "SF1"), (2, ["SF2"], "SF2")):
            order = self._import(number)
            self._ship(order, "SF1,SF2")
            picking = order.picking_ids
            content = dict.fromkeys(picking.move_ids, 2)
            parcels = [(name, f"https://t/{name}", content) for name in boxes]
            with patch_method(picking, "_oms_get_parcels", lambda _picking, parcels=parcels: parcels):
                self._work("push")
                [row] = self._fulfillments(number)
                self.assertEqual(row["labels"][0]["tracking_number"], told)
                self.env["oms.channel"]._notify("delivered", picking)
                self._work("push")
            self.assertTrue(row["delivered_at"])
            notices = order.channel_push_ids.mapped("notice")
            self.assertEqual({notice["tracking_number"] for notice in notices}, {told})

    def test_link_is_that_of_the_first_box(self):
        picking = self.env["stock.picking"].new({"carrier_tracking_ref": "SF1, SF2"})
        for link, told in (
            ('[["SF1", "https://t/1"], ["SF2", "https://t/2"]]', "https://t/1"),
            ("https://t", "https://t"),
        ):
            picking.carrier_tracking_url = link
            self.assertEqual(picking._get_channel_tracking(), ("SF1", told))

    def test_killed_after_the_call_does_not_ship_twice(self):
        push = self._ship(self._import(1))
        self._work("push")
        # As if the worker had died before its commit: the row is still waiting, the shop has it.
        push.write({"state": "pending", "external_ref": False})
        self._work("push")
        self.assertEqual(push.state, "done")
        self.assertIn("already", push.response)
        self.assertEqual(len(self._fulfillments()), 1)

    def test_the_same_thing_is_queued_once(self):
        order = self._import(1)
        push = self._ship(order)
        self.env["oms.channel"]._notify("delivered", order.picking_ids)
        self.env["oms.channel"]._notify("delivered", order.picking_ids)
        self.assertEqual(len(order.channel_push_ids), 2)
        order.picking_ids._enqueue_channel_push("shipment")
        self.assertEqual(order.channel_push_ids.filtered(lambda row: row.kind == "shipment"), push)

    def test_dropshipped_goods_are_told(self):
        """What goes from a supplier straight to the buyer leaves by a transfer whose type is not "outgoing"."""
        suppliers, customers = (self.env.ref(f"stock.stock_location_{name}") for name in ("suppliers", "customers"))
        places = {"default_location_src_id": suppliers.id, "default_location_dest_id": customers.id}
        picking_type = self.env["stock.picking.type"].create(
            {"name": "Dropship", "code": "internal", "sequence_code": "DS", "warehouse_id": False, **places}
        )
        rule = {
            "name": "Dropship",
            "action": "pull",
            "procure_method": "make_to_stock",
            "picking_type_id": picking_type.id,
            "location_src_id": suppliers.id,
            "location_dest_id": customers.id,
        }
        route = self.env["stock.route"].create(
            {"name": "Dropship", "sale_selectable": True, "rule_ids": [Command.create(rule)]}
        )
        order = self._import(1)
        order.order_line.route_ids = route
        push = self._ship(order)
        self.assertEqual(order.picking_ids.picking_type_code, "internal")
        self._work("push")
        self.assertEqual(push.state, "done", push.last_error)
        self.assertEqual([item["quantity"] for item in self._fulfillments()[0]["items"]], [2, 1])
        self.assertEqual(order._get_edit_stage(), "shipped")

    def _send_back(self, picking):
        """Return all goods of a transfer by Odoo's own wizard; return the transfer that does it, done."""
        wizard = Form(self.env["stock.return.picking"].with_context(active_id=picking.id, active_model=picking._name))
        wizard = wizard.save()
        for row in wizard.product_return_moves:
            row.quantity = row.move_id.quantity
        back = wizard._create_return()
        back.move_ids.picked = True
        back._action_done()
        return back

    def test_goods_that_came_back_and_are_sent_again_are_no_new_shipment(self):
        """As those of a rejected return: the shop would refuse more than was ordered."""
        order = self._import(1)
        shipment = self._ship(order)
        again = self._send_back(self._send_back(order.picking_ids))
        self.assertEqual((again.picking_type_code, again.state), ("outgoing", "done"))
        self.assertLessEqual(again.move_ids.sale_line_id, order.order_line)
        self.assertTrue(again.move_ids.sale_line_id)
        self.env["oms.channel"]._notify("delivered", again)
        self.assertEqual(order.channel_push_ids, shipment)

    def test_delivered_waits_for_the_shipment(self):
        order = self._import(1)
        shipment = self._ship(order)
        self.env["oms.channel"]._notify("delivered", order.picking_ids)
        delivered = order.channel_push_ids - shipment
        self.shop.failure = (500, {})
        self._work("push")
        self.assertEqual((shipment.state, delivered.state), ("pending", "pending"))
        self.assertEqual(delivered.attempts, 0)
        self.shop.failure = None
        self.channel.rest_until = False
        order.channel_push_ids.action_retry()
        self._work("push")
        self.assertEqual((shipment.state, delivered.state), ("done", "done"))
        self.assertTrue(self._fulfillments()[0]["delivered_at"])

    def test_throttled_shop_is_given_the_time_it_asks_for(self):
        push = self._ship(self._import(1))
        self.shop.failure = (429, {"retry-after": "300"})
        before = fields.Datetime.now()
        self._work("push")
        self.assertEqual(push.state, "pending")
        rest = timedelta(seconds=300)
        self.assertTrue(before + rest <= push.next_try <= fields.Datetime.now() + rest, push.next_try)
        self.assertTrue(self.channel.rest_until)
        calls = len(self.shop.calls)
        push.next_try = fields.Datetime.now()
        self._work("push")
        self.assertEqual(len(self.shop.calls), calls, "the channel rests")

    def test_refused_key_stops_the_channel_but_loses_nothing(self):
        push = self._ship(self._import(1))
        self.shop.failure = (401, {})
        self._work("push")
        self.assertEqual(push.state, "pending")
        self.assertEqual(self.channel.health, "error")
        self.shop.failure = None
        self.channel.action_test_connection()
        push.action_retry()
        self._work("push")
        self.assertEqual(push.state, "done")

    def test_missing_right_stops_nobody_else(self):
        """One that lacks the right to ship waits; the channel goes on."""
        push = self._ship(self._import(1))
        self.shop.failure = (403, {})
        self._work("push")
        self.assertEqual((push.state, push.attempts), ("pending", 1))
        self.assertFalse(self.channel.rest_until)
        self.shop.failure = None
        push.action_retry()
        self._work("push")
        self.assertEqual(push.state, "done")

    def test_refusal_is_final_visible_and_repeatable(self):
        order = self._import(1)
        push = self._ship(order)
        raw = self.shop.orders.pop("order_1")
        self._work("push")
        self.assertEqual(push.state, "failed")
        self.assertIn("404", push.last_error)
        self.assertIn("push_failed", order.oms_event_ids.mapped("code"))
        self.assertTrue(order.activity_ids)
        self.shop.orders["order_1"] = raw
        push.with_user(self.user).action_retry()
        self._work("push")
        self.assertEqual(push.state, "done")

    def test_skipped_push_is_not_sent(self):
        push = self._ship(self._import(1))
        push.with_user(self.user).action_skip()
        self._work("push")
        self.assertFalse(self._fulfillments())

    def test_cancel_here_cancels_in_the_shop(self):
        order = self._import(1)
        order._action_cancel()
        self._work("push")
        self.assertEqual(self.shop.orders["order_1"]["status"], "canceled")
        self.assertEqual(order.channel_status, "cancelled")

    def test_cancel_in_the_shop_is_not_told_back(self):
        order = self._import(1)
        self.shop.change("order_1", status="canceled")
        self._pull()
        self.assertEqual(order.state, "cancel")
        self.assertFalse(order.channel_push_ids)

    def test_order_without_channel_writes_no_outbox(self):
        order = self._create_order(channel_id=False)
        order.action_confirm()
        self._deliver(order)
        self.assertFalse(order.channel_push_ids)

    def test_refund_of_what_the_shop_never_collected_is_skipped(self):
        order = self._import(1)
        self._ship(order)
        invoice = order._create_invoices()
        invoice.action_post()
        # Paid at the counter: what is credited then is owed to the buyer.
        self.env["account.payment.register"].with_context(active_model="account.move", active_ids=invoice.ids).create(
            {}
        )._create_payments()
        invoice._reverse_moves().action_post()
        self._work("push")
        push = order.channel_push_ids.filtered(lambda row: row.kind == "refund")
        self.assertEqual(push.state, "skipped")
        self.assertIn("collected nothing", push.response)

    def test_credit_note_that_was_set_off_pays_nobody(self):
        order = self._import(1, captured=True)
        self._ship(order)
        invoice = order._create_invoices()
        invoice.action_post()
        credit = invoice._reverse_moves()
        credit.action_post()
        (invoice | credit)._get_receivable_lines().filtered(lambda line: not line.reconciled).reconcile()
        self.assertEqual(credit.amount_residual, 0.0)
        order.channel_push_ids.filtered(lambda row: row.kind == "refund").unlink()
        self.env["oms.channel"]._notify("refund", credit)
        self.assertFalse(order.channel_push_ids.filtered(lambda row: row.kind == "refund"))
