"""Processes that go for the last unit at the same instant: the contest itself, for last_unit.py and for the tests.

Each process has an Odoo and connections of its own. `python race.py work DATABASE WAIT SOCKET...` loads Odoo once and
forks one for each socket, as a server does. Lines on its socket tell it which record to work on, and it answers each
with a line. A request runs through `odoo.service.model.retrying`, as in a server.
"""

import collections
import json
import logging
import os
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import databases
from flow import make_products, set_stock


def sell_at_till(picking):
    """What a till does with the stock: the buyer has the goods in hand, so they are taken whoever wanted them."""
    picking.action_confirm()
    for move in picking.move_ids:
        move.quantity = move.product_uom_qty
    picking.move_ids.picked = True
    picking._action_done()


DOORS = {
    "assign": ("stock.picking", lambda picking: picking.action_assign()),  # the reservation of confirmed orders
    "confirm": ("sale.order", lambda order: order.action_confirm()),
    "channel": ("sale.order", lambda order: order.action_confirm()),  # of a channel: reviewed and allocated
    # Into one parcel with all orders of the racers, which are one buyer's.
    "merge": ("sale.order", lambda order: order.action_oms_merge()),
    "review": ("sale.order", lambda order: order._oms_review_and_confirm_one()),  # of a channel, in the background
    "portal": (
        "sale.order",
        lambda order: order.sudo().action_confirm(),
    ),  # the buyer confirms, with the system's rights
    "delivery": ("stock.picking", lambda picking: (picking.action_confirm(), picking.action_assign())),  # made by hand
    "till": ("stock.picking", sell_at_till),
    "promise": ("sale.order", lambda order: order.action_oms_promise()),  # bound while the order is in review
    "source": ("sale.order", lambda order: order._oms_source_again()),  # comes over from another warehouse
}
# All doors of one contest, one for each process; plain Odoo has no channels, so their orders are confirmed there.
ALL_DOORS = ("review", "channel", "confirm", "portal", "delivery", "till", "promise", "source")
PLAIN_DOORS = {"review": "confirm", "channel": "confirm", "promise": "confirm", "source": "assign"}
TILL_HEAT = 2  # when, among the heats of a product, a till sells it: once, or nothing would be left to race for


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
        partner = _make_partner(env)
        extra = {}
        if door in ("channel", "merge"):
            extra["channel_id"] = env["oms.channel"].create({"name": "Race", "code": "race", "auto_confirm": False}).id
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


def prepare_all(database, products, heats, stock):
    """Make ``products`` with ``stock`` units each and ``heats`` contests, each of all doors for one product.

    :return: (product ids, a list of jobs for each process)
    """
    with databases.environment(database) as env:
        warehouse = env["stock.warehouse"].search([], limit=1)
        warehouse.out_type_id.reservation_method = "at_confirm"
        contested = make_products(env, products, "ALL")
        contested_ids = [contested[heat % products].id for heat in range(heats)]
        is_plain = "oms.channel" not in env
        first = _make_sources(env, contested_ids, warehouse, is_plain)
        set_stock(env, contested, warehouse.lot_stock_id, stock)
        if is_plain:  # what arrives is reserved at once for who waits: nothing would be left to race for
            env["stock.picking"].union(*first).do_unreserve()
        records = {"source": first}
        channels = {} if is_plain else _make_channels(env, warehouse)
        for door in ALL_DOORS[:-1]:
            if door in ("delivery", "till"):
                records[door] = _make_deliveries(env, contested_ids, warehouse)
            else:
                records[door] = _make_orders(env, contested_ids, warehouse, channels.get(door))
        env.cr.commit()
        work = [[] for _door in ALL_DOORS]
        for heat in range(heats):
            for number in range(len(ALL_DOORS)):
                door = ALL_DOORS[(number + heat) % len(ALL_DOORS)]
                record = records[door][heat]
                if door == "till" and heat // products != TILL_HEAT:
                    door = "delivery"
                door = PLAIN_DOORS.get(door, door) if is_plain else door
                work[number].append(f"{door} {record.id}")
        return contested.ids, work


def _make_channels(env, warehouse):
    """Return {door: values that its orders have besides}."""
    channels = env["oms.channel"].create(
        [
            {"name": f"Race {door}", "code": f"race_{door}", "warehouse_ids": [(6, 0, warehouse.ids)], **values}
            for door, values in {
                "review": {"auto_confirm": True},
                "channel": {"auto_confirm": False},
                "promise": {"auto_confirm": False, "promise_hours": 24},
            }.items()
        ]
    )
    return {channel.code.removeprefix("race_"): {"channel_id": channel.id} for channel in channels}


def _make_partner(env):
    return env["res.partner"].create(
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


def _make_orders(env, product_ids, warehouse, extra):
    partner = _make_partner(env)
    return env["sale.order"].create(
        [
            {
                "partner_id": partner.id,
                "warehouse_id": warehouse.id,
                **(extra or {}),
                "order_line": [(0, 0, {"product_id": product_id, "product_uom_qty": 1})],
            }
            for product_id in product_ids
        ]
    )


def _make_sources(env, product_ids, warehouse, is_plain):
    """Return orders that another warehouse has all goods for, and that are then bound to the contested one; in plain
    Odoo transfers of the contested one that are still to be reserved."""
    if is_plain:
        orders = _make_orders(env, product_ids, warehouse, None)
        warehouse.out_type_id.reservation_method = "manual"
        orders.action_confirm()
        warehouse.out_type_id.reservation_method = "at_confirm"
        return [order.picking_ids for order in orders]
    other = env["stock.warehouse"].create({"name": "Race Other", "code": "RACEO"})
    set_stock(env, env["product.product"].browse(sorted(set(product_ids))), other.lot_stock_id, 1000)
    channel = env["oms.channel"].create({"name": "Race source", "code": "race_source", "auto_confirm": False})
    orders = _make_orders(env, product_ids, other, {"channel_id": channel.id, "oms_warehouse_id": other.id})
    orders.action_confirm()
    orders.oms_warehouse_id = warehouse
    return orders


def _make_deliveries(env, product_ids, warehouse):
    kind = warehouse.out_type_id
    customers = env.ref("stock.stock_location_customers")
    places = {"location_id": warehouse.lot_stock_id.id, "location_dest_id": customers.id}
    return env["stock.picking"].create(
        [
            {
                "picking_type_id": kind.id,
                **places,
                "move_ids": [(0, 0, {"product_id": product_id, "product_uom_qty": 1, **places})],
            }
            for product_id in product_ids
        ]
    )


def count_bound(database, products):
    """What is bound of each product where it is contested: {id: (on hand, reserved, promised, taken by tills)}."""
    ids = ",".join(map(str, products))
    place = "(SELECT lot_stock_id FROM stock_warehouse ORDER BY sequence, id LIMIT 1)"
    promised = "0"
    if databases.sql(database, "SELECT FROM pg_class WHERE relname = 'oms_stock_promise'"):
        promised = """(SELECT coalesce(sum(quantity), 0) FROM oms_stock_promise promise
                         WHERE promise.product_id = q.product_id AND state = 'active')"""
    rows = databases.sql(
        database,
        f"""
        SELECT q.product_id, sum(q.quantity), sum(q.reserved_quantity), {promised},
               (SELECT coalesce(sum(m.product_qty), 0) FROM stock_move m
                 WHERE m.product_id = q.product_id AND m.location_id = {place} AND m.state = 'done')
          FROM stock_quant q WHERE q.location_id = {place} AND q.product_id IN ({ids}) GROUP BY 1
    """,
    )
    return {int(row[0]): tuple(map(float, row[1:])) for row in rows}


class Wire:
    """One end of a line to another process: what is told to it, and what it answers."""

    def __init__(self, end):
        self._end, self._lines = end, end.makefile()

    def __iter__(self):
        return iter(self._lines)

    def tell(self, text):
        self._end.sendall(text.encode() + b"\n")

    def answer(self):
        line = self._lines.readline()
        if not line:
            raise RuntimeError("a racing process ended")
        return json.loads(line)

    def close(self):
        self._lines.close()
        self._end.close()


def run(database, work, together=True, wait=1.0):
    """Let one process for each list of jobs in ``work`` do them.

    :param together: all start the first at once, then all the second, ...; otherwise each goes on as it can
    :param wait: what the pauses between the tries of a refused request are multiplied by
    :return: (seconds of each job, {error: times, "answered": told what is wrong, "gave up": lost})
    """
    ours, theirs = zip(*(socket.socketpair() for _jobs in work), strict=True)
    numbers = [end.fileno() for end in theirs]
    starter = subprocess.Popen(
        [sys.executable, __file__, "work", database, str(wait), *map(str, numbers)], pass_fds=numbers
    )
    racers = [Wire(end) for end in ours]
    for end in theirs:
        end.close()
    try:
        for racer in racers:
            assert racer.answer() == "ready"
        answers = []
        for heat in zip(*work, strict=True) if together else [["\n".join(jobs) for jobs in work]]:
            for racer, jobs in zip(racers, heat, strict=True):
                racer.tell(jobs)
            answers += [racer.answer() for racer, jobs in zip(racers, heat, strict=True) for _job in jobs.splitlines()]
    finally:
        for racer in racers:
            racer.close()
        starter.wait()
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


def _start(database, wait, ends):
    """Load Odoo, then fork the racers; each opens connections of its own."""
    from odoo.service import model as service
    from odoo.sql_db import close_all

    pause = service.time.sleep
    service.time = type(service.time)("paused")
    service.time.sleep = lambda seconds: pause(seconds * wait)
    with databases.environment(database) as env:  # one record of no consequence: loads what a server has loaded
        env["sale.order"].search([], limit=1).copy().action_confirm()
        env.cr.rollback()
    close_all()
    for end in ends:
        if not os.fork():
            for other in ends:
                if other != end:
                    other.close()
            _work(database, Wire(end))
            os._exit(0)
    for end in ends:
        end.close()
    for _end in ends:
        os.wait()


def _work(database, wire):
    """The life of one process, until nobody is there to order anything."""
    from odoo.exceptions import UserError
    from odoo.service import model as service

    from odoo.addons.oms_base.tools import work_in_turn

    with databases.environment(database) as env:
        is_plain = "oms.allocation" not in env
    wire.tell(json.dumps("ready"))
    for line in wire:
        door, record_id = line.split()
        model, enter = DOORS[door]
        errors = collections.Counter()
        start = time.perf_counter()
        with databases.environment(database) as env:

            def request(env=env, model=model, enter=enter, record_id=int(record_id), errors=errors):
                try:
                    enter(env[model].browse(record_id))
                    env.cr.flush()
                except UserError:
                    raise
                except Exception as error:
                    errors[type(error).__name__] += 1
                    raise

            try:
                # As a call over HTTP is run: `retrying` around `ir.http._dispatch`, which is where ours is extended.
                service.retrying(request if is_plain else partial(work_in_turn, env, request), env)
            except UserError:  # a business answer
                env.cr.rollback()
                errors["answered"] += 1
            except Exception:  # noqa: BLE001  whatever reaches the user loses the order
                env.cr.rollback()
                errors["gave up"] += 1
        wire.tell(json.dumps({"seconds": time.perf_counter() - start, "errors": errors}))


if __name__ == "__main__":
    databases.configure()
    logging.getLogger("odoo.sql_db").setLevel(logging.CRITICAL)  # who is sent back is counted, not told of each time
    if sys.argv[1] == "prepare":
        doors = sys.argv[5].split(",")
        races = {door: prepare(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), door) for door in doors}
        if sys.argv[6:]:
            races["all"] = prepare_all(sys.argv[2], *map(int, sys.argv[6:9]))
        print(json.dumps(races))
    else:
        _start(sys.argv[2], float(sys.argv[3]), [socket.socket(fileno=int(number)) for number in sys.argv[4:]])
