import logging
from dataclasses import replace

from odoo import api, models
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..review.const import REVIEW_TRIGGERS
from ..review.spec import Period

_logger = logging.getLogger(__name__)

ALWAYS = Period(None, None)
# Actions of which the order itself shows what they did. Of the others, and of tags, which an order of the past may have
# by now, the rehearsal tells that they were done.
SHOWN_ACTIONS = {"hold", "approve", "cancel", "gift", "priority", "assign", "warehouse", "planned_date", "note"}


class OmsRehearsal(models.Model):
    """How a chunk of orders is judged: twice by `sale.order._oms_review`, the code that judges new orders, in a cursor
    of its own that never commits."""

    _inherit = "oms.rehearsal"

    def _judge_apart(self, order_ids):
        """Judge orders in a transaction that is rolled back: nothing of what the rules do is left, nothing leaves.

        :return: list of {"line": values of an oms.rehearsal.line or None, "totals": {counter: number}}, one an order
        """
        self.ensure_one()
        lang = self.user_id.lang or self.env.lang
        context = {"lang": lang, "tz": self.user_id.tz, "tracking_disable": True, "oms_rehearsal": True}
        cr = self.env.registry.cursor()
        try:
            env = api.Environment(cr, self.env.uid, context)
            return env[self._name].browse(self.id)._rehearse(env["sale.order"].browse(order_ids))
        finally:
            # What would run after the rollback (findings that are kept, numbers that are given back) is not ours to do.
            cr.postrollback.clear()
            cr.rollback()
            cr.close()

    def _rehearse(self, orders):
        """Judge orders together; when that fails one by one, so that one that can't be judged stops no other."""
        savepoint = self.env.cr.savepoint()
        try:
            return self._compare(orders)
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as error:  # whatever a rule may raise is told in the order's line
            if len(orders) == 1:
                _logger.info("Rehearsal %s could not judge order %s", self.id, orders.id, exc_info=True)
                return [self._prepare_error(orders, str(error) or type(error).__name__)]
        finally:
            savepoint.close(rollback=True)
        return [result for order in orders for result in self._rehearse(order)]

    def _compare(self, orders):
        """Judge the orders by either side and return what became of each."""
        orders._oms_lift_for_rehearsal()
        start = {order.id: self._get_outcome(order) for order in orders}
        sides, sentences = self._get_sides(orders)
        before, after = (self._run_side(orders, specs_by_order) for specs_by_order in sides)
        return [
            self._prepare_result(order, start[order.id], before[order.id], after[order.id], sentences)
            for order in orders
        ]

    # === WHICH RULES === #

    def _get_sides(self, orders):
        """Return ((before, after), sentences): each side a dict {order: specs that run at the order's date}, and the
        sentence of each rule by its id."""
        Rule = self.env["oms.rule"].with_context(active_test=False)
        rehearsed = self._get_rehearsed_specs()
        triggers = (*REVIEW_TRIGGERS, *sorted({spec.trigger for spec in rehearsed} - set(REVIEW_TRIGGERS)))
        live = Rule._get_live_specs(triggers)
        rules = Rule.browse({spec.id for spec in (*live, *rehearsed)})
        # A change of a rule stands where that rule does; rehearsed live rules stand for themselves.
        own = {spec.id for spec in rehearsed}
        replaced = {(rule.replaces_id or rule).id for rule in rules if rule.id in own}
        places = {rule.id: ((rule.replaces_id or rule).sequence, (rule.replaces_id or rule).id) for rule in rules}
        after = sorted(
            [*(spec for spec in live if spec.id not in replaced), *rehearsed], key=lambda spec: places[spec.id]
        )
        before = {"live": live, "without": [spec for spec in live if spec.id not in replaced], "none": []}[self.compare]
        sentences = {rule.id: rule.sentence for rule in rules}
        sides = tuple(
            {order: self._filter_running(specs, order.date_order, takeover) for order in orders}
            for specs, takeover in ((before, None), (after, self._get_rehearsed_takeover()))
        )
        return sides, sentences

    def _filter_running(self, specs, date, takeover):
        """Return those of ``specs`` that run at ``date``, or while ``takeover`` does."""
        if takeover:
            return [left for spec in specs if spec.runs_at(date) and (left := spec.yield_to([takeover]))]
        return self.env["oms.rule"]._filter_running(specs, date)

    def _get_rehearsed_takeover(self):
        """Return the calendar of the rehearsed set, always running, when it takes over from the standing rules."""
        if not self.set_id:
            return None
        calendar = replace(self.set_id._prepare_spec(), periods=(ALWAYS,))
        return calendar if calendar.takes_over else None

    def _get_rehearsed_specs(self):
        """Return the specs of the rehearsed rules. Drafts get a version for the time of the transaction: what they do
        is kept by version."""
        rules = self._get_rules()
        # A draft that is a change of a rule of the same choice stands for it.
        rules -= rules.replaces_id
        drafts = rules.filtered(lambda rule: rule.state == "draft")
        # sudo: oms.rule.version - as when a rule goes live
        versions = (
            self.env["oms.rule.version"]
            .sudo()
            .create(
                [
                    {
                        "rule_id": draft.id,
                        "number": -1,
                        "content": {"draft": True},
                        "words": {"": {"sentence": draft.sentence}},
                    }
                    for draft in drafts
                ]
            )
        )
        version_ids = dict(zip(drafts.ids, versions.ids, strict=True))
        specs = []
        for rule in rules:
            spec = rule._prepare_spec()
            if spec is None:
                continue
            if rule.id in version_ids:
                spec = replace(spec, version_id=version_ids[rule.id], number=0)
            if self.set_id:
                spec = replace(spec, set=replace(spec.set, periods=(ALWAYS,)))
            elif self.ignores_dates:
                spec = replace(spec, set=None, period=ALWAYS)
            specs.append(spec)
        return specs

    # === WHAT BECOMES OF THE ORDERS === #

    def _run_side(self, orders, specs_by_order):
        """Judge the orders by one side, then take it back.

        :param specs_by_order: dict {order: list of specs}
        :return: dict {order id: (outcome, ids of the rules that matched)}
        """
        savepoint = self.env.cr.savepoint()
        last_hit = self.env["oms.rule.hit"].search([], order="id desc", limit=1).id or 0
        for group in orders.grouped(lambda order: tuple(spec.id for spec in specs_by_order[order])).values():
            specs = specs_by_order[group[0]]
            group._oms_review((*REVIEW_TRIGGERS, *{spec.trigger for spec in specs}), specs=specs)
        hits = self.env["oms.rule.hit"].search_fetch(
            [("id", ">", last_hit), ("order_id", "in", orders.ids)], ["order_id", "rule_id"], order="id"
        )
        rule_ids = {order.id: [] for order in orders}
        for hit in hits:
            rule_ids[hit.order_id.id].append(hit.rule_id.id)
        rules = {rule.id: rule for rule in hits.rule_id}
        outcomes = {
            order.id: (self._get_side_outcome(order, [rules[id_] for id_ in rule_ids[order.id]]), rule_ids[order.id])
            for order in orders
        }
        savepoint.close(rollback=True)
        return outcomes

    @api.model
    def _get_side_outcome(self, order, rules):
        """Return what became of an order, with what the rules it matched did besides."""
        actions = [action for rule in rules for action in rule.action_ids if action.type not in SHOWN_ACTIONS]
        return {
            **self._get_outcome(order),
            "actions": list(dict.fromkeys(action.sentence for action in actions)),
            "is_tagged": any(action.type == "tag" for action in actions),
        }

    @api.model
    def _get_outcome(self, order):
        """Return what became of an order. To be extended by addons whose actions change something else of it.

        :return: dict: "holds" names of the holds, "error" reason of a hold that was put because a rule failed,
            "tags" names, "cancelled", "changes" {label: value in words}, "gifts" names, "gift_cost" number
        """
        holds = order.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        values = ("oms_priority", "oms_reviewer_id", "warehouse_id", "commitment_date", "oms_warehouse_note", "note")
        return {
            "holds": sorted(hold.type_id.name for hold in holds),
            "error": next((hold.reason for hold in holds if hold.type_id.code == "error"), ""),
            "tags": order.tag_ids.mapped("name"),
            "cancelled": order.state == "cancel",
            "changes": {
                order._fields[name]._description_string(self.env): order._oms_get_seen_value(name) for name in values
            },
            "gifts": [],
            "gift_cost": 0.0,
        }

    @api.model
    def _describe_outcome(self, start, outcome):
        """Return in words what rules did to an order that was as ``start`` says."""
        words = []
        if outcome["cancelled"]:
            words.append(self.env._("Cancelled"))
        if outcome["holds"]:
            words.append(self.env._("Held: %(holds)s", holds=", ".join(outcome["holds"])))
        if gifts := [gift for gift in outcome["gifts"] if gift not in start["gifts"]]:
            words.append(self.env._("Gift: %(gifts)s", gifts=", ".join(gifts)))
        for label, value in outcome["changes"].items():
            if value != start["changes"].get(label):
                words.append(self.env._("%(field)s: %(value)s", field=label, value=value))
        words += [words_of_action[:1].upper() + words_of_action[1:] for words_of_action in outcome["actions"]]
        return "; ".join(words) or self.env._("Passed")

    @api.model
    def _get_kind(self, before, after):
        """Return what kind of change lies between two outcomes; None when there is none."""
        if after["error"] and not before["error"]:
            return "error"
        if after["cancelled"] and not before["cancelled"]:
            return "cancelled"
        if after["holds"] != before["holds"]:
            if not before["holds"]:
                return "newly_held"
            return "other_hold" if after["holds"] else "no_longer_held"
        if (after["gifts"], after["gift_cost"]) != (before["gifts"], before["gift_cost"]):
            return "gift"
        if after["is_tagged"] != before["is_tagged"] or after["tags"] != before["tags"]:
            return "tagged"
        return "changed" if after != before else None

    def _prepare_result(self, order, start, before, after, sentences):
        """Return what `_judge_apart` returns of one order."""
        (before, before_rules), (after, after_rules) = before, after
        kind = self._get_kind(before, after)
        totals = {"judged_count": 1, "changed_count": int(bool(kind))}
        for side, outcome in (("before", before), ("after", after)):
            key = "cancelled" if outcome["cancelled"] else "held" if outcome["holds"] else "passed"
            totals[f"{key}_{side}"] = 1
            totals[f"gift_cost_{side}"] = outcome["gift_cost"]
            totals[f"tagged_{side}"] = int(outcome["is_tagged"])
            totals[f"gifted_{side}"] = int(bool(outcome["gifts"]))
        if not kind:
            return {"line": None, "totals": totals}
        # The rules that tell the sides apart say why; where the same rules matched, all of them do.
        told = [id_ for id_ in after_rules if id_ not in before_rules]
        told += [id_ for id_ in before_rules if id_ not in after_rules]
        reason = after["error"] if kind == "error" else "\n".join(sentences[id_] for id_ in told or after_rules)
        line = {
            **self._prepare_line(order, kind, reason),
            "before": self._describe_outcome(start, before),
            "after": self._describe_outcome(start, after),
            "gift_cost": after["gift_cost"],
        }
        return {"line": line, "totals": totals}

    def _prepare_error(self, order, message):
        line = self._prepare_line(order, "error", message)
        return {"line": line, "totals": {"judged_count": 1, "changed_count": 1, "error_count": 1}}

    @api.model
    def _prepare_line(self, order, kind, reason):
        return {
            "order_id": order.id,
            "company_id": order.company_id.id,
            "channel_id": order.channel_id.id,
            "date": order.date_order,
            "currency_id": order.currency_id.id,
            "amount_total": order.amount_total,
            "kind": kind,
            "reason": reason,
        }
