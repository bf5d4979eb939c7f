"""Odoo 19: the one ODOO_HOME points to, or Debian's package unpacked into a folder of ours."""

import os
import re
from pathlib import Path

from . import apt, guard, layout
from .errors import OmsError

NEEDS_MB = 1500
_GIVEN = os.environ.get("ODOO_HOME")
_STAMP = layout.PREFIX / ".odoo-version"
_LANGUAGE = "zh_CN"  # all translations are 840 of the package's 1,200 MB
# What web.assets_frontend and the reports link to; everything else of the package is inside it.
_COMPANIONS = (
    "libjs-jquery",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-inconsolata",
    "fonts-ocr-b",
    "fonts-font-awesome",
)
_EXCLUDE = (
    f"*/i18n/[!{_LANGUAGE[0]}]*.po",
    f"*/i18n/{_LANGUAGE[:2]}_[!{_LANGUAGE[3:]}]*.po",
    "*/i18n/*@*.po",
    "./etc/*",
    "./usr/share/doc/*",
)


def is_given():
    return bool(_GIVEN)


def title():
    return f"Odoo 19 of ODOO_HOME ({_GIVEN})" if _GIVEN else "Odoo 19 from Debian"


def python_path():
    """The folder to have on sys.path for ``import odoo``."""
    if not _GIVEN:
        return layout.PREFIX / "usr/lib/python3/dist-packages"
    home = Path(_GIVEN).resolve()
    candidates = [home, home / "usr/lib/python3/dist-packages", *home.glob("lib/python3*/site-packages")]
    for folder in candidates:
        if (folder / "odoo/release.py").is_file():
            return folder
    raise OmsError(f"ODOO_HOME={_GIVEN} holds no Odoo: no odoo/release.py in it. Point it to a checkout of Odoo 19.")


def addons_folder():
    """Odoo's own addons: inside the Python package, or beside it in a checkout."""
    root = python_path()
    inside = root / "odoo/addons"
    return inside if (inside / "sale/__manifest__.py").is_file() else root / "addons"


def version():
    """What the databases are made of: the version, and the package's revision where there is one."""
    if not _GIVEN:
        return guard.read(_STAMP)
    release = (python_path() / "odoo/release.py").read_text()
    return f"{_GIVEN} {re.search(r'version_info = (.*)', release).group(1)}"


def is_ready():
    if not _GIVEN:
        return bool(version())
    if "(19, 0" not in version():
        raise OmsError(
            f"ODOO_HOME={_GIVEN} holds another version of Odoo than 19.0. Point it to a checkout of Odoo 19."
        )
    return True


def build():
    """Fetch and unpack Odoo with what it links to."""
    debian = apt.PrivateApt("Odoo 19")
    with guard.building(layout.PREFIX) as folder:
        # Companions come from the stable release: those of sid lack the files Odoo's links point to.
        # (fonts-montserrat is in sid only; apt takes it from there by itself.)
        debs = debian.download([f"odoo-19/{apt.SUITE}", *_COMPANIONS], layout.BUILDING / "debs")
        for deb in debs:
            apt.unpack(deb, folder, exclude=_EXCLUDE)
        guard.remove(layout.BUILDING / "debs")
        _add_missing_file(folder / "usr/lib/python3/dist-packages/odoo/addons/mail")
        name = next(deb.name for deb in debs if deb.name.startswith("odoo-19_"))
        (folder / _STAMP.name).write_text(name.split("_")[1] + "\n")


def _add_missing_file(mail):
    """Debian leaves out a minified file that web.assets_backend names; without it every page logs an error.

    It blurs the background of video calls, nothing else.
    """
    script = mail / "static/lib/selfie_segmentation/selfie_segmentation.js"
    if not script.exists():
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text("/* not part of the Debian package */\n")
