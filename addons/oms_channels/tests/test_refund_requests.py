from contextlib import contextmanager

from odoo.fields import Command
from odoo.tests import tagged

from .common import ChannelsCommon, patch_method


@tagged("post_install", "-at_install")
class TestRefundRequests(ChannelsCommon):
    """What buyers ask back in the shop stops what has not left, once, until it is withdrawn."""

    def _request(self, status="requested", amount=20.0, number=1):
        return {
            "id": f"return_{number}",
            "status": status,
            "refund_amount": amount,
            "items": [{"item_id": "ordli_1_0", "quantity": 1, "note": "Too late"}],
        }

    def _tell(self, *requests, **values):
        self.shop.change("order_1", returns=list(requests), **values)
        self._pull()

    def _sell(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)])
        order.action_confirm()
        return order

    def _holds(self, order, state="active"):
        return order.oms_hold_ids.filtered(lambda hold: hold.type_id.code == "edited" and hold.state == state)

    def _count(self, order, code):
        return len(order.oms_event_ids.filtered(lambda event: event.code == code))

    def test_request_holds_what_has_not_left(self):
        order = self._sell()
        self._tell(self._request())
        hold = self._holds(order)
        self.assertEqual(hold.gate, "ship")
        self.assertIn("Too late", hold.reason)
        self.assertIn("20.00", hold.reason)
        self.assertEqual(hold.data["refund_requests"]["return_1"]["amount"], "20")
        self.assertEqual(self._count(order, "refund_asked"), 1)
        self.assertEqual(self._message("order_1")[0].state, "done")

    def _get_evidence(self, hold, lang="en_US"):
        """Return {label: value} of what the desk shows as seen."""
        rows = hold.with_user(self.user).with_context(lang=lang)._get_evidence()
        return {row["label"]: row["value"] for row in rows}

    def test_desk_shows_the_request_in_words(self):
        order = self._sell()
        self._tell(self._request())
        text = self._get_evidence(self._holds(order))["Refund requests"]
        for words in ("20.00", "return_1", "Too late", "1 × [OMS-MOUSE]"):
            self.assertIn(words, text)
        for code in ("items", "requested", "ordli_1_0", "{"):
            self.assertNotIn(code, text)

    def test_desk_shows_an_edit_from_old_to_new(self):
        order = self._sell()
        address = {**self.shop.orders["order_1"]["shipping_address"], "address_1": "延安路 1 号", "city": "宁波"}
        item = self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", 1, 20.0)
        self._tell(items=[item], total=30.0, shipping_address=address)
        hold = self._holds(order)
        values = self._get_evidence(hold)
        self.assertIn("Street: ", values["Address"])
        self.assertIn("→ 延安路 1 号", values["Address"])
        self.assertIn("City: ", values["Address"])
        self.assertNotIn("Phone", values["Address"], "what stayed is left out")
        self.assertIn("2 → 1", values["Lines"])
        self.assertIn("30.00", values["Total"].split("→")[1])
        self.env["res.lang"]._activate_lang("zh_CN")
        values = self._get_evidence(hold, "zh_CN")
        self.assertIn("→ 延安路 1 号", values["地址"])

    def test_request_told_again_holds_once(self):
        order = self._sell()
        self._tell(self._request())
        self._tell(self._request(), metadata={"note": "x"})
        self.assertEqual(len(self._holds(order)), 1)
        self._holds(order).with_user(self.user).action_release("Buyer keeps it")
        self._tell(self._request(), metadata={"note": "y"})
        self.assertFalse(self._holds(order))
        self.assertEqual(self._count(order, "refund_asked"), 1)

    def _check_withdrawn(self, *last):
        order = self._sell()
        self._tell(self._request())
        self._tell(*last)
        self.assertFalse(self._holds(order))
        self.assertIn("return_1", self._holds(order, "released").release_comment)
        self.assertEqual(self._count(order, "refund_withdrawn"), 1)

    def test_cancelled_request_releases_its_hold(self):
        self._check_withdrawn(self._request("canceled"))

    def test_request_that_is_gone_releases_its_hold(self):
        self._check_withdrawn()

    def test_one_of_two_requests_withdrawn_keeps_the_hold(self):
        order = self._sell()
        self._tell(self._request(), self._request(number=2))
        self._tell(self._request("canceled"), self._request(number=2))
        self.assertEqual(list(self._holds(order).data["refund_requests"]), ["return_2"])
        self._tell(self._request("canceled"), self._request("canceled", number=2))
        self.assertFalse(self._holds(order))

    def test_withdrawn_request_keeps_the_hold_of_an_edit(self):
        order = self._sell()
        self._tell(self._request())
        item = self.shop._prepare_item("ordli_1_0", "OMS-MOUSE", 1, 20.0)
        self._tell(self._request(), items=[item], total=30.0)
        self.assertIn("2 → 1", self._holds(order).reason)
        self._tell(self._request("canceled"))
        self.assertIn("lines", self._holds(order).data)
        self.assertNotIn("refund_requests", self._holds(order).data)

    def test_withdrawn_request_keeps_the_hold_of_anything_else_in_the_shop(self):
        """Whatever part of the order it is about: the hold names it, so a withdrawn request does not end it."""
        order = self._sell()
        self._tell(self._request())
        hold = self._holds(order)
        asked = hold.data["refund_requests"]
        for part in ("billing", "shipping", "reopened", "refunded"):
            hold.data = {"refund_requests": asked, part: {"before": "a", "now": "b"}}
            order._withdraw_refund_requests(asked)
            self.assertEqual(self._holds(order), hold, part)

    def test_higher_amount_is_asked_anew(self):
        order = self._sell()
        self._tell(self._request())
        self._holds(order).action_release()
        self._tell(self._request(amount=40.0))
        self.assertIn("40.00", self._holds(order).reason)

    def test_shipped_order_is_only_told(self):
        order = self._sell()
        self._deliver(order)
        self._tell(self._request())
        self.assertFalse(self._holds(order))
        self.assertEqual(self._count(order, "refund_asked"), 1)

    def test_shipped_order_without_returns_is_left_to_a_person(self):
        order = self._sell()
        self._deliver(order)
        row = {"kind": "refund", "state": "requested", "amount": "5", "reason": "", "lines": [["gone", "1"]]}
        for _time in range(2):
            order._follow_late_requests({"R-1": row})
        self.assertIn("R-1", order.activity_ids.summary)
        self.assertEqual(len(order.activity_ids), 1)

    def test_request_that_comes_with_the_order_holds_it(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)], returns=[self._request()])
        self.assertEqual(len(self._holds(order)), 1)
        self._tell(self._request(), metadata={"note": "x"})
        self.assertEqual(self._count(order, "refund_asked"), 1)

    # === ANSWERING THEM === #

    def _notices(self, order, kind, *payloads):
        """The notices of pushes of a kind, one after the other, each told before the next."""
        notices, document = [], order.picking_ids[:1]
        for index, payload in enumerate(payloads):
            push = self.env["oms.channel.push"].create(
                {
                    "channel_id": self.channel.id,
                    "order_id": order.id,
                    "kind": kind,
                    "res_model": document._name,
                    "res_id": document.id,
                    "idempotency_key": f"{kind}-{index}",
                    "payload": payload,
                }
            )
            with self._with_credit_note(order):
                notices.append(getattr(push, f"_prepare_{kind}_notice")())
            push.state = "done"
        return notices

    @contextmanager
    def _with_credit_note(self, order):
        note = self.env["account.move"].create(
            {
                "move_type": "out_refund",
                "partner_id": order.partner_id.id,
                "invoice_date": "2026-01-01",
                "invoice_line_ids": [Command.create({"product_id": self.mouse.id, "price_unit": 20.0})],
            }
        )
        note.action_post()
        kept = type(self.env["oms.channel.push"])._get_document
        replacement = lambda push: note if push.kind == "refund" else kept(push)
        with patch_method(self.env["oms.channel.push"], "_get_document", replacement):
            yield

    def test_two_equal_requests_are_answered_each_by_its_id(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0)], captured=True)
        order.action_confirm()
        self._deliver(order)
        self._tell(self._request(), self._request(number=2))
        payload = {"amount": 20.0, "lines": [["ordli_1_0", "1"]]}
        first, second, third = self._notices(order, "refund", payload, payload, payload)
        self.assertEqual([first.request_external_id, second.request_external_id], ["return_1", "return_2"])
        self.assertEqual((third.request_external_id, third.used_request_ids), ("", ("return_1", "return_2")))

    def test_other_amount_or_goods_are_no_answer(self):
        order = self._import(1, [("OMS-MOUSE", 2, 20.0), ("OMS-KEYB", 1, 20.0)], captured=True)
        self._tell(self._request())
        [other_goods] = self._notices(order, "refund", {"amount": 20.0, "lines": [["ordli_1_1", "1"]]})
        self.assertEqual(other_goods.request_external_id, "")
        order.channel_push_ids.unlink()
        [other_money] = self._notices(order, "refund", {"amount": 19.0, "lines": [["ordli_1_0", "1"]]})
        self.assertEqual(other_money.request_external_id, "")

    def test_goods_that_came_back_answer_the_request_to_return_them(self):
        order = self._sell()
        self._deliver(order)
        self._tell(self._request())
        goods, others = {"lines": [["ordli_1_0", "1"]]}, {"lines": [["ordli_1_0", "2"]]}
        [more] = self._notices(order, "return_received", others)
        self.assertEqual(more.request_external_id, "")
        order.channel_push_ids.filtered(lambda push: push.kind == "return_received").unlink()
        first, second = self._notices(order, "return_received", goods, goods)
        self.assertEqual([first.request_external_id, second.request_external_id], ["return_1", ""])
