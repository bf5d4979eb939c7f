"""Kits in the solver's plans: plain values."""

from decimal import Decimal

import pytest

from odoo.tests import BaseCase

from odoo.addons.oms_allocation.models.sellable.kit import (
    MAX_BATCHES,
    Lot,
    Part,
    fold,
    get_batches,
    get_part_id,
    name_lots,
)
from odoo.addons.oms_allocation.solver import Demand, Order, Supply, Warehouse, solve_order

pytestmark = pytest.mark.nodb

KIT, MOUSE, KEYBOARD = 1, 2, 3
LINE = 7


class TestKitsInPlans(BaseCase):
    """Line 7 wants kits of two mice and a keyboard; warehouse 1 is nearer than 2."""

    def plan(self, kits, supplies, *others):
        parts, demands = {}, []
        for batch, count in enumerate(get_batches(Decimal(kits))):
            for number, (product, needed) in enumerate({MOUSE: 2, KEYBOARD: 1}.items()):
                id_ = get_part_id(LINE, batch, number)
                parts[id_] = Part(LINE, KIT, batch, count, count * needed)
                demands.append(Demand(id_, product, count * needed, keep_together=f"kit,{batch}"))
        order = Order(1, (*demands, *others), (Warehouse(1, 10.0), Warehouse(2, 20.0)))
        supplies = [Supply(*key, Decimal(quantity)) for key, quantity in supplies.items()]
        return fold(solve_order(order, supplies), parts)

    def test_whole_kits_come_from_each_warehouse(self):
        plan = self.plan(3, {(1, MOUSE): 3, (1, KEYBOARD): 5, (2, MOUSE): 9, (2, KEYBOARD): 2})
        self.assertEqual(plan.get_quantities(), {LINE: {1: 1, 2: 2}})
        self.assertEqual((plan.demanded, plan.cost.missing, plan.shortages), (3, 0, ()))
        self.assertEqual({one.product_id for one in plan.assignments}, {KIT})

    def test_what_no_warehouse_has_whole_is_short_in_kits(self):
        plan = self.plan(2, {(1, MOUSE): 4, (2, KEYBOARD): 2})
        self.assertFalse(plan.assignments)
        self.assertEqual([(one.line_id, one.product_id, one.quantity) for one in plan.shortages], [(LINE, KIT, 2)])
        self.assertEqual((plan.demanded, plan.cost.missing), (2, 2))

    def test_a_part_that_is_sold_besides_is_counted_once(self):
        plan = self.plan(1, {(1, MOUSE): 2, (1, KEYBOARD): 1, (2, MOUSE): 1}, Demand(8, MOUSE, Decimal(1)))
        self.assertEqual(plan.get_quantities(), {8: {2: 1}, LINE: {1: 1}})

    def test_batches_add_up_and_are_few(self):
        for quantity in ("1", "3", "12", "13", "500", "2.5", "0.25"):
            batches = get_batches(Decimal(quantity))
            self.assertEqual(sum(batches), Decimal(quantity))
            self.assertLessEqual(len(batches), MAX_BATCHES + 1)
        ids = {get_part_id(line, batch, number) for line in (1, 2) for batch in range(13) for number in range(3)}
        self.assertEqual((len(ids), max(ids) < 0), (78, True))

    def test_a_chosen_lot_is_told_as_its_product(self):
        lot = Lot(5, MOUSE, None, {1: Decimal(1), 2: Decimal(4)})
        order = Order(1, (Demand(LINE, -5, Decimal(3)),), (Warehouse(1, 10.0), Warehouse(2, 20.0)))
        plan = solve_order(order, lot.prepare_supplies({(1, MOUSE): Decimal(9), (2, MOUSE): Decimal(2)}))
        self.assertEqual(plan.get_quantities(), {LINE: {1: 1, 2: 2}}, "no more than may be taken of the product")
        named = name_lots(plan, {-5: lot})
        self.assertEqual({(one.product_id, one.lot_id) for one in named.assignments}, {(MOUSE, 5)})
