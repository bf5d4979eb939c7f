from odoo.tests import BaseCase, tagged

from odoo.addons.oms_base.models.proof.implication import Condition, are_contradictory, are_equivalent, implies


def conditions(*triples):
    return [Condition(*triple) for triple in triples]


@tagged("post_install", "-at_install")
class TestImplication(BaseCase):
    def test_what_is_implied(self):
        for first, second in (
            ([("total", ">", 500)], [("total", ">", 100)]),
            ([("total", ">", 500)], [("total", ">=", 500)]),
            ([("total", "=", 7)], [("total", "<", 8), ("total", "!=", 9)]),
            ([("total", ">", 5), ("channel", "=", 1)], [("channel", "in", [1, 2])]),
            ([("channel", "in", [1, 2])], [("channel", "not in", [3])]),
            ([("note", "ilike", "gift")], [("note", "!=", False)]),
            ([("total", ">", 5)], [("total", "!=", 3), ("total", "!=", False)]),
            ([("date", ">", "2026-11-11")], [("date", ">", "2026-11-01")]),
            ([("a", "any", "x")], [("a", "any", "x")]),
            ([("total", ">", 5)], []),
            ([("lines.qty", ">", 5, True)], [("lines.qty", ">", 3, True)]),
        ):
            self.assertTrue(implies(conditions(*first), conditions(*second)), (first, second))

    def test_what_is_not_implied(self):
        for first, second in (
            ([("total", ">", 100)], [("total", ">", 500)]),
            ([("total", ">=", 500)], [("total", ">", 500)]),
            ([("total", "<", 5)], [("total", "!=", False)]),
            ([("channel", "in", [1, 2])], [("channel", "=", 1)]),
            ([("channel", "!=", 1)], [("channel", "=", 2)]),
            ([("note", "ilike", "gift")], [("note", "ilike", "gif")]),
            ([("date", ">", "today -7d")], [("date", ">", "today -9d")]),
            ([("other", "=", 1)], [("total", ">", 1)]),
            ([], [("total", ">", 1)]),
            # each condition may be fulfilled by another line
            ([("lines.qty", ">", 5, True), ("lines.qty", "<", 7, True)], [("lines.qty", "=", 6, True)]),
        ):
            self.assertFalse(implies(conditions(*first), conditions(*second)), (first, second))

    def test_what_can_never_hold_together(self):
        for first in (
            [("total", ">", 500), ("total", "<", 100)],
            [("total", ">", 500), ("total", "<=", 500)],
            [("total", "=", 5), ("total", "!=", 5)],
            [("channel", "=", 1), ("channel", "=", 2)],
            [("channel", "in", [1, 2]), ("channel", "not in", [2, 1])],
            [("note", "=", False), ("note", "ilike", "x")],
            [("user", "=", False), ("user", "!=", False)],
            [("total", "=", 5), ("total", ">", 6)],
            [("total", "=", False), ("total", ">", 6)],
            [("channel", "in", [])],
            [("date", ">", "2026-11-11"), ("date", "<", "2026-11-01")],
        ):
            self.assertTrue(are_contradictory(conditions(*first)), first)

    def test_what_may_hold_together(self):
        for first in (
            [],
            [("total", ">", 100), ("total", "<", 500)],
            [("total", ">=", 500), ("total", "<=", 500)],
            [("channel", "in", [1, 2]), ("channel", "!=", 2)],
            [("lines.product", "=", 1, True), ("lines.product", "=", 2, True)],
            [("date", ">", "today"), ("date", "<", "2026-11-01")],
            [("total", "=", False), ("total", "<", 6)],
        ):
            self.assertFalse(are_contradictory(conditions(*first)), first)

    def test_equivalent_is_implied_both_ways(self):
        first = conditions(("total", ">", 5), ("channel", "in", [1]))
        self.assertTrue(are_equivalent(first, conditions(("channel", "=", 1), ("total", ">", 5))))
        self.assertFalse(are_equivalent(first, conditions(("total", ">", 5))))
