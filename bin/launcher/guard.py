"""What keeps the state folder whole: locks between launchers, building aside and renaming, enough disk space."""

import fcntl
import os
import shutil
import threading
from contextlib import contextmanager
from pathlib import Path

from . import layout
from .console import say
from .errors import DiskFull

_local = threading.local()  # a step in a thread hands down its own locks only


def _held():
    if not hasattr(_local, "held"):
        _local.held = []
    return _local.held


@contextmanager
def lock(name, waiting=None):
    """Hold the lock ``name`` of this state folder; say ``waiting`` when another holds it and wait.

    The programs a step starts inherit the lock (see ``held_locks``): when the launcher is killed the lock stays taken
    until they are gone too, so the next launcher never builds where an orphan still writes.
    """
    layout.LOCKS.mkdir(parents=True, exist_ok=True)
    with open(layout.LOCKS / name, "a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting:
                say(waiting)
            fcntl.flock(handle, fcntl.LOCK_EX)
        _held().append(handle.fileno())
        try:
            yield handle
        finally:
            _held().remove(handle.fileno())


def held_locks():
    """File descriptors of the locks held, to be inherited by the programs started under them."""
    return tuple(_held())


@contextmanager
def without_locks():
    """Start programs that outlive the launcher: they inherit no lock."""
    held, _local.held = _held(), []
    try:
        yield
    finally:
        _local.held = held


def is_locked(path):
    """Whether a living program holds the lock file ``path``."""
    try:
        with open(path, "a+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False


def locked(prefix):
    """Names of the locks that begin with ``prefix`` and that a living program holds."""
    return [path.name for path in layout.LOCKS.glob(f"{prefix}*") if is_locked(path)]


@contextmanager
def building(target):
    """Yield an empty folder that becomes ``target`` when the block ends well. Only under a lock.

    ``target`` is either the old one or the whole new one, whenever the machine stops.
    """
    target = Path(target)
    aside = layout.BUILDING / target.name
    remove(aside)
    aside.mkdir(parents=True)
    yield aside
    remove(target)
    os.rename(aside, target)


def remove(path):
    """Remove a file or a folder, if there is one."""
    path = Path(path)
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def write(path, text):
    """Write a file as a whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(text)
    os.replace(aside, path)


def read(path):
    """The text of a file, empty when there is none."""
    try:
        return Path(path).read_text().strip()
    except FileNotFoundError:
        return ""


def check_space(needed_mb):
    """Raise a ``DiskFull`` unless the state folder's disk has ``needed_mb`` MB to spare."""
    free_mb = shutil.disk_usage(layout.HOME).free // 2**20
    if free_mb < needed_mb:
        raise DiskFull(layout.HOME, needed_mb, free_mb)
