from dataclasses import replace
from unittest.mock import patch

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.oms_channels.adapters.medusa import mapper

from .common import ADDRESS, ChannelsCommon


@tagged("post_install", "-at_install")
class TestEditPolicy(ChannelsCommon):
    """What the shop may still change, by part and by how far the order is."""

    def _confirmed(self, **policy):
        """An imported, confirmed order of 2 mice at 20.00, and a policy {part_stage: decision}."""
        for key, decision in policy.items():
            part, stage = key.rsplit("_", 1)
            self.channel.edit_policy_ids.filtered(lambda row, part=part: row.part == part)[stage] = decision
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)])
        if order.state != "sale":
            order.action_confirm()
        return order

    def _change(self, **values):
        self.shop.change("order_1", **values)
        self._pull()
        return self._message("order_1")[0]

    def _items(self, quantity, *others):
        items = [self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", quantity, 20.0)] if quantity else []
        return [*items, *others]

    def _holds(self, order):
        return order.oms_hold_ids.filtered(lambda hold: hold.type_id.code == "edited" and hold.state == "active")

    def test_usual_policy_holds_a_confirmed_order(self):
        order = self._confirmed()
        message = self._change(items=self._items(3), total=70.0)
        self.assertEqual(message.result, "Changed in the shop: put on hold")
        self.assertTrue(self._holds(order))
        self.assertEqual(order.order_line.filtered("channel_line_id")[0].product_uom_qty, 2)

    def test_more_is_applied_and_the_transfer_follows(self):
        order = self._confirmed(lines_ready="apply")
        self.shop.authorize(1, 70.0)
        message = self._change(items=self._items(3), total=70.0)
        self.assertEqual((message.state, message.result), ("done", "Changed"), message.last_error)
        self.assertFalse(self._holds(order))
        self.assertEqual(sum(order.picking_ids.move_ids.mapped("product_uom_qty")), 3)
        self._assert_totals(order, 70.0)

    def test_more_waits_for_its_money(self):
        order = self._confirmed(lines_ready="apply")
        self._change(items=self._items(3), total=70.0)
        self.assertEqual(order.oms_hold_ids.filtered(lambda hold: hold.state == "active").type_id.code, "payment")
        self.assertEqual(sum(order.picking_ids.move_ids.mapped("product_uom_qty")), 2)

    def test_less_is_applied_and_the_transfer_follows(self):
        order = self._confirmed(lines_ready="apply")
        self._change(items=self._items(1), total=30.0)
        moves = order.picking_ids.move_ids.filtered(lambda move: move.state != "cancel")
        self.assertEqual(sum(moves.mapped("product_uom_qty")), 1)
        self._assert_totals(order, 30.0)

    def test_other_product_is_applied(self):
        order = self._confirmed(lines_ready="apply")
        other = self.shop._prepare_item("ordli_1_9", "OMS-KEYB", 1, 50.0)
        self.shop.authorize(1, 60.0)
        self._change(items=self._items(0, other), total=60.0)
        moves = order.picking_ids.move_ids.filtered(lambda move: move.state != "cancel" and move.product_uom_qty)
        self.assertEqual(moves.product_id, self.keyboard)
        self.assertFalse(order.oms_hold_ids.filtered(lambda hold: hold.state == "active"))
        self._assert_totals(order, 60.0)

    def test_address_is_applied_to_the_transfer_too(self):
        order = self._confirmed(address_ready="apply")
        self._change(shipping_address={**ADDRESS, "address_1": "解放路 1 号"})
        self.assertEqual(order.partner_shipping_id.street, "解放路 1 号")
        self.assertEqual(order.picking_ids.partner_id, order.partner_shipping_id)
        self.assertFalse(self._holds(order))

    def test_parcel_with_a_label_is_held_all_the_same(self):
        order = self._confirmed(address_ready="apply")
        order.picking_ids.carrier_tracking_ref = "SF1"
        self._change(shipping_address={**ADDRESS, "address_1": "解放路 1 号"})
        self.assertEqual(order.partner_shipping_id.street, "文三路 90 号")
        self.assertIn("label", self._holds(order).reason)

    def test_locked_order_is_held_all_the_same(self):
        order = self._confirmed(lines_ready="apply")
        order.locked = True
        self._change(items=self._items(3), total=70.0)
        self.assertTrue(self._holds(order))
        self.assertEqual(order.order_line.filtered("channel_line_id")[0].product_uom_qty, 2)

    def test_begun_to_pick_is_held(self):
        order = self._confirmed(lines_ready="apply", address_ready="apply")
        order.picking_ids.move_ids.write({"quantity": 2, "picked": True})
        self._change(items=self._items(3), total=70.0)
        self.assertTrue(self._holds(order))

    def test_parts_are_decided_one_by_one(self):
        order = self._confirmed(address_ready="apply", lines_ready="ignore")
        message = self._change(
            items=self._items(3), total=70.0, shipping_address={**ADDRESS, "address_1": "解放路 1 号"}
        )
        self.assertEqual(message.result, "Changed")
        self.assertEqual(order.partner_shipping_id.street, "解放路 1 号")
        self.assertEqual(order.order_line.filtered("channel_line_id")[0].product_uom_qty, 2)

    def test_ignored_is_told_by_the_timeline_only(self):
        order = self._confirmed(address_ready="ignore")
        message = self._change(shipping_address={**ADDRESS, "address_1": "解放路 1 号"})
        self.assertEqual(message.result, "Changed in the shop: left as it is")
        self.assertIn("changed", order.oms_event_ids.mapped("code"))
        self.assertFalse(self._holds(order))

    def test_note_of_the_buyer(self):
        order = self._confirmed(note_ready="apply")
        self._change(metadata={"note": "leave at the door"})
        self.assertEqual(order.channel_note, "leave at the door")

    def test_quotation_can_be_held_as_well(self):
        self.channel.auto_confirm = False
        self.channel.edit_policy_ids.filtered(lambda row: row.part == "address").review = "hold"
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)])
        self.assertEqual(order.state, "draft")
        self._change(shipping_address={**ADDRESS, "address_1": "解放路 1 号"})
        self.assertTrue(self._holds(order))
        self.assertEqual(order.partner_shipping_id.street, "文三路 90 号")

    def test_what_nobody_can_do_is_no_policy(self):
        policy = self.channel.edit_policy_ids.filtered(lambda row: row.part == "lines")
        with self.assertRaises(ValidationError):
            policy.shipped = "apply"

    def test_channel_without_rows_goes_by_what_is_usual(self):
        self.channel.edit_policy_ids.unlink()
        self.assertEqual(self.channel._get_edit_decision("lines", "ready"), "hold")
        self.channel.action_reset_edit_policies()
        self.assertEqual(len(self.channel.edit_policy_ids), 7)

    # === WHAT NO QUANTITY TELLS === #

    def _other_item(self, sku="OMS-KEYB", price=20.0):
        """Another product, or price, under the same line."""
        return self.shop._prepare_item("ordli_1_0", sku, 2, price)

    def test_other_product_under_the_same_line_is_held(self):
        order = self._confirmed()
        self._change(items=[self._other_item()])
        self.assertIn("OMS-MOUSE → OMS-KEYB", self._holds(order).reason)
        self.assertEqual(order.order_line.filtered("channel_line_id")[0].product_id, self.mouse)

    def test_other_product_under_the_same_line_is_applied(self):
        order = self._confirmed(lines_ready="apply")
        message = self._change(items=[self._other_item()])
        self.assertEqual(message.result, "Changed", message.last_error)
        moves = order.picking_ids.move_ids.filtered(lambda move: move.state != "cancel" and move.product_uom_qty)
        self.assertEqual((moves.product_id, moves.product_uom_qty), (self.keyboard, 2))
        line = order.order_line.filtered(lambda line: line.channel_line_id == "ordli_1_0")
        self.assertEqual((line.product_id, line.product_uom_qty), (self.keyboard, 2))
        self._assert_totals(order, 50.0)
        self.assertEqual(self._change(metadata={"colour": "x"}).result, "No change of address or lines")

    def test_prices_that_change_within_the_same_total_are_held(self):
        order = self._import(1, [("OMS-MOUSE", 1, 20.0), ("OMS-KEYB", 1, 30.0)])
        order.action_confirm()
        items = [
            self.shop._prepare_item(f"ordli_1_{index}", sku, 1, price)
            for index, (sku, price) in enumerate((("OMS-MOUSE", 21.0), ("OMS-KEYB", 29.0)))
        ]
        self._change(items=items)
        self.assertIn("price of OMS-MOUSE 20.00 → 21.00", self._holds(order).reason)
        self.assertIn("20", str(self._holds(order)._get_evidence()))

    def test_renamed_sku_is_no_other_product(self):
        order = self._confirmed()
        message = self._change(items=[{**self._items(2)[0], "variant_sku": "OMS-MOUSE-NEW"}])
        self.assertEqual(message.result, "No change of address or lines")
        self.assertFalse(self._holds(order))

    def test_billing_address_and_email_are_applied_until_the_invoice(self):
        order = self._confirmed()
        shipping, partner = order.partner_shipping_id, order.partner_id
        billing = {**ADDRESS, "address_1": "账单路 5 号"}
        self._change(billing_address=billing, email="new@example.com")
        self.assertEqual(order.partner_invoice_id.street, "账单路 5 号")
        self.assertEqual((order.partner_id, partner.email), (partner, "new@example.com"))
        self.assertEqual((order.partner_shipping_id, self._holds(order).id), (shipping, False))

    def test_billing_address_after_the_invoice_is_held(self):
        (self.mouse | self.keyboard).write({"invoice_policy": "order"})
        order = self._confirmed()
        order._create_invoices().action_post()
        self._change(billing_address={**ADDRESS, "address_1": "账单路 5 号"})
        self.assertIn("invoiced", self._holds(order).reason)
        self.assertEqual(order.partner_invoice_id.street, "文三路 90 号")

    def test_other_shipping_method_is_held_or_applied(self):
        order = self._confirmed()
        method = {"id": "ordsm_2", "name": "Overnight", "amount": 10.0, "total": 10.0}
        self._change(shipping_methods=[method])
        self.assertIn("Express → Overnight", self._holds(order).reason)
        self._holds(order).action_release("As before")
        self.channel.edit_policy_ids.filtered(lambda row: row.part == "shipping").ready = "apply"
        self._change(shipping_methods=[{**method, "name": "Drone", "amount": 15.0, "total": 15.0}], total=55.0)
        self.assertFalse(self._holds(order))
        charges = order.order_line.filtered(lambda line: line.is_delivery and line.product_uom_qty)
        self.assertEqual(charges.mapped("name"), ["Drone"])
        self._assert_totals(order, 55.0)

    def test_snapshot_from_before_says_nothing_new(self):
        order = self._confirmed()
        lines = {
            key: {name: row[name] for name in ("sku", "title", "quantity")}
            for key, row in order.channel_snapshot["lines"].items()
        }
        left = {key: value for key, value in order.channel_snapshot.items() if key not in ("billing", "shipping")}
        order.channel_snapshot = {**left, "lines": lines}
        self.assertEqual(self._change(metadata={"colour": "x"}).result, "No change of address or lines")

    # === MASKED BUYERS === #

    def _mask(self, phone):
        """The shop hides the buyer, each time in other words."""
        real = mapper.map_order

        def map_order(raw):
            order = real(raw)
            if not raw.get("metadata", {}).get("masked"):
                return order
            address = replace(order.shipping_address, name="张**", phone=raw["metadata"]["masked"])
            return replace(order, is_masked=True, shipping_address=address, billing_address=None)

        self.startPatcher(patch.object(mapper, "map_order", map_order))
        return {"masked": phone}

    def test_masked_again_is_no_other_address(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)], metadata=self._mask("138****0001"))
        self.assertTrue(order.channel_is_masked)
        order.action_confirm()
        message = self._change(metadata={"masked": "1380***0002"})
        self.assertEqual(message.result, "No change of address or lines")
        self.assertFalse(self._holds(order))

    def test_unmasked_wins_and_stays(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)], metadata=self._mask("138****0001"))
        order.action_confirm()
        self._change(metadata={})
        self.assertFalse(self._holds(order))
        self.assertFalse(order.channel_is_masked)
        self.assertEqual(order.partner_shipping_id.phone, ADDRESS["phone"])
        self._change(metadata={"masked": "138****0003"})
        self.assertFalse(order.channel_is_masked)
        self.assertEqual(order.partner_shipping_id.phone, ADDRESS["phone"])
        message = self._change(metadata={})
        self.assertEqual(message.result, "No change of address or lines")
