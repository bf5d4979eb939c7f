import random
from decimal import Decimal

from odoo.tests import BaseCase

from odoo.addons.oms_allocation.solver import solve_order
from odoo.addons.oms_allocation.tests.solver_reference import (
    find_best,
    get_cost,
    get_ways,
    is_allowed,
    make_order,
    make_supplies,
)


def get_way(plan):
    way = {}
    for one in plan.assignments:
        key = (one.line_id, one.warehouse_id)
        way[key] = way.get(key, Decimal(0)) + one.quantity
    return way


class TestSolverExact(BaseCase):
    """Whatever a strategy asks for, no plan is better than the solver's: all plans of small orders are tried."""

    def check_plan(self, order, supplies, plan):
        """Check that the plan is one that is allowed, costs what it says, and takes lots that are there."""
        way = get_way(plan)
        self.assertTrue(is_allowed(order, way))
        self.assertEqual(plan.cost, get_cost(order, supplies, way))
        self.assertEqual(plan.money.total, plan.cost.money)
        had = {(s.warehouse_id, s.product_id, s.lot_id): s.quantity for s in supplies}
        for key in {(a.warehouse_id, a.product_id, a.lot_id) for a in plan.assignments}:
            mine = [a for a in plan.assignments if (a.warehouse_id, a.product_id, a.lot_id) == key]
            self.assertLessEqual(sum(a.quantity for a in mine), had[key])
        for demand in order.demands:
            got = sum(a.quantity for a in plan.assignments if a.line_id == demand.line_id)
            short = sum(s.quantity for s in plan.shortages if s.line_id == demand.line_id)
            self.assertEqual(got + short, max(demand.quantity, Decimal(0)))

    def test_no_plan_is_better(self):
        rng = random.Random(5)
        for number in range(1500):
            order, supplies = make_order(rng), make_supplies(rng)
            plan = solve_order(order, supplies)
            with self.subTest(number=number, strategy=order.strategy):
                self.assertTrue(plan.is_proven)
                self.assertEqual(order.strategy.rank(plan.cost), find_best(order, supplies)[0])
                self.check_plan(order, supplies, plan)

    def test_losers_cost_what_the_best_plan_with_them_costs(self):
        rng = random.Random(6)
        for number in range(400):
            order, supplies = make_order(rng), make_supplies(rng)
            rank = order.strategy.rank
            plan = solve_order(order, supplies)
            best = {}
            for way in get_ways(order, supplies):
                cost = rank(get_cost(order, supplies, way))
                for id_ in {id_ for _line_id, id_ in way}:
                    best[id_] = min(cost, best.get(id_, cost))
            with self.subTest(number=number, strategy=order.strategy):
                for loser in plan.losers:
                    if loser.cost is not None:
                        self.assertEqual(rank(loser.cost), best[loser.warehouse_id])
                        self.assertEqual(loser.reason == "tie", rank(loser.cost) == rank(plan.cost))
                    else:
                        self.assertNotIn(loser.warehouse_id, best)
                self.assertCountEqual(
                    [*(loser.warehouse_id for loser in plan.losers), *plan.warehouse_ids],
                    [one.id for one in order.warehouses],
                )
