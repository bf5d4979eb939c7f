"""./oms run: a running Odoo with our addons and a living example."""

import time

from . import database, guard, layout, odoo, odoo_source, server, setup, template
from .console import say
from .errors import OmsError

_DEMO = layout.REPO / "demo"
_SEED = _DEMO / "seed.py"
_MARKETPLACE = _DEMO / "marketplace.py"
_DEMO_ADDONS = _DEMO / "modules.txt"  # further modules the example needs, one a line
_FIRST_LOOK = _DEMO / "first_look.txt"
_FIRST_LOOK_WITHOUT_DEMO = """\
  OMS > Overview                     how many orders are in each stage, what is held and why
  OMS > Configuration                channels, rules, holds; connect the first shop
  Your picture > Preferences         Language: 简体中文
"""


def run(arguments):
    """Set up what is missing, make the database when there is none, start Odoo and say where it is."""
    started = time.monotonic()
    foreground = "--foreground" in arguments
    if unknown := [argument for argument in arguments if argument != "--foreground"]:
        raise OmsError(f"./oms run does not know {unknown[0]}; see ./oms --help")
    if not _running_here():
        server.check_port(layout.port())
    progress = setup.ensure_host(extra_steps=3)
    with guard.lock("run", "Another ./oms run is at work; waiting for it."):
        note = _ensure_database(progress)
        processes = _start(progress, note, foreground)
    _greet(time.monotonic() - started)
    if foreground:
        _wait(processes)
    return 0


def _running_here():
    """Whether our Odoo serves the database and the port asked for."""
    entry = server.running().get("odoo")
    return bool(entry) and (entry["database"], entry["port"]) == (layout.DATABASE, layout.port())


def _ensure_database(progress):
    """Make or update the database; return its note."""
    name = layout.DATABASE
    if not database.exists(name):
        template.ensure(progress, for_tests=False)
        with progress.step("Living example" if _has_demo() else "Company"):
            return _create(name)
    progress.ready("Databases")
    note = database.get_note(name)
    if not note:
        raise OmsError(
            f"The database {name} is there already and not made by ./oms. Choose another name: OMS_DB=oms2 ./oms run"
        )
    return _update(name, note, progress)


def _has_demo():
    return layout.WITH_DEMO and _SEED.is_file()


def _create(name):
    """Make the database aside and give it its name when it is whole."""
    guard.check_space(500)
    port = None
    aside = f"oms_new_{layout.home_id()}_run"
    database.clone(template.suite_name(), aside)
    if _has_demo():
        if addons := guard.read(_DEMO_ADDONS).split():
            odoo.install(aside, addons, "Installing what the example needs")
        port = layout.port("OMS_MARKETPLACE_PORT", server.free_port(layout.port() + 10))
        state = server.marketplace_state(name)
        guard.remove(state)
        marketplace = {"OMS_MARKETPLACE_URL": f"http://127.0.0.1:{port}", "OMS_MARKETPLACE_STATE": state}
        odoo.run_script(aside, _SEED, "Making the living example", **marketplace)
    note = {"addons": template.addon_digests(), "odoo": odoo_source.version(), "marketplace_port": port}
    database.set_note(aside, note)
    database.rename(aside, name)
    return note


def _update(name, note, progress):
    """Install the addons that are new and update those whose code changed since the database saw them."""
    digests = template.addon_digests()
    new = [addon for addon in digests if addon not in note["addons"]]
    changed = [addon for addon in digests if addon not in new and digests[addon] != note["addons"][addon]]
    if note["odoo"] != odoo_source.version():
        changed = ["base"]
    if not new and not changed:
        progress.ready(f"Database {name}")
        return note
    with progress.step(f"Database {name}: update of {', '.join(new + changed)}"):
        server.stop("odoo")
        if changed:
            odoo.update(name, changed, "Updating the addons")
        if new:
            odoo.install(name, new, "Installing the new addons")
        note |= {"addons": digests, "odoo": odoo_source.version()}
        database.set_note(name, note)
    return note


def _start(progress, note, foreground):
    """Start what does not run yet; return the processes started."""
    processes = []
    port = _marketplace_port(note)
    if _running_here() and not foreground:
        server.wait_until_answers(None, layout.port())  # it may still be starting, or hang
        progress.ready("Odoo (was running)")
    else:
        server.stop("odoo")
        server.check_port(layout.port())
        with progress.step("Odoo"):
            process = server.start_odoo(layout.DATABASE, layout.port(), log_to_terminal=foreground)
            server.wait_until_answers(process, layout.port())
            processes.append(process)
    if port:
        market = server.start_marketplace(_MARKETPLACE, port, layout.port(), layout.DATABASE, foreground)
        server.wait_until_answers(market, port, "marketplace", "/", seconds=30, host="127.0.0.1")
        processes.append(market)
    return processes


def _marketplace_port(note):
    """The port on which the marketplace is to be started, None where it runs or is not wanted.

    The company's channels know the port: it is that of the database, and where it is taken no other can be chosen.
    """
    port = note["marketplace_port"]
    if not (port and layout.WITH_DEMO and _MARKETPLACE.is_file()) or server.running().get("marketplace"):
        return None
    server.check_port(port, "start without the simulated marketplace: OMS_DEMO=0 ./oms run", "127.0.0.1")
    return port


def _wait(processes):
    """Stay until the user or an error ends Odoo, then end what was started with it."""
    try:
        processes[0].wait()
    except KeyboardInterrupt:
        say("Stopping")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()


def _greet(seconds):
    first_look = _FIRST_LOOK.read_text() if _has_demo() and _FIRST_LOOK.is_file() else _FIRST_LOOK_WITHOUT_DEMO
    say(f"""
Odoo is up after {seconds:.0f} s: http://{layout.HOST}:{layout.port()}
Login admin, password admin

What to look at first:
{first_look.rstrip()}

./oms logs shows what it does, ./oms stop ends it, ./oms reset makes the example anew.""")
