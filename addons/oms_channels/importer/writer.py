"""Templates and reports as CSV or XLSX bytes."""

import csv
import io

import xlsxwriter

from .columns import COLUMNS


def make_template(is_chinese, kind):
    """Return an empty file with the headings and one example. :param kind: csv or xlsx"""
    headings = [column.chinese if is_chinese else column.english for column in COLUMNS]
    rows = [headings, [column.example for column in COLUMNS]]
    if kind == "csv":
        return make_csv(rows)
    return make_xlsx(rows, {position for position, column in enumerate(COLUMNS) if column.kind in ("code", "text")})


def make_csv(rows):
    """Return CSV bytes as Excel opens them, Chinese included: UTF-8 with BOM."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerows([_harmless(cell) for cell in row] for row in rows)
    return buffer.getvalue().encode("utf-8-sig")


def _harmless(cell):
    """A text that a spreadsheet would run as a formula, marked as text. Numbers with a sign stay."""
    text = str(cell)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not _is_number(text) else text


def _is_number(text):
    try:
        float(text)
    except ValueError:
        return False
    return True


def make_xlsx(rows, text_columns=()):
    """Return XLSX bytes. :param text_columns: positions formatted as text, so that leading zeros stay"""
    buffer = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet()
        bold, text = book.add_format({"bold": True}), book.add_format({"num_format": "@"})
        sheet.freeze_panes(1, 0)
        for position in range(len(rows[0])):
            sheet.set_column(position, position, 16, text if position in text_columns else None)
        for number, row in enumerate(rows):
            for position, cell in enumerate(row):
                style = bold if not number else text if position in text_columns else None
                sheet.write(number, position, cell, style)
    return buffer.getvalue()
