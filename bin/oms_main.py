"""Entry point of the launcher, started by ./oms."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said in a sentence, before anything newer is imported
    sys.exit(
        f"oms: Python 3.11 or later is needed, {sys.executable} is {sys.version.split()[0]}. "
        "Point PYTHON to a newer one: PYTHON=/usr/bin/python3.11 ./oms ..."
    )

from launcher.cli import main

sys.exit(main(sys.argv[1:]))
