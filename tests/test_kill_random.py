"""Workers die by kill -9 at random points while two shops' orders come in twice and more, are shipped and cancelled.

In the end every order is here exactly once, and each shop heard of every parcel and cancellation: at least once, always
with the same key. Proven from the shops' side: by what they were told and what they have.

OMS_KILL_ORDERS=2000 OMS_KILL_TIMES=20 is the full proof.
"""

import contextlib
import json
import os
import random
import threading
import time
import unittest
from collections import defaultdict
from datetime import UTC, datetime

import psycopg2
import requests
from servers.fake_shop import ShopServer
from servers.odoo_server import OdooError, OdooServer, wait_until

from odoo.addons.oms_channels.adapters.medusa import mapper, signature

ORDERS = int(os.environ.get("OMS_KILL_ORDERS", "80"))
KILLS = int(os.environ.get("OMS_KILL_TIMES", "4"))
SEED = int(os.environ.get("OMS_KILL_SEED", "1"))
# A worker lives so long before it is killed: seconds, from and to.
LIFE = (0.5, 4.0) if ORDERS > 500 else (0.3, 1.5)
SETTLE_SECONDS = 180 + ORDERS
SKU = "KILL-RANDOM"
SECRET = "kill-random-secret"
# Of the orders' numbers: each fourth is shipped, each tenth cancelled.
SHIPPED, CANCELLED = 4, 10
GONE = (requests.RequestException, OdooError, psycopg2.Error, ValueError, KeyError)


class TestKillRandom(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(OdooServer(f"oms_kill_random_{os.getpid()}"))
        cls.shops = [cls.enterClassContext(ShopServer()) for _shop in range(2)]
        cls.channels = cls._set_up_company()
        for http in cls.shops:
            for number in range(1, ORDERS // 2 + 1):  # both shops use the same numbers
                http.shop.place(number, [(SKU, 1, 25.0)], currency=cls.currency)

    @classmethod
    def _set_up_company(cls):
        admin = cls.server.login("admin", "admin")
        product = admin.create(
            "product.product", {"name": "Mouse", "default_code": SKU, "is_storable": True, "taxes_id": [(5,)]}
        )
        location = admin.read("stock.warehouse", [], ["lot_stock_id"], limit=1)[0]["lot_stock_id"][0]
        quant = {"product_id": product, "location_id": location, "inventory_quantity_auto_apply": ORDERS * 2}
        admin.call("stock.quant", "create", [quant], context={"inventory_mode": True})
        cls.currency = admin.read("res.company", [], ["currency_id"], limit=1)[0]["currency_id"][1].lower()
        return [
            admin.create(
                "oms.channel",
                {
                    "name": f"Shop {index}",
                    "code": f"kill_{index}",
                    "provider": "medusa",
                    "base_url": http.url,
                    "api_key": "sk_test",
                    "webhook_secret": SECRET,
                    "pull_start_date": "2026-01-01 00:00:00",
                    "next_pull_date": "2099-01-01 00:00:00",
                    "invoice_policy": "manual",
                },
            )
            for index, http in enumerate(cls.shops)
        ]

    # === WHO WORKS WHILE WORKERS DIE === #

    def _send_webhooks(self, dice, stop):
        """The shops send webhooks of orders in any order, each twice: what is pulled comes this way too."""
        while not stop.is_set():
            with contextlib.suppress(*GONE):
                self._post_twice(dice.choice(self.channels), dice.randrange(1, ORDERS // 2 + 1))
            stop.wait(0.15)

    def _post_twice(self, channel, number):
        event = {"event": "order.placed", "data": {"id": f"order_{number}"}, "at": datetime.now(UTC).isoformat()}
        body = json.dumps(event).encode()
        headers = {"Content-Type": "application/json", signature.HEADER: signature.sign(SECRET, body)}
        for _time in range(2):
            requests.post(f"{self.server.url}/oms/webhook/{channel}", data=body, headers=headers, timeout=10)

    def _work_as_staff(self, stop):
        """Ship each fourth order and cancel each tenth, again and again until it is done."""
        while not stop.is_set():
            self._try_staff_work()
            stop.wait(0.3)

    def _try_staff_work(self):
        """What fails is done again: the worker dies, or another one changes the same order.

        :return: whether nothing was left to do
        """
        with contextlib.suppress(*GONE):
            return self._do_staff_work()
        return False

    def _do_staff_work(self):
        """:return: whether nothing was left to do"""
        to_cancel = self._get_orders("o.state = 'sale'", CANCELLED)
        to_ship = self.server.query(
            "SELECT p.id FROM stock_picking p JOIN sale_order o ON o.id = p.sale_id"
            " WHERE o.state = 'sale' AND p.state = 'assigned' AND o.channel_order_ref::int %% %s = 0"
            " AND o.channel_order_ref::int %% %s != 0 LIMIT 10",
            SHIPPED,
            CANCELLED,
        )
        if to_cancel or to_ship:
            admin = self.server.login("admin", "admin")
            if to_cancel:
                admin.call("sale.order", "action_cancel", to_cancel)
            for [picking] in to_ship:
                admin.call("stock.picking", "write", [picking], {"carrier_tracking_ref": f"SF-{picking}"})
                admin.call("stock.picking", "button_validate", [picking], context={"skip_sms": True})
        return not to_cancel and not to_ship

    def _get_orders(self, condition, divisor):
        rows = self.server.query(
            f"SELECT o.id FROM sale_order o WHERE o.channel_id = ANY(%s) AND {condition}"
            " AND o.channel_order_ref::int %% %s = 0 LIMIT 10",
            self.channels,
            divisor,
        )
        return [order_id for [order_id] in rows]

    # === THE PROOF === #

    def test_exactly_once_whatever_dies(self):
        dice, stop = random.Random(SEED), threading.Event()
        people = [
            threading.Thread(target=self._send_webhooks, args=(random.Random(SEED + 1), stop), daemon=True),
            threading.Thread(target=self._work_as_staff, args=(stop,), daemon=True),
        ]
        for person in people:
            person.start()
        try:
            for _time in range(KILLS):
                self._pull()
                time.sleep(dice.uniform(*LIFE))  # the point at which it dies is left to chance
                self.server.kill()
                self.server.restart()
        finally:
            stop.set()
            for person in people:
                person.join(30)
        self._settle()
        for channel, http in zip(self.channels, self.shops, strict=True):
            self._check_orders(channel)
            self._check_shop(channel, http)

    def _pull(self):
        self.server.login("admin", "admin").call("oms.channel", "action_pull_now", self.channels)

    def _settle(self):
        """Let the last worker live: everything is pulled, worked and told."""
        self._pull()
        self._wait_for_none(
            "SELECT %s - count(*) FROM sale_order WHERE channel_id = ANY(%s)",
            ORDERS // 2 * 2,
            self.channels,
            what="all orders are here",
        )
        self._wait_for_none(
            "SELECT count(*) FROM sale_order WHERE channel_id = ANY(%s) AND state IN ('draft', 'sent')",
            self.channels,
            what="all orders are confirmed",
        )
        wait_until(self._try_staff_work, "the staff is done", SETTLE_SECONDS, interval=0.1)
        for table in ("oms_channel_message", "oms_channel_push"):
            self._wait_for_none(
                f"SELECT count(*) FROM {table} WHERE channel_id = ANY(%s) AND state NOT IN ('done', 'skipped')",
                self.channels,
                what=f"{table} is empty",
            )

    def _wait_for_none(self, statement, *parameters, what):
        wait_until(lambda: self.server.query(statement, *parameters) == [(0,)], what, SETTLE_SECONDS)

    def _check_orders(self, channel):
        """Each order of the shop is here once, with one line, one transfer and one way out."""
        rows = self.server.query(
            "SELECT o.channel_order_id, o.state, count(DISTINCT l.id), count(DISTINCT p.id)"
            " FROM sale_order o LEFT JOIN sale_order_line l"
            " ON l.order_id = o.id AND l.channel_line_id NOT LIKE 'ship%%'"
            " LEFT JOIN stock_picking p ON p.sale_id = o.id WHERE o.channel_id = %s GROUP BY o.id",
            channel,
        )
        self.assertEqual(
            sorted(row[0] for row in rows), sorted(f"order_{number}" for number in range(1, ORDERS // 2 + 1))
        )
        for external_id, state, lines, pickings in rows:
            number = int(external_id.removeprefix("order_"))
            self.assertEqual((lines, pickings), (1, 1), external_id)
            self.assertEqual(state, "sale" if number % CANCELLED else "cancel", external_id)

    def _check_shop(self, channel, http):
        """The shop has one parcel of each order shipped here, heard of it with one key, and cancelled what we did."""
        keys = defaultdict(set)
        for path, body in http.writes:
            if path.endswith("/fulfillments"):
                keys[path.split("/")[2]].add(body["metadata"][mapper.OWN_KEY])
        done = self.server.query(
            "SELECT o.channel_order_id, q.idempotency_key, p.carrier_tracking_ref FROM oms_channel_push q"
            " JOIN sale_order o ON o.id = q.order_id JOIN stock_picking p ON p.id = q.res_id"
            " WHERE q.channel_id = %s AND q.kind = 'shipment'",
            channel,
        )
        shipped = [number for number in range(SHIPPED, ORDERS // 2 + 1, SHIPPED) if number % CANCELLED]
        self.assertEqual(sorted(row[0] for row in done), sorted(f"order_{number}" for number in shipped))
        for external_id, key, tracking in done:
            self.assertEqual(keys[external_id], {key}, external_id)
            [fulfillment] = http.shop.orders[external_id]["fulfillments"]
            self.assertEqual([label["tracking_number"] for label in fulfillment["labels"]], [tracking])
        self.assertEqual(keys.keys(), {row[0] for row in done}, "nothing else was told")
        cancelled = {order["id"] for order in http.shop.orders.values() if order["status"] == "canceled"}
        self.assertEqual(cancelled, {f"order_{number}" for number in range(CANCELLED, ORDERS // 2 + 1, CANCELLED)})
