"""Whether two conditions surely have something in common. Plain Python; what can't be proved is never claimed.

Each of the two is taken to be fulfilled by something. That something fulfils both can be proved where one looks at
nothing that the other does not look at too: then a value is needed that suits both for each path they share. Conditions
on different paths prove nothing: perhaps nothing ever fulfils both.
"""

from datetime import date

from .implication import (
    UNSET,
    Condition,
    are_comparable,
    collect,
    get_cases,
    is_impossible,
    is_number,
    is_orderable,
    to_set,
)

_CHOICES = ("=", "in", "!=", "not in")
_RANGES = (">", ">=", "<", "<=")


def overlap(first, second):
    """Return whether something surely fulfils both ``first`` and ``second`` (as `implication` has them)."""
    firsts, seconds = get_cases(first), get_cases(second)
    if firsts is None or seconds is None:
        return False
    return any(_meet(one, other) for one in firsts for other in seconds)


def _meet(one, other):
    if is_impossible([*one, *other]):
        return False
    own, others = _group_by_path(one), _group_by_path(other)
    if not (own.keys() <= others.keys() or others.keys() <= own.keys()):
        return False
    return all(_meet_at(own[path], others[path]) for path in own.keys() & others.keys())


def _group_by_path(case):
    groups = {}
    for part in case:
        groups.setdefault(part.path, []).append(part)
    return groups


def _meet_at(parts, others):
    """Return whether some value at one path surely fulfils all of ``parts`` and all of ``others``."""
    if set(map(repr, parts)) == set(map(repr, others)):
        return True
    every = [*parts, *others]
    bounds = [part.value for part in every if part.operator in _RANGES] if all(map(_is_plain, every)) else None
    if bounds is None or not all(are_comparable(bound, bounds[0]) for bound in bounds):
        return False
    (facts,) = collect(every).values()
    if facts.allowed is not None:
        return any(_suits(value, facts, bounds) for value in facts.allowed - facts.excluded)
    if not bounds:  # what is left of a field with few values is known only where one of the two leaves out less
        own, other = (_get_excluded(group) for group in (parts, others))
        return own <= other or other <= own
    return facts.low is None or facts.high is None or _has_room(facts)


def _is_plain(part):
    if not isinstance(part, Condition) or part.is_multi:
        return False
    if part.operator in _CHOICES:
        return to_set(part.value) is not None
    return part.operator in _RANGES and is_orderable(part.value)


def _suits(value, facts, bounds):
    if value in UNSET:
        return facts.may_be(value)
    return all(are_comparable(value, bound) for bound in bounds) and facts.is_in_range(value)


def _get_excluded(parts):
    return set().union(*(to_set(part.value) for part in parts))


def _has_room(facts):
    """Return whether a range with two ends holds a value that is not left out, be it one of whole numbers or days."""
    low, high = _to_step(facts.low), _to_step(facts.high)
    if low is None or high is None:
        return facts.low < facts.high or facts.low not in facts.excluded
    count = high - low + 1 - facts.low_open - facts.high_open
    excluded = [value for value in facts.excluded if are_comparable(value, facts.low) and facts.is_in_range(value)]
    return count > len(excluded)


def _to_step(value):
    """Return ``value`` as a number that the next value is one more than; None where there is no next value."""
    if is_number(value):
        return value if float(value).is_integer() else None
    if isinstance(value, str) and len(value) == 10:
        return date.fromisoformat(value).toordinal()
    return None
