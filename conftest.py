"""What makes a test run honest: a skipped test, a logged error and an empty run are failures.

Run by ``./oms test``. With OMS_FAST set (``./oms test --fast``) only what needs no database runs.
"""

import contextlib
import functools
import logging
import os
import shutil
from pathlib import Path

import pytest
import pytest_odoo

import odoo.api
import odoo.tests.common
from odoo.modules.registry import Registry
from odoo.tests.common import BaseCase, get_db_name

FAST = bool(os.environ.get("OMS_FAST"))
# What they need is not in the database of the tests: tests/test_bridges.py runs theirs.
collect_ignore = ["addons/oms_point_of_sale", "addons/oms_sale_mrp", "addons/oms_website_sale"]


class ErrorLog(logging.Handler):
    """Collects logged errors; tests that expect one use ``mute_logger`` or ``assertLogs``, which keep it from here."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.levelname} {record.name}: {record.getMessage()}")

    def take(self):
        lines, self.lines = self.lines, []
        return lines


error_log = ErrorLog()
errors_outside_tests = []


def pytest_configure(config):
    config.addinivalue_line("markers", "nodb: needs no database, also runs in ./oms test --fast")
    config.addinivalue_line("markers", "only_where(callable): of the parameters for which there is something to test")
    logging.getLogger().addHandler(error_log)
    if FAST:
        _prepare_odoo_without_database()


@contextlib.contextmanager
def own_filestore(original, database):
    """Give the database of one of several processes files of its own, hard-linked to those it was cloned with.

    pytest-odoo lets all of them share one folder. After each class of tests Odoo removes the files that its database
    does not know: there, also those that another process's test has just written.
    """
    if original == database:
        yield
        return
    source, target = (Path(odoo.tools.config.filestore(name)) for name in (original, database))
    shutil.copytree(source, target, copy_function=os.link, dirs_exist_ok=True)
    try:
        yield
    finally:
        shutil.rmtree(target, ignore_errors=True)


pytest_odoo._shared_filestore = own_filestore
# Else it looks for a free port, and another process may take it before the server does.
pytest_odoo._get_available_random_port = lambda: 0


def _wait_at_least(owner, name, seconds):
    """Have a method of Odoo's tests called with a ``timeout`` of so much or more."""
    method = getattr(owner, name)

    @functools.wraps(method)
    def patient(*args, timeout=0, **kwargs):
        return method(*args, timeout=max(timeout or 0, seconds), **kwargs)

    setattr(owner, name, patient)


def _be_patient():
    """Odoo's limits suit a machine that does nothing else. Here browsers, shops and servers of several processes share
    a few cores, and now and then one gets none for seconds. What goes well waits for none of these limits."""
    common = odoo.tests.common
    common.CHECK_BROWSER_ITERATIONS = 600  # tenths of a second for Chromium to start
    BaseCase.test_cursor_lock_timeout = 120  # of a request, while another one has the test's transaction
    _wait_at_least(common.ChromeBrowser, "_json_command", 60)
    _wait_at_least(common.ChromeBrowser, "_websocket_request", 60)
    _wait_at_least(common.ChromeBrowser, "_wait_ready", 240)
    _wait_at_least(common.HttpCase, "browser_js", 240)
    _wait_at_least(common.Opener, "request", 120)


_be_patient()


def _prepare_odoo_without_database():
    """What pytest-odoo does before tests, less the database: addons on their path, unittest's own runner."""
    odoo.tools.config.parse_config([])  # reads ODOO_RC
    pytest_odoo.support_subtest()
    pytest_odoo.disable_odoo_test_retry()
    pytest_odoo.monkey_patch_resolve_pkg_root_and_module_name()


@pytest.fixture
def env():
    """A superuser environment whose work is rolled back."""
    registry = Registry(get_db_name())
    with registry.cursor() as cr:
        yield odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {})
        cr.rollback()
    registry.clear_all_caches()  # they know what was rolled back
    registry.reset_changes()


@pytest.fixture(scope="session", autouse=not FAST)
def company(request):
    """What most classes of tests begin with is made once: the database is this run's own."""
    request.getfixturevalue("load_registry")
    from odoo.addons.oms_base.tests.common import OmsBaseCommon

    with Registry(get_db_name()).cursor() as cr:
        OmsBaseCommon.keep_company(odoo.api.Environment(cr, odoo.api.SUPERUSER_ID, {}))


def pytest_collection_modifyitems(config, items):
    """Leave out tests tagged ``-standard``, as Odoo's runner does, and in a fast run those with a database."""
    left_out = [
        item
        for item in items
        if not _is_standard(item) or not _applies(item) or (FAST and not _needs_no_database(item))
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]


def _applies(item):
    """What has nothing to test for a parameter is no test: a function that returns at once would count as passed."""
    return all(marker.args[0](item.callspec.params) for marker in item.iter_markers("only_where"))


def _is_standard(item):
    return "standard" in getattr(getattr(item, "cls", None), "test_tags", {"standard"})


def _needs_no_database(item):
    if item.get_closest_marker("nodb"):
        return True
    cls = getattr(item, "cls", None)
    if not cls or not issubclass(cls, BaseCase) or issubclass(cls, odoo.tests.common.TransactionCase):
        return False
    return "post_install" not in cls.test_tags  # those open transactions of their own


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Fail what is skipped (no browser, no server) and what logs an error while it runs."""
    report = (yield).get_result()
    if report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped: {report.longrepr}"
    if (lines := error_log.take()) and report.passed:
        report.outcome = "failed"
        report.longrepr = "logged while the test ran:\n" + "\n".join(lines)


def pytest_sessionfinish(session):
    """An error logged outside every test (loading the registry, the server's end) fails the run."""
    errors_outside_tests.extend(error_log.take())
    if hasattr(session.config, "workeroutput"):  # one of several processes: the first one sums up
        session.config.workeroutput["errors_outside_tests"] = errors_outside_tests
    elif errors_outside_tests and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error):
    """Take over what one of several processes logged outside its tests."""
    errors_outside_tests.extend(getattr(node, "workeroutput", {}).get("errors_outside_tests", []))


def pytest_terminal_summary(terminalreporter):
    if errors_outside_tests:
        terminalreporter.section("errors logged outside the tests")
        for line in errors_outside_tests:
            terminalreporter.write_line(line)
