"""The databases of the benchmark: templates are built once, every run works on clones of them."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO / "bin"))

from launcher import layout

PLAIN_MODULES = "sale_management,sale_stock,stock_delivery,stock_picking_batch,barcodes,product_expiry,account,portal"
PREFIX = "bench_"


def our_modules():
    """Our addons less the bridges: those bring a website, tills and manufacturing, which plain Odoo lacks here."""
    return ",".join(layout.our_addons())


def sql(database, statement):
    """Run ``statement`` outside Odoo; the rows as lists of strings."""
    command = ["psql", "-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{database}: {done.stderr.strip()}")
    return [line.split("|") for line in done.stdout.splitlines()]


def exists(name):
    return bool(sql("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'"))


def drop(name):
    if not name.startswith(PREFIX):
        raise ValueError(f"{name} is not a database of the benchmark")
    close(name)
    subprocess.run(["dropdb", "--if-exists", "--force", name], check=True, stderr=subprocess.DEVNULL)
    shutil.rmtree(_filestore(name), ignore_errors=True)


def clone(source, target):
    """``target`` becomes a copy of ``source``; a file store is copied by links, its files never change."""
    drop(target)
    close(source)
    for _attempt in range(100):  # the server side of a closed connection lingers for a moment
        if sql("postgres", f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{source}'") == [["0"]]:
            break
        time.sleep(0.1)
    subprocess.run(["createdb", "-T", source, target], check=True)
    if _filestore(source).exists():
        shutil.copytree(_filestore(source), _filestore(target), copy_function=os.link)
    return target


def template(kind, given=None, modules=None, addons_path=None):
    """A template with the host's modules (``plain``) or with others on top of them, built when there is none.

    :param given: name of an existing database to build on: with it nothing of the host is installed
    :param modules: what a kind other than ``plain`` and ``ours`` installs, comma separated
    :param addons_path: folder of those modules
    """
    modules = our_modules() if kind == "ours" and not modules else modules
    stamp = hashlib.sha1(f"{given or PLAIN_MODULES}{modules if kind != 'plain' else ''}".encode())
    if kind != "plain" and not addons_path:
        for path in sorted((REPO / "addons").rglob("*")):
            if path.is_file() and path.suffix in (".py", ".xml", ".csv") and "tests" not in path.parts:
                stamp.update(path.read_bytes())
    here = f"{PREFIX}tpl_{kind}_{hashlib.sha1(str(REPO).encode()).hexdigest()[:4]}_"  # not those of another checkout
    name = f"{here}{stamp.hexdigest()[:10]}"
    if exists(name):
        return name
    for (old,) in sql("postgres", f"SELECT datname FROM pg_database WHERE datname LIKE '{here}%'"):
        drop(old)
    building = f"{here}building"
    if kind != "plain":
        clone(template("plain", given), building)
        _install(building, modules, addons_path)
    elif given:
        clone(given, building)
    else:
        drop(building)
        subprocess.run(["createdb", building], check=True)
        _install(building, PLAIN_MODULES)
    close(building)
    sql("postgres", f"ALTER DATABASE {building} RENAME TO {name}")
    if _filestore(building).exists():
        _filestore(building).rename(_filestore(name))
    return name


def _install(database, modules, addons_path=None):
    command = ["odoo", "-d", database, "-i", modules]
    if addons_path:
        command.append(f"--addons-path={REPO / 'addons'},{addons_path}")
    command += ["--stop-after-init", "--no-http", "--log-level=error"]
    subprocess.run(command, check=True)


def _filestore(name):
    from odoo.tools import config

    # Not config.filestore: in a distributed test run it answers with the one folder that all workers share.
    return Path(config["data_dir"]) / "filestore" / name


def configure(addons_path=None):
    """Odoo's own configuration (ODOO_RC), without server and jobs.

    :param addons_path: folder of addons beside ours
    """
    from odoo.tools import config

    arguments = ["--no-http", "--max-cron-threads=0", "--log-level=warn", "--log-handler=odoo.tests:CRITICAL"]
    if addons_path:
        arguments.append(f"--addons-path={REPO / 'addons'},{addons_path}")
    config.parse_config(arguments, setup_logging=True)


def close(name):
    if "odoo.modules.registry" in sys.modules:
        from odoo import sql_db
        from odoo.modules.registry import Registry

        Registry.delete(name)
        sql_db.close_db(name)


@contextlib.contextmanager
def environment(name, login="admin"):
    """An environment of a real user in a transaction of its own; nothing is committed by leaving it."""
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry

    with Registry(name).cursor() as cr:
        user = api.Environment(cr, SUPERUSER_ID, {})["res.users"].search([("login", "=", login)])
        context = {"lang": user.lang, "tz": "UTC", "uid": user.id, "allowed_company_ids": user.company_ids.ids}
        cr.commit()
        yield api.Environment(cr, user.id, context)
