"""A real Medusa v2 shop for tests: start, seed, buy as a buyer, look inside, stop.

    server = MedusaServer(home=os.environ["OMS_MEDUSA_HOME"], port=9107, database="medusa_b")
    with server:
        shop = server.seed(products=[{"sku": "TEE-M", "title": "T-Shirt", "price": "19.99", "stock": 10}])
        order_id = server.checkout("ada@example.com", ADDRESS, {"TEE-M": 2})

``home`` is where the packages of tests/servers/medusa/package.json are installed (it has ``node_modules``). PostgreSQL
is found through the usual PG* variables. A start is about six seconds, because the database is cloned from a migrated
template; the first start on a machine makes that template (about twenty seconds more).
"""

import os
import shutil
import subprocess
import urllib.parse
from pathlib import Path

from .limits import lift_memory_limit
from .medusa_shop import EMAIL, PASSWORD, MedusaError, MedusaShop
from .node_server import NodeServer

COMMAND = "node_modules/@medusajs/cli/cli.js"


class MedusaServer(NodeServer, MedusaShop):
    """One Medusa process with a database of its own."""

    name, package, error = "Medusa", "@medusajs/cli/cli.js", MedusaError
    project = Path(__file__).parent / "medusa"

    def _get_command(self):
        return (COMMAND, "start", "--host", "127.0.0.1", "--port", str(self.port))

    def _fill_folder(self, folder):
        shutil.copy(self.project / "medusa-config.js", folder)
        shutil.copy(self.project / "package.json", folder)
        shutil.copytree(self.project / "src", folder / "src")

    def _environment(self, database, **extra):
        urls = {"DATABASE_URL": get_database_url(database), "MEDUSA_DISABLE_TELEMETRY": "true"}
        return super()._environment(database, **urls, **extra)

    def _fill_database(self, database):
        """The tables, and an administrator."""
        for command in (["db:migrate"], ["user", "-e", EMAIL, "-p", PASSWORD]):
            done = subprocess.run(
                ["node", COMMAND, *command],
                cwd=self._folder,
                env=self._environment(database),
                check=False,
                capture_output=True,
                text=True,
                timeout=600,
                preexec_fn=lift_memory_limit,
            )
            if done.returncode:
                raise MedusaError(f"medusa {command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


def get_database_url(database):
    """A connection URL for Node's driver from the PG* variables; a socket folder is escaped."""
    quote = urllib.parse.quote
    host, port = os.environ.get("PGHOST") or "/var/run/postgresql", os.environ.get("PGPORT") or "5432"
    user = os.environ.get("PGUSER") or os.environ.get("USER") or "postgres"
    password = os.environ.get("PGPASSWORD")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    if host.startswith("/"):
        host = quote(
            host, safe=""
        )  # both parsers in Medusa take an escaped socket folder as host, only one knows ?host=
    return f"postgres://{login}@{host}:{port}/{quote(database)}"
