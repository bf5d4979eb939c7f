"""The commands of ./oms and what is said about them."""

import signal
import sys

from . import layout, linting, run, testing, tools
from .errors import OmsError, explain_os_error

HELP = """\
Usage: ./oms COMMAND

  run [--foreground]        set up what is missing, start Odoo with the living example, say where it is
  test [PATHS OR NAMES]     run the tests: all, or those of an addon, a file or a name; other options go to pytest
  test --fast               only the tests that need no database, in seconds
  lint [LINTER...]          ruff, ruff-format, pylint-odoo, test_lint, prettier, eslint
  stop                      stop Odoo, the simulated marketplace and the private PostgreSQL
  reset [--all] [--yes]     drop the database of run, with --all every database of ours
  shell [OPTIONS]           Odoo's Python shell on the database of run
  logs [NAME] [-f]          show a log: odoo (default), marketplace, postgresql, install, ...
  bench [OPTIONS]           what an order costs, plain Odoo beside ours; see bench/README.md
  bench review [OPTIONS]    what it costs to judge an order, OCA's sale_exception beside ours
  bench capture [OPTIONS]   what it costs to take an order in and to compare stock, plain Odoo beside ours
  bench allocate [OPTIONS]  what it costs to allocate, confirm and reserve an order, plain Odoo beside ours
  bench race [OPTIONS]      2,000 attempts to get the last units through all doors, plain Odoo beside ours
  bench publish [OPTIONS]   how soon a real Medusa shop has changed stock, while orders arrive
  bench sellable [OPTIONS]  what it costs to know what can be sold, Odoo's free_qty beside it
  bench solver [OPTIONS]    how long allocation thinks about an order, and what it saves to weigh orders of a batch
  i18n [ADDON...]           for maintainers: write the translation catalogues, list what is untranslated
  odoo-tests [MODULE...]    for maintainers: Odoo's own tests with and without our addons, and what differs

Examples
  ./oms test oms_base                    ./oms test test_hold -x
  ./oms test tests/test_install.py       ./oms test -k "hold and not release"

Variables
  OMS_PORT=8069      the port of ./oms run           OMS_DB=oms    its database
  OMS_HOST=127.0.0.1 where it listens                OMS_DEMO=0    without the living example
  OMS_HOME=.oms      where everything is kept        PYTHON=...    the Python to use, 3.11 or later
  OMS_MARKET_RATE=30/min  how fast the example's shops sell; 0 for not at all
  ODOO_HOME=...      an Odoo 19 you have: none is fetched
  PGHOST, PGPORT, PGUSER, PGPASSWORD, ...  a PostgreSQL you have: none is started
"""

COMMANDS = {
    "run": run.run,
    "test": testing.test,
    "lint": linting.lint,
    "stop": tools.stop,
    "reset": tools.reset,
    "shell": tools.shell,
    "logs": tools.logs,
    "bench": tools.bench,
    "i18n": tools.i18n,
    "odoo-tests": tools.odoo_tests,
}


def main(arguments):
    """Run one command and return the exit code."""
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(HELP, end="")
        return 0
    name, *rest = arguments
    if name not in COMMANDS:
        print(f"oms: there is no command {name}; see ./oms --help", file=sys.stderr)
        return 2
    if rest[:1] in (["--help"], ["-h"]):
        print(HELP, end="")
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return COMMANDS[name](rest)
    except OmsError as error:
        print(f"oms: {error}", file=sys.stderr)
    except OSError as error:
        print(f"oms: {explain_os_error(error, layout.HOME)}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\noms: stopped. The same command goes on from here.", file=sys.stderr)
        return 130
    return 1
