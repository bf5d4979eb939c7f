import threading
import time
from unittest.mock import Mock, patch

from psycopg2.errors import SerializationFailure

from odoo.service import model as service
from odoo.tests import tagged

from odoo.addons.oms_allocation.models import ir_http
from odoo.addons.oms_base.tests.common import RealTransactionsCase
from odoo.addons.oms_base.tools import TURNS, Turn, take_turn, work_in_turn, work_undisturbed


@tagged("post_install", "-at_install", "oms_concurrency")
class TestTurn(RealTransactionsCase):
    """Real transactions that go for the same goods. What they commit is taken away again."""

    def setUp(self):
        super().setUp()
        self.addCleanup(self._clean)
        with self._cursor() as env:
            warehouse = env["stock.warehouse"].search([("company_id", "=", env.company.id)], limit=1)
            product = env["product.product"].create({"name": "Last", "is_storable": True, "taxes_id": False})
            env["stock.quant"]._update_available_quantity(product, warehouse.lot_stock_id, 1)
            self.product_id, self.location_id = product.id, warehouse.lot_stock_id.id

    def _clean(self):
        with self._cursor() as env:
            env.cr.execute("DELETE FROM stock_quant WHERE product_id = %s", [self.product_id])
            env["product.product"].browse(self.product_id).product_tmpl_id.unlink()

    def _take(self, env):
        """Take one unit, as far as one is there. Return how many were free."""
        product = env["product.product"].browse(self.product_id)
        location = env["stock.location"].browse(self.location_id)
        quants = env["stock.quant"]._oms_lock(product, location).get_quants(product)
        free = sum(quants.mapped("quantity")) - sum(quants.mapped("reserved_quantity"))
        if free > 0:
            quants[0].reserved_quantity += 1
        env.flush_all()
        return free

    def _add(self, quantity):
        with self._cursor() as env:
            product, location = env["product.product"].browse(self.product_id), self.location_id
            env["stock.quant"]._update_available_quantity(product, env["stock.location"].browse(location), quantity)

    def _is_turn_free(self, env):
        env.cr.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [TURNS, self.product_id])
        return env.cr.fetchone()[0]

    def _race(self, run):
        """Take the last unit in one transaction, and let ``run`` go for it in another one that began before. Return
        what it found, and how often it tried."""
        found, tries, answers = [], [], []

        with self._cursor() as first, self._cursor() as second:

            def work():
                tries.append(1)
                found.append(self._take(second))

            second["product.product"].browse(self.product_id).name  # noqa: B018  its snapshot is taken here
            self.assertGreaterEqual(self._take(first), 1)
            late = threading.Thread(target=lambda: answers.append(run(second, work)))
            late.start()
            first.cr.commit()
            late.join(120)
            self.assertFalse(late.is_alive())
            with self._cursor() as third:
                is_free = self._is_turn_free(third)
            second.cr.commit()
            with self._cursor() as third:
                self.assertTrue(self._is_turn_free(third))
        return found, len(tries), is_free

    def test_who_comes_too_late_tries_again_at_once_and_sees_what_is_left(self):
        # Other threads of the process may sleep meanwhile.
        with patch.object(service, "time", Mock(wraps=time)) as clock:
            found = self._race(work_in_turn)
        self.assertEqual(found, ([0], 2, True), "nothing is left, so nobody is kept waiting for it")
        self.assertFalse(clock.sleep.called, "it waits for who was before, not for a random time")

    def test_turn_is_had_until_the_end_of_the_transaction_while_something_is_left(self):
        self._add(1)
        self.assertEqual(self._race(work_in_turn), ([1], 2, False))

    def test_background_work_waits_for_its_turn_too(self):
        self._add(1)
        self.assertEqual(self._race(work_undisturbed), ([1], 2, False))

    def test_one_waits_until_who_was_before_is_through(self):
        with self._cursor() as first, self._cursor() as second:
            take_turn(first.cr, Turn([self.product_id]))
            waiting = threading.Thread(target=take_turn, args=(second.cr, Turn([self.product_id])))
            waiting.start()
            waiting.join(0.2)
            self.assertTrue(waiting.is_alive())
            first.cr.commit()
            waiting.join(120)
            self.assertFalse(waiting.is_alive())

    def test_other_errors_and_what_can_not_be_repeated_are_left_to_odoo(self):
        with self._cursor() as env:
            work = Mock(side_effect=SerializationFailure)
            with self.assertRaises(SerializationFailure):
                work_in_turn(env, work)
            late = SerializationFailure()
            late.oms_turn = Turn([self.product_id])
            work = Mock(side_effect=late)
            with self.assertRaises(SerializationFailure):
                work_in_turn(env, work, lambda: False)
            self.assertEqual(work.call_count, 1)
            with self.assertRaises(SerializationFailure):
                work_in_turn(env, work)
            self.assertEqual(work.call_count, 6, "five times, as Odoo does")

    def test_nothing_is_locked_where_nothing_is_free(self):
        with self._cursor() as first, self._cursor() as second:
            self.assertEqual(self._take(first), 1)
            first.cr.commit()
            self.assertEqual(self._take(second), 0)
            first.cr.execute("SET LOCAL lock_timeout = '5s'")
            self.assertEqual(self._take(first), 0, "it does not wait for the other")
            product = second["product.product"].browse(self.product_id)
            location = second["stock.location"].browse(self.location_id)
            self.assertTrue(second["stock.quant"]._oms_lock(product, location, is_forced=True).locked_ids)
            first.cr.rollback()
            second.cr.rollback()

    def test_calls_of_the_web_client_are_run_in_turn(self):
        """Through `ir.http`; the second try reads its parameters anew, as the first may have changed them."""
        with self._cursor() as env:
            late = SerializationFailure()
            late.oms_turn = Turn([self.product_id])
            seen = []

            def endpoint(**params):
                seen.append(dict(params))
                params["args"].append("spoiled")
                if len(seen) == 1:
                    raise late
                return "done"

            endpoint.routing = {"captcha": None}
            request = Mock(params={"args": [1], "path": "x"}, env=env)
            request.dispatcher.routing_type = "jsonrpc"
            request.session.is_dirty = False
            request.httprequest.files = {}
            request.get_json_data.side_effect = lambda: {"params": {"args": [1]}}
            with patch.object(ir_http, "request", request), patch("odoo.addons.base.models.ir_http.request", request):
                self.assertEqual(env["ir.http"]._dispatch(endpoint), "done")
                self.assertEqual(seen[1], {"args": [1, "spoiled"], "path": "x"})
                request.session.is_dirty = True
                seen.clear()
                with self.assertRaises(SerializationFailure):
                    env["ir.http"]._dispatch(endpoint)
