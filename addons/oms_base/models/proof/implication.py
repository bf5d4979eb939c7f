"""What can be proved about conditions: whether they can hold at all, and whether some imply others. Plain Python; what
can't be proved is never claimed.

Conditions are joined by `All` and `Either`; a list stands for `All` of what is in it. A condition on what is at the end
of a relation is an `Exists` with conditions of its own. Negations stand in the conditions themselves: "not in", "not
like", `Exists` with ``is_none``. Values are compared only where that is sure: numbers with numbers, full dates with
full dates; anything else is only the same or not.

What is given is written as a choice of conjunctions (disjunctive normal form): all of them have to imply what is asked.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import date

# Conditions that come to more cases than this are not looked into.
MAX_CASES = 64

_DATE = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")
UNSET = (False, None)
# Operators that only a value that is set can fulfil.
_SETTING = ("like", "ilike", "=like", "=ilike")


@dataclass(frozen=True)
class Condition:
    """One condition, as in a domain. ``is_multi`` says that the path leads to several values, of which any may fulfil
    it."""

    path: str
    operator: str
    value: object
    is_multi: bool = False


@dataclass(frozen=True)
class Exists:
    """There is a record at ``path`` that fulfils ``inner``; or, with ``is_none``, there is none."""

    path: str
    inner: object
    is_none: bool = False
    is_multi: bool = False


@dataclass(frozen=True)
class All:
    """All of ``parts`` hold."""

    parts: tuple


@dataclass(frozen=True)
class Either:
    """One of ``parts`` holds."""

    parts: tuple


@dataclass
class Facts:
    """All that is known of the value at one path."""

    low: object = None
    low_open: bool = False
    high: object = None
    high_open: bool = False
    allowed: set | None = None
    excluded: set = field(default_factory=set)
    opaque: set = field(default_factory=set)
    refused: set = field(default_factory=set)

    def is_empty(self):
        """Return whether no value fulfils all that is known."""
        if self.opaque & self.refused:
            return True
        if self.allowed is not None:
            return not {value for value in self.allowed - self.excluded if self.may_be(value)}
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def may_be(self, value):
        if value not in UNSET:
            return self.is_in_range(value)
        # An unset number counts as 0 in a domain; an unset date or text is neither before nor after anything.
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        return not self.opaque and all(map(is_number, bounds)) and self.is_in_range(0)

    def is_in_range(self, value):
        is_low = are_comparable(value, self.low) and (value < self.low or (value == self.low and self.low_open))
        is_high = are_comparable(value, self.high) and (value > self.high or (value == self.high and self.high_open))
        return not is_low and not is_high


def are_contradictory(given):
    """Return whether ``given`` can never hold."""
    cases = get_cases(given)
    return cases is not None and all(map(is_impossible, cases))


def implies(given, asked):
    """Return whether whatever fulfils ``given`` surely fulfils ``asked``."""
    cases = get_cases(given)
    if cases is None:
        return _is_same(given, asked)
    return all(_holds(asked, case) for case in cases if not is_impossible(case))


def are_equivalent(given, asked):
    """Return whether ``given`` and ``asked`` are surely fulfilled by the same."""
    return implies(given, asked) and implies(asked, given)


# === CASES === #


def get_cases(given):
    """Return ``given`` as a list of lists of conditions, of which one list holds as a whole; None when that are too
    many."""
    if isinstance(given, Condition | Exists):
        return [[given]]
    if isinstance(given, Either):
        cases = []
        for part in given.parts:
            own = get_cases(part)
            if own is None or len(cases) + len(own) > MAX_CASES:
                return None
            cases += own
        return cases
    cases = [[]]
    for part in given.parts if isinstance(given, All) else given:
        own = get_cases(part)
        if own is None or len(cases) * len(own) > MAX_CASES:
            return None
        cases = [[*case, *other] for case in cases for other in own]
    return cases


def is_impossible(case):
    if any(facts.is_empty() for facts in collect(case).values()):
        return True
    there = _get_there(case)
    if any(are_contradictory(inner) for inners in there.values() for inner in inners):
        return True
    return any(
        part.is_none and any(implies(inner, part.inner) for inner in there.get(part.path, ()))
        for part in case
        if isinstance(part, Exists)
    )


def _get_there(case):
    """Return {path: list of conditions of which each is fulfilled by a record at it}: of what can be only one record
    all conditions together."""
    there = {}
    for part in case:
        if isinstance(part, Exists) and not part.is_none:
            inners = there.setdefault(part.path, [])
            if part.is_multi or not inners:
                inners.append(part.inner)
            else:
                inners[0] = All((inners[0], part.inner))
    return there


# === WHAT FOLLOWS === #


def _holds(asked, case):
    """Return whether ``asked`` follows from all conditions of ``case``."""
    if isinstance(asked, Either):
        return any(_holds(part, case) for part in asked.parts)
    if isinstance(asked, Condition):
        return _is_implied(asked, [part for part in case if isinstance(part, Condition)], collect(case))
    if isinstance(asked, Exists):
        return _is_existence_implied(asked, case)
    return all(_holds(part, case) for part in (asked.parts if isinstance(asked, All) else asked))


def _is_existence_implied(asked, case):
    there = _get_there(case).get(asked.path, ())
    if not asked.is_none:
        return any(implies(inner, asked.inner) for inner in there)
    if not asked.is_multi and any(are_contradictory([inner, asked.inner]) for inner in there):
        return True
    nones = [part for part in case if isinstance(part, Exists) and part.is_none and part.path == asked.path]
    return are_contradictory(asked.inner) or any(implies(asked.inner, part.inner) for part in nones)


def _is_implied(other, conditions, facts_by_path):
    if any(_is_same(condition, other) for condition in conditions):
        return True
    if other.is_multi:
        # Each condition may be fulfilled by another record: only a single one can imply it.
        return any(
            condition.path == other.path
            and _is_positive(condition) == _is_positive(other)
            and _says(_collect_one(condition), other)
            for condition in conditions
        )
    facts = facts_by_path.get(other.path)
    return facts is not None and not facts.is_empty() and _says(facts, other)


def _is_positive(condition):
    return condition.operator not in ("!=", "not in") and not condition.operator.startswith("not ")


def _says(facts, other):
    """Return whether ``facts`` leave no value that ``other`` does not allow."""
    operator, value = other.operator, other.value
    values = to_set(value)
    if values is None:
        return False
    if operator[4:] in _SETTING and (operator[4:], value) in facts.refused:
        return True
    if facts.allowed is not None:
        possible = {item for item in facts.allowed - facts.excluded if facts.may_be(item)}
        return all(_fulfils(item, operator, value, values) for item in possible)
    if operator in ("=", "in"):
        return False
    if operator in ("!=", "not in"):
        return all(_is_ruled_out(facts, item) for item in values)
    return _range_says(facts, operator, value)


def _is_ruled_out(facts, value):
    if value in facts.excluded or (value in UNSET and facts.excluded & {False, None}):
        return True
    if value in UNSET:
        return not facts.may_be(value)
    bounds = [bound for bound in (facts.low, facts.high) if bound is not None]
    return bool(bounds) and all(are_comparable(value, bound) for bound in bounds) and not facts.is_in_range(value)


def _range_says(facts, operator, value):
    if operator in (">", ">="):
        if facts.low is None or not are_comparable(facts.low, value):
            return False
        return facts.low > value or (facts.low == value and (operator == ">=" or facts.low_open))
    if operator in ("<", "<="):
        if facts.high is None or not are_comparable(facts.high, value):
            return False
        return facts.high < value or (facts.high == value and (operator == "<=" or facts.high_open))
    return False


def _fulfils(item, operator, value, values):
    if operator in ("=", "in"):
        return item in values or (item in UNSET and bool(values & {False, None}))
    if operator in ("!=", "not in"):
        return not (item in values or (item in UNSET and bool(values & {False, None})))
    if not are_comparable(item, value):
        return False
    comparisons = {">": item > value, ">=": item >= value, "<": item < value, "<=": item <= value}
    return comparisons.get(operator, False)


def collect(conditions):
    """Return {path: Facts} of the conditions over single values."""
    facts = {}
    for condition in conditions:
        if isinstance(condition, Condition) and not condition.is_multi:
            _add(facts.setdefault(condition.path, Facts()), condition)
    return facts


def _collect_one(condition):
    facts = Facts()
    _add(facts, condition)
    return facts


def _add(facts, condition):
    operator, value = condition.operator, condition.value
    values = to_set(value)
    if values is None:
        return
    if operator in ("=", "in"):
        facts.allowed = values if facts.allowed is None else facts.allowed & values
    elif operator in ("!=", "not in"):
        facts.excluded |= values | ({False, None} if values & {False, None} else set())
    elif operator in (">", ">=", "<", "<=") and is_orderable(value):
        _narrow(facts, operator, value)
    elif operator in _SETTING and value:
        facts.opaque.add((operator, value))
        facts.excluded |= {False, None}
    elif operator.startswith("not ") and operator[4:] in _SETTING:
        facts.refused.add((operator[4:], value))


def _narrow(facts, operator, value):
    is_open = operator in (">", "<")
    if operator in (">", ">="):
        is_tighter = are_comparable(facts.low, value) and (value, is_open) > (facts.low, facts.low_open)
        if facts.low is None or is_tighter:
            facts.low, facts.low_open = value, is_open
    else:
        is_tighter = are_comparable(facts.high, value) and (value, not is_open) < (facts.high, not facts.high_open)
        if facts.high is None or is_tighter:
            facts.high, facts.high_open = value, is_open
    if facts.low is not None and facts.high is not None and not are_comparable(facts.low, facts.high):
        facts.high = None


def _is_same(one, other):
    return repr(one) == repr(other)


def to_set(value):
    """Return the values a condition names as a set; None when they can't be compared."""
    if isinstance(value, list | tuple | AbstractSet):
        return set(value) if all(_is_plain(item) for item in value) else None
    return {value} if _is_plain(value) else None


def _is_plain(value):
    return value is None or isinstance(value, bool | int | float | str | date)


def is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_orderable(value):
    return is_number(value) or isinstance(value, date) or (isinstance(value, str) and bool(_DATE.fullmatch(value)))


def are_comparable(value, other):
    if is_number(value) and is_number(other):
        return True
    if isinstance(value, date) and isinstance(other, date):
        return type(value) is type(other)
    return (
        isinstance(value, str)
        and isinstance(other, str)
        and len(value) == len(other)
        and is_orderable(value)
        and is_orderable(other)
    )
