from datetime import date

from odoo.tests import BaseCase

from odoo.addons.oms_base.models.proof.implication import All, Condition, Either, Exists
from odoo.addons.oms_base.models.proof.overlap import overlap


def conditions(*triples):
    return All(tuple(Condition(*triple) for triple in triples))


class TestOverlap(BaseCase):
    def _check(self, expected, *pairs):
        for first, second in pairs:
            one, other = conditions(*first), conditions(*second)
            self.assertIs(overlap(one, other), expected, (first, second))
            self.assertIs(overlap(other, one), expected, (second, first))

    def test_ranges_of_one_field(self):
        self._check(
            True,
            ([("total", ">", 100)], [("total", ">", 200)]),
            ([("total", ">", 100), ("total", "<", 300)], [("total", ">", 200), ("total", "<", 400)]),
            ([("total", ">=", 100)], [("total", "<=", 100)]),
            ([("total", ">", 100)], [("total", "in", [50, 150])]),
            ([("total", ">", 1), ("total", "<", 3)], [("total", "!=", 1)]),
            ([("day", ">", "2026-11-01")], [("day", "<", "2026-11-03")]),
            ([("day", ">", date(2026, 11, 1))], [("day", "<", date(2026, 11, 9))]),
        )
        self._check(
            False,
            ([("total", ">", 200)], [("total", "<", 100)]),
            ([("total", ">", 100)], [("total", "<=", 100)]),
            ([("total", ">", 1)], [("total", "<", 2)]),  # perhaps whole numbers
            ([("total", ">", 1), ("total", "<", 3)], [("total", "!=", 2)]),
            ([("total", ">", 100)], [("total", "in", [50, 70])]),
            ([("day", ">", "2026-11-01")], [("day", "<", "2026-11-02")]),
            ([("day", ">", "2026-11-01")], [("day", "<", "today +3d")]),  # who knows when it is read
            ([("day", "=", "today")], [("day", ">", "2026-11-01")]),
        )

    def test_choices(self):
        self._check(
            True,
            ([("channel", "in", [1, 2])], [("channel", "in", [2, 3])]),
            ([("channel", "in", [1, 2])], [("channel", "not in", [1])]),
            ([("channel", "not in", [1])], [("channel", "not in", [1, 2])]),
            ([("flag", "in", [True])], [("flag", "in", [True])]),
        )
        self._check(
            False,
            ([("channel", "in", [1])], [("channel", "in", [2])]),
            ([("flag", "not in", ["a"])], [("flag", "not in", ["b"])]),  # there may be no third
        )

    def test_several_fields(self):
        both = [("total", ">", 100), ("channel", "in", [1])]
        self._check(
            True,
            (both, [("total", "<", 300)]),
            (both, [("total", "<", 300), ("channel", "in", [1, 2])]),
        )
        self._check(
            False,
            (both, [("total", "<", 50)]),
            (both, [("total", "<", 300), ("country", "in", [7])]),  # perhaps nothing of channel 1 goes there
            ([("total", ">", 100)], [("country", "in", [7])]),
        )

    def test_cases_and_what_is_only_the_same_or_not(self):
        large, small = Condition("total", ">", 100), Condition("total", "<", 10)
        note = Condition("note", "ilike", "gift")
        lines = Exists("lines", Condition("qty", ">", 3), is_multi=True)
        self.assertTrue(overlap(Either((large, small)), Condition("total", "in", [5])))
        self.assertFalse(overlap(Either((large, small)), Condition("total", "in", [50])))
        for part in (note, lines, Condition("tags", "in", [1], True)):
            self.assertTrue(overlap(All((large, part)), All((Condition("total", ">", 200), part))))
            self.assertTrue(overlap(All((large, part)), Condition("total", ">", 200)))
        self.assertFalse(overlap(note, Condition("note", "=like", "A%")))
        self.assertFalse(overlap(lines, Exists("lines", Condition("qty", ">", 5), is_multi=True)))
        many = All(tuple(Either((Condition(f"a{n}", ">", 1), Condition(f"b{n}", ">", 1))) for n in range(9)))
        self.assertFalse(overlap(many, many))
