from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.tests import tagged

from .common import OmsReturnsCommon


@tagged("post_install", "-at_install")
class TestCredit(OmsReturnsCommon):
    def _return(self, order, quantities=None, rows=None):
        oms_return = self._approve(order, quantities)
        self._receive(oms_return)
        self._inspect(oms_return, rows)
        return oms_return

    def _sell_taxed(self, price=33.33, quantity=3, discount=10.0, **values):
        order = self._create_order([(self.mouse, quantity)], **values)
        order.order_line.write({"price_unit": price, "discount": discount, "tax_ids": [Command.set(self.tax.ids)]})
        order.action_confirm()
        self._deliver(order)
        self._invoice(order)
        return order

    def _add_line(self, order, product, price, **values):
        order.order_line = [
            Command.create(
                {"product_id": product.id, "product_uom_qty": 1, "price_unit": price, "tax_ids": False, **values}
            )
        ]
        return order.order_line[-1]

    def test_credit_is_made_posted_and_told_to_the_channel(self):
        order = self._sell([(self.mouse, 2)])
        calls = self._record_notifications()
        oms_return = self._return(order)
        credit_note = oms_return.credit_note_ids
        self.assertRecordValues(
            credit_note,
            [
                {
                    "move_type": "out_refund",
                    "state": "posted",
                    "amount_total": 40.0,
                    "reversed_entry_id": order.invoice_ids.filtered(lambda move: move.move_type == "out_invoice").id,
                }
            ],
        )
        self.assertIn(("refund", credit_note), calls)
        self.assertEqual((oms_return.state, oms_return.money_state), ("inspected", "posted"))
        self.assertEqual((order.order_line.qty_invoiced, order.invoice_status), (0.0, "invoiced"))
        self.assertIn(credit_note, order.invoice_ids)
        self._pay(credit_note)
        self.assertEqual((oms_return.state, oms_return.money_state), ("done", "paid"))
        self.assertIn("return_done", order.oms_event_ids.mapped("code"))

    def test_part_with_tax_and_discount(self):
        order = self._sell_taxed()
        invoice = order.invoice_ids
        self.assertAlmostEqual(invoice.amount_total, 101.69)  # 3 x 33.33 less 10 % = 89.99, tax 11.70
        oms_return = self._return(order, {self.mouse: 1})
        # 33.33 less 10 % = 30.00, tax 3.90
        self.assertAlmostEqual(oms_return.credit_note_ids.amount_untaxed, 30.0)
        self.assertAlmostEqual(oms_return.credit_note_ids.amount_total, 33.90)

    def test_parts_add_up_to_the_invoice(self):
        for price in (33.33, 10.05, 0.99, 7.77):
            order = self._sell_taxed(price=price)
            invoice = order.invoice_ids
            credit_notes = self.env["account.move"]
            for _part in range(3):
                credit_notes |= self._return(order, {self.mouse: 1}).credit_note_ids
            self.assertAlmostEqual(sum(credit_notes.mapped("amount_total")), invoice.amount_total, 2, f"price {price}")
            self._set_stock(self.mouse, 10)

    def test_share_of_the_order_discount(self):
        discount = self.env["product.product"].create({"name": "Voucher", "type": "service", "invoice_policy": "order"})
        order = self._create_order([(self.mouse, 2), (self.keyboard, 1)])  # 40 + 50
        line = self._add_line(order, discount, -10.0)
        order.action_confirm()
        self._deliver(order)
        self._invoice(order)
        first = self._return(order, {self.mouse: 1}).credit_note_ids
        self.assertAlmostEqual(first.amount_total, 20.0 - 2.22)
        second = self._return(order, {self.mouse: 1, self.keyboard: 1}).credit_note_ids
        self.assertAlmostEqual(second.amount_total, 70.0 - 7.78)
        self.assertEqual((line.qty_invoiced, line.qty_to_invoice), (1.0, 0.0))

    def _sell_with_shipping(self):
        order = self._create_order([(self.mouse, 2)])
        line = self._add_line(order, self.shipping, 10.0)
        self.patch(type(line), "_is_delivery", lambda self: self.product_id.name == "Shipping")
        order.action_confirm()
        self._deliver(order)
        self._invoice(order)
        return order

    def test_shipping_when_everything_is_returned(self):
        self.policy.shipping_refund = "all"
        order = self._sell_with_shipping()
        self.assertAlmostEqual(self._return(order, {self.mouse: 1}).credit_note_ids.amount_total, 20.0)
        self.assertAlmostEqual(self._return(order, {self.mouse: 1}).credit_note_ids.amount_total, 30.0)
        self.assertEqual(order.invoice_status, "invoiced")

    def test_shipping_never(self):
        self.policy.shipping_refund = "never"
        order = self._sell_with_shipping()
        self.assertAlmostEqual(self._return(order, {self.mouse: 2}).credit_note_ids.amount_total, 40.0)

    def test_shipping_with_the_first_credit_note_and_once(self):
        self.policy.shipping_refund = "always"
        order = self._sell_with_shipping()
        self.assertAlmostEqual(self._return(order, {self.mouse: 1}).credit_note_ids.amount_total, 30.0)
        self.assertAlmostEqual(self._return(order, {self.mouse: 1}).credit_note_ids.amount_total, 20.0)

    def test_credits_of_one_order_take_turns(self):
        order = self._sell([(self.mouse, 1)])
        oms_return = self._approve(order)
        self._receive(oms_return)
        touched = []
        self.patch(type(order), "_query_touch", lambda orders: touched.append(orders))
        self._inspect(oms_return)
        self.assertEqual(touched, [order])

    def test_restocking_fee(self):
        self.policy.restocking_fee = 15.0
        order = self._sell_taxed(price=100.0, quantity=1, discount=0.0)
        credit_note = self._return(order).credit_note_ids
        self.assertAlmostEqual(credit_note.amount_untaxed, 85.0)
        self.assertAlmostEqual(credit_note.amount_total, 96.05)  # 13 % on what is given back

    def test_no_restocking_fee_where_the_seller_pays(self):
        self.policy.restocking_fee = 15.0
        self.reason.shipping_payer = "seller"
        self.assertAlmostEqual(self._return(self._sell([(self.mouse, 1)])).credit_note_ids.amount_total, 20.0)

    def test_fee_of_each_inspected_part(self):
        order = self._sell([(self.mouse, 2)])
        rows = [(self.mouse, 1, "restock", 0.0), (self.mouse, 1, "scrap", 50.0)]
        self.assertAlmostEqual(self._return(order, rows=rows).credit_note_ids.amount_total, 30.0)

    def test_rejected_goods_are_not_credited(self):
        order = self._sell([(self.mouse, 2)])
        rows = [(self.mouse, 1, "restock", 0.0), (self.mouse, 1, "back", 0.0)]
        oms_return = self._return(order, rows=rows)
        self.assertAlmostEqual(oms_return.credit_note_ids.amount_total, 20.0)
        nothing = self._return(self._sell([(self.keyboard, 1)]), rows=[(self.keyboard, 1, "back", 0.0)])
        self.assertEqual((nothing.state, nothing.money_state, len(nothing.credit_note_ids)), ("done", "none", 0))

    def test_goods_invoiced_when_ordered_are_not_invoiced_again(self):
        self.mouse.invoice_policy = "order"
        order = self._sell([(self.mouse, 2)])
        oms_return = self._return(order, {self.mouse: 1})
        self.assertAlmostEqual(oms_return.credit_note_ids.amount_total, 20.0)
        self.assertEqual((order.order_line.qty_to_invoice, order.invoice_status), (0.0, "invoiced"))
        self.assertAlmostEqual(self._return(order, {self.mouse: 1}).credit_note_ids.amount_total, 20.0)

    def test_two_invoices_two_credit_notes(self):
        order = self._create_order([(self.mouse, 2)])
        order.action_confirm()
        self._deliver_one(order)
        self._invoice(order)
        self._deliver(order)
        self._invoice(order)
        credit_notes = self._return(order).credit_note_ids
        self.assertEqual(len(credit_notes.reversed_entry_id), 2)
        self.assertEqual(credit_notes.mapped("amount_total"), [20.0, 20.0])

    def test_what_was_not_invoiced_yet_is_credited_for_a_channel(self):
        order = self._sell([(self.mouse, 3)], invoice=False)
        oms_return = self._return(order, {self.mouse: 1})
        self.assertAlmostEqual(oms_return.credit_note_ids.amount_total, 20.0)
        invoice = order._create_invoices()
        self.assertAlmostEqual(invoice.amount_total, 60.0)

    def test_what_was_never_billed_is_not_credited_without_a_channel(self):
        order = self._sell([(self.mouse, 3)], invoice=False, channel_id=False)
        oms_return = self._return(order, {self.mouse: 1})
        self.assertEqual((oms_return.state, oms_return.money_state), ("done", "none"))
        self.assertFalse(oms_return.credit_note_ids)
        self.assertAlmostEqual(order._create_invoices().amount_total, 40.0)

    def test_draft_invoice_must_be_posted_first(self):
        order = self._sell([(self.mouse, 1)], invoice=False)
        invoice = order._create_invoices()
        oms_return = self._return(order)
        self.assertEqual((oms_return.state, oms_return.money_state), ("inspected", "due"))
        with self.assertRaisesRegex(UserError, "still a draft"):
            oms_return.with_user(self.accountant).action_credit()
        invoice._post(soft=False)
        oms_return.with_user(self.accountant).action_credit()
        self.assertAlmostEqual(oms_return.credit_note_ids.amount_total, 20.0)

    def test_refund_hold_stops_the_credit(self):
        hold_type = self.env["oms.hold.type"].create({"name": "Fraud check", "code": "fraud_check", "gate": "refund"})
        order = self._sell([(self.mouse, 1)])
        hold = order._oms_place_hold(hold_type, "Odd buyer")
        oms_return = self._return(order)
        self.assertFalse(oms_return.credit_note_ids)
        with self.assertRaisesRegex(UserError, "Fraud check"):
            oms_return.with_user(self.accountant).action_credit()
        hold.action_release()
        oms_return.with_user(self.accountant).action_credit()
        self.assertEqual(oms_return.money_state, "posted")

    def test_refund_hold_stops_the_posting_of_a_draft(self):
        self.policy.auto_post = False
        hold_type = self.env["oms.hold.type"].create({"name": "Fraud check", "code": "fraud_check", "gate": "refund"})
        order = self._sell([(self.mouse, 1)])
        calls = self._record_notifications()
        oms_return = self._return(order)
        self.assertEqual((oms_return.money_state, oms_return.credit_note_ids.state), ("draft", "draft"))
        order._oms_place_hold(hold_type, "Odd buyer")
        with self.assertRaisesRegex(UserError, "Fraud check"):
            oms_return.credit_note_ids.with_user(self.accountant).action_post()
        self.assertNotIn("refund", [topic for topic, _records in calls])

    def test_accountant_makes_it_where_the_policy_says_so(self):
        self.policy.auto_credit = False
        oms_return = self._return(self._sell([(self.mouse, 1)]))
        self.assertEqual((oms_return.state, oms_return.money_state), ("inspected", "due"))
        oms_return.with_user(self.accountant).action_credit()
        oms_return.with_user(self.accountant).action_credit()
        self.assertEqual(len(oms_return.credit_note_ids), 1)

    def test_cancelled_credit_note_can_be_made_again(self):
        self.policy.auto_post = False
        oms_return = self._return(self._sell([(self.mouse, 1)]))
        oms_return.with_user(self.accountant).credit_note_ids.button_cancel()
        self.assertEqual(oms_return.money_state, "due")
        oms_return.with_user(self.accountant).action_credit()
        self.assertEqual(len(oms_return.credit_note_ids.filtered(lambda move: move.state == "draft")), 1)

    def test_credit_note_of_odoos_own_wizard_counts(self):
        order = self._sell([(self.mouse, 2)])
        order.invoice_ids._reverse_moves()._post(soft=False)
        oms_return = self._return(order, {self.mouse: 1})
        # Nothing of the invoice is left to credit, and nothing was paid beside it.
        self.assertFalse(oms_return.credit_note_ids)
        self.assertEqual((oms_return.state, oms_return.line_ids.qty_not_billed), ("done", 1.0))

    def _refund_amount(self, order, amount):
        oms_return = self._ask(order, {self.mouse: 0}, type="refund_only")
        oms_return.line_ids.refund_amount = amount
        oms_return.action_approve()
        return oms_return.credit_note_ids

    def test_an_amount_given_before_is_taken_off(self):
        order = self._sell_taxed(price=100.0, quantity=1, discount=0.0)
        amount = self._refund_amount(order, 10.01)
        goods = self._return(order).credit_note_ids
        self.assertAlmostEqual(goods.amount_total, 113.0 - 10.01)
        self.assertEqual((order.order_line.qty_invoiced, order.order_line.qty_to_invoice), (0.0, 0.0))
        for account, lines in (order.invoice_ids | amount).line_ids.grouped("account_id").items():
            self.assertAlmostEqual(sum(lines.mapped("balance")), 0.0, 2, account.name)

    def test_amounts_and_goods_never_exceed_what_was_paid(self):
        order = self._sell([(self.mouse, 2)])
        self._refund_amount(order, 5.0)
        self.assertAlmostEqual(self._return(order, {self.mouse: 1}).credit_note_ids.amount_total, 20.0)
        last = self._return(order, {self.mouse: 1})
        self.assertAlmostEqual(last.credit_note_ids.amount_total, 15.0)

    def test_nothing_is_left_after_all_was_given_back(self):
        order = self._sell([(self.mouse, 1)])
        self._refund_amount(order, 20.0)
        oms_return = self._return(order)
        self.assertAlmostEqual(sum(oms_return.credit_note_ids.mapped("amount_total")), 0.0)
        self.assertEqual((oms_return.state, order.order_line.qty_to_invoice), ("done", 0.0))

    def test_what_the_shop_gave_back_by_itself_is_not_given_again(self):
        order = self._sell([(self.mouse, 1)])
        invoice = order.invoice_ids
        lines = [line._oms_prepare_credit_values(1.0, oms_is_money_only=True) for line in invoice.invoice_line_ids]
        values = invoice._oms_prepare_credit_note_values("refunded in the shop")
        self.env["account.move"].create({**values, "invoice_line_ids": list(map(Command.create, lines))})._post()
        oms_return = self._return(order)
        self.assertFalse(oms_return.credit_note_ids)
        self.assertEqual(oms_return.state, "done")

    def test_prices_of_the_invoice_count(self):
        order = self._sell([(self.mouse, 1)], invoice=False)
        invoice = order._create_invoices()
        invoice.invoice_line_ids.price_unit = 25.0
        invoice._post(soft=False)
        self.assertAlmostEqual(self._return(order).credit_note_ids.amount_total, 25.0)

    def test_entries_of_the_ledger(self):
        order = self._sell_taxed(price=100.0, quantity=1, discount=0.0)
        credit_note = self._return(order).credit_note_ids
        invoice = order.invoice_ids - credit_note
        self.assertTrue(credit_note.line_ids.tax_line_id)
        for account, lines in (invoice | credit_note).line_ids.grouped("account_id").items():
            self.assertAlmostEqual(sum(lines.mapped("balance")), 0.0, 2, account.name)
