import copy
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged

from .api_common import ApiCase, make_order
from .common import SHOP


@tagged("post_install", "-at_install")
class TestApiOrders(ApiCase):
    """Orders by the inbound API: each once, each with its own answer."""

    def test_order_is_stored_imported_and_told(self):
        response = self._send(make_order(1))
        self.assertEqual(response.status_code, 202, response.text)
        [result] = response.json()["results"]
        self.assertEqual(result["result"], "accepted")
        self.assertEqual(self._get("A-1")["state"], "waiting")
        self._work("message")
        order = self._order("A-1")
        self.assertEqual(order.channel_message_ids.id, result["message_id"])
        self._assert_totals(order, 89.98)
        self.assertEqual(order.partner_shipping_id.phone, "013800000000")
        self.assertEqual(order.channel_payment_ids.captured_amount, 89.98)
        state = self._get("A-1")
        self.assertEqual((state["state"], state["stage"], state["total"]), ("imported", "new", "89.98"))

    def test_order_sent_twice_is_one_order(self):
        self._send(make_order(1))
        response = self._send(make_order(1))
        self.assertEqual(response.json()["duplicates"], 1)
        self.assertEqual(response.status_code, 202)
        self._work("message")
        self.assertEqual(self._send(make_order(1)).json()["results"][0]["result"], "duplicate")
        self.assertEqual(len(self._order("A-1")), 1)
        self.assertEqual(len(self._message("A-1")), 1)

    def test_order_twice_in_one_batch_is_one_order(self):
        results = self._send(make_order(1), make_order(1)).json()["results"]
        self.assertEqual([row["result"] for row in results], ["accepted", "duplicate"])
        self.assertEqual(results[0]["message_id"], results[1]["message_id"])

    def test_changed_order_changes_the_quotation(self):
        self._send(make_order(1, updated_at="2026-03-01T02:00:00Z"))
        self._work("message")
        changed = make_order(1, updated_at="2026-03-01T03:00:00Z", payments=[])
        changed["lines"][0]["quantity"] = 3
        self._send(changed)
        self._work("message")
        self.assertEqual(self._order("A-1").order_line[0].product_uom_qty, 3)
        self._send(make_order(1, updated_at="2026-03-01T01:00:00Z"))
        self._work("message")
        self.assertEqual(self._order("A-1").order_line[0].product_uom_qty, 3, "an older state does not count")

    def test_cancelled_units_are_not_sent(self):
        first = make_order(1, updated_at="2026-03-01T02:00:00Z")
        first["lines"][0]["cancelled_quantity"] = 1
        self._send(first)
        self._work("message")
        order = self._order("A-1")
        self.assertEqual(order.order_line.mapped("product_uom_qty"), [1, 1, 1])
        self._assert_totals(order, 69.99)
        order.action_confirm()
        changed = copy.deepcopy({**first, "updated_at": "2026-03-01T03:00:00Z"})
        changed["lines"][1]["cancelled_quantity"] = 1
        for result in ("accepted", "duplicate"):
            self.assertEqual(self._send(changed).json()["results"][0]["result"], result)
            self._work("message")
        [hold] = order.oms_hold_ids
        self.assertEqual((hold.state, hold.type_id.code), ("active", "edited"))
        self.assertIn("OMS-KEYB 1 → 0", hold.reason_ids.name)
        nothing = copy.deepcopy(make_order(2))
        for line in nothing["lines"]:
            line["cancelled_quantity"] = line["quantity"]
        self._send(nothing)
        self._work("message")
        self.assertFalse(self._order("A-2"))
        self.assertEqual(self._get("A-2")["state"], "skipped")

    def test_units_cancelled_before_the_review_leave_the_quotation(self):
        self._send(make_order(1, updated_at="2026-03-01T02:00:00Z"))
        self._work("message")
        changed = make_order(1, updated_at="2026-03-01T03:00:00Z")
        changed["lines"][0]["cancelled_quantity"] = 1
        self._send(changed)
        self._work("message")
        self.assertEqual(self._order("A-1").order_line[0].product_uom_qty, 1)
        self._assert_totals(self._order("A-1"), 69.99)

    def test_money_given_back_there_and_fees_are_known_here(self):
        self._send(make_order(1, updated_at="2026-03-01T02:00:00Z"))
        self._work("message")
        order = self._order("A-1")
        order.action_confirm()
        self._deliver(order)
        self._run_cron("oms_channels.ir_cron_settle")
        changed = make_order(1, updated_at="2026-03-01T03:00:00Z")
        changed["payments"][0].update(refunded_amount="19.99", fee_amount="1.25")
        row = {"external_id": "r1", "kind": "refund", "state": "refunded", "amount": "19.99", "reason": "scratched"}
        changed["refund_requests"] = [{**row, "lines": [{"external_id": "L1", "quantity": 1}]}]
        for _time in range(2):
            self._send(changed)
            self._work("message")
            self._run_cron("oms_channels.ir_cron_settle")
        payment, refund = order.channel_payment_ids.sorted("direction")
        self.assertEqual((payment.refunded_amount, payment.state), (19.99, "partially_refunded"))
        self.assertEqual(order.channel_fee_amount, 1.25)
        self.assertEqual((refund.direction, refund.amount, refund.request_ref), ("outbound", 19.99, "r1"))
        self.assertEqual(order.oms_event_ids.mapped("code").count("shop_refunded"), 1)

    def test_what_a_buyer_asks_back_there_keeps_the_goods_here(self):
        self._send(make_order(1, updated_at="2026-03-01T02:00:00Z"))
        self._work("message")
        order = self._order("A-1")
        order.action_confirm()
        request = {"external_id": "r1", "kind": "refund", "amount": "19.99", "reason": "late"}
        for state, minute in (("requested", 3), ("cancelled", 4)):
            moment = f"2026-03-01T0{minute}:00:00Z"
            self._send(make_order(1, updated_at=moment, refund_requests=[{**request, "state": state}]))
            self._work("message")
            hold = order.oms_hold_ids
            self.assertEqual(hold.state == "active", state == "requested")
        self.assertEqual({"refund_asked", "refund_withdrawn"} - set(order.oms_event_ids.mapped("code")), set())

    def test_bad_order_does_not_refuse_the_others(self):
        bad = make_order(2)
        bad["lines"][0]["quantity"] = "many"
        bad["colour"] = "red"
        response = self._send(make_order(1), bad, "nonsense", make_order(3))
        self.assertEqual(response.status_code, 207)
        answer = response.json()
        self.assertEqual((answer["accepted"], answer["refused"]), (2, 2))
        errors = answer["results"][1]["errors"]
        self.assertIn({"path": "/lines/0/quantity", "message": "Must be number."}, errors)
        self.assertIn({"path": "", "message": "Unknown: colour."}, errors)
        self._work("message")
        self.assertTrue(self._order("A-1") and self._order("A-3"))
        self.assertFalse(self._message("A-2"))

    def test_batch_without_a_good_order_is_refused_with_reasons(self):
        bad = make_order(1)
        bad["lines"][0]["discount_amount"] = 1000
        problem = self._assert_problem(self._send(bad), 422, "nothing_accepted")
        self.assertIn("discount_amount of line 1", problem["results"][0]["errors"][0]["message"])

    def test_batch_is_limited(self):
        self._assert_problem(self._send(*[make_order(n) for n in range(101)]), 400, "invalid_request")
        self._assert_problem(self._send(), 400, "invalid_request")
        self.assertFalse(self.env["oms.channel.message"].search([("channel_id", "=", self.channel.id)]))

    def test_total_that_differs_is_kept_for_the_review(self):
        self._send(make_order(1, total="100.00", payments=[]))
        self._work("message")
        self.assertEqual(self._order("A-1").channel_amount_total, 100.0)

    def test_unknown_sku_is_told_in_words_and_goes_on_once_matched(self):
        order = make_order(1, payments=[])
        order["lines"][0]["sku"] = "NOBODY-KNOWS"
        self._send(order)
        self._work("message")
        state = self._get("A-1")
        self.assertEqual((state["state"], state["stage"]), ("failed", None))
        self.assertIn("NOBODY-KNOWS", state["message"])
        listing = self.env["oms.channel.listing"].search([("sku", "=", "NOBODY-KNOWS")])
        listing.product_id = self.mouse
        self._work("message")
        self.assertEqual(self._get("A-1")["state"], "imported")

    def test_unforeseen_error_tells_nothing_of_the_inside(self):
        self._send(make_order(1))
        message = self._message("A-1")
        message.write({"state": "failed", "attempts": 8, "last_error": "psycopg2: column secret"})
        self.assertNotIn("psycopg2", self._get("A-1")["message"])

    def test_idempotency_key_gives_the_same_answer(self):
        headers = {"Idempotency-Key": "k-1"}
        first = self._send(make_order(1), headers=headers)
        self._work("message")
        again = self._send(make_order(1), headers=headers)
        self.assertEqual((again.status_code, again.json()), (first.status_code, first.json()))
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertEqual(again.json()["results"][0]["result"], "accepted")
        self._assert_problem(self._send(make_order(2), headers=headers), 409, "idempotency_conflict")
        self.assertFalse(self._message("A-2"))

    def test_refusal_under_an_idempotency_key_is_repeated_too(self):
        bad = make_order(1)
        del bad["lines"]
        headers = {"Idempotency-Key": "k-1"}
        first = self._assert_problem(self._send(bad, headers=headers), 422, "nothing_accepted")
        self.assertEqual(self._assert_problem(self._send(bad, headers=headers), 422, "nothing_accepted"), first)

    def test_answers_are_forgotten_after_a_week(self):
        self._send(make_order(1), headers={"Idempotency-Key": "k-1"})
        Call = self.env["oms.api.call"]
        Call._gc_calls()
        self.assertEqual(Call.search_count([("key_id", "=", self.key.id)]), 1)
        self.env.cr.execute("UPDATE oms_api_call SET create_date = create_date - interval '8 days'")
        Call.invalidate_model()
        Call._gc_calls()
        self.assertFalse(Call.search_count([("key_id", "=", self.key.id)]))

    def test_cancellation_of_an_imported_order(self):
        self._send(make_order(1, payments=[]))
        self._work("message")
        response = self._call("POST", "/orders/A-1/cancel", {"reason": "changed my mind"})
        self.assertEqual((response.status_code, response.json()["result"]), (202, "accepted"))
        self._work("message")
        self.assertEqual(self._order("A-1").state, "cancel")
        self.assertEqual(self._get("A-1")["stage"], "cancel")
        self.assertEqual(self._call("POST", "/orders/A-1/cancel").json()["result"], "duplicate")

    def test_cancellation_before_the_import_keeps_the_order_out(self):
        order = make_order(1, payments=[])
        order["lines"][0]["sku"] = "NOBODY-KNOWS"
        self._send(order)
        self._work("message")
        self._call("POST", "/orders/A-1/cancel")
        self._work("message")
        self.env["oms.channel.listing"].search([("sku", "=", "NOBODY-KNOWS")]).product_id = self.mouse
        self._work("message")
        self.assertFalse(self._order("A-1"))
        self.assertEqual(self._get("A-1")["state"], "skipped")

    def test_cancellation_in_line_behind_its_order(self):
        self._send(make_order(1, payments=[]))
        self._call("POST", "/orders/A-1/cancel")
        self._work("message")
        self.assertEqual(self._order("A-1").state, "cancel")

    def test_cancellation_of_what_has_left_is_a_persons_job(self):
        self._send(make_order(1, payments=[]))
        self._work("message")
        order = self._order("A-1")
        order.action_confirm()
        self._deliver(order)
        self._call("POST", "/orders/A-1/cancel")
        self._work("message")
        self.assertEqual(order.state, "sale")
        self.assertIn("cancelled in the shop", order.oms_hold_ids.reason)

    def test_cancellation_of_an_unknown_order(self):
        self._assert_problem(self._call("POST", "/orders/nobody/cancel"), 404, "unknown_order")

    def test_shipment_holds_and_refunds_are_told(self):
        self._send(make_order(1, payments=[]))
        self._work("message")
        order = self._order("A-1")
        order._oms_place_hold(self.env.ref("oms_base.oms_hold_type_manual"), "Our secret suspicion")
        state = self._get("A-1")
        self.assertEqual([hold["gate"] for hold in state["holds"]], [order.oms_hold_ids.gate])
        self.assertNotIn("secret", str(state))
        order.oms_hold_ids.action_release("fine")
        order.action_confirm()
        order.picking_ids.carrier_tracking_ref = "SF123"
        self._deliver(order)
        invoice = order._create_invoices()
        invoice.action_post()
        credit_note = invoice._reverse_moves()
        credit_note.action_post()
        state = self._get("A-1")
        self.assertEqual(state["shipments"][0]["tracking_number"], "SF123")
        self.assertIn({"external_id": "L1", "sku": "OMS-MOUSE", "quantity": 2.0}, state["shipments"][0]["lines"])
        self.assertEqual(state["refunds"][0]["amount"], "89.98")

    def test_cancelled_units_are_told_with_their_reason(self):
        raw = make_order(1, payments=[])
        raw["lines"][0]["discounts"] = [{"source": "platform", "code": "618", "amount": "1.50"}]
        self._send(raw)
        self._work("message")
        order = self._order("A-1")
        line = order.order_line.filtered(lambda row: row.channel_line_id == "L1")
        self.assertRecordValues(line.channel_discount_ids, [{"source": "platform", "code": "618", "amount": 1.5}])
        order.action_confirm()
        order.channel_cancel_reason = "Out of stock"
        line.product_uom_qty = 1
        self.env.cr.flush()
        self.assertFalse(order.channel_push_ids, "there is no shop to tell")
        state = self._get("A-1")
        self.assertEqual(state["cancelled_lines"], [{"external_id": "L1", "sku": "OMS-MOUSE", "quantity": 1.0}])
        self.assertEqual((state["cancel_reason"], order.channel_amount_difference), ("Out of stock", 0.0))

    def test_changed_orders_are_told_page_by_page(self):
        self._send(*[make_order(n, payments=[]) for n in range(1, 6)])
        self._work("message")
        seen, cursor = [], ""
        for _page in range(5):
            answer = self._call("GET", f"/orders?limit=2{cursor}").json()
            seen += [order["external_id"] for order in answer["orders"]]
            if not answer["next_cursor"]:
                break
            cursor = f"&cursor={answer['next_cursor']}"
        self.assertEqual(sorted(seen), [f"A-{n}" for n in range(1, 6)])
        self.assertFalse(self._call("GET", "/orders?updated_since=2099-01-01T00:00:00Z").json()["orders"])

    def test_orders_that_are_not_imported_are_listed_with_the_reason(self):
        unknown = {"external_id": "L1", "sku": "NOBODY-KNOWS", "quantity": 1, "price_unit": 1}
        self._send(*[make_order(n, payments=[]) for n in (1, 2)], make_order(3, payments=[], lines=[unknown]))
        self._work("message")
        self._send(make_order(4, payments=[]), make_order(5, payments=[]))
        for limit in (1, 2, 3, 50):
            seen, cursor = [], ""
            while cursor is not None:
                answer = self._call("GET", f"/orders?limit={limit}{cursor}").json()
                seen += [(order["external_id"], order["state"]) for order in answer["orders"]]
                cursor = f"&cursor={answer['next_cursor']}" if answer["next_cursor"] else None
            expected = [
                (f"A-{n}", state) for n, state in enumerate(("imported",) * 2 + ("failed",) + ("waiting",) * 2, 1)
            ]
            self.assertEqual(sorted(seen), expected, limit)
        [failed] = [order for order in answer["orders"] if order["state"] == "failed"]
        self.assertIn("NOBODY-KNOWS", failed["message"])
        self.assertIsNone(failed["stage"])

    def test_parcels_of_one_transfer_are_told_each(self):
        self._send(make_order(1, payments=[]))
        self._work("message")
        order = self._order("A-1")
        order.action_confirm()
        picking = order.picking_ids
        picking.carrier_tracking_ref = "SF1,SF2"
        self._deliver(order)
        with patch.object(type(picking), "_oms_get_parcels", lambda picking: []):  # nobody packed by boxes
            [shipment] = self._get("A-1")["shipments"]
        self.assertEqual(
            [(row["tracking_number"], row["lines"]) for row in shipment["parcels"]], [("SF1", []), ("SF2", [])]
        )
        boxes = [("SF1", "", {picking.move_ids[0]: 2}), ("SF2", "https://t/SF2", {picking.move_ids[1]: 1})]
        with patch.object(type(picking), "_oms_get_parcels", lambda picking: boxes):
            [shipment] = self._get("A-1")["shipments"]
        self.assertEqual([row["lines"][0]["sku"] for row in shipment["parcels"]], ["OMS-MOUSE", "OMS-KEYB"])
        self.assertEqual(shipment["parcels"][1]["tracking_url"], "https://t/SF2")
        self.assertEqual(len(shipment["lines"]), 2)

    def test_stock_page_takes_no_cursor_of_orders(self):
        self.assertEqual(self._call("GET", "/stock?cursor=m12").status_code, 400)

    def test_stock_is_what_is_published(self):
        with patch.object(
            type(self.channel), "_get_publishable_quantities", lambda channel, products: {p.id: 7.0 for p in products}
        ):
            answer = self._call("GET", "/stock?sku=OMS-MOUSE&sku=NOPE").json()
        self.assertEqual(answer["items"], [{"sku": "OMS-MOUSE", "quantity": 7.0}])
        self.assertEqual(answer["unknown"], ["NOPE"])
        self._send(make_order(1, payments=[]))
        self._work("message")
        [item] = self._call("GET", "/stock?sku=OMS-MOUSE").json()["items"]
        self.assertEqual(item["quantity"], 8.0, "what orders to review want is not free")

    def test_stock_page_by_page(self):
        skus, cursor = [], ""
        for _page in range(1000):
            answer = self._call("GET", f"/stock?limit=1{cursor}").json()
            skus += [item["sku"] for item in answer["items"]]
            cursor = f"&cursor={answer['next_cursor']}"
            if not answer["next_cursor"]:
                break
        self.assertEqual(len(skus), len(set(skus)))
        self.assertGreaterEqual(set(skus), {"OMS-MOUSE", "OMS-KEYB"})

    def test_stock_of_a_channel_with_a_shop_is_its_listings(self):
        self.channel.write({"provider": "medusa", "base_url": SHOP})
        self.env["oms.channel.listing"].create(
            {"channel_id": self.channel.id, "external_id": "v1", "sku": "SHOP-MOUSE", "product_id": self.mouse.id}
        )
        self.assertEqual(self._call("GET", "/stock").json()["items"], [{"sku": "SHOP-MOUSE", "quantity": 10.0}])
        self.channel.listing_ids.write({"has_own_stock_rule": True, "stock_maximum": 3})
        self.assertEqual(self._call("GET", "/stock").json()["items"], [{"sku": "SHOP-MOUSE", "quantity": 3.0}])

    def test_own_orders_come_into_a_channel_with_a_shop_too(self):
        self.channel.write({"provider": "medusa", "base_url": SHOP})
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        self._send(make_order(1, payments=[]), make_order(2, payments=[]))
        self._pull()
        for external_id in ("A-1", "A-2", "order_1"):
            self.assertTrue(self._order(external_id), external_id)

    def test_a_shop_is_not_told_of_orders_it_does_not_know(self):
        self.channel.write({"provider": "medusa", "base_url": SHOP})
        self._send(make_order(1, payments=[]))
        self.shop.place(1, [("OMS-MOUSE", 1, 20.0)])
        self._pull()
        direct, shops = self._order("A-1"), self._order("order_1")
        self.assertTrue(direct.channel_is_direct)
        (direct | shops).date_order = fields.Datetime.now()
        self.assertEqual(self.env["sale.order"].search(self.channel._get_reread_domain()), shops)
        (direct | shops).action_confirm()
        for order in (direct, shops):
            self._deliver(order)
        self.assertEqual(self.env["oms.channel.push"].search([("kind", "=", "shipment")]).order_id, shops)

    def test_sku_in_chinese(self):
        self.mouse.default_code = "鼠标-黑"
        order = make_order(1, payments=[])
        order["lines"][0]["sku"] = "鼠标-黑"
        self._send(order)
        self._work("message")
        self.assertTrue(self._order("A-1"))
        self.assertEqual(len(self._call("GET", "/stock?sku=鼠标-黑").json()["items"]), 1)

    def test_queries_do_not_grow_with_the_batch(self):
        counts = []
        for start, size in ((0, 5), (10, 10), (100, 100)):
            payloads = [make_order(start + n) for n in range(size)]
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.channel._api_create_orders({}, {"orders": payloads})
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(counts[2], counts[1] + 5, counts)
        self._work("message")
        external_ids = [f"A-{100 + n}" for n in range(100)]
        reads = []
        for ids in (external_ids[:10], external_ids):
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.assertEqual(len(self.channel._prepare_order_states(ids)), len(ids))
            reads.append(self.env.cr.sql_log_count - before)
        self.assertLessEqual(reads[1], reads[0] + 5, reads)
