import random
from dataclasses import replace
from decimal import Decimal
from unittest.mock import patch

from odoo.tests import BaseCase

from odoo.addons.oms_allocation.solver import Demand, Order, Supply, Warehouse, batch, solve_batch, solve_in_turn
from odoo.addons.oms_allocation.tests.solver_reference import (
    find_best_batch,
    get_batch_rank,
    is_allowed,
    make_batch,
    make_order,
    make_supplies,
)


def rank(orders, plans):
    return get_batch_rank([(order, plans[order.id].cost) for order in orders])


def make_large(rng, orders, warehouses=5, products=20):
    """Return orders of one to three products with four fifths of what they want in stock."""
    wanted, result = {}, []
    for number in range(orders):
        demands = []
        for place, product in enumerate(rng.sample(range(products), rng.randint(1, 3))):
            quantity = rng.randint(1, 2)
            wanted[product] = wanted.get(product, 0) + quantity
            demands.append(Demand(10 * number + place, product, Decimal(quantity)))
        sites = tuple(Warehouse(id_, float(rng.randint(10, 900))) for id_ in range(1, warehouses + 1))
        result.append(Order(number, tuple(demands), sites, sequence=number))
    stock = {}
    for product, quantity in wanted.items():
        for _unit in range(quantity * 4 // 5):
            key = (rng.randint(1, warehouses), product)
            stock[key] = stock.get(key, 0) + 1
    return result, [Supply(*key, Decimal(quantity)) for key, quantity in stock.items()]


class TestSolverBatch(BaseCase):
    def check_stock(self, orders, supplies, plans):
        """Check that no lot is promised twice, no capacity is passed, and every plan is one that is allowed."""
        left = {(s.warehouse_id, s.product_id, s.lot_id): max(Decimal(0), s.quantity) for s in supplies}
        parcels = {}
        for order in orders:
            way = {}
            for one in plans[order.id].assignments:
                left[one.warehouse_id, one.product_id, one.lot_id] -= one.quantity
                key = (one.line_id, one.warehouse_id)
                way[key] = way.get(key, Decimal(0)) + one.quantity
            self.assertTrue(is_allowed(order, way))
            for one in order.warehouses:
                if one.capacity_left is not None and not one.is_open and one.id in plans[order.id].warehouse_ids:
                    parcels.setdefault(one.id, []).append(one.capacity_left)
        self.assertGreaterEqual(min(left.values(), default=0), 0)
        self.assertTrue(all(len(found) <= min(found) for found in parcels.values()))

    def test_no_plans_are_better(self):
        rng = random.Random(11)
        methods = set()
        for number in range(120):
            orders, supplies, ways = make_batch(rng)
            result = solve_batch(orders, supplies, 30)
            with self.subTest(number=number):
                self.assertIn(result.method, ("alone", "optimum"))
                self.assertEqual((result.gap, result.note), (0.0, ""))
                self.assertEqual(rank(orders, result.plans), find_best_batch(orders, supplies, ways))
                self.check_stock(orders, supplies, result.plans)
            methods.add(result.method)
        self.assertEqual(methods, {"alone", "optimum"})

    def test_lots_and_life_are_kept_and_nothing_gets_worse(self):
        rng = random.Random(12)
        for number in range(60):
            orders = [replace(make_order(rng, id_, 4), weight=1) for id_ in range(1, 6)]
            supplies = make_supplies(rng, most=2)
            with self.subTest(number=number):
                result = solve_batch(orders, supplies, 30)
                self.check_stock(orders, supplies, result.plans)
                self.assertLessEqual(rank(orders, result.plans), rank(orders, solve_in_turn(orders, supplies)))
                expiry = {supply.lot_id: supply.expiry for supply in supplies}
                for order in orders:
                    limits = {d.product_id: d.min_expiry for d in order.demands if d.quantity > 0 and d.min_expiry}
                    for one in result.plans[order.id].assignments:
                        lot_expiry = expiry[one.lot_id]
                        self.assertTrue(lot_expiry is None or lot_expiry >= limits.get(one.product_id, 0))

    def test_weight_decides_who_gets_the_last(self):
        sites = (Warehouse(1, 10.0),)
        orders = [Order(id_, (Demand(id_, 7, Decimal(1)),), sites, weight=weight) for id_, weight in ((1, 1), (2, 5))]
        result = solve_batch(orders, [Supply(1, 7, Decimal(1))])
        self.assertEqual([result.plans[id_].cost.missing for id_ in (1, 2)], [1, 0])
        self.assertEqual(result.plans[1].shortages[0].reason, "taken")
        self.assertEqual((result.method, result.competing), ("optimum", 2))

    def test_what_was_saved_is_shown(self):
        """The first order is as well off with either warehouse, and in turn takes what the second needs."""
        sites = (Warehouse(1, 100.0), Warehouse(2, 100.0))
        one, two = Decimal(1), Decimal(2)
        orders = [
            Order(1, (Demand(1, 7, one),), sites),
            Order(2, (Demand(2, 7, one), Demand(3, 8, one)), sites, sequence=1),
        ]
        result = solve_batch(orders, [Supply(1, 7, one), Supply(1, 8, two), Supply(2, 7, one)])
        self.assertEqual((result.in_turn.parcels, result.totals.parcels), (3, 2))

    def test_more_than_fit_at_once_are_weighed_in_parts(self):
        orders, supplies = make_large(random.Random(3), batch.AT_ONCE + 20)
        result = solve_batch(orders, supplies, 4.0)
        self.assertEqual(result.method, "gap")
        self.assertLess(rank(orders, result.plans), rank(orders, solve_in_turn(orders, supplies)))
        self.check_stock(orders, supplies, result.plans)

    def test_without_the_library_orders_are_served_in_turn(self):
        orders, supplies = make_large(random.Random(4), 12, 3, 6)
        with patch.object(batch.highs, "load", return_value=None):
            result = solve_batch(orders, supplies)
        self.assertEqual((result.method, result.note), ("in_turn", "library_missing"))
        self.assertLessEqual(rank(orders, result.plans), rank(orders, solve_in_turn(orders, supplies)))
        self.check_stock(orders, supplies, result.plans)

    def test_no_time_is_no_worse_than_in_turn(self):
        orders, supplies = make_large(random.Random(5), 30, 4, 8)
        result = solve_batch(orders, supplies, 0.0)
        self.assertEqual(result.note, "time_up")
        self.assertLessEqual(rank(orders, result.plans), rank(orders, solve_in_turn(orders, supplies)))
