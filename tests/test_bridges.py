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
# A kit of two cups and a pot comes back: one is put into stock, one is scrapped.
KITS_COME_BACK = """
cup, pot, kit = env["product.product"].create(
    [
        {"name": name, "list_price": price, "taxes_id": False, "is_storable": name != "Tea set", "type": "consu"}
        for name, price in (("Cup", 5), ("Pot", 20), ("Tea set", 25))
    ]
)
kit.invoice_policy = "delivery"
warehouse = env["stock.warehouse"].create({"name": "Kits", "code": "KITS"})
for part in (cup, pot):
    env["stock.quant"]._update_available_quantity(part, warehouse.lot_stock_id, 10)
parts = [(0, 0, {"product_id": cup.id, "product_qty": 2}), (0, 0, {"product_id": pot.id, "product_qty": 1})]
template = kit.product_tmpl_id
env["mrp.bom"].create({"product_tmpl_id": template.id, "type": "phantom", "bom_line_ids": parts})
channel = env["oms.channel"].create({"name": "Kits", "code": "kits", "warehouse_ids": [(6, 0, warehouse.ids)]})
country = env.ref("base.cn")
address = {"street": "1 West Lake Road", "city": "Hangzhou", "zip": "310000", "phone": "+86 571 8888 0000"}
address |= {"country_id": country.id, "state_id": country.state_ids[:1].id}
buyer = env["res.partner"].create({"name": "Buyer", **address})
order = env["sale.order"].create(
    {
        "partner_id": buyer.id,
        "channel_id": channel.id,
        "warehouse_id": warehouse.id,
        "order_line": [(0, 0, {"product_id": kit.id, "product_uom_qty": 3})],
    }
)
order.action_confirm()

def move(pickings):
    for stock_move in pickings.move_ids:
        stock_move.quantity, stock_move.picked = stock_move.product_uom_qty, True
    pickings.with_context(skip_sms=True).button_validate()

def check(found, wanted):
    assert found == wanted, (found, wanted)

def count(location):
    quants = env["stock.quant"].search([("location_id", "child_of", location.id)])
    return [sum(quants.filtered(lambda quant: quant.product_id == part).mapped("quantity")) for part in (cup, pot)]

move(order.picking_ids)
line = order.order_line
check((order.oms_stage, line.qty_delivered, count(warehouse.lot_stock_id)), ("shipped", 3, [4, 7]))
order._create_invoices()._post(soft=False)
oms_return = env["oms.return"].create(order._prepare_return_values())
check(oms_return.line_ids.quantity, 3)
oms_return.line_ids.quantity = 2
oms_return.action_approve()
check(line._oms_get_returnable_quantities(), {line: 1})
move(oms_return.picking_ids)
check((oms_return.line_ids.qty_received, oms_return.state), (2, "received"))
wizard = env["oms.return.inspect"].create({"return_id": oms_return.id})
check(wizard.line_ids.mapped("quantity"), [2])
wizard.line_ids.write({"quantity": 1})
wizard.action_inspect()
check(count(warehouse.lot_stock_id), [6, 8])
wizard = env["oms.return.inspect"].create({"return_id": oms_return.id})
wizard.line_ids.write({"disposition": "scrap"})
wizard.action_inspect()
check([count(warehouse.lot_stock_id), count(warehouse.oms_inspection_location_id)], [[6, 8], [0, 0]])
check(oms_return.credit_note_ids.mapped("amount_total"), [50])
check((line.qty_delivered, line.qty_invoiced, line.qty_to_invoice), (1, 1, 0))
print("CAME BACK")
"""

# Three tea sets and a spoon leave in three boxes: a set is in the box that has its last part.
KITS_ARE_TOLD = (
    KITS_COME_BACK[: KITS_COME_BACK.index("move(order.picking_ids)")]
    + """
from unittest.mock import patch
spoon = env["product.product"].create({"name": "Spoon", "list_price": 1, "taxes_id": False, "type": "consu"})
for part in (cup, pot):
    env["stock.quant"]._update_available_quantity(part, warehouse.lot_stock_id, 20)
order = order.copy({"channel_id": channel.id, "warehouse_id": warehouse.id})
order.order_line.channel_line_id = "set"
order.order_line = [(0, 0, {"product_id": spoon.id, "product_uom_qty": 2, "channel_line_id": "spoon"})]
order.action_confirm()
picking = order.picking_ids
check((len(picking), picking.move_ids.product_id), (1, cup | pot | spoon))
move(picking)
of = {moves.product_id: moves for moves in picking.move_ids}
boxes = [
    ("A", "", {of[cup]: 6, of[spoon]: 1}),
    ("B", "", {of[pot]: 1}),
    ("C", "", {of[pot]: 2, of[spoon]: 1}),
    ("D", "", {}),
]
with patch.object(type(picking), "_oms_get_parcels", lambda picking: boxes):
    parcels = picking._get_channel_parcels(order)
found = [(number, {key: float(count) for key, count in lines}) for number, _url, lines in parcels]
check(found, [("A", {"spoon": 1}), ("B", {"set": 1}), ("C", {"set": 2, "spoon": 1})])
print("TOLD")
"""
)


@pytest.fixture(scope="module")
def installation():
    """The suite on a company that then installs website, till and kits: the bridges come by themselves."""
    installation = Installation("bridges", source=os.environ["OMS_TEMPLATE"])
    yield installation
    installation.close()


def test_bridges_install_themselves_and_pass_their_tests(installation, tmp_path):
    log = tmp_path / "odoo.log"
    tags = ",".join(f"/{name}" for name in BRIDGES)
    results = ["--test-tags", tags, "--log-handler=odoo.tests.result:INFO", "--logfile", str(log)]
    # Odoo serves while it tests, whatever it is told: on any free port, not where ./oms run may be serving.
    installation.odoo("-i", HOSTS, "--http-port", "0", *results)
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


def test_kits_come_back_as_their_parts(installation):
    """With `oms_returns`, which knows nothing of kits: it asks the product for its goods."""
    assert "CAME BACK" in installation.script(KITS_COME_BACK)


def test_kits_are_told_with_the_box_that_completes_them(installation):
    """With `oms_channels`, which knows nothing of kits: it asks the line how many units have left."""
    assert "TOLD" in installation.script(KITS_ARE_TOLD)


def test_bridges_leave_a_working_company(installation):
    """They go as they came: alone, with what they belong to staying."""
    installation.uninstall(BRIDGES)
    rows = installation.query("SELECT name FROM ir_module_module WHERE state = 'installed' AND name LIKE 'oms%'")
    assert not set(BRIDGES) & {name for (name,) in rows} and ("oms_base",) in rows
