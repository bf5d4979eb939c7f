from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_channels.tests.common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestRefundBeforeShipping(ChannelsCommon):
    """Units that are refunded before they leave are taken off in the shop, which gives their money back: once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.mouse | cls.keyboard).write({"invoice_policy": "delivery"})
        cls.env["oms.return.policy"].search([]).active = False
        cls.policy = cls.env["oms.return.policy"].create(
            {"name": "Test policy", "auto_credit": True, "auto_post": True}
        )

    def setUp(self):
        super().setUp()
        self._set_buyer_stock(100)
        self.order = self._import(1, [("OMS-MOUSE", 3, 20.0), ("OMS-KEYB", 1, 9.99)], captured=True)
        if self.order.state != "sale":
            self.order.action_confirm()

    def _refund(self, quantity):
        line = self.order.order_line.filtered(lambda line: line.product_id == self.mouse)
        oms_return = self.env["oms.return"].create(
            {
                "type": "refund_only",
                "partner_id": self.order.partner_id.id,
                "line_ids": [Command.create({"sale_line_id": line.id, "quantity": quantity})],
            }
        )
        oms_return._request()
        if oms_return.state == "requested":
            oms_return._approve()
        return oms_return

    def _work_all(self):
        for _again in range(2):
            self._work("push")
            self._run_cron("oms_channels.ir_cron_settle")
            self.shop.change("order_1")
            self._pull()

    def _get_given(self):
        return sum(row["amount"] for row in self.shop.payment("pay_1")["refunds"])

    def _assert_paid_once(self, note, amount):
        self.assertAlmostEqual(self._get_given(), amount)
        self.assertRecordValues(note, [{"state": "posted", "amount_total": amount, "amount_residual": 0.0}])
        outbound = self.order.channel_payment_ids.filtered(lambda row: row.direction == "outbound")
        self.assertEqual(outbound.refund_move_id, note)
        self.assertAlmostEqual(sum(outbound.payment_ids.mapped("amount")), amount)
        self.assertEqual(self.order.invoice_ids.filtered(lambda move: move.move_type == "out_refund"), note)

    def test_money_goes_back_once(self):
        note = self._refund(1).credit_note_ids
        self.env.flush_all()
        self.assertEqual(self.order.channel_push_ids.sorted("id").mapped("kind"), ["cancel_lines", "refund"])
        self._work_all()
        self._assert_paid_once(note, 20.0)
        self.assertEqual(self.shop.orders["order_1"]["items"][0]["quantity"], 2)
        self.assertFalse(self.order.oms_hold_ids.filtered(lambda hold: hold.state == "active"))

    def test_credit_note_made_later_is_paid_by_it(self):
        self.policy.auto_credit = False
        oms_return = self._refund(1)
        self._work_all()
        self.assertAlmostEqual(self._get_given(), 20.0)
        oms_return._create_credit_notes()
        self._work_all()
        self._assert_paid_once(oms_return.credit_note_ids, 20.0)

    def test_what_the_credit_note_has_more_is_paid_by_itself(self):
        self.policy.auto_post = False
        note = self._refund(1).credit_note_ids
        note.write(
            {
                "invoice_line_ids": [
                    Command.create({"name": "For the trouble", "quantity": 1, "price_unit": 5.0, "tax_ids": []})
                ]
            }
        )
        note.action_post()
        self._work_all()
        self._assert_paid_once(note, 25.0)
