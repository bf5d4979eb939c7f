import logging
from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.fields import Domain
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

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    # groups: keys open the shop
    values = fields.Json(readonly=True, groups="base.group_system")
    expiry_date = fields.Datetime(readonly=True)
    renewed_date = fields.Datetime(readonly=True, help="When the shop gave these; empty when a person entered them.")
    error = fields.Char(readonly=True, help="Why the shop gave no new ones.")

    _channel_uniq = models.UniqueIndex("(channel_id)", "The channel has its keys already.")

    @api.model
    def _find_token(self, channel_id):
        return self.search([("channel_id", "=", channel_id)], limit=1)

    @api.model
    def _enter_token(self, channel, values, end):
        """Keep keys that a person entered."""
        token = self._find_token(channel.id)
        vals = {
            "values": {key: value for key, value in {**(token.values or {}), **values}.items() if value},
            "expiry_date": end,
            "renewed_date": False,
            "error": False,
        }
        if token:
            token.write(vals)
        else:
            self.create({"channel_id": channel.id, **vals})

    @api.model
    def _store_token(self, channel_id, credentials):
        """Keep new keys that the shop gave. What they leave out stays. :return: the values"""
        token = self._find_token(channel_id)
        end = credentials.expires_at
        vals = {
            "values": {**(token.values or {}), **dict(credentials.values)},
            "expiry_date": end.astimezone(UTC).replace(tzinfo=None, microsecond=0) if end else False,
            "renewed_date": fields.Datetime.now(),
            "error": False,
        }
        if token:
            token.write(vals)
        else:
            token = self.create({"channel_id": channel_id, **vals})
        return token.values

    def _is_due(self, margin):
        """Whether new keys are to be asked for: there are none yet, they end within the margin, or it is not known when
        those end that a person entered.

        :param margin: None in front of a call that only has to go through: what may well last is not replaced then
        """
        if not self.values:
            return True
        if not self.expiry_date:
            return margin is not None and not self.renewed_date
        return self.expiry_date <= fields.Datetime.now() + (margin or MARGIN)


class OmsChannel(models.Model):
    """Keys that end: refreshed before they do, by one worker at a time."""

    _inherit = "oms.channel"

    token_ids = fields.One2many("oms.channel.token", "channel_id", groups="base.group_system")

    def _get_adapter_values(self):
        """Override: the keys that the shop gave go before those entered."""
        values = super()._get_adapter_values()
        if base.REFRESH in self._get_capabilities():
            # sudo: oms.channel.token - the keys are used for the user, never shown
            values |= self.env["oms.channel.token"].sudo()._find_token(self.id).values or {}
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
        token_sudo = self.env["oms.channel.token"].sudo()._find_token(self.id)
        if not token_sudo._is_due(None):
            return values
        try:
            return {**values, **self._refresh_token(values, None)}
        except AdapterError as error:
            if token_sudo.values and token_sudo.expiry_date > fields.Datetime.now():
                _logger.warning("Channel %s keeps its keys for now: %s", self.id, error.message)
                return values
            raise

    def _refresh_token(self, entered, margin, is_forced=False):
        """Get new keys in a transaction of its own, which ends before the caller's goes on: a shop that gives a new
        refresh token with each answer must never see the one before again.

        :param margin: see `oms.channel.token._is_due`
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
            token = Token._find_token(self.id)
            values = token.values or {}
            if not is_forced and not token._is_due(margin):
                return values
            credentials = self._make_adapter({**entered, **values}).refresh_credentials()
            # What the shop has given is kept, whatever becomes of the caller.
            return Token._store_token(self.id, credentials)

    def _renew_keys(self, is_forced=False):
        """Get new keys for each channel where they end before long. One that fails keeps its old ones; why is kept."""
        # sudo: oms.channel, oms.channel.token - keys are exchanged for the user, never shown
        for channel_sudo in self.sudo().filtered(lambda channel: base.REFRESH in channel._get_capabilities()):
            adapter_class, token = channel_sudo._get_adapter_class(), channel_sudo.token_ids
            margin, key = adapter_class.renew_before, adapter_class.refresh_key
            can_renew = token and (not key or (token.values or {}).get(key))
            if not is_forced and not (can_renew and token._is_due(margin)):
                continue
            try:
                channel_sudo._refresh_token(channel_sudo._get_adapter_values(), margin, is_forced)
            except Throttled:
                continue
            except AdapterError as error:
                if token:
                    token.error = error.message
            else:
                token.invalidate_recordset()

    @api.model
    def _cron_renew_sessions(self):
        """Renew the keys that end soon, each committed: the platform takes a refresh token once."""
        channels = self.search(
            Domain("provider", "!=", False) & Domain("base_url", "!=", False) & Domain("token_ids", "!=", False)
        )
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(channels))
        for channel in channels:
            channel._renew_keys()
            if not cron._commit_progress(1):
                break
