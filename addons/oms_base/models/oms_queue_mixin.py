import logging
import random
import zlib
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..tools import notification

_logger = logging.getLogger(__name__)

RETRY_BASE_SECONDS = 15
RETRY_CAP_SECONDS = 3600


class QueueRetry(Exception):
    """The row can't be worked now but may be later: it stays pending and is tried again with backoff.

    :param delay: seconds until the next try, where the other side named them (a Retry-After); else backoff decides.
    """

    def __init__(self, message, delay=None):
        super().__init__(message)
        self.delay = delay


class QueueTurn(QueueRetry):
    """It is not this row's turn: nothing failed, so it costs no try."""


class OmsQueueMixin(models.AbstractModel):
    """Rows worked in the background by Odoo's scheduler, each in a savepoint of its own.

    Rows with the same key (`_get_queue_key`) are worked one after another in the order of their ids, never two at once:
    the key decides the lane, and each lane is one `ir.cron`. Lanes run side by side on any number of workers.
    """

    _name = "oms.queue.mixin"
    _description = "Work Queue"

    # To be set by the model: xml id of a lane's cron with %s for the lane number, and how many lanes there are.
    _queue_cron_xmlid = ""
    _queue_lanes = 4
    _queue_max_attempts = 10

    state = fields.Selection(
        selection=[("pending", "Waiting"), ("done", "Done"), ("failed", "Failed"), ("skipped", "Skipped")],
        default="pending",
        required=True,
        readonly=True,
        copy=False,
    )
    queue_key = fields.Char(string="Work Key", readonly=True, index=True, copy=False)
    lane = fields.Integer(readonly=True, copy=False)
    attempts = fields.Integer(readonly=True, copy=False)
    next_try = fields.Datetime(default=fields.Datetime.now, readonly=True, copy=False)
    last_error = fields.Text(readonly=True, copy=False)
    done_date = fields.Datetime(string="Done On", readonly=True, copy=False)

    _queue_pending_idx = models.Index("(lane, next_try) WHERE state = 'pending'")

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        now = fields.Datetime.now()  # one for all: those whose second ticks over would wake their lane once more
        rows = super().create([{"next_try": now, **vals} for vals in vals_list])
        for row in rows:
            key = row._get_queue_key()
            row.queue_key = key
            row.lane = row._get_queue_lane(key)
        rows.filtered(lambda row: row.state == "pending")._trigger_lanes()
        return rows

    # === ACTION METHODS === #

    def action_retry(self):
        """Put failed and skipped rows back in the queue, and waiting ones to its front."""
        rows = self.filtered(lambda row: row.state != "done")
        rows.write({"state": "pending", "attempts": 0, "next_try": fields.Datetime.now(), "last_error": False})
        rows._trigger_lanes()
        return self._get_queue_notification(rows, self.env._("%(count)s put back in the queue.", count=len(rows)))

    def action_skip(self):
        """Take rows out of the queue for good; they keep their error and can be put back."""
        rows = self.filtered(lambda row: row.state in ("pending", "failed"))
        rows.write({"state": "skipped", "done_date": fields.Datetime.now()})
        rows._after_queue_skip()
        return self._get_queue_notification(rows, self.env._("%(count)s skipped.", count=len(rows)))

    def _get_queue_notification(self, rows, message):
        """Return the client action that tells what happened to each of the selected records."""
        left = self - rows
        if left:
            names = ", ".join(left[:10].mapped("display_name"))
            message += " " + self.env._("Left as they were: %(names)s.", names=names)
        return notification(message, "warning" if left else "success")

    # === WORK === #

    @api.model
    def _get_queue_domain(self, lane):
        """Return the domain of the rows of ``lane`` that are due."""
        return (
            Domain("state", "=", "pending")
            & Domain("lane", "=", lane)
            & Domain("next_try", "<=", fields.Datetime.now())
        )

    @api.model
    def _cron_process_queue(self, lane, limit=200):
        """Work the due rows of one lane, oldest first, committing after each.

        :param lane: number of the lane, 0 to `_queue_lanes` - 1
        :param limit: rows at the most in one call; the cron comes back at once while rows remain
        """
        domain = self._get_queue_domain(lane)
        cron = self.env["ir.cron"]
        rows = self._find_queue_rows(domain, limit)
        cron._commit_progress(remaining=self._count_queue_rows(domain, rows))
        waiting_keys, held = self._get_waiting_queue_keys(rows), self.browse()
        for row in rows:
            locked = row.try_lock_for_update()
            if not locked:  # somebody retries or skips it at this moment: the later ones of its key wait for it
                held |= row
                waiting_keys.add(row.queue_key)
            elif (
                locked.filtered_domain(domain)
                and locked.queue_key not in waiting_keys
                and not locked._process_queue_row()
            ):
                waiting_keys.add(locked.queue_key)
            if not cron._commit_progress(1):
                break
        self._get_lane_cron(lane)._oms_come_back(held)

    @api.model
    def _find_queue_rows(self, domain, limit):
        """Return the rows to be worked in one run, in that order. Can be overridden to let some overtake or wait; rows
        of one key must stay in the order of their ids."""
        return self.search(domain, limit=limit, order="id")

    @api.model
    def _count_queue_rows(self, domain, rows):
        """Return how many rows are to be worked without a pause: ``rows`` now and the others in further runs. Can be
        overridden where some must wait."""
        return self.search_count(domain)

    @api.model
    def _get_waiting_queue_keys(self, rows):
        """Return the keys whose oldest pending row is not among ``rows``: it waits for its next try, and the later ones
        with it, so that a shop never hears "delivered" before "shipped"."""
        oldest = self._read_group(
            [("state", "=", "pending"), ("queue_key", "in", list(set(rows.mapped("queue_key"))))],
            ["queue_key"],
            ["id:min"],
        )
        due = set(rows.ids)
        return {key for key, row_id in oldest if row_id not in due}

    def _process_queue_row(self):
        """Work one locked row. Whatever happens stays with the row: the next ones are worked all the same.

        :return: whether the row is settled, so that later rows of the same key may be worked
        """
        self.ensure_one()
        try:
            with self.env.cr.savepoint():
                values = self._process_queue_item() or {}
                self.write({"state": "done", "done_date": fields.Datetime.now(), "last_error": False, **values})
                self.env.flush_all()
            return True
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY as error:
            # Another transaction won: this one's snapshot is of no use any more. The row has its turn in a new one.
            self.env.cr.rollback()
            self.env.invalidate_all()
            _logger.info("%s %s met a concurrent update, it is tried again: %s", self._name, self.id, error.pgcode)
            self._write_queue_error(QueueTurn("", 1))
        except Exception as error:  # noqa: BLE001  a queue outlives whatever one row brings; the row keeps the error
            self.env.invalidate_all()
            self._write_queue_error(error)
        return self.state != "pending"

    def _write_queue_error(self, error):
        """Keep the error on the row and decide when, or whether, it is tried again."""
        self.ensure_one()
        if isinstance(error, QueueTurn):
            self.next_try = fields.Datetime.now() + timedelta(seconds=error.delay or 1)
            self._trigger_lanes()
            return
        attempts = self.attempts + 1
        retry = self._is_retryable_queue_error(error) and attempts < self._queue_max_attempts
        if not isinstance(error, QueueRetry | UserError):
            _logger.warning("%s %s failed (try %s)", self._name, self.id, attempts, exc_info=error)
        delay = getattr(error, "delay", None) or self._get_queue_backoff(attempts)
        values = {"attempts": attempts, "last_error": str(error) or type(error).__name__}
        if retry:
            values["next_try"] = fields.Datetime.now() + timedelta(seconds=delay)
        else:
            values["state"] = "failed"
        self.write(values)
        if retry:
            self._trigger_lanes()
        else:
            self._after_queue_failure()

    @api.model
    def _get_queue_backoff(self, attempts):
        """Return the seconds to wait after the given number of tries: doubling, capped, with jitter so that many rows
        that failed together do not come back together."""
        return min(RETRY_BASE_SECONDS * 2 ** (attempts - 1), RETRY_CAP_SECONDS) * random.uniform(0.75, 1.25)

    def _trigger_lanes(self):
        """Wake the crons of the rows' lanes when their rows are due."""
        for lane, at in self.grouped(lambda row: (row.lane, row.next_try)):
            if cron := self._get_lane_cron(lane):
                cron._oms_trigger_at(at)

    @api.model
    def _get_lanes(self):
        """Return the numbers of all lanes. To be extended where some rows have lanes of their own."""
        return tuple(range(self._queue_lanes))

    @api.model
    def _get_lane_cron(self, lane):
        """Return the cron of a lane; none while the addon is being installed or removed."""
        cron = self.env.ref(self._queue_cron_xmlid % lane, raise_if_not_found=False)
        return cron or self.env["ir.cron"]

    # === HOOKS === #

    def _get_queue_key(self):
        """Return the key of one row: rows of one key are worked in order. Must be overridden: a key per order, say."""
        raise NotImplementedError

    def _get_queue_lane(self, key):
        """Return the number of the lane that works the rows of a key. Can be overridden where some have their own."""
        return zlib.crc32(key.encode()) % self._queue_lanes

    def _process_queue_item(self):
        """Do the work of one row. Must be overridden.

        :return: dict of values to write on the row with its new state (may name another final ``state``), or None
        :raise QueueRetry: to be tried again later; `QueueTurn` where that is no failure
        :raise UserError: final: a person has to look
        """
        raise NotImplementedError

    @api.model
    def _is_retryable_queue_error(self, error):
        """Return whether the work may succeed later by itself. Can be overridden for a model's own exceptions."""
        return not isinstance(error, UserError)

    def _after_queue_failure(self):
        """Called on a row that has failed for good. Can be overridden to tell somebody."""

    def _after_queue_skip(self):
        """Called on rows that a person has skipped. Can be overridden."""
