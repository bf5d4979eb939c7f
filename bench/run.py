"""What an order costs at each stage, plain Odoo beside ours in the same run. See README.md."""

import argparse
import gc
import json
import os
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import databases
import history
from flow import Flow, seed
from meter import Meter, calibration

RESULTS = Path(__file__).resolve().parent / "results"
# What ours may cost, all stages of an order together.
MOST_BESIDE_PLAIN = 1.10  # one by one, beside plain Odoo of the same run
MOST_CPU, MOST_QUERIES = 200, 120  # in batches of 50
MOST_GROWTH = 0.10  # with the longest history, beside the shortest


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a small run: 100 orders in batches, 10 one by one, short history"
    )
    parser.add_argument("--orders", type=int, default=500, help="orders of each size measured")
    parser.add_argument("--sizes", default="1,50", help="orders a batch, comma separated")
    parser.add_argument("--history", default="500,10000", help="orders that are there already, comma separated")
    parser.add_argument("--kinds", default="plain,ours", help="plain, ours or both")
    parser.add_argument("--plain-template", help="database to take as plain Odoo, instead of installing one")
    parser.add_argument("--keep", action="store_true", help="leave the databases for a look, or for --reuse")
    parser.add_argument("--prepare", action="store_true", help="only make the databases, and leave them for --reuse")
    parser.add_argument("--reuse", action="store_true", help="take the databases that --prepare or --keep left")
    args = parser.parse_args()
    args.sizes = [int(size) for size in args.sizes.split(",")]
    args.history = [int(length) for length in args.history.split(",")]
    args.kinds = args.kinds.split(",")
    if args.quick:
        args.orders, args.history = 100, [50]
    return args


def prepare(kind, lengths, given):
    """Databases of one kind, one for each length of history: {length: name}."""
    base = databases.clone(databases.template(kind, given), f"{databases.PREFIX}{kind}_base")
    with databases.environment(base) as env:
        seed(env)
        env.cr.commit()
    before = history.highest_ids(base)
    start = min(lengths)
    for first in range(0, start, 50):
        run_batch(base, Flow(first, min(50, start - first)))
    databases.close(base)
    databases.sql(base, "VACUUM ANALYZE")
    names = {}
    for length in lengths:
        names[length] = databases.clone(base, f"{databases.PREFIX}{kind}_{length}")
        if length > start:
            history.multiply(names[length], before, length // start - 1, start)
    databases.drop(base)
    return names


def reuse(kind, lengths, _given):
    """The databases that an earlier run left: {length: name}."""
    names = {length: f"{databases.PREFIX}{kind}_{length}" for length in lengths}
    if missing := [name for name in names.values() if not databases.exists(name)]:
        sys.exit(f"There is no {', '.join(missing)}: run with --prepare first.")
    return names


def run_batch(database, flow):
    for stage in Flow.STAGES:
        with databases.environment(database) as env:
            flow.run(stage, env)
            env.cr.commit()


def measure(database, flow, stage):
    """Run one stage of one batch; its cost per order: (python ms, postgres ms, queries)."""
    with databases.environment(database) as env, Meter(env.cr) as meter:
        flow.run(stage, env)
        env.cr.commit()
    return 1000 * meter.python / flow.size, 1000 * meter.postgres / flow.size, meter.queries / flow.size


def series(names, size, orders, first):
    """Measure all databases batch by batch, in turn, so that noise meets all alike.

    :return: {(kind, length, stage): [(python, postgres, queries, slowness)]}; slowness is the calibration loop's time
    """
    costs = {}
    warm = size if size > 1 else 3
    for batch in range(-1, orders // size):  # the first only fills the caches
        if batch > 0 and batch * size % 100 == 0:
            print(f"{batch * size} orders", flush=True)
        flows = {key: Flow(first + (batch + 1) * size, size) for key in names}
        if batch < 0:
            for name in names.values():
                run_batch(name, Flow(first + 900_000, warm))
            gc.collect()
            gc.freeze()  # what is loaded now stays: the collections between the stages need not walk through it
            continue
        before = calibration()
        for stage in Flow.STAGES:
            for key, name in names.items():
                cost = measure(name, flows[key], stage)
                after = calibration()
                costs.setdefault((*key, stage), []).append((*cost, (before + after) / 2))
                before = after
    return costs


def summary(costs, nominal):
    """Median CPU at the machine's best speed and mean queries, for each key of ``costs`` and for all stages."""
    table = {}
    for key, rows in costs.items():
        table[key] = {
            "cpu": statistics.median((python + postgres) * nominal / slow for python, postgres, _queries, slow in rows),
            "python": statistics.median(row[0] * nominal / row[3] for row in rows),
            "postgres": statistics.median(row[1] * nominal / row[3] for row in rows),
            "queries": statistics.mean(row[2] for row in rows),
        }
    for kind, length in {key[:2] for key in costs}:
        stages = [table[kind, length, stage] for stage in Flow.STAGES]
        table[kind, length, "all"] = {name: sum(stage[name] for stage in stages) for name in stages[0]}
    return table


def show(size, table):
    keys = sorted({key[:2] for key in table}, key=lambda key: (key[1], key[0] != "plain"))
    print(f"\nbatches of {size}; per order: CPU ms (python + postgres), queries")
    print(
        f"{'':10}" + "".join(f"{kind + ' after ' + str(length):>34}" for kind, length in keys) + f"{'ours/plain':>14}"
    )
    for stage in (*Flow.STAGES, "all"):
        cells = []
        for key in keys:
            cost = table[*key, stage]
            cells.append(
                f"{cost['cpu']:9.1f} ({cost['python']:5.1f} + {cost['postgres']:5.1f}) {cost['queries']:6.1f} q"
            )
        ratio = ""
        first = keys[0][1]
        if ("plain", first) in keys and ("ours", first) in keys and table["plain", first, stage]["cpu"]:
            ratio = f"{table['ours', first, stage]['cpu'] / table['plain', first, stage]['cpu']:.2f}"
        print(f"{stage:10}" + "".join(f"{cell:>34}" for cell in cells) + f"{ratio:>14}")
    lengths = sorted({length for _kind, length in keys})
    for kind in sorted({kind for kind, _length in keys}):
        short, long = table[kind, lengths[0], "all"], table[kind, lengths[-1], "all"]
        if short is not long:
            print(
                f"growth of {kind}, {lengths[0]} -> {lengths[-1]} orders: CPU {long['cpu'] / short['cpu'] - 1:+.1%}, "
                f"queries {long['queries'] / short['queries'] - 1:+.1%}"
            )


def check(size, table):
    """Print the limits that ours keeps or breaks in batches of one size; return whether all are kept."""
    lengths = sorted({key[1] for key in table if key[0] == "ours"})
    if not lengths:
        return True
    ours, plain = table["ours", lengths[0], "all"], table.get(("plain", lengths[0], "all"))
    limits = []
    if size == 1 and plain:
        limits.append(("ours/plain", ours["cpu"] / plain["cpu"], MOST_BESIDE_PLAIN))
    if size >= 50:
        limits += [("CPU ms", ours["cpu"], MOST_CPU), ("queries", ours["queries"], MOST_QUERIES)]
    if len(lengths) > 1:
        limits.append(("growth", table["ours", lengths[-1], "all"]["cpu"] / ours["cpu"] - 1, MOST_GROWTH))
    for name, value, most in limits:
        print(f"{name} {value:.2f}, at most {most:.2f}: {'kept' if value <= most else 'BROKEN'}")
    return all(value <= most for _name, value, most in limits)


def main():
    args = arguments()
    databases.configure()
    names = {}
    for kind in args.kinds:
        for length, name in (reuse if args.reuse else prepare)(kind, args.history, args.plain_template).items():
            names[kind, length] = name
    if args.prepare:
        return 0
    result = {"arguments": vars(args), "load": os.getloadavg(), "sizes": {}}
    costs = {}
    # Names that no earlier run gave: each second has its own. The odd thousand spreads the phones made from them.
    start = int(time.time()) % 1_000_000 * 10_001_000 if args.reuse else 0
    for number, size in enumerate(args.sizes):
        orders = 10 if args.quick and size == 1 else args.orders
        costs[size] = series(names, size, orders, start + 1_000_000 * (number + 1))
    nominal = min(row[3] for by_key in costs.values() for rows in by_key.values() for row in rows)
    kept = True
    for size in args.sizes:
        table = summary(costs[size], nominal)
        show(size, table)
        kept &= check(size, table)
        result["sizes"][size] = {" ".join(map(str, key)): cost for key, cost in table.items()}
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}.json"
    target.write_text(json.dumps(result, indent=1))
    print(f"\n{target}")
    if not args.keep:
        for name in names.values():
            databases.drop(name)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
