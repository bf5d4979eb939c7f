import logging
from collections import defaultdict
from datetime import UTC, timedelta

from odoo import api, fields, models
from odoo.fields import Domain

from ...adapters import base
from ...adapters.errors import AdapterError
from ..oms_channel_message import KEEP_DAYS

_logger = logging.getLogger(__name__)

# What is usual is what was in these weeks.
HISTORY_WEEKS = 8
# With fewer orders than this in that time nothing is usual.
HISTORY_ORDERS = 40
# Pulling is behind when this many pulls in a row did not come through.
LATE_PULLS = 6
# So many orders that came by pulling, and so long back, tell that no webhooks come any more.
SILENT_ORDERS, SILENT_DAYS = 3, 30
HOURS_OF_WEEK = 7 * 24
ONE_HOUR = timedelta(hours=1)


class OmsChannel(models.Model):
    """Watching the channels: what is wrong becomes an alert with an activity, and is on the card."""

    _inherit = "oms.channel"

    alert_oldest_minutes = fields.Integer(
        string="Message Waits (minutes)", default=15, help="Alert when a message or push waits longer. 0: never."
    )
    alert_silence_factor = fields.Float(
        string="No Orders",
        default=6.0,
        help="Alert when so many orders should have come by now, going by the same hours of the last weeks, and none "
        "has. 0: never.",
    )
    alert_unmatched_count = fields.Integer(
        string="Unmatched Products", default=1, help="Alert from so many on that orders wait for. 0: never."
    )
    alert_push_count = fields.Integer(
        string="Alert: Failed Pushes", default=1, help="Alert from so many failed pushes on. 0: never."
    )
    alert_dead_count = fields.Integer(
        string="Alert: Failed Messages", default=1, help="Alert from so many failed messages on. 0: never."
    )
    alert_webhook_hours = fields.Integer(
        string="Webhooks Silent (hours)",
        default=24,
        help="Alert when orders come by pulling but the shop has sent no webhook for so long. 0: never.",
    )
    alert_key_days = fields.Integer(
        string="Keys End (days)", default=14, help="Alert so many days before a key ends. 0: never."
    )
    credentials_expiry = fields.Datetime(
        string="Keys End On", copy=False, groups="base.group_system", help="When the shop's keys stop working."
    )
    webhook_secret_date = fields.Datetime(
        string="Webhook Secret Since",
        compute="_compute_webhook_secret_date",
        store=True,
        copy=False,
        groups="base.group_system",
        help="What was ordered before came without webhooks.",
    )
    webhook_missing = fields.Boolean(
        readonly=True, copy=False, help="The shop does not have our webhooks, and did not take them again."
    )
    alert_ids = fields.One2many(
        "oms.channel.alert", "channel_id", string="Alerts", domain=[("closed_date", "=", False)], readonly=True
    )

    today_order_count = fields.Integer(string="Orders Today", compute="_compute_today_counts", compute_sudo=True)
    today_push_count = fields.Integer(string="Told Today", compute="_compute_today_counts", compute_sudo=True)

    _check_alerts = models.Constraint(
        "CHECK(alert_oldest_minutes >= 0 AND alert_silence_factor >= 0 AND alert_unmatched_count >= 0"
        " AND alert_push_count >= 0 AND alert_dead_count >= 0 AND alert_webhook_hours >= 0 AND alert_key_days >= 0)",
        "The limits of alerts can't be negative.",
    )

    @api.depends("webhook_secret")
    def _compute_webhook_secret_date(self):
        for channel in self:
            channel.webhook_secret_date = channel.webhook_secret and fields.Datetime.now()

    def _compute_today_counts(self):
        """Since midnight where the user is."""
        midnight = fields.Datetime.context_timestamp(self, fields.Datetime.now()).replace(hour=0, minute=0, second=0)
        midnight = midnight.astimezone(UTC).replace(tzinfo=None, microsecond=0)
        domain = Domain("channel_id", "in", self.ids)
        orders = dict(
            self.env["sale.order"]._read_group(
                domain & Domain("date_order", ">=", midnight), ["channel_id"], ["__count"]
            )
        )
        pushes = dict(
            self.env["oms.channel.push"]._read_group(
                domain & Domain("state", "=", "done") & Domain("done_date", ">=", midnight), ["channel_id"], ["__count"]
            )
        )
        for channel in self:
            channel.today_order_count = orders.get(channel, 0)
            channel.today_push_count = pushes.get(channel, 0)

    @api.model
    def _cron_watch(self):
        """Look at all channels that have a shop, and bring their alerts in line."""
        channels = self.search([("provider", "!=", False)])
        self.env["oms.channel.alert"]._bring_in_line(channels, channels._find_issues())
        # What was archived or lost its shop is watched no more.
        gone = self.env["oms.channel.alert"].search(
            [("closed_date", "=", False), ("channel_id", "not in", channels.ids)]
        )
        gone._close()

    def _find_issues(self):
        """Return {(channel, kind): (level, sentence)} of what is wrong now, in queries that do not grow with the
        channels. To be extended by addons that watch more; add the kind to `oms.channel.alert`."""
        issues = {}
        self._find_waiting(issues)
        self._find_counted(issues)
        self._find_silent_channels(issues)
        self._find_silent_webhooks(issues)
        for channel in self:
            channel._find_own_issues(issues)
        return issues

    def _find_own_issues(self, issues):
        """Add what the channel's own fields say: keys that end, pulls that fail, orders that are missing."""
        now = fields.Datetime.now()
        channel_sudo = self.sudo()  # sudo: oms.channel, oms.api.key - only that a key ends is told
        # Keys of programs end on purpose: they are told of while there is time, not for ever after.
        ends = [key.expiry_date for key in channel_sudo.api_key_ids if key.state == "active" and key.expiry_date]
        if end := min([*ends, *filter(None, [channel_sudo.credentials_expiry])], default=None):
            left = end - now
            if self.alert_key_days and left < timedelta(days=self.alert_key_days):
                issues[self, "key"] = (
                    ("error", self.env._("A key of this channel has ended. Enter a new one."))
                    if left <= timedelta()
                    else ("warning", self.env._("A key of this channel ends in %(days)s days.", days=left.days))
                )
        late = self.last_pull_date and self.last_pull_date < now - timedelta(minutes=LATE_PULLS * self.pull_interval)
        if self.is_pulling and self.pull_error and (late or not self.last_pull_date):
            issues[self, "pull"] = (
                "error",
                self.env._("The orders can't be pulled: %(error)s", error=self.pull_error),
            )
        if self.audit_open_count:
            issues[self, "gap"] = ("error", self.audit_message)
        elif self._is_audit_blind(now):
            issues[self, "gap"] = (
                "warning",
                self.env._("Whether orders are missing is not known: %(error)s", error=self.audit_error),
            )

    def _find_waiting(self, issues):
        """Add the channels whose oldest message or push waits too long. Resting shops are told of already."""
        now, oldest = fields.Datetime.now(), {}
        for model in ("oms.channel.message", "oms.channel.push"):
            for channel, created in self.env[model]._read_group(
                [("channel_id", "in", self.ids), ("state", "=", "pending")], ["channel_id"], ["create_date:min"]
            ):
                oldest[channel] = min(oldest.get(channel, created), created)
        for channel, created in oldest.items():
            minutes = int((now - created).total_seconds() // 60)
            if channel.alert_oldest_minutes and minutes >= channel.alert_oldest_minutes:
                issues[channel, "oldest"] = (
                    "warning",
                    self.env._("The oldest entry of inbox and outbox waits since %(date)s.", date=created),
                )

    def _find_counted(self, issues):
        """Add the channels with too many failed messages or pushes, or products that orders wait for."""
        failed = Domain("channel_id", "in", self.ids) & Domain("state", "=", "failed")
        unmatched = Domain("listing_ids", "any", [("product_id", "=", False)])
        for kind, model, domain, limit in (
            ("push", "oms.channel.push", failed, "alert_push_count"),
            ("dead", "oms.channel.message", failed & ~unmatched, "alert_dead_count"),
            ("unmatched", "oms.channel.message", failed & unmatched, "alert_unmatched_count"),
        ):
            for channel, count in self.env[model]._read_group(domain, ["channel_id"], ["__count"]):
                if channel[limit] and count >= channel[limit]:
                    issues[channel, kind] = ("warning", self._describe_count(kind, count))

    @api.model
    def _describe_count(self, kind, count):
        if kind == "push":
            return self.env._("%(count)s pushes failed: the shop was not told.", count=count)
        if kind == "dead":
            return self.env._("%(count)s messages failed: what they say is not done.", count=count)
        return self.env._("%(count)s messages wait for products that are not matched.", count=count)

    # === NO ORDERS === #

    def _find_silent_channels(self, issues):
        """Add the channels that get no orders though some should have come."""
        watched = self.filtered("alert_silence_factor")
        now = fields.Datetime.now()
        rates, last = watched._get_usual_rates(now), watched._get_last_order_dates()
        for channel in watched & self.browse(rates):
            silent_since = last.get(channel.id)
            if not silent_since:
                continue
            expected = self._get_expected_orders(rates[channel.id], silent_since, now)
            if expected >= channel.alert_silence_factor:
                issues[channel, "silence"] = (
                    "error",
                    self.env._(
                        "No order since %(date)s; about %(count)s should have come by now.",
                        date=silent_since.replace(microsecond=0),
                        count=round(channel.alert_silence_factor),
                    ),
                )

    def _get_last_order_dates(self):
        """Return {channel id: when its last order was placed}."""
        return {
            channel.id: date
            for channel, date in self.env["sale.order"]._read_group(
                [("channel_id", "in", self.ids)], ["channel_id"], ["date_order:max"]
            )
        }

    def _get_usual_rates(self, now):
        """Return {channel id: [orders in each hour of the week, Monday 0:00 UTC first]} of channels with a history."""
        since = now - timedelta(weeks=HISTORY_WEEKS)
        first = dict(
            self.env["sale.order"]._read_group([("channel_id", "in", self.ids)], ["channel_id"], ["date_order:min"])
        )
        rates, totals = {}, defaultdict(int)
        groups = (
            self.env["sale.order"]
            .with_context(tz="UTC")
            ._read_group(
                [("channel_id", "in", self.ids), ("date_order", ">=", since)],
                ["channel_id", "date_order:day_of_week", "date_order:hour_number"],
                ["__count"],
            )
        )
        for channel, day, hour, count in groups:
            weeks = min((now - first[channel]) / timedelta(weeks=1), HISTORY_WEEKS)
            week = rates.setdefault(channel.id, [0.0] * HOURS_OF_WEEK)
            # PostgreSQL counts the days from Sunday.
            week[(int(day) - 1) % 7 * 24 + int(hour)] += count / max(weeks, 1)
            totals[channel.id] += count
        return {key: week for key, week in rates.items() if totals[key] >= HISTORY_ORDERS}

    @api.model
    def _get_expected_orders(self, week, start, end):
        """Return how many orders are usual between two moments: the sum of the hours' usual numbers, so that a night or
        a Sunday is as quiet as it always is."""
        end = min(end, start + timedelta(weeks=2))
        expected, moment = 0.0, start
        while moment < end:
            following = min(moment.replace(minute=0, second=0, microsecond=0) + ONE_HOUR, end)
            expected += week[moment.weekday() * 24 + moment.hour] * ((following - moment) / ONE_HOUR)
            moment = following
        return expected

    # === WEBHOOKS === #

    def _find_silent_webhooks(self, issues):
        """Add the channels whose webhooks are set up but do not come, while pulling finds orders.

        What counts is orders placed since the last webhook, not since yesterday: so a quiet shop is found out as well.
        What was placed before the secret was entered came without any.
        """
        for channel in self.filtered("webhook_missing"):
            issues[channel, "webhook"] = (
                "error",
                self.env._("The shop does not have all of our webhooks any more, and did not take them again."),
            )
        # sudo: oms.channel - whether there is a secret and since when, not which
        watched = self.sudo().filtered(
            lambda channel: channel.alert_webhook_hours and channel.webhook_secret_date and not channel.webhook_missing
        )
        since = watched._get_last_webhook_dates()
        pulled = Domain.OR(
            Domain("channel_id", "=", channel.id)
            & Domain("create_date", ">=", date)
            & Domain("order_id", "any", [("date_order", ">=", date)])
            for channel, date in since.items()
        )
        for channel, count in self.env["oms.channel.message"]._read_group(
            Domain("source", "=", "poll") & pulled, ["channel_id"], ["order_id:count_distinct"]
        ):
            if count >= SILENT_ORDERS:
                issues[channel, "webhook"] = (
                    "warning",
                    self.env._(
                        "The shop has sent no webhook since %(date)s, but orders placed later came by pulling.",
                        date=since[channel].date(),
                    ),
                )

    def _get_last_webhook_dates(self):
        """Return {channel: when its last webhook came, at the earliest when they were set up} of those that have been
        silent for too long. Of the time of which messages are not kept nothing is known."""
        now = fields.Datetime.now()
        # sudo: ir.config_parameter - a setting
        kept = int(self.env["ir.config_parameter"].sudo().get_param("oms_channels.message_keep_days", KEEP_DAYS))
        groups = self.env["oms.channel.message"]._read_group(
            [("channel_id", "in", self.ids), ("source", "=", "webhook")], ["channel_id"], ["create_date:max"]
        )
        heard, dates = {channel.id: date for channel, date in groups}, {}
        for channel in self:
            known = now - timedelta(days=min(channel.message_keep_days or kept, SILENT_DAYS))
            date = max(filter(None, (known, channel.webhook_secret_date, heard.get(channel.id))))
            if date <= now - timedelta(hours=channel.alert_webhook_hours):
                dates[channel] = date
        return dates

    def _check_webhooks(self, adapter):
        """Ask the shop whether it still has our webhooks, each topic, and register what is gone. Called by the gap
        check, each hour."""
        self.ensure_one()
        channel_sudo = self.sudo()  # sudo: oms.channel - the secret is handed to the shop, never shown
        if base.WEBHOOK_SETUP not in self._get_capabilities() or not channel_sudo.webhook_secret:
            self.webhook_missing = False
            return
        url, missing = self.webhook_url, False
        try:
            missing = self._find_missing_topics(adapter, url)
            if missing:
                adapter.ensure_webhooks(url, channel_sudo.webhook_secret)
                _logger.info("Channel %s: webhooks were gone and are registered again: %s", self.id, missing)
                missing = self._find_missing_topics(adapter, url)
        except AdapterError as error:  # a key that may not read or write them
            _logger.info("Channel %s: the webhooks could not be checked: %s", self.id, error.message)
            if missing is False:
                return
        self.webhook_missing = bool(missing)

    @api.model
    def _find_missing_topics(self, adapter, url):
        active = {row.topic for row in adapter.fetch_webhooks() if row.url == url and row.is_active}
        return sorted(set(adapter.webhook_topics) - active)

    # === CARD === #

    def _get_health_issues(self):
        """Override of `oms_base`: the alerts that the queues' own figures do not say already."""
        issues = super()._get_health_issues()
        alerts = self.env["oms.channel.alert"].search(
            [
                ("channel_id", "in", self.ids),
                ("closed_date", "=", False),
                ("kind", "in", ("silence", "webhook", "key", "gap")),
            ]
        )
        for alert in alerts:
            issues.setdefault(alert.channel_id, []).append((alert.level, alert.message))
        return issues
