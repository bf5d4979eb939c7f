"""What it costs to take orders in from shops, and to tell shops of stock. See README.md."""

import argparse
import functools
import gc
import json
import os
import random
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import databases
from flow import LINES, Flow, make_products, seed
from meter import Meter, calibration

RESULTS = Path(__file__).resolve().parent / "results"
LANES = 4
SIZE = 50


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=600, help="orders taken in, a multiple of 200; 0: only stock")
    parser.add_argument("--listings", default="1000,10000", help="listings whose stock is compared, comma separated")
    parser.add_argument("--single", type=int, default=200, help="products whose free_qty is read one by one")
    parser.add_argument("--plain-template", help="database to take as plain Odoo, instead of installing one")
    parser.add_argument("--template", help="database with our addons to clone, instead of installing one")
    parser.add_argument("--keep", action="store_true", help="leave the databases for a look")
    args = parser.parse_args()
    args.listings = [int(count) for count in args.listings.split(",")]
    return args


def costs_of(database, work, count):
    """Run ``work(env)`` in a transaction of its own: (python ms, postgres ms, queries) of each of ``count``, slow."""
    slowness = calibration()
    with databases.environment(database) as env, Meter(env.cr) as meter:
        work(env)
        env.cr.commit()
    slowness = (slowness + calibration()) / 2
    return 1000 * meter.python / count, 1000 * meter.postgres / count, meter.queries / count, slowness


# === ORDERS === #


def payload(number):
    """The order of `Flow.create`, as a partner sends it to the inbound API."""
    rng = random.Random(number)
    return {
        "external_id": f"CAP-{number}",
        "placed_at": "2026-11-11T08:00:00Z",
        "currency": "USD",
        "is_tax_included": False,
        "buyer": {"id": f"B{number}", "name": f"Customer {number}", "email": f"c{number}@example.com"},
        "shipping_address": {
            "name": f"Customer {number}",
            "street": f"{number} Main Street",
            "city": "Springfield",
            "province": "California",
            "zip": f"{10000 + number % 80000}",
            "country_code": "US",
            "phone": f"+1 217 {2000000 + number % 8000000}",
        },
        "lines": [
            {
                "sku": f"BENCH{product:04}",
                "title": f"BENCH {product}",
                "quantity": rng.randint(1, 3),
                "price_unit": f"{rng.randint(1000, 5000) / 100:.2f}",
            }
            for product in rng.sample(range(200), LINES)
        ],
    }


def work_lane(env, lane):
    # sudo: oms.channel.message - as the scheduler does
    env["oms.channel.message"].sudo()._cron_process_queue(lane)


def take_in(database, first, count):
    """Orders from message to judged and ready to be confirmed: {stage: costs}. A lane has about 50 of them."""
    items = [(f"CAP-{number}", "1", payload(number)) for number in range(first, first + count)]

    def channel(env):
        return env["oms.channel"].search([("code", "=", "bench")])

    def store(env):
        env["oms.channel.message"].sudo()._store(channel(env), items, "api")

    rows = {"store": [costs_of(database, store, count)]}
    for lane in range(LANES):
        with databases.environment(database) as env:
            domain = env["oms.channel.message"]._get_queue_domain(lane)
            share = env["oms.channel.message"].search_count(domain)
        if share:
            rows.setdefault("import", []).append(costs_of(database, functools.partial(work_lane, lane=lane), share))
    with databases.environment(database) as env:
        names = [item[0] for item in items]
        orders = env["sale.order"].search([("channel_order_id", "in", names)], order="id").ids
    assert len(orders) == count, f"{len(orders)} of {count} orders were taken in"
    for start in range(0, count, SIZE):
        batch = orders[start : start + SIZE]
        cost = costs_of(database, lambda env, batch=batch: env["sale.order"].browse(batch)._oms_review(), len(batch))
        rows.setdefault("review", []).append(cost)
    return rows


def create_plainly(database, first, count):
    """The same contacts and orders in plain Odoo, in batches of 50: {stage: costs}."""
    rows = {}
    for start in range(first, first + count, SIZE):
        flow = Flow(start, SIZE)
        for stage in ("partner", "create"):
            cost = costs_of(database, lambda env, flow=flow, stage=stage: flow.run(stage, env), SIZE)
            rows.setdefault(stage, []).append(cost)
    return rows


def summary(rows, nominal):
    """Median CPU at the machine's best speed and mean queries, by stage and in all."""
    table = {
        stage: {
            "cpu": statistics.median((row[0] + row[1]) * nominal / row[3] for row in costs),
            "queries": statistics.mean(row[2] for row in costs),
        }
        for stage, costs in rows.items()
    }
    table["all"] = {name: sum(stage[name] for stage in table.values()) for name in ("cpu", "queries")}
    return table


# === STOCK === #


def make_listings(database, count):
    """Listings of ``count`` products with stock in a channel of their own."""
    with databases.environment(database) as env:
        channel = env["oms.channel"].create(
            {
                "name": f"Stock {count}",
                "code": f"stock{count}",
                "provider": "marketplace",
                "base_url": "http://127.0.0.1:9",
            }
        )
        ids = []
        for start in range(0, count, 1000):
            products = make_products(env, min(1000, count - start), f"S{count}-{start}-")
            env["oms.channel.listing"].create(
                [
                    {
                        "channel_id": channel.id,
                        "external_id": f"{count}-{product.id}",
                        "sku": product.default_code,
                        "product_id": product.id,
                    }
                    for product in products
                ]
            )
            ids += products.ids
            env.flush_all()
            env.invalidate_all()
        warehouse = env["stock.warehouse"].search([], limit=1)
        env.cr.execute(
            "INSERT INTO stock_quant (product_id, location_id, company_id, quantity, reserved_quantity, in_date)"
            " SELECT id, %s, %s, 10, 0, now() AT TIME ZONE 'UTC' FROM unnest(%s) id",
            (warehouse.lot_stock_id.id, warehouse.company_id.id, ids),
        )
        env.cr.commit()
        return channel.id, ids


def compare_stock(database, channel_id, count):
    """Compare all listings of a channel: (CPU ms, queries)."""
    with databases.environment(database) as env, Meter(env.cr) as meter:
        channel = env["oms.channel"].browse(channel_id)
        listings = channel._get_told_listings()
        levels, _withheld = channel._get_stock_levels(listings, set(listings.product_id.ids))
        assert len(levels) == count, f"{len(levels)} of {count} listings changed"
    return 1000 * (meter.python + meter.postgres), meter.queries


def read_singly(database, ids):
    """Read ``free_qty`` product by product, as a simple connector does: (CPU ms, queries) of each."""
    with databases.environment(database) as env, Meter(env.cr) as meter:
        warehouse = env["stock.warehouse"].search([], limit=1)
        for product_id in ids:
            env["product.product"].with_context(warehouse_id=warehouse.id).browse(product_id).free_qty  # noqa: B018
            env.invalidate_all()
    return 1000 * (meter.python + meter.postgres) / len(ids), meter.queries / len(ids)


def prepare(args):
    """The databases with products and a channel: {kind: name}."""
    names = {}
    for kind in ("plain", "ours") if args.orders else ("ours",):
        source = args.template if kind == "ours" else None
        source = source or databases.template(kind, args.plain_template)
        names[kind] = databases.clone(source, f"{databases.PREFIX}capture_{kind}")
        with databases.environment(names[kind]) as env:
            seed(env)
            if kind == "ours":
                env["oms.channel"].search([("code", "=", "bench")]).auto_confirm = False
            env.cr.commit()
        databases.sql(names[kind], "VACUUM ANALYZE")
    return names


def measure_orders(names, count):
    """Take ``count`` orders in on both sides in turn: {kind: summary}."""
    take_in(names["ours"], 1, 200)  # fills the caches
    create_plainly(names["plain"], 1, SIZE)
    rows = {"plain": {}, "ours": {}}
    for first in range(1_000, 1_000 + count, 200):
        for kind, work in (("plain", create_plainly), ("ours", take_in)):
            for stage, costs in work(names[kind], first, 200).items():
                rows[kind].setdefault(stage, []).extend(costs)
    nominal = min(row[3] for stages in rows.values() for costs in stages.values() for row in costs)
    tables = {kind: summary(stages, nominal) for kind, stages in rows.items()}
    print(f"\nFrom message to judged, in batches of {SIZE}; per order: CPU ms, queries")
    for kind, table in tables.items():
        for stage, cost in table.items():
            print(f"{kind:6} {stage:8} {cost['cpu']:8.1f} {cost['queries']:8.1f} q")
    print(f"ours / plain: {tables['ours']['all']['cpu'] / tables['plain']['all']['cpu']:.2f}")
    return tables


def measure_stock(name, counts, single):
    """Compare the stock of so many listings, and read some products one by one: {what: (CPU ms, queries)}."""
    result, ids = {}, []
    for count in counts:
        channel_id, ids = make_listings(name, count)
        databases.sql(name, "VACUUM ANALYZE")
        compare_stock(name, channel_id, count)  # fills the caches
        cpu, queries = min(compare_stock(name, channel_id, count) for _round in range(3))
        result[f"{count} listings"] = cpu, queries
        print(f"\n{count} listings compared: CPU {cpu:.0f} ms, {queries} queries")
    cpu, queries = result["one product"] = read_singly(name, ids[:single])
    print(f"free_qty product by product: CPU {cpu:.1f} ms and {queries:.1f} queries each")
    return result


def main():
    args = arguments()
    databases.configure()
    names = prepare(args)
    gc.freeze()
    result = {"arguments": vars(args), "load": os.getloadavg(), "orders": None}
    if args.orders:
        result["orders"] = measure_orders(names, args.orders)
    result["stock"] = measure_stock(names["ours"], args.listings, args.single)
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"capture-{time.strftime('%Y%m%d-%H%M%S')}.json"
    target.write_text(json.dumps(result, indent=1))
    print(f"\n{target}")
    if not args.keep:
        for name in names.values():
            databases.drop(name)


if __name__ == "__main__":
    main()
