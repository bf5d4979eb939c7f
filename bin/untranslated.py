"""Complete the Chinese catalogues after an export, and list what they leave untranslated; called by ./oms i18n.

Odoo opens a catalogue for writing before it reads the terms of the code from it, and so loses their translations: they
are taken from the catalogue as it was before, which comes as JSON {addon: its text} on standard input.
"""

import json
import sys
from pathlib import Path

import polib

ADDONS = Path(__file__).resolve().parents[1] / "addons"
WIDTH = 78

missing = {}
for addon, text in json.load(sys.stdin).items():
    path = ADDONS / addon / "i18n/zh_CN.po"
    before = {entry.msgid: entry.msgstr for entry in polib.pofile(text) if not entry.obsolete}
    catalogue = polib.pofile(str(path), wrapwidth=WIDTH)
    for entry in catalogue:
        entry.msgstr = entry.msgstr or before.get(entry.msgid, "")
    catalogue.save(str(path))
    missing[addon] = [entry.msgid for entry in catalogue if not entry.obsolete and not entry.translated()]
    print(f"{addon}: {len(catalogue)} terms, {len(missing[addon])} untranslated")
    for term in missing[addon]:
        print(f"    {term!r}")
sys.exit(any(missing.values()))
