from odoo import models
from odoo.exceptions import UserError

from ..const import GATE_NUMBERS


class SaleOrder(models.Model):
    """Holds and gates. The gates sit in the host's own methods: no button, import, cron or RPC gets around them."""

    _inherit = "sale.order"

    def _oms_get_blocking_holds(self, gate):
        """Return the active holds of these orders that keep ``gate`` closed: those on it and on the gates before it.

        :param gate: "confirm", "allocate", "release", "ship" or "refund"
        """
        active = self.oms_hold_ids.filtered(lambda hold: hold.state == "active")
        if gate not in GATE_NUMBERS:
            return active.filtered(lambda hold: hold.gate == gate)
        number = GATE_NUMBERS[gate]
        return active.filtered(lambda hold: GATE_NUMBERS.get(hold.gate, number + 1) <= number)

    def _oms_filter_open(self, gate):
        """Return those of these orders that may pass ``gate``."""
        return self - self._oms_get_blocking_holds(gate).order_id

    def _oms_check_gate(self, gate):
        """Refuse to go on while a hold blocks ``gate``.

        :raise UserError: naming each blocked order and what holds it
        """
        holds = self._oms_get_blocking_holds(gate)
        if holds:
            raise UserError(
                self.env._(
                    "These orders are on hold:\n%(orders)s\nSettle and release the holds first (OMS > Orders > Holds).",
                    orders="\n".join(f"- {hold.order_id.name}: {hold.type_id.name} ({hold.reason})" for hold in holds),
                )
            )

    def _oms_place_hold(self, hold_type, reason, rule=None, data=None):
        """Put these orders on hold. An order that already has an active hold of the type keeps the one it has.

        :param hold_type: oms.hold.type record or its code
        :param reason: sentence for the person who looks at it
        :param rule: oms.rule that asked for it, if one did
        :param data: JSON-able evidence; or a dict {order id: evidence} under the key "by_order"
        :return: the new holds
        """
        if isinstance(hold_type, str):
            # sudo: oms.hold.type - configuration that everybody's work may need
            hold_type = self.env["oms.hold.type"].sudo().search([("code", "=", hold_type)], limit=1)
        held = (
            self.env["oms.hold"]
            .sudo()
            ._read_group(
                [("order_id", "in", self.ids), ("type_id", "=", hold_type.id), ("state", "=", "active")], ["order_id"]
            )
        )
        orders = self - self.browse(order.id for (order,) in held)
        by_order = (data or {}).get("by_order")
        # sudo: oms.hold - rules and channels put holds on behalf of whoever works; releasing is what needs the right
        Hold = self.env["oms.hold"].sudo()
        holds = Hold.create(
            [
                Hold._prepare_hold_values(
                    order, hold_type, reason, rule=rule, data=by_order.get(order.id) if by_order else data
                )
                for order in orders
            ]
        )
        orders._oms_log_event("held", document=holds, message=f"{hold_type.name}: {reason}")
        return holds.sudo(self.env.su)

    def _action_confirm(self):
        """Override of `sale` to keep the gate "confirm"."""
        orders = self.filtered("channel_id")
        orders._oms_check_gate("confirm")
        res = super()._action_confirm()
        orders._oms_log_event("confirmed")
        return res
