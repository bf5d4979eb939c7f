"""The steps of the set-up, each with a check whether it is done; run again and again without harm."""

import threading
from contextlib import contextmanager
from typing import NamedTuple

from . import apt, browser, console, fonts, guard, layout, node, odoo_source, postgres, python_env, server

_WAITING = "Another ./oms is setting up in this folder; waiting for it."


class Step(NamedTuple):
    """One part of what is needed: how to see that it is there, how to make it, and the disk space that takes."""

    title: str
    is_ready: callable
    build: callable
    needs_mb: int


class Background:
    """A step that is made beside the others, as it mostly waits for the network; under a lock of its own."""

    def __init__(self, step, lock_name):
        self.step = step
        self.error = None
        self.thread = threading.Thread(target=self._build, args=(lock_name,), daemon=True)
        if step.is_ready():
            self.thread = None
        else:
            guard.check_space(step.needs_mb)
            self.thread.start()

    def _build(self, lock_name):
        try:
            with guard.lock(lock_name):
                if not self.step.is_ready():
                    self.step.build()
        except Exception as error:  # noqa: BLE001 - raised again where the step is waited for
            self.error = error

    def join(self, progress):
        """Show the step, wait for its end, raise what it raised."""
        if not self.thread:
            progress.ready(self.step.title)
            return
        with progress.step(self.step.title):
            self.thread.join()
            if self.error:
                raise self.error


def _python():
    return Step("Python packages", python_env.is_ready, python_env.build, python_env.NEEDS_MB)


def _odoo():
    return Step(odoo_source.title(), odoo_source.is_ready, odoo_source.build, odoo_source.NEEDS_MB)


def _services():
    return [
        Step("Chinese font", fonts.is_ready, fonts.build, fonts.NEEDS_MB),
        Step(postgres.title(), postgres.is_ready, postgres.build, postgres.NEEDS_MB),
    ]


def _node():
    return Step("Node.js", node.is_ready, node.build, 400)


def _linters():
    return [
        Step("Linters for Python", lambda: python_env.is_ready(python_env.linters()), python_env.build_linters, 200),
        Step("Linters for JavaScript", node.are_linters_ready, node.build_linters, 200),
    ]


def ensure_host(extra_steps=0):
    """What running Odoo needs. Returns the progress, on which ``extra_steps`` more are to be shown."""
    with _set_up(4 + extra_steps) as progress:
        _ensure_odoo(progress)
        _ensure(progress, _services())
    return progress


def ensure_tests(extra_steps=0):
    """What the tests need. Returns the progress and the step of the shops, which goes on: join it before the tests."""
    with _set_up(7 + extra_steps) as progress:
        _ensure_odoo(progress)
        _ensure(progress, [_node()])
        packages = Step("Shops for the tests", node.are_shops_ready, node.build_shops, node.NEEDS_MB)
        shops = Background(packages, "shops")
        chromium = Step("Chromium for the browser tests", browser.is_ready, browser.build, browser.NEEDS_MB)
        _ensure(progress, [*_services(), chromium])
    return progress, shops


def ensure_lint():
    """What the linters need."""
    with _set_up(7) as progress:
        _ensure_odoo(progress)
        _ensure(progress, [*_services(), _node(), *_linters()])


def ensure_python():
    """What the tests without a database need."""
    with _set_up(2) as progress:
        _ensure_odoo(progress)


@contextmanager
def _set_up(total):
    """Hold the set-up lock; tidy when all went well."""
    layout.make_folders()
    with guard.lock("setup", _WAITING):
        yield console.Progress(total)
        apt.clean()
        if not server.running():
            python_env.remove_old()


def _ensure_odoo(progress):
    """Odoo and its Python packages, fetched side by side."""
    packages = Background(_python(), "python")
    _ensure(progress, [_odoo()])
    packages.join(progress)


def _ensure(progress, steps):
    for step in steps:
        if step.is_ready():
            progress.ready(step.title)
            continue
        guard.check_space(step.needs_mb)
        with progress.step(step.title):
            step.build()
