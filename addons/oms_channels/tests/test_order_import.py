import base64
import io
import time

import openpyxl

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form, tagged

from .common import ChannelsCommon
from .test_importer import HEADINGS, make_book, make_file


def make_row(number=1, sku="OMS-MOUSE", quantity="1", price="10.00"):
    return [f"F-{number}", "2026-03-01 10:00", "张三", "013800000000", "010020", sku, quantity, price]


@tagged("post_install", "-at_install")
class TestOrderImport(ChannelsCommon):
    """Orders from files: first what would happen, then once and not twice."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel.write({"provider": False, "base_url": False, "auto_confirm": False})

    def _wizard(self, *rows, user=None, content=None, headings=HEADINGS):
        content = content or make_file(headings, *rows).encode("gbk")
        return (
            self.env["oms.order.import"]
            .with_user(user or self.user)
            .create({"channel_id": self.channel.id, "file": base64.b64encode(content), "filename": "orders.csv"})
        )

    def _read_report(self, wizard):
        sheet = openpyxl.load_workbook(io.BytesIO(base64.b64decode(wizard.report_file))).active
        return [tuple(cell or "" for cell in row) for row in sheet.iter_rows(values_only=True)]

    def test_check_does_nothing_and_import_does_it(self):
        wizard = self._wizard(make_row(1), make_row(2), make_row(1, "OMS-KEYB"))
        wizard.action_check()
        self.assertEqual((wizard.state, wizard.row_count, wizard.new_count), ("checked", 3, 2))
        self.assertFalse(self._message("F-1"))
        self.assertEqual([row[2] for row in self._read_report(wizard)[1:]], ["Would be created"] * 3)
        wizard.action_import()
        self.assertEqual(self._message("F-1").source, "file")
        self._work("message")
        order = self._order("F-1")
        self.assertEqual(order.order_line.product_id, self.mouse | self.keyboard)
        self.assertEqual(order.partner_shipping_id.phone, "013800000000")
        self.assertEqual(order.partner_shipping_id.zip, "010020")
        self._assert_totals(order, 20.0)
        self.assertTrue(self._order("F-2"))

    def test_file_imported_twice_makes_nothing_twice(self):
        for _time in range(2):
            wizard = self._wizard(make_row(1), make_row(2))
            wizard.action_import()
            self._work("message")
        self.assertEqual((wizard.duplicate_count, wizard.new_count), (2, 0))
        self.assertEqual([row[2] for row in self._read_report(wizard)[1:]], ["Duplicate"] * 2)
        self.assertEqual(len(self._order("F-1")), 1)
        self.assertEqual(len(self._message("F-1")), 1)

    def test_xlsx_and_csv_of_the_same_orders_are_the_same(self):
        self._wizard(make_row(1)).action_import()
        wizard = self._wizard(content=make_book([HEADINGS, make_row(1)]))
        wizard.action_check()
        self.assertEqual(wizard.duplicate_count, 1)

    def test_errors_are_told_by_row_and_column_and_refuse_only_their_order(self):
        wizard = self._wizard(make_row(1), make_row(2, quantity="many"), make_row(2, "OMS-KEYB"), make_row(3))
        wizard.action_import()
        self._work("message")
        self.assertTrue(self._order("F-1") and self._order("F-3"))
        self.assertFalse(self._message("F-2"))
        self.assertEqual((wizard.new_count, wizard.error_count), (2, 1))
        report = self._read_report(wizard)
        self.assertEqual(report[2], (3, "F-2", "Error", "Quantity", "It is no number: many"))
        self.assertEqual(report[3][2:5], ("Error", "", "Another row of this order has an error."))
        self.assertIn("It is no number: many", wizard.report_html)

    def test_unknown_sku_is_told_and_waits(self):
        wizard = self._wizard(make_row(1, "NOBODY-KNOWS"))
        wizard.action_check()
        self.assertEqual(wizard.waiting_count, 1)
        wizard.action_import()
        self._work("message")
        self.assertEqual(self._message("F-1").state, "failed")
        self.env["oms.channel.listing"].search([("sku", "=", "NOBODY-KNOWS")]).product_id = self.mouse
        self._work("message")
        self.assertTrue(self._order("F-1"))

    def test_known_order_with_other_content_is_compared(self):
        self._wizard(make_row(1)).action_import()
        self._work("message")
        wizard = self._wizard(make_row(1, quantity="3"))
        wizard.action_check()
        self.assertEqual(wizard.changed_count, 1)
        wizard.action_import()
        self._work("message")
        self.assertEqual(self._order("F-1").order_line.product_uom_qty, 3)

    def test_user_input_in_the_report_is_text(self):
        wizard = self._wizard(make_row(1, quantity="<script>x</script>"))
        wizard.action_check()
        self.assertNotIn("<script", wizard.report_html)

    def test_files_that_are_none(self):
        for content, word in ((b"PK nonsense", "damaged"), (b"a,b\n1,2", "lacks"), (HEADINGS[0].encode(), "lacks")):
            with self.assertRaisesRegex(UserError, word):
                self._wizard(content=content).action_check()
        with self.assertRaisesRegex(UserError, "no orders"):
            self._wizard().action_check()
        with self.assertRaisesRegex(UserError, "twice"):
            self._wizard([*make_row(1), "x"], headings=[*HEADINGS, "订单号"]).action_check()
        with self.assertRaisesRegex(UserError, "Choose a file"):
            self.env["oms.order.import"].create({"channel_id": self.channel.id}).action_check()

    def test_columns_left_out_are_named(self):
        wizard = self._wizard([*make_row(1), "sunny"], headings=[*HEADINGS, "天气"])
        wizard.action_check()
        self.assertEqual(wizard.unknown_columns, "天气")

    def test_chinese_reader_gets_chinese_headings(self):
        self.env["res.lang"]._activate_lang("zh_CN")
        wizard = self._wizard(make_row(1, quantity="many")).with_context(lang="zh_CN")
        wizard.action_check()
        self.assertEqual(self._read_report(wizard)[1][3], "数量")
        sheet = openpyxl.load_workbook(io.BytesIO(base64.b64decode(wizard.template_xlsx))).active
        self.assertEqual(sheet["A1"].value, "订单编号")

    def test_another_file_is_to_be_checked_again(self):
        wizard = self._wizard(make_row(1), user=self.env.user)
        wizard.action_check()
        with Form(wizard) as form:
            form.file = base64.b64encode(make_file(HEADINGS, make_row(2)).encode())
        self.assertEqual(wizard.state, "choose")

    def test_who_may_not(self):
        with self.assertRaises(AccessError):
            self._wizard(make_row(1), user=self.operator)

    def test_five_thousand_rows(self):
        """Queries do not grow with the rows; the work is only seen to be sane, as machines differ."""
        counts = []
        for size in (50, 5000):
            wizard = self._wizard(*[make_row(n) for n in range(size)])
            self.env.invalidate_all()
            before, start = self.env.cr.sql_log_count, time.thread_time()
            wizard.action_check()
            self.env.flush_all()
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(wizard.new_count, 5000)
        self.assertLessEqual(counts[1], counts[0] + 2, counts)
        self.assertLess(time.thread_time() - start, 60)
