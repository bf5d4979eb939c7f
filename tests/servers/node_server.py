"""What the real shops of the tests share: a Node.js process, and a database of its own cloned from a template."""

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

START_SECONDS = 180  # five seconds when idle; a loaded machine has needed a minute


class NodeServer:
    """One shop process. To be mixed in before the class that talks to the shop.

    :param home: folder with ``node_modules``
    :param port: loopback port
    :param database: name of the database, dropped and made anew by ``start(fresh=True)``
    :param webhook_url: where events are sent; may be changed later by ``set_webhook_url``
    :param webhook_secret: key of the events' HMAC

    :cvar name: of the shop, in messages and names
    :cvar project: our configuration of it
    :cvar package: what must be in ``node_modules``
    :cvar command: starts it, behind "node"
    :cvar error: exception of what goes wrong
    """

    name, package, command, error = "", "", (), Exception
    project = None

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
        if not (self.home / "node_modules" / self.package).exists():
            package = self.project / "package.json"
            raise self.error(f"No {self.name} in {self.home}: run `npm install` there with {package}.")
        self._folder = self._folder or self._make_folder()
        if fresh:
            template = self._ensure_template()
            self._sql(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
            self._sql(f'CREATE DATABASE "{self.database}" TEMPLATE "{template}"')
        self.set_webhook_url(self._webhook_url)
        self._start_process(self.database)
        return self

    def stop(self, drop=False):
        """End the process; ``drop`` removes database and folder as well."""
        self.kill(signal.SIGTERM)
        if drop and self._folder:
            self._sql(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
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

    def _start_process(self, database, **extra):
        with open(self._folder / "server.log", "ab") as log:
            self._process = subprocess.Popen(
                ["node", *self._get_command()],
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
        self.kill()
        raise self.error(f"{self.name} did not start on port {self.port}:\n{log}")

    def _get_command(self):
        return self.command

    # === FOLDER AND DATABASE === #

    def _make_folder(self):
        """A project folder of this server: our configuration beside a link to the shared packages."""
        folder = Path(tempfile.mkdtemp(prefix=f"oms-{self.name.lower()}-"))
        self._fill_folder(folder)
        (folder / "node_modules").symlink_to((self.home / "node_modules").resolve())
        return folder

    def _fill_folder(self, folder):
        """Copy our configuration there."""
        raise NotImplementedError

    def _environment(self, database, **extra):
        """Return the process's environment. To be extended by how the shop finds its database."""
        return {
            **os.environ,
            "NODE_ENV": "production",
            "DO_NOT_TRACK": "1",
            "WEBHOOK_URL_FILE": str(self._folder / "webhook_url"),
            "WEBHOOK_SECRET": self.webhook_secret,
            **extra,
        }

    def _ensure_template(self):
        """Return the name of a database with the shop's tables, making it on the first call of a version."""
        digest = hashlib.sha256((self.project / "package.json").read_bytes()).hexdigest()[:10]
        name = f"{self.name.lower()}_template_{digest}"
        if self._has_database(name):
            return name
        draft = f"{name}_{os.getpid()}"
        self._sql(f'CREATE DATABASE "{draft}"')
        try:
            self._fill_database(draft)
            self._sql(f'ALTER DATABASE "{draft}" RENAME TO "{name}"')  # atomic: who is killed before leaves a draft
        except self.error:
            self._sql(f'DROP DATABASE IF EXISTS "{draft}" WITH (FORCE)')
            if not self._has_database(name):  # else another run was faster
                raise
        return name

    def _fill_database(self, database):
        """Make the shop's tables in an empty database."""
        raise NotImplementedError

    def _has_database(self, name):
        return self._sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'").strip() == "1"

    def _sql(self, statement):
        done = subprocess.run(
            ["psql", "-X", "-Atq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", statement],
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise self.error(done.stderr.strip())
        return done.stdout
