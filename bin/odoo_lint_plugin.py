"""A pytest plugin that turns Odoo's test_lint, which looks at every module on the addons path, on our addons only.

A warning that a test of test_lint logs is a finding too, so it fails the test.
"""

import logging
import os
import subprocess
import types
from pathlib import Path

import pytest

ADDONS = Path(__file__).resolve().parents[1] / "addons"
OURS = sorted(path.parent.name for path in ADDONS.glob("*/__manifest__.py"))


class _Findings(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


_findings = _Findings()


def pytest_sessionstart():
    import odoo.modules
    from odoo.modules.module import Manifest

    manifests = [Manifest.for_addon(name) for name in OURS]
    Manifest.all_addon_manifests = staticmethod(lambda: manifests)
    odoo.modules.get_modules = lambda: list(OURS)
    logging.getLogger("odoo.addons.test_lint").addHandler(_findings)


def pytest_collection_finish():
    """Narrow what is written into the test modules themselves."""
    from odoo.addons.test_lint.tests import test_docstring, test_pylint

    test_docstring.MODULES_TO_LINT = ()
    test_docstring.MODULES_TO_LINT_ONLY_PUBLIC_METHODS = tuple(OURS)
    real = subprocess.run

    def run_on_ours(command, env, **options):
        root = test_pylint.tools.config.root_path
        # pytest put folders of addons on sys.path, where the addon `calendar` hides Python's module
        paths = [path for path in env["PYTHONPATH"].split(os.pathsep) if not any(Path(path).glob("*/__manifest__.py"))]
        env = {**env, "PYTHONPATH": os.pathsep.join(paths)}
        return real([part for part in command if part != root], env=env, **options)

    test_pylint.subprocess = types.SimpleNamespace(run=run_on_ours)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if _findings.lines and report.passed:
        report.outcome = "failed"
        report.longrepr = "\n".join(_findings.lines)
    _findings.lines.clear()
    if report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped: {report.longrepr}"
