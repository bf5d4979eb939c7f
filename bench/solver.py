"""How long allocation thinks about one order, and what it saves to weigh 1,000 against each other. See README.md.

Needs no database: the solver is plain Python.
"""

import argparse
import importlib.util
import json
import random
import statistics
import sys
import time
from decimal import Decimal
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
RESULTS = REPO / "bench/results"


def load():
    """Import the solver by its folder: the addon around it would import Odoo's models."""
    folder = REPO / "addons/oms_allocation/solver"
    spec = importlib.util.spec_from_file_location(
        "oms_solver", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


solver = load()
STRATEGIES = {
    "default": solver.DEFAULT_STRATEGY,
    "parcels, then money": solver.Strategy(solver.ordered("parcels", "money")),
    "money": solver.Strategy(solver.ordered("money")),
    "days, then money": solver.Strategy(solver.ordered("days", "money")),
    "weighted": solver.Strategy(((("missing", 1),), (("money", 1), ("days", 100), ("metres", Decimal("0.001"))))),
}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=1000, help="orders of the batch")
    parser.add_argument("--warehouses", type=int, default=10)
    parser.add_argument("--products", type=int, default=300)
    parser.add_argument("--stock", type=int, default=80, help="stock, as a percentage of what is wanted")
    parser.add_argument("--seconds", default="10,60", help="what the library is allowed, comma separated")
    parser.add_argument("--single", type=int, default=500, help="single orders of each strategy")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def make_warehouses(rng, count):
    """Return candidates as for one buyer: the farther, the dearer and the later."""
    warehouses = []
    for number in range(1, count + 1):
        km = float(rng.randint(20, 2500))
        freight = solver.Freight(1000, 600 + round(km / 5), 1000, 100 + round(km / 10))
        warehouses.append(
            solver.Warehouse(
                number,
                km,
                days=1 + int(km // 800),
                freight=freight,
                handling_order=rng.randint(80, 150),
                handling_line=rng.randint(10, 40),
                packaging=80,
            )
        )
    return tuple(warehouses)


def make_single(rng, strategy):
    """Return one order of three lines and the stock of ten warehouses, three in five have a product."""
    demands = tuple(
        solver.Demand(line, line, Decimal(rng.choice((1, 1, 1, 2, 3))), weight_g=rng.randint(100, 2000))
        for line in range(1, 4)
    )
    supplies = [
        solver.Supply(warehouse, product, Decimal(rng.randint(0, 20)))
        for warehouse in range(1, 11)
        for product in range(1, 4)
        if rng.random() < 0.6
    ]
    return solver.Order(1, demands, make_warehouses(rng, 10), strategy=strategy), supplies


def make_batch(args):
    """Return orders of one to four lines, and less stock than they want, each product in two to five warehouses."""
    rng = random.Random(args.seed)
    wanted, orders = {}, []
    for number in range(args.orders):
        demands = []
        for place, product in enumerate(rng.sample(range(1, args.products + 1), rng.choice((1, 1, 2, 3, 3, 4)))):
            quantity = rng.choice((1, 1, 1, 2, 3))
            wanted[product] = wanted.get(product, 0) + quantity
            demands.append(solver.Demand(10 * number + place, product, Decimal(quantity), weight_g=300, value=100))
        orders.append(solver.Order(number, tuple(demands), make_warehouses(rng, args.warehouses), sequence=number))
    supplies = []
    for product, quantity in wanted.items():
        places = rng.sample(range(1, args.warehouses + 1), min(args.warehouses, rng.randint(2, 5)))
        shares = dict.fromkeys(places, 0)
        for _unit in range(quantity * args.stock // 100):
            shares[rng.choice(places)] += 1
        supplies += [solver.Supply(place, product, Decimal(share)) for place, share in shares.items() if share]
    return orders, supplies


def measure_single(count):
    """Return {strategy: median CPU ms of one order of three lines and ten warehouses, with why the others lost}."""
    result = {}
    for name, strategy in STRATEGIES.items():
        rng, times = random.Random(1), []
        for _number in range(count):
            order, supplies = make_single(rng, strategy)
            start = time.process_time()
            plan = solver.solve_order(order, supplies)
            times.append(1000 * (time.process_time() - start))
            assert plan.is_proven
        result[name] = {"median": statistics.median(times), "p95": statistics.quantiles(times, n=20)[-1]}
        print(f"{name:22}{result[name]['median']:8.2f} ms median {result[name]['p95']:8.2f} ms 95th percentile")
    return result


def describe(totals):
    return {
        "missing": float(totals.missing),
        "complete": totals.complete,
        "parcels": totals.parcels,
        "km": totals.metres // 1000,
        "money": totals.money.total,
    }


def measure_batch(args):
    orders, supplies = make_batch(args)
    start = time.perf_counter()
    solver.solve_in_turn(orders, supplies)
    spent = time.perf_counter() - start
    print(f"\n{args.orders} orders one by one: {spent:.2f} s, {1000 * spent / args.orders:.2f} ms an order")
    result = {"in_turn_seconds": spent, "runs": {}}
    for seconds in map(float, args.seconds.split(",")):
        start = time.perf_counter()
        found = solver.solve_batch(orders, supplies, seconds)
        spent = time.perf_counter() - start
        before, after = describe(found.in_turn), describe(found.totals)
        assert after["missing"] <= before["missing"], "worse than one by one"
        gap = "unknown" if found.gap is None else f"{found.gap:.1%}"
        print(f"\n{seconds:g} s allowed, {spent:.1f} s in all: {found.method}, gap {gap} at level {found.gap_level}")
        for name, value in before.items():
            change = f"{after[name] / value - 1:+.1%}" if value else ""
            print(f"  {name:10}{value:14,.0f} one by one {after[name]:14,.0f} weighed {change:>8}")
        run = {"seconds": spent, "method": found.method, "gap": found.gap, "gap_level": found.gap_level}
        result["runs"][seconds] = {**run, "in_turn": before, "weighed": after}
    return result


def main():
    args = arguments()
    result = {"arguments": vars(args), "single": measure_single(args.single), "batch": measure_batch(args)}
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"{time.strftime('%Y%m%d-%H%M%S')}-solver.json"
    target.write_text(json.dumps(result, indent=1))
    print(f"\n{target}")


if __name__ == "__main__":
    main()
