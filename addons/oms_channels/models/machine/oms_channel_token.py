import logging
from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...adapters import base
from ...adapters.errors import AdapterError, Throttled

_logger = logging.getLogger(__name__)

# New keys are asked for so long before the present ones end.
MARGIN = timedelta(minutes=10)
# How long another transaction may hold what is to be written.
LOCK_SECONDS = 5


class OmsChannelToken(models.Model):
    """The keys that a shop gave instead of those entered, and when they end. In a row of its own: it is written in a
    transaction of its own, while the caller's may hold the channel."""

    _name = "oms.channel.token"
    _description = "Channel Token"

    channel_id = fields.Many2one("oms.channel", required=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    # groups: keys open the shop
    values = fields.Json(readonly=True, groups="base.group_system")
    expiry_date = fields.Datetime(readonly=True)

    _channel_uniq = models.UniqueIndex("(channel_id)", "The channel has its keys already.")

    @api.model
    def _read_token(self, channel_id):
        """Return (values, end) of a channel's keys, ({}, None) when the shop gave none yet."""
        token = self.search_fetch([("channel_id", "=", channel_id)], ["values", "expiry_date"], limit=1)
        return token.values or {}, token.expiry_date or None

    @api.model
    def _store_token(self, channel_id, credentials):
        """Keep new keys. What they leave out stays. :return: (values, end)"""
        token = self.search([("channel_id", "=", channel_id)], limit=1)
        end = credentials.expires_at
        vals = {
            "values": {**(token.values or {}), **dict(credentials.values)},
            "expiry_date": end.astimezone(UTC).replace(tzinfo=None, microsecond=0) if end else False,
        }
        if token:
            token.write(vals)
        else:
            token = self.create({"channel_id": channel_id, **vals})
        return token.values, token.expiry_date or None


class OmsChannel(models.Model):
    """Keys that end: refreshed before they do, by one worker at a time."""

    _inherit = "oms.channel"

    def _get_adapter_values(self):
        """Override: the keys that the shop gave go before those entered."""
        values = super()._get_adapter_values()
        if base.REFRESH in self._get_capabilities():
            # sudo: oms.channel.token - the keys are used for the user, never shown
            values |= self.env["oms.channel.token"].sudo()._read_token(self.id)[0]
        return values

    def _get_live_values(self, values):
        """Return the adapter's settings with keys that last: new ones when the present ones are about to end.

        :param values: see `_get_adapter_values`
        :raise AdapterError: the shop gives no new ones and the present ones have ended
        """
        self.ensure_one()
        if base.REFRESH not in self._get_capabilities():
            return values
        # sudo: oms.channel.token - the keys are used for the user, never shown
        token, end = self.env["oms.channel.token"].sudo()._read_token(self.id)
        if token and (not end or end > fields.Datetime.now() + MARGIN):
            return values
        try:
            return {**values, **self._refresh_token(values)}
        except AdapterError as error:
            if token and end > fields.Datetime.now():
                _logger.warning("Channel %s keeps its keys for now: %s", self.id, error.message)
                return values
            raise

    def _refresh_token(self, entered):
        """Get new keys in a transaction of its own, which ends before the caller's goes on: a shop that gives a new
        refresh token with each answer must never see the one before again.

        :return: the new keys, or those that another worker got meanwhile
        :raise Throttled: another worker is at it just now
        """
        with self.env.registry.cursor() as cr:
            cr.execute(SQL("SELECT set_config('lock_timeout', %s, true)", f"{LOCK_SECONDS}s"))
            [[is_free]] = self.env(cr=cr).execute_query(
                SQL("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", f"oms-token:{self.id}")
            )
            if not is_free:
                raise Throttled("Another worker gets new keys for this shop.", retry_after=2)
            # sudo: oms.channel.token - the keys are used for the user, never shown
            Token = self.env(cr=cr)["oms.channel.token"].sudo()
            values, end = Token._read_token(self.id)
            if values and (not end or end > fields.Datetime.now() + MARGIN):
                return values
            credentials = self._make_adapter({**entered, **values}).refresh_credentials()
            # What the shop has given is kept, whatever becomes of the caller.
            values, _end = Token._store_token(self.id, credentials)
            return values
