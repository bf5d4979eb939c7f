from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import OmsReturnsCommon


@tagged("post_install", "-at_install")
class TestRefundOnly(OmsReturnsCommon):
    def _refund(self, order, quantity=0.0, amount=0.0):
        oms_return = self._ask(order, {order.order_line[:1].product_id: quantity}, type="refund_only")
        oms_return.line_ids.refund_amount = amount
        oms_return.action_approve()
        return oms_return

    def test_goodwill_amount_with_tax(self):
        for amount in (10.0, 10.01, 9.99, 0.07):
            order = self._create_order([(self.mouse, 1)])
            order.order_line.tax_ids = self.tax
            order.action_confirm()
            self._deliver(order)
            self._invoice(order)
            oms_return = self._refund(order, amount=amount)
            credit_note = oms_return.credit_note_ids
            self.assertAlmostEqual(credit_note.amount_total, amount)
            self.assertAlmostEqual(credit_note.amount_tax, amount * 13 / 113, delta=0.01)
            self.assertFalse(oms_return.picking_ids)
            self.assertEqual((order.invoice_status, order.order_line.qty_to_invoice), ("invoiced", 0.0))
            self.assertIn(credit_note, order.invoice_ids)
            self._pay(credit_note)
            self.assertEqual(oms_return.state, "done")
            self._set_stock(self.mouse, 10)

    def test_goodwill_amount_with_included_tax(self):
        self.tax.price_include_override = "tax_included"
        order = self._create_order([(self.mouse, 1)])
        order.order_line.tax_ids = self.tax
        order.action_confirm()
        self._deliver(order)
        self._invoice(order)
        credit_note = self._refund(order, amount=5.0).credit_note_ids
        self.assertAlmostEqual(credit_note.amount_total, 5.0)
        self.assertAlmostEqual(credit_note.amount_tax, 5.0 * 13 / 113, delta=0.01)

    def test_delivered_goods_stay_with_the_buyer(self):
        order = self._sell([(self.mouse, 3)])
        oms_return = self._refund(order, quantity=1)
        self.assertAlmostEqual(oms_return.credit_note_ids.amount_total, 20.0)
        self.assertFalse(oms_return.picking_ids)
        self.assertEqual((order.order_line.qty_delivered, order.order_line.qty_to_invoice), (3.0, 0.0))
        # What was refunded can't be returned for a refund as well.
        self.assertEqual(order.order_line._oms_get_returnable_quantities()[order.order_line], 2.0)

    def test_before_shipping_what_is_refunded_is_not_shipped(self):
        self.mouse.invoice_policy = "order"
        order = self._create_order([(self.mouse, 3)])
        order.action_confirm()
        self._invoice(order)
        oms_return = self._refund(order, quantity=1)
        self.assertAlmostEqual(oms_return.credit_note_ids.amount_total, 20.0)
        self.assertEqual(oms_return.line_ids.quantity_cancelled, 1.0)
        self.assertEqual(order.order_line.product_uom_qty, 2.0)
        open_moves = order.order_line.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
        self.assertEqual(sum(open_moves.mapped("product_uom_qty")), 2.0)
        self.assertEqual((order.order_line.qty_invoiced, order.order_line.qty_to_invoice), (2.0, 0.0))
        self._deliver(order)
        self.assertEqual((order.delivery_status, order.invoice_status), ("full", "invoiced"))

    def test_all_before_shipping(self):
        self.mouse.invoice_policy = "order"
        order = self._create_order([(self.mouse, 2)])
        order.action_confirm()
        self._invoice(order)
        self._refund(order, quantity=2)
        self.assertEqual(order.picking_ids.mapped("state"), ["cancel"])
        self.assertEqual(order.order_line.qty_to_invoice, 0.0)

    def test_refund_that_does_not_come_gives_the_units_back(self):
        self.mouse.invoice_policy = "order"
        self.policy.auto_credit = False
        order = self._create_order([(self.mouse, 3)])
        order.action_confirm()
        self._invoice(order)
        oms_return = self._refund(order, quantity=1)
        self.assertEqual((order.order_line.product_uom_qty, oms_return.money_state), (2.0, "due"))
        oms_return.action_cancel()
        self.assertEqual((order.order_line.product_uom_qty, oms_return.line_ids.quantity_cancelled), (3.0, 0.0))
        self._deliver(order)
        self.assertEqual((order.order_line.qty_delivered, order.order_line.qty_to_invoice), (3.0, 0.0))

    def test_amounts_do_not_exceed_what_the_order_cost(self):
        voucher = self.env["product.product"].create({"name": "Voucher", "type": "service", "invoice_policy": "order"})
        order = self._create_order()  # 2 x 20 + 50
        order.order_line = [Command.create({"product_id": voucher.id, "price_unit": -10.0, "tax_ids": False})]
        order.action_confirm()
        self._deliver(order)
        self._invoice(order)
        oms_return = self._ask(order, {self.mouse: 0, self.keyboard: 0}, type="refund_only")
        for line, amount in zip(oms_return.line_ids, (40.0, 50.0), strict=True):
            line.refund_amount = amount
        with self.assertRaisesRegex(UserError, "80.00 .*in all"):
            oms_return.action_approve()
        oms_return.line_ids[0].refund_amount = 30.0
        oms_return.action_approve()
        self.assertAlmostEqual(sum(oms_return.credit_note_ids.mapped("amount_total")), 80.0)

    def test_part_delivered_part_not(self):
        self.mouse.invoice_policy = "order"
        order = self._create_order([(self.mouse, 3)])
        order.action_confirm()
        self._invoice(order)
        self._deliver_one(order)
        oms_return = self._refund(order, quantity=3)
        self.assertEqual(oms_return.line_ids.quantity_cancelled, 2.0)
        self.assertAlmostEqual(oms_return.credit_note_ids.amount_total, 60.0)
        self.assertEqual((order.order_line.product_uom_qty, order.order_line.qty_to_invoice), (1.0, 0.0))

    def _return_one_of_three(self, receive=True):
        """Return an order of three, of which one was delivered and comes back, and its open delivery of two."""
        self.mouse.invoice_policy = "order"
        order = self._create_order([(self.mouse, 3)])
        order.action_confirm()
        self._invoice(order)
        picking = self._deliver_one(order)
        backorder = order.picking_ids - picking
        oms_return = self._approve(order, {self.mouse: 1})
        if receive:
            self._receive(oms_return)
            self._inspect(oms_return)
            self.assertEqual(order.order_line.qty_delivered, 0.0)
        return order, oms_return, backorder

    def test_nothing_leaves_that_is_refunded_though_something_came_back(self):
        for receive in (True, False):
            order, _oms_return, backorder = self._return_one_of_three(receive)
            refund = self._refund(order, quantity=2)
            self.assertEqual(refund.line_ids.quantity_cancelled, 2.0)
            self.assertEqual((order.order_line.product_uom_qty, backorder.state), (1.0, "cancel"))
            self.assertAlmostEqual(refund.credit_note_ids.amount_total, 40.0)
            order.order_line._oms_relaunch()
            deliveries = order.picking_ids.filtered(lambda picking: picking.picking_type_code == "outgoing")
            self.assertEqual(set(deliveries.mapped("state")), {"done", "cancel"})

    def test_what_came_back_is_no_longer_left_to_be_refunded(self):
        order, _oms_return, _backorder = self._return_one_of_three()
        with self.assertRaisesRegex(UserError, "only 2.0 can still be returned"):
            self._refund(order, quantity=3)

    def test_refund_that_does_not_come_brings_back_only_what_it_took(self):
        self.policy.auto_credit = False
        order, _oms_return, _backorder = self._return_one_of_three()
        self._refund(order, quantity=2).action_cancel()
        self.assertEqual(order.order_line.product_uom_qty, 3.0)
        moves = order.order_line.move_ids.filtered(lambda move: move.state not in ("done", "cancel"))
        self.assertEqual(sum(moves.mapped("product_uom_qty")), 2.0)

    def test_what_was_rejected_and_leaves_again_counts_once(self):
        order, oms_return, backorder = self._return_one_of_three(receive=False)
        self._receive(oms_return)
        self._inspect(oms_return, [(self.mouse, 1, "back", 0)])
        back = oms_return.sudo().inspection_ids.move_id.picking_id
        back.move_ids.picked = True
        back._action_done()
        line = order.order_line
        self.assertEqual(line.qty_delivered, 1.0)
        self.assertEqual(line._oms_get_undelivered_quantities(), {line: 2.0})
        self._refund(order, quantity=1)
        self.assertEqual(backorder.move_ids.product_uom_qty, 1.0)
        self._deliver(order)
        self.assertEqual((line.product_uom_qty, line.qty_delivered), (2.0, 2.0))

    def test_an_open_exchange_is_still_to_leave(self):
        order = self._sell([(self.mouse, 3)])
        delivery = order.picking_ids
        wizard = self.env["stock.return.picking"].create({"picking_id": delivery.id})
        wizard.product_return_moves.quantity = 1
        wizard.action_create_exchanges()
        line = order.order_line
        outgoing = order.picking_ids.filtered(lambda picking: picking.picking_type_code == "outgoing")
        self.assertEqual(line._oms_get_undelivered_quantities(), {line: 0.0})
        receipt = order.picking_ids - outgoing
        receipt.move_ids.picked = True
        receipt._action_done()
        self.assertEqual(line._oms_get_undelivered_quantities(), {line: 1.0})
        self._refund(order, quantity=1)
        self.assertEqual((outgoing - delivery).state, "cancel")

    def test_worth_stays_when_nothing_is_left_of_the_order_line(self):
        self.mouse.invoice_policy = "order"
        order = self._create_order([(self.mouse, 2)])
        order.order_line.tax_ids = self.tax
        order.action_confirm()
        self._invoice(order)
        returns = self._refund(order, quantity=1) | self._refund(order, quantity=1)
        self.assertEqual(order.order_line.product_uom_qty, 0.0)
        self.assertEqual(returns.mapped("amount_asked"), [22.6, 22.6])
        self.assertEqual(returns.line_ids.mapped("amount_asked"), [22.6, 22.6])

    def test_no_more_than_was_ordered(self):
        order = self._sell([(self.mouse, 2)])
        with self.assertRaises(UserError):
            self._refund(order, quantity=3)

    def test_amount_can_not_exceed_what_is_left(self):
        order = self._sell([(self.mouse, 1)])
        with self.assertRaisesRegex(UserError, "only"):
            self._refund(order, amount=20.01)
        self._refund(order, amount=15.0)
        with self.assertRaisesRegex(UserError, "only"):
            self._refund(order, amount=5.01)

    def test_quantity_and_amount_on_two_lines(self):
        order = self._sell([(self.mouse, 1), (self.keyboard, 1)])
        oms_return = self._ask(order, {self.mouse: 1}, type="refund_only")
        keyboard_line = order.order_line.filtered(lambda line: line.product_id == self.keyboard)
        oms_return.line_ids = [Command.create({"sale_line_id": keyboard_line.id, "refund_amount": 7.5})]
        oms_return.action_approve()
        self.assertAlmostEqual(sum(oms_return.credit_note_ids.mapped("amount_total")), 27.5)

    def test_amount_stands_for_no_goods_but_units_do(self):
        order = self._sell([(self.mouse, 3)])
        amount = self._refund(order, amount=5.0).credit_note_ids
        self.assertEqual([line._oms_get_refunded_quantity() for line in amount.invoice_line_ids], [0.0])
        units = self._refund(order, quantity=2).credit_note_ids.invoice_line_ids
        self.assertTrue(units[0].oms_is_money_only)
        self.assertEqual(units[0]._oms_get_refunded_quantity(), 2.0)

    def test_gift_is_measured_by_what_is_left(self):
        """What is refunded before it is shipped was taken off the order: it does not count a second time."""
        self.keyboard.invoice_policy = "order"
        mug = self.env["product.product"].create({"name": "Mug", "is_storable": True, "list_price": 8.0})
        self._set_stock(mug, 5)
        tier = {"threshold": 100, "line_ids": [Command.create({"product_id": mug.id, "quantity": 1})]}
        gift = self.env["oms.gift"].create({"name": "Gift", "tier_ids": [Command.create(tier)]})
        self._create_rule("[]", actions=[{"type": "gift", "gift_id": gift.id}])
        for is_invoiced in (True, False):  # what the shop collected is credited without an invoice, too
            order = self._create_order([(self.keyboard, 3)])
            order._oms_review()
            order.action_confirm()
            if is_invoiced:
                self._invoice(order)
            for quantities in ([2, 1], [1, 0]):  # 100 are left, then 50
                credit_note = self._refund(order, quantity=1).credit_note_ids
                credit_note.sudo().filtered(lambda note: note.state == "draft")._post()
                self.assertEqual(order.order_line.mapped("product_uom_qty"), quantities)
