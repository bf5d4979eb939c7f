"""The small commands: stop, reset, shell, logs, bench, i18n, odoo-tests."""

import json
import os
import subprocess

from . import database, guard, layout, node, odoo, postgres, python_env, server, setup, template, testing
from .console import say
from .errors import OmsError

# Scripts of bench/ beside the one that measures the way of an order.
BENCHES = ("review", "capture", "publish", "sellable", "allocate", "solver", "race")


def stop(arguments):
    """Stop Odoo, the marketplace and the private PostgreSQL; the last stays while tests use it."""
    stopped = [name for name in ("odoo", "marketplace") if server.stop(name)]
    if tests := testing.running():
        say(f"PostgreSQL stays up: tests are running on {', '.join(tests)}.")
    elif postgres.stop():
        stopped.append("PostgreSQL")
    say(f"Stopped: {', '.join(stopped)}" if stopped else "Nothing was running.")
    return 0


def reset(arguments):
    """Drop the database of ./oms run; with --all every database of ours, so that all is made anew."""
    everything = "--all" in arguments
    if "--yes" not in arguments and not _confirm(everything):
        say("Nothing was dropped.")
        return 1
    if testing.running():
        raise OmsError("Tests are running; wait for them or end them, then run this again.")
    server.stop("odoo")
    server.stop("marketplace")
    if everything and not postgres.is_given():
        postgres.stop()
        guard.remove(layout.PGDATA)
        guard.remove(layout.DATA)
    else:
        setup.ensure_host()
        dropped = _drop_databases(everything)
        say(f"Dropped: {', '.join(dropped)}" if dropped else f"There was no database {layout.DATABASE}.")
    say("./oms run makes it anew.")
    return 0


def _drop_databases(everything):
    names = [layout.DATABASE] if database.exists(layout.DATABASE) and database.get_note(layout.DATABASE) else []
    if everything:
        names += [name for name in database.names("oms_") if f"_{layout.home_id()}_" in name]
    for name in names:
        database.drop(name)
    return names


def _confirm(everything):
    what = "every database of ./oms" if everything else f"the database {layout.DATABASE} with all that is in it"
    try:
        return input(f"This drops {what}. Go on? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def shell(arguments):
    """Odoo's Python shell on the database of ./oms run."""
    setup.ensure_host()
    if not database.exists(layout.DATABASE):
        raise OmsError(f"There is no database {layout.DATABASE} yet: ./oms run makes it.")
    command = [python_env.odoo(), "shell", "-d", layout.DATABASE, "--no-http", "--log-level=warn", *arguments]
    return subprocess.call(list(map(str, command)), cwd=layout.REPO, env=odoo.environment())


def logs(arguments):
    """Show the end of a log and go on with it on a terminal; without a name Odoo's."""
    names = [argument for argument in arguments if not argument.startswith("-")] or ["odoo"]
    path = layout.PGDATA / "server.log" if names[0] == "postgresql" else server.log_path(names[0])
    if not path.is_file():
        there = ", ".join(sorted(file.stem for file in layout.LOG.glob("*.log"))) or "none yet"
        raise OmsError(f"There is no log {names[0]}. Logs: {there}.")
    follow = ["-f"] if "-f" in arguments or os.isatty(1) else []
    try:
        return subprocess.call(["tail", "-n", "100", *follow, str(path)])
    except KeyboardInterrupt:
        return 0


def bench(arguments):
    """What an order costs, plain Odoo beside ours; with one of `BENCHES` first: what that measures, see its README."""
    name = "run"
    if arguments and arguments[0] in BENCHES:
        name, *arguments = arguments
        name = {"race": "all_doors"}.get(name, name)  # race.py is what processes run in it
    script = layout.REPO / f"bench/{name}.py"
    setup.ensure_host()
    if name == "publish":
        if not node.is_ready():
            node.build()
        node.build_shops()
    if name != "solver" and not any(argument.startswith("--plain-template") for argument in arguments):
        arguments = ["--plain-template", template.ensure_host(), *arguments]
    command = [python_env.python(), script, *arguments]
    return subprocess.call(list(map(str, command)), cwd=layout.REPO, env=odoo.environment())


def i18n(arguments):
    """Write the .pot and update the zh_CN.po of the addons named, or of all; say what is left to translate."""
    addons = arguments or layout.our_addons()
    bridges = [name for name in addons if name in layout.BRIDGES]
    if unknown := set(addons) - {*layout.our_addons(), *bridges}:
        raise OmsError(f"There is no addon {', '.join(sorted(unknown))} in addons/.")
    setup.ensure_host()
    template.ensure()
    name = f"oms_i18n_{os.getpid()}"
    database.clone(template.suite_name(), name)
    before = {addon: (layout.ADDONS / addon / "i18n/zh_CN.po").read_text() for addon in addons}
    try:
        if bridges:
            odoo.install(name, bridges, "Installing what the bridges lead to")
        command = [
            python_env.odoo(),
            "i18n",
            "export",
            "-c",
            odoo.configuration(),
            "-d",
            name,
            *addons,
            "-l",
            "pot",
            "zh_CN",
        ]
        if subprocess.call(list(map(str, command)), cwd=layout.REPO, env=odoo.environment()):
            return 1
        report = [python_env.python(), layout.REPO / "bin/untranslated.py"]
        return subprocess.run(
            list(map(str, report)),
            check=False,
            cwd=layout.REPO,
            env=odoo.environment(),
            input=json.dumps(before),
            text=True,
        ).returncode
    finally:
        database.drop(name)


def odoo_tests(arguments):
    """Odoo's own tests with our addons and without, and what differs."""
    progress, shops = setup.ensure_tests()
    shops.join(progress)
    names = {"OMS_HOST_TEMPLATE": template.ensure_host(), "OMS_TEMPLATE": template.ensure()}
    command = [python_env.python(), layout.REPO / "bin/odoo_own_tests.py", *arguments]
    return subprocess.call(
        list(map(str, command)), cwd=layout.REPO, env=odoo.environment(PYTHONPATH=layout.REPO / "bin", **names)
    )
