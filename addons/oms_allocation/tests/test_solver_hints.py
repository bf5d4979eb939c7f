from decimal import Decimal

from odoo.tests import BaseCase

from odoo.addons.oms_allocation.solver import (
    Demand,
    Freight,
    Money,
    OpenOrder,
    Order,
    Receipt,
    Supply,
    Warehouse,
    find_hints,
    get_totals,
    solve_order,
)

ONE = Decimal(1)


class TestSolverHints(BaseCase):
    """Two products in two warehouses: two parcels now, one when something comes in or goes along."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        freight = Freight(1000, 800, 1000, 200)
        cls.order = Order(
            1,
            (Demand(1, 7, ONE, weight_g=500), Demand(2, 8, ONE, weight_g=500)),
            (Warehouse(1, 100.0, freight=freight, days=1), Warehouse(2, 300.0, freight=freight, days=2)),
            promised_days=2,
        )
        cls.supplies = [Supply(1, 7, ONE), Supply(2, 8, ONE)]

    def test_a_receipt_saves_a_parcel(self):
        hints = find_hints(self.order, self.supplies, [Receipt(1, 8, ONE, 360), Receipt(1, 8, ONE, 720)])
        self.assertEqual([(hint.kind, hint.minutes) for hint in hints], [("receipt", 360)])
        (hint,) = hints
        self.assertEqual((hint.saved_parcels, hint.saved_money, hint.saved_missing), (1, 800, 0))
        self.assertEqual((hint.warehouse_ids, hint.product_ids), ((1,), (8,)))

    def test_a_receipt_brings_what_is_missing(self):
        hints = find_hints(self.order, self.supplies[:1], [Receipt(2, 8, ONE, 60), Receipt(1, 8, ONE, 90)])
        self.assertEqual(
            [(hint.minutes, hint.saved_missing, hint.saved_parcels) for hint in hints], [(60, 1, -1), (90, 1, 0)]
        )

    def test_what_changes_nothing_is_no_hint(self):
        receipts = [
            Receipt(1, 9, ONE, 10),
            Receipt(3, 8, ONE, 10),
            Receipt(1, 8, Decimal(0), 10),
            Receipt(2, 8, ONE, 10),
        ]
        self.assertEqual(find_hints(self.order, self.supplies, receipts), ())

    def test_another_order_of_the_buyer_takes_the_goods_along(self):
        plan = solve_order(self.order, self.supplies)
        others = [OpenOrder(55, 2, minutes=30, weight_g=400), OpenOrder(56, 9)]
        (hint,) = find_hints(self.order, self.supplies, open_orders=others, plan=plan)
        self.assertEqual((hint.kind, hint.order_id, hint.minutes, hint.saved_parcels), ("order", 55, 30, 1))

    def test_totals_of_plans(self):
        short = Order(2, (Demand(3, 9, ONE),), self.order.warehouses)
        orders = [self.order, short]
        totals = get_totals((order, solve_order(order, self.supplies)) for order in orders)
        self.assertEqual((totals.orders, totals.complete, totals.split, totals.parcels), (2, 1, 1, 2))
        self.assertEqual((totals.quantity, totals.missing, totals.metres), (2, 1, 400_000))
        self.assertEqual(totals.money, Money(freight=1600))
        self.assertEqual((totals.known_days, totals.dated, totals.kept, totals.promised), (2, 1, 1, 1))
        self.assertEqual((totals.split_rate, totals.kept_rate, totals.parcels_by_warehouse), (0.5, 1.0, {1: 1, 2: 1}))
