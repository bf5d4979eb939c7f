"""Run Odoo's own tests with our addons installed and without, and list what differs; called by ./oms odoo-tests.

    ./oms odoo-tests                        the modules our addons extend
    ./oms odoo-tests stock_picking_batch    one module
    ./oms odoo-tests sale -k TestSaleOrder  further options go to pytest

Both runs are pytest on clones of the templates, one after the other on the same machine. Plain Odoo runs only what did
not pass with our addons: what is slow, missing or broken in the host fails in both and is not blamed on us. Odoo's own
runner would not do: it runs the tests tagged at_install while their module is being loaded, that is before our addons
are, and so without our code.
The exit code is 1 when a test does better in plain Odoo than with our addons, or is not run there at all: nothing says
then that the host is to blame.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

MODULES = ("sale", "sale_stock", "stock", "stock_delivery", "stock_picking_batch", "stock_account", "account")
REPO = Path(__file__).resolve().parents[1]
RESULTS = Path(os.environ["OMS_HOME"]) / "odoo-tests"
# The worst outcome of a test and its subtests counts.
RANK = {"passed": 0, "skipped": 1, "failed": 2}


def main(arguments):
    modules = [
        argument for argument in arguments if re.fullmatch(r"[a-z]\w*", argument) and (_tests(argument)).exists()
    ]
    options = [argument for argument in arguments if argument not in modules]
    folders = find_tests(modules or MODULES)
    ours = run("ours", os.environ["OMS_TEMPLATE"], folders, options)
    plain = {"tests": {}, "why": {}}
    if suspects := find_suspects(ours):
        plain = run("plain", os.environ["OMS_HOST_TEMPLATE"], folders, options, only=suspects)
    return report(ours, plain)


def _tests(module):
    return Path(os.environ["OMS_ODOO_ADDONS"]) / module / "tests"


def find_tests(modules):
    """Folders of tests of the modules; a distribution's package may come without some."""
    folders = {module: _tests(module) for module in modules if list(_tests(module).glob("test_*.py"))}
    if missing := [module for module in modules if module not in folders]:
        print(f"Without tests in this Odoo, left out: {', '.join(missing)}")
    if not folders:
        sys.exit("No tests at all.")
    return list(folders.values())


def find_suspects(result):
    return sorted(name for name, outcome in result["tests"].items() if outcome != "passed")


def run(kind, template, folders, options, only=()):
    """Run the tests on a clone of a template: {"tests": {name: outcome}, "why": {name: message}, "seconds"}.

    :param only: names of the tests to run; none means all
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    log, xml, names = (RESULTS / f"{kind}.{suffix}" for suffix in ("log", "xml", "names"))
    xml.unlink(missing_ok=True)
    names.write_text("\n".join(only))
    database = f"oms_odoo_tests_{os.getpid()}_{kind}"
    what = ", ".join(folder.parent.name for folder in folders)
    print(f"{kind}: {what}{f', {len(only)} tests' if only else ''}; log in {log}", flush=True)
    pytest = command(database, xml, folders, options)
    env = {**os.environ, "OMS_ONLY_TESTS": str(names) if only else ""}
    clone(template, database)
    started = time.monotonic()
    try:
        with open(log, "w") as output:
            subprocess.run(pytest, check=False, cwd=REPO, env=env, stdout=output, stderr=output)
    finally:
        drop(database)
    if not xml.is_file():
        sys.exit(f"{kind}: the tests did not run, see {log}")
    result = {**parse(xml), "seconds": round(time.monotonic() - started)}
    if not result["tests"] and not only:
        sys.exit(f"{kind}: no test ran, see {log}")
    return result


def command(database, xml, folders, options):
    plugin = [
        "-p",
        "odoo_own_tests_plugin",
        "-p",
        "no:cacheprovider",
        "-c",
        "/dev/null",
        f"--rootdir={folders[0].parents[1]}",
    ]
    quiet = ["-q", "--tb=short", "-W", "ignore::DeprecationWarning", "-W", "ignore::PendingDeprecationWarning"]
    database = [f"--odoo-database={database}", "--odoo-http", f"--junitxml={xml}"]
    return [sys.executable, "-m", "pytest", *plugin, *quiet, *database, *options, *map(str, folders)]


def parse(xml):
    """Read the outcomes from pytest's report."""
    tests, why = {}, {}
    for case in ElementTree.parse(xml).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        name = re.sub(r"^.*?(\w+\.tests\.)", r"\1", name)
        outcome, problem = "passed", None
        for tag, meaning in (("skipped", "skipped"), ("failure", "failed"), ("error", "failed")):
            if (found := case.find(tag)) is not None:
                outcome, problem = meaning, found
        if RANK[outcome] >= RANK.get(tests.get(name), 0):
            tests[name] = outcome
        if outcome == "failed":
            why[name] = (problem.get("message") or problem.text or "").strip().splitlines()[0][:200]
    return {"tests": tests, "why": why}


def report(ours, plain):
    """Print what did not pass, and how it does in plain Odoo; return the exit code."""
    outcomes = list(ours["tests"].values())
    counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in RANK)
    print(f"with our addons: {counts} in {ours['seconds']} s")
    before, suspects = plain["tests"], find_suspects(ours)
    worse = [name for name in suspects if RANK[ours["tests"][name]] > RANK.get(before.get(name), 0)]
    print(f"{len(worse)} of them do better in plain Odoo, or are not there")
    for name in worse:
        outcome = f"{before.get(name, 'did not run')} in plain Odoo, {ours['tests'][name]} with our addons"
        print(f"  {name}: {outcome}. {ours['why'].get(name, '')}")
    if same := [name for name in suspects if name not in worse]:
        print(f"{len(same)} do no better in plain Odoo, for reasons of the host:")
        for name in same:
            print(f"  {name}: {before[name]}. {plain['why'].get(name, '')}")
    return 1 if worse else 0


def clone(template, database):
    drop(database)
    subprocess.run(["createdb", "-T", template, database], check=True)
    if filestore(template).is_dir():
        shutil.copytree(filestore(template), filestore(database), copy_function=os.link)


def drop(database):
    subprocess.run(["dropdb", "--if-exists", "--force", database], check=True, stderr=subprocess.DEVNULL)
    shutil.rmtree(filestore(database), ignore_errors=True)


def filestore(database):
    return Path(os.environ["OMS_HOME"]) / "data/filestore" / database


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
