"""What is needed to judge by a rule, as plain immutable values: kept in the registry's cache, so that an order that no
rule matches is judged without reading a single rule."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

import pytz

from odoo.fields import Domain


@dataclass(frozen=True)
class Period:
    """From when (included) to when (excluded), naive UTC; None is open."""

    start: datetime | None
    end: datetime | None

    def covers(self, date):
        """Return whether ``date`` (naive UTC) is in the period."""
        return (self.start is None or self.start <= date) and (self.end is None or date < self.end)


@dataclass(frozen=True)
class SetSpec:
    """The calendar of a rule set."""

    id: int
    company_id: int | None
    takes_over: bool
    periods: tuple[Period, ...]

    def runs_at(self, date):
        """Return whether the set runs at ``date`` (naive UTC)."""
        return any(period.covers(date) for period in self.periods)


@dataclass(frozen=True, eq=False)  # domains can't always be hashed; a spec is itself
class RuleSpec:
    """One rule: the orders it is about and when it runs.

    ``predicate`` says of one order what ``domain`` says, where that can be made once (see `predicate.py`).
    ``is_deciding`` says that it decides what becomes of other rules: it stops later ones, or lets pass what they hold.
    ``companies`` is (whether it runs elsewhere, ids of the companies where it is the other way round), None is all.
    ``weekdays`` has 7 booleans from Monday; ``hours`` is (from, to) in ``tz``, over midnight where from is not less.
    """

    id: int
    version_id: int
    number: int
    trigger: str
    domain: Domain
    predicate: Callable | None
    is_stop: bool
    is_settling: bool
    is_always: bool
    company_id: int | None
    set: SetSpec | None
    period: Period
    weekdays: tuple[bool, ...]
    hours: tuple[float, float]
    tz: str
    companies: tuple[bool, frozenset[int]] | None = None
    is_deciding: bool = False

    @cached_property
    def is_unlimited(self):
        """Whether the rule runs at any time, unless a set takes over."""
        is_whole_week = all(self.weekdays) and self.hours == (0.0, 24.0)
        return is_whole_week and self.set is None and self.period == Period(None, None)

    def runs_at(self, date):
        """Return whether the rule runs at ``date`` (naive UTC), unless a set has taken over."""
        if self.set and not self.set.runs_at(date):
            return False
        return self.period.covers(date) and self._is_in_hours(date)

    def yield_to(self, takeovers):
        """Return this spec, or one for the companies that are left to it, or None, while sets have taken over from the
        standing rules, each for all companies or for one.

        :param takeovers: SetSpecs that run, the first one first
        """
        if self.is_always or (self.set and not self.set.takes_over):
            return self

        def runs_in(company_id):
            takeover = next((calendar for calendar in takeovers if calendar.company_id in (None, company_id)), self.set)
            return takeover == self.set

        elsewhere = runs_in(self.company_id)
        named = {calendar.company_id for calendar in takeovers} - {None}
        others = frozenset(id_ for id_ in named if runs_in(id_) != elsewhere)
        if self.company_id or not others:
            return self if elsewhere else None
        return replace(self, companies=(elsewhere, others))

    def applies_to(self, company_id):
        """Return whether the rule runs for orders of a company."""
        return self.companies is None or (company_id in self.companies[1]) != self.companies[0]

    def _is_in_hours(self, date):
        start, end = self.hours
        if all(self.weekdays) and (start, end) == (0.0, 24.0):
            return True
        local = pytz.utc.localize(date).astimezone(pytz.timezone(self.tz))
        hour = local.hour + local.minute / 60 + local.second / 3600
        if start < end:
            return start <= hour < end and self.weekdays[local.weekday()]
        if hour >= start:
            return self.weekdays[local.weekday()]
        return hour < end and self.weekdays[local.weekday() - 1]  # a night belongs to the day it began on
