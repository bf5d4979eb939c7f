import io
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import openpyxl

from odoo.addons.oms_channels.importer.builder import build
from odoo.addons.oms_channels.importer.columns import COLUMNS, find_columns
from odoo.addons.oms_channels.importer.reader import FileError, read_table
from odoo.addons.oms_channels.importer.writer import make_csv, make_template, make_xlsx
from odoo.addons.oms_channels.openapi import validation

from .adapter_common import AdapterCase

DEFAULTS = {"currency": "CNY", "country": "CN"}
CHINA = ZoneInfo("Asia/Shanghai")
HEADINGS = ["订单编号", "下单时间", "收货人", "手机", "邮编", "商品编码", "数量", "单价"]
ROW = ["A1", "2026-03-01 10:00", "张三", "013800000000", "010020", "007", "2", "19.90"]


def make_file(*rows):
    return "\n".join(",".join(map(str, row)) for row in rows)


def make_book(rows, formats=None):
    book = openpyxl.Workbook()
    for number, row in enumerate(rows, 1):
        for position, value in enumerate(row, 1):
            cell = book.active.cell(number, position, value)
            if formats and (number, position) in formats:
                cell.number_format = formats[number, position]
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


class TestImporter(AdapterCase):
    """Files as people have them, and what is wrong in them by row and column."""

    def _build(self, content, tz=CHINA):
        return build(read_table(content), tz, DEFAULTS)

    def _faults(self, *rows, headings=HEADINGS):
        book = self._build(make_file(headings, *rows).encode())
        return [(fault.row, fault.column, fault.code) for draft in book.drafts for fault in draft.faults]

    def test_encodings(self):
        text = make_file(HEADINGS, ROW)
        for encoding in ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16"):
            [draft] = self._build(text.encode(encoding)).drafts
            self.assertEqual(draft.faults, [], encoding)
            self.assertEqual(draft.payload["shipping_address"]["name"], "张三", encoding)
        with self.assertRaises(FileError):
            read_table(b"\xff\xff\xff\xff")

    def test_delimiters_and_line_ends(self):
        for delimiter in ",;\t":
            for end in ("\n", "\r\n"):
                text = end.join(delimiter.join(row) for row in (HEADINGS, ROW))
                self.assertEqual(self._build(text.encode()).drafts[0].payload["lines"][0]["sku"], "007")

    def test_quoted_line_ends_keep_row_numbers(self):
        content = '订单编号,下单时间,商品编码,数量,单价,买家留言\nA1,2026-03-01,X,1,1,"a\nb"\nA2,2026-03-01,X,many,1,\n'
        book = self._build(content.encode())
        self.assertEqual(book.drafts[0].payload["note"], "a\nb")
        self.assertEqual(book.drafts[1].faults[0].row, 4)

    def test_leading_zeros_and_time_zone(self):
        [draft] = self._build(make_file(HEADINGS, ROW).encode()).drafts
        address = draft.payload["shipping_address"]
        self.assertEqual((address["phone"], address["zip"]), ("013800000000", "010020"))
        self.assertEqual(address["country_code"], "CN")
        self.assertEqual(draft.payload["placed_at"], "2026-03-01T02:00:00Z")
        self.assertEqual(validation.check("Order", draft.payload), [])

    def test_marks_against_excel_are_taken_off(self):
        row = [*ROW[:3], '"=""013800000000"""', "'010020", *ROW[5:]]
        [draft] = self._build(make_file(HEADINGS, row).encode()).drafts
        self.assertEqual(draft.payload["shipping_address"]["phone"], "013800000000")
        self.assertEqual(draft.payload["shipping_address"]["zip"], "010020")

    def test_cells_of_excel(self):
        row = [10001, datetime(2026, 3, 1, 10, 0), "张三", 13800000000, 10020, 7.0, 2, 19.9]
        content = make_book([HEADINGS, row], {(2, 5): "000000", (2, 6): "000"})
        [draft] = self._build(content).drafts
        self.assertEqual(draft.faults, [])
        payload = draft.payload
        self.assertEqual(payload["external_id"], "10001")
        self.assertEqual(payload["placed_at"], "2026-03-01T02:00:00Z")
        self.assertEqual(payload["shipping_address"]["phone"], "13800000000")
        self.assertEqual(payload["shipping_address"]["zip"], "010020")
        self.assertEqual(payload["lines"][0], {"sku": "007", "quantity": 2, "price_unit": "19.9", "external_id": "1"})
        [draft] = self._build(make_book([HEADINGS, [*row[:1], date(2026, 3, 1), *row[2:]]]), UTC).drafts
        self.assertEqual(draft.payload["placed_at"], "2026-03-01T00:00:00Z")

    def test_share_is_the_same_whatever_its_cell(self):
        for rate, number_format in ((0.13, "0%"), (0.13, "0.00%"), (13, "0.00"), ("13%", "@")):
            row = [*ROW, rate]
            content = make_book([[*HEADINGS, "税率"], row], {(2, len(row)): number_format})
            [draft] = self._build(content).drafts
            self.assertEqual((draft.faults, draft.payload["lines"][0]["tax_rate"]), ([], 13), number_format)
        [draft] = self._build(make_book([HEADINGS, [*ROW[:7], 0.2]], {(2, 8): "0%"})).drafts
        self.assertEqual(draft.faults[0].column, "price_unit")

    def test_dates_as_people_write_them(self):
        for text in (
            "2026/3/1 10:00",
            "2026-03-01 10:00:00",
            "2026年3月1日 10时00分",
            "2026.3.1 10:00",
            "2026-03-01T02:00:00Z",
        ):
            [draft] = self._build(make_file(HEADINGS, [ROW[0], text, *ROW[2:]]).encode()).drafts
            self.assertEqual((draft.faults, draft.payload["placed_at"]), ([], "2026-03-01T02:00:00Z"), text)

    def test_money_as_people_write_it(self):
        for text, value in (("¥19.90", "19.9"), ('"1,234.50"', "1234.5"), ("12元", "12"), ("１２．５", "12.5")):
            [draft] = self._build(make_file(HEADINGS, [*ROW[:7], text]).encode()).drafts
            self.assertEqual(draft.payload["lines"][0]["price_unit"], value)

    def test_rows_of_one_order(self):
        second = ["A1", "", "", "", "", "KEYB", "1", "5"]
        book = self._build(make_file(HEADINGS, ROW, [*ROW[:0], "A2", *ROW[1:]], second).encode())
        self.assertEqual([(draft.external_id, draft.rows) for draft in book.drafts], [("A1", [2, 4]), ("A2", [3])])
        self.assertEqual([line["sku"] for line in book.drafts[0].payload["lines"]], ["007", "KEYB"])
        self.assertFalse(book.drafts[0].faults)

    def test_payment_and_shipping(self):
        [draft] = self._build(
            make_file([*HEADINGS, "运费", "实付金额", "支付方式"], [*ROW, "10", "49.80", "wechat"]).encode()
        ).drafts
        self.assertEqual(draft.payload["shippings"], [{"amount": "10"}])
        self.assertEqual(
            draft.payload["payments"], [{"amount": "49.8", "provider": "wechat", "external_id": "file:A1"}]
        )
        self.assertEqual(validation.check("Order", draft.payload), [])

    def test_discount_by_source(self):
        headings = [*HEADINGS, "行优惠", "优惠来源", "优惠码"]
        for cells, expected in (
            (("5", "coupon", "TEN"), [{"source": "coupon", "code": "TEN", "amount": "5"}]),
            (("5", "", "TEN"), [{"source": "other", "code": "TEN", "amount": "5"}]),
            (("0", "coupon", "TEN"), []),
        ):
            [draft] = self._build(make_file(headings, [*ROW, *cells]).encode()).drafts
            self.assertEqual((draft.faults, draft.payload["lines"][0]["discounts"]), ([], expected))
        faults = self._faults([*ROW, "5", "gods", "TEN"], headings=headings)
        self.assertEqual(faults, [(2, "discount_source", "enum")])

    def test_what_was_cancelled_given_back_and_kept(self):
        headings = [*HEADINGS, "取消数量", "实付金额", "已退金额", "支付手续费"]
        [draft] = self._build(make_file(headings, [*ROW, "1", "39.80", "19.90", "0.24"]).encode()).drafts
        self.assertEqual((draft.faults, draft.payload["lines"][0]["cancelled_quantity"]), ([], 1))
        payment = {"amount": "39.8", "refunded_amount": "19.9", "fee_amount": "0.24", "external_id": "file:A1"}
        self.assertEqual(draft.payload["payments"], [payment])
        self.assertEqual(validation.check("Order", draft.payload), [])
        for cells, fault in (
            (("3", "39.80", "", ""), (2, "cancelled", "maximum")),
            (("", "39.80", "39.81", ""), (2, "refunded", "maximum")),
            (("", "", "5", ""), (2, "paid", "required")),
        ):
            self.assertEqual(self._faults([*ROW, *cells], headings=headings), [fault])

    def test_faults_by_row_and_column(self):
        for row, expected in (
            (["", *ROW[1:]], (2, "order_id", "required")),
            (["A 1", *ROW[1:]], (2, "order_id", "pattern")),
            (["1.23E+15", *ROW[1:]], (2, "order_id", "shortened")),
            ([ROW[0], "soon", *ROW[2:]], (2, "placed_at", "time")),
            ([ROW[0], "2026-02-30", *ROW[2:]], (2, "placed_at", "time")),
            ([ROW[0], "", *ROW[2:]], (2, "placed_at", "required")),
            ([*ROW[:5], "", *ROW[6:]], (2, "sku", "required")),
            ([*ROW[:6], "many", ROW[7]], (2, "quantity", "number")),
            ([*ROW[:6], "0", ROW[7]], (2, "quantity", "minimum")),
            ([*ROW[:7], "-1"], (2, "price_unit", "minimum")),
            ([*ROW[:7], "nan"], (2, "price_unit", "number")),
        ):
            self.assertEqual(self._faults(row), [expected], row)
        self.assertEqual(self._faults([*ROW, "50"], headings=[*HEADINGS, "行优惠"]), [(2, "discount", "discount")])
        other = ["A1", "2026-03-02 10:00", *ROW[2:]]
        self.assertEqual(self._faults(ROW, other), [(3, "placed_at", "conflict")])

    def test_one_fault_of_a_row_tells_its_own_row(self):
        self.assertEqual(self._faults(ROW, [*ROW[:6], "0", ROW[7]]), [(3, "quantity", "minimum")])

    def test_headings_in_both_languages_and_their_relatives(self):
        for headings in (
            [column.chinese for column in COLUMNS],
            [column.english.upper() for column in COLUMNS],
            [f" {column.chinese}* " for column in COLUMNS],
        ):
            found, unknown, missing, twice = find_columns(headings)
            self.assertEqual(list(found.values()), list(COLUMNS))
            self.assertFalse(unknown or missing or twice)
        found, unknown, missing, twice = find_columns(["订单号", "订单编号", "天气", None])
        self.assertEqual([column.key for column in twice], ["order_id"])
        self.assertEqual(unknown, ["天气"])
        self.assertIn("sku", [column.key for column in missing])

    def test_template_can_be_imported_as_it_is(self):
        for is_chinese in (True, False):
            for kind in ("csv", "xlsx"):
                [draft] = self._build(make_template(is_chinese, kind)).drafts
                self.assertEqual(draft.faults, [], (is_chinese, kind))
                self.assertEqual(draft.payload["shipping_address"]["phone"], "013800000000")

    def test_damaged_files(self):
        good = make_book([HEADINGS, ROW])
        for content in (
            b"",
            b"\n\n",
            b"PK",
            good[:200],
            b"PK\x03\x04" + b"x" * 100,
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            b"a\0b",
        ):
            with self.assertRaises(FileError):
                read_table(content)

    def test_reports_run_nothing(self):
        rows = [["Order"], ["=cmd|' /C calc'!A0"], ["-5"]]
        self.assertIn("'=cmd", make_csv(rows).decode("utf-8-sig"))
        sheet = openpyxl.load_workbook(io.BytesIO(make_xlsx(rows))).active
        self.assertEqual((sheet["A2"].data_type, sheet["A2"].value), ("s", "=cmd|' /C calc'!A0"))
