"""Where everything is, and the environment that Odoo, PostgreSQL and the tests are started with."""

import hashlib
import os
import sys
from pathlib import Path

from .errors import OmsError

REPO = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("OMS_HOME") or REPO / ".oms").resolve()

ADDONS = REPO / "addons"
OUR_ADDONS = ("oms_base", "oms_channels", "oms_allocation", "oms_fulfillment", "oms_returns")
# They install themselves where a company has Odoo's website or point of sale, which are too heavy for every template.
BRIDGES = ("oms_point_of_sale", "oms_sale_mrp", "oms_website_sale")
# What a trading company has beside our addons; what they depend on comes by itself.
HOST_ADDONS = (
    "account",
    "barcodes",
    "portal",
    "product_expiry",
    "sale_management",
    "sale_stock",
    "stock_delivery",
    "stock_picking_batch",
)
# The first becomes the default of every partner; zh_CN alone would leave English inactive.
LANGUAGES = "en_US,zh_CN"

PREFIX = HOME / "prefix"  # never called "odoo": that would be a namespace package on sys.path
FONTS = HOME / "fonts"
DATA = HOME / "data"
LOG = HOME / "log"
LOCKS = HOME / "lock"
CONF = HOME / "conf"
BUILDING = HOME / "building"
PGDATA = HOME / "pgdata"
MEDUSA = HOME / "medusa"
VENDURE = HOME / "vendure"
SHOPIFY = HOME / "shopify"

TESTS = "oms_test_"  # begins the names of the databases of test runs, and of their locks

PYTHON = sys.executable
HOST = os.environ.get("OMS_HOST") or "127.0.0.1"
# Where this machine finds what listens on HOST: "everywhere" is no address to call.
LOCAL_HOST = "127.0.0.1" if HOST in ("0.0.0.0", "::") else f"[{HOST}]" if ":" in HOST else HOST
DATABASE = os.environ.get("OMS_DB") or "oms"
MARKET_RATE = os.environ.get("OMS_MARKET_RATE", "")  # as the marketplace reads it: 30/min
WITH_DEMO = os.environ.get("OMS_DEMO", "1") not in ("0", "no", "false", "")
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def port(variable="OMS_PORT", default=8069):
    """The port that a variable of the environment names."""
    text = os.environ.get(variable) or str(default)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise OmsError(f"{variable}={text} is no port: give a number from 1 to 65535.")
    return int(text)


def home_id():
    """A short name for this state folder, for what lives outside it (databases, socket folder)."""
    return hashlib.sha1(str(HOME).encode()).hexdigest()[:6]


def make_folders():
    """Create the state folder and its fixed children."""
    for folder in (HOME, DATA, LOG, LOCKS, CONF, BUILDING):
        folder.mkdir(parents=True, exist_ok=True)


def our_addons():
    """Names of the addons that are there, in dependency order, less the bridges to what not everybody has."""
    known = [name for name in OUR_ADDONS if (ADDONS / name / "__manifest__.py").is_file()]
    others = sorted(
        path.parent.name for path in ADDONS.glob("*/__manifest__.py") if path.parent.name not in (*OUR_ADDONS, *BRIDGES)
    )
    return known + others


def environment(**extra):
    """The environment of every program that is started.

    A folder comes first on PATH when what it holds must win: the patched wkhtmltopdf of the venv before the system's.
    """
    from . import browser, node, odoo_source, postgres, python_env

    # Some machines forbid Python to keep what it compiled: each start of Odoo would compile all of it again.
    unwanted = ("PGDATABASE", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE")
    env = {key: value for key, value in os.environ.items() if key not in unwanted}
    folders = [python_env.venv() / "bin", *browser.path_folders(), *node.path_folders(), *postgres.path_folders()]
    env["PATH"] = os.pathsep.join([*map(str, folders), env.get("PATH", "/usr/bin:/bin")])
    env.update(postgres.connection())
    if FONTS.is_dir():  # fontconfig looks there, also that of the static wkhtmltopdf
        env["XDG_DATA_HOME"] = str(FONTS / "usr/share")
    env.setdefault("LANG", "C.UTF-8")
    env["OMS_HOME"] = str(HOME)
    env["OMS_REPO"] = str(REPO)
    env["OMS_ODOO_ADDONS"] = str(odoo_source.addons_folder())
    env["OMS_MEDUSA_HOME"] = str(MEDUSA)
    env["OMS_VENDURE_HOME"] = str(VENDURE)
    env["OMS_SHOPIFY_HOME"] = str(SHOPIFY)
    env.update({key: str(value) for key, value in extra.items()})
    return env
