import logging
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..tools import work_undisturbed

_logger = logging.getLogger(__name__)

KEPT_DAYS = 180
# Legal transitions: target state -> the states it may be reached from.
TRANSITIONS = {
    "running": ("draft", "failed", "cancelled", "done"),
    "done": ("running",),
    "failed": ("running",),
    "cancelled": ("draft", "running"),
}


class OmsStudyMixin(models.AbstractModel):
    """Something tried on many orders of the past, of which only the results are kept (``line_ids``).

    Runs in the background, chunk by chunk in the order of ids: `last_order_id` says how far it got, so that a worker
    that is killed loses one chunk at most.
    """

    _name = "oms.study.mixin"
    _description = "Study of Orders"

    # External id of the scheduled action that calls `_run_studies`.
    _study_cron_xmlid = None

    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    currency_id = fields.Many2one(related="company_id.currency_id")
    user_id = fields.Many2one("res.users", string="By", default=lambda self: self.env.user, readonly=True)
    days = fields.Integer(string="Last Days", required=True, help="Orders of the last so many days.")
    channel_ids = fields.Many2many("oms.channel", string="Channels", help="Leave empty for all channels.")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("running", "Running"),
            ("done", "Done"),
            ("failed", "Failed"),
            ("cancelled", "Cancelled"),
        ],
        default="draft",
        required=True,
        readonly=True,
        index=True,
        copy=False,
    )
    error = fields.Text(readonly=True, copy=False)
    date_from = fields.Datetime(string="Orders Since", readonly=True, copy=False)
    end_date = fields.Datetime(string="Ended On", readonly=True, copy=False)
    last_order_id = fields.Integer(readonly=True, copy=False, aggregator=None, help="Orders up to this one are done.")
    total_count = fields.Integer(string="Orders in All", readonly=True, copy=False)

    # === ACTION METHODS === #

    def action_start(self):
        """Begin, or begin anew, in the background.

        :raise UserError: when there is nothing to be tried
        """
        for study in self:
            study._check_ready()
        todo = self._set_state("running")
        # sudo: the model of the results - they are written by the study only, not by hand
        todo.line_ids.sudo().unlink()
        for study in todo:
            study.write(study._prepare_start_values())
            study.total_count = study._count_orders()
        if todo:
            self.env.ref(self._study_cron_xmlid)._trigger()
        return True

    def action_cancel(self):
        """Stop; what was tried so far stays to be seen."""
        self._set_state("cancelled")
        return True

    def _start_and_open(self):
        """Start and show how it goes on."""
        self.action_start()
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def _set_state(self, target):
        """Bring those of these studies that may to the state ``target``; repeating does nothing.

        :return: the studies that changed
        """
        todo = self.filtered(lambda study: study.state in TRANSITIONS[target])
        values = {"state": target, "error": False}
        if target != "running":
            values["end_date"] = fields.Datetime.now()
        todo.write(values)
        return todo

    def _prepare_start_values(self):
        """Return the values that one study begins with. To be extended with counters of its own."""
        self.ensure_one()
        since = fields.Datetime.now() - timedelta(days=self.days)
        return {"last_order_id": 0, "date_from": since, "end_date": False}

    def _count_orders(self):
        # sudo: sale.order - all orders of the company are tried, whichever of them the user may see
        return self.env["sale.order"].sudo().search_count(self._get_order_domain())

    def _get_progress(self, done_count):
        """Return how far one study is, in percent, when so many orders are done."""
        return 100.0 if self.state == "done" else 100 * done_count / (self.total_count or 1)

    # === HOOKS === #

    def _check_ready(self):
        """Refuse to begin when there is nothing to be tried. To be overridden.

        :raise UserError: saying what is missing
        """

    def _get_order_domain(self):
        """Return the domain of the orders that are tried. Can be extended."""
        self.ensure_one()
        domain = Domain("company_id", "=", self.company_id.id) & Domain("date_order", ">=", self.date_from)
        if self.channel_ids:
            return domain & Domain("channel_id", "in", self.channel_ids.ids)
        return domain & Domain("channel_id", "!=", False)

    def _run_chunk(self):
        """Try the next orders of one study and keep what came out; the last chunk ends it. To be overridden.

        :return: how many orders were tried
        """
        raise NotImplementedError

    # === IN THE BACKGROUND === #

    @api.model
    def _run_studies(self):
        """Go on with what is running, each chunk in its own transaction."""
        cron = self.env["ir.cron"]
        running = self.search([("state", "=", "running")], order="id")
        cron._commit_progress(remaining=sum(study.total_count or 1 for study in running))
        for study in running:
            while study.exists() and study.state == "running":
                done = study._run_chunk_undisturbed()
                if done is None or not cron._commit_progress(done):
                    return
                study.invalidate_recordset()
        cron._commit_progress(remaining=0)

    def _run_chunk_undisturbed(self):
        """Run a chunk, again when another transaction changed one of its orders first. What can't be tried ends the
        study, and no other.

        :return: how many orders were tried; None when others never let it through
        """
        done = 0

        def work():
            nonlocal done
            done = self._run_chunk()

        try:
            return done if work_undisturbed(self.env, work) else None
        except UserError as error:
            reason = str(error)
        except Exception as error:
            _logger.exception("%s could not go on", self)
            reason = f"{type(error).__name__}: {error}"
        self.env.cr.rollback()
        self._set_state("failed").error = reason
        return 0

    def _get_next_orders(self, limit):
        """Return the orders of the next chunk of one study."""
        domain = self._get_order_domain() & Domain("id", ">", self.last_order_id)
        return self.env["sale.order"].search(domain, order="id", limit=limit)

    def _lock_running(self):
        """Return this study, locked; nothing when somebody stopped it meanwhile."""
        return self.try_lock_for_update().filtered(lambda study: study.state == "running")

    @api.autovacuum
    def _gc_studies(self):
        """Forget studies that are long past: rules, strategies and orders are others now."""
        if self._abstract:
            return
        limit = fields.Datetime.now() - timedelta(days=KEPT_DAYS)
        self.search([("state", "not in", ("draft", "running")), ("end_date", "<", limit)], limit=1000).unlink()
