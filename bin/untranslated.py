"""List what the Chinese catalogues of the addons named leave untranslated."""

import sys
from pathlib import Path

import polib

ADDONS = Path(__file__).resolve().parents[1] / "addons"

missing = {}
for addon in sys.argv[1:]:
    catalogue = polib.pofile(str(ADDONS / addon / "i18n/zh_CN.po"))
    missing[addon] = [entry.msgid for entry in catalogue if not entry.obsolete and not entry.translated()]
    print(f"{addon}: {len(catalogue)} terms, {len(missing[addon])} untranslated")
    for term in missing[addon]:
        print(f"    {term!r}")
sys.exit(any(missing.values()))
