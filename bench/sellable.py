"""What it costs to know what can be sold: products x warehouses x channels. See README.md."""

import argparse
import gc
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import databases
from flow import make_products
from meter import Meter

RESULTS = Path(__file__).resolve().parent / "results"
DATABASE = f"{databases.PREFIX}sellable"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--warehouses", type=int, default=10)
    parser.add_argument("--channels", type=int, default=5)
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many is shown")
    parser.add_argument("--plain-template", help="database to build on, instead of installing plain Odoo")
    parser.add_argument("--template", help="database with our addons, instead of building one")
    parser.add_argument("--keep", action="store_true", help="leave the database for a look")
    return parser.parse_args()


def seed(database, args):
    """Products with stock in every warehouse, open transfers, promises, pools and a safety stock."""
    with databases.environment(database) as env:
        company = env.company
        warehouses = env["stock.warehouse"].search([("company_id", "=", company.id)])
        missing = args.warehouses - len(warehouses)
        warehouses |= env["stock.warehouse"].create(
            [{"name": f"Bench {n}", "code": f"B{n:03}"} for n in range(max(missing, 0))]
        )
        warehouses = warehouses[: args.warehouses]
        channels = env["oms.channel"].create(
            [
                {
                    "name": f"Bench {n}",
                    "code": f"sellable{n}",
                    "warehouse_ids": [(6, 0, warehouses.ids)],
                    "promise_hours": 24,
                }
                for n in range(args.channels)
            ]
        )
        ids = []
        for start in range(0, args.products, 1000):
            ids += make_products(env, min(1000, args.products - start), f"SELL{start}-").ids
            env.flush_all()
            env.invalidate_all()
        env.cr.execute(
            "INSERT INTO stock_quant (product_id, location_id, company_id, quantity, reserved_quantity, in_date)"
            " SELECT id, place, %s, 5 + (id * 7 + place * 13) %% 200, 2, now() AT TIME ZONE 'UTC'"
            " FROM unnest(%s) id, unnest(%s) place",  # as different as in life, so that nothing is counted once for all
            (company.id, ids, warehouses.lot_stock_id.ids),
        )
        seed_bindings(env, ids, warehouses, channels)
        seed_pools(env, ids, channels)
        env.cr.commit()
        return ids, warehouses.ids, channels.ids


def seed_bindings(env, ids, warehouses, channels):
    """An open transfer of every fifth product, a promise of every tenth, copied from one of each that Odoo made."""
    product = env["product.product"].browse(ids[0])
    partner = env["res.partner"].create({"name": "Sellable"})
    order = env["sale.order"].create(
        {
            "partner_id": partner.id,
            "channel_id": channels[0].id,
            "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 1})],
        }
    )
    move = env["stock.move"].create(
        {
            "product_id": product.id,
            "product_uom_qty": 1,
            "location_id": warehouses[0].lot_stock_id.id,
            "location_dest_id": env.ref("stock.stock_location_customers").id,
        }
    )
    promise = (
        env["oms.stock.promise"]
        .sudo()
        .create(  # nobody writes them by hand
            {
                "order_id": order.id,
                "line_id": order.order_line.id,
                "product_id": product.id,
                "warehouse_id": warehouses[0].id,
                "quantity": 1,
                "expire_date": "2100-01-01 00:00:00",
            }
        )
    )
    env.flush_all()
    for table, row_id, place, targets, every, extra in (
        ("stock_move", move.id, "location_id", warehouses.lot_stock_id.ids, 5, {"state": "'confirmed'"}),
        ("oms_stock_promise", promise.id, "warehouse_id", warehouses.ids, 10, {"line_id": "line.id"}),
    ):
        env.cr.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_name = %s AND column_name <> 'id'", (table,)
        )
        columns = [name for (name,) in env.cr.fetchall()]
        values = [
            extra.get(name, "product.id" if name == "product_id" else "place" if name == place else f"source.{name}")
            for name in columns
        ]
        env.cr.execute(  # the names are those of the table itself
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(values)} FROM {table} source"
            " CROSS JOIN LATERAL (SELECT id FROM sale_order_line WHERE id = %s) line"
            " CROSS JOIN unnest(%s) place CROSS JOIN LATERAL unnest(%s) product (id)"
            " WHERE source.id = %s AND NOT (product.id, place) IN (SELECT product_id, "
            f"{place} FROM {table} WHERE id = %s)",
            (order.order_line.id, targets, ids[::every], row_id, row_id),
        )


def seed_pools(env, ids, channels):
    """A pool of named products filled again and again, a quota of a category, a share of everything; a safety stock."""
    category = env["product.product"].browse(ids[0]).categ_id
    for number, (mode, lines) in enumerate(
        (
            ("keep", [{"product_id": id_, "quantity": 3} for id_ in ids[:200]]),
            ("quota", [{"categ_id": category.id, "quantity": 2}]),
            ("keep", [{"share": 10}]),
        )
    ):
        env["oms.stock.pool"].create(
            {
                "name": f"Bench {number}",
                "mode": mode,
                "channel_ids": [(6, 0, channels[number % len(channels)].ids)],
                "line_ids": [(0, 0, line) for line in lines],
            }
        )
    env["oms.stock.safety"].create({"quantity": 1})


def measure(database, work):
    """(CPU ms of Python, of PostgreSQL, queries) of ``work(env)`` in an environment that has read nothing."""
    with databases.environment(database) as env, Meter(env.cr) as meter:
        work(env)
    return 1000 * meter.python, 1000 * meter.postgres, meter.queries


def best(database, work, rounds):
    for _warm_up in range(2):  # the registry's cache, and what the first transaction after a change forgets of it
        measure(database, work)
    return min((measure(database, work) for _round in range(rounds)), key=lambda cost: cost[0] + cost[1])


def main():
    args = arguments()
    databases.configure()
    databases.clone(args.template or databases.template("ours", args.plain_template), DATABASE)
    product_ids, warehouse_ids, channel_ids = seed(DATABASE, args)
    databases.sql(DATABASE, "VACUUM ANALYZE")
    gc.freeze()

    def read_picture(env, ids=product_ids):
        views = env["oms.channel"].browse(channel_ids)._oms_get_views(env["product.product"].browse(ids))
        assert all(len(view) == len(ids) * len(warehouse_ids) for view in views.values())

    def read_free(env):
        for warehouse_id in warehouse_ids[:3]:
            products = env["product.product"].with_context(warehouse_id=warehouse_id).browse(product_ids)
            sum(products.mapped("free_qty"))

    def read_total(env):
        env["product.product"].browse(product_ids)._oms_get_sellable_quantities(
            env["stock.warehouse"].browse(warehouse_ids)
        )

    few = product_ids[: len(product_ids) // 10]
    size = f"{len(product_ids)} products x {len(warehouse_ids)} warehouses"
    works = {
        f"{size} x {len(channel_ids)} channels": read_picture,
        f"the same, {len(few)} products": lambda env: read_picture(env, few),
        f"{size}, for nobody": read_total,
        f"free_qty, {len(product_ids)} products x 3 warehouses": read_free,
    }
    result = {"arguments": vars(args), "load": os.getloadavg()}
    for name, work in works.items():
        python, postgres, queries = result[name] = best(DATABASE, work, args.rounds)
        print(f"{name:55} CPU {python + postgres:6.0f} ms (Python {python:.0f}, PostgreSQL {postgres:.0f}) {queries} q")
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"sellable-{time.strftime('%Y%m%d-%H%M%S')}.json"
    target.write_text(json.dumps(result, indent=1))
    print(f"\n{target}")
    if not args.keep:
        databases.drop(DATABASE)


if __name__ == "__main__":
    main()
