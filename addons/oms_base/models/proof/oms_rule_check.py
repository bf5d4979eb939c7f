from collections.abc import Set as AbstractSet
from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..review import domain_words
from ..review.const import DOMAIN_ERRORS, REVIEW_TRIGGERS, WEEKDAYS
from .implication import All, Condition, Either, Exists, are_contradictory, implies

LOOK_BACK_DAYS = 90
# So many past orders are enough to say that a rule always comes too late.
MAX_PAST_ORDERS = 500


class OmsRuleCheck(models.AbstractModel):
    """Looks for what is wrong with the live rules. What it says is proved from their conditions or counted from the
    past; what it can't prove it does not say."""

    _name = "oms.rule.check"
    _description = "Rule Check"

    @api.model
    def _find(self):
        """Return the values of the findings (`oms.rule.finding`) of the live rules, each key once."""
        rules = self.env["oms.rule"].search([("state", "=", "live")], order="sequence, id")
        found = {}
        for check in self._get_checks():
            for values in check(rules):
                found.setdefault(values["key"], values)
        return list(found.values())

    @api.model
    def _get_checks(self):
        """Return the checks, each a method from rules to values of findings. To be extended."""
        return [
            self._find_broken,
            self._find_gone_references,
            self._find_never,
            self._find_shadowed,
            self._find_cycles,
            self._find_endless,
            self._find_silent,
        ]

    @api.model
    def _prepare_finding(self, kind, rule, severity, others=None, detail=False):
        others = others or self.env["oms.rule"]
        return {
            "kind": kind,
            "rule_id": rule.id,
            "severity": severity,
            "other_ids": [fields.Command.set(others.ids)],
            "detail": detail,
            "key": ".".join(map(str, (kind, rule.id, *sorted(others.ids)))),
        }

    # === EACH RULE BY ITSELF === #

    @api.model
    def _find_broken(self, rules):
        return [self._prepare_finding("broken", rule, "3", detail=rule.problem) for rule in rules if rule.problem]

    @api.model
    def _find_gone_references(self, rules):
        """Find rules that put archived holds, assign inactive people, name deleted records in their conditions ..."""
        ids_by_model = {}
        named = {rule: self._get_named_ids(rule) for rule in rules if not rule.problem}
        for names in named.values():
            for model, ids in names:
                ids_by_model.setdefault(model, set()).update(ids)
        present = {
            model: set(self.env[model].search([("id", "in", list(ids))]).ids) for model, ids in ids_by_model.items()
        }
        findings = []
        for rule in rules:
            words = [
                self.env._("%(model)s no. %(ids)s", model=self.env[model]._description, ids=", ".join(map(str, gone)))
                for model, ids in named.get(rule, [])
                if (gone := sorted(ids - present[model]))
            ]
            words += [record.display_name for record in self._get_inactive(rule)]
            if words:
                findings.append(self._prepare_finding("reference", rule, "3", detail=", ".join(words)))
        return findings

    @api.model
    def _get_named_ids(self, rule):
        """Return [(model, ids)] of the records that the conditions of ``rule`` name."""
        named = []
        for condition in rule._get_own_domain().iter_conditions():
            comodel = self._get_comodel(condition.field_expr)
            values = (
                condition.value if isinstance(condition.value, list | tuple | set | frozenset) else [condition.value]
            )
            ids = {value for value in values if isinstance(value, int) and not isinstance(value, bool)}
            if comodel and ids:
                named.append((comodel, ids))
        return named

    @api.model
    def _get_comodel(self, path):
        model = self.env["sale.order"]
        field = None
        for name in path.split("."):
            field = model._fields[name]
            model = self.env[field.comodel_name] if field.relational else model
        return field.comodel_name if field.relational else None

    @api.model
    def _get_inactive(self, rule):
        """Return the records that ``rule`` works with that are archived."""
        references = [*rule.with_context(active_test=False).channel_ids, *rule.set_id]
        for action in rule.action_ids.with_context(active_test=False):
            references += [record for records in action._get_references() for record in records]
        return [record for record in references if record._active_name and not record[record._active_name]]

    @api.model
    def _find_never(self, rules):
        return [
            self._prepare_finding("never", rule, "3") for rule in rules if are_contradictory(self._get_conditions(rule))
        ]

    @api.model
    def _find_endless(self, rules):
        findings = []
        for rule in rules.filtered(lambda rule: not rule.date_to and not rule.set_id):
            if endless := rule.action_ids.filtered(lambda action: action._is_endless()):
                detail = ", ".join(endless.mapped("sentence"))
                findings.append(self._prepare_finding("endless", rule, "2", detail=detail))
        return findings

    @api.model
    def _find_silent(self, rules):
        """Find rules that are live for 90 days and did not match once; say where an earlier rule took their orders."""
        since = fields.Datetime.now() - timedelta(days=LOOK_BACK_DAYS)
        fired = {
            rule
            for (rule,) in self.env["oms.rule.hit"]._read_group(
                [("rule_id", "in", rules.ids), ("date", ">=", since)], ["rule_id"]
            )
        }
        births = dict(
            self.env["oms.rule.version"]._read_group([("rule_id", "in", rules.ids)], ["rule_id"], ["date:min"])
        )
        findings = []
        for rule in rules:
            if rule in fired or rule.problem or not births.get(rule) or births[rule] > since:
                continue
            findings.append(self._find_taken(rule, rules, since) or self._prepare_finding("silent", rule, "1"))
        return findings

    @api.model
    def _find_taken(self, rule, rules, since):
        """Return the finding that earlier stopping rules took all orders of ``rule`` since then, or None."""
        stopping = self._get_earlier(rule, rules).filtered("is_stop")
        if not stopping:
            return None
        domain = rule._get_order_domain() & Domain("channel_id", "!=", False) & Domain("date_order", ">=", since)
        orders = self.env["sale.order"].search(domain, limit=MAX_PAST_ORDERS, order="id desc")
        groups = self.env["oms.rule.hit"]._read_group(
            [("order_id", "in", orders.ids), ("rule_id", "in", stopping.ids)], ["rule_id"], ["order_id:recordset"]
        )
        taken = self.env["sale.order"].union(*(taken for _rule, taken in groups)) if groups else self.env["sale.order"]
        if not orders or orders - taken:
            return None
        takers = self.env["oms.rule"].union(*(taker for taker, _orders in groups))
        count = self.env._("%(count)s orders", count=len(orders))
        return self._prepare_finding("taken", rule, "2", others=takers, detail=count)

    # === TWO RULES === #

    @api.model
    def _find_shadowed(self, rules):
        findings = []
        for rule in rules:
            conditions = self._get_conditions(rule)
            if are_contradictory(conditions):
                continue
            for other in self._get_earlier(rule, rules).filtered("is_stop"):
                if self._covers_window(other, rule) and implies(conditions, self._get_conditions(other)):
                    findings.append(self._prepare_finding("shadowed", rule, "3", others=other))
                    break
        return findings

    @api.model
    def _find_cycles(self, rules):
        """Find rules judged over and over (changed, scheduled) that write what the others of a circle read."""
        running = rules.filtered(lambda rule: rule.trigger in ("changed", "schedule") and not rule.problem)
        reads = {rule: self._get_read_fields(rule) for rule in running}
        writes = {rule: self._get_written_fields(rule) for rule in running}
        follows = {
            rule: {other for other in running if other != rule and writes[rule] & reads[other]} for rule in running
        }
        findings, seen = [], set()
        for rule in running:
            circle = {
                other for other in self._get_reachable(rule, follows) if rule in self._get_reachable(other, follows)
            }
            if rule in seen or len(circle) < 2:
                continue
            seen |= circle
            touched = {name for one in circle for other in follows[one] & circle for name in writes[one] & reads[other]}
            labels = self.env["sale.order"]._fields
            detail = ", ".join(sorted(labels[name]._description_string(self.env) for name in touched))
            others = self.env["oms.rule"].union(*circle) - rule
            findings.append(self._prepare_finding("cycle", rule, "2", others=others, detail=detail))
        return findings

    @api.model
    def _get_reachable(self, start, follows):
        reached, waiting = set(), [start]
        while waiting:
            new = follows[waiting.pop()] - reached
            reached |= new
            waiting += new
        return reached

    @api.model
    def _get_read_fields(self, rule):
        """Return the fields of the order that the conditions of ``rule`` read, and what those are computed from."""
        order = self.env["sale.order"]
        names = {path.split(".")[0] for path in domain_words.get_field_paths(rule._get_own_domain())}
        waiting = list(names)
        while waiting:
            field = order._fields.get(waiting.pop())
            new = {path.split(".")[0] for path in self.pool.field_depends.get(field, ())} & set(order._fields) - names
            names |= new
            waiting += new
        return names

    @api.model
    def _get_written_fields(self, rule):
        by_type = self.env["oms.rule.action"]._get_written_fields()
        return {path.split(".")[0] for action in rule.action_ids for path in by_type.get(action.type, ())}

    # === WHAT CAN BE PROVED === #

    @api.model
    def _get_conditions(self, rule):
        """Return the conditions of ``rule``, its company and channels included, for `implication`. What is not a plain
        condition is one that is only the same or not."""
        try:
            domain = domain_words.prepare(rule._get_order_domain(), self.env["sale.order"])
        except DOMAIN_ERRORS:
            return Condition("", "broken", rule.id)
        return self._translate_domain(domain, self.env["sale.order"])

    @api.model
    def _translate_domain(self, domain, model):
        """Return ``domain``, as `domain_words.prepare` makes it, for `implication`."""
        if domain.is_true() or domain.is_false():
            return All(()) if domain.is_true() else Either(())
        joint = {"&": All, "|": Either}.get(getattr(domain, "OPERATOR", None))
        if joint:
            return joint(tuple(self._translate_domain(part, model) for part in domain.children))
        field = model._fields.get(domain.field_expr) if domain_words.is_condition(domain) else None
        if field is None:
            return Condition("", "part", repr(domain))
        is_multi = field.type in ("one2many", "many2many")
        if isinstance(domain.value, Domain):
            inner = self._translate_domain(domain.value, self.env[field.comodel_name])
            return Exists(domain.field_expr, inner, domain.operator.startswith("not "), is_multi)
        value = domain.value
        if isinstance(value, AbstractSet):
            value = sorted(value, key=lambda item: (str(type(item)), item))
        return Condition(domain.field_expr, domain.operator, value, is_multi)

    @api.model
    def _get_earlier(self, rule, rules):
        """Return those of ``rules`` that judge in the same run as ``rule``, before it."""
        position = list(rules).index(rule)
        return rules[:position].filtered(lambda other: self._judge_together(other, rule))

    @api.model
    def _judge_together(self, first, second):
        """Return whether two rules judge in one run, at the same time: of the same moment, company and calendar."""
        moments = {"review" if rule.trigger in REVIEW_TRIGGERS else rule.trigger for rule in (first, second)}
        return (
            len(moments) == 1
            and first.set_id == second.set_id
            and (not first.company_id or not second.company_id or first.company_id == second.company_id)
        )

    @api.model
    def _covers_window(self, first, second):
        """Return whether ``first`` surely runs whenever ``second`` does."""
        starts = not first.date_from or (second.date_from and first.date_from <= second.date_from)
        ends = not first.date_to or (second.date_to and first.date_to >= second.date_to)
        days = all(first[day] or not second[day] for day in WEEKDAYS)
        hours = (first.hour_from, first.hour_to)
        is_same_clock = (first.tz, *hours) == (second.tz, second.hour_from, second.hour_to)
        is_whole_day = hours == (0.0, 24.0)
        clock = (
            (is_whole_day and all(first[day] for day in WEEKDAYS))
            or (is_same_clock and days)
            or (is_whole_day and days and first.tz == second.tz)
        )
        return bool(starts and ends and clock and (first.is_always or not second.is_always))
