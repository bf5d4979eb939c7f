"""PostgreSQL: the server that PG* variables name, or a private cluster on a unix socket only.

The private cluster is shared by everything that is started from this state folder. It outlives the
command that started it; ``./oms stop`` ends it.
"""

import hashlib
import os
import tempfile
from pathlib import Path

from . import apt, guard, layout, programs
from .errors import OmsError

NEEDS_MB = 400
_GIVEN = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGSERVICE", "PGUSER", "PGPASSWORD", "PGPASSFILE")
_PORT = "5432"  # only part of the socket's name
_UNPACKED = layout.HOME / "postgresql"
_PACKAGES = ("postgresql-15", "postgresql-client-15", "libpq5")
_TOOLS = ("initdb", "pg_ctl", "postgres", "pg_isready", "psql", "createdb", "dropdb")
_SETTINGS = """
# Written by the launcher. A cluster to try, develop and test with: a power cut may lose it (fsync = off),
# so keep real business on a PostgreSQL of your own (PGHOST and the like).
listen_addresses = ''
unix_socket_directories = '{socket}'
port = {port}
max_connections = 200
shared_buffers = 256MB
jit = off
fsync = off
synchronous_commit = off
full_page_writes = off
"""


def is_given():
    """Whether the environment names a server; then none of ours is started."""
    return any(os.environ.get(name) for name in _GIVEN) and os.environ.get("PGHOST") != str(socket_folder())


def title():
    return f"PostgreSQL of {os.environ.get('PGHOST') or 'the PG* variables'}" if is_given() else "PostgreSQL"


def socket_folder():
    """Where the socket is: in the state folder, unless that path is too long for a socket (107 bytes)."""
    folder = layout.HOME / "run"
    if len(str(folder)) <= 85:
        return folder
    name = hashlib.sha1(f"{os.getuid()} {layout.HOME}".encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"oms-{name}"


def connection():
    """The PG* variables to reach the server, read by Odoo, psql and libpq alike."""
    if is_given():
        return {}
    variables = {"PGHOST": str(socket_folder()), "PGPORT": _PORT, "PGUSER": "odoo"}
    libraries = sorted(_UNPACKED.glob("usr/lib/*-linux-gnu*"))
    if libraries and str(_bin() or "").startswith(str(_UNPACKED)):
        variables["LD_LIBRARY_PATH"] = os.pathsep.join(map(str, libraries))
    return variables


def path_folders():
    return [] if is_given() or not _bin() else [_bin()]


def _bin():
    """Folder of the server's programs: of the version the cluster was made with, else the newest."""
    folders = [Path(found).resolve().parent] if (found := programs.find("initdb")) else []
    for root in (Path("/"), _UNPACKED):
        versions = root.glob("usr/lib/postgresql/*/bin")
        folders += sorted(versions, key=lambda folder: float(folder.parent.name), reverse=True)
    folders = [folder for folder in folders if all((folder / tool).is_file() for tool in _TOOLS)]
    wanted = guard.read(layout.PGDATA / "PG_VERSION")
    if not wanted:
        return next(iter(folders), None)
    return next((folder for folder in folders if folder.parent.name == wanted or _version(folder) == wanted), None)


def _version(folder):
    words = programs.output_of([folder / "postgres", "--version"]).split()  # postgres (PostgreSQL) 15.18 (...)
    return words[2].split(".")[0] if len(words) > 2 else ""


def is_ready():
    return is_given() or bool(_bin() and (layout.PGDATA / "PG_VERSION").is_file() and _answers())


def _answers():
    env = {**os.environ, **connection()}
    return bool(programs.output_of([_bin() / "pg_isready", "-h", socket_folder(), "-p", _PORT], env=env))


def build():
    """Bring the private cluster up, making what is missing."""
    if not _bin():
        _fetch_programs()
    if not (layout.PGDATA / "PG_VERSION").is_file():
        _create_cluster()
    if not _answers():
        _start()


def _fetch_programs():
    if wanted := guard.read(layout.PGDATA / "PG_VERSION"):
        raise OmsError(
            f"{layout.PGDATA} was made by PostgreSQL {wanted}, which is no longer installed. "
            f"Install it (apt-get install postgresql-{wanted}), or drop the databases: ./oms reset --all"
        )
    debs = apt.PrivateApt("PostgreSQL").download_missing(_PACKAGES)
    with guard.building(_UNPACKED) as folder:
        for deb in debs:
            apt.unpack(deb, folder, exclude=("./usr/share/doc/*", "./usr/share/locale/*"))


def _as_postgres():
    """What to put before a program so that it does not run as root, which PostgreSQL refuses.

    In a user namespace root's own files are seen as an ordinary user's. Where namespaces are forbidden (some
    containers), the server runs as nobody; it keeps the right to enter folders that are closed to others, as the
    state folder may be in one.
    """
    if not programs.is_root():
        return []
    namespace = ["unshare", "--user", "--map-user=1000", "--map-group=1000"]
    if programs.output_of([*namespace, "echo", "yes"]) == "yes":
        return namespace
    for folder in (layout.PGDATA, layout.BUILDING / layout.PGDATA.name, socket_folder()):
        if folder.exists():
            for path in (folder, *folder.rglob("*")):
                os.chown(path, 65534, 65534, follow_symlinks=False)
    capability = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *capability]


def _run(command, what):
    env = {**os.environ, **connection()}
    programs.run(command, "postgresql", what, env=env, prefix=_as_postgres())


def _create_cluster():
    with guard.building(layout.PGDATA) as folder:
        folder.chmod(0o700)
        _run(
            [_bin() / "initdb", "-D", folder, "-U", "odoo", "--auth=trust", "--no-locale", "-E", "UTF8", "--no-sync"],
            "Creating the PostgreSQL cluster",
        )
        with open(folder / "postgresql.conf", "a") as settings:
            settings.write(_SETTINGS.format(socket=socket_folder(), port=_PORT))


def _start():
    socket_folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    socket_folder().chmod(0o700)  # the way in is the folder: whoever may enter it is trusted
    command = [
        _bin() / "pg_ctl",
        "-D",
        layout.PGDATA,
        "-w",
        "-t",
        "120",
        "-s",
        "-l",
        layout.PGDATA / "server.log",
        "start",
    ]
    # Started without the locks of this launcher, as it outlives it.
    with guard.without_locks():
        _run(command, f"Starting PostgreSQL (its own log is {layout.PGDATA / 'server.log'})")


def stop():
    """Stop the private cluster. Returns whether it was up."""
    if is_given() or not (layout.PGDATA / "PG_VERSION").is_file() or not _bin() or not _answers():
        return False
    _run([_bin() / "pg_ctl", "-D", layout.PGDATA, "-m", "fast", "-w", "-s", "stop"], "Stopping PostgreSQL")
    return True
