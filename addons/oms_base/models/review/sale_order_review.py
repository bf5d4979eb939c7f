import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ...const import IN_MEMORY_LIMIT, SHIPPED_NUMBER
from ...tools import notification
from . import domain_words
from .const import REVIEW_TRIGGERS


class SaleOrder(models.Model):
    """Review: rules judge a batch of orders, act on those that match, and leave one decision an order."""

    _inherit = "sale.order"

    oms_review_date = fields.Datetime(string="Reviewed On", readonly=True, copy=False)
    oms_priority = fields.Selection(
        [("0", "Normal"), ("1", "High"), ("2", "Urgent")],
        string="Order Priority",
        default="0",
        copy=False,
        help="Transfers of high and urgent orders are picked first.",
    )
    oms_reviewer_id = fields.Many2one(
        "res.users", string="Reviewer", copy=False, index="btree_not_null", domain=[("share", "=", False)]
    )
    oms_warehouse_id = fields.Many2one(
        "stock.warehouse",
        string="Ships Only From",
        copy=False,
        check_company=True,
        index="btree_not_null",
        help="Set by a rule or by hand: no other warehouse is asked for the goods.",
    )
    oms_warehouse_note = fields.Text(string="Note to the Warehouse", copy=False)

    _oms_review_idx = models.Index("(id) WHERE oms_stage = 'new'")

    @api.model_create_multi
    def create(self, vals_list):
        orders = super().create(vals_list)
        received = orders.filtered("channel_id")
        received._oms_log_event("received")
        received._oms_trigger_review()
        return orders

    def action_confirm(self):
        """Override of `sale`: orders of a channel are reviewed first; those a hold blocks stay, with their holds, and
        the person is told; the others of the batch are confirmed."""
        orders = self.filtered("channel_id")
        if not orders:
            return super().action_confirm()
        orders._oms_bring_up_to_date()
        blocked = orders - orders._oms_filter_open("confirm")
        res = super(SaleOrder, self - blocked).action_confirm() if self - blocked else True
        return blocked._get_blocked_notification() if blocked else res

    def action_oms_review(self):
        """Judge these orders again and say what came of it: the button for after a correction."""
        orders = self.filtered(lambda order: order.channel_id and order.oms_stage_number < SHIPPED_NUMBER)
        orders._oms_review()
        held = orders.filtered("oms_hold_count")
        if len(orders) != 1:
            message = self.env._(
                "%(count)s orders judged again, %(held)s of them on hold.", count=len(orders), held=len(held)
            )
        elif held:
            message = self.env._("Judged again, on hold: %(reasons)s", reasons=held.oms_hold_summary)
        else:
            message = self.env._("Judged again: nothing stops the order.")
        return notification(message, "warning" if held else "success")

    # === REVIEW === #

    def _oms_bring_up_to_date(self):
        """Judge those of these orders whose verdict is missing or old: never judged, changed since, or about to be
        confirmed on a verdict of another transaction."""
        new = self.filtered(lambda order: not order.oms_review_date)
        new._oms_review()
        known = self - new
        known._oms_judge_changes()
        # A verdict of this very transaction is not old. The transaction's time has fractions, the field has none.
        start = self.env.cr.now().replace(microsecond=0)
        (known.filtered(lambda order: order.oms_review_date < start))._oms_review(("confirm",))

    def _oms_review(self, triggers=REVIEW_TRIGGERS, *, parts=None, specs=None):
        """Judge these orders by the live rules: act on those that match, take back what no longer holds, and keep one
        decision an order.

        :param triggers: which rules judge, by when they do (keys of `oms.rule.trigger`)
        :param parts: only rules that depend on these parts of an order (set of keys of `_oms_get_watched_fields`)
        :param specs: the rules to judge by (`spec.RuleSpec`), instead of the live ones
        :return: the orders that no hold blocks at the gate "confirm"
        """
        if not self:
            return self
        # sudo: sale.order - rules judge every order, whoever works on it; the context keeps what they write from
        # being taken for a change that has to be judged again
        orders = self.sudo().with_context(oms_in_review=True)
        orders._oms_refresh_keys()
        matched, besides = orders._oms_judge_by(triggers, parts) if specs is None else (orders._oms_judge(specs), {})
        if "received" not in triggers and not matched:
            return self._oms_filter_open("confirm")
        orders._query_holds()
        orders._oms_settle(matched)
        orders._oms_act(matched, besides)
        orders._oms_keep_decisions(matched)
        return self._oms_filter_open("confirm")

    def _oms_judge_by(self, triggers, parts=None):
        """Judge by the live rules.

        The rules come from this process's cache, what they do from the database. Where somebody changed a rule between
        the two, all is judged anew: no order is judged by one version and treated by another.

        Where only some of the rules of a sequence are asked for, those that stop the others or let orders pass their
        holds judge along: what they decided when the order came still stands. They do nothing else then.

        :return: as `_oms_judge`, of the rules that are asked for, and of those that judged along
        """
        Rule, now = self.env["oms.rule"], fields.Datetime.now()
        for is_last in (False, True):
            specs = Rule._get_specs(REVIEW_TRIGGERS if set(triggers) <= set(REVIEW_TRIGGERS) else triggers, now)
            asked = [spec for spec in specs if spec.trigger in triggers]
            if parts is not None:
                asked = self._oms_filter_dependent(asked, parts)
            ids = {spec.id for spec in asked}
            judged = self._oms_judge([spec for spec in specs if spec.id in ids or spec.is_deciding] if asked else [])
            if is_last or Rule._are_current([spec for spec, orders in judged.items() if orders]):
                matched = {spec: judged[spec] for spec in asked}
                return matched, {spec: orders for spec, orders in judged.items() if spec not in matched}
            Rule._clear_rule_cache()

    def _query_holds(self):
        """Read the holds of these orders at once, however many orders there are: reading them by the field takes a
        query for each thousand."""
        self.env["oms.hold"].flush_model(["order_id"])
        rows = self.env.execute_query(
            SQL(
                "SELECT order_id, id FROM oms_hold WHERE order_id = ANY(%s) ORDER BY create_date DESC, id DESC",
                list(self._ids),
            )
        )
        ids_by_order = {order_id: [] for order_id in self._ids}
        for order_id, hold_id in rows:
            ids_by_order[order_id].append(hold_id)
        self._fields["oms_hold_ids"]._insert_cache(self, [tuple(ids) for ids in ids_by_order.values()])
        self.env["oms.hold"].browse([hold_id for _order_id, hold_id in rows]).fetch()

    def _oms_settle(self, matched):
        """Take back what rules once did to these orders and would not do now: the reason is gone."""
        specs = {spec.id: (spec, set(orders._ids)) for spec, orders in matched.items()}

        def is_gone(rule, order):
            spec, ids = specs.get(rule.id, (None, ()))
            return spec and order.id not in ids and spec.applies_to(order.company_id.id)

        active = self.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        gone = active.standing_reason_ids.filtered(lambda reason: is_gone(reason.rule_id, reason.hold_id.order_id))
        if gone:
            gone._settle(self.env._("The rule no longer matches the order."))
        for spec, orders in matched.items():
            if spec.is_settling and (others := self - orders):
                others = others.filtered(lambda order, spec=spec: spec.applies_to(order.company_id.id))
                for action in self.env["oms.rule"].browse(spec.id).action_ids:
                    action._settle(others)

    def _oms_act(self, matched, besides=None):
        """Do what the rules say with the orders that match them, rule by rule in sequence.

        :param besides: the orders that match rules of which only counts what they let pass
        """
        found = {spec.id: orders for spec, orders in {**(besides or {}), **matched}.items() if orders}
        orders_by_rule = {rule: found[rule.id] for rule in self.env["oms.rule"].browse(found)}
        approvals = self._oms_get_approvals(orders_by_rule)
        acting = {spec.id for spec in matched}
        for rule, orders in orders_by_rule.items():
            for action in rule.action_ids if rule.id in acting else ():
                if todo := action._filter_to_run(orders, approvals):
                    todo._oms_run_action(action)

    def _oms_run_action(self, action):
        """Do one action with these orders. One that can't be done is put on hold with the reason; the others go on."""
        try:
            with self.env.cr.savepoint():
                action._run(self)
            return
        except UserError as error:
            reason = str(error)
        if len(self) == 1:
            self._oms_place_hold(
                "error",
                self.env._(
                    "%(rule)s: %(action)s: %(error)s", rule=action.rule_id.name, action=action.sentence, error=reason
                ),
            )
            return
        for order in self:
            order._oms_run_action(action)

    # === WHAT HOLDS MAY BE PASSED === #

    @api.model
    def _oms_get_approvals(self, orders_by_rule):
        """Return {order id: highest severity of holds that it may pass} from the "approve" actions of these rules."""
        approvals = {}
        for rule, orders in orders_by_rule.items():
            for action in rule.action_ids.filtered(lambda action: action.type == "approve"):
                for order in orders:
                    approvals[order.id] = max(approvals.get(order.id, "0"), action.severity)
        return approvals

    def _oms_approve(self, severity, rule):
        """Release the holds of these orders up to a severity, because ``rule`` lets them pass: those that rules alone
        have put. What a person or the suite itself stopped, and what several have to approve, is not a rule's to pass.
        """
        passed = self.oms_hold_ids.filtered(
            lambda hold: (
                hold.state == "active"
                and hold.gate != "refund"
                and hold.type_id._is_passable(severity)
                and all(reason.rule_id for reason in hold.standing_reason_ids)
            )
        )
        if passed:
            passed._release(rule.sentence, resolution="approved")

    def _oms_get_passed_orders(self, rule):
        """Return those of these orders that a person, or time, let pass ``rule`` since they last changed in what it
        looks at: nobody releases the same hold twice."""
        parts = self._oms_get_parts(rule._get_order_domain())
        passed = self.browse()
        for order in self:
            changes = order.oms_changes or {}
            changed = max((changes[part] for part in changes if part in parts), default=0)
            if any(
                hold.state == "released"
                and hold.resolution in ("unchanged", "corrected", "expired", "approved")
                and rule in hold.standing_reason_ids.rule_id
                and hold.release_number > changed
                for hold in order.oms_hold_ids
            ):
                passed |= order
        return passed

    # === EVIDENCE AND DECISIONS === #

    def _get_rule_evidence(self, rule=None):
        """Return what ``rule`` saw of these orders, as JSON-able values: what holds of the rule keep. Can be extended.

        :return: dict {order id: {"amount_total", "channel_amount_total", and each field path that the rule's conditions
            name: its value in words; of a shortage the missing quantities too}}
        """
        paths = domain_words.get_field_paths(rule._get_order_domain()) if rule else set()
        is_about_stock = not paths.isdisjoint(("oms_has_shortage", "oms_shortage"))
        shown = sorted(paths - {"id", "amount_total", "channel_amount_total", "oms_shortage"})
        return {
            order.id: {
                "amount_total": order.amount_total,
                "channel_amount_total": order.channel_amount_total,
                **{path: order._oms_get_seen_value(path) for path in shown},
                **({"oms_shortage": order.oms_shortage or []} if is_about_stock else {}),
            }
            for order in self
        }

    def _oms_get_seen_value(self, path):
        """Return the value at a dotted path of one order as a person would read it, or a number."""
        records = self
        *steps, name = path.split(".")
        for step in steps:
            records = records[step]
        field = records._fields[name]
        if field.relational:
            return ", ".join(records.mapped(name).mapped("display_name"))
        values = [record[name] for record in records]
        if field.type == "selection":
            labels = dict(field._description_selection(self.env))
            values = [labels.get(value, value) for value in values]
        values = [value if isinstance(value, int | float) else str(value or "") for value in values]
        return values[0] if len(values) == 1 else ", ".join(map(str, values))

    def _oms_keep_decisions(self, matched):
        """Keep one decision an order, and one match for each rule it matched, with the version it was judged by."""
        specs_by_order = {}
        for spec, orders in matched.items():
            for order_id in orders._ids:
                specs_by_order.setdefault(order_id, []).append(spec)
        held_ids = set(self._oms_get_blocking_holds("ship").order_id._ids)
        groups = {}
        for order_id in self._ids:
            outcome = "hold" if order_id in held_ids else "act" if order_id in specs_by_order else "pass"
            groups.setdefault((outcome, tuple(specs_by_order.get(order_id, ()))), []).append(order_id)
        self.env["oms.decision"]._query_insert(
            "review",
            {
                (outcome, *self._oms_describe_decision(specs, len(matched))): order_ids
                for (outcome, specs), order_ids in groups.items()
            },
        )
        self.env["oms.rule.hit"]._query_insert({spec: list(orders._ids) for spec, orders in matched.items()})
        self._oms_stamp_review()

    @api.model
    def _oms_describe_decision(self, specs, judged):
        """Return the summary and the data (JSON text) of a decision by the rules ``specs``, of ``judged`` ones."""
        names = {rule.id: rule.name for rule in self.env["oms.rule"].browse([spec.id for spec in specs])}
        summary = self.env._("No rule matched")
        if specs:
            labels = (f"{names[spec.id]} (v{spec.number})" for spec in specs)
            summary = self.env._("Matched: %(rules)s", rules=", ".join(labels))
        data = {
            "matched": [
                {"id": spec.id, "name": names[spec.id], "version": spec.number, "version_id": spec.version_id}
                for spec in specs
            ],
            "judged": judged,
        }
        return summary, json.dumps(data)

    def _oms_stamp_review(self):
        """Note when these orders were judged: few along with what comes next of the transaction, mostly their
        confirmation, many in one query. Not by `write`, as it is no change that anybody has to hear of."""
        field, now = self._fields["oms_review_date"], fields.Datetime.now()
        if len(self) <= IN_MEMORY_LIMIT:
            field.write(self, now)
            return
        self.flush_recordset(["oms_review_date"])
        self.env.cr.execute(SQL("UPDATE sale_order SET oms_review_date = %s WHERE id = ANY(%s)", now, list(self._ids)))
        field._update_cache(self, now)

    def _get_blocked_notification(self):
        holds = self._oms_get_blocking_holds("confirm")
        message = "\n".join(f"{hold.order_id.name}: {hold.type_id.name} ({hold.reason})" for hold in holds)
        return notification(message, "warning", self.env._("On hold, not confirmed"))

    # === FOR ACTIONS === #

    def _oms_filter_unreleased(self):
        """Return those of these orders whose goods nobody has begun to pick; see `stock.picking._oms_is_released`."""
        return self.filtered(
            lambda order: (
                order.state in ("draft", "sent", "sale")
                and not any(picking._oms_is_released() for picking in order._oms_get_pickings())
            )
        )

    def _oms_ship_from(self, warehouse):
        """Have these orders, whose goods nobody has begun to pick, sent from one warehouse and no other."""
        self.write({"oms_warehouse_id": warehouse.id, "warehouse_id": warehouse.id})
        confirmed = self.filtered(lambda order: order.state == "sale")
        elsewhere = confirmed.order_line.move_ids.filtered(
            lambda move: (
                move.state not in ("done", "cancel")
                and (move.warehouse_id or move.location_id.warehouse_id) != warehouse
            )
        )
        if elsewhere:
            elsewhere.sale_line_id.order_id._oms_ask_anew()

    def _oms_cancel(self, reason):
        """Cancel one order with a reason that its timeline keeps."""
        self._oms_log_event("changed", message=self.env._("To be cancelled: %(reason)s", reason=reason))
        self.action_cancel()
