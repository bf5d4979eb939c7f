"""The rules of docs/architecture.md that a reader of the code relies on, checked on the code."""

import ast
import re
import sys
from pathlib import Path

import pytest

ADDONS = Path(__file__).resolve().parents[1] / "addons"
NAMES = sorted(path.parent.name for path in ADDONS.glob("*/__manifest__.py"))
PURE_FOLDERS = ("oms_channels/adapters", "oms_allocation/solver", "oms_fulfillment/routing")
PURE_FILES = ("oms_base/sharing.py",)
# The client of a shop may call the first two (urllib3 is what requests stands on), connectors without code read by the
# third; the allocation of many orders at once is a program for the last. Nothing else leaves the standard library.
ALLOWED_OUTSIDE = {"requests", "urllib3", "jmespath", "highspy"}
pytestmark = pytest.mark.nodb


def manifest(name):
    return ast.literal_eval((ADDONS / name / "__manifest__.py").read_text())


def imported_modules(path):
    """Absolute names a file imports, relative ones resolved against the addons folder."""
    package = path.relative_to(ADDONS).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*base, *([node.module] if node.module else [])])
            yield name if node.level == 0 else f"odoo.addons.{name}"
            yield from (f"{name}.{alias.name}" for alias in node.names if node.level == 0)


def python_files(folder):
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


# Small addons that install themselves where two siblings are, and carry from one to the other what no hook does.
JOINTS = {"oms_channels_returns": ["oms_channels", "oms_returns"]}


@pytest.mark.parametrize("name", JOINTS)
def test_joint_knows_the_two_it_joins(name):
    assert manifest(name)["depends"] == JOINTS[name] and manifest(name)["auto_install"]
    siblings = set(NAMES) - {name, "oms_base", *JOINTS[name]}
    for path in python_files(ADDONS / name):
        assert not [module for module in imported_modules(path) if siblings & set(module.split("."))], path


@pytest.mark.parametrize("folder", [folder for folder in PURE_FOLDERS if (ADDONS / folder.split("/")[0]).is_dir()])
def test_pure_code_knows_no_odoo(folder):
    files = python_files(ADDONS / folder)
    assert files, f"{folder} is empty"
    own = "odoo.addons." + folder.replace("/", ".")
    for path in files:
        for module in imported_modules(path):
            if module == own or module.startswith(f"{own}."):
                continue
            top = module.split(".")[0]
            assert top != "odoo", f"{path} imports {module}"
            assert top in sys.stdlib_module_names or top in ALLOWED_OUTSIDE, f"{path} imports {module}"


@pytest.mark.parametrize("name", PURE_FILES)
def test_pure_file_knows_only_the_standard_library(name):
    for module in imported_modules(ADDONS / name):
        assert module.split(".")[0] in sys.stdlib_module_names, f"{name} imports {module}"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("oms_base", *JOINTS)])
def test_siblings_do_not_know_each_other(name):
    siblings = set(NAMES) - {name, "oms_base"}
    assert not siblings & set(manifest(name)["depends"])
    assert "oms_base" in manifest(name)["depends"]
    for path in python_files(ADDONS / name):
        for module in imported_modules(path):
            parts = module.split(".")
            assert not (parts[:2] == ["odoo", "addons"] and parts[2:3] and parts[2] in siblings), f"{path}: {module}"
    for path in (ADDONS / name).rglob("*.xml"):
        for sibling in siblings:
            assert not re.search(rf"['\"(]{sibling}\.\w", path.read_text()), f"{path} refers to {sibling}"


def test_base_knows_none_of_the_others():
    others = set(NAMES) - {"oms_base"}
    assert not others & set(manifest("oms_base")["depends"])
    for path in python_files(ADDONS / "oms_base"):
        for module in imported_modules(path):
            assert not set(module.split(".")) & others, f"{path} imports {module}"


@pytest.mark.parametrize("name", NAMES)
def test_addon_is_presentable(name):
    folder = ADDONS / name
    values = manifest(name)
    assert values["author"] == "OMS" and values["license"] == "LGPL-3" and values["version"].startswith("19.0.")
    assert values["summary"]
    assert (folder / "static/description/icon.png").read_bytes()[:4] == b"\x89PNG"
    assert "<section" in (folder / "static/description/index.html").read_text()
    assert (folder / "security/ir.model.access.csv").is_file()
    readme = (folder / "README.md").read_text()
    assert re.search(r"^#+ .*[Hh]ook", readme, re.MULTILINE), f"{name}/README.md lists no hooks"
    for language in (f"{name}.pot", "zh_CN.po"):
        assert (folder / "i18n" / language).is_file()


@pytest.mark.parametrize("name", NAMES)
def test_every_file_of_the_addon_is_loaded(name):
    """A view, a data file or a test that nothing loads is dead, and nobody notices."""
    values = manifest(name)
    loaded = {*values.get("data", ()), *values.get("demo", ())}
    code = "".join(path.read_text() for path in python_files(ADDONS / name))
    folders = ("data", "demo", "report", "reports", "security", "views", "wizard", "wizards", "templates")
    for folder in folders:
        for path in (ADDONS / name / folder).rglob("*"):
            if path.suffix in (".xml", ".csv"):
                relative = path.relative_to(ADDONS / name).as_posix()
                assert relative in loaded or path.name in code, f"nothing loads {name}/{relative}"
    for path in loaded:
        assert (ADDONS / name / path).is_file(), f"{name}/{path} is missing"


@pytest.mark.parametrize("name", NAMES)
def test_model_files_hold_one_concept(name):
    for path in python_files(ADDONS / name):
        if "tests" not in path.parts:
            assert len(path.read_text().splitlines()) <= 400, f"{path} has more than 400 lines: split it by concept"


def test_readme_names_what_an_administrator_installs():
    text = (ADDONS.parent / "README.md").read_text()
    section = text[text.index("## Install into your own Odoo") : text.index("## Develop")]
    of_odoo = {"openpyxl", "xlsxwriter"}  # in Odoo's own requirements
    for name in NAMES:
        packages = set(manifest(name).get("external_dependencies", {}).get("python", ())) - of_odoo
        assert not {package for package in packages if f"`{package}`" not in section}, name
