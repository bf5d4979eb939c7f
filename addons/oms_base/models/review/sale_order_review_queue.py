import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ...const import UNSHIPPED_STAGES
from ...tools import work_undisturbed

_logger = logging.getLogger(__name__)

# Scheduled rules only read most orders, so more of them fit in a transaction.
SCHEDULED_BATCH_SIZE = 500


class SaleOrder(models.Model):
    """The review in the background: new orders, changed orders, released orders, and rules on a schedule."""

    _inherit = "sale.order"

    def _oms_trigger_review(self):
        """Have these orders looked at in the background: judged if need be, confirmed and sent on if nothing blocks."""
        for lane in {order.id % 2 for order in self}:
            if cron := self._oms_get_review_cron(lane):
                cron._trigger()

    @api.model
    def _oms_get_review_cron(self, lane):
        """Return the cron of a lane; none while the addon is being installed or removed."""
        cron = self.env.ref(f"oms_base.ir_cron_review_lane_{lane}", raise_if_not_found=False)
        return cron or self.env["ir.cron"]

    @api.model
    def _get_review_queue_domain(self):
        """Return the domain of the orders that the background has something to do for."""
        is_new = Domain("oms_stage", "=", "new") & (
            Domain("oms_review_date", "=", False) | Domain("channel_id.auto_confirm", "=", True)
        )
        is_changed = Domain("oms_pending_parts", "!=", False) & Domain("oms_stage", "in", UNSHIPPED_STAGES)
        # By the hold and not by the stage: goods may be added to an order that is picked or shipped already.
        is_released = (
            Domain("oms_is_launch_pending", "=", True)
            & Domain("state", "=", "sale")
            & self._get_open_domain("allocate")
        )
        return Domain("channel_id.active", "=", True) & (is_new | is_changed | is_released)

    @api.model
    def _cron_review_orders(self, lane):
        """Work the queue of one lane (0 or 1) in batches; a batch that fails is done one by one."""
        domain = self._get_review_queue_domain()
        queue = self.search(domain, order="id").filtered(lambda order: order.id % 2 == lane)
        queue._oms_work_queue(domain, "_oms_review_and_confirm", "_oms_review_and_confirm_one")

    def _oms_work_queue(self, domain, method, method_one):
        """Work these orders in steps, those still in ``domain``: together by ``method``, or when that fails one by one
        by ``method_one``, which keeps what goes wrong with the order."""
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(self))
        cron._oms_work_in_steps(
            self,
            lambda batch: batch._oms_work_apart(
                lambda orders: orders._oms_work_until_undisturbed(domain, method),
                lambda order: order._oms_work_until_undisturbed(domain, method_one),
            ),
        )

    def _oms_work_apart(self, work, work_one):
        """Work these orders together; when that fails, whatever the reason, one by one: none stops the others.

        :param work: function from orders to how many of them are done
        :param work_one: the same of one order, which keeps what goes wrong with the order
        """
        try:
            return work(self)
        except Exception as error:
            self.env.cr.rollback()
            _logger.info(
                "Orders %s are worked one by one: %s", self.ids, error, exc_info=not isinstance(error, UserError)
            )
        done = 0
        for order in self:
            done += work_one(order)
            self.env["ir.cron"]._commit_progress()
        return done

    def _oms_work_until_undisturbed(self, domain, method):
        """Call ``method`` on these orders, again when another transaction changed the same stock or order first: the
        snapshot of this one is of no use any more then. Who never gets through stays in the queue, and the job that
        works it comes back to those that others hold.

        :return: how many orders are out of the queue
        """

        def work():
            orders = self.try_lock_for_update()
            getattr(orders.filtered_domain(domain), method)()
            self.env["ir.cron"]._oms_get_running()._oms_come_back(self - orders)

        return len(self) if work_undisturbed(self.env, work) else 0

    def _oms_review_and_confirm(self):
        """Judge these orders where it is due, confirm those that may be, and launch those that wait for it."""
        self.filtered(lambda order: not order.oms_review_date)._oms_review()
        self._oms_judge_changes()
        drafts = self.filtered(lambda order: order.state in ("draft", "sent") and order.channel_id.auto_confirm)
        for company, orders in drafts.grouped("company_id").items():
            if passed := orders._oms_filter_open("confirm"):
                passed.with_company(company).action_confirm()
        self._oms_launch_pending()

    def _oms_review_and_confirm_one(self):
        """Do it for one order, or put it on hold with the error, so that it neither blocks others nor is lost."""
        self._oms_do_or_hold(self._oms_review_and_confirm)

    def _oms_do_or_hold(self, work):
        """Call ``work``, which is about one order; an error of whatever kind becomes a hold of the order."""
        if not self:
            return
        try:
            with self.env.cr.savepoint():
                work()
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except UserError as error:
            _logger.info("Order %s could not be worked: %s", self.name, error)
            self._oms_place_hold("error", str(error))
        except Exception as error:
            _logger.exception("Order %s could not be worked", self.name)
            self._oms_place_hold("error", f"{type(error).__name__}: {error}")

    # === RULES ON A SCHEDULE === #

    @api.model
    def _get_scheduled_domain(self):
        """Return the domain of the orders that rules on a schedule judge."""
        return [("channel_id", "!=", False), ("oms_stage", "in", UNSHIPPED_STAGES)]

    @api.model
    def _cron_judge_scheduled(self):
        """Judge the orders that have not left yet by the scheduled rules that are due. What one run does not get to,
        the next one does."""
        Rule, now = self.env["oms.rule"], fields.Datetime.now()
        ids = [spec.id for spec in Rule._get_specs(("schedule",), now)]
        # sudo: oms.rule - the scheduler keeps the time of rules that managers write
        due = Rule.sudo().browse(ids).filtered(lambda rule: not rule.schedule_date or rule.schedule_date <= now)
        for last_id, rules in due.grouped("schedule_cursor").items():
            if not self._oms_judge_scheduled_from(last_id, rules, now):
                return

    def _oms_judge_scheduled_from(self, last_id, rules, now):
        """Judge the orders behind ``last_id`` by rules that are due; return whether all were reached."""
        cron = self.env["ir.cron"]
        orders = self.search(Domain(self._get_scheduled_domain()) & Domain("id", ">", last_id), order="id")
        cron._commit_progress(remaining=len(orders))
        for start in range(0, len(orders), SCHEDULED_BATCH_SIZE):
            batch = orders[start : start + SCHEDULED_BATCH_SIZE]
            done = batch._oms_work_apart(
                lambda orders: orders._oms_judge_scheduled(rules), lambda order: order._oms_judge_scheduled(rules)
            )
            if done < len(batch):
                _logger.warning("Orders among %s to %s wait for the next schedule", batch[0].id, batch[-1].id)
            has_time = cron._commit_progress(len(batch))
            if not has_time and batch[-1] != orders[-1]:
                rules._keep_schedule(batch[-1].id)
                return False
        rules._keep_schedule(0, now)
        return True

    def _oms_judge_scheduled(self, rules):
        """Judge these orders in a transaction of their own, wholly by the rules as they are in it; one order is held
        for what goes wrong with it.

        :return: how many orders are done
        """

        def work():
            running = rules.exists().filtered(lambda rule: rule.active and rule.state == "live").sorted()
            specs = [spec for rule in running if (spec := rule._prepare_spec())]
            orders = self.exists()
            if len(self) == 1:
                orders._oms_do_or_hold(lambda: orders._oms_judge_on_schedule(specs))
            else:
                orders._oms_judge_on_schedule(specs)

        return len(self) if work_undisturbed(self.env, work) else 0

    def _oms_judge_on_schedule(self, specs):
        """Judge these orders by rules on a schedule. They run again and again over all that is open, so a trace is kept
        only of orders that a version of a rule had not matched before."""
        # sudo: sale.order - as in `_oms_review`
        orders = self.sudo().with_context(oms_in_review=True)
        orders._oms_refresh_keys()
        matched = orders._oms_judge(specs)
        orders._query_holds()
        orders._oms_settle(matched)
        known = self.env["oms.rule.hit"]._get_known({spec.version_id: orders._ids for spec, orders in matched.items()})
        orders._oms_act(matched)
        fresh = {
            spec: found.filtered(lambda order, spec=spec: (spec.version_id, order.id) not in known)
            for spec, found in matched.items()
        }
        if found := orders.browse().union(*fresh.values()):
            found._oms_keep_decisions(fresh)
