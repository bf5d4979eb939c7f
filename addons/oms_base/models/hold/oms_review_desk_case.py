from odoo import api, fields, models
from odoo.tools.misc import format_amount

TIMELINE_LENGTH = 12


class OmsReviewDesk(models.AbstractModel):
    """One case: everything a reviewer needs beside the order, and the buttons that settle it."""

    _inherit = "oms.review.desk"

    @api.model
    def get_case(self, hold_id):
        """Return one case in full; it counts as touched from now on. False when it is not there any more."""
        hold = self.env["oms.hold"].browse(hold_id).exists()
        if not hold:
            return False
        hold.check_access("read")
        hold._touch()
        order = hold.order_id
        return {
            **self._prepare_case(hold),
            "state": hold.state,
            "can_release": hold.can_release,
            "comment": hold.release_comment or "",
            "needs_comment": hold.type_id.is_comment_required,
            "description": hold.description or "",
            "gate": dict(hold._fields["gate"]._description_selection(self.env))[hold.gate],
            "auto_release": fields.Datetime.to_string(hold.auto_release_date) if hold.auto_release_date else False,
            "evidence": hold._get_evidence(),
            "approvals": self._prepare_approvals(hold),
            "others": self._prepare_other_holds(hold),
            "lines": [self._prepare_line(line) for line in order.order_line if not line.display_type],
            "totals": self._prepare_totals(order),
            "address": self._prepare_address(order),
            "history": self._prepare_history(order),
            "similar": [{**self._prepare_order(other), "why": reason} for other, reason in order._get_similar_orders()],
            "timeline": self._prepare_timeline(order),
            "actions": order._get_desk_actions(),
        }

    @api.model
    def _prepare_approvals(self, hold):
        """Return the steps of a hold: signed by whom, or who is next."""
        signed = {approval.step_id: approval for approval in hold.approval_ids}
        steps = []
        for step in hold._get_steps():
            approval = signed.get(step)
            names = [approval.user_id.name] if approval else []
            if approval and approval.on_behalf_id:
                names.append(hold._get_on_behalf_label(approval.on_behalf_id))
            steps.append(
                {
                    "id": step.id,
                    "name": step.name,
                    "is_done": bool(approval),
                    "is_next": step == hold.next_step_id,
                    "who": " ".join(names),
                }
            )
        return {"steps": steps, "next": hold.next_approvers if hold.state == "active" else ""}

    @api.model
    def _prepare_other_holds(self, hold):
        others = hold.order_id.oms_hold_ids.filtered(lambda other: other.state == "active") - hold
        return [{"id": other.id, "type": other.type_id.name, "reason": other.reason} for other in others]

    @api.model
    def _prepare_line(self, line):
        currency = line.order_id.currency_id
        return {
            "id": line.id,
            "product_id": line.product_id.id,
            "name": line.product_id.display_name or line.name,
            "quantity": f"{line.product_uom_qty:g} {line.product_uom_id.name or ''}".strip(),
            "price": format_amount(self.env, line.price_unit, currency),
            "discount": f"{line.discount:g}" if line.discount else "",
            "total": format_amount(self.env, line.price_total, currency),
        }

    @api.model
    def _prepare_totals(self, order):
        money = {
            "total": order.amount_total,
            "channel": order.channel_amount_total,
            "difference": order.channel_amount_difference,
            "balance": order.oms_balance_due,
        }
        return {key: format_amount(self.env, value, order.currency_id) if value else "" for key, value in money.items()}

    @api.model
    def _prepare_address(self, order):
        """Return the delivery address: to be read, to be corrected, and to be found on a map."""
        partner = order.partner_shipping_id
        states = self.env["res.country.state"].search([("country_id", "=", partner.country_id.id)])
        keys = ("name", "street", "street2", "city", "zip", "phone")
        place = ", ".join(part for part in (partner.city, partner.state_id.name, partner.zip) if part)
        return {
            "parts": {**{key: partner[key] or "" for key in keys}, "state_id": partner.state_id.id or ""},
            "text": [part for part in (partner.street, partner.street2, place, partner.country_id.name) if part],
            "problem": order.oms_address_problem or "",
            "map_url": order._get_map_url(),
            "states": [{"id": state.id, "name": state.name} for state in states],
        }

    @api.model
    def _prepare_history(self, order):
        history = order._get_buyer_history()
        return {
            "count": history["count"],
            "cancelled": history["cancelled"],
            "returned": history["returned"],
            "total": format_amount(self.env, history["total"], history["currency"]),
            "last": [self._prepare_order(other) for other in history["last"]],
        }

    @api.model
    def _prepare_order(self, order):
        stages = dict(order._fields["oms_stage"]._description_selection(self.env))
        return {
            "id": order.id,
            "name": order.name,
            "date": fields.Datetime.to_string(order.date_order),
            "amount": format_amount(self.env, order.amount_total, order.currency_id),
            "stage": stages.get(order.oms_stage, ""),
        }

    @api.model
    def _prepare_timeline(self, order):
        events = self.env["oms.event"].search([("order_id", "=", order.id)], limit=TIMELINE_LENGTH)
        codes = dict(events._fields["code"]._description_selection(self.env))
        return [
            {
                "id": event.id,
                "date": fields.Datetime.to_string(event.date),
                "label": codes[event.code],
                "message": event.message or "",
                "user": event.user_id.name or "",
            }
            for event in events
        ]

    # === BUTTONS === #

    @api.model
    def correct_address(self, hold_id, values):
        """Correct the delivery address of a case and have its order judged again. :return: one answer, as `release`"""
        hold = self.env["oms.hold"].browse(hold_id)
        answer = hold.order_id._oms_correct_address(values)
        return hold._prepare_answer(hold.id, hold.display_name, *answer)

    @api.model
    def ask_buyer(self, hold_id):
        """Return the action that opens Odoo's composer with a mail to the buyer of a case.

        :raise UserError: when the buyer has no address to ask at
        """
        order = self.env["oms.hold"].browse(hold_id).order_id
        values = order._prepare_question_values()
        action = order.with_context(hide_default_template=True).action_quotation_send()
        defaults = {f"default_{name}": value for name, value in values.items()}
        return {**action, "context": {**action["context"], **defaults}}
