from odoo.tests import tagged

from .common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestShopRefund(ChannelsCommon):
    """Money that the shop gave back itself is told, credited by the channel's policy and booked, each once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.mouse | cls.keyboard).write({"invoice_policy": "delivery"})
        cls.channel.shop_refund_policy = "posted"

    def _settle(self):
        self._run_cron("oms_channels.ir_cron_settle")

    def _sell(self, items=(("OMS-MOUSE", 3, 33.33), ("OMS-KEYB", 1, 49.57)), **values):
        """An order that is shipped, invoiced and paid in the books."""
        order = self._import(1, list(items), captured=True, **values)
        order.action_confirm()
        self._deliver(order)
        self._settle()
        self.assertEqual(order.invoice_ids.amount_residual, 0.0)
        return order

    def _refund(self, amount):
        self.shop.refund(1, amount)
        self._pull()
        self._settle()

    def _refunds(self, order):
        return order.channel_payment_ids.filtered(lambda row: row.direction == "outbound")

    def _count(self, order, code="shop_refunded"):
        return order.oms_event_ids.mapped("code").count(code)

    def _assert_clean(self, order, notes, given):
        """Receivables of invoice, credit notes and payments are all reconciled, and the bank holds what is left."""
        payments = order.channel_payment_ids.payment_ids
        moves = order.invoice_ids | notes | payments.move_id
        lines = moves._get_receivable_lines()
        self.assertEqual(set(lines.mapped("amount_residual")), {0.0})
        bank = payments.move_id.line_ids - lines
        self.assertAlmostEqual(sum(bank.mapped("balance")), order.amount_total - given)
        self.assertEqual(self._refunds(order).payment_ids.mapped("amount"), self._refunds(order).mapped("amount"))
        self.assertAlmostEqual(sum(notes.mapped("amount_total")), given)

    def test_part_of_a_shipped_order_is_credited_and_booked_to_the_cent(self):
        self._create_tax(13.0)
        order = self._sell([("OMS-MOUSE", 3, 33.33, 13.0), ("OMS-KEYB", 1, 49.57)])
        self._refund(33.37)
        refund = self._refunds(order)
        note = refund.refund_move_id
        self.assertRecordValues(refund, [{"amount": 33.37, "refund_state": "credited", "amount_to_book": 0.0}])
        self.assertRecordValues(
            note, [{"amount_total": 33.37, "amount_residual": 0.0, "state": "posted", "move_type": "out_refund"}]
        )
        self.assertEqual(note.reversed_entry_id, order.invoice_ids - note)
        # The tax is that of its part of the invoice.
        invoice = note.reversed_entry_id
        self.assertAlmostEqual(note.amount_tax, invoice.amount_tax * 33.37 / invoice.amount_total, delta=0.01)
        self._assert_clean(order, note, 33.37)
        self.assertEqual(self._count(order), 1)
        self.assertIn("33.37", order.activity_ids.summary)
        self.assertFalse(self.shop.calls_to("/payments"), "the shop is not told of what it did")
        self._settle()
        self.assertEqual(order.invoice_status, "invoiced", "nothing is invoiced once more")

    def test_all_of_it_is_the_invoice_the_other_way_round(self):
        self._create_tax(13.0)
        order = self._sell([("OMS-MOUSE", 3, 33.33, 13.0), ("OMS-KEYB", 1, 49.57)])
        self._refund(order.amount_total)
        note = self._refunds(order).refund_move_id
        invoice = note.reversed_entry_id
        self.assertEqual((note.amount_total, note.amount_tax), (invoice.amount_total, invoice.amount_tax))
        self.assertEqual(
            [(line.product_id, line.quantity, line.price_unit) for line in note.invoice_line_ids],
            [(line.product_id, line.quantity, line.price_unit) for line in invoice.invoice_line_ids],
        )
        self._assert_clean(order, note, order.amount_total)
        self.assertEqual(order.invoice_status, "invoiced")

    def test_read_twice_is_one_refund_and_more_is_another(self):
        order = self._sell()
        self._refund(10.0)
        self.shop.change("order_1", metadata={"colour": "x"})
        self._pull()
        self._settle()
        self.assertEqual(self._refunds(order).mapped("amount"), [10.0])
        self._refund(5.5)
        self.assertEqual(sorted(self._refunds(order).mapped("amount")), [5.5, 10.0])
        self.assertEqual(self._count(order), 2)
        self._assert_clean(order, self._refunds(order).refund_move_id, 15.5)

    def test_plain_credit_note_is_paid_back_once_and_read_back_is_no_other_refund(self):
        order = self._sell()
        note = self._reverse(order, 33.37)
        self.env["oms.channel"]._notify("refund", note)  # as a return does, for the same one
        self._work("push")
        self.assertEqual([row["amount"] for row in self.shop.payment("pay_1")["refunds"]], [33.37])
        self.shop.change("order_1")
        self._pull()
        self._settle()
        refund = self._refunds(order)
        self.assertRecordValues(refund, [{"amount": 33.37, "refund_state": False, "refund_move_id": note.id}])
        self.assertFalse(self._count(order))
        self._assert_clean(order, note, 33.37)

    def test_our_own_refund_seen_before_the_shops_answer_is_waited_for(self):
        order = self._sell()
        note = self._reverse(order, 33.37)
        self.shop.refund(1, 33.37)  # as the shop has it by now, while the push is on its way
        self._pull()
        self._settle()
        self.assertFalse(self._refunds(order))
        push = order.channel_push_ids.filtered(lambda row: row.kind == "refund")
        self.shop.payment("pay_1")["refunds"][0]["note"] = f"[{push.idempotency_key}]"
        self._work("push")
        self._settle()
        self.assertEqual(self._refunds(order).refund_move_id, note)
        self.assertEqual(len(self._refunds(order)), 1)

    def _reverse(self, order, amount):
        """Post a plain credit note of the invoice, as an accountant does."""
        invoice = order.invoice_ids.filtered(lambda move: move.move_type == "out_invoice")
        note = invoice._reverse_moves([{"invoice_date": invoice.invoice_date}])
        note.invoice_line_ids[1:].unlink()
        note.invoice_line_ids.write({"quantity": 1, "price_unit": amount, "tax_ids": False, "sale_line_ids": False})
        note.with_user(self.accountant).action_post()
        return note

    # === BY POLICY === #

    def test_draft_is_booked_once_it_is_posted_and_paid_to_nobody_twice(self):
        self.channel.shop_refund_policy = "draft"
        order = self._sell()
        self._refund(20.0)
        refund = self._refunds(order)
        note = refund.refund_move_id
        self.assertEqual((note.state, refund.amount_to_book), ("draft", 20.0))
        note.with_user(self.accountant).action_post()
        self._work("push")
        self._settle()
        self.assertFalse(self.shop.calls_to("/payments"))
        self._assert_clean(order, note, 20.0)

    def test_credit_note_made_by_hand_takes_the_place_of_the_draft(self):
        self.channel.shop_refund_policy = "draft"
        order = self._sell()
        self._refund(33.37)
        draft = self._refunds(order).refund_move_id
        note = self._reverse(order, 33.37)
        self._work("push")
        self._settle()
        self.assertFalse(draft.exists())
        self.assertEqual(self._refunds(order).refund_move_id, note)
        self.assertFalse(self.shop.calls_to("/payments"))
        self._assert_clean(order, note, 33.37)

    def test_by_hand_waits_for_the_credit_note(self):
        self.channel.shop_refund_policy = "manual"
        order = self._sell()
        self._refund(33.37)
        refund = self._refunds(order)
        self.assertEqual((refund.refund_state, refund.refund_move_id.id), ("manual", False))
        note = self._reverse(order, 33.37)
        self._settle()
        self.assertEqual(refund.refund_move_id, note)
        self._assert_clean(order, note, 33.37)

    def test_invoice_of_several_orders_credits_no_more_than_the_orders_own(self):
        """What is left of an invoice may be another order's: that is left to a person, and stops nobody."""
        orders = [
            self._import(number, [("OMS-MOUSE", 1, price)], captured=True) for number, price in ((1, 20), (2, 70))
        ]
        for order in orders:
            order.action_confirm()
            self._deliver(order)
        (orders[0] | orders[1]).write({"partner_invoice_id": self.buyer.id, "partner_id": self.buyer.id})
        invoice = (orders[0] | orders[1])._create_invoices(grouped=False)
        self.assertEqual(len(invoice), 1)
        invoice.action_post()
        self._settle()
        self._refund(25.0)
        refund = self._refunds(orders[0])
        self.assertEqual(refund.refund_state, "credited", "goods and shipping are 30.00")
        self.assertEqual(refund.refund_move_id.invoice_line_ids.sale_line_ids.order_id - orders[0], orders[0].browse())
        self._refund(10.0)
        self.assertEqual((self._refunds(orders[0]) - refund).refund_state, "manual", "the rest is the other order's")

    def test_refund_that_the_shop_would_not_take_from_us_is_that_one(self):
        order = self._sell()
        note = self._reverse(order, 33.37)
        self.shop.failure = (400, {})
        self._work("push")
        push = order.channel_push_ids.filtered(lambda row: row.kind == "refund")
        self.assertEqual(push.state, "failed")
        self.shop.failure = None
        self._refund(33.37)
        self.assertEqual(self._refunds(order).refund_move_id, note)
        self.assertEqual(push.state, "skipped")
        push.action_retry()
        self._work("push")
        self.assertEqual(len(self.shop.payment("pay_1")["refunds"]), 1)
        self._settle()
        self._assert_clean(order, note, 33.37)

    # === BEFORE IT IS INVOICED, AND AFTER A CANCELLATION === #

    def test_refund_before_the_goods_left_holds_and_is_credited_after_the_invoice(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)], captured=True)
        order.action_confirm()
        self._refund(5.0)
        refund = self._refunds(order)
        self.assertEqual(refund.refund_state, "waiting")
        hold = order.oms_hold_ids.filtered(lambda row: row.state == "active")
        self.assertIn("5.00", hold.reason)
        hold.action_release("Goodwill")
        self._deliver(order)
        self._settle()
        self._settle()
        self.assertEqual(refund.refund_state, "credited")
        self._assert_clean(order, refund.refund_move_id, 5.0)

    def test_more_paid_than_invoiced_needs_no_credit_note(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)], captured=True)
        item = self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", 1, 20.0)
        self.shop.change("order_1", items=[item], total=30.0)
        self._refund(20.0)
        self._assert_totals(order, 30.0)
        order.action_confirm()
        self._deliver(order)
        self._settle()
        self._settle()
        refund = self._refunds(order)
        self.assertRecordValues(refund, [{"refund_state": "overpaid", "amount_to_book": 0.0}])
        lines = order.channel_payment_ids._get_booked_lines() | order.invoice_ids._get_receivable_lines()
        self.assertEqual(set(lines.mapped("amount_residual")), {0.0})

    def test_invoiced_order_cancelled_in_the_shop_is_credited(self):
        self._check_cancelled(lambda order: self.shop.change("order_1", status="canceled"))

    def test_invoiced_order_cancelled_here_is_credited(self):
        self._check_cancelled(lambda order: (order._action_cancel(), self._work("push")))

    def _check_cancelled(self, cancel):
        (self.mouse | self.keyboard).write({"invoice_policy": "order"})
        self.channel.invoice_policy = "confirmed"
        order = self._import(1, captured=True)
        order.action_confirm()
        self._settle()
        self.shop.gives_back = True
        cancel(order)
        self._pull()
        self._settle()
        self.assertEqual(order.state, "cancel")
        refund = self._refunds(order)
        self.assertRecordValues(refund, [{"amount": order.amount_total, "refund_state": "credited"}])
        self._assert_clean(order, refund.refund_move_id, order.amount_total)

    def test_cancelled_before_anything_was_booked_leaves_nothing_to_do(self):
        order = self._import(1, captured=True)
        self.shop.gives_back = True
        order._action_cancel()
        self._work("push")
        self._settle()
        self.assertEqual(self._refunds(order).refund_state, "none")
        self.assertFalse(order.activity_ids)
        self.assertFalse(order.invoice_ids)

    # === PLAIN CREDIT NOTES === #

    def test_credit_note_that_only_lowers_an_open_invoice_pays_nobody(self):
        order = self._import(1)
        order.action_confirm()
        self._deliver(order)
        self._settle()
        note = self._reverse(order, 12.34)
        self.assertEqual(note.amount_residual, 0.0)
        self.assertFalse(order.channel_push_ids.filtered(lambda row: row.kind == "refund"))

    def test_invoice_that_is_replaced_pays_nobody(self):
        order = self._sell()
        invoice = order.invoice_ids
        invoice._reverse_moves([{"invoice_date": invoice.invoice_date}], cancel=True)
        self.assertFalse(order.channel_push_ids.filtered(lambda row: row.kind == "refund"))
