from dataclasses import replace

from odoo import api, fields, models

from ...tools import work_undisturbed
from . import domain_words
from .const import TRIGGERS
from .sale_order_review_queue import SCHEDULED_BATCH_SIZE

# Facts whose cause lies outside the order: no change of the order tells that they are others now.
OUTSIDE_FACTS = frozenset(
    (
        *("oms_has_shortage", "oms_shortage", "oms_credit_limit", "oms_credit_exceeded", "oms_open_orders_amount"),
        *("oms_open_invoices_amount", "oms_overdue_amount", "oms_overdue_days"),
    )
)


class SaleOrder(models.Model):
    """Held for what lies outside the order: goods that arrive and invoices that are paid settle the hold."""

    _inherit = "sale.order"

    @api.model
    def _oms_judge_held(self):
        """Look again at the orders held by rules that ask for stock or credit: what no longer holds is taken back.

        In the background and of held orders only: who moves stock or books a payment writes no order for it.
        """
        triggers = tuple(trigger for trigger, _label in TRIGGERS)
        specs = [
            replace(spec, is_stop=False, is_settling=False)
            for spec in self.env["oms.rule"]._get_specs(triggers, fields.Datetime.now())
            if any(path.split(".")[0] in OUTSIDE_FACTS for path in domain_words.get_field_paths(spec.domain))
        ]
        domain = [("rule_id", "in", [spec.id for spec in specs]), ("settled_date", "=", False)]
        reasons = self.env["oms.hold.reason"].search([*domain, ("hold_id.state", "=", "active")]) if specs else specs
        orders = reasons.hold_id.order_id.sorted("id") if reasons else self
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(orders))
        for start in range(0, len(orders), SCHEDULED_BATCH_SIZE):
            batch = orders[start : start + SCHEDULED_BATCH_SIZE]

            def work(batch=batch):
                held = batch.exists().with_context(oms_in_review=True)
                held._query_holds()
                held._oms_settle(held._oms_judge(specs))

            work_undisturbed(self.env, work)
            if not cron._commit_progress(len(batch)):
                return
