from odoo import api, fields, models
from odoo.tools.misc import format_datetime, format_duration

from . import domain_words
from .const import DOMAIN_ERRORS, WEEKDAYS


class OmsRule(models.Model):
    """A rule in words: one sentence, made of its parts, in any language."""

    _inherit = "oms.rule"

    sentence = fields.Text(compute="_compute_sentence", help="The rule in one sentence.")

    @api.depends_context("lang")
    @api.depends(lambda self: [name for name in self._get_content_fields()] + ["action_ids.sentence"])
    def _compute_sentence(self):
        for rule in self:
            rule.sentence = rule._get_sentence()

    def _get_sentence(self):
        """Return the rule as one sentence in the language of the context."""
        self.ensure_one()
        what = self.env._(", then ").join(action.sentence for action in self.action_ids) or self.env._("do nothing")
        condition = self._get_condition_words()
        parts = {
            "when": self._get_trigger_words(),
            "condition": condition,
            "what": what,
        }
        sentence = (
            self.env._("%(when)s, if %(condition)s: %(what)s.", **parts)
            if condition
            else self.env._("%(when)s: %(what)s.", **parts)
        )
        if self.is_stop:
            sentence += " " + self.env._("Later rules do not look at these orders.")
        window = self._get_window_words()
        return f"{sentence} {window}" if window else sentence

    def _get_trigger_words(self):
        words = {
            "received": self.env._("When an order arrives"),
            "changed": self.env._("When an order changes"),
            "confirm": self.env._("Before an order is confirmed"),
            "allocate": self.env._("Before an order gets its stock"),
            "release": self.env._("Before an order goes to the warehouse"),
            "ship": self.env._("Before an order is shipped"),
            "schedule": self.env._("Every %(hours)g hours", hours=self.schedule_hours),
        }
        return words[self.trigger]

    def _get_condition_words(self):
        """Return what orders the rule is about, in words; empty for all orders."""
        conditions = []
        if self.channel_ids:
            conditions.append(
                self.env._(
                    "the channel is %(channels)s", channels=self.env._(" or ").join(self.channel_ids.mapped("name"))
                )
            )
        try:
            words = domain_words.describe(self._get_own_domain(), self.env["sale.order"])
        except DOMAIN_ERRORS:
            words = self.env._("(conditions that can't be read)")
        return self.env._(" and ").join([*conditions, words] if words else conditions)

    def _get_window_words(self):
        """Return when the rule runs, where it does not always do."""
        words = []
        if self.set_id:
            words.append(self.env._("With the rule set %(set)s.", set=self.set_id.name))
        if self.date_from or self.date_to:
            words.append(self._get_period_words(self))
        days = [self._fields[day]._description_string(self.env) for day in WEEKDAYS if self[day]]
        if len(days) < len(WEEKDAYS):
            words.append(self.env._("Only on %(days)s.", days=", ".join(days)))
        if (self.hour_from, self.hour_to) != (0.0, 24.0):
            start, end = (format_duration(hour) for hour in (self.hour_from, self.hour_to))
            words.append(self.env._("Only from %(start)s to %(end)s (%(zone)s).", start=start, end=end, zone=self.tz))
        return " ".join(words)

    def _get_calendar_words(self):
        """Return the calendar of the set of one rule, and what it does with the standing rules, in words."""
        modes = dict(self.set_id._fields["mode"]._description_selection(self.env))
        words = [modes.get(self.set_id.mode, ""), *map(self._get_period_words, self.set_id.period_ids)]
        return " ".join(filter(None, words))

    def _get_period_words(self, period):
        """Return from when to when a rule, or a period of its set, runs."""
        start, end = (self._get_date_words(date) for date in (period.date_from, period.date_to))
        return self.env._("From %(start)s to %(end)s (%(zone)s).", start=start, end=end, zone=self.tz)

    def _get_date_words(self, date):
        """Return a moment as the clock of one rule shows it, or "…" where there is none."""
        return format_datetime(self.env, date, tz=self.tz) if date else "…"
