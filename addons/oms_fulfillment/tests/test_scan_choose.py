from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import new_test_user, tagged

from .scan_common import ScanCommon


@tagged("post_install", "-at_install")
class TestScanChoose(ScanCommon):
    def test_list_shows_ready_work_of_the_warehouse_oldest_first(self):
        first, second = self._create_delivery(), self._create_delivery()
        waiting = self._create_delivery([(self.mouse, 2)])
        waiting.do_unreserve()
        (first | second).scheduled_date = "2020-01-02"
        second.scheduled_date = "2020-01-01"
        data = self.as_operator.scan_start()["data"]
        ids = [transfer["id"] for transfer in data["transfers"]]
        self.assertEqual([i for i in ids if i in (first | second).ids], [second.id, first.id])
        self.assertNotIn(waiting.id, ids)
        self.assertEqual(data["total"], 2)
        self.assertEqual(data["transfers"][0]["pieces"], 3)

    def test_other_warehouse_is_not_listed_and_refused(self):
        elsewhere = self.env["stock.warehouse"].create({"name": "Elsewhere", "code": "ELSE"})
        picking = self._create_delivery()
        answer = self.as_operator.scan_start(warehouse_id=elsewhere.id)
        self.assertEqual(answer["data"]["transfers"], [])
        self._assert_answer(self._scan(picking.name), "choose", "other_warehouse", "danger")

    def test_transfer_order_and_shop_number_open_it(self):
        picking = self._create_delivery(channel_order_ref="SHOP-77")
        for barcode in (picking.name, picking.sale_id.name, "SHOP-77"):
            self._assert_answer(self._scan(barcode), "pick", "opened", "success")
            self.as_operator.scan_put_aside()
        self.assertFalse(picking.user_id)

    def test_waybill_opens_its_transfer(self):
        picking = self._create_delivery()
        parcel = picking._oms_create_parcels()
        parcel._assign_waybills()
        self._assert_answer(self._scan(parcel.tracking_number), "pick", "opened")

    def test_batch_narrows_the_list_until_it_is_done(self):
        first, second, other = (self._create_delivery([(self.mouse, 1)]) for _index in range(3))
        batch = self.env["stock.picking.batch"].create({"picking_ids": [Command.set((first | second).ids)]})

        def listed(answer):
            ids = {transfer["id"] for transfer in answer["data"]["transfers"]}
            return self.env["stock.picking"].browse(ids) & (first | second | other)

        answer = self._scan(batch.name)
        self._assert_answer(answer, "choose", "several", "info")
        self.assertEqual((listed(answer), answer["data"]["work_code"]), (first | second, batch.name))
        self._scan(other.name)
        answer = self.as_operator.scan_put_aside()
        self.assertEqual(listed(answer), first | second, "another transfer in between changes nothing")
        answer = self.as_operator.scan_start(picking_type_id=False)
        self.assertEqual((listed(answer), answer["data"]["work_code"]), (first | second | other, False))
        self._scan(batch.name)
        first.do_unreserve()
        self.assertEqual(listed(self.as_operator.scan_start()), second)
        self._assert_answer(self._scan(batch.name), "pick", "opened")
        second.do_unreserve()
        answer = self.as_operator.scan_put_aside()
        self.assertEqual((listed(answer), answer["data"]["work_code"]), (other, False))

    def test_unknown_barcode_is_refused_and_logged(self):
        self._assert_answer(self._scan("no-such-thing"), "choose", "unknown", "danger")
        log = self.env["oms.scan.log"].search([("barcode", "=", "no-such-thing")])
        self.assertRecordValues(log, [{"user_id": self.operator.id, "result": "refused", "step": "choose"}])

    def test_transfer_that_waits_is_refused(self):
        picking = self._create_delivery([(self.mouse, 2)])
        picking.do_unreserve()
        self._assert_answer(self._scan(picking.name), "choose", "not_ready", "danger")

    def test_hold_keeps_picking_from_starting(self):
        picking = self._create_delivery()
        hold_type = self.env["oms.hold.type"].search([("gate", "=", "release")], limit=1) or self.env[
            "oms.hold.type"
        ].create({"name": "Wait", "code": "test_wait", "gate": "release"})
        picking.sale_id._oms_place_hold(hold_type, "address to be checked")
        data = self.as_operator.scan_start()["data"]
        self.assertTrue(data["transfers"][0]["held"])
        answer = self._scan(picking.name)
        self._assert_answer(answer, "choose", "refused", "danger")
        self.assertIn(picking.sale_id.name, answer["message"]["text"])
        self.assertFalse(picking.user_id)
        picking.sale_id.oms_hold_ids.with_user(self.user).action_release("fine")
        self._assert_answer(self._scan(picking.name), "pick", "opened")

    def test_second_operator_sees_who_has_it(self):
        picking = self._create_delivery()
        self._scan(picking.name)
        self.assertEqual(picking.user_id, self.operator)
        colleague = new_test_user(self.env, "oms_colleague", "base.group_user,oms_base.oms_base_group_warehouse")
        other = self.env["oms.scan.session"].with_user(colleague)
        other.scan_start(warehouse_id=self.warehouse.id)
        answer = self._scan(picking.name, session=other)
        self._assert_answer(answer, "choose", "taken", "danger")
        self.assertIn(self.operator.name, answer["message"]["text"])
        self._assert_answer(other.scan_take_over(picking.id), "choose", "supervisor", "danger")
        self.assertEqual(picking.user_id, self.operator)

    def test_manager_takes_over_and_the_first_device_is_told(self):
        picking = self._create_delivery([(self.mouse, 2)])
        self._scan(picking.name, self.mouse.barcode)
        answer = self.as_manager.scan_take_over(picking.id)
        self._assert_answer(answer, "pick", "taken_over")
        self.assertEqual(answer["data"]["picked"], 1, "what was picked stays picked")
        answer = self.as_operator.scan_barcode(self.mouse.barcode, picking_id=picking.id)
        self._assert_answer(answer, "choose", "stale", "warning")
        self.assertEqual(sum(picking.move_line_ids.filtered("picked").mapped("quantity")), 1)

    def test_session_survives_the_device(self):
        picking = self._create_delivery([(self.mouse, 2)])
        self._scan(picking.name, self.mouse.barcode)
        answer = self.as_operator.scan_start()
        self._assert_answer(answer, "pick", "resumed")
        self.assertEqual((answer["data"]["picked"], answer["data"]["to_pick"]), (1, 2))

    def test_another_transfer_waits_until_this_one_is_finished(self):
        first, second = self._create_delivery([(self.mouse, 2)]), self._create_delivery([(self.keyboard, 1)])
        self._scan(first.name)
        self._assert_answer(self._scan(second.name), "pick", "opened")
        self.assertFalse(first.user_id, "nothing was picked of the first: it goes back to the list")
        self.as_operator.scan_put_aside()
        self._scan(first.name, self.mouse.barcode)
        self._assert_answer(self._scan(second.name), "pick", "finish_first", "warning")

    def test_queries_do_not_grow_with_the_list(self):
        self._set_stock(self.mouse, 100)
        self._create_delivery([(self.mouse, 1)])
        self._create_delivery([(self.mouse, 1)])

        def count():
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            self.as_operator.scan_start()
            return self.env.cr.sql_log_count - before

        count()
        few = count()
        for _index in range(8):
            self._create_delivery([(self.mouse, 1)])
        self.assertLessEqual(count(), few + 1)

    def test_only_the_app_writes_sessions_and_scans(self):
        self._scan("no-such-thing")
        session = self.as_operator.search([])
        self.assertEqual(session.user_id, self.operator, "operators see their own session")
        with self.assertRaises(AccessError):
            session.picking_id = False
        log = self.env["oms.scan.log"].with_user(self.operator).search([], limit=1)
        with self.assertRaises(UserError):
            log.result = "done"
        with self.assertRaises(AccessError):
            log.unlink()
        with self.assertRaises(AccessError):
            self.env["oms.scan.call"].with_user(self.operator).search([])
        with self.assertRaises(AccessError):
            self.env["oms.scan.session"].with_user(self.accountant).search([])
