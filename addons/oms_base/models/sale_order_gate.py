import logging

from odoo import api, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.service.model import retrying
from odoo.tools import SQL, ormcache

from ..const import GATE_NUMBERS
from .hold.oms_hold_reason import REASON_FIELDS

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    """Holds and gates. The gates sit in the host's own methods: no button, import, cron or RPC gets around them."""

    _inherit = "sale.order"

    @api.model
    def default_get(self, fields):
        """Override: what the suite keeps of an order has no default, neither in the context nor in the user's own."""
        kept = self._oms_get_kept_fields()
        return super().default_get([name for name in fields if name not in kept])

    @api.model_create_multi
    def create(self, vals_list):
        self._oms_check_kept_fields(set().union(*vals_list))
        orders = super().create(vals_list)
        orders.filtered(lambda order: order.channel_id and order.state == "sale")._oms_check_gate("confirm")
        return orders

    def write(self, vals):
        """Keep the gate "confirm" where the state is written by hand (RPC, import, another addon's code)."""
        self._oms_check_kept_fields(vals)
        if "channel_id" in vals:
            moved = self.filtered(lambda order: order.channel_id.id != (vals["channel_id"] or False))
            moved._oms_check_leaving()
            # sudo: sale.order - the mark is the suite's own; the rules of another channel have not judged yet
            moved.filtered("oms_review_date").sudo().oms_review_date = False
        if state := vals.get("state"):
            orders = self.filtered("channel_id")
            if state != "cancel":
                orders.filtered(lambda order: order.state == "cancel")._oms_reopen()
            if state == "sale":
                orders.filtered(lambda order: order.state != "sale")._oms_check_gate("confirm")
        return super().write(vals)

    @api.model
    @ormcache()
    def _oms_get_kept_fields(self):
        """Return the names of what the suite itself keeps of an order: the marks of the review, the stage, the keys by
        which orders are compared. Who could write it by hand, would walk around the gates."""
        return frozenset(
            name
            for name, field in self._fields.items()
            if name.startswith("oms_") and field.store and field.readonly and field.column_type
        )

    def _oms_check_leaving(self):
        """Refuse to have an order leave its channel while something holds it, or its rules would hold it now. What was
        bought in a shop stays an order of that shop.

        :raise UserError: naming the orders
        """
        orders = self.filtered("channel_id")
        if not self.env.su and (bought := orders.filtered("channel_order_id")):
            raise UserError(
                self.env._(
                    "%(orders)s came from a shop: its channel can't be changed. Cancel it and enter another.",
                    orders=", ".join(bought.mapped("name")),
                )
            )
        orders.filtered(lambda order: order.state in ("draft", "sent"))._oms_check_gate("confirm")
        orders._oms_check_holds()

    @api.model
    def _oms_check_kept_fields(self, names):
        """Refuse to have by hand what only the suite itself writes.

        :raise AccessError: when a user, and not the system, writes one of them
        """
        if not self.env.su and (names := self._oms_get_kept_fields().intersection(names)):
            raise AccessError(
                self.env._(
                    "%(fields)s of an order can't be set by hand. Review the order again (OMS > Orders).",
                    fields=", ".join(self._fields[name]._description_string(self.env) for name in sorted(names)),
                )
            )

    def _oms_reopen(self):
        """Have cancelled orders that come back judged anew, and put back what the cancellation took away."""
        # sudo: sale.order, oms.hold - the holds and marks are the suite's own, whoever may reopen the order
        orders = self.sudo()
        orders.oms_review_date = False
        self.env["oms.hold"].flush_model(["state"])  # only one of a type may be active, in the database too
        for order in orders:
            for holds in order.oms_hold_ids.grouped("type_id").values():
                last = holds.sorted("id")[-1]
                if last.state == "released" and last.resolution == "cancelled":
                    order._oms_log_event("held", document=last.copy(), message=f"{last.type_id.name}: {last.reason}")

    def _oms_get_blocking_holds(self, gate):
        """Return the active holds of these orders that keep ``gate`` closed: those on it and on the gates before it.
        They are the system's, as the gate is: who may not read holds is stopped by them all the same.

        :param gate: "confirm", "allocate", "release", "ship" or "refund"
        """
        # sudo: oms.hold - see above
        active = self.sudo().oms_hold_ids.filtered(lambda hold: hold.state == "active")
        if gate not in GATE_NUMBERS:
            return active.filtered(lambda hold: hold.gate == gate)
        number = GATE_NUMBERS[gate]
        return active.filtered(lambda hold: GATE_NUMBERS.get(hold.gate, number + 1) <= number)

    def _oms_filter_open(self, gate):
        """Return those of these orders that may pass ``gate``."""
        return self - self._oms_get_blocking_holds(gate).order_id

    @api.model
    def _get_open_domain(self, gate):
        """Return the domain of the orders that `_oms_filter_open` lets pass ``gate``; not "refund"."""
        closing = [name for name, number in GATE_NUMBERS.items() if number <= GATE_NUMBERS[gate]]
        return Domain("oms_hold_ids", "not any", [("state", "=", "active"), ("gate", "in", closing)])

    def _oms_check_gate(self, gate):
        """Refuse to go on while a hold blocks ``gate``, after the rules of the gate have judged.

        :raise UserError: naming each blocked order and what holds it
        """
        before = self._oms_get_blocking_holds(gate)
        self._oms_judge_at_gate(gate)
        holds = self._oms_get_blocking_holds(gate)
        if holds - before:
            (self & holds.order_id)._oms_keep_findings(gate)
        self._oms_check_holds(gate)

    def _oms_check_holds(self, gate="ship"):
        """Refuse to go on while a hold blocks ``gate``; nothing is judged.

        :raise UserError: naming each blocked order and what holds it
        """
        if holds := self._oms_get_blocking_holds(gate):
            raise UserError(
                self.env._(
                    "These orders are on hold:\n%(orders)s\nSettle and release the holds first (OMS > Orders > Holds).",
                    orders="\n".join(f"- {hold.order_id.name}: {hold.type_id.name} ({hold.reason})" for hold in holds),
                )
            )

    def _oms_place_hold(self, hold_type, reason, rule=None, data=None, values=None):
        """Put these orders on hold. An order that already has an active hold of the type keeps it, with one reason
        more, unless the rule (or, without one, the suite itself) is among its reasons already.

        :param hold_type: oms.hold.type record or its code
        :param reason: sentence for the person who looks at it; or a dict {order id: sentence}
        :param rule: oms.rule that asked for it, if one did
        :param data: JSON-able evidence; or a dict {order id: evidence} under the key "by_order"
        :param values: further values of the holds, or of their reasons (`REASON_FIELDS`); or a dict
            {order id: values} under the key "by_order"
        :return: the new holds
        """
        if not self:
            return self.env["oms.hold"]
        if isinstance(hold_type, str):
            # sudo: oms.hold.type - configuration that everybody's work may need
            hold_type = self.env["oms.hold.type"].sudo().search([("code", "=", hold_type)], limit=1)
        self._query_lock()
        # sudo: oms.hold - rules and channels put holds on behalf of whoever works; releasing is what needs the right.
        # Without Odoo's creation note and followers: the timeline says it, and a batch of orders is cheaper.
        Hold = self.env["oms.hold"].sudo().with_context(tracking_disable=True)
        domain = [("order_id", "in", self.ids), ("type_id", "=", hold_type.id), ("state", "=", "active")]
        active = {(hold.order_id.id, hold.gate == "refund"): hold for hold in Hold.search(domain)}
        vals_list, reasons, evidence, messages = [], {}, {}, {}
        for order in self:
            words = reason[order.id] if isinstance(reason, dict) else reason
            own = dict(self._get_of_order(values, order) or {})
            reason_vals = Hold._prepare_reason_values(hold_type, words, rule)
            reason_vals |= {name: own.pop(name) for name in REASON_FIELDS if name in own}
            data_of_order = self._get_of_order(data, order)
            messages[order.id] = f"{hold_type.name}: {words}"
            if hold := active.get((order.id, reason_vals["gate"] == "refund")):
                reasons[hold], evidence[hold] = reason_vals, data_of_order
            else:
                vals_list.append({**Hold._prepare_hold_values(order, hold_type, reason_vals, data_of_order), **own})
        holds = Hold.create(vals_list)
        changed = holds | Hold.union(*reasons)._add_reasons(reasons, evidence)
        changed.order_id._oms_log_event("held", document=changed, message=messages)
        return holds.with_env(self.env)

    def _query_lock(self):
        """Wait until nobody else reviews these orders. Who did so since this transaction began makes it fail to
        serialize, and run again, rather than break on the second hold of a type."""
        self.env.execute_query(
            SQL("SELECT id FROM sale_order WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE", sorted(self.ids))
        )

    @api.model
    def _get_of_order(self, shared, order):
        """Return what of ``shared`` is meant for ``order``: all of it, or its part of the dict under "by_order"."""
        return shared["by_order"].get(order.id) if shared and "by_order" in shared else shared

    def _oms_judge_at_gate(self, gate):
        """Judge these orders by the rules "before ``gate``", after what changed since they were last judged."""
        if gate == "confirm":
            self._oms_bring_up_to_date()
            return
        self.filtered("oms_pending_parts")._oms_judge_changes()
        if gate in GATE_NUMBERS and self.env["oms.rule"]._get_live_specs((gate,)):
            self._oms_review((gate,))

    def _oms_pass_gate(self, gate):
        """Return those of these orders that may pass ``gate``, after the gate's rules have judged: for a gate before
        which orders just wait."""
        self._oms_judge_at_gate(gate)
        return self._oms_filter_open(gate)

    def _oms_keep_findings(self, gate):
        """Have these orders judged again once this transaction has ended: what the rules found stays for who has to
        settle it, though the step that they refuse is rolled back (all of it, or its caller's savepoint)."""
        ids, uid, context, registry = self.ids, self.env.uid, dict(self.env.context), self.env.registry

        def judge_again():
            try:
                with registry.cursor() as cr:
                    # su: rules judge every order, whoever was refused
                    env = api.Environment(cr, uid, context, su=True)
                    retrying(lambda: env["sale.order"].browse(ids).exists()._oms_judge_at_gate(gate), env)
            except Exception:  # the refusal is what the user has to see; the orders are judged at the next gate anyway
                _logger.exception("The findings on the orders %s could not be kept", ids)

        self.env.cr.postrollback.add(judge_again)
        self.env.cr.postcommit.add(judge_again)

    def _action_confirm(self):
        """Override of `sale` to keep the gate "confirm"."""
        orders = self.filtered("channel_id")
        orders._oms_check_gate("confirm")
        res = super()._action_confirm()
        orders._oms_log_event("confirmed")
        return res
