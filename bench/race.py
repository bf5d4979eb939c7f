"""Processes that go for the last unit at the same instant: the contest itself, for last_unit.py and for the tests.

Each process is an Odoo of its own (`python race.py work DATABASE WAIT`), told by lines on its standard input which
record to work on, and answers each with a line. A request runs through `odoo.service.model.retrying`, as in a server.
"""

import collections
import json
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import databases
from flow import make_products, set_stock

DOORS = {
    "assign": ("stock.picking", "action_assign"),  # the reservation of confirmed orders
    "confirm": ("sale.order", "action_confirm"),
    "channel": ("sale.order", "action_confirm"),  # the same with an order of a channel: reviewed and allocated
    "promise": ("sale.order", "action_oms_promise"),  # bound for an order that waits
    "merge": ("sale.order", "action_oms_merge"),  # into one parcel with all orders of the racers, which are one buyer's
}


def prepare(database, processes, products, door, stock=1):
    """Make ``products`` with ``stock`` units each and, for each process, an order of one unit for each of them.

    :param door: key of DOORS, what the race is about. It sets the reservation method: prepare "assign" first.
    :return: (product ids, a list of jobs for each process, in the order of the products)
    """
    with databases.environment(database) as env:
        warehouse = env["stock.warehouse"].search([], limit=1)
        warehouse.out_type_id.reservation_method = "manual" if door == "assign" else "at_confirm"
        contested = make_products(env, products, "LAST")
        set_stock(env, contested, warehouse.lot_stock_id, stock)
        partner = env["res.partner"].create(
            {
                "name": "Racer",
                "email": "racer@example.com",
                "phone": "+1 217 555 0100",
                "street": "1 Main Street",
                "zip": "12345",
                "city": "Springfield",
                "country_id": env.ref("base.us").id,
                "state_id": env.ref("base.state_us_5").id,
            }
        )
        extra = {}
        if door in ("channel", "merge", "promise"):
            values = {"name": "Race", "code": f"race_{door}", "auto_confirm": False}
            if door == "promise":
                values["promise_hours"] = 24
            extra["channel_id"] = env["oms.channel"].create(values).id
        orders = env["sale.order"].create(
            [
                {
                    "partner_id": partner.id,
                    "warehouse_id": warehouse.id,
                    **extra,
                    "order_line": [(0, 0, {"product_id": product.id, "product_uom_qty": 1})],
                }
                for _process in range(processes)
                for product in contested
            ]
        )
        if door == "assign":
            orders.action_confirm()
        env.cr.commit()
        jobs = [f"{door} {order.picking_ids.id if door == 'assign' else order.id}" for order in orders]
        return contested.ids, [jobs[i * products : (i + 1) * products] for i in range(processes)]


def run(database, work, together=True, wait=1.0):
    """Let one process for each list of jobs in ``work`` do them.

    :param together: all start the first at once, then all the second, ...; otherwise each goes on as it can
    :param wait: what the pauses between the tries of a refused request are multiplied by
    :return: (seconds of each job, {error: times, "gave up": times})
    """
    command = [sys.executable, __file__, "work", database, str(wait)]
    racers = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _jobs in work]
    try:
        for racer in racers:
            assert _answer(racer) == "ready"
        answers = []
        for heat in zip(*work, strict=True) if together else [["\n".join(jobs) for jobs in work]]:
            for racer, jobs in zip(racers, heat, strict=True):
                racer.stdin.write(jobs + "\n")
                racer.stdin.flush()
            answers += [_answer(racer) for racer, jobs in zip(racers, heat, strict=True) for _job in jobs.splitlines()]
    finally:
        for racer in racers:
            racer.stdin.close()
            racer.wait()
    errors = collections.Counter()
    for answer in answers:
        errors.update(answer["errors"])
    return [answer["seconds"] for answer in answers], dict(errors)


def count(database, products):
    """What became of each product: {id: (on hand, reserved by move lines, reserved on quants, number of quants)}."""
    rows = databases.sql(
        database,
        f"""
        SELECT q.product_id, sum(q.quantity), sum(q.reserved_quantity), count(*),
               (SELECT coalesce(sum(l.quantity_product_uom), 0)
                  FROM stock_move_line l JOIN stock_location s ON s.id = l.location_id
                 WHERE l.product_id = q.product_id AND s.usage = 'internal' AND l.state NOT IN ('done', 'cancel'))
          FROM stock_quant q JOIN stock_location s ON s.id = q.location_id
         WHERE s.usage = 'internal' AND q.product_id IN ({",".join(map(str, products))}) GROUP BY 1
    """,
    )
    return {int(row[0]): (float(row[1]), float(row[4]), float(row[2]), int(row[3])) for row in rows}


def states(database, products):
    """How many of the orders of these products are in each state: {state: number}."""
    rows = databases.sql(
        database,
        f"""
        SELECT state, count(*) FROM sale_order
         WHERE id IN (SELECT order_id FROM sale_order_line WHERE product_id IN ({",".join(map(str, products))}))
         GROUP BY 1
    """,
    )
    return {state: int(number) for state, number in rows}


def _answer(racer):
    line = racer.stdout.readline()
    if not line:
        raise RuntimeError("a racing process ended")
    return json.loads(line)


def _work(database, wait):
    """The life of one process."""
    from odoo.service import model as service

    pause = service.time.sleep
    service.time = type(service.time)("paused")
    service.time.sleep = lambda seconds: pause(seconds * wait)
    with databases.environment(database) as env:  # one record of no consequence: loads what a server has loaded
        env["sale.order"].search([], limit=1).copy().action_confirm()
        env.cr.rollback()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        door, record_id = line.split()
        model, method = DOORS[door]
        errors = collections.Counter()
        start = time.perf_counter()
        with databases.environment(database) as env:

            def request(env=env, model=model, method=method, record_id=int(record_id), errors=errors):
                try:
                    getattr(env[model].browse(record_id), method)()
                    env.cr.flush()
                except Exception as error:
                    errors[type(error).__name__] += 1
                    raise

            try:
                service.retrying(request, env)
            except Exception:  # noqa: BLE001  whatever reaches the user loses the order
                env.cr.rollback()
                errors["gave up"] += 1
        print(json.dumps({"seconds": time.perf_counter() - start, "errors": errors}), flush=True)


if __name__ == "__main__":
    databases.configure()
    if sys.argv[1] == "prepare":
        doors = sys.argv[5].split(",")
        print(json.dumps({door: prepare(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), door) for door in doors}))
    else:
        _work(sys.argv[2], float(sys.argv[3]))
