"""Databases and their filestores: create, clone, rename, drop. Each is one call, safe to repeat."""

import json
import os
import shutil
import subprocess
import time

from . import guard, layout, python_env
from .errors import OmsError


def query(sql, database="postgres"):
    """Run one SQL statement and return its rows as lists of strings."""
    result = subprocess.run(
        [python_env.python(), layout.REPO / "bin/sql.py", database],
        check=False,
        input=sql,
        capture_output=True,
        text=True,
        env=layout.environment(),
    )
    if result.returncode:
        reason = result.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise OmsError(f"PostgreSQL refused ({sql.splitlines()[0][:80]}): {reason[0]}")
    return [line.split("\t") for line in result.stdout.splitlines()]


def names(prefix=""):
    """Names of the databases that begin with ``prefix``."""
    pattern = prefix.replace("_", r"\_") + "%"
    return [row[0] for row in query(f"SELECT datname FROM pg_database WHERE datname LIKE '{pattern}' ORDER BY 1")]


def exists(name):
    return name in names(name)


def filestore(name):
    return layout.DATA / "filestore" / name


def drop(name):
    """Drop a database, whoever is connected, and its filestore."""
    query(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    guard.remove(filestore(name))


def clone(source, target):
    """Make ``target`` a copy of ``source``. Files are hard-linked: Odoo never changes one, it adds and unlinks."""
    drop(target)
    _copy_filestore(source, target)
    for attempt in range(20):
        try:
            query(f'CREATE DATABASE "{target}" TEMPLATE "{source}"')
            return
        except OmsError as error:
            # A session on the template that is about to end (another clone, autovacuum) refuses for a moment.
            if "being accessed" not in str(error) or attempt == 19:
                raise
            time.sleep(0.5)


def _copy_filestore(source, target):
    guard.remove(filestore(target))
    if filestore(source).is_dir():
        shutil.copytree(filestore(source), filestore(target), copy_function=os.link)


def rename(source, target):
    """Give a database made aside its real name; ``target`` exists from then on, and whole."""
    _copy_filestore(source, target)
    query(f'ALTER DATABASE "{source}" RENAME TO "{target}"')
    guard.remove(filestore(source))


def get_note(name):
    """What the launcher knows about a database, kept in the database's comment so that it travels with it."""
    rows = query(f"SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = '{name}'")
    text = rows[0][0] if rows and rows[0] else ""
    return json.loads(text) if text.startswith("{") else {}


def set_note(name, note):
    text = json.dumps(note).replace("'", "''")
    query(f"COMMENT ON DATABASE \"{name}\" IS '{text}'")
