"""A real Vendure 3 shop for tests: start, seed, buy as a buyer, look inside, stop.

    server = VendureServer(home=os.environ["OMS_VENDURE_HOME"], port=9207, database="vendure_b")
    with server:
        server.seed([{"sku": "TEE", "title": "T-Shirt", "price": "19.99", "stock": 10}], tax_rate=8)
        order_id = server.checkout("ada@example.com", ADDRESS, {"TEE": 2})

``home`` is where the packages of tests/servers/vendure/package.json are installed. PostgreSQL is found through the
usual PG* variables. The database is cloned from a template with its tables, which the first start on a machine makes.
"""

import os
import shutil
import signal
from pathlib import Path

from .node_server import NodeServer
from .vendure_shop import PASSWORD, USER, VendureError, VendureShop


class VendureServer(NodeServer, VendureShop):
    """One Vendure process with a database of its own."""

    name, package, command, error = "Vendure", "@vendure/core", ("server.js",), VendureError
    project = Path(__file__).parent / "vendure"

    def _fill_folder(self, folder):
        for path in self.project.glob("*.js*"):
            shutil.copy(path, folder)

    def _environment(self, database, **extra):
        settings = {
            "VENDURE_DISABLE_TELEMETRY": "true",
            "PORT": str(self.port),
            "ADMIN_USER": USER,
            "ADMIN_PASSWORD": PASSWORD,
            "DB_HOST": os.environ.get("PGHOST") or "/var/run/postgresql",
            "DB_PORT": os.environ.get("PGPORT") or "5432",
            "DB_USER": os.environ.get("PGUSER") or os.environ.get("USER") or "postgres",
            "DB_PASSWORD": os.environ.get("PGPASSWORD") or "",
            "DB_NAME": database,
        }
        return super()._environment(database, **settings, **extra)

    def _fill_database(self, database):
        """Vendure makes its tables when it starts so."""
        self._start_process(database, DB_SYNCHRONIZE="1")
        self.kill(signal.SIGTERM)
