"""The race for the last units through all doors at once, plain Odoo beside ours."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import databases
import race

RESULTS = Path(__file__).resolve().parent / "results"


def contest(name, products, heats, stock):
    """One race on database ``name``; what came of it as a dict."""
    contested, work = race.prepare_all(name, products, heats, stock)
    databases.close(name)
    seconds, errors = race.run(name, work)
    # Who is ready waits for the last of a heat; how long eight processes take to start is not part of it.
    doors = len(race.ALL_DOORS)
    elapsed = sum(max(seconds[first : first + doors]) for first in range(0, len(seconds), doors))
    found = race.count_bound(name, contested)
    lost = errors.get("gave up", 0)
    sent_back = sum(times for error, times in errors.items() if error not in ("gave up", "answered"))
    return {
        "attempts": len(seconds),
        "products": products,
        "oversold products": sum(reserved > max(there, 0) for there, reserved, *_rest in found.values()),
        "promised too much": sum(
            promised > max(there - reserved, 0) for there, reserved, promised, _taken in found.values()
        ),
        "not sold though wanted": sum(
            reserved + promised + taken < stock for _there, reserved, promised, taken in found.values()
        ),
        "answered": errors.get("answered", 0),
        "sent back and tried again": sent_back - lost,
        "attempts lost": lost,
        "attempts a second": round(len(seconds) / elapsed, 2),
        "median s": round(sorted(seconds)[len(seconds) // 2], 3),
        "95 % s": round(sorted(seconds)[int(len(seconds) * 0.95)], 3),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--attempts", type=int, default=2000, help=f"{len(race.ALL_DOORS)} at a time")
    parser.add_argument("--products", type=int, default=40)
    parser.add_argument("--stock", type=int, default=3, help="units of each product")
    parser.add_argument("--kinds", default="plain,ours")
    parser.add_argument("--plain-template", help="database to take as plain Odoo, instead of installing one")
    args = parser.parse_args()
    databases.configure()
    result = {}
    for kind in args.kinds.split(","):
        name = f"{databases.PREFIX}doors_{kind}"
        databases.clone(databases.template(kind, args.plain_template), name)
        result[kind] = contest(name, args.products, args.attempts // len(race.ALL_DOORS), args.stock)
        databases.drop(name)
    print(f"{'':26}" + "".join(f"{title:>14}" for title in result))
    for row in next(iter(result.values())):
        print(f"{row:26}" + "".join(f"{found[row]:>14}" for found in result.values()))
    result["load"] = os.getloadavg()
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"doors-{time.strftime('%Y%m%d-%H%M%S')}.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
