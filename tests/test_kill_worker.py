"""A worker dies by kill -9 between two steps of an order's way; after the restart there is exactly one of everything.

Where it dies is exact, without a line of test code in the addons: either the shop kills it while it waits for an
answer, or this test holds a lock on the table the next step writes, waits until the worker hangs on it, and kills it.
"""

import contextlib
import os
import threading
import unittest

import psycopg2
import requests
from servers.fake_shop import ShopServer
from servers.odoo_server import OdooServer, wait_until

SKU = "KILL-MOUSE"
ORDER = "order_1"


class TestKillWorker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(OdooServer(f"oms_kill_{os.getpid()}"))
        cls.http = cls.enterClassContext(ShopServer())
        cls.shop = cls.http.shop
        cls._set_up_company()

    @classmethod
    def _set_up_company(cls):
        admin = cls.server.login("admin", "admin")
        cls.product = admin.create(
            "product.product", {"name": "Mouse", "default_code": SKU, "is_storable": True, "taxes_id": [(5,)]}
        )
        warehouse = admin.read("stock.warehouse", [], ["lot_stock_id"], limit=1)[0]
        location = warehouse["lot_stock_id"][0]
        quant = {"product_id": cls.product, "location_id": location, "inventory_quantity_auto_apply": 20}
        admin.call("stock.quant", "create", [quant], context={"inventory_mode": True})
        currency = admin.read("res.company", [], ["currency_id"], limit=1)[0]["currency_id"][1]
        cls.currency = currency.lower()
        journal = admin.read("account.journal", [["type", "=", "bank"]], ["id"], limit=1)
        journal_id = (
            journal[0]["id"]
            if journal
            else admin.create("account.journal", {"name": "Shop", "type": "bank", "code": "SHOPB"})
        )
        cls.channel = admin.create(
            "oms.channel",
            {
                "name": "Kill Shop",
                "code": "kill",
                "provider": "medusa",
                "base_url": cls.http.url,
                "api_key": "sk_test",
                "journal_id": journal_id,
                "pull_start_date": "2026-01-01 00:00:00",
                "next_pull_date": "2099-01-01 00:00:00",
                "invoice_policy": "manual",
            },
        )

    def _admin(self):
        return self.server.login("admin", "admin")

    # === WAYS TO DIE === #

    def _live(self, besides=0):
        """Start the worker if it is dead. :param besides: see `OdooServer.restart`"""
        if self.server.process.poll() is not None:
            self.server.restart(besides)

    @contextlib.contextmanager
    def _waking(self, wake):
        """Begin what the worker will not live to answer, in a thread of its own."""

        def talk():
            with contextlib.suppress(requests.RequestException):
                wake()

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        yield
        thread.join(150)

    def _kill_when(self, moment, method, start_of_path, wake):
        """Kill the worker while it waits for the shop's answer. It stays dead.

        :param moment: "before" or "after" the shop has done its part
        """
        dead = threading.Event()

        def kill(called_method, path):
            if called_method == method and path.startswith(start_of_path) and not dead.is_set():
                self.server.kill()
                dead.set()

        self._live()
        setattr(self.http, moment, kill)
        try:
            with self._waking(wake):
                self.assertTrue(dead.wait(90), f"never asked for {method} {start_of_path}: {self._describe()}")
        finally:
            setattr(self.http, moment, None)

    def _kill_at_write(self, table, wake=None):
        """Kill the worker while it hangs on its first write to ``table``. It stays dead, and is started under the next
        lock: what it begins by itself must not be past the next step before that one is looked at."""
        with contextlib.closing(psycopg2.connect(dbname=self.server.database)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")  # readers pass, writers wait
                self._live(besides=connection.info.backend_pid)
                with self._waking(wake or (lambda: None)):
                    wait_until(lambda: self._is_waiting_for(table), f"the worker writes to {table}", 90)
                    self.server.kill()
            connection.rollback()

    def _is_waiting_for(self, table):
        return self.server.query("SELECT 1 FROM pg_locks WHERE relation = %s::regclass AND NOT granted", table)

    def _describe(self):
        """Return what waits or failed, for who reads a failure."""
        return self.server.query(
            "SELECT 'push', kind, state, attempts, last_error, lane, next_try FROM oms_channel_push"
            " UNION ALL SELECT 'message', source, state, attempts, last_error, lane, next_try FROM oms_channel_message"
            " UNION ALL SELECT 'picking', name, state, NULL, NULL, NULL, NULL FROM stock_picking"
        )

    # === STEPS === #

    def _pull(self):
        self._admin().call("oms.channel", "action_pull_now", [self.channel])

    def _count(self, statement, *parameters):
        [[count]] = self.server.query(statement, *parameters)
        return count

    def _order(self):
        rows = self.server.query(
            "SELECT id, state FROM sale_order WHERE channel_id = %s AND channel_order_id = %s", self.channel, ORDER
        )
        return rows[0] if rows else None

    def test_exactly_one_of_everything(self):
        self.shop.place(1, [(SKU, 2, 25.0)], currency=self.currency, captured=True)
        self._kill_when("before", "GET", "/orders", self._pull)
        self._kill_at_write("oms_channel_message", self._pull)
        self._kill_at_write("sale_order", self._pull)
        self._kill_at_write("oms_channel_payment")
        self._live()
        order_id, _state = wait_until(self._order, "the order is imported")
        self._check_imported()
        wait_until(lambda: self._order()[1] == "sale", "the order is confirmed", 90)
        judged = self._count_verdicts(order_id)
        self._kill_at_write("oms_decision", lambda: self._review(order_id))
        self.assertEqual(self._count_verdicts(order_id), judged)
        self._kill_at_write("account_payment", lambda: self._settle(order_id))
        self._live()
        self._check_paid(order_id)
        self._kill_when("after", "POST", f"/orders/{ORDER}/fulfillments", lambda: self._ship(order_id))
        self.assertEqual(self.server.query("SELECT state FROM stock_picking WHERE sale_id = %s", order_id), [("done",)])
        self._live()
        self._check_shipped()
        self.shop.place(2, [(SKU, 2, 25.0)], currency=self.currency, captured=True)
        self._kill_at_write("oms_allocation", self._pull)
        self._live()
        self._check_confirmed("order_2")

    def _check_confirmed(self, channel_order_id):
        """Whatever the confirmation had begun is done once: one allocation and one transfer of what was ordered."""
        confirmed = (
            "SELECT count(*) FROM sale_order WHERE channel_id = %s AND channel_order_id = %s AND state = 'sale'"
            " AND oms_is_launch_pending IS NOT TRUE"
        )
        wait_until(lambda: self._count(confirmed, self.channel, channel_order_id), "the order is confirmed", 150)
        for table in ("oms_allocation", "stock_move"):
            line = "sale_line_id" if table == "stock_move" else "line_id"
            quantity = "product_uom_qty" if table == "stock_move" else "quantity"
            rows = self.server.query(
                f"SELECT part.{quantity} FROM {table} part JOIN sale_order_line line ON line.id = part.{line}"
                " JOIN sale_order o ON o.id = line.order_id WHERE o.channel_order_id = %s",
                channel_order_id,
            )
            self.assertEqual([float(quantity) for (quantity,) in rows], [2.0], table)

    def _review(self, order_id):
        """Have the order judged again."""
        self._admin().call("sale.order", "action_oms_review", [order_id])

    def _count_verdicts(self, order_id):
        """Return how many decisions and holds the order has: a review leaves all of it or nothing."""
        return [
            self._count(f"SELECT count(*) FROM {table} WHERE order_id = %s", order_id)
            for table in ("oms_decision", "oms_hold")
        ]

    def _settle(self, order_id):
        admin = self._admin()
        admin.call("oms.channel", "write", [self.channel], {"invoice_policy": "confirmed"})
        admin.call("sale.order", "action_retry_invoice", [order_id])

    def _check_imported(self):
        pending = "SELECT count(*) FROM oms_channel_message WHERE channel_id = %s AND state NOT IN ('done', 'skipped')"
        wait_until(lambda: not self._count(pending, self.channel), "every message is settled", 90)
        self.assertEqual(self._count("SELECT count(*) FROM sale_order WHERE channel_id = %s", self.channel), 1)
        self.assertEqual(self._count("SELECT count(*) FROM oms_channel_payment WHERE channel_id = %s", self.channel), 1)
        self.assertEqual(
            self._count(
                "SELECT count(*) FROM oms_channel_message WHERE channel_id = %s AND state = 'done'", self.channel
            ),
            1,
        )

    def _check_paid(self, order_id):
        booked = "SELECT count(*) FROM oms_channel_payment WHERE order_id = %s AND booked_amount > 0"
        wait_until(lambda: self._count(booked, order_id), "the payment is booked", 90)
        self.assertEqual(
            self.server.query(
                "SELECT amount_total, amount_residual FROM account_move"
                " WHERE move_type = 'out_invoice' AND state = 'posted'"
            ),
            [(60, 0)],
        )
        self.assertEqual(self._count("SELECT count(*) FROM account_payment WHERE payment_reference = 'pay_1'"), 1)

    def _ship(self, order_id):
        admin = self._admin()
        [picking] = admin.read("stock.picking", [["sale_id", "=", order_id]], ["id", "state"])
        admin.call("stock.picking", "write", [picking["id"]], {"carrier_tracking_ref": "SF-KILL-1"})
        # No text message to the buyer: its dialog is for the web client.
        admin.call("stock.picking", "button_validate", [picking["id"]], context={"skip_sms": True})

    def _check_shipped(self):
        done = "SELECT count(*) FROM oms_channel_push WHERE channel_id = %s AND kind = 'shipment' AND state = 'done'"
        wait_until(lambda: self._count(done, self.channel), "the shop knows of the shipment", 120)
        fulfillments = self.shop.orders[ORDER]["fulfillments"]
        self.assertEqual(len(fulfillments), 1)
        self.assertEqual([label["tracking_number"] for label in fulfillments[0]["labels"]], ["SF-KILL-1"])
