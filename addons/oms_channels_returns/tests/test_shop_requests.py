from contextlib import contextmanager
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.oms_channels.adapters import base
from odoo.addons.oms_channels.adapters.medusa.adapter import MedusaAdapter
from odoo.addons.oms_channels.adapters.notices import PushResult
from odoo.addons.oms_channels.tests.common import ChannelsCommon


@tagged("post_install", "-at_install")
class TestShopRequests(ChannelsCommon):
    """What buyers ask back in the shop after shipping becomes a return, and the return answers their request."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.mouse | cls.keyboard).write({"invoice_policy": "delivery"})
        cls.env["oms.return.policy"].search([]).active = False
        cls.policy = cls.env["oms.return.policy"].create({"name": "Test policy", "auto_post": True})

    def _request(self, status="requested", number=1, quantity=1):
        return {
            "id": f"return_{number}",
            "status": status,
            "refund_amount": 20.0,
            "items": [{"item_id": "ordli_1_0", "quantity": quantity, "note": "Too small"}],
        }

    def _tell(self, *requests, **values):
        self.shop.change("order_1", returns=list(requests), **values)
        self._pull()

    def _sell(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0), ("OMS-KEYB", 1, 9.99)], captured=True)
        order.action_confirm()
        self._deliver(order)
        self._run_cron("oms_channels.ir_cron_settle")
        return order

    def _returns(self, order):
        return self.env["oms.return"].search([("order_ids", "in", order.ids)])

    def test_request_becomes_one_return(self):
        order = self._sell()
        self._tell(self._request())
        self._tell(self._request(), metadata={"colour": "x"})
        oms_return = self._returns(order)
        self.assertRecordValues(
            oms_return, [{"type": "return", "state": "requested", "channel_request_ref": "return_1"}]
        )
        line = oms_return.line_ids
        self.assertEqual((line.product_id, line.quantity, line.buyer_note), (self.mouse, 1.0, "Too small"))
        self.assertFalse(order.activity_ids)

    def test_goods_and_money_answer_the_request(self):
        order = self._sell()
        self._tell(self._request(), self._request(number=2))
        first, second = self._returns(order).sorted("id")
        second.with_user(self.user).action_approve()
        receipt = second.picking_ids
        receipt.move_ids.picked = True
        receipt.button_validate()
        wizard = self.env["oms.return.inspect"].create({"return_id": second.id})
        wizard.action_inspect()
        pushes = order.channel_push_ids.filtered(lambda push: push.kind in ("return_received", "refund"))
        notices = [getattr(push, f"_prepare_{push.kind}_notice")() for push in pushes]
        self.assertEqual([notice.request_external_id for notice in notices], ["return_2"] * 2)
        self.assertEqual(first.state, "requested")

    # === ANSWERING THEM === #

    @contextmanager
    def _with_answers(self):
        """A shop that takes answers; what it was told is in the list."""
        told = []

        def push_answer(_adapter, notice):
            told.append(notice)
            return PushResult(notice.request_external_id)

        capabilities = MedusaAdapter.capabilities | {base.ANSWER}
        with (
            patch.object(MedusaAdapter, "capabilities", capabilities),
            patch.object(MedusaAdapter, "push_answer", push_answer),
        ):
            yield told

    def test_approval_is_told_once_and_before_the_goods(self):
        order = self._sell()
        self._tell(self._request())
        oms_return = self._returns(order).with_user(self.user)
        oms_return.action_approve()
        oms_return.action_approve()
        with self._with_answers() as told:
            self._work("push")
            self._work("push")
        [notice] = told
        self.assertEqual((notice.request_external_id, notice.is_granted, notice.reason), ("return_1", True, ""))
        self.assertIn("Accepted", oms_return.channel_answer)

    def test_refusal_carries_its_reason(self):
        order = self._sell()
        self._tell(self._request())
        oms_return = self._returns(order).with_user(self.user)
        oms_return.refusal_reason = "Worn too long"
        oms_return.action_refuse()
        with self._with_answers() as told:
            self._work("push")
        [notice] = told
        self.assertEqual((notice.is_granted, notice.reason), (False, "Worn too long"))

    def test_request_of_a_shop_is_refused_not_cancelled(self):
        order = self._sell()
        self._tell(self._request())
        oms_return = self._returns(order).with_user(self.user)
        with self.assertRaisesRegex(UserError, "refuse it"):
            oms_return.action_cancel()
        oms_return.action_approve()
        oms_return.action_cancel()
        self.assertEqual(oms_return.state, "cancelled")

    def test_buyer_who_asks_again_after_a_refusal_is_left_to_a_person(self):
        order = self._sell()
        self._tell(self._request())
        oms_return = self._returns(order)
        oms_return.refusal_reason = "Worn too long"
        oms_return.action_refuse()
        self._tell(self._request("canceled"))
        self._tell(self._request())
        self.assertEqual(self._returns(order), oms_return)
        self.assertIn("asked for in the shop", order.activity_ids.summary)
        self.assertIn(oms_return.name, order.activity_ids.note)

    def test_shop_that_takes_no_answers_is_said_in_the_form(self):
        self.patch(MedusaAdapter, "capabilities", MedusaAdapter.capabilities - {base.ANSWER})
        order = self._sell()
        self._tell(self._request())
        oms_return = self._returns(order).with_user(self.user)
        oms_return.action_approve()
        self._work("push")
        self.assertIn("does not take this", oms_return.channel_answer)
        self.assertIn("approved or refused there", self.channel.platform_cannot)

    def test_money_alone_is_answered_by_its_refund_where_the_shop_pays(self):
        order = self._sell()
        row = {"kind": "refund", "state": "requested", "amount": "7.01", "reason": "Scratched", "lines": []}
        order._follow_late_requests({"R-1": row})
        self._returns(order).with_user(self.user).action_approve()
        kinds = order.channel_push_ids.mapped("kind")
        self.assertIn("refund", kinds)
        self.assertNotIn("answer", kinds)
        with patch.object(MedusaAdapter, "capabilities", MedusaAdapter.capabilities - {base.REFUND}):
            order._follow_late_requests({"R-2": {**row, "amount": "1.00"}})
            self._returns(order).filtered(lambda one: one.state == "requested").with_user(self.user).action_approve()
        answer = order.channel_push_ids.filtered(lambda push: push.kind == "answer")
        self.assertEqual(answer.payload, {"request": "R-2", "is_granted": True, "reason": ""})

    def test_return_of_no_shop_answers_nobody(self):
        order = self._sell()
        self._tell(self._request())
        oms_return = self._returns(order)
        oms_return.channel_request_ref = False
        oms_return.with_user(self.user).action_approve()
        self.assertNotIn("answer", order.channel_push_ids.mapped("kind"))

    def test_withdrawn_request_cancels_its_return(self):
        order = self._sell()
        self._tell(self._request())
        self._returns(order).with_user(self.user).action_approve()
        self._tell(self._request("canceled"))
        self.assertEqual(self._returns(order).state, "cancelled")
        self.assertEqual(set(self._returns(order).picking_ids.mapped("state")), {"cancel"})

    def test_what_cannot_be_a_return_is_left_to_a_person(self):
        order = self._sell()
        self._tell(self._request(quantity=5))
        self.assertFalse(self._returns(order))
        self.assertIn("asked for in the shop", order.activity_ids.summary)

    def test_money_alone_is_a_refund_of_its_amount_that_the_policy_approves(self):
        self.policy.auto_approve_amount = 100.0
        order = self._sell()
        row = {"kind": "refund", "state": "requested", "amount": "7.01", "reason": "Scratched", "lines": []}
        order._follow_late_requests({"R-1": row})
        oms_return = self._returns(order)
        self.assertEqual((oms_return.type, sum(oms_return.line_ids.mapped("refund_amount"))), ("refund_only", 7.01))
        self.assertEqual(oms_return.state, "approved")
        self.assertRecordValues(oms_return.credit_note_ids, [{"amount_total": 7.01, "state": "posted"}])

    def test_goods_that_have_not_left_are_held_instead(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)])
        order.action_confirm()
        self._tell(self._request())
        self.assertFalse(self._returns(order))
        self.assertTrue(order.oms_hold_ids.filtered(lambda hold: hold.state == "active"))
