"""What it costs to judge an order: our 50 rules beside ten domain rules of OCA's sale_exception. See README.md.

"ours" are 50 rules over fields, as all ten of sale_exception's are; "facts" are the same with three of them over facts
(address, shortage), which nothing but our review can ask for.
"""

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import databases
import history
from flow import Flow, seed
from meter import Meter, calibration

RESULTS = Path(__file__).resolve().parent / "results"
# For this comparison only, from PyPI; nothing of ours depends on it. AGPL-3 and LGPL-3.
OCA_PACKAGES = ("odoo-addon-base-exception==19.0.1.0.0.5", "odoo-addon-sale-exception==19.0.1.0.1.1")
KINDS = ("plain", "exception", "ours", "facts")
REVIEWED = ("ours", "facts")
MATCHING_ZIPS = ("05", "25", "45", "65", "85")  # each the end of one zip in a hundred, so 5 % of the orders match


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=500, help="orders judged in each size of batch")
    parser.add_argument("--single", type=int, default=100, help="orders judged and confirmed one by one")
    parser.add_argument("--sizes", default="500,50,1", help="orders a batch, comma separated")
    parser.add_argument("--repeat", type=int, default=3, help="how often the batches of one size are measured")
    parser.add_argument("--many", type=int, default=10_000, help="orders of the run of all at once; 0 for none")
    parser.add_argument("--plain-template", help="database to take as plain Odoo, instead of installing one")
    parser.add_argument("--keep", action="store_true", help="leave the databases for a look")
    args = parser.parse_args()
    args.sizes = [int(size) for size in args.sizes.split(",")]
    return args


# === RULES === #


def conditions(with_facts=False):
    """The domains of 50 rules as a shop may have them: the order, its lines, its buyer and address, perhaps facts."""
    matching = [f"[('partner_shipping_id.zip', '=like', '%{end}')]" for end in MATCHING_ZIPS]
    order = [
        *(f"[('amount_total', '>', {amount})]" for amount in (5000, 8000, 10_000, 20_000, 50_000)),
        *(f"[('client_order_ref', '=like', '{prefix}%')]" for prefix in ("B2B", "VIP", "TEST", "PRE", "GIFT")),
        *(f"[('note', 'ilike', '{word}')]" for word in ("call me", "invoice", "urgent")),
        "[('commitment_date', '!=', False), ('amount_total', '<', 1)]",
        "['|', ('amount_untaxed', '<', 0), ('amount_tax', '<', 0)]",
    ]
    lines = [
        *(f"[('order_line.product_uom_qty', '>', {quantity})]" for quantity in (50, 100, 500)),
        *(f"[('order_line.price_unit', '<', {price})]" for price in (1, 2, 3)),
        *(f"[('order_line.discount', '>', {discount})]" for discount in (30, 50, 70)),
        *(f"[('order_line.product_id.default_code', '=like', '{code}%')]" for code in ("DANGER", "COLD", "OLD")),
    ]
    partner = [
        *(f"[('partner_shipping_id.city', '=', '{city}')]" for city in ("Lhasa", "Haikou", "Urumqi", "Anchorage")),
        *(f"[('partner_id.name', 'ilike', '{name}')]" for name in ("proxy buyer", "reseller", "staff")),
        *(f"[('partner_id.email', '=ilike', '%@{host}')]" for host in ("mailinator.com", "example.net")),
        *(f"[('partner_shipping_id.phone', '=like', '{phone}%')]" for phone in ("+7", "+44", "170")),
        "[('partner_shipping_id.country_id.code', 'in', ('KP', 'CU', 'IR'))]",
        "[('partner_id.category_id.name', '=', 'Blocked')]",
    ]
    facts = [
        "[('oms_address_problem', '!=', False)]",
        "[('oms_has_shortage', '=', True)]",
        "[('amount_total', '>', 9000), ('oms_has_shortage', '=', True)]",
    ]
    found = [*matching, *order, *lines, *partner, *(facts if with_facts else ())]
    return [*found, *(f"[('amount_total', '>', {60_000 + number})]" for number in range(50 - len(found)))]


def make_rules(env, kind):
    if kind in REVIEWED:
        env["oms.rule"].search([]).action_to_draft()
        hold, tag = env.ref("oms_base.oms_hold_type_manual"), env["crm.tag"].create({"name": "Bench"})
        actions = [{"type": "hold", "hold_type_id": hold.id}, {"type": "tag", "tag_ids": [(6, 0, tag.ids)]}]
        env["oms.rule"].create(
            [
                {
                    "name": f"Bench {number}",
                    "domain": domain,
                    "state": "live",
                    "tz": "UTC",
                    "action_ids": [(0, 0, actions[number % 2])],
                }
                for number, domain in enumerate(conditions(with_facts=kind == "facts"))
            ]
        )
        # As the orders of a shop arrive: judged in batches here, not in the background.
        env["oms.channel"].search([]).write({"auto_confirm": False})
    elif kind == "exception":
        env["exception.rule"].sudo().search([]).active = False
        chosen = conditions()
        env["exception.rule"].sudo().create(
            [
                {"name": f"Bench {number}", "model": "sale.order", "exception_type": "by_domain", "domain": domain}
                for number, domain in enumerate(
                    [*chosen[:5], chosen[5], chosen[10], chosen[20], chosen[32], chosen[35]]
                )
            ]
        )


def judge(env, kind, ids):
    orders = env["sale.order"].browse(ids)
    if kind in REVIEWED:
        orders._oms_review()
    elif kind == "exception":
        orders.detect_exceptions()


# === MEASURE === #


def touch(env, ids):
    """Read of orders what their confirmation reads anyway, and write of them what it writes."""
    orders = env["sale.order"].sudo().browse(ids)
    orders.order_line.product_id.mapped("uom_id.name")
    orders.order_line.product_uom_id.mapped("name")
    orders.order_line.mapped("route_ids.name")
    orders.order_line.product_id.mapped("route_ids.name")
    orders.order_line.product_id.categ_id.total_route_ids.mapped("name")
    (orders.partner_id | orders.partner_shipping_id).mapped("country_id.code")
    orders.warehouse_id.mapped("name")
    field = orders._fields["date_order"]
    field.write(orders, field.convert_to_record(env.cr.now(), orders))  # goes to the database with the commit


def measure(database, work, size, before=None):
    """Run ``work(env)`` in a transaction of its own; (python ms, postgres ms, queries) per order, and slowness.

    :param before: what is done first in the same transaction and not counted
    """
    slowness = calibration()
    with databases.environment(database) as env:
        if before:
            before(env)
        with Meter(env.cr) as meter:
            work(env)
            env.cr.commit()
    slowness = (slowness + calibration()) / 2
    return 1000 * meter.python / size, 1000 * meter.postgres / size, meter.queries / size, slowness


def make_orders(names, first, count, step=50):
    """The same quotations in each database: {kind: ids}."""
    ids = {}
    for kind, name in names.items():
        ids[kind] = []
        for start in range(first, first + count, step):
            flow = Flow(start, min(step, first + count - start))
            for stage in ("partner", "create"):
                with databases.environment(name) as env:
                    flow.run(stage, env)
                    env.cr.commit()
            ids[kind] += flow.orders
    return ids


def judge_batches(names, ids, size, repeat):
    """Judge all orders in batches, database by database in turn: {kind: costs}."""
    costs = {kind: [] for kind in names if kind != "plain"}
    for _round in range(repeat):
        for start in range(0, len(next(iter(ids.values()))), size):
            for kind, rows in costs.items():
                batch = ids[kind][start : start + size]
                rows.append(
                    measure(names[kind], lambda env, kind=kind, batch=batch: judge(env, kind, batch), len(batch))
                )
    return costs


def judge_singly(names, ids):
    """Judge orders one by one beside what their confirmation reads and writes anyway: {kind: costs}. What plain Odoo
    costs here is just that."""
    costs = {kind: [] for kind in names}
    for position in range(len(next(iter(ids.values())))):
        for kind, rows in costs.items():
            one = ids[kind][position : position + 1]
            rows.append(
                measure(
                    names[kind],
                    lambda env, kind=kind, one=one: judge(env, kind, one),
                    1,
                    before=lambda env, one=one: touch(env, one),
                )
            )
    return costs


def confirm_singly(names, ids):
    """Confirm orders that no rule matches one by one, as each arrives: {kind: costs}. Ours are judged by the way."""
    costs = {kind: [] for kind in names}
    for position in range(len(next(iter(ids.values())))):
        for kind, rows in costs.items():
            order = ids[kind][position]
            rows.append(
                measure(names[kind], lambda env, order=order: env["sale.order"].browse(order).action_confirm(), 1)
            )
    return costs


def judge_many(name, count):
    """Judge ``count`` orders in one run; what it took."""
    with databases.environment(name) as env:
        orders = env["sale.order"].search([("channel_id", "!=", False), ("state", "=", "draft")], limit=count)
        start = time.monotonic()
        with Meter(env.cr) as meter:
            orders._oms_review()
            env.cr.commit()
        return {
            "orders": len(orders),
            "seconds": time.monotonic() - start,
            "cpu": meter.python + meter.postgres,
            "queries": meter.queries,
        }


def summary(costs, nominal):
    """Medians over the batches, at the machine's best speed."""
    return {
        kind: {
            "cpu": statistics.median((row[0] + row[1]) * nominal / row[3] for row in rows),
            "python": statistics.median(row[0] * nominal / row[3] for row in rows),
            "postgres": statistics.median(row[1] * nominal / row[3] for row in rows),
            "queries": statistics.mean(row[2] for row in rows),
        }
        for kind, rows in costs.items()
    }


def show(title, table):
    print(f"\n{title}; per order: CPU ms (python + postgres), queries")
    for kind, cost in table.items():
        print(f"{kind:10}{cost['cpu']:9.2f} ({cost['python']:.2f} + {cost['postgres']:.2f}) {cost['queries']:8.2f} q")


# === DATABASES === #


def oca_folder():
    """Folder with sale_exception, fetched from PyPI once, in the project's state folder."""
    home = Path(os.environ.get("OMS_HOME") or databases.REPO / ".oms")
    folder = home / "bench-oca"
    if not (folder / "odoo/addons/sale_exception").is_dir():
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(folder),
            *OCA_PACKAGES,
        ]
        subprocess.run(command, check=True)
    return folder / "odoo/addons"


def prepare(kind, given, addons_path):
    """A database of one kind with products and rules."""
    extra = {"exception": {"modules": "sale_exception", "addons_path": addons_path}}
    # Our review stands in oms_base; what the other addons add to an order is not measured here.
    extra |= {kind: {"modules": "oms_base"} for kind in REVIEWED}
    template = databases.template("review" if kind in REVIEWED else kind, given, **extra.get(kind, {}))
    name = databases.clone(template, f"{databases.PREFIX}judge_{kind}")
    with databases.environment(name) as env:
        seed(env)
        make_rules(env, kind)
        env.cr.commit()
    return name


def main():
    args = arguments()
    addons_path = oca_folder()
    databases.configure(addons_path)
    names = {kind: prepare(kind, args.plain_template, addons_path) for kind in KINDS}
    before = history.highest_ids(names["facts"])
    ids = make_orders(names, 1_000_000, args.orders)
    if args.many:
        databases.close(names["facts"])
        many = databases.clone(names["facts"], f"{databases.PREFIX}judge_many")
        history.multiply(many, before, args.many // args.orders - 1, args.orders)
    for name in names.values():
        databases.sql(name, "VACUUM ANALYZE")
    gc.freeze()
    for kind, name in names.items():  # fills the caches
        measure(name, lambda env, kind=kind: judge(env, kind, ids[kind][:5]), 5)
    costs = {}
    for size in args.sizes:
        chosen = ids if size > 1 else {kind: own[: args.single] for kind, own in ids.items()}
        costs[f"judged in batches of {size}"] = judge_batches(names, chosen, size, args.repeat)
    costs["judged one by one, with what a confirmation reads and writes"] = judge_singly(
        names, {kind: own[: args.single] for kind, own in ids.items()}
    )
    single = make_orders(names, 2_000_001, args.single + 3)
    free = {kind: own[3:] for kind, own in single.items()}
    confirm_singly(names, {kind: own[:3] for kind, own in single.items()})
    costs["judged and confirmed one by one"] = confirm_singly(names, free)
    nominal = min(row[3] for by_kind in costs.values() for rows in by_kind.values() for row in rows)
    result = {"arguments": vars(args), "load": os.getloadavg(), "costs": {}}
    for title, by_kind in costs.items():
        result["costs"][title] = table = summary(by_kind, nominal)
        show(title, table)
        for kind in ("exception", *REVIEWED) if "plain" in table else ():
            print(f"{kind} beyond plain: {table[kind]['cpu'] - table['plain']['cpu']:.2f} ms")
    if args.many:
        result["many"] = done = judge_many(many, args.many)
        print(
            "\n{orders} orders, 50 rules, one run: {seconds:.1f} s, CPU {cpu:.1f} s, {queries} queries".format(**done)
        )
    RESULTS.mkdir(exist_ok=True)
    target = RESULTS / f"review-{time.strftime('%Y%m%d-%H%M%S')}.json"
    target.write_text(json.dumps(result, indent=1))
    print(f"\n{target}")
    if not args.keep:
        for name in (*names.values(), *([many] if args.many else [])):
            databases.drop(name)


if __name__ == "__main__":
    main()
