from contextlib import contextmanager
from unittest.mock import patch

from odoo.fields import Command
from odoo.tests import tagged

from .strategy_common import SourcingCommon


@tagged("post_install", "-at_install")
class TestLockOrder(SourcingCommon):
    """Whoever gives parcels of the day away and takes stock takes the turn at the warehouses first: with two orders of
    locks, two workers would wait for each other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.warehouses.oms_daily_capacity = 50
        cls._add_rule(type="capacity")

    @contextmanager
    def record(self):
        """Yield the list of what is locked meanwhile."""
        locked = []
        Turn, Quant = type(self.env["oms.warehouse.turn"]), type(self.env["stock.quant"])
        take, lock = Turn._take, Quant._oms_lock

        def note_take(turn, warehouses):
            locked.append(("turn", {warehouse.id for warehouse in warehouses}))
            return take(turn, warehouses)

        def note_lock(quant, products, locations, **options):
            if products:
                locked.append(("stock", set()))
            return lock(quant, products, locations, **options)

        with patch.object(Turn, "_take", note_take), patch.object(Quant, "_oms_lock", note_lock):
            yield locked

    def assertTurnsFirst(self, locked):
        kinds = [kind for kind, _ids in locked]
        self.assertIn("stock", kinds)
        first = kinds.index("stock")
        self.assertIn("turn", kinds[:first])
        taken = set().union(*(ids for kind, ids in locked[:first] if kind == "turn"))
        later = set().union(*(ids for kind, ids in locked[first:] if kind == "turn"))
        self.assertLessEqual(later, taken)

    def test_turns_come_before_stock(self):
        self._set_stocks(self.lamp, shanghai=1)
        with self.record() as locked:
            order = self._confirm([(self.lamp, 2)])
        self.assertTurnsFirst(locked)
        self._set_stocks(self.lamp, beijing=1)
        with self.record() as locked:
            order._oms_reallocate()
        self.assertTurnsFirst(locked)
        self.assertEqual(order.oms_short_quantity, 0)
        with self.record() as locked:
            order._oms_source_again()
        self.assertTurnsFirst(locked)

    def test_a_batch_takes_all_its_turns_at_once(self):
        """One order of the batch is held back until all is there, the other waits for a part at other warehouses."""
        other = self.channel.copy({"name": "Other Shop", "code": "other_shop", "oms_strategy_id": self.strategy.id})
        other.warehouse_ids = [Command.set(self.guangzhou.ids)]
        waiting = self._confirm([(self.desk, 1)], channel_id=other.id)
        self.strategy.on_shortage = "complete"
        held = self._create_order([(self.lamp, 1)])
        self.channel.warehouse_ids = [Command.set(self.beijing.ids)]
        held.with_user(self.user).action_confirm()
        self.assertTrue(held.oms_is_launch_pending)
        self._set_stocks(self.lamp, beijing=1)
        self._set_stocks(self.desk, guangzhou=1)
        with self.record() as locked:
            (held | waiting)._oms_reallocate_open()
        self.assertTurnsFirst(locked)
        self.assertEqual(held.order_line.move_ids.quantity + waiting.order_line.move_ids.quantity, 2)

    def test_a_promise_takes_no_turn(self):
        self.channel.write({"promise_hours": 24, "auto_confirm": False})
        self._set_stocks(self.lamp, shanghai=1)
        order = self._create_order([(self.lamp, 1)])
        with self.record() as locked:
            order._oms_promise_stock()
        self.assertTrue(order.oms_promise_ids)
        self.assertEqual({kind for kind, _ids in locked}, {"stock"})
