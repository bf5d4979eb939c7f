"""Installing, updating and uninstalling the addons on a company that already works, with real Odoo processes.

Each test works on a clone of the template that has Odoo's own modules only (OMS_HOST_TEMPLATE). That all five install
in one go is shown by the template of every other test.
"""

import ast
import contextlib
import os
import re
import subprocess
from pathlib import Path

import psycopg2
import pytest
from servers.odoo_server import clone_database, drop_database

REPO = Path(__file__).resolve().parents[1]
ADDONS = REPO / "addons"
BASE = "oms_base"
# It comes by itself with two of the others.
JOINT = "oms_channels_returns"
# The bridges need Odoo's website and point of sale: see test_bridges.py.
LEFT_OUT = (BASE, JOINT, "oms_point_of_sale", "oms_sale_mrp", "oms_website_sale")
OTHERS = sorted(path.parent.name for path in ADDONS.glob("*/__manifest__.py") if path.parent.name not in LEFT_OUT)

# An uninstall first tries to delete the records of a module's data files one by one, and logs those that other
# records still point to; then it drops their table. That is Odoo's way and no harm, where the table is ours.
EXPECTED_WHEN_UNINSTALLING = re.compile(r'bad query: b\'DELETE FROM "oms_\w+" WHERE id IN')

# What the database consists of, apart from business records: the schema, and what modules register.
SCHEMA = r"""
    SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
      FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT 'index ' || tablename || ' ' || indexname FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT 'constraint ' || conrelid::regclass::text || ' ' || conname || ' ' || confdeltype::text
      FROM pg_constraint WHERE conrelid != 0
    UNION ALL SELECT 'model ' || model FROM ir_model
    UNION ALL SELECT 'field ' || model || '.' || name FROM ir_model_fields
    UNION ALL SELECT 'view ' || COALESCE(key, '') || name FROM ir_ui_view
    UNION ALL SELECT 'menu ' || (name->>'en_US') FROM ir_ui_menu
    UNION ALL SELECT 'action ' || type || (name->>'en_US') FROM ir_actions
    UNION ALL SELECT 'cron ' || cron_name FROM ir_cron
    UNION ALL SELECT 'group ' || (name->>'en_US') FROM res_groups
    UNION ALL SELECT 'rule ' || COALESCE(name, '') FROM ir_rule
    UNION ALL SELECT 'access ' || name FROM ir_model_access
    UNION ALL SELECT 'parameter ' || key FROM ir_config_parameter WHERE key LIKE 'oms%'
    UNION ALL SELECT 'sequence ' || name FROM ir_sequence
    UNION ALL SELECT 'asset ' || name FROM ir_asset
    UNION ALL SELECT 'external id ' || module || '.' || name FROM ir_model_data WHERE module LIKE 'oms\_%'
    UNION ALL SELECT 'selection ' || f.model || '.' || f.name || ' ' || s.value
      FROM ir_model_fields_selection s JOIN ir_model_fields f ON f.id = s.field_id
"""

# A confirmed order of a channel with a hold, and one without: what a company has when it decides to uninstall.
BUSINESS = """
product = env["product.product"].create({"name": "Kettle", "is_storable": True, "list_price": 100, "taxes_id": False})
warehouse = env["stock.warehouse"].search([], limit=1)
env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, 10)
country = env.ref("base.cn")
address = {"street": "1 West Lake Road", "city": "Hangzhou", "zip": "310000", "phone": "+86 571 8888 0000"}
address |= {"country_id": country.id, "state_id": country.state_ids[:1].id}
partner, nowhere = env["res.partner"].create([{"name": "Buyer", **address}, {"name": "Buyer without address"}])
channel = env["oms.channel"].create({"name": "Shop", "code": "uninstall_shop"})
line = [(0, 0, {"product_id": product.id, "product_uom_qty": 2})]
held, confirmed, plain = env["sale.order"].create(
    [
        {"partner_id": nowhere.id, "order_line": line, "channel_id": channel.id},
        {"partner_id": partner.id, "order_line": line, "channel_id": channel.id},
        {"partner_id": partner.id, "order_line": line},
    ]
)
held._oms_review()
(confirmed + plain).action_confirm()
assert held.oms_stage == "held" and held.state == "draft", (held.oms_stage, held.state)
assert confirmed.oms_stage == "ready" and confirmed.picking_ids, confirmed.oms_stage
env["ir.config_parameter"].set_param("test_install.orders", ",".join(map(str, (held + confirmed + plain).ids)))
env.cr.commit()
"""

# After the uninstall the same orders go on as in plain Odoo.
GO_ON = """
orders = env["sale.order"].browse(map(int, env["ir.config_parameter"].get_param("test_install.orders").split(",")))
assert len(orders.exists()) == 3
held, confirmed, plain = orders
held.action_confirm()
for picking in orders.picking_ids:
    assert picking.state in ("assigned", "confirmed"), picking.state
    picking.action_assign()
    for move in picking.move_ids:
        move.quantity, move.picked = move.product_uom_qty, True
    picking.with_context(skip_sms=True).button_validate()  # the question about a text message is not the point
assert set(orders.mapped("delivery_status")) == {"full"}, orders.mapped("delivery_status")
orders._create_invoices().action_post()
assert set(orders.mapped("invoice_status")) == {"invoiced"}
print("WENT ON")
"""


class Installation:
    """A database of its own and the Odoo processes that change it."""

    def __init__(self, name, source=None):
        self.database = f"oms_install_{os.getpid()}_{name}"
        clone_database(source or os.environ["OMS_HOST_TEMPLATE"], self.database)
        # Odoo locks it without waiting before it uninstalls, and is refused while a vacuum is at work.
        self.execute("ALTER TABLE ir_module_module SET (autovacuum_enabled = false)")

    def close(self):
        drop_database(self.database)

    def odoo(self, *arguments):
        """One run of Odoo that ends by itself and says nothing worse than information."""
        return self._run([*arguments, "--stop-after-init"])

    def script(self, code):
        """Run code in Odoo's shell and return what it printed."""
        return self._run(["shell"], code)

    def _run(self, arguments, code=None, expected=None):
        command, options = (arguments[:1], arguments[1:]) if code else ([], arguments)
        result = subprocess.run(
            ["odoo", *command, "-d", self.database, "--no-http", "--log-level=warn", *options],
            check=False,
            input=code,
            capture_output=True,
            text=True,
            cwd=REPO,
        )
        complaints = re.findall(r"^.* (?:WARNING|ERROR|CRITICAL) .*$", result.stdout + result.stderr, re.MULTILINE)
        if expected:
            complaints = [line for line in complaints if not expected.search(line)]
        assert result.returncode == 0 and not complaints, result.stdout[-3000:] + result.stderr[-6000:]
        return result.stdout

    def schema(self):
        """What the database consists of, as a set of words."""
        return {word for (word,) in self.query(SCHEMA)}

    def execute(self, statement):
        with contextlib.closing(psycopg2.connect(dbname=self.database)) as connection:
            connection.cursor().execute(statement)
            connection.commit()

    def query(self, statement):
        with contextlib.closing(psycopg2.connect(dbname=self.database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def install(self, names, *options):
        """Install one addon after the other in one process, as the button in Apps does."""
        code = "".join(
            f"env['ir.module.module'].search([('name', '=', {name!r})]).button_immediate_install()\n" for name in names
        )
        self._run(["shell", *options], code)

    def uninstall(self, names):
        """Uninstall one addon after the other, as the button in Apps does."""
        channel = "env['oms.channel'].create({'name': 'Before', 'code': 'before'})\nenv.cr.commit()\n"
        code = channel + "".join(
            f"env['ir.module.module'].search([('name', '=', {name!r})]).button_immediate_uninstall()\n"
            for name in names
        )
        self._run(["shell"], code, EXPECTED_WHEN_UNINSTALLING)


@pytest.fixture(scope="module")
def with_base():
    """A database with oms_base only, to be cloned; it knows what was there before."""
    with contextlib.closing(Installation("base")) as installation:
        installation.before = installation.schema()
        installation.odoo("-i", BASE)
        yield installation


def has_demo(name):
    return bool(ast.literal_eval((ADDONS / name / "__manifest__.py").read_text()).get("demo"))


def test_one_by_one_updated_and_uninstalled_leaves_a_plain_company(with_base):
    """Without demo data; the uninstall takes away all that the installs brought, and the orders go on."""
    with contextlib.closing(Installation("one_by_one", source=with_base.database)) as installation:
        _check_one_by_one(installation, with_base.before)


def _check_one_by_one(installation, before):
    installation.install(OTHERS)
    after = installation.schema()
    assert any(word.startswith("field sale.order.oms_stage") for word in after)

    installation.odoo("-u", BASE)
    assert sorted(installation.schema() ^ after) == [], "an update changes nothing"

    installation.script(BUSINESS)
    installation.uninstall([*OTHERS, BASE])
    left = installation.schema()
    assert sorted(left - before) == [], "left behind"
    assert sorted(before - left) == [], "taken from the host"
    assert "WENT ON" in installation.script(GO_ON)


def test_one_by_one_backwards_with_demo_data():
    """The other way round, in a database that has demonstration data; then all are uninstalled with the base."""
    with contextlib.closing(Installation("backwards")) as installation:
        _check_backwards(installation)


def _check_backwards(installation):
    installation.execute("UPDATE ir_module_module SET demo = True")
    installation.install(OTHERS[::-1], "--with-demo")
    demos = dict(
        installation.query("SELECT name, demo FROM ir_module_module WHERE state = 'installed' AND name LIKE 'oms%'")
    )
    assert set(demos) == {BASE, JOINT, *OTHERS}
    assert all(demos[name] for name in demos if has_demo(name)), demos
    installation.uninstall([BASE])
    assert installation.query("SELECT name FROM ir_module_module WHERE state = 'installed' AND name LIKE 'oms%'") == []
    assert installation.query(r"SELECT count(*) FROM ir_model_data WHERE module LIKE 'oms\_%'") == [(0,)]


@pytest.mark.parametrize("name", OTHERS[:-1])
def test_addon_works_alone_with_the_base(with_base, name):
    """Installed without its siblings, loaded by a fresh process, and uninstalled while the base stays.

    The last one is installed alone with the base by the test above, and is the last to be uninstalled before the base
    by the first test.
    """
    with contextlib.closing(Installation(name, source=with_base.database)) as installation:
        installation.odoo("-i", name)
        installation.uninstall([name])
        rows = installation.query("SELECT name FROM ir_module_module WHERE state = 'installed' AND name LIKE 'oms%'")
        assert rows == [(BASE,)]
