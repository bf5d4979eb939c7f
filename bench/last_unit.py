"""The race for the last unit, and the crowd on products with plenty of stock, plain Odoo beside ours."""

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import databases
import race

RESULTS = Path(__file__).resolve().parent / "results"


def contest(name, processes, products, stock, repeat):
    """One race on database ``name``; what came of it as a dict."""
    contested, work = race.prepare(name, processes, products, "confirm", stock=stock)
    if repeat:  # a crowd: orders of the same products again and again, each process at its own pace
        for _time in range(repeat - 1):
            work = [mine + more for mine, more in zip(work, _more_orders(name, processes, contested), strict=True)]
    seconds, errors = race.run(name, work, together=not repeat)
    found = race.count(name, contested)
    return {
        "orders": len(seconds),
        "products": products,
        "oversold products": sum(reserved > there for there, reserved, _quants, _rows in found.values()),
        "oversold units": sum(max(0, reserved - there) for there, reserved, _quants, _rows in found.values()),
        "second quants": sum(rows - 1 for *_quantities, rows in found.values()),
        "refused and tried again": sum(times for error, times in errors.items() if error != "gave up")
        - errors.get("gave up", 0),
        "orders lost": errors.get("gave up", 0),
        "median s": round(statistics.median(seconds), 3),
        "95 % s": round(sorted(seconds)[int(len(seconds) * 0.95)], 3),
    }


def _more_orders(name, processes, products):
    with databases.environment(name) as env:
        first = env["sale.order"].search(
            [("order_line.product_id", "in", products)], order="id", limit=processes * len(products)
        )
        orders = env["sale.order"].browse()
        for order in first:
            orders += order.copy()
        env.cr.commit()
        jobs = [f"confirm {order.id}" for order in orders]
        return [jobs[i * len(products) : (i + 1) * len(products)] for i in range(processes)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--products", type=int, default=40, help="products of which one unit is left")
    parser.add_argument("--kinds", default="plain,ours")
    parser.add_argument("--plain-template", help="database to take as plain Odoo, instead of installing one")
    args = parser.parse_args()
    databases.configure()
    result = {}
    for kind in args.kinds.split(","):
        name = f"{databases.PREFIX}race_{kind}"
        databases.clone(databases.template(kind, args.plain_template), name)
        result[f"{kind}, last unit"] = contest(name, args.processes, args.products, 1, 0)
        databases.clone(databases.template(kind, args.plain_template), name)
        result[f"{kind}, crowd"] = contest(name, args.processes, 5, 10_000, 6)
        databases.drop(name)
    rows = list(next(iter(result.values())))
    print(f"{'':26}" + "".join(f"{title:>20}" for title in result))
    for row in rows:
        print(f"{row:26}" + "".join(f"{found[row]:>20}" for found in result.values()))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"last-unit-{time.strftime('%Y%m%d-%H%M%S')}.json").write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
