"""./oms test: the whole suite, or the parts named, on a database of its own."""

import os
import signal
import subprocess

from . import browser, database, guard, layout, odoo, python_env, setup, template
from .console import say
from .errors import OmsError

# Options of pytest whose value is the next word, so not a path or a name.
_WITH_VALUE = ("-k", "-m", "-n", "-p", "-o", "-W", "--durations", "--maxfail", "--tb", "--junitxml")


def test(arguments):
    """Run pytest and return its exit code; no test at all is a failure (pytest's code 5)."""
    fast = "--fast" in arguments
    selection = _resolve([argument for argument in arguments if argument != "--fast"])
    return _test_fast(selection) if fast else _test_all(selection)


def _resolve(arguments):
    """Turn names of addons, of test files and of tests into what pytest understands."""
    options, paths, words, takes_value = [], [], [], False
    for argument in arguments:
        if takes_value or argument.startswith("-"):
            options.append(argument)
            takes_value = not takes_value and argument in _WITH_VALUE
        elif (layout.ADDONS / argument.strip("/") / "__manifest__.py").is_file():
            paths.append(f"addons/{argument.strip('/')}")
        elif (layout.REPO / argument.split("::")[0]).exists():
            paths.append(argument)
        elif files := _find_files(argument):
            paths += files
        else:
            words.append(argument)
    if words:
        options += ["-k", " or ".join(words)]
    return [*options, *(paths or _everything())]


def _everything():
    return [folder for folder in ("tests", "addons") if (layout.REPO / folder).is_dir()]


def _find_files(name):
    stem = name.removesuffix(".py")
    found = [*layout.REPO.glob(f"tests/**/{stem}.py"), *layout.REPO.glob(f"addons/*/tests/**/{stem}.py")]
    return [str(path.relative_to(layout.REPO)) for path in sorted(found)]


def _test_fast(selection):
    """Only what needs no database, see conftest.py."""
    setup.ensure_python()
    env = odoo.environment(OMS_FAST="1")
    return _run_pytest(["-p", "no:odoo", *selection], env)


def _test_all(selection):
    progress, shops = setup.ensure_tests(extra_steps=1)
    suite, host = template.ensure(progress), template.host_name()
    shops.join(progress)
    browser.warm_up()
    _drop_leftovers()
    name = _free_name()
    with guard.lock(name) as lock:
        try:
            database.clone(suite, name)
            variables = {"OMS_TEMPLATE": suite, "OMS_HOST_TEMPLATE": host}
            env = layout.environment(ODOO_RC=odoo.configuration(name, http_port=8069), **variables)
            command = [f"--odoo-database={name}", "--odoo-http", "--odoo-log-level=warn", *selection]
            if selection == _everything() and (os.cpu_count() or 1) > 1:
                # Three processes, each on a clone of its own, for the whole suite; a class of tests stays in one. One
                # more than cores, as servers and browsers are waited for. In the order of collection: tests/ has the
                # long ones, which are not to be what is waited for at the end.
                command = ["-n", "3", "--dist", "loadscope", "--no-loadscope-reorder", "--durations=25", *command]
            return _run_pytest(command, env)
        finally:
            _drop(name)
            guard.remove(layout.CONF / f"{name}.conf")
            guard.remove(lock.name)


def _run_pytest(arguments, env):
    command = [str(python_env.python()), "-m", "pytest", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=layout.REPO, env=env, pass_fds=guard.held_locks())
    previous = signal.signal(signal.SIGTERM, lambda *_arguments: process.terminate())
    try:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                say("Waiting for the tests to end")  # pytest got the same Ctrl-C and closes its summary
    finally:
        signal.signal(signal.SIGTERM, previous)


def running():
    """Names of the test databases in use."""
    return guard.locked(layout.TESTS)


def _drop_leftovers():
    """Drop the databases of runs that were killed; those of runs that go on are locked."""
    for path in layout.LOCKS.glob(f"{layout.TESTS}*"):
        if not guard.is_locked(path):
            _drop(path.name)
            guard.remove(layout.CONF / f"{path.name}.conf")
            guard.remove(path)


def _drop(name):
    """Drop the database of a run and those of its processes; a name that only begins like it is another run's."""
    for one in [name, *database.names(f"{name}-")]:
        database.drop(one)


def _free_name():
    """A name that no database has: on a shared server another machine may have a run with our number."""
    first = f"{layout.TESTS}{os.getpid()}"
    taken = set(database.names(first))
    candidates = [first, *(f"{first}_{number}" for number in range(2, 100))]
    name = next((candidate for candidate in candidates if candidate not in taken), None)
    if not name:
        raise OmsError(f"All names {first}... are taken on this PostgreSQL server: drop old test databases.")
    return name
