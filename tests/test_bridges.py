"""The addons that bridge to Odoo's website, point of sale and manufacturing (kits). These are heavy, so they are in
nobody's database but the one made here, where Odoo's own runner runs their tests; the rest of the suite only checks
their files."""

import ast
import os
import re
from pathlib import Path

import polib
import pytest
from test_install import Installation

ADDONS = Path(__file__).resolve().parents[1] / "addons"
BRIDGES = ("oms_point_of_sale", "oms_sale_mrp", "oms_website_sale")
HOSTS = "website_sale,point_of_sale,sale_mrp"
TERMS = """
from odoo.tools.translate import trans_export
import io, polib
for name in %r:
    buffer = io.BytesIO()
    trans_export(False, [name], buffer, "po", env)
    for entry in polib.pofile(buffer.getvalue().decode()):
        print("TERM", name, repr(entry.msgid))
"""


@pytest.fixture(scope="module")
def installation():
    """The suite on a company that then installs website, till and kits: the bridges come by themselves."""
    installation = Installation("bridges", source=os.environ["OMS_TEMPLATE"])
    yield installation
    installation.drop()


def test_bridges_install_themselves_and_pass_their_tests(installation, tmp_path):
    log = tmp_path / "odoo.log"
    tags = ",".join(f"/{name}" for name in BRIDGES)
    results = ["--test-tags", tags, "--log-handler=odoo.tests.result:INFO", "--logfile", str(log)]
    installation.odoo("-i", HOSTS, *results)
    states = dict(installation.query("SELECT name, state FROM ir_module_module WHERE name LIKE 'oms%'"))
    assert {states[name] for name in BRIDGES} == {"installed"}
    text = log.read_text()
    found = re.search(r"(\d+) failed, (\d+) error\(s\) of (\d+) tests", text)
    assert found and found.groups()[:2] == ("0", "0") and int(found[3]) >= 8, text[-5000:]
    assert not re.findall(r"^.* (?:WARNING|ERROR) .*$", text, re.MULTILINE)


def test_bridges_speak_chinese(installation):
    """After the test above, which installs them."""
    output = installation.script(TERMS % (BRIDGES,))
    for name in BRIDGES:
        terms = {ast.literal_eval(text) for text in re.findall(rf"^TERM {name} (.*)$", output, re.MULTILINE)}
        template = {entry.msgid for entry in polib.pofile(str(ADDONS / name / f"i18n/{name}.pot"))}
        assert terms == template, f"./oms i18n {name} writes it anew"
        catalogue = polib.pofile(str(ADDONS / name / "i18n/zh_CN.po"))
        assert not [entry.msgid for entry in catalogue if not entry.translated()]


def test_bridges_leave_a_working_company(installation):
    """They go as they came: alone, with what they belong to staying."""
    installation.uninstall(BRIDGES)
    rows = installation.query("SELECT name FROM ir_module_module WHERE state = 'installed' AND name LIKE 'oms%'")
    assert not set(BRIDGES) & {name for (name,) in rows} and ("oms_base",) in rows
