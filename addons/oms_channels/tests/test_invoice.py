from functools import partial

from psycopg2 import IntegrityError

from odoo.exceptions import RedirectWarning
from odoo.tests import tagged
from odoo.tools import mute_logger

from ..adapters.notices import PushResult
from .common import ChannelsCommon, patch_method


@tagged("post_install", "-at_install")
class TestInvoice(ChannelsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.mouse | cls.keyboard).write({"invoice_policy": "delivery"})

    def _settle(self):
        self._run_cron("oms_channels.ir_cron_settle")

    def _ship(self, *orders):
        for order in orders:
            order.action_confirm()
            self._deliver(order)

    def _invoices(self, order):
        return order.invoice_ids.filtered(lambda move: move.state == "posted")

    def test_shipped_and_captured_is_invoiced_and_paid_to_the_cent(self):
        self._create_tax(13.0)
        order = self._import(1, [("OMS-MOUSE", 3, 9.99, 13.0, 1.0), ("OMS-KEYB", 1, 49.5)], captured=True)
        total = order.amount_total
        self._ship(order)
        self._settle()
        invoice = self._invoices(order)
        self.assertRecordValues(invoice, [{"amount_total": total, "amount_residual": 0.0, "move_type": "out_invoice"}])
        self.assertIn(invoice.payment_state, ("paid", "in_payment"))
        payment = order.channel_payment_ids.payment_ids
        self.assertRecordValues(
            payment, [{"amount": total, "journal_id": self.journal.id, "payment_type": "inbound", "memo": "1 pay_1"}]
        )
        codes = order.oms_event_ids.mapped("code")
        self.assertTrue({"paid", "invoiced", "payment_booked"} <= set(codes), codes)

    def test_order_of_services_is_invoiced_though_nothing_is_shipped(self):
        self.env["product.product"].create(
            {"name": "Gift Card", "default_code": "OMS-GIFT", "type": "service", "invoice_policy": "order"}
        )
        order = self._import(1, [("OMS-GIFT", 1, 50.0)], shipping=0, captured=True)
        cron = self.env.ref("oms_channels.ir_cron_settle")
        before = self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)])
        order.action_confirm()
        self.assertEqual(self.env["ir.cron.trigger"].search_count([("cron_id", "=", cron.id)]), before + 1)
        self._settle()
        self.assertEqual(self._invoices(order).amount_residual, 0.0)
        self.assertEqual(order.oms_stage, "done")

    def test_background_is_woken_only_for_what_it_has_to_do(self):
        cron = self.env.ref("oms_channels.ir_cron_settle")
        count = partial(self.env["ir.cron.trigger"].search_count, [("cron_id", "=", cron.id)])
        unpaid, paid = self._import(1), self._import(2, captured=True)
        self.channel.invoice_policy = "manual"
        before = count()
        self._ship(unpaid, paid)
        unpaid._create_invoices().action_post()
        self.assertEqual(count(), before)
        paid._create_invoices().action_post()
        self.assertEqual(count(), before + 1, "the shop's money pays the invoice")
        self._settle()
        self.assertIn(paid.invoice_ids.payment_state, ("paid", "in_payment"))
        later = self._import(3)
        self.channel.invoice_policy = "shipped"
        before = count()
        self._ship(later)
        self.assertEqual(count(), before + 1, "what is shipped is invoiced")

    def test_running_again_books_nothing_twice(self):
        order = self._import(1, captured=True)
        self._ship(order)
        self._settle()
        payment = order.channel_payment_ids.payment_ids
        self._settle()
        self.assertEqual(len(order.invoice_ids), 1)
        self.assertEqual(order.channel_payment_ids.payment_ids, payment)
        self.assertEqual(
            self.env["account.payment"].search_count(
                [("payment_reference", "=", "pay_1"), ("state", "!=", "canceled")]
            ),
            1,
        )

    def test_shops_that_count_payments_within_an_order_lose_none(self):
        one, two = self._import(1, captured=True), self._import(2, captured=True)
        row = two.channel_payment_ids.sudo()
        row.external_id = "pay_1"
        with self.assertRaises(IntegrityError), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            row.copy()
            self.env.flush_all()
        self.shop.payment("pay_2")["id"] = "pay_1"
        self.shop.change("order_2", email="other@example.com")
        self._pull()
        self.assertEqual(len(two.channel_payment_ids), 1)
        for order in one | two:
            self.assertEqual(order.channel_payment_ids.captured_amount, order.amount_total)

    def test_refund_with_the_number_of_a_payment_is_kept(self):
        order = self._import(1, captured=True)
        self._ship(order)
        self._settle()
        note = self._invoices(order)._reverse_moves(cancel=False)
        note.action_post()
        push = order.channel_push_ids.filtered(lambda push: push.kind == "refund")
        notice, result = push._prepare_refund_notice(), PushResult("pay_1")
        for _again in range(2):
            self.env["oms.channel.payment"]._record_refund(push, notice, result)
        self.assertEqual(sorted(order.channel_payment_ids.mapped("direction")), ["inbound", "outbound"])

    def test_goods_that_come_back_are_not_credited_in_the_background(self):
        order = self._import(1, captured=True)
        self._ship(order)
        self._settle()
        delivery = order.picking_ids
        wizard = (
            self.env["stock.return.picking"]
            .with_context(active_model="stock.picking", active_id=delivery.id)
            .create({})
        )
        wizard.product_return_moves.write({"quantity": 1, "to_refund": True})
        receipt = self.env["stock.picking"].browse(wizard.action_create_returns()["res_id"])
        receipt.move_ids.picked = True
        receipt.button_validate()
        self.assertTrue(any(line.qty_to_invoice < 0 for line in order.order_line))
        self._settle()
        self.assertEqual(order.invoice_ids.mapped("move_type"), ["out_invoice"])
        self.assertFalse(order.invoice_error)

    def test_captured_after_the_invoice_is_paid_then(self):
        order = self._import(1)
        self._ship(order)
        self._settle()
        self.assertEqual(self._invoices(order).payment_state, "not_paid")
        self.shop.capture(1)
        self.shop.change("order_1")
        self._pull()
        self._settle()
        self.assertEqual(self._invoices(order).amount_residual, 0.0)

    def test_captured_in_parts_is_booked_in_parts(self):
        order = self._import(1)
        self._ship(order)
        self._settle()
        payment, captured = self.shop.payment("pay_1"), 0.0
        for index, amount in enumerate((30.01, order.amount_total - 30.01)):
            captured += amount
            payment["captures"].append({"id": f"capt_{index}", "amount": amount, "created_at": self.shop.now()})
            self.shop.change("order_1")
            self._pull()
            self._settle()
            self._settle()
            self.assertAlmostEqual(self._invoices(order).amount_residual, order.amount_total - captured)
        row = order.channel_payment_ids
        self.assertEqual(
            sorted(row.payment_ids.mapped("amount")), sorted([30.01, round(order.amount_total - 30.01, 2)])
        )
        self.assertEqual((row.booked_amount, row.amount_to_book), (order.amount_total, 0.0))
        self.assertTrue(all(line.reconciled for line in row._get_booked_lines()))

    def test_partly_shipped_is_not_invoiced_yet(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)], captured=True)
        order.action_confirm()
        picking = order.picking_ids
        picking.move_ids.write({"quantity": 1, "picked": True})
        picking._action_done()
        self._settle()
        self.assertFalse(order.invoice_ids)

    def test_by_hand_means_by_hand_but_the_payment_follows(self):
        self.channel.invoice_policy = "manual"
        order = self._import(1, captured=True)
        self._ship(order)
        self._settle()
        self.assertFalse(order.invoice_ids)
        order._create_invoices().action_post()
        self._settle()
        self.assertEqual(self._invoices(order).amount_residual, 0.0)

    def test_when_confirmed(self):
        self.channel.invoice_policy = "confirmed"
        (self.mouse | self.keyboard).write({"invoice_policy": "order"})
        order = self._import(1, captured=True)
        order.action_confirm()
        self._settle()
        self.assertEqual(self._invoices(order).amount_residual, 0.0)

    def test_missing_journal_is_told_and_tried_again(self):
        self.channel.journal_id = False
        order = self._import(1, captured=True)
        self._ship(order)
        self._settle()
        payment = order.channel_payment_ids
        self.assertIn("no payment journal", payment.last_error)
        self.assertIn("could not be booked", order.activity_ids.summary)
        self._settle()
        self.assertEqual(len(order.activity_ids), 1)
        self.channel.journal_id = self.journal
        payment.with_user(self.accountant).action_retry()
        self._settle()
        self.assertTrue(payment.payment_ids)
        self.assertFalse(payment.last_error)

    def test_one_bad_order_does_not_stop_the_others(self):
        first, second, third = (self._import(number, captured=True) for number in (1, 2, 3))
        self._ship(first, second, third)
        product = self.env["product.product"].create({"name": "Odd", "type": "service", "invoice_policy": "order"})
        second.order_line = [(0, 0, {"product_id": product.id, "price_unit": -1000.0})]
        account = self.env["account.account"].create(
            {"name": "Closed", "code": "OMS999", "account_type": "income", "active": False}
        )
        product.property_account_income_id = account
        self._settle()
        self.assertTrue(self._invoices(first) and self._invoices(third))
        self.assertFalse(self._invoices(second) and not second.invoice_error)

    def test_whatever_is_wrong_with_one_stays_with_it(self):
        """A setting that is missing (which leads to a form) and what nobody foresaw stop neither the others nor the
        next run."""
        orders = [self._import(number, captured=True) for number in (1, 2, 3)]
        self._ship(*orders)
        second, create = orders[1], type(orders[1])._create_invoices
        wrong = [RedirectWarning("No account.", 1, "Go there"), ZeroDivisionError("division by zero")]

        def create_invoices(records, *args, **kwargs):
            if second in records:
                raise wrong[0]
            return create(records, *args, **kwargs)

        with (
            patch_method(second, "_create_invoices", create_invoices),
            mute_logger("odoo.addons.oms_channels.tools"),
        ):
            for message in ("No account.", "division by zero"):
                second.write({"invoice_error": False, "invoice_retry_date": False})
                self._settle()
                self.assertEqual(second.invoice_error, message)
                del wrong[0]
        self.assertTrue(self._invoices(orders[0]) and self._invoices(orders[2]))
        second.action_retry_invoice()
        self._settle()
        self.assertTrue(self._invoices(second))
        self.assertFalse(second.invoice_error)

    def test_refund_is_pushed_booked_and_reconciled(self):
        order = self._import(1, captured=True)
        self._ship(order)
        self._settle()
        invoice = self._invoices(order)
        credit = invoice._reverse_moves([{"invoice_date": invoice.invoice_date}])
        credit.action_post()
        self.env["oms.channel"]._notify("refund", credit)
        push = order.channel_push_ids.filtered(lambda row: row.kind == "refund")
        self.assertEqual(push.payload["amount"], order.amount_total)
        # Odoo reconciles the reversal of an open invoice with it; this one was paid by the shop before.
        self.assertEqual(credit.amount_residual, credit.amount_total)
        self._work("push")
        self.assertEqual(push.state, "done", push.last_error)
        self.assertEqual(self.shop.payment("pay_1")["refunds"][0]["amount"], order.amount_total)
        self._settle()
        self.assertEqual(credit.amount_residual, 0.0)
        refund = order.channel_payment_ids.filtered(lambda row: row.direction == "outbound")
        self.assertRecordValues(
            refund.payment_ids,
            [{"amount": order.amount_total, "payment_type": "outbound", "journal_id": self.journal.id}],
        )
        self.assertIn("refunded", order.oms_event_ids.mapped("code"))

    def _credit(self, order, amount):
        """Post a credit note of the order's invoice and have the shop told, as a return does."""
        invoice = order.invoice_ids.filtered(lambda move: move.move_type == "out_invoice")
        credit = invoice._reverse_moves([{"invoice_date": invoice.invoice_date}])
        credit.invoice_line_ids[1:].unlink()
        # As for a goodwill refund: what is refunded is not invoiced once more.
        credit.invoice_line_ids.write({"quantity": 1, "price_unit": amount, "tax_ids": False, "sale_line_ids": False})
        credit.with_user(self.accountant).action_post()
        self.env["oms.channel"]._notify("refund", credit)
        return credit

    def _assert_clean(self, order, credit):
        """Nothing is left open of invoice, credit note, payment in and payment out."""
        payments = order.channel_payment_ids
        self.assertEqual(set(payments.mapped("direction")), {"inbound", "outbound"})
        self.assertTrue(all(payment.payment_ids for payment in payments))
        moves = order.invoice_ids | credit | payments.payment_ids.move_id
        lines = moves.line_ids.filtered(lambda line: line.account_id.account_type == "asset_receivable")
        self.assertEqual(len(lines), 4)
        self.assertEqual(lines.mapped("amount_residual"), [0.0] * 4)
        self.assertTrue(all(line.reconciled for line in lines))
        self.assertEqual(self.env.company.currency_id.round(sum(lines.mapped("balance"))), 0.0)

    def _sell_for_credit(self, **values):
        order = self._import(1, [("OMS-MOUSE", 3, 33.33), ("OMS-KEYB", 1, 49.57)], **values)
        self._ship(order)
        return order

    def test_credit_note_after_the_booking_leaves_a_clean_ledger(self):
        order = self._sell_for_credit(captured=True)
        self._settle()
        credit = self._credit(order, 33.37)
        self._work("push")
        self._settle()
        self._assert_clean(order, credit)

    def test_credit_note_before_the_booking_leaves_a_clean_ledger(self):
        order = self._sell_for_credit(captured=True)
        invoice = order._create_invoices()
        invoice.action_post()
        credit = self._credit(order, 33.37)
        self.assertEqual((invoice.amount_residual, credit.amount_residual), (invoice.amount_total, 33.37))
        self._settle()
        self.assertEqual((invoice.amount_residual, credit.amount_residual), (0.0, 33.37))
        self._work("push")
        self._settle()
        self.assertEqual(credit.amount_residual, 0.0)
        self._assert_clean(order, credit)

    def test_refund_and_payment_booked_together_leave_a_clean_ledger(self):
        order = self._sell_for_credit(captured=True)
        order._create_invoices().action_post()
        credit = self._credit(order, order.amount_total)
        self._work("push")
        self._settle()
        self._assert_clean(order, credit)

    def test_money_collected_after_the_credit_note_leaves_a_clean_ledger(self):
        order = self._sell_for_credit()
        self._settle()
        credit = self._credit(order, 33.37)
        self.assertEqual(credit.amount_residual, 0.0, "nothing collected: invoice and credit note are set off")
        self.assertFalse(order.channel_push_ids.filtered(lambda push: push.kind == "refund"))
        # All of it is collected later, and the shop's staff gives back what is too much.
        self.shop.capture(1)
        self.shop.refund(1, 33.37)
        self._pull()
        self._settle()
        self.assertEqual(order.channel_payment_ids.mapped("refund_state"), ["overpaid", False])
        self._assert_clean(order, credit)

    def test_refund_booked_before_the_payment_leaves_a_clean_ledger(self):
        order = self._sell_for_credit()
        self._settle()
        credit = self._credit(order, 33.37)
        self.env["oms.channel.push"]._enqueue("refund", [(order, credit)], [{"amount": 33.37, "lines": []}])
        self.shop.capture(1)
        self.shop.change("order_1")
        self._pull()
        self._work("push")
        payments = order.channel_payment_ids
        payments.filtered(lambda payment: payment.direction == "outbound")._book()
        payments.filtered(lambda payment: payment.direction == "inbound")._book()
        self._assert_clean(order, credit)

    def test_replaced_invoice_is_set_off_at_once(self):
        order = self._sell_for_credit(captured=True)
        invoice = order._create_invoices()
        invoice.action_post()
        credit = invoice._reverse_moves([{"invoice_date": invoice.invoice_date}], cancel=True)
        self.assertEqual((invoice.amount_residual, credit.amount_residual), (0.0, 0.0))

    def test_refund_names_goods_in_the_unit_of_the_order(self):
        order = self._sell_for_credit(captured=True)
        self._settle()
        invoice = self._invoices(order)
        credit = invoice._reverse_moves([{"invoice_date": invoice.invoice_date}])
        mouse_line = credit.invoice_line_ids.filtered(lambda line: line.product_id == self.mouse)
        mouse_line.write({"product_uom_id": self.env.ref("uom.product_uom_dozen").id, "quantity": 0.25})
        [refund] = credit._get_channel_refunds().values()
        self.assertEqual(sorted(refund["lines"]), [["ordli_1_0", "3"], ["ordli_1_1", "1"]])

    def test_queries_do_not_grow_with_the_batch(self):
        for number in range(1, 33):
            self.shop.place(number, [("OMS-MOUSE", 1, 20.0), ("OMS-KEYB", 1, 9.9)], captured=True)
        self._set_buyer_stock(200)
        self._pull()
        orders = self.channel.order_ids.sorted("id")
        self._ship(*orders)
        counts = {}
        for name, batch in (("warm", orders[:1]), ("few", orders[1:7]), ("many", orders[7:])):
            self.env.flush_all()
            self.env.invalidate_all()
            start = self.env.cr.sql_log_count
            batch._invoice_channel_orders()
            batch.channel_payment_ids._book()
            self.env.flush_all()
            counts[name] = (self.env.cr.sql_log_count - start) / len(batch)
        self.assertLess(counts["many"], counts["few"], counts)
