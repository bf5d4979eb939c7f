"""A real Medusa v2 shop for tests: start, seed, buy as a buyer, look inside, stop.

    server = MedusaServer(home=os.environ["OMS_MEDUSA_HOME"], port=9107, database="medusa_b")
    with server:
        shop = server.seed(products=[{"sku": "TEE-M", "title": "T-Shirt", "price": "19.99", "stock": 10}])
        order_id = server.checkout("ada@example.com", ADDRESS, {"TEE-M": 2})

``home`` is where the packages of tests/servers/medusa/package.json are installed (it has ``node_modules``). PostgreSQL
is found through the usual PG* variables. A start is about six seconds, because the database is cloned from a migrated
template; the first start on a machine makes that template (about twenty seconds more).
"""

import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

from .limits import lift_memory_limit
from .medusa_shop import EMAIL, PASSWORD, MedusaError, MedusaShop

PROJECT = Path(__file__).parent / "medusa"
START_SECONDS = 180  # five seconds when idle; a loaded machine has needed a minute


class MedusaServer(MedusaShop):
    """One Medusa process with a database of its own.

    :param home: folder with ``node_modules``
    :param port: loopback port
    :param database: name of the database, dropped and made anew by ``start(fresh=True)``
    :param webhook_url: where events are sent; may be changed later by ``set_webhook_url``
    :param webhook_secret: key of the events' HMAC
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

    # === PROCESS === #

    @property
    def pid(self):
        return self._process and self._process.pid

    @property
    def log(self):
        """What the server printed so far."""
        path = self._folder / "server.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def start(self, fresh=True):
        """Clone the database (``fresh``) and start the server. Returns self once it answers."""
        if not (self.home / "node_modules/@medusajs/cli/cli.js").exists():
            raise MedusaError(f"No Medusa in {self.home}: run `npm install` there with {PROJECT / 'package.json'}.")
        self._folder = self._folder or self._make_folder()
        if fresh:
            template = self._ensure_template()
            self._sql("postgres", f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
            self._sql("postgres", f'CREATE DATABASE "{self.database}" TEMPLATE "{template}"')
        self.set_webhook_url(self._webhook_url)
        with open(self._folder / "server.log", "ab") as log:
            self._process = subprocess.Popen(
                ["node", "node_modules/@medusajs/cli/cli.js", "start", "--host", "127.0.0.1", "--port", str(self.port)],
                cwd=self._folder,
                env=self._environment(self.database),
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=lift_memory_limit,  # noqa: PLW1509  no thread of ours runs while it starts
            )
        self._wait_until_up()
        return self

    def stop(self, drop=False):
        """End the process; ``drop`` removes database and folder as well."""
        self.kill(signal.SIGTERM)
        if drop and self._folder:
            self._sql("postgres", f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def kill(self, signum=signal.SIGKILL):
        """Send a signal to the server's process group and wait: SIGKILL plays a shop that dies."""
        if not self._process:
            return
        try:
            os.killpg(self._process.pid, signum)
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(20)
        except ProcessLookupError:
            pass
        self._process = None

    def set_webhook_url(self, url):
        """Send events there from now on; "" stops them."""
        self._webhook_url = url
        if self._folder:
            (self._folder / "webhook_url").write_text(url)

    def _make_folder(self):
        """A project folder of this server: our configuration beside a link to the shared packages."""
        folder = Path(tempfile.mkdtemp(prefix="oms-medusa-"))
        shutil.copy(PROJECT / "medusa-config.js", folder)
        shutil.copy(PROJECT / "package.json", folder)
        shutil.copytree(PROJECT / "src", folder / "src")
        (folder / "node_modules").symlink_to((self.home / "node_modules").resolve())
        return folder

    def _environment(self, database):
        return {
            **os.environ,
            "NODE_ENV": "production",
            "MEDUSA_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "1",
            "DATABASE_URL": get_database_url(database),
            "WEBHOOK_URL_FILE": str(self._folder / "webhook_url"),
            "WEBHOOK_SECRET": self.webhook_secret,
        }

    def _ensure_template(self):
        """Return the name of a migrated database with an administrator, making it on the first call of a version."""
        digest = hashlib.sha256((PROJECT / "package.json").read_bytes()).hexdigest()[:10]
        name = f"medusa_template_{digest}"
        known = self._sql("postgres", f"SELECT 1 FROM pg_database WHERE datname = '{name}'")
        if known.strip() == "1":
            return name
        draft = f"{name}_{os.getpid()}"
        self._sql("postgres", f'CREATE DATABASE "{draft}"')
        for command in (["db:migrate"], ["user", "-e", EMAIL, "-p", PASSWORD]):
            done = subprocess.run(
                ["node", "node_modules/@medusajs/cli/cli.js", *command],
                cwd=self._folder,
                env=self._environment(draft),
                check=False,
                capture_output=True,
                text=True,
                timeout=600,
                preexec_fn=lift_memory_limit,
            )
            if done.returncode:
                self._sql("postgres", f'DROP DATABASE IF EXISTS "{draft}" WITH (FORCE)')
                raise MedusaError(f"medusa {command[0]} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        try:  # a rename is atomic: whoever is killed before it leaves only a draft
            self._sql("postgres", f'ALTER DATABASE "{draft}" RENAME TO "{name}"')
        except MedusaError:  # another run was faster
            self._sql("postgres", f'DROP DATABASE "{draft}"')
        return name

    def _sql(self, database, statement):
        done = subprocess.run(
            ["psql", "-X", "-Atq", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise MedusaError(done.stderr.strip())
        return done.stdout

    def _wait_until_up(self):
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"{self.url}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        log = self.log[-3000:]
        self.kill()
        raise MedusaError(f"Medusa did not start on port {self.port}:\n{log}")


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
