"""Debian packages: installed by root, or unpacked into a folder of ours without touching the system.

The mirror is the one of the machine's own apt configuration, and every package list is verified
by Debian's archive key.
"""

import getpass
import os
import subprocess
from pathlib import Path

from . import guard, layout, programs
from .errors import OmsError

SUITE = os.environ.get("ODOO_SUITE") or "sid"  # the only suite of Debian that has odoo-19
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_LISTS = layout.HOME / "apt"


def install(packages, what):
    """Install packages into the system (root only); others are told which command to ask for."""
    command = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if not programs.is_root():
        raise OmsError(f"{what} is missing. Ask an administrator to install it, then run this again: sudo {command}")
    if not programs.find("apt-get"):
        raise OmsError(f"{what} is missing, and this machine has no apt-get to install it: {' '.join(packages)}.")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    programs.run(["dpkg", "--configure", "-a"], "apt", "Finishing an interrupted installation", env=env)
    programs.run(["apt-get", "-q", "update"], "apt", "Reading the package lists", env=env)
    programs.run(
        ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", *command.split()[1:]],
        "apt",
        f"Installing {what}",
        env=env,
    )


class PrivateApt:
    """apt with lists and caches of its own: works for any user and changes nothing in the system."""

    def __init__(self, what):
        self.what = what
        self.release = _release()
        self.mirror = self._find_mirror()

    def _find_mirror(self):
        # --no-release-info: without it nothing is printed before the first `apt-get update` of the machine.
        targets = programs.output_of(
            ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]
            + ["Created-By: Packages"]
        )
        for line in targets.splitlines():
            uri, release, component = line.split()
            if (release, component) == (self.release, "main"):
                return uri
        raise OmsError(f"{self.what}: the apt configuration of this machine names no Debian {self.release} mirror.")

    def update(self):
        """Read the lists of this release and of the suite that has Odoo; once for all steps of a set-up."""
        architecture = programs.output_of(["dpkg", "--print-architecture"])
        sources = "".join(
            f"deb [signed-by={KEYRING} arch={architecture}] {self.mirror} {suite} main\n"
            for suite in (self.release, SUITE)
        )
        if guard.read(_LISTS / "ready") == sources.strip():
            return
        guard.remove(_LISTS)
        for folder in ("lists/partial", "cache/archives/partial"):
            (_LISTS / folder).mkdir(parents=True)
        guard.write(_LISTS / "sources.list", sources)
        self._run(["update"])
        guard.write(_LISTS / "ready", sources)

    def download(self, packages, folder):
        """Download these packages, and only these, into ``folder``."""
        self.update()
        folder.mkdir(parents=True, exist_ok=True)
        self._run(["download", *packages], cwd=folder)
        return sorted(folder.glob("*.deb"))

    def download_missing(self, packages):
        """Download these packages with whatever of their dependencies this machine lacks."""
        self.update()
        self._run(
            [
                "install",
                "--download-only",
                "--reinstall",
                "--no-install-recommends",
                "-y",
                "-o",
                "Debug::NoLocking=true",
            ]
            + list(packages)
        )
        return sorted((_LISTS / "cache/archives").glob("*.deb"))

    def _run(self, arguments, cwd=None):
        options = {
            "Dir::Etc::SourceList": _LISTS / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State::Lists": _LISTS / "lists",
            "Dir::Cache": _LISTS / "cache",
            "APT::Sandbox::User": getpass.getuser(),
            # Fonts and libraries come from the stable release: Odoo's package was made for those.
            "APT::Default-Release": self.release,
            "Acquire::Languages": "none",
            "Acquire::PDiffs": "false",
            "Acquire::Retries": "3",
        }
        settings = [part for key, value in options.items() for part in ("-o", f"{key}={value}")]
        programs.run(["apt-get", "-q", *settings, *arguments], "apt", f"{self.what} (from the Debian archive)", cwd=cwd)


def _release():
    """Codename of this Debian; others have no archive that fits."""
    for tool in ("apt-get", "dpkg-deb"):
        if not programs.find(tool):
            raise OmsError(
                f"{tool} is missing: parts are fetched from the Debian archive. On another system bring your own: "
                "ODOO_HOME=/path/to/odoo-19 for Odoo, PGHOST and the like for PostgreSQL."
            )
    fields = dict(
        line.split("=", 1) for line in guard.read("/etc/os-release").splitlines() if "=" in line and line[0] != "#"
    )
    codename = fields.get("VERSION_CODENAME", "").strip('"')
    if fields.get("ID", "").strip('"') != "debian" or not codename or not KEYRING.is_file():
        raise OmsError(
            "Parts are fetched from the Debian archive, and this is no Debian with its archive key "
            "(package debian-archive-keyring). Bring your own: ODOO_HOME=/path/to/odoo-19 for Odoo, "
            "PGHOST and the like for PostgreSQL."
        )
    return codename


def unpack(deb, folder, exclude=()):
    """Unpack a package's files into ``folder``."""
    tar = ["tar", "-x", "-C", str(folder), "--no-same-owner", *(f"--exclude={pattern}" for pattern in exclude)]
    keep = guard.held_locks()
    with open(layout.LOG / "apt.log", "ab") as log:
        source = subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE, stderr=log, pass_fds=keep
        )
        unpacked = subprocess.run(tar, check=False, stdin=source.stdout, stdout=log, stderr=log, pass_fds=keep)
        source.stdout.close()
    if source.wait() or unpacked.returncode:
        guard.check_space(50)
        raise OmsError(f"{deb.name} could not be unpacked into {folder}; see {layout.LOG / 'apt.log'}.")


def clean():
    """Forget lists and downloaded packages: a hundred megabytes nobody needs after the set-up."""
    guard.remove(_LISTS)
