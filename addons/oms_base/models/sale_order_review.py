import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import MAX_TRIES_ON_CONCURRENCY_FAILURE, PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..const import BATCH_SIZE

_logger = logging.getLogger(__name__)


class SaleOrder(models.Model):
    """Review: rules judge a batch of orders, put holds, leave decisions; what no hold blocks is confirmed."""

    _inherit = "sale.order"

    oms_review_date = fields.Datetime(string="Reviewed On", readonly=True, copy=False)

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
        orders.filtered(lambda order: not order.oms_review_date)._oms_review()
        blocked = orders - orders._oms_filter_open("confirm")
        res = super(SaleOrder, self - blocked).action_confirm() if self - blocked else True
        return blocked._get_blocked_notification() if blocked else res

    def action_oms_review(self):
        """Judge these orders again: the button for after a correction."""
        self.filtered(lambda order: order.channel_id and order.state in ("draft", "sent"))._oms_review()
        return True

    def _oms_review(self):
        """Judge these orders by the active rules, in sequence: put holds, release those whose reason is gone, and keep
        one decision an order.

        :return: the orders that no hold blocks at the gate "confirm"
        """
        if not self:
            return self
        # sudo: oms.rule - rules judge every order, whoever confirms it
        rules = self.env["oms.rule"].sudo().search([("active", "=", True)])
        matched = rules._judge(self.sudo())
        for rule, orders in matched.items():
            self._release_settled_holds(rule, orders)
            if orders:
                orders.sudo(self.env.su)._oms_place_hold(
                    rule.hold_type_id,
                    rule.reason or rule.name,
                    rule=rule,
                    data={"by_order": {order.id: order._get_rule_evidence() for order in orders}},
                )
        self.write({"oms_review_date": fields.Datetime.now()})
        self._create_review_decisions(matched)
        return self._oms_filter_open("confirm")

    def _release_settled_holds(self, rule, matching):
        """Release the holds that ``rule`` once put on orders it no longer matches: the reason is gone."""
        settled = self.sudo().oms_hold_ids.filtered(
            lambda hold: hold.rule_id == rule and hold.state == "active" and hold.order_id not in matching
        )
        if settled:
            settled._release(self.env._("The rule no longer matches the order."))

    def _get_rule_evidence(self):
        """Return what a rule may have seen of one order, as JSON-able values. Can be extended with more facts."""
        self.ensure_one()
        return {
            "amount_total": self.amount_total,
            "channel_amount_total": self.channel_amount_total,
            "address_problem": self.oms_address_problem or "",
            "shortage": self.oms_shortage or [],
        }

    def _create_review_decisions(self, matched):
        """Keep one decision an order: the rules that matched, with the version they were judged by."""
        rules_by_order = {order.id: [] for order in self}
        for rule, orders in matched.items():
            for order in orders:
                rules_by_order[order.id].append({"id": rule.id, "name": rule.name, "version": rule.version})
        vals_list = []
        for order in self:
            rules = rules_by_order[order.id]
            names = ", ".join(f"{rule['name']} (v{rule['version']})" for rule in rules)
            vals_list.append(
                {
                    "order_id": order.id,
                    "kind": "review",
                    "outcome": "hold" if rules else "pass",
                    "summary": self.env._("Held by: %(rules)s", rules=names)
                    if rules
                    else self.env._("No rule matched"),
                    "data": {"matched": rules, "judged": len(matched)},
                }
            )
        # sudo: oms.decision - written by the review itself, never by hand
        self.env["oms.decision"].sudo().create(vals_list)

    def _get_blocked_notification(self):
        holds = self._oms_get_blocking_holds("confirm")
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning",
                "title": self.env._("On hold, not confirmed"),
                "message": "\n".join(f"{hold.order_id.name}: {hold.type_id.name} ({hold.reason})" for hold in holds),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    # === BACKGROUND === #

    def _oms_trigger_review(self):
        """Have these orders looked at in the background: reviewed if not yet, confirmed if nothing blocks them."""
        for lane in {order.id % 2 for order in self}:
            cron = self.env.ref(f"oms_base.ir_cron_review_lane_{lane}", raise_if_not_found=False)
            if cron:
                cron._trigger()

    @api.model
    def _get_review_queue_domain(self):
        """Return the domain of the orders that the background has something to do for."""
        return (
            Domain("oms_stage", "=", "new")
            & Domain("channel_id.active", "=", True)
            & (Domain("oms_review_date", "=", False) | Domain("channel_id.auto_confirm", "=", True))
        )

    @api.model
    def _cron_review_orders(self, lane):
        """Review and confirm the new orders of one lane (0 or 1) in batches; a batch that fails is done one by one."""
        domain = self._get_review_queue_domain()
        queue = self.search(domain, order="id").filtered(lambda order: order.id % 2 == lane)
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(queue))
        for start in range(0, len(queue), BATCH_SIZE):
            batch = queue[start : start + BATCH_SIZE]
            try:
                done = batch._oms_work_until_undisturbed(domain, "_oms_review_and_confirm")
            except UserError:
                self.env.cr.rollback()
                done = 0
                for order in batch:
                    done += order._oms_work_until_undisturbed(domain, "_oms_review_and_confirm_one")
                    cron._commit_progress()
            if not cron._commit_progress(done):
                break

    def _oms_work_until_undisturbed(self, domain, method):
        """Call ``method`` on these orders, again when another transaction changed the same stock or order first: the
        snapshot of this one is of no use any more then. Who never gets through stays in the queue.

        :return: how many orders are out of the queue
        """
        for _try in range(MAX_TRIES_ON_CONCURRENCY_FAILURE):
            try:
                getattr(self.try_lock_for_update().filtered_domain(domain), method)()
                self.env.cr.flush()
                return len(self)
            except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
                self.env.cr.rollback()
                _logger.info("Review of %s orders met a concurrent update (%s)", len(self), error.pgcode)
        return 0

    def _oms_review_and_confirm(self):
        """Review these orders and confirm those that may be confirmed without a person."""
        self.filtered(lambda order: not order.oms_review_date)._oms_review()
        for company, orders in self.grouped("company_id").items():
            passed = orders._oms_filter_open("confirm").filtered(lambda order: order.channel_id.auto_confirm)
            if passed:
                passed.with_company(company).action_confirm()

    def _oms_review_and_confirm_one(self):
        """Do it for one order, or put it on hold with the error, so that it neither blocks others nor is lost."""
        if not self:
            return
        try:
            with self.env.cr.savepoint():
                self._oms_review_and_confirm()
        except UserError as error:
            _logger.info("Order %s could not be confirmed: %s", self.name, error)
            self._oms_place_hold("error", str(error))
