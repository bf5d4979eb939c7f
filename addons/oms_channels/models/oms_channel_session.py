from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ..adapters.errors import AdapterError

# A session is renewed this long before it ends: time enough for a person when the platform refuses.
RENEW_DAYS = 3


class OmsChannel(models.Model):
    """The session that a shop grants to our application for a time, and its renewal before it ends."""

    _inherit = "oms.channel"

    is_session_needed = fields.Boolean(compute="_compute_is_session_needed")
    # groups: tokens open the shop; only administrators see or change them
    session_token = fields.Char(
        copy=False,
        groups="base.group_system",
        help="What the platform showed after the shop authorised your application (session key, access token).",
    )
    session_refresh_token = fields.Char(
        copy=False,
        groups="base.group_system",
        help="With it the session is renewed before it ends. Without it a person has to authorise again in time.",
    )
    session_expiry_date = fields.Datetime(string="Session Ends", copy=False)
    session_error = fields.Char(string="Why the Session Was Not Renewed", readonly=True, copy=False)

    # === COMPUTE METHODS === #

    @api.depends("provider")
    def _compute_is_session_needed(self):
        for channel in self:
            adapter_class = channel._get_session_adapter_class()
            channel.is_session_needed = bool(adapter_class)

    def _get_session_adapter_class(self):
        """Return the adapter class of a platform whose calls carry a session, None for others."""
        adapter_class = self._get_adapter_class()
        return adapter_class if adapter_class and adapter_class.has_session else None

    # === ONCHANGE METHODS === #

    @api.onchange("provider")
    def _onchange_provider_session(self):
        """Such platforms have one address for all shops, and no webhooks: their orders are pulled every minute."""
        if adapter_class := self._get_session_adapter_class():
            self.base_url = self.base_url or adapter_class.default_url
            self.pull_interval = adapter_class.pull_minutes

    # === ACTION METHODS === #

    def action_renew_session(self):
        """Renew the session now; what the platform says against it is kept on the channel."""
        self._renew_session()
        return True

    # === BUSINESS METHODS === #

    def _get_adapter_values(self):
        """Override of `oms_channels`: the session."""
        return {
            **super()._get_adapter_values(),
            "session_token": self.session_token,
            "session_refresh_token": self.session_refresh_token,
        }

    def _renew_session(self):
        """Exchange the refresh token of each channel for a new session. One that fails keeps its old one."""
        # sudo: oms.channel - tokens are exchanged for the user, never shown
        for channel in self.sudo().filtered("session_refresh_token"):
            try:
                grant = channel._get_adapter().refresh_session()
            except AdapterError as error:
                channel.session_error = error.message
                continue
            now = fields.Datetime.now()
            channel.write(
                {
                    "session_token": grant.access_token,
                    "session_refresh_token": grant.refresh_token,
                    "session_expiry_date": now + timedelta(seconds=grant.expires_in) if grant.expires_in else False,
                    "session_error": False,
                }
            )

    @api.model
    def _cron_renew_sessions(self):
        """Renew the sessions that end soon, each committed: the platform takes a refresh token once."""
        limit = fields.Datetime.now() + timedelta(days=RENEW_DAYS)
        channels = self.search(
            Domain("provider", "!=", False)
            & Domain("base_url", "!=", False)
            & Domain("session_refresh_token", "!=", False)
            & Domain("session_expiry_date", "<=", limit)
        )
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(channels))
        for channel in channels:
            channel._renew_session()
            if not cron._commit_progress(1):
                break

    # === HEALTH === #

    def _get_health_issues(self):
        """Override of `oms_base`: a session that ends soon or has ended."""
        issues = super()._get_health_issues()
        now = fields.Datetime.now()
        for channel in self.filtered("session_expiry_date"):
            if channel.session_expiry_date > now + timedelta(days=RENEW_DAYS - 1):
                continue
            level = "error" if channel.session_expiry_date <= now else "warning"
            message = self.env._(
                "The shop's session ends on %(date)s: authorise the application again.",
                date=fields.Date.to_string(channel.session_expiry_date),
            )
            issues.setdefault(channel, []).append((level, message))
        for channel in self.filtered("session_error"):
            issues.setdefault(channel, []).append(
                ("warning", self.env._("The session was not renewed: %(error)s", error=channel.session_error))
            )
        return issues

    # === PLATFORM === #

    def _get_platform_limits(self):
        """Override of `oms_channels`: what the open platforms of China do only in part."""
        limits = super()._get_platform_limits()
        if self.is_session_needed:
            limits += [
                self.env._(
                    "A paid order is paid back by the buyer's request only, which is granted in the shop itself"
                ),
                self.env._("Names, phones and addresses stay hidden where the platform hides them"),
            ]
        if self.provider == "taobao":
            limits.append(
                self.env._("A sub-order has one tracking number: further parcels of it are written into the memo")
            )
        if self.provider == "jd":
            limits += [
                self.env._("An order leaves as a whole with its first parcel: further numbers are added to it"),
                self.env._("Requests after the sale are found by re-reading open orders"),
            ]
        return limits

    def _get_webhook_help(self):
        """Override of `oms_channels`: these platforms send none."""
        if self.is_session_needed:
            return self.env._(
                "This platform sends no webhooks: its message service needs a connection that is kept open, which Odoo "
                "does not do. Orders come by pulling; pull every minute."
            )
        return super()._get_webhook_help()
