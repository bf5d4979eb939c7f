"""Who may take how much of what is there: plain numbers."""

from decimal import Decimal

import pytest

from odoo.tests import BaseCase

from odoo.addons.oms_allocation.models.sellable.stock import Access, Scope, Stock, Want, group_alike, spread

pytestmark = pytest.mark.nodb

PLACE = (1, 7)
NOBODY, FIRST, SECOND = Access(), Access(frozenset({1})), Access(frozenset({2}))


class TestStockShares(BaseCase):
    def get_stock(self, quantity, *wants):
        stock = Stock({PLACE: quantity})
        if wants:
            stock.wants[PLACE] = wants
        return stock

    def assertSeen(self, stock, nobody, first, second=None):
        self.assertEqual(stock.view(NOBODY)[PLACE], nobody)
        self.assertEqual(stock.view(FIRST)[PLACE], first)
        self.assertEqual(stock.view(SECOND)[PLACE], nobody if second is None else second)

    def test_without_pools_all_see_the_same(self):
        self.assertSeen(self.get_stock(10), 10, 10)

    def test_kept_pool_is_refilled(self):
        stock = self.get_stock(10, Want(1, 1, 4))
        self.assertSeen(stock, 6, 10)
        stock.take(FIRST, PLACE, 3)
        self.assertSeen(stock, 3, 7)
        stock.take(NOBODY, PLACE, 3)
        self.assertSeen(stock, 0, 4)

    def test_quota_is_used_up(self):
        stock = self.get_stock(10, Want(1, 1, 4, taken=0))
        self.assertSeen(stock, 6, 10)
        stock.take(FIRST, PLACE, 3)
        self.assertSeen(stock, 6, 7)
        stock.take(FIRST, PLACE, 3)
        self.assertSeen(stock, 4, 4)

    def test_who_stands_first_is_filled_first(self):
        self.assertSeen(self.get_stock(5, Want(1, 1, 4), Want(2, 2, 4)), 0, 4, 1)
        self.assertSeen(self.get_stock(5, Want(2, 2, 4), Want(1, 1, 4)), 0, 1, 4)

    def test_share_is_in_whole_pieces(self):
        self.assertSeen(self.get_stock(Decimal(11), Want(1, 1, share=3000)), 8, 11)

    def test_part_may_be_borrowed(self):
        self.assertSeen(self.get_stock(10, Want(1, 1, 5, borrowable=5000)), 7, 10)

    def test_what_is_promised_too_often_is_shown_to_all(self):
        self.assertSeen(self.get_stock(-3, Want(1, 1, 4)), -3, -3)

    def test_promise_comes_back_to_its_line_only_once(self):
        stock = self.get_stock(2, Want(1, 1, 4, taken=3))
        stock.promised = {9: {PLACE: 3}}
        self.assertSeen(stock, 1, 2)
        stock.give_back(FIRST, 9)
        stock.give_back(FIRST, 9)
        self.assertSeen(stock, 1, 5)

    def test_who_waits_in_vain_takes_nothing_from_pools_of_others(self):
        stock = self.get_stock(5, Want(1, 1, 4))
        stock.wait(PLACE, frozenset(), 3)
        self.assertSeen(stock, -2, 4)
        self.assertEqual(stock.get_total()[PLACE], 2)
        stock.wait(PLACE, frozenset({1}), 6)
        self.assertSeen(stock, -4, -2)
        self.assertEqual(stock.get_total()[PLACE], -4)

    def test_goods_must_keep(self):
        stock = self.get_stock(10)
        stock.fresh = {30: {PLACE: 6}, 90: {PLACE: 2}}
        self.assertEqual([stock.view(Access(min_life_days=days))[PLACE] for days in (0, 30, 90)], [10, 6, 2])
        stock.take(Access(min_life_days=30), PLACE, 5)
        self.assertEqual([stock.view(Access(min_life_days=days))[PLACE] for days in (0, 30, 90)], [5, 1, 1])

    def test_most_precise_scope_wins(self):
        scopes = [
            Scope("all"),
            Scope("wide", category_id=3, category_depth=1),
            Scope("narrow", category_id=4, category_depth=2),
            Scope("there", category_id=4, category_depth=2, warehouse_id=2),
            Scope("one", product_id=7),
            Scope("unknown", product_id=99),
        ]
        products = {0: [5, 6, 7, 8], 3: [6, 7, 8], 4: [7, 8]}
        self.assertEqual(spread(scopes, products, 1), {5: "all", 6: "wide", 7: "one", 8: "narrow"})
        self.assertEqual(spread(scopes, products, 2), {5: "all", 6: "wide", 7: "one", 8: "there"})
        self.assertEqual(group_alike(scopes, [1, 2, 3]), [[2], [1, 3]])

    def test_places_alike_are_seen_as_each_alone(self):
        """Whatever is counted once for several places, each shows what it would show alone, after each taking too."""
        wants = (
            (),
            (Want(1, 1, 4), Want(2, 2, share=2500)),
            (Want(2, 2, 3, taken=1), Want(1, 1, share=1000, borrowable=5000)),
        )
        stock, alone = Stock(), {}
        for number in range(60):
            key, quantity = (number % 3, number), number % 7 - 1
            stock[key] = quantity
            alone[key] = Stock({key: quantity})
            if wants[number % 3]:
                stock.wants[key] = alone[key].wants[key] = wants[number % 3]
        for taken in (0, 1, 2):
            for access in (NOBODY, FIRST, SECOND, Access(frozenset({1, 2}))):
                found = stock.view(access)
                self.assertEqual(found, {key: one.view(access)[key] for key, one in alone.items()})
                key = (2, 5 + 3 * taken)
                for one in (stock, alone[key]):
                    one.take(access, key, 1)
