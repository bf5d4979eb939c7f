"""Bytes of a CSV or XLSX file -> rows of cells, with the number each row has in the file."""

import csv
import io
import zipfile
from datetime import date, datetime
from decimal import Decimal

import openpyxl

MAX_BYTES = 20 * 1024 * 1024
# A small file can unpack to gigabytes.
MAX_UNPACKED_BYTES = 200 * 1024 * 1024
MAX_ROWS = 20000
MAX_COLUMNS = 200


class FileError(ValueError):
    """The file as a whole can't be read. ``code``: empty, too_large, encoding, format or rows."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def read_table(content):
    """Return [(row number in the file, [cell, ...]), ...] of all rows that are not empty; the first has the headings.

    A cell is a str, int, float, bool, datetime, date or None. What the file is, is seen from its first bytes.
    """
    if not content:
        raise FileError("empty")
    if len(content) > MAX_BYTES:
        raise FileError("too_large")
    rows = _read_xlsx(content) if content[:2] == b"PK" else _read_csv(content)
    table = []
    for number, cells in rows:
        if all(cell is None or cell == "" for cell in cells):
            continue
        if len(table) > MAX_ROWS:
            raise FileError("rows")
        table.append((number, cells[:MAX_COLUMNS]))
    if not table:
        raise FileError("empty")
    return table


# === CSV === #


def _decode(content):
    """UTF-8 with or without BOM, UTF-16 with BOM (Excel's "Unicode text"), else GBK and its larger brothers."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise FileError("encoding")


def _read_csv(content):
    if content[:8] == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":  # an .xls of old Excel
        raise FileError("format")
    text = _decode(content)
    if "\0" in text:
        raise FileError("format")
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, [_clean_csv_cell(cell) for cell in cells]
    except csv.Error as error:
        raise FileError("format") from error


def _clean_csv_cell(cell):
    """A text without the marks by which people keep Excel from taking it for a number: ="0138" and a leading '."""
    cell = cell.strip()
    if len(cell) > 3 and cell.startswith('="') and cell.endswith('"'):
        return cell[2:-1]
    return cell[1:] if cell.startswith("'") and cell[1:].isdigit() else cell


# === XLSX === #


def _read_xlsx(content):
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MAX_UNPACKED_BYTES:
                raise FileError("too_large")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # What the sheet says of its own size is not to be trusted: rows end where their cells end.
        sheet.reset_dimensions()
        for number, row in enumerate(sheet.iter_rows(), 1):
            yield number, [_read_cell(cell) for cell in row[:MAX_COLUMNS]]
            if number > 2 * MAX_ROWS:
                raise FileError("rows")
    except FileError:
        raise
    # A broken file fails in as many ways as it can be broken: openpyxl, zipfile and the XML parser each have their own.
    except Exception as error:
        raise FileError("format") from error


def _read_cell(cell):
    value = cell.value
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool):
        digits = str(getattr(cell, "number_format", "") or "")
        # A format of zeros only shows leading zeros: what the person sees is what they mean.
        if digits and set(digits) == {"0"} and value == int(value):
            return str(int(value)).zfill(len(digits))
        if digits.endswith("%"):  # 13% is kept as 0.13
            return f"{Decimal(str(value)) * 100:f}%"
    if value is None or isinstance(value, str | int | float | bool | datetime | date):
        return value
    return str(value)
