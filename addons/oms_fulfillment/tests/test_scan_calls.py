from psycopg2.errors import UniqueViolation

from odoo.exceptions import ConcurrencyError
from odoo.tests import tagged
from odoo.tools import mute_logger

from .scan_common import ScanCommon


@tagged("post_install", "-at_install")
class TestScanCalls(ScanCommon):
    def test_repeated_call_gets_the_stored_answer_and_counts_once(self):
        picking = self._create_delivery([(self.mouse, 3)])
        self._scan(picking.name)
        first = self.as_operator.scan_barcode(self.mouse.barcode, uuid="call-1")
        again = self.as_operator.scan_barcode(self.mouse.barcode, uuid="call-1")
        self.assertEqual(first, again)
        self.assertEqual(again["data"]["picked"], 1)
        self.assertEqual(self.as_operator.scan_barcode(self.mouse.barcode, uuid="call-2")["data"]["picked"], 2)

    def test_repeated_refusal_is_refused_once(self):
        self.as_operator.scan_barcode("nothing", uuid="call-1")
        answer = self.as_operator.scan_barcode("nothing", uuid="call-1")
        self._assert_answer(answer, "choose", "unknown")
        self.assertEqual(self.env["oms.scan.log"].search_count([("uuid", "=", "call-1")]), 1)

    def test_repeated_shipping_ships_once(self):
        self.operation.write({"oms_scan_check": False, "oms_scan_weigh": False})
        picking = self._create_transfer([(self.mouse, 1)])
        self._scan(picking.name, self.mouse.barcode, "BOX-M")
        self.as_operator.scan_print_label()
        first = self.as_operator.scan_ship(uuid="ship")
        self.assertEqual(self.as_operator.scan_ship(uuid="ship"), first)
        self._assert_answer(first, "choose", "shipped")

    def test_uuid_belongs_to_its_user(self):
        self.as_operator.scan_barcode("nothing", uuid="same")
        answer = self.as_manager.scan_start(uuid="same")
        self._assert_answer(answer, "choose", None)

    def test_same_call_at_the_same_moment_is_repeated_by_the_server(self):
        Call = self.env["oms.scan.call"]
        Call._begin("twin", "scan_barcode")
        self.env.flush_all()
        with self.assertRaises(ConcurrencyError), mute_logger("odoo.sql_db"):
            Call._begin("twin", "scan_barcode")

    def test_transfer_is_in_one_session_only(self):
        picking = self._create_delivery([(self.mouse, 1)])
        sessions = self.env["oms.scan.session"].search([("user_id", "in", (self.operator | self.manager).ids)])
        with self.assertRaises(UniqueViolation), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            sessions.picking_id = picking
            sessions.flush_recordset()

    def test_call_for_a_transfer_that_is_gone_does_nothing(self):
        first, second = self._create_delivery([(self.mouse, 1)]), self._create_delivery([(self.mouse, 1)])
        self._scan(second.name)
        answer = self.as_operator.scan_barcode(self.mouse.barcode, picking_id=first.id)
        self._assert_answer(answer, "pick", "stale", "warning")
        self.assertFalse(any(second.move_line_ids.mapped("picked")))

    def test_old_answers_are_forgotten(self):
        self.as_operator.scan_barcode("nothing", uuid="old")
        call = self.env["oms.scan.call"].search([("uuid", "=", "old")])
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE oms_scan_call SET create_date = create_date - interval '2 days' WHERE id = %s", [call.id]
        )
        call.invalidate_recordset()
        self.env["oms.scan.call"]._gc_calls()
        self.assertFalse(call.exists())

    def test_refusal_rolls_back_what_was_written(self):
        picking = self._create_delivery([(self.mouse, 2)])
        self._scan(picking.name)
        logs = self._get_logs(picking)
        self.as_operator.scan_set_quantity(picking.move_line_ids.id, 99)
        self.assertEqual((self._get_logs(picking) - logs).mapped("result"), ["refused"])
        self.assertFalse(self.as_operator.search([]).move_line_id)

    def test_messages_are_said_in_the_operators_language(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        answer = self.as_operator.with_context(lang="zh_CN").scan_barcode("nothing")
        self.assertEqual(answer["message"]["text"], "未知条码：nothing")
