from odoo.tests import BaseCase, tagged

from odoo.addons.oms_base.models.proof.implication import (
    All,
    Condition,
    Either,
    Exists,
    are_contradictory,
    are_equivalent,
    implies,
)


def conditions(*triples):
    return [Condition(*triple) for triple in triples]


LARGE, HUGE, SMALL = Condition("total", ">", 100), Condition("total", ">", 500), Condition("total", "<", 50)
ONE, TWO = Condition("channel", "in", [1]), Condition("channel", "in", [2])


def lines(*triples, none=False):
    return Exists("lines", All(tuple(conditions(*triples))), none, is_multi=True)


def buyer(*triples, none=False):
    return Exists("buyer", All(tuple(conditions(*triples))), none)


@tagged("post_install", "-at_install")
class TestImplication(BaseCase):
    def test_choices(self):
        for given, asked in (
            (HUGE, Either((LARGE, SMALL))),
            (Either((HUGE, LARGE)), LARGE),
            (Either((All((HUGE, ONE)), All((LARGE, TWO)))), All((LARGE, Either((ONE, TWO))))),
            (Either((All((SMALL, LARGE)), ONE)), ONE),  # the first can't be
            (All((Either((SMALL, ONE)), LARGE)), ONE),
            (Either((ONE, TWO)), Condition("channel", "in", [1, 2])),
        ):
            self.assertTrue(implies(given, asked), (given, asked))
        for given, asked in (
            (Either((HUGE, SMALL)), LARGE),
            (LARGE, Either((HUGE, SMALL))),
            (Either((ONE, TWO)), ONE),
            (Either(()), Either(())),
        ):
            self.assertEqual(implies(given, asked), given == Either(()), (given, asked))
        self.assertTrue(are_contradictory(All((Either((SMALL, Condition("total", "=", 7))), LARGE))))
        self.assertTrue(are_contradictory(Either(())))
        self.assertFalse(are_contradictory(Either((SMALL, LARGE))))

    def test_negations(self):
        like, unlike = Condition("note", "ilike", "gift"), Condition("note", "not ilike", "gift")
        self.assertTrue(are_contradictory([like, unlike]))
        self.assertTrue(implies([unlike, LARGE], unlike))
        self.assertFalse(implies(like, unlike))
        self.assertFalse(implies([], unlike))

    def test_records_at_the_end_of_a_relation(self):
        for given, asked in (
            (lines(("qty", ">", 5)), lines(("qty", ">", 3))),
            (lines(("qty", ">", 5), ("price", "<", 1)), lines(("price", "<", 2))),
            (lines(("qty", ">", 3), none=True), lines(("qty", ">", 5), none=True)),
            ([buyer(("city", "in", ["A"])), buyer(("zip", ">", 5))], buyer(("city", "in", ["A"]), ("zip", ">", 4))),
            (buyer(("zip", ">", 5)), buyer(("zip", "<", 3), none=True)),
        ):
            self.assertTrue(implies(given, asked), (given, asked))
        for given, asked in (
            (lines(("qty", ">", 3)), lines(("qty", ">", 5))),
            (lines(("qty", ">", 5), none=True), lines(("qty", ">", 3), none=True)),
            # each may be another line
            ([lines(("qty", ">", 5)), lines(("price", "<", 1))], lines(("qty", ">", 5), ("price", "<", 1))),
            (lines(("qty", ">", 5)), lines(("qty", "<", 3), none=True)),
            (lines(("qty", ">", 5)), Exists("others", Condition("qty", ">", 3), is_multi=True)),
        ):
            self.assertFalse(implies(given, asked), (given, asked))
        self.assertTrue(are_contradictory([lines(("qty", ">", 5)), lines(("qty", ">", 3), none=True)]))
        self.assertTrue(are_contradictory([buyer(("zip", ">", 5)), buyer(("zip", "<", 3))]))
        self.assertFalse(are_contradictory([lines(("qty", ">", 5)), lines(("qty", "<", 3))]))
        self.assertTrue(are_contradictory(lines(("qty", ">", 5), ("qty", "<", 3))))

    def test_too_many_cases_are_only_compared(self):
        many = All(tuple(Either((Condition(f"a{n}", ">", 1), Condition(f"b{n}", ">", 1))) for n in range(9)))
        self.assertFalse(are_contradictory(All((many, LARGE, SMALL))))
        self.assertTrue(implies(many, many))
        self.assertFalse(implies(many, All((many, LARGE))))

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
