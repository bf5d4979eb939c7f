import time

from odoo import fields, models

from ...adapters.errors import Throttled

# A call waits so long for its turn; with less than that between two calls nothing is put off.
PATIENCE_SECONDS = 20


class OmsChannelBucket(models.Model):
    """Token bucket of a channel: all workers together call its shop no more often than it allows."""

    _name = "oms.channel.bucket"
    _description = "Channel Rate Limit"
    _inherit = "oms.bucket.mixin"
    _log_access = False
    _bucket_owner = "channel_id"

    channel_id = fields.Many2one("oms.channel", required=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id")

    _slot_uniq = models.UniqueIndex("(channel_id, slot)", "The slot exists already.")


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    rate_limit = fields.Integer(
        string="Calls per Minute",
        help="As many as the shop allows. All workers share them; what comes faster waits. 0: no limit of ours.",
    )

    _check_rate_limit = models.Constraint("CHECK(rate_limit >= 0)", "Calls per minute can't be negative.")

    def _throttle(self, transport):
        """Return the transport that waits for the channel's turn before each call.

        :raise Throttled: by the transport, when the turn is far away
        """
        self.ensure_one()
        if not self.rate_limit:
            return transport
        channel, limit = self.browse(self.id), self.rate_limit
        # sudo: oms.channel.bucket - the bucket follows what users do; nobody sees it
        bucket_sudo = self.env["oms.channel.bucket"].sudo()

        def throttled(request):
            waited = 0
            while True:
                is_given, _left, wait, _full = bucket_sudo._take_token(channel, limit)
                if is_given:
                    return transport(request)
                if waited + wait > PATIENCE_SECONDS:
                    raise Throttled(
                        "Our own limit of calls to this shop is reached; it is tried again.", retry_after=wait
                    )
                waited += wait
                self._wait(wait)

        return throttled

    def _wait(self, seconds):
        """Wait for the shop's turn. Nothing but this worker waits."""
        time.sleep(seconds)
