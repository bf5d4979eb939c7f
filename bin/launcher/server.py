"""The programs that keep running: Odoo and the simulated marketplace beside it."""

import errno
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import database, guard, layout, odoo, python_env
from .errors import OmsError

_STATE = layout.HOME / "server.json"
_MAX_LOG = 20 * 2**20


def running():
    """What runs now: {name: {"pid", "started", "port", ...}}, without what has ended."""
    try:
        state = json.loads(guard.read(_STATE) or "{}")
    except ValueError:
        state = {}
    return {name: entry for name, entry in state.items() if _start_time(entry["pid"]) == entry["started"]}


def _start_time(pid):
    """When a process began, in clock ticks; tells it from a later one with the same number."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]


def _remember(name, process, **facts):
    entry = {"pid": process.pid, "started": _start_time(process.pid), **facts}
    guard.write(_STATE, json.dumps({**running(), name: entry}))


def log_path(name):
    return layout.LOG / f"{name}.log"


def start_odoo(database, port, log_to_terminal=False):
    """Start Odoo in the background, in threaded mode: web client, websocket and scheduler on one port."""
    configuration = odoo.configuration(
        "run", db_name=database, dbfilter=f"^{database}$", http_port=port, max_cron_threads=2, workers=0
    )
    command = [python_env.odoo(), "--config", configuration]
    return _start("odoo", command, layout.environment(), log_to_terminal, port=port, database=database)


def start_marketplace(script, port, odoo_port, database_name, log_to_terminal=False):
    """Start the simulated marketplace on a loopback port; it sells on where its book ends and tells Odoo by webhook."""
    command = [python_env.python(), script, "--port", port, "--state", marketplace_state(database_name)]
    if layout.MARKET_RATE:
        command += ["--rate", layout.MARKET_RATE]
    shops = (
        "SELECT code, id, webhook_secret FROM oms_channel WHERE provider = 'marketplace' AND webhook_secret IS NOT NULL"
    )
    for code, channel, secret in database.query(shops, database_name):
        command += ["--webhook", f"{code}=http://{layout.LOCAL_HOST}:{odoo_port}/oms/webhook/{channel}={secret}"]
    return _start("marketplace", command, layout.environment(), log_to_terminal, port=port)


def marketplace_state(database_name):
    """The file in which the marketplace keeps what it sold to the company of a database."""
    return layout.DATA / f"marketplace-{database_name}.json"


def _start(name, command, env, log_to_terminal, **facts):
    path = log_path(name)
    if path.exists() and path.stat().st_size > _MAX_LOG:
        os.replace(path, path.with_suffix(".log.1"))
    with open(path, "ab") as log, guard.without_locks():
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.DEVNULL,
            stdout=None if log_to_terminal else log,
            stderr=None if log_to_terminal else subprocess.STDOUT,
            cwd=layout.REPO,
            env=env,
            start_new_session=not log_to_terminal,  # outlives the terminal it was started in
        )
    _remember(name, process, **facts)
    return process


def wait_until_answers(process, port, name="odoo", path="/web/health", seconds=180, host=layout.LOCAL_HOST):
    """Wait until a program answers; explain from its log when it ends instead.

    :param process: what was started, None for one that another command started
    """
    url = f"http://{host}:{port}{path}"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None if process else name not in running():
            code = f" (exit code {process.returncode})" if process else ""
            raise OmsError(f"{name} ended{code}. Its last lines, see ./oms logs {name}:\n{_tail(name)}")
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30):
                return
        except urllib.error.HTTPError:
            return  # an answer too
        except OSError:
            time.sleep(0.2)
    raise OmsError(
        f"{name} does not answer at {url} after {seconds} s. Its last lines, see ./oms logs {name}:\n{_tail(name)}"
    )


def _tail(name, lines=15):
    text = guard.read(log_path(name)) if log_path(name).exists() else ""
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


def stop(name):
    """Stop a program started here; returns whether there was one."""
    entry = running().get(name)
    if not entry:
        return False
    for signal_number, seconds in ((signal.SIGTERM, 15), (signal.SIGKILL, 5)):
        try:
            os.kill(entry["pid"], signal_number)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + seconds
        while _start_time(entry["pid"]) == entry["started"] and time.monotonic() < deadline:
            time.sleep(0.1)
        if _start_time(entry["pid"]) != entry["started"]:
            break
    guard.write(_STATE, json.dumps(running()))
    return True


def check_port(port, way_out=None, host=layout.HOST):
    """Raise an error that says what to do when nothing of ours can listen on ``port``.

    :param way_out: what to do instead of stopping who has it; another port by default
    """
    error = _try_port(port, host)
    if not error:
        return
    if error.errno == errno.EADDRINUSE:
        other = next((candidate for candidate in range(port + 1, port + 100) if not _try_port(candidate, host)), None)
        way_out = way_out or f"choose another port: OMS_PORT={other or '<a free port>'} ./oms run"
        raise OmsError(f"Port {port} is taken by another program. Stop that one, or {way_out}")
    if error.errno == errno.EACCES:
        raise OmsError(f"Port {port} is kept for root. Choose one above 1023: OMS_PORT=8069 ./oms run")
    raise OmsError(f"OMS_HOST={host} is no address of this machine ({error.strerror}): OMS_HOST=127.0.0.1 ./oms run")


def free_port(start):
    """The first free port from ``start`` on, below it when there is none."""
    candidates = (*range(start, 65536), *range(1024, start))
    return next(port for port in candidates if not _try_port(port, "127.0.0.1"))


def _try_port(port, host):
    """Return the error that listening there brings, None where it works."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None
