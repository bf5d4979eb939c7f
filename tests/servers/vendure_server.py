"""A real Vendure 3 shop for tests: start, seed, buy as a buyer, look inside, stop.

    server = VendureServer(home=os.environ["OMS_VENDURE_HOME"], port=9207, database="vendure_b")
    with server:
        server.seed([{"sku": "TEE", "title": "T-Shirt", "price": "19.99", "stock": 10}], tax_rate=8)
        order_id = server.checkout("ada@example.com", ADDRESS, {"TEE": 2})

``home`` is where the packages of tests/servers/vendure/package.json are installed. PostgreSQL is found through the
usual PG* variables. The database is cloned from a template with its tables, which the first start on a machine makes.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from .limits import lift_memory_limit
from .vendure_shop import PASSWORD, USER, VendureError, VendureShop

PROJECT = Path(__file__).parent / "vendure"
START_SECONDS = 180


class VendureServer(VendureShop):
    """One Vendure process with a database of its own.

    :param home: folder with ``node_modules``
    :param webhook_url: where events are sent; may be changed later by ``set_webhook_url``
    """

    def __init__(self, home, port, database, webhook_url="", webhook_secret="whsec_test"):
        super().__init__(f"http://127.0.0.1:{port}", webhook_secret)
        self.home, self.port, self.database = Path(home), port, database
        self._webhook_url = webhook_url
        self._process = None
        self._folder = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop(drop=True)

    @property
    def log(self):
        """What the server printed so far."""
        path = self._folder / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, fresh=True):
        """Clone the database (``fresh``) and start the server. Returns self once it answers."""
        if not (self.home / "node_modules/@vendure/core").exists():
            raise VendureError(f"No Vendure in {self.home}: run `npm install` there with {PROJECT / 'package.json'}.")
        self._folder = self._folder or self._make_folder()
        if fresh:
            template = self._ensure_template()
            _sql(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
            _sql(f'CREATE DATABASE "{self.database}" TEMPLATE "{template}"')
        self.set_webhook_url(self._webhook_url)
        self._start_process(self.database)
        return self

    def stop(self, drop=False):
        """End the process; ``drop`` removes database and folder as well."""
        self._stop_process()
        if drop and self._folder:
            _sql(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def set_webhook_url(self, url):
        """Send events there from now on; "" stops them."""
        self._webhook_url = url
        if self._folder:
            (self._folder / "webhook_url").write_text(url)

    def _make_folder(self):
        folder = Path(tempfile.mkdtemp(prefix="oms-vendure-"))
        for path in PROJECT.glob("*.js*"):
            shutil.copy(path, folder)
        (folder / "node_modules").symlink_to((self.home / "node_modules").resolve())
        return folder

    def _environment(self, database, **extra):
        return {
            **os.environ,
            "NODE_ENV": "production",
            "VENDURE_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
            "PORT": str(self.port),
            "ADMIN_USER": USER,
            "ADMIN_PASSWORD": PASSWORD,
            "DB_HOST": os.environ.get("PGHOST") or "/var/run/postgresql",
            "DB_PORT": os.environ.get("PGPORT") or "5432",
            "DB_USER": os.environ.get("PGUSER") or os.environ.get("USER") or "postgres",
            "DB_PASSWORD": os.environ.get("PGPASSWORD") or "",
            "DB_NAME": database,
            "WEBHOOK_URL_FILE": str(self._folder / "webhook_url"),
            "WEBHOOK_SECRET": self.webhook_secret,
            **extra,
        }

    def _ensure_template(self):
        """Return the name of a database with Vendure's tables, making it on the first call of a version."""
        digest = hashlib.sha256((PROJECT / "package.json").read_bytes()).hexdigest()[:10]
        name = f"vendure_template_{digest}"
        if _sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'").strip() == "1":
            return name
        draft = f"{name}_{os.getpid()}"
        _sql(f'CREATE DATABASE "{draft}"')
        try:
            self._start_process(draft, DB_SYNCHRONIZE="1")
            self._stop_process()
            _sql(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')  # atomic: who is killed before leaves only a draft
        except VendureError:
            _sql(f'DROP DATABASE IF EXISTS "{draft}" WITH (FORCE)')
            if _sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'").strip() != "1":
                raise
        return name

    def _start_process(self, database, **extra):
        with open(self._folder / "server.log", "ab") as log:
            self._process = subprocess.Popen(
                ["node", "server.js"],
                cwd=self._folder,
                env=self._environment(database, **extra),
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lift_memory_limit,  # noqa: PLW1509  no thread of ours runs while it starts
            )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{self.url}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        log = self.log[-3000:]
        self._stop_process()
        raise VendureError(f"Vendure did not start on port {self.port}:\n{log}")

    def _stop_process(self):
        if not self._process:
            return
        try:
            os.killpg(self._process.pid, signal.SIGTERM)
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
        except ProcessLookupError:
            pass
        self._process = None


def _sql(statement):
    done = subprocess.run(
        ["psql", "-X", "-Atq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", statement],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode:
        raise VendureError(done.stderr.strip())
    return done.stdout
