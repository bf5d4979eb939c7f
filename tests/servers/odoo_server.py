"""A real Odoo with our addons, in a process and on a database of its own, for tests that cross processes."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg2
import requests

from odoo.tools import config

from .ports import free_port

START_SECONDS = 120


def wait_until(condition, what, seconds=120, interval=0.1):
    """Ask ``condition`` until it answers something true and return that.

    :raise AssertionError: naming ``what`` when the time is over
    """
    deadline = time.monotonic() + seconds
    while True:
        if result := condition():
            return result
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {seconds} s: {what}")
        time.sleep(interval)


def clone_database(source, name):
    """Clone a database and its filestore."""
    drop_database(name)
    subprocess.run(["createdb", "-T", source, name], check=True)
    if _filestore(source).is_dir():
        shutil.copytree(_filestore(source), _filestore(name), copy_function=os.link)


def drop_database(name):
    """Drop a database and its filestore, whoever is connected."""
    subprocess.run(["dropdb", "--if-exists", "--force", name], check=True, stderr=subprocess.DEVNULL)
    shutil.rmtree(_filestore(name), ignore_errors=True)


def _filestore(name):
    # Not config.filestore: in a distributed run it answers with the one folder that all workers share.
    return Path(config["data_dir"]) / "filestore" / name


class OdooServer:
    """An Odoo server process on a clone of the template database.

    :param name: of the database; dropped by `stop`
    :param cron_threads: how many scheduled actions run side by side; 0 for none
    """

    def __init__(self, name, cron_threads=2):
        self.database = name
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.cron_threads = cron_threads
        self.process = None
        self.log_path = Path(config["data_dir"]) / f"{name}.log"

    def __enter__(self):
        clone_database(os.environ["OMS_TEMPLATE"], self.database)
        self.start()
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def start(self):
        """Start the process and wait until it serves, and its scheduler hears what is to be done at once."""
        self.process = subprocess.Popen(
            [
                shutil.which("odoo"),
                f"--database={self.database}",
                f"--db-filter=^{self.database}$",
                f"--http-port={self.port}",
                "--http-interface=127.0.0.1",
                f"--max-cron-threads={self.cron_threads}",
                "--log-level=info",
                f"--logfile={self.log_path}",
            ],
            start_new_session=True,
        )

        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"Odoo ended while starting:\n{self.log(4000)}")
            with contextlib.suppress(requests.RequestException):
                return requests.get(f"{self.url}/web/health", timeout=5).ok

        wait_until(answers, "Odoo answers", START_SECONDS)
        wait_until(self._is_listening, "the scheduler listens", START_SECONDS)

    def _is_listening(self):
        """Whether all threads of the scheduler are idle behind their LISTEN, which they commit. Odoo answers before."""
        [[count]] = self.query(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'postgres' AND application_name = %s"
            " AND state = 'idle' AND query = 'COMMIT'",
            f"odoo-{self.process.pid}",
        )
        return count >= self.cron_threads

    def kill(self):
        """End the process as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self, besides=0):
        """Start anew once the dead process's transactions are gone, as they are when a machine comes back; what is due
        runs at once. Odoo itself looks for it a minute after its start, or when anything triggers an action.

        :param besides: the backend of a transaction that stays open meanwhile
        """
        open_ones = (
            "SELECT 1 FROM pg_stat_activity"
            " WHERE datname = %s AND pid NOT IN (pg_backend_pid(), %s) AND state != 'idle'"
        )
        wait_until(lambda: not self.query(open_ones, self.database, besides), "the dead process's transactions end")
        # To Odoo a job that dies three times takes too long, and is not run the next time.
        self.execute("UPDATE ir_cron_progress SET timed_out_counter = 0 WHERE timed_out_counter > 0")
        self.start()
        with contextlib.closing(psycopg2.connect(dbname="postgres")) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_notify('cron_trigger', %s)", (self.database,))

    def stop(self):
        """End the process and drop its database."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        drop_database(self.database)
        self.log_path.unlink(missing_ok=True)

    def log(self, characters=2000):
        """Return the end of the server's log."""
        return self.log_path.read_text()[-characters:] if self.log_path.exists() else ""

    def query(self, statement, *parameters):
        """Return the rows of an SQL query: what is really in the database."""
        with contextlib.closing(psycopg2.connect(dbname=self.database)) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    def execute(self, statement, *parameters):
        """Do what an SQL statement says, for what no user can do."""
        with contextlib.closing(psycopg2.connect(dbname=self.database)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
            connection.commit()

    def login(self, login, password):
        """Return a client that works as this user, over RPC."""
        return OdooClient(self, login, password)


class OdooError(Exception):
    """What Odoo answered to a call it refused: the sentence a person would read."""


class OdooClient:
    """Calls Odoo as one user, with that user's rights, over the route the web client uses."""

    def __init__(self, server, login, password):
        self._url = server.url
        self._session = requests.Session()
        answer = self._post("/web/session/authenticate", {"db": server.database, "login": login, "password": password})
        self.uid = answer["uid"]

    def _post(self, path, parameters):
        response = self._session.post(self._url + path, json={"jsonrpc": "2.0", "params": parameters}, timeout=120)
        answer = response.json()
        if "error" in answer:
            raise OdooError(answer["error"]["data"].get("message") or answer["error"]["message"])
        return answer.get("result")

    def get(self, path):
        """Return the response to a page or file asked for as this user."""
        return self._session.get(self._url + path, timeout=120)

    def call(self, model, method, *args, **kwargs):
        """Call a public method of a model; a list of ids first where it works on records."""
        path = f"/web/dataset/call_kw/{model}/{method}"
        return self._post(path, {"model": model, "method": method, "args": args, "kwargs": kwargs})

    def create(self, model, values):
        """Create one record and return its id."""
        result = self.call(model, "create", [values])
        return result[0] if isinstance(result, list) else result

    def read(self, model, domain, fields, **kwargs):
        """Return the records of a domain as dicts."""
        return self.call(model, "search_read", domain, fields, **kwargs)

    def ref(self, xmlid):
        """Return the id behind an external id."""
        module, name = xmlid.split(".")
        found = self.read("ir.model.data", [["module", "=", module], ["name", "=", name]], ["res_id"])
        return found[0]["res_id"]
