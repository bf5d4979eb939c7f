"""The Chinese catalogue of every addon is complete: checked against the terms the code has now, not those of a file."""

import io
import re
from pathlib import Path

import polib
import pytest

from odoo.tools.translate import trans_export

ADDONS = Path(__file__).resolve().parents[1] / "addons"
PLACEHOLDER = re.compile(r"%\(\w+\)[sdif]|%[sd]|\{\w*\}|\$\{\w+\}")
# The bridges are not in the database of the tests: see test_bridges.py.
BRIDGES = {"oms_point_of_sale", "oms_sale_mrp", "oms_website_sale"}
NAMES = sorted({path.parent.name for path in ADDONS.glob("*/__manifest__.py")} - BRIDGES)


def exported_terms(env, name):
    """The terms of an addon as `odoo i18n export` would write them now."""
    with io.BytesIO() as buffer:
        trans_export(False, [name], buffer, "po", env)
        text = buffer.getvalue().decode()
    return [entry.msgid for entry in polib.pofile(text)]


@pytest.mark.parametrize("name", NAMES)
def test_every_term_has_a_chinese_translation(env, name):
    terms = exported_terms(env, name)
    assert terms, f"{name} has no terms at all"
    catalogue = polib.pofile(str(ADDONS / name / "i18n/zh_CN.po"))
    translated = {entry.msgid for entry in catalogue if entry.translated() and "fuzzy" not in entry.flags}
    missing = sorted(set(terms) - translated)
    assert not missing, f"{name}: {len(missing)} terms without Chinese (./oms i18n {name} lists them): {missing[:20]}"


@pytest.mark.parametrize("name", NAMES)
def test_template_catalogue_is_up_to_date(env, name):
    template = {entry.msgid for entry in polib.pofile(str(ADDONS / name / f"i18n/{name}.pot"))}
    assert template == set(exported_terms(env, name)), f"./oms i18n {name} writes it anew"


@pytest.mark.parametrize("name", NAMES)
def test_translations_keep_their_placeholders(name):
    """A placeholder that is lost or misspelt in a translation breaks the sentence, or the screen, at run time."""
    for entry in polib.pofile(str(ADDONS / name / "i18n/zh_CN.po")):
        if entry.translated():
            assert sorted(PLACEHOLDER.findall(entry.msgid)) == sorted(PLACEHOLDER.findall(entry.msgstr)), entry.msgid


@pytest.mark.parametrize("name", NAMES)
def test_translations_are_chinese(name):
    """A msgstr that repeats the English sentence is no translation; names and codes may stay as they are."""
    same = [
        entry.msgid
        for entry in polib.pofile(str(ADDONS / name / "i18n/zh_CN.po"))
        if entry.translated()
        and entry.msgid == entry.msgstr
        and len(entry.msgid.split()) > 3
        and "<" not in entry.msgid
    ]
    assert not same
