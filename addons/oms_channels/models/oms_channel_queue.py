from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from odoo.addons.oms_base.models.oms_queue_mixin import QueueRetry, QueueTurn

from ..adapters.errors import AdapterError, AuthError, RateLimited, Throttled, Unavailable

# Hours of an outage that rows survive by retrying before they are given up: the backoff ends at one try an hour.
OUTAGE_MAX_ATTEMPTS = 48
# Any other error has had its chance by then.
ERROR_MAX_ATTEMPTS = 8


class ShopUnreachable(QueueRetry):
    """The shop does not answer, or refuses. Waited out longer than other errors.

    :param is_shop_wide: whether it does so to everybody: the whole channel takes a break, not only this row
    """

    def __init__(self, message, delay=None, is_shop_wide=True):
        super().__init__(message, delay)
        self.is_shop_wide = is_shop_wide


class OmsChannelQueue(models.AbstractModel):
    """What inbox and outbox share beyond the queue: a channel, the adapter's errors, a break when the shop is down."""

    _name = "oms.channel.queue"
    _description = "Channel Queue"
    _inherit = "oms.queue.mixin"
    _queue_max_attempts = OUTAGE_MAX_ATTEMPTS

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    order_id = fields.Many2one("sale.order", index="btree_not_null", ondelete="set null", readonly=True)

    @api.model
    def _get_queue_domain(self, lane):
        """Override of `oms_base`: rows of channels that take a break wait, but for those that need no shop."""
        domain = super()._get_queue_domain(lane)
        if channels := self.env["oms.channel"]._get_resting_channels():
            domain &= Domain("channel_id", "not in", channels.ids) | self._get_offline_domain()
        return domain

    @api.model
    def _get_offline_domain(self):
        """Return the domain of the rows whose work does not call the shop. To be overridden."""
        return Domain.FALSE

    @contextmanager
    def _adapter_errors(self):
        """Translate what an adapter raises into what the queue understands."""
        try:
            yield
        except (RateLimited, Unavailable, AuthError) as error:
            # A key that is refused is refused for every row: they wait until a person has entered a new one.
            raise ShopUnreachable(error.message, error.retry_after, error.is_shop_wide) from error
        except Throttled as error:
            raise QueueTurn(error.message, error.retry_after) from error
        except AdapterError as error:
            if error.retryable:
                raise QueueRetry(error.message, error.retry_after) from error
            raise UserError(error.message) from error

    @contextmanager
    def _keep_on_error(self, values):
        """Have ``values`` written on this row when an error rolls back what is done meanwhile."""
        try:
            yield
        except Exception as error:  # raised again
            error.kept_values = values
            raise

    def _is_retryable_queue_error(self, error):
        """Override of `oms_base`: an outage is waited out, other errors have fewer tries."""
        retryable = super()._is_retryable_queue_error(error)
        if retryable and not isinstance(error, ShopUnreachable):
            return self.attempts + 1 < ERROR_MAX_ATTEMPTS
        return retryable

    def _write_queue_error(self, error):
        """Override of `oms_base`: a shop that is down rests as a whole."""
        self.write(getattr(error, "kept_values", {}))
        res = super()._write_queue_error(error)
        if isinstance(error, ShopUnreachable) and error.is_shop_wide:
            self.channel_id._open_circuit(str(error), error.delay)
        return res

    def _process_queue_row(self):
        """Override of `oms_base`: an answer of the shop ends its break; what asked nobody says nothing of it."""
        calls_shop = not self.filtered_domain(self._get_offline_domain())
        settled = super()._process_queue_row()
        if self.state == "done" and calls_shop:
            self.channel_id._close_circuit()
        return settled
