from datetime import timedelta

from odoo import api, fields, models

# Renewed earlier: that long before its end a person has to see to it.
WARN_DAYS = 2


class OmsChannel(models.Model):
    """The session that a shop grants to our application for a time: entered once, then renewed as all keys that end."""

    _inherit = "oms.channel"

    is_session_needed = fields.Boolean(compute="_compute_is_session_needed")
    # groups: tokens open the shop; only administrators see or change them. Kept with what renews them, see
    # `oms.channel.token`
    session_token = fields.Char(
        compute="_compute_session_token",
        inverse="_inverse_session",
        compute_sudo=True,
        groups="base.group_system",
        help="What the platform showed after the shop authorised your application (session key, access token).",
    )
    session_refresh_token = fields.Char(
        compute="_compute_session_refresh_token",
        inverse="_inverse_session",
        compute_sudo=True,
        groups="base.group_system",
        help="With it the session is renewed before it ends. Without it a person has to authorise again in time.",
    )
    session_expiry_date = fields.Datetime(
        string="Session Ends", compute="_compute_session", inverse="_inverse_session", compute_sudo=True
    )
    session_error = fields.Char(string="Why the Session Was Not Renewed", compute="_compute_session", compute_sudo=True)

    # === COMPUTE METHODS === #

    @api.depends("provider")
    def _compute_is_session_needed(self):
        for channel in self:
            adapter_class = channel._get_adapter_class()
            channel.is_session_needed = bool(adapter_class and "session_token" in adapter_class.credential_keys)

    # Each by itself: while one is written, Odoo computes none that shares its method.
    @api.depends("token_ids.values")
    def _compute_session_token(self):
        for channel in self:
            channel.session_token = (channel.token_ids.values or {}).get("session_token")

    @api.depends("token_ids.values")
    def _compute_session_refresh_token(self):
        for channel in self:
            channel.session_refresh_token = (channel.token_ids.values or {}).get("session_refresh_token")

    @api.depends("token_ids.expiry_date", "token_ids.error")
    def _compute_session(self):
        for channel in self:
            channel.session_expiry_date = channel.token_ids.expiry_date
            channel.session_error = channel.token_ids.error

    def _inverse_session(self):
        """Keep what a person entered, beside what the platform gives later. When another session ends is not known
        unless it is entered with it."""
        for channel_sudo in self.sudo():  # sudo: oms.channel.token - an administrator enters it, nobody else may
            token = channel_sudo.token_ids
            values = {
                "session_token": channel_sudo.session_token,
                "session_refresh_token": channel_sudo.session_refresh_token,
            }
            end = channel_sudo.session_expiry_date
            if values["session_token"] != (token.values or {}).get("session_token") and end == token.expiry_date:
                end = False
            channel_sudo.env["oms.channel.token"]._enter_token(channel_sudo, values, end)

    # === ONCHANGE METHODS === #

    @api.onchange("provider")
    def _onchange_provider_session(self):
        """Such platforms have one address for all shops, and no webhooks: their orders are pulled every minute."""
        if self.is_session_needed:
            adapter_class = self._get_adapter_class()
            self.base_url = self.base_url or adapter_class.default_url
            self.pull_interval = adapter_class.pull_minutes

    # === ACTION METHODS === #

    def action_renew_session(self):
        """Renew the session now; what the platform says against it is kept on the channel."""
        self.check_access("write")
        self._renew_keys(is_forced=True)
        return True

    # === HEALTH === #

    def _get_health_issues(self):
        """Override of `oms_base`: a session that ends soon or has ended."""
        issues = super()._get_health_issues()
        now = fields.Datetime.now()
        for channel in self.filtered("session_expiry_date"):
            if channel.session_expiry_date > now + timedelta(days=WARN_DAYS):
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
                    "A paid order is cancelled and paid back only when the buyer asks: the request is granted from here"
                ),
                self.env._("Names, phones and addresses stay hidden where the platform hides them"),
            ]
        if self.provider == "taobao":
            limits += [
                self.env._("A sub-order has one tracking number: further parcels of it are written into the memo"),
                self.env._("Tmall wants a picture as proof of a refusal: refuse there in the seller centre"),
            ]
        if self.provider == "jd":
            limits += [
                self.env._("An order leaves as a whole with its first parcel: further numbers are added to it"),
                self.env._(
                    "Requests after the sale are found by re-reading open orders; JD's after-sales desk decides and "
                    "pays"
                ),
                self.env._("Only requests made before the order has left are answered from here"),
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
