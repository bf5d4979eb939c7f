import ast
import itertools
import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from odoo.tests import BaseCase

from odoo.addons.oms_allocation.solver import (
    DEFAULT_STRATEGY,
    Cost,
    Demand,
    Order,
    Refusal,
    Strategy,
    Supply,
    Warehouse,
    distance_km,
    solve,
    solve_in_turn,
    solve_order,
)

BEIJING, SHANGHAI, GUANGZHOU = (39.9042, 116.4074), (31.2304, 121.4737), (23.1291, 113.2644)


def brute_force(demands, stock, warehouses):
    """Return the cost of the best plan by trying every set of warehouses."""
    wanted = {}
    for demand in demands:
        wanted[demand.product_id] = wanted.get(demand.product_id, 0) + demand.quantity
    costs = []
    for size in range(len(warehouses) + 1):
        for chosen in itertools.combinations(warehouses, size):
            covered = sum(
                min(quantity, sum(max(Decimal(0), stock.get((w.id, product), Decimal(0))) for w in chosen))
                for product, quantity in wanted.items()
            )
            paid = [w for w in chosen if not w.is_open]
            costs.append(
                (
                    sum(wanted.values(), Decimal(0)) - covered,
                    len(paid),
                    sum(w.distance_km is None for w in paid),
                    sum(round((w.distance_km or 0) * 1000) for w in paid),
                    sum(w.priority for w in paid),
                )
            )
    return min(costs)


def make_instance(rng):
    warehouses = [
        Warehouse(
            number,
            rng.choice([None, *(float(km) for km in range(100, 700, 100))]),
            priority=rng.randint(0, 2),
            is_open=rng.random() < 0.15,
        )
        for number in range(1, rng.randint(1, 6) + 1)
    ]
    products = range(1, rng.randint(1, 4) + 1)
    demands = tuple(
        Demand(line, rng.choice(products), Decimal(rng.randint(0, 6))) for line in range(1, rng.randint(1, 5) + 1)
    )
    stock = {
        (warehouse.id, product): Decimal(rng.randint(-2, 7))
        for warehouse in warehouses
        for product in products
        if rng.random() < 0.75
    }
    return demands, stock, tuple(warehouses)


class TestSolver(BaseCase):
    def solve(self, demands, stock, warehouses):
        return solve(
            [Demand(line, product, Decimal(quantity)) for line, product, quantity in demands],
            [Supply(warehouse, product, Decimal(quantity)) for (warehouse, product), quantity in stock.items()],
            warehouses,
        )

    def rows(self, plan):
        return [(a.line_id, a.warehouse_id, int(a.quantity)) for a in plan.assignments]

    def check_plan(self, demands, stock, warehouses, plan):
        """Check what must hold for every plan, whatever it costs."""
        for demand in demands:
            got = sum((a.quantity for a in plan.assignments if a.line_id == demand.line_id), Decimal(0))
            short = sum((s.quantity for s in plan.shortages if s.line_id == demand.line_id), Decimal(0))
            self.assertEqual(got + short, max(demand.quantity, Decimal(0)))
        for key in {(a.warehouse_id, a.product_id) for a in plan.assignments}:
            taken = sum(a.quantity for a in plan.assignments if (a.warehouse_id, a.product_id) == key)
            self.assertLessEqual(taken, stock[key])
        self.assertTrue(all(a.quantity > 0 for a in plan.assignments))
        paid = {w.id for w in warehouses if not w.is_open} & {a.warehouse_id for a in plan.assignments}
        self.assertEqual(len(paid), plan.cost.parcels)
        losers = [loser.warehouse_id for loser in plan.losers]
        self.assertCountEqual([*losers, *plan.warehouse_ids], [w.id for w in warehouses])

    def test_plan_costs_what_the_best_of_all_sets_costs(self):
        rng = random.Random(20)
        for number in range(1500):
            demands, stock, warehouses = make_instance(rng)
            supplies = [Supply(*key, quantity) for key, quantity in stock.items()]
            plan = solve(demands, supplies, warehouses)
            with self.subTest(number=number):
                self.assertEqual(DEFAULT_STRATEGY.rank(plan.cost), brute_force(demands, stock, warehouses))
                self.check_plan(demands, stock, warehouses, plan)
                for loser in plan.losers:
                    self.assertTrue(
                        loser.cost is None or DEFAULT_STRATEGY.rank(loser.cost) >= DEFAULT_STRATEGY.rank(plan.cost)
                    )
                    self.assertEqual(
                        loser.reason == "tie",
                        loser.cost is not None
                        and DEFAULT_STRATEGY.rank(loser.cost) == DEFAULT_STRATEGY.rank(plan.cost),
                    )

    def test_input_order_changes_nothing(self):
        rng = random.Random(21)
        for _number in range(200):
            demands, stock, warehouses = make_instance(rng)
            supplies = [Supply(*key, quantity) for key, quantity in stock.items()]
            plan = solve(demands, supplies, warehouses)
            rng.shuffle(supplies)
            self.assertEqual(plan, solve(demands, supplies, rng.sample(warehouses, len(warehouses))))

    def test_nearest_wins(self):
        plan = self.solve([(1, 10, 3)], {(1, 10): 5, (2, 10): 5}, [Warehouse(1, 900), Warehouse(2, 100)])
        self.assertEqual(self.rows(plan), [(1, 2, 3)])
        self.assertEqual([(x.warehouse_id, x.reason, x.cost.metres) for x in plan.losers], [(1, "distance", 900_000)])

    def test_one_far_parcel_beats_two_near_ones(self):
        plan = self.solve(
            [(1, 10, 1), (2, 11, 1)],
            {(1, 10): 1, (2, 11): 1, (3, 10): 1, (3, 11): 1},
            [Warehouse(1, 10), Warehouse(2, 20), Warehouse(3, 2000)],
        )
        self.assertEqual(self.rows(plan), [(1, 3, 1), (2, 3, 1)])
        self.assertEqual({loser.reason for loser in plan.losers}, {"parcels"})

    def test_most_quantity_beats_fewest_parcels(self):
        plan = self.solve([(1, 10, 9)], {(1, 10): 6, (2, 10): 2}, [Warehouse(1, 10), Warehouse(2, 20)])
        self.assertEqual(self.rows(plan), [(1, 1, 6), (1, 2, 2)])
        self.assertEqual([(s.line_id, s.quantity) for s in plan.shortages], [(1, 1)])

    def test_two_lines_of_one_product_share_its_stock(self):
        plan = self.solve([(1, 10, 3), (2, 10, 3)], {(1, 10): 4, (2, 10): 1}, [Warehouse(1, 10), Warehouse(2, 20)])
        self.assertEqual(self.rows(plan), [(1, 1, 3), (2, 1, 1), (2, 2, 1)])
        self.assertEqual([(s.line_id, s.quantity) for s in plan.shortages], [(2, 1)])

    def test_open_parcel_is_free(self):
        plan = self.solve([(1, 10, 1)], {(1, 10): 1, (2, 10): 1}, [Warehouse(1, 10), Warehouse(2, 2000, is_open=True)])
        self.assertEqual((self.rows(plan), plan.cost.parcels, plan.cost.metres), ([(1, 2, 1)], 0, 0))

    def test_priority_decides_where_no_way_is_known(self):
        plan = self.solve([(1, 10, 1)], {(1, 10): 1, (2, 10): 1}, [Warehouse(1, None, 20), Warehouse(2, None, 10)])
        self.assertEqual(plan.warehouse_ids, (2,))
        self.assertEqual([(x.warehouse_id, x.reason) for x in plan.losers], [(1, "priority")])

    def test_known_way_beats_unknown_way(self):
        plan = self.solve([(1, 10, 1)], {(1, 10): 1, (2, 10): 1}, [Warehouse(1, None, 1), Warehouse(2, 5000, 20)])
        self.assertEqual([(x.warehouse_id, x.reason) for x in plan.losers], [(1, "unknown")])

    def test_nothing_to_have_is_all_short(self):
        plan = self.solve([(1, 10, 2)], {(1, 10): -3}, [Warehouse(1, 10)])
        self.assertEqual((plan.assignments, plan.cost.missing, plan.losers[0].reason), ((), 2, "no_stock"))

    def test_no_candidates(self):
        self.assertEqual(self.solve([(1, 10, 2)], {}, []).cost, Cost(missing=Decimal(2)))

    def test_batch_takes_in_turn_from_one_stock(self):
        warehouses = (Warehouse(1, 10), Warehouse(2, 20))
        orders = [Order(n, (Demand(n, 10, Decimal(2)),), warehouses) for n in (7, 5, 6)]
        stock = {(1, 10): Decimal(3), (2, 10): Decimal(2)}
        plans = solve_in_turn(orders, [Supply(*key, quantity) for key, quantity in stock.items()])
        self.assertEqual({n: self.rows(plans[n]) for n in plans}, {7: [(7, 1, 2)], 5: [(5, 2, 2)], 6: [(6, 1, 1)]})
        self.assertEqual(plans[6].cost.missing, 1)

    def test_large_instance_stays_exact_and_quick(self):
        """Ten products spread thin over forty warehouses: the search must prune, not enumerate 2^40 sets."""
        rng = random.Random(3)
        warehouses = [Warehouse(n, float(rng.randint(10, 3000))) for n in range(1, 41)]
        stock = {(w.id, p): Decimal(rng.randint(0, 3)) for w in warehouses for p in range(10) if rng.random() < 0.4}
        plan = self.solve([(p, p, 3) for p in range(10)], stock, warehouses)
        self.assertFalse(plan.shortages)
        self.assertLessEqual(plan.cost.parcels, 6)


class TestSolverReasons(BaseCase):
    """Why something is short, and why a candidate lost."""

    def get_plan(self, demands, supplies, warehouses, strategy=DEFAULT_STRATEGY):
        return solve_order(Order(1, tuple(demands), tuple(warehouses), strategy=strategy), supplies)

    def get_shortage(self, *args, **kwargs):
        return [shortage.reason for shortage in self.get_plan(*args, **kwargs).shortages]

    def test_why_it_is_short(self):
        one, sites = Demand(1, 7, Decimal(1)), (Warehouse(1, 10.0), Warehouse(2, 20.0))
        two = Demand(2, 8, Decimal(1))
        supplies = [Supply(1, 7, Decimal(1)), Supply(2, 8, Decimal(1))]
        never = Strategy(split="never")
        complete = Strategy(ship="complete")
        zone = (replace(sites[0], refusals=(Refusal("zone"),)), sites[1])
        group = [replace(one, keep_together="set"), replace(two, keep_together="set")]
        old = [Supply(1, 7, Decimal(1), 5, expiry=100)]
        self.assertEqual(self.get_shortage([one], [], sites), ["no_stock"])
        self.assertEqual(self.get_shortage([one, two], supplies, sites, never), ["split"])
        self.assertEqual(
            self.get_shortage([one, replace(two, quantity=Decimal(2))], supplies, sites, complete),
            ["incomplete", "no_stock"],
        )
        self.assertEqual(self.get_shortage([one], supplies, zone), ["zone"])
        self.assertEqual(self.get_shortage(group, supplies, sites), ["keep_together"] * 2)
        self.assertEqual(self.get_shortage([replace(one, min_expiry=101)], old, sites), ["lot_life"])

    def test_why_candidates_lost(self):
        demand = Demand(1, 7, Decimal(1))
        sites = [
            Warehouse(1, 10.0),
            Warehouse(2, 5.0, refusals=(Refusal("cutoff", args=(("hour", 16),)),)),
            Warehouse(3, 5.0, refusals=(Refusal("hazardous", product_id=7),)),
            Warehouse(4, 5.0, capacity_left=0),
            Warehouse(5, 5.0),
            Warehouse(6, 30.0),
            Warehouse(7, None),
        ]
        supplies = [Supply(site.id, 7, Decimal(1)) for site in sites if site.id != 5]
        losers = {loser.warehouse_id: loser for loser in self.get_plan([demand], supplies, sites).losers}
        self.assertEqual(
            {id_: loser.reason for id_, loser in losers.items()},
            {2: "cutoff", 3: "hazardous", 4: "capacity", 5: "no_stock", 6: "distance", 7: "unknown"},
        )
        self.assertEqual((losers[2].args, losers[6].cost.metres), ((("hour", 16),), 30_000))

    def test_what_costs_more_than_it_is_worth_is_left(self):
        strategy = Strategy(((("missing", 5), ("money", 1)),))
        site = Warehouse(1, 10.0, handling_order=6)
        supplies = [Supply(1, 7, Decimal(9))]
        one = self.get_plan([Demand(1, 7, Decimal(1))], supplies, [site], strategy)
        two = self.get_plan([Demand(1, 7, Decimal(2))], supplies, [site], strategy)
        self.assertEqual([shortage.reason for shortage in one.shortages], ["not_worth"])
        self.assertEqual((two.shortages, two.money.handling), ((), 6))

    def test_oldest_lots_are_named_first(self):
        lots = [
            Supply(1, 7, Decimal(2), lot_id=id_, expiry=day, preference=day) for id_, day in ((4, 30), (5, 10), (6, 20))
        ]
        plan = self.get_plan([Demand(1, 7, Decimal(3), min_expiry=15)], lots, [Warehouse(1, 10.0)])
        self.assertEqual([(a.lot_id, a.quantity) for a in plan.assignments], [(6, 2), (4, 1)])

    def test_parts_of_a_unit(self):
        supplies = [Supply(1, 7, Decimal("0.75")), Supply(2, 7, Decimal("2.5"))]
        plan = self.get_plan([Demand(1, 7, Decimal("3.125"))], supplies, [Warehouse(1, 10.0), Warehouse(2, 20.0)])
        self.assertEqual(sum(a.quantity for a in plan.assignments), Decimal("3.125"))

    def test_a_strategy_must_be_one(self):
        for values in (
            {"aims": ((("speed", 1),),)},
            {"aims": ((("missing", -1),),)},
            {"split": "maybe"},
            {"ship": "some"},
        ):
            with self.assertRaises(ValueError):
                Strategy(**values)


class TestDistance(BaseCase):
    def test_known_distances(self):
        self.assertAlmostEqual(distance_km(BEIJING, SHANGHAI), 1067, delta=3)
        self.assertAlmostEqual(distance_km(BEIJING, GUANGZHOU), 1888, delta=5)
        self.assertEqual(distance_km(BEIJING, BEIJING), 0)
        self.assertAlmostEqual(distance_km((0, 0), (0, 180)), 20015, delta=1)

    def test_unknown_place_has_no_distance(self):
        self.assertIsNone(distance_km(None, BEIJING))
        self.assertIsNone(distance_km(BEIJING, None))


class TestSolverIsPure(BaseCase):
    def test_solver_does_not_import_odoo(self):
        for path in (Path(__file__).parents[1] / "solver").rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom) and not node.level:
                    names = [node.module]
                self.assertFalse([name for name in names if name.split(".")[0] == "odoo"], path.name)
