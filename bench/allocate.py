"""What it costs to find an order its warehouses, make its transfers and reserve them; plain Odoo beside it.

Orders of three lines in batches. Plain Odoo: `action_confirm` and `action_assign`. Ours: the same calls on orders of a
channel that three warehouses may serve, which are allocated by the way; what the review costs is measured apart
(`./oms bench review`), so it is done before.
"""

import argparse
import gc
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import databases
import run
from flow import Flow, seed
from meter import calibration

RESULTS = Path(__file__).resolve().parent / "results"
STAGES = ("confirm", "reserve")
BEFORE = ("partner", "create", "review")


def prepare(kind, given):
    """A database of one kind with products, and stock in three warehouses."""
    name = databases.clone(databases.template(kind, given), f"{databases.PREFIX}allocate_{kind}")
    with databases.environment(name) as env:
        seed(env)
        env.cr.commit()
    databases.close(name)
    databases.sql(name, "VACUUM ANALYZE")
    return name


def work(name, flow, stages):
    for stage in stages:
        with databases.environment(name) as env:
            flow.run(stage, env)
            env.cr.commit()


def measure(names, size, batches):
    """Both databases batch by batch, in turn: {(kind, 0, stage): [(python, postgres, queries, slowness)]}."""
    costs = {}
    for batch in range(-1, batches):  # the first only fills the caches
        flows = {kind: Flow(1_000_000 + batch * size, size) for kind in names}
        for kind, name in names.items():
            work(name, flows[kind], BEFORE)
        for stage in STAGES:
            for kind, name in names.items():
                slowness = calibration()
                cost = run.measure(name, flows[kind], stage)
                if batch >= 0:
                    costs.setdefault((kind, 0, stage), []).append((*cost, (slowness + calibration()) / 2))
    return costs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=50, help="orders a batch")
    parser.add_argument("--batches", type=int, default=10)
    parser.add_argument("--plain-template", help="database to take as plain Odoo, instead of installing one")
    parser.add_argument(
        "--profile", action="store_true", help="show where the Python time of ours goes, and measure nothing"
    )
    args = parser.parse_args()
    databases.configure()
    names = {kind: prepare(kind, args.plain_template) for kind in ("plain", "ours")}
    gc.freeze()
    if args.profile:
        return profile(names["ours"], args.size)
    costs = measure(names, args.size, args.batches)
    nominal = min(row[3] for rows in costs.values() for row in rows)
    table = {}
    for key, rows in costs.items():
        table[key] = {
            "cpu": run.statistics.median((row[0] + row[1]) * nominal / row[3] for row in rows),
            "python": run.statistics.median(row[0] * nominal / row[3] for row in rows),
            "postgres": run.statistics.median(row[1] * nominal / row[3] for row in rows),
            "queries": run.statistics.mean(row[2] for row in rows),
        }
    for kind in names:
        table[kind, 0, "all"] = {
            name: sum(table[kind, 0, stage][name] for stage in STAGES)
            for name in ("cpu", "python", "postgres", "queries")
        }
    print(f"batches of {args.size}; per order of three lines: CPU ms (python + postgres), queries")
    for stage in (*STAGES, "all"):
        cells = "".join(
            "{cpu:10.1f} ({python:.1f} + {postgres:.1f}) {queries:6.1f} q".format(**table[kind, 0, stage])
            for kind in names
        )
        ratio = table["ours", 0, stage]["cpu"] / table["plain", 0, stage]["cpu"]
        print(f"{stage:10}{cells}   ours/plain {ratio:.2f}")
    RESULTS.mkdir(exist_ok=True)
    result = {"load": os.getloadavg(), "costs": {" ".join(map(str, key)): cost for key, cost in table.items()}}
    (RESULTS / f"allocate-{time.strftime('%Y%m%d-%H%M%S')}.json").write_text(json.dumps(result, indent=1))
    for name in names.values():
        databases.drop(name)
    return None


def profile(name, size):
    """Print where the time of one warm batch goes."""
    import cProfile
    import pstats

    for batch in range(2):
        flow = Flow(5_000_000 + batch * size, size)
        work(name, flow, BEFORE)
        profiler = cProfile.Profile()
        if batch:
            profiler.enable()
        work(name, flow, STAGES)
        profiler.disable()
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(r"addons|solver|highs", 60)


if __name__ == "__main__":
    main()
