from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools.misc import format_amount

PAGE_SIZE = 40


class OmsReviewDesk(models.AbstractModel):
    """The reviewer's desk: queues, the cases of a queue, and what can be done with many of them at once.

    A case is an active hold. Everything is read and written with the rights of the user.
    """

    _name = "oms.review.desk"
    _description = "Review Desk"

    # === QUEUES === #

    @api.model
    def get_queues(self, scope="all"):
        """Return the queues with something in them, the most severe first.

        :param scope: "all", "mine" or "escalated"
        :return: dict {"queues": [{"id", "code", "name", "severity", "count", "oldest"}], "count", "scopes"}
        """
        groups = self.env["oms.hold"]._read_group(
            self._get_case_domain(scope), ["type_id"], ["__count", "create_date:min"]
        )
        groups.sort(key=lambda group: (-int(group[0].severity), group[0].sequence, group[0].id))
        queues = [
            {
                "id": hold_type.id,
                "code": hold_type.code,
                "name": hold_type.name,
                "severity": hold_type.severity,
                "count": count,
                "oldest": fields.Datetime.to_string(oldest),
            }
            for hold_type, count, oldest in groups
        ]
        return {"queues": queues, "count": sum(queue["count"] for queue in queues), "scopes": self._get_scope_counts()}

    @api.model
    def _get_case_domain(self, scope="all", queue_id=None):
        """Return the domain of the cases of a scope, of one queue if one is named."""
        domain = Domain("state", "=", "active") & Domain("company_id", "in", self.env.companies.ids)
        domain &= self._get_scope_domains()[scope]
        return domain & Domain("type_id", "=", queue_id) if queue_id else domain

    @api.model
    def _get_scope_domains(self):
        """Return {scope: its domain}. Can be extended."""
        return {
            "all": Domain.TRUE,
            "mine": Domain("user_id", "=", self.env.uid),
            "escalated": Domain("escalation_date", "!=", False),
        }

    @api.model
    def _get_scope_counts(self):
        Hold = self.env["oms.hold"]
        return {scope: Hold.search_count(self._get_case_domain(scope)) for scope in self._get_scope_domains()}

    # === CASES === #

    @api.model
    def get_cases(self, queue_id=None, scope="all", offset=0):
        """Return one page of the cases of a queue, the oldest first.

        :return: dict {"cases": [...], "count": how many there are in all}
        """
        domain = self._get_case_domain(scope, queue_id)
        holds = self.env["oms.hold"].search(domain, order="create_date, id", limit=PAGE_SIZE, offset=offset)
        return {
            "cases": [self._prepare_case(hold) for hold in holds],
            "count": self.env["oms.hold"].search_count(domain),
        }

    @api.model
    def _prepare_case(self, hold):
        """Return what the list of cases shows of one hold."""
        order = hold.order_id
        return {
            "id": hold.id,
            "order_id": order.id,
            "order": order.name,
            "reference": order.channel_order_ref or "",
            "buyer": order.partner_id.display_name,
            "channel": order.channel_id.name or "",
            "amount": format_amount(self.env, order.amount_total, order.currency_id),
            "type": hold.type_id.name,
            "severity": hold.type_id.severity,
            "reason": hold.reason,
            "reasons": [
                {"id": reason.id, "reason": reason.name, "rule": hold._get_reason_sentence(reason)}
                for reason in hold._get_told_reasons()
            ],
            "since": fields.Datetime.to_string(hold.create_date),
            "reviewer": hold.user_id.name or "",
            "is_escalated": bool(hold.escalation_date),
            "steps": f"{hold.approval_count}/{len(hold._get_steps())}" if hold._get_steps() else "",
        }

    # === MANY AT ONCE === #

    @api.model
    def release(self, hold_ids, comment=None):
        """Release these holds; see `oms.hold._release_each` for what is returned."""
        return self.env["oms.hold"].action_release_many(hold_ids, comment)

    @api.model
    def assign(self, hold_ids):
        """Make these cases the user's own. :return: as `release`"""
        me = self.env.uid

        def assign(holds):
            holds.write({"user_id": me})

        return self._answer_each(hold_ids, assign, self.env._("Assigned to you"))

    @api.model
    def cancel(self, hold_ids, reason):
        """Cancel the orders of these holds; the reason is kept with the hold and in the order. :return: as `release`"""

        def cancel(holds):
            orders = holds.order_id
            orders.action_cancel()
            holds.write({"release_comment": reason})
            orders._message_log_batch(bodies=dict.fromkeys(orders.ids, reason))

        return self._answer_each(hold_ids, cancel, self.env._("Cancelled"))

    @api.model
    def ask(self, hold_ids, question):
        """Ask the buyers of these cases by mail; the question is kept in each order. :return: as `release`"""
        return self._answer_each_order(
            hold_ids, lambda order: order._oms_ask_buyer(question), self.env._("The buyer was asked")
        )

    @api.model
    def open_correction(self, hold_ids):
        """Return the action that opens what may be wrong with the orders of these cases, to be corrected together."""
        return self._open_wizard(self.env["oms.desk.correction"]._create_for_holds(hold_ids))

    @api.model
    def _open_wizard(self, wizard):
        return {
            "name": wizard._description,
            "type": "ir.actions.act_window",
            "res_model": wizard._name,
            "res_id": wizard.id,
            "views": [(False, "form")],
            "target": "new",
        }

    @api.model
    def _answer_each(self, hold_ids, function, done):
        """Do something with each active hold and say of each what became of it.

        :param function: takes a recordset, and raises a UserError where it can't be done
        """

        def work(active):
            errors = active._do_each(function) if active else {}
            return {hold_id: (not error, error or done) for hold_id, error in errors.items()}

        return self._answer(hold_ids, work)

    @api.model
    def _answer_each_order(self, hold_ids, function, done):
        """Do something with the order of each active hold, each order once and in a savepoint of its own, and say of
        each hold what became of it.

        :param function: takes an order, and raises a UserError where it can't be done; may return (whether all is well,
            sentence)
        """

        def work(active):
            answers = {}
            for order, holds in active.grouped("order_id").items():
                try:
                    with self.env.cr.savepoint():
                        answer = function(order) or (True, done)
                except UserError as error:
                    self.env.invalidate_all()
                    answer = (False, str(error))
                answers |= dict.fromkeys(holds.ids, answer)
            return answers

        return self._answer(hold_ids, work)

    @api.model
    def _answer(self, hold_ids, work):
        """Have ``work`` done with the active ones of these holds, and say of each what became of it.

        :param work: function from the active holds to {id: (whether it is done, sentence)}
        """
        existing = self.env["oms.hold"].browse(hold_ids).exists()
        active = existing.filtered(lambda hold: hold.state == "active")
        names = {hold.id: hold.display_name for hold in existing}
        answers = {hold.id: (False, hold._get_released_message()) for hold in existing - active}
        answers |= work(active)
        gone = (False, self.env._("It is not there any more."))
        return [
            existing._prepare_answer(hold_id, names.get(hold_id, ""), *answers.get(hold_id, gone))
            for hold_id in hold_ids
        ]
