"""What can be proved about conditions that all must hold: whether they can hold together, and whether some of them
imply others. Plain Python; what can't be proved is never claimed.

A condition is (path, operator, value), as in a domain. Values are compared only where that is sure: numbers with
numbers, full dates with full dates; anything else is only the same or not.
"""

import re
from dataclasses import dataclass, field

_DATE = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?")
_UNSET = (False, None)
# Operators that only a value that is set can fulfil.
_SETTING = ("like", "ilike", "=like", "=ilike")


@dataclass(frozen=True)
class Condition:
    """One condition. ``is_multi`` says that the path leads over several records, of which any may fulfil it."""

    path: str
    operator: str
    value: object
    is_multi: bool = False


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

    def is_empty(self):
        """Return whether no value fulfils all that is known."""
        if self.allowed is not None:
            return not {value for value in self.allowed - self.excluded if self._may_be(value)}
        if self.low is None or self.high is None:
            return False
        return self.low > self.high or (self.low == self.high and (self.low_open or self.high_open))

    def _may_be(self, value):
        if value not in _UNSET:
            return self._is_in_range(value)
        # An unset number counts as 0 in a domain; an unset date or text is neither before nor after anything.
        bounds = [bound for bound in (self.low, self.high) if bound is not None]
        return not self.opaque and all(map(_is_number, bounds)) and self._is_in_range(0)

    def _is_in_range(self, value):
        is_low = _are_comparable(value, self.low) and (value < self.low or (value == self.low and self.low_open))
        is_high = _are_comparable(value, self.high) and (value > self.high or (value == self.high and self.high_open))
        return not is_low and not is_high


def are_contradictory(conditions):
    """Return whether ``conditions`` can never hold together."""
    return any(facts.is_empty() for facts in _collect(conditions).values())


def implies(conditions, others):
    """Return whether whatever fulfils all of ``conditions`` surely fulfils all of ``others``."""
    conditions = list(conditions)
    facts = _collect(conditions)
    return all(_is_implied(other, conditions, facts) for other in others)


def are_equivalent(conditions, others):
    """Return whether ``conditions`` and ``others`` are surely fulfilled by the same."""
    return implies(conditions, others) and implies(others, conditions)


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
    values = _to_set(value)
    if values is None:
        return False
    if facts.allowed is not None:
        possible = {item for item in facts.allowed - facts.excluded if facts._may_be(item)}
        return all(_fulfils(item, operator, value, values) for item in possible)
    if operator in ("=", "in"):
        return False
    if operator in ("!=", "not in"):
        return all(_is_ruled_out(facts, item) for item in values)
    return _range_says(facts, operator, value)


def _is_ruled_out(facts, value):
    if value in facts.excluded or (value in _UNSET and facts.excluded & {False, None}):
        return True
    if value in _UNSET:
        return not facts._may_be(value)
    bounds = [bound for bound in (facts.low, facts.high) if bound is not None]
    return bool(bounds) and all(_are_comparable(value, bound) for bound in bounds) and not facts._is_in_range(value)


def _range_says(facts, operator, value):
    if operator in (">", ">="):
        if facts.low is None or not _are_comparable(facts.low, value):
            return False
        return facts.low > value or (facts.low == value and (operator == ">=" or facts.low_open))
    if operator in ("<", "<="):
        if facts.high is None or not _are_comparable(facts.high, value):
            return False
        return facts.high < value or (facts.high == value and (operator == "<=" or facts.high_open))
    return False


def _fulfils(item, operator, value, values):
    if operator in ("=", "in"):
        return item in values or (item in _UNSET and bool(values & {False, None}))
    if operator in ("!=", "not in"):
        return not (item in values or (item in _UNSET and bool(values & {False, None})))
    if not _are_comparable(item, value):
        return False
    comparisons = {">": item > value, ">=": item >= value, "<": item < value, "<=": item <= value}
    return comparisons.get(operator, False)


def _collect(conditions):
    """Return {path: Facts} of the conditions over single values."""
    facts = {}
    for condition in conditions:
        if not condition.is_multi:
            _add(facts.setdefault(condition.path, Facts()), condition)
    return facts


def _collect_one(condition):
    facts = Facts()
    _add(facts, condition)
    return facts


def _add(facts, condition):
    operator, value = condition.operator, condition.value
    values = _to_set(value)
    if values is None:
        return
    if operator in ("=", "in"):
        facts.allowed = values if facts.allowed is None else facts.allowed & values
    elif operator in ("!=", "not in"):
        facts.excluded |= values | ({False, None} if values & {False, None} else set())
    elif operator in (">", ">=", "<", "<=") and _is_orderable(value):
        _narrow(facts, operator, value)
    elif operator in _SETTING and value:
        facts.opaque.add((operator, value))
        facts.excluded |= {False, None}


def _narrow(facts, operator, value):
    is_open = operator in (">", "<")
    if operator in (">", ">="):
        is_tighter = _are_comparable(facts.low, value) and (value, is_open) > (facts.low, facts.low_open)
        if facts.low is None or is_tighter:
            facts.low, facts.low_open = value, is_open
    else:
        is_tighter = _are_comparable(facts.high, value) and (value, not is_open) < (facts.high, not facts.high_open)
        if facts.high is None or is_tighter:
            facts.high, facts.high_open = value, is_open
    if facts.low is not None and facts.high is not None and not _are_comparable(facts.low, facts.high):
        facts.high = None


def _is_same(condition, other):
    return (condition.path, condition.operator) == (other.path, other.operator) and repr(condition.value) == repr(
        other.value
    )


def _to_set(value):
    """Return the values a condition names as a set; None when they can't be compared."""
    if isinstance(value, list | tuple | set | frozenset):
        return set(value) if all(_is_plain(item) for item in value) else None
    return {value} if _is_plain(value) else None


def _is_plain(value):
    return value is None or isinstance(value, bool | int | float | str)


def _is_number(value):
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_orderable(value):
    return _is_number(value) or (isinstance(value, str) and bool(_DATE.fullmatch(value)))


def _are_comparable(value, other):
    if _is_number(value) and _is_number(other):
        return True
    return (
        isinstance(value, str)
        and isinstance(other, str)
        and len(value) == len(other)
        and _is_orderable(value)
        and _is_orderable(other)
    )
