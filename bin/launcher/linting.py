"""./oms lint: every linter over everything of ours; all failures are shown, one makes it fail."""

import os
import subprocess
from pathlib import Path

from . import database, guard, layout, node, odoo, odoo_source, python_env, setup, template
from .console import say
from .errors import OmsError

# Tests of Odoo's test_lint that say nothing about addons: they check the checkers or Odoo's tree, or need eslint 8.
_NOT_OURS = ("test_checkers.py", "test_eslint.py", "test_l10n.py", "test_markers.py")


def lint(arguments):
    """Run the linters; with names of linters only those."""
    setup.ensure_lint()
    results = {}
    for name, check in _CHECKS.items():
        if arguments and name not in arguments:
            continue
        say(f"\n== {name}")
        results[name] = check()
        say("clean" if results[name] else "FAILED")
    failed = [name for name, is_clean in results.items() if not is_clean]
    say(
        f"\nLint: {len(results) - len(failed)} of {len(results)} clean"
        + (f"; failed: {', '.join(failed)}" if failed else "")
    )
    return 1 if failed or not results else 0


def _call(command, env=None):
    return subprocess.call(list(map(str, command)), cwd=layout.REPO, env=env or layout.environment()) == 0


def _ruff_check():
    return _call([python_env.linters() / "bin/ruff", "check", "--no-cache", "."])


def _ruff_format():
    return _call([python_env.linters() / "bin/ruff", "format", "--no-cache", "--check", "."])


def _pylint():
    """The rules of the Odoo Community Association for 19.0."""
    options = ["--load-plugins=pylint_odoo", "--valid-odoo-versions=19.0", "--manifest-required-authors=OMS"]
    options += ["--score=n", "--disable=all", "--enable=odoolint"]
    # Ours are README.md, and a model that several concepts extend has one file a concept.
    options += ["--disable=missing-readme,consider-merging-classes-inherited"]
    return _call([python_env.linters() / "bin/pylint", *options, *_addon_folders()])


def _addon_folders():
    return [f"addons/{name}" for name in (*layout.our_addons(), *layout.BRIDGES)]


def _test_lint():
    """Odoo's own lint tests, on a throw-away copy of the database that has our addons."""
    folder = odoo_source.addons_folder() / "test_lint/tests"
    files = [path for path in sorted(folder.glob("test_*.py")) if path.name not in _NOT_OURS]
    if not files:
        raise OmsError(f"Odoo's lint tests are not in {folder}; they belong to every Odoo 19.")
    source = template.ensure()
    name = f"oms_lint_{os.getpid()}"
    with guard.lock("lint", "Another ./oms lint is at work; waiting for it."):
        for old in database.names("oms_lint_"):
            database.drop(old)
        database.clone(source, name)
        try:
            env = odoo.environment(PYTHONPATH=layout.REPO / "bin")
            env["PATH"] = f"{python_env.linters() / 'bin'}{os.pathsep}{env['PATH']}"  # test_lint looks for pylint there
            command = [
                python_env.linters() / "bin/python",
                "-m",
                "pytest",
                "-q",
                "-p",
                "odoo_lint_plugin",
                "-c",
                "pytest.ini",
            ]
            return _call([*command, f"--odoo-database={name}", "--odoo-log-level=warn", *files], env)
        finally:
            database.drop(name)


def _javascript_files():
    """Our own, relative to the repository; what others change meanwhile (databases, packages) is not looked into."""
    found = []
    for folder, folders, files in os.walk(layout.REPO):
        inside = Path(folder)
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and name not in ("node_modules", "lib") and inside / name != layout.HOME
        ]
        found += [inside / name for name in files if name.endswith((".js", ".mjs", ".cjs"))]
    return [str(path.relative_to(layout.REPO)) for path in sorted(found)]


def _prettier():
    files = [*_javascript_files(), "package.json", ".prettierrc.json"]
    return _call([node.linters() / "node_modules/.bin/prettier", "--check", "--log-level=warn", *files])


def _eslint():
    """The configuration is copied beside the packages it imports; the files are those of the repository."""
    configuration = node.linters() / "eslint.config.mjs"
    guard.write(configuration, (layout.REPO / "eslint.config.mjs").read_text())
    return _call([node.linters() / "node_modules/.bin/eslint", "--config", configuration, *_javascript_files()])


_CHECKS = {
    "ruff": _ruff_check,
    "ruff-format": _ruff_format,
    "pylint-odoo": _pylint,
    "test_lint": _test_lint,
    "prettier": _prettier,
    "eslint": _eslint,
}
