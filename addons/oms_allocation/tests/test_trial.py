from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tests import tagged

from odoo.addons.oms_base.models.sale_order_freight import FreightTerms

from .strategy_common import SourcingCommon


@tagged("post_install", "-at_install")
class TestTrial(SourcingCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls._set_stocks(cls.lamp, shanghai=10, beijing=10)
        cls.beijing.oms_priority = 1
        cls.tried = cls.env["oms.sourcing.strategy"].create(
            {"name": "By priority", "aim_ids": [Command.create({"type": "priority"})]}
        )

    def _try(self, **values):
        trial = self.env["oms.sourcing.trial"].with_user(self.manager).create({"strategy_id": self.tried.id, **values})
        trial.action_start()
        self._run_cron("oms_allocation.ir_cron_run_trials")
        return trial

    def test_past_orders(self):
        orders = self._confirm([(self.lamp, 1)]) | self._confirm([(self.lamp, 2)])
        picking = orders[0].picking_ids
        picking.move_ids.picked = True
        picking._action_done()
        moves = orders.order_line.move_ids.mapped(lambda move: (move.warehouse_id.id, move.quantity))
        trial = self._try(days=1)
        self.assertEqual((trial.state, trial.tried_count, trial.changed_count), ("done", 2, 2))
        line = trial.line_ids.filtered(lambda line: line.order_id == orders[0])
        self.assertEqual((line.warehouses_a, line.warehouses_b), ("Shanghai", "Beijing"))
        self.assertGreater(line.distance_km_b, line.distance_km_a)
        self.assertIn("By priority v1", line.why_b)
        self.assertIn("Way of all parcels", trial.comparison)
        self.assertEqual(orders.order_line.move_ids.mapped(lambda move: (move.warehouse_id.id, move.quantity)), moves)
        self.assertEqual(len(orders.oms_decision_ids.filtered(lambda decision: decision.kind == "allocation")), 2)

    def test_chosen_orders_against_another_strategy(self):
        order, _other = self._confirm([(self.lamp, 1)]), self._confirm([(self.lamp, 2)])
        trial = self._try(source="orders", order_ids=order.ids, other_strategy_id=self.tried.id)
        self.assertEqual((trial.tried_count, trial.changed_count), (1, 0))

    def test_made_up_order_leaves_nothing(self):
        before = self.env["sale.order"].search_count([])
        trial = self._try(
            source="made_up",
            channel_id=self.channel.id,
            partner_id=self.buyer.id,
            product_ids=[Command.create({"product_id": self.lamp.id, "quantity": 12})],
        )
        self.assertEqual(self.env["sale.order"].search_count([]), before)
        self.assertEqual((trial.line_ids.parcels_a, trial.line_ids.parcels_b), (2, 2))
        self.assertFalse(trial.line_ids.order_id)

    def test_what_an_order_waits_for_is_not_missing_twice(self):
        self._set_stocks(self.lamp, beijing=0)
        order = self._confirm([(self.lamp, 12)])
        self.assertEqual(order.oms_short_quantity, 2)
        self.assertEqual(self._try(days=1).line_ids.missing_a, 2)

    def test_promise_counts_from_when_the_buyer_ordered(self):
        """Of orders of the past as of those of today; and what is not known is not kept."""
        terms = FreightTerms(0, 1.0, 5.0, 1.0, 1.0, days=3)
        self.patch(
            type(self.env["sale.order"]),
            "_oms_get_freights",
            lambda orders, warehouses: {(order.id, self.shanghai.id): terms for order in orders},
        )
        ordered = fields.Datetime.now() - timedelta(days=20)
        orders = self._confirm([(self.lamp, 1)]) | self._confirm([(self.lamp, 1)])
        for order, days in zip(orders, (4, 2), strict=True):
            order.write({"date_order": ordered, "commitment_date": ordered + timedelta(days=days)})
        trial = self._try(source="orders", order_ids=orders.ids)
        rows = [(line.promised_a, line.kept_a, line.kept_b) for line in trial.line_ids.sorted("order_id")]
        self.assertEqual(sorted(rows), [(1, 0, 0), (1, 1, 0)], "nobody knows how long it takes from Beijing")

    def test_capacity_is_compared(self):
        self.shanghai.oms_daily_capacity = 4
        self.beijing.oms_daily_capacity = 10
        self._confirm([(self.lamp, 1)])
        line = self._try(days=1).line_ids
        self.assertEqual((line.load_a, line.load_b), (0.25, 0.1))
        self.assertIn("Capacity taken", line.trial_id.comparison)

    def test_nothing_to_try_is_refused(self):
        with self.assertRaisesRegex(UserError, "Choose the orders"):
            self._try(source="orders")
        with self.assertRaisesRegex(UserError, "needs the channel"):
            self._try(source="made_up")

    def test_trying_again_replaces_the_results(self):
        self._confirm([(self.lamp, 1)])
        trial = self._try(days=1)
        trial.action_start()
        self._run_cron("oms_allocation.ir_cron_run_trials")
        self.assertEqual((trial.state, trial.tried_count), ("done", 1))

    def test_users_read_trials(self):
        trial = self._try(days=1)
        self.assertEqual(trial.with_user(self.user).state, "done")
        with self.assertRaises(AccessError):
            self.env["oms.sourcing.trial"].with_user(self.user).create({"strategy_id": self.tried.id})
