"""A run of tests is honest: what is skipped, logs an error, or runs nothing at all does not count as passed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_odoo

from odoo.tools import config

REPO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPO / "bin"))
import odoo_own_tests

pytestmark = pytest.mark.nodb


def run(folder, code):
    """Run ``code`` as a test file under the suite's own conftest; return the exit code and what was said."""
    (folder / "conftest.py").write_text((REPO / "conftest.py").read_text())
    (folder / "test_it.py").write_text(f"import logging\nimport pytest\npytestmark = pytest.mark.nodb\n{code}\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:odoo", "-p", "no:cacheprovider", "--rootdir", folder]
    env = {**os.environ, "OMS_FAST": "1", "PYTEST_ADDOPTS": ""}
    done = subprocess.run([*command, folder], check=False, env=env, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout


def test_only_what_passes_counts_as_passed(tmp_path):
    bodies = ("pass", "pytest.skip('no browser here')", "logging.getLogger('shop').error('lost an order')")
    tests = "\n".join(f"def test_{number}():\n    {body}" for number, body in enumerate(bodies))
    code, said = run(tmp_path, tests)
    assert (code, "2 failed, 1 passed" in said) == (1, True), said
    assert "no browser here" in said and "lost an order" in said


def test_error_outside_the_tests_fails_the_run(tmp_path):
    body = "logging.getLogger('shop').error('broken at import')\n\ndef test_one():\n    pass"
    code, said = run(tmp_path, body)
    assert code == 1, said
    assert "broken at import" in said


def test_empty_run_fails(tmp_path):
    assert run(tmp_path, "def helper():\n    pass")[0] == pytest.ExitCode.NO_TESTS_COLLECTED


def test_each_process_has_files_of_its_own(tmp_path, monkeypatch):
    """What Odoo removes after a class of tests in one process is still there in the others, and in the next run."""
    monkeypatch.setattr(config, "filestore", lambda database: str(tmp_path / database))
    (tmp_path / "run/4a").mkdir(parents=True)
    (tmp_path / "run/4a/4a5e").write_bytes(b"photo")
    files = [tmp_path / name / "4a/4a5e" for name in ("run", "run-gw0", "run-gw1")]
    with pytest_odoo._shared_filestore("run", "run-gw0"), pytest_odoo._shared_filestore("run", "run-gw1"):
        assert Path(config.filestore("run-gw1")) / "4a/4a5e" == files[2]
        files[1].unlink()
        assert [path.exists() for path in files] == [True, False, True]
    assert [path.exists() for path in files] == [True, False, False]


def test_only_what_is_no_better_in_plain_odoo_is_blamed_on_the_host(capsys):
    ours = {"tests": {"passes": "passed", "broken": "failed", "lost": "failed", "left_out": "skipped"}, "why": {}}
    ours["seconds"] = 1
    assert odoo_own_tests.find_suspects(ours) == ["broken", "left_out", "lost"]
    host = {"broken": "failed", "lost": "failed", "left_out": "skipped"}
    for plain, code in (
        (host, 0),
        ({**host, "broken": "passed"}, 1),
        ({**host, "broken": "skipped"}, 1),
        ({**host, "left_out": "passed"}, 1),
        ({"broken": "failed", "left_out": "skipped"}, 1),  # a test that does not run there proves nothing
    ):
        assert odoo_own_tests.report(ours, {"tests": plain, "why": {}}) == code, plain
    assert "lost: did not run in plain Odoo, failed with our addons" in capsys.readouterr().out
    assert (
        odoo_own_tests.report({"tests": {"passes": "passed"}, "why": {}, "seconds": 1}, {"tests": {}, "why": {}}) == 0
    )
