"""The steps of the set-up, each with a check whether it is done; run again and again without harm."""

from typing import NamedTuple

from . import apt, browser, console, fonts, guard, layout, node, odoo_source, postgres, python_env, server


class Step(NamedTuple):
    """One part of what is needed: how to see that it is there, and how to make it."""

    title: str
    is_ready: callable
    build: callable
    needs_mb: int


def _host_steps():
    return [
        Step(odoo_source.title(), odoo_source.is_ready, odoo_source.build, odoo_source.NEEDS_MB),
        Step("Python packages", python_env.is_ready, python_env.build, python_env.NEEDS_MB),
        Step("Chinese font", fonts.is_ready, fonts.build, fonts.NEEDS_MB),
        Step(postgres.title(), postgres.is_ready, postgres.build, postgres.NEEDS_MB),
    ]


def _test_steps():
    return [
        Step("Node.js", node.is_ready, node.build, 400),
        Step("Chromium for the browser tests", browser.is_ready, browser.build, browser.NEEDS_MB),
        Step("Medusa shop for the tests", node.is_medusa_ready, node.build_medusa, node.NEEDS_MB),
    ]


def _lint_steps():
    return [
        Step("Node.js", node.is_ready, node.build, 400),
        Step("Linters for Python", lambda: python_env.is_ready(python_env.linters()), python_env.build_linters, 200),
        Step("Linters for JavaScript", node.are_linters_ready, node.build_linters, 200),
    ]


def ensure_host(extra_steps=0):
    """What running Odoo needs. Returns the progress, on which ``extra_steps`` more are to be shown."""
    return _ensure(_host_steps(), extra_steps)


def ensure_tests(extra_steps=0):
    """What the tests need."""
    return _ensure(_host_steps() + _test_steps(), extra_steps)


def ensure_lint(extra_steps=0):
    """What the linters need."""
    return _ensure(_host_steps() + _lint_steps(), extra_steps)


def ensure_python():
    """What the tests without a database need."""
    return _ensure(_host_steps()[:2], 0)


def _ensure(steps, extra_steps):
    layout.make_folders()
    progress = console.Progress(len(steps) + extra_steps)
    with guard.lock("setup", "Another ./oms is setting up in this folder; waiting for it."):
        for step in steps:
            if step.is_ready():
                progress.ready(step.title)
                continue
            guard.check_space(step.needs_mb)
            with progress.step(step.title):
                step.build()
        apt.clean()
        if not server.running():
            python_env.remove_old()
    return progress
