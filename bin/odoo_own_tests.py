"""Run Odoo's own tests with our addons installed and without, and list what differs; called by ./oms odoo-tests.

    ./oms odoo-tests                        the modules our addons extend
    ./oms odoo-tests stock_picking_batch    one module
    ./oms odoo-tests sale -k TestSaleOrder  further options go to pytest

Both runs are pytest on clones of the templates, one after the other on the same machine, so what is slow, missing or
broken in the host fails in both and is not blamed on us. Odoo's own runner would not do: it runs the tests tagged
at_install while their module is being loaded, that is before our addons are, and so without our code.
The exit code is 1 when a test that passes in plain Odoo does not pass with our addons.
"""

import json
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
    plain = run("plain", os.environ["OMS_HOST_TEMPLATE"], folders, options)
    ours = run("ours", os.environ["OMS_TEMPLATE"], folders, options)
    return report(plain, ours)


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


def run(kind, template, folders, options):
    """Run the tests on a clone of a template: {"tests": {name: outcome}, "why": {name: message}, "seconds"}.

    The result of plain Odoo is kept: it only changes with Odoo.
    """
    RESULTS.mkdir(parents=True, exist_ok=True)
    words = "-".join([template, *(folder.parent.name for folder in folders), *options])
    kept = RESULTS / f"{re.sub(r'[^A-Za-z0-9_]+', '-', words)[:150]}.json"
    if kind == "plain" and kept.is_file():
        print(f"{kind}: taken from {kept}; remove that file to run it again")
        return json.loads(kept.read_text())
    log, xml = RESULTS / f"{kind}.log", RESULTS / f"{kind}.xml"
    xml.unlink(missing_ok=True)
    database = f"oms_odoo_tests_{os.getpid()}_{kind}"
    print(f"{kind}: {', '.join(folder.parent.name for folder in folders)}; log in {log}", flush=True)
    clone(template, database)
    started = time.monotonic()
    try:
        with open(log, "w") as output:
            subprocess.run(
                command(database, xml, folders, options), check=False, cwd=REPO, stdout=output, stderr=output
            )
    finally:
        drop(database)
    if not xml.is_file():
        sys.exit(f"{kind}: the tests did not run, see {log}")
    result = {**parse(xml), "seconds": round(time.monotonic() - started)}
    if not result["tests"]:
        sys.exit(f"{kind}: no test ran, see {log}")
    kept.write_text(json.dumps(result))
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


def report(plain, ours):
    """Print both totals and each difference; return the exit code."""
    for kind, result in (("plain Odoo", plain), ("with our addons", ours)):
        outcomes = list(result["tests"].values())
        counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in RANK)
        print(f"{kind}: {counts} in {result['seconds']} s")
    names = sorted({*plain["tests"], *ours["tests"]})
    pairs = [(name, plain["tests"].get(name, "did not run"), ours["tests"].get(name, "did not run")) for name in names]
    different = [pair for pair in pairs if pair[1] != pair[2]]
    print(f"{len(different)} differences")
    for name, before, after in different:
        print(f"  {name}: {before} in plain Odoo, {after} with our addons. {ours['why'].get(name, '')}")
    if both := [name for name, before, after in pairs if before == after == "failed"]:
        print(f"{len(both)} fail in both, for reasons of the host:")
        for name in both:
            print(f"  {name}: {plain['why'].get(name, '')}")
    worse = [name for name, before, after in different if after != "passed" and before != "failed"]
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
