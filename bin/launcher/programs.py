"""Running other programs: quietly into a log, with one clear error when they fail."""

import os
import shutil
import subprocess

from . import layout
from .errors import DiskFull, OmsError
from .guard import held_locks

_NOISE = ("is ignored: it is neither a file nor a directory", "npm warn", "npm notice")


def run(command, log, what, env=None, cwd=None, stdin=None, prefix=()):
    """Run ``command`` with its output in ``log`` (a name below the log folder).

    :param what: what it is done for, the subject of the error sentence
    :param stdin: text for its standard input
    :raise OmsError: with the last lines of the log, when it fails
    """
    path = layout.LOG / f"{log}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab") as output:
        output.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        output.flush()
        start = output.tell()
        try:
            result = subprocess.run(
                [*prefix, *map(str, command)],
                check=False,
                stdout=output,
                stderr=subprocess.STDOUT,
                input=stdin.encode() if stdin is not None else None,
                stdin=subprocess.DEVNULL if stdin is None else None,
                env=env,
                cwd=cwd or layout.REPO,
                pass_fds=held_locks(),
            )
        except FileNotFoundError as error:
            raise OmsError(f"{what} needs the program {error.filename}, which is missing.") from error
    if result.returncode:
        raise _failure(path, start, what, result.returncode)


def _failure(path, start, what, code):
    with open(path, "rb") as output:
        output.seek(start)
        text = output.read().decode(errors="replace")
    if "No space left on device" in text or "ENOSPC" in text:
        return DiskFull(layout.HOME)
    lines = [line for line in text.splitlines() if line.strip() and not any(noise in line for noise in _NOISE)]
    tail = "\n    ".join(lines[-15:])
    return OmsError(f"{what} failed (exit code {code}). The last lines of {path}:\n    {tail}")


def output_of(command, env=None):
    """Standard output of a program that is expected to work; empty when it fails or is missing."""
    try:
        result = subprocess.run(
            list(map(str, command)), check=False, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL
        )
    except (FileNotFoundError, PermissionError):
        return ""
    return result.stdout.strip() if result.returncode == 0 else ""


def find(*names):
    """Path of the first of these programs that is installed, or None."""
    return next((path for name in names if (path := shutil.which(name))), None)


def is_root():
    return os.getuid() == 0
