"""A Chromium for the browser tests: the system's, or without root the headless one inside an npm package."""

import os
import subprocess
import tempfile

from . import apt, guard, layout, node, programs
from .errors import OmsError

NEEDS_MB = 500
_FOLDER = layout.HOME / "browser"
_PACKAGE = "@sparticuz/chromium@147"
_NAMES = ("google-chrome", "chromium", "chromium-browser", "google-chrome-stable")
_FROM_NPM = os.environ.get("OMS_BROWSER") == "npm"
_UNPACK = """
const fs = require("fs"), zlib = require("zlib"), bin = "node_modules/@sparticuz/chromium/bin/";
const read = (name) => zlib.brotliDecompressSync(fs.readFileSync(bin + name));
const unpack = (from, to) => fs.writeFileSync(to, read(from), { mode: 0o755 });
unpack("chromium.br", "headless_shell");
unpack("al2023.tar.br", "libraries.tar");
"""


def path_folders():
    return [_FOLDER] if (_FOLDER / "google-chrome").is_file() else []


def is_ready():
    return bool(path_folders()) or (not _FROM_NPM and bool(programs.find(*_NAMES)))


def build():
    if programs.is_root() and programs.find("apt-get") and not _FROM_NPM:
        apt.install(["chromium"], "Chromium for the browser tests")
    else:
        _unpack_from_npm()


def _unpack_from_npm():
    with guard.building(_FOLDER) as folder:
        name, version = _PACKAGE.rsplit("@", 1)
        (folder / "package.json").write_text(f'{{"private": true, "dependencies": {{"{name}": "{version}"}}}}')
        node.npm_install(folder, "browser", "Installing Chromium from npm")
        programs.run(["node", "-e", _UNPACK], "browser", "Unpacking Chromium", env=layout.environment(), cwd=folder)
        (folder / "lib").mkdir()
        programs.run(["tar", "-xf", "libraries.tar"], "browser", "Unpacking Chromium's libraries", cwd=folder)
        (folder / "libraries.tar").unlink()
        # Its own NSS libraries only where the system has none: mixing the two fails.
        own = "" if "libnss3.so" in programs.output_of(["/sbin/ldconfig", "-p"]) else f"{_FOLDER}/lib"
        wrapper = folder / "google-chrome"  # the first name Odoo looks for
        wrapper.write_text(f"#!/bin/sh\nexec env LD_LIBRARY_PATH='{own}' '{_FOLDER}/headless_shell' \"$@\"\n")
        wrapper.chmod(0o755)


def warm_up():
    """Start the browser once: Odoo gives it ten seconds, and the first start of a day may take longer."""
    env = layout.environment()
    name = next((name for name in _NAMES if programs.output_of(["which", name], env=env)), None)
    with tempfile.TemporaryDirectory(prefix="oms-browser-") as profile:
        command = [
            name,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={profile}",
            "--dump-dom",
            "about:blank",
        ]
        try:
            result = subprocess.run(command, check=False, env=env, capture_output=True, text=True, timeout=120)
        except (subprocess.TimeoutExpired, OSError, TypeError) as error:
            raise OmsError(f"The browser for the tests does not start: {error}.") from error
    if "<html" not in result.stdout:
        raise OmsError(f"The browser for the tests does not start:\n    {result.stderr.strip()[-1000:]}")
