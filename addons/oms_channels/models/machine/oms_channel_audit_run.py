import logging
from datetime import UTC, timedelta
from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.oms_base.tools import notification

from ...adapters import base
from ...adapters.errors import AdapterError, BadResponse, Rejected
from .audit_check import AuditCheck

_logger = logging.getLogger(__name__)

# An order that young has not been due yet.
FRESH_INTERVALS = 3
ONE_HOUR = timedelta(hours=1)
# The checks and how long after the last one each is due.
CHECKS = {"hour": ONE_HOUR - timedelta(minutes=5), "day": timedelta(hours=23)}
# A check that was out of time goes on for so long; after that what it has counted is too old.
RESUME_AGE = timedelta(hours=12)
# Without a daily check for so long nobody knows whether anything was lost.
BLIND_AGE = timedelta(days=2)


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    audit_date = fields.Datetime(string="Last Gap Check", readonly=True, copy=False)
    audit_full_date = fields.Datetime(string="Last Daily Gap Check", readonly=True, copy=False)
    audit_error = fields.Char(readonly=True, copy=False)
    # prefetch: it names all orders that a long check has met
    audit_state = fields.Json(readonly=True, copy=False, prefetch=False, help="{check: how far it is}")
    is_audit_unfinished = fields.Boolean(readonly=True, copy=False, help="A check was out of time and goes on.")


class OmsChannel(models.Model):
    """The gap check: what the shop has against what is here, each hour a little back and once a day far back.

    The shop lists every order changed since a moment, so among them every order placed since then, whatever happened
    to it later. Each counts in the hour in which it was placed: an hour counted again is counted in full.
    """

    _inherit = "oms.channel"

    is_auditing = fields.Boolean(
        string="Check for Gaps",
        default=True,
        help="Every hour the shop's orders are counted against those here. What is missing is fetched at once.",
    )
    audit_hours = fields.Integer(
        string="Look Back (hours)", default=6, help="How far the hourly check goes back behind the last one."
    )
    audit_days = fields.Integer(string="Look Back Daily (days)", default=30, help="How far the daily check goes back.")
    is_numbering_continuous = fields.Boolean(
        string="Consecutive Order Numbers",
        help="The shop leaves out no order number: a number that is nowhere is reported.",
    )
    audit_message = fields.Char(string="Nothing Lost", compute="_compute_audit_message", compute_sudo=True)
    audit_open_count = fields.Integer(
        string="Orders Missing", compute="_compute_audit_message", compute_sudo=True, search="_search_audit_open_count"
    )

    _check_audit = models.Constraint(
        "CHECK(audit_hours > 0 AND audit_days > 0)", "The gap check must look back at least an hour and a day."
    )

    # === COMPUTE METHODS === #

    def _compute_audit_message(self):
        sums, unfinished = self._sum_audits(), self._count_unfinished_orders()
        for channel in self:
            shop, missed, still_open, extra, gaps = sums.get(channel.id, (0, 0, 0, 0, 0))
            channel.audit_open_count = still_open
            channel.audit_message = channel.audit_date and channel._describe_audit(
                {
                    "count": f"{shop:,}",
                    "days": channel.audit_days,
                    "missed": missed,
                    "open": still_open,
                    "extra": extra,
                    "gaps": gaps if channel.is_numbering_continuous else 0,
                    "error": channel.audit_error,
                    "failed": unfinished.get((channel.id, "failed"), 0),
                    "waiting": unfinished.get((channel.id, "pending"), 0),
                }
            )

    def _sum_audits(self):
        """Return {channel id: (orders in the shop, missed, still missing, not in the shop, numbers left out)} of each
        channel's days."""
        if not self.ids:
            return {}
        self.env["oms.channel.audit"].flush_model()
        rows = self.env.execute_query(
            SQL(
                "SELECT a.channel_id, sum(a.shop_count), sum(a.missed_count), sum(a.open_count), sum(a.extra_count),"
                " sum(a.gap_count) FROM oms_channel_audit a JOIN oms_channel c ON c.id = a.channel_id"
                " WHERE a.channel_id = ANY(%s) AND a.hour >= now() AT TIME ZONE 'UTC' - c.audit_days * interval '1 day'"
                " GROUP BY a.channel_id",
                self.ids,
            )
        )
        return {channel_id: counts for channel_id, *counts in rows}

    def _describe_audit(self, values):
        """Return the sentences on the card: all is only well when each order is an order here."""
        parts = []
        if values["open"]:
            parts.append(self.env._("%(open)s of %(count)s orders of the last %(days)s days are missing.", **values))
        if values["failed"]:
            parts.append(self.env._("Orders that failed in the inbox and are not here yet: %(failed)s.", **values))
        if values["waiting"]:
            parts.append(self.env._("Orders that wait in the inbox: %(waiting)s.", **values))
        if not parts and values["missed"]:
            parts.append(
                self.env._(
                    "All %(count)s orders of the last %(days)s days are here; %(missed)s had been missed and were "
                    "fetched.",
                    **values,
                )
            )
        elif not parts:
            parts.append(self.env._("All %(count)s orders of the last %(days)s days are here.", **values))
        if values["extra"]:
            parts.append(self.env._("%(extra)s orders here are not in the shop's list.", **values))
        if values["gaps"]:
            parts.append(self.env._("%(gaps)s order numbers are neither in the shop's list nor here.", **values))
        if values["error"]:  # what was counted before it says nothing of what came since
            parts.append(self.env._("The last check failed: %(error)s", **values))
        return " ".join(parts)

    @api.model
    def _search_audit_open_count(self, operator, value):
        if operator not in ("=", ">", "!=") or value not in (0, False):
            return NotImplemented
        rows = self.env["oms.channel.audit"]._read_group([("open_count", ">", 0)], ["channel_id"])
        ids = [channel.id for [channel] in rows]
        return Domain("id", "not in" if operator == "=" else "in", ids)

    def _is_audit_blind(self, now):
        """Return whether the gap check has not come through for long."""
        self.ensure_one()
        is_late = not self.audit_full_date or self.audit_full_date <= now - BLIND_AGE
        return bool(self.is_auditing and self.audit_error and is_late)

    # === ACTION METHODS === #

    def action_audit_now(self):
        """Have the gaps of all the days looked for in the background."""
        self.write({"audit_date": False, "audit_full_date": False, "audit_state": False})
        # sudo: ir.cron - waking it is all it can do
        self.env.ref("oms_channels.ir_cron_audit").sudo()._trigger()
        return notification(self.env._("The shop's orders are being counted in the background."))

    def action_view_audits(self):
        """Open the hours counted."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_channels.oms_channel_audit_action")
        return {**action, "domain": [("channel_id", "=", self.id)], "context": {}}

    # === CHECK === #

    @api.model
    def _cron_audit(self):
        """Check the channels that are due, those that have begun a long check last. Nothing is locked while a shop
        answers."""
        now = fields.Datetime.now()
        channels = self.search(
            Domain("provider", "!=", False)
            & Domain("is_auditing", "=", True)
            & Domain("is_pulling", "=", True)
            # Before the first pull is through, what is not here is not missing.
            & Domain("last_pull_date", "!=", False)
            & (Domain("rest_until", "=", False) | Domain("rest_until", "<=", now))
            & (
                Domain("audit_date", "=", False)
                | Domain("audit_date", "<=", now - CHECKS["hour"])
                | Domain("is_audit_unfinished", "=", True)
            )
        )
        channels = channels.filtered(lambda channel: base.AUDIT in channel._get_capabilities())
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(channels))
        for channel in channels.sorted("is_audit_unfinished"):
            if not channel._audit() or not cron._commit_progress(1):
                break

    def _audit(self):
        """Count one shop's orders and fetch what is missing; an error of the shop stays with the channel. A check that
        is out of time, or met an error, goes on where it was.

        :return: whether there is time left
        """
        self.ensure_one()
        now = fields.Datetime.now()
        self.is_audit_unfinished = False
        for kind in CHECKS:
            if not self._is_check_due(kind, now):
                continue
            error, is_through = self._call_shop(partial(self._run_check, kind, now))
            if not error and not is_through:
                self.is_audit_unfinished = True
                # sudo: ir.cron - waking it is all it can do
                self.env.ref("oms_channels.ir_cron_audit").sudo()._trigger()
                return False
            # After an error the daily check goes on with the next hourly one.
            field = "audit_date" if kind == "hour" else "audit_full_date"
            self.write({"audit_error": error or False, **({field: now} if kind == "hour" or not error else {})})
            if error:
                break
        return True

    def _is_check_due(self, kind, now):
        last = self.audit_date if kind == "hour" else self.audit_full_date
        return not last or last <= now - CHECKS[kind] or kind in (self.audit_state or {})

    def _run_check(self, kind, now):
        """Count what the shop lists, page by page, and keep it when the list is through.

        :param kind: key of CHECKS
        :return: whether it is
        """
        adapter, check = self._get_adapter(is_live=True), self._begin_check(kind, now)
        while True:
            try:
                page = adapter.fetch_refs_page(check.since.replace(tzinfo=UTC), cursor=check.cursor)
                self._count_refs(adapter, check, page.items)
            except Rejected:
                self._keep_check(kind, None)  # the shop may not know the place any more
                raise
            except AdapterError:
                self._keep_check(kind, check)
                raise
            check.cursor = page.next_cursor
            # Ends the transaction: no snapshot and no lock is held while the shop answers.
            has_time = self.env["ir.cron"]._commit_progress()
            if check.cursor is None:
                break
            if not has_time:
                self._keep_check(kind, check)
                return False
        self._keep_check(kind, None)
        self._write_audits(self._get_checked_hours(check), check.started)
        if kind == "hour":
            self._check_webhooks(adapter)
        return True

    def _begin_check(self, kind, now):
        """Return the `AuditCheck` under way, if it is not too old, or a new one."""
        state = (self.audit_state or {}).get(kind)
        if state and (check := AuditCheck.from_json(state)).started > now - RESUME_AGE:
            return check
        return AuditCheck(self._get_audit_start(kind, now), now)

    def _keep_check(self, kind, check):
        """Keep the place of a check, None for none."""
        states = {key: value for key, value in (self.audit_state or {}).items() if key != kind}
        self.audit_state = {**states, **({kind: check.to_json()} if check else {})} or False

    def _get_audit_start(self, kind, now):
        """Return the hour from which to count. Never before the channel began."""
        since = now - timedelta(days=self.audit_days)
        if kind == "hour":
            since = max(since, (self.audit_date or now) - timedelta(hours=self.audit_hours))
        begun = self.pull_start_date or self.create_date
        # A whole hour: what is counted again is counted in full. The hour in which the channel began is not.
        return max(since.replace(minute=0, second=0, microsecond=0), begun)

    def _count_refs(self, adapter, check, refs):
        """Count a page of what the shop lists, and fetch what is not here.

        Orders too young to be here are left out of the count; those placed before the check's time are looked for, and
        counted only when they were missing: their hour is not listed in full.
        """
        since, now = check.since, check.started
        fresh = self._get_audit_end(check)
        new = {ref.external_id: ref for ref in refs if ref.external_id not in check.seen}
        held = self._find_held_states(list(new))
        for key, ref in new.items():
            placed = self._get_placed_date(ref, now)
            if placed <= fresh:
                row = check.hours[placed.replace(minute=0, second=0, microsecond=0)]
                if key not in held:
                    row["missed"][key] = self._fetch_missed(adapter, ref, now)
                    held[key] = "pending" if row["missed"][key]["state"] == "fetched" else "open"
                if placed >= since:
                    row["ids"] += 1
                    row["numbers"].append(ref.number or "")
                    row["held"][held[key]] += 1
            # Only now: after an error the rest of the page is counted by the next run.
            check.seen.add(key)

    def _get_audit_end(self, check):
        """Return when the youngest order was placed that must be here."""
        return check.started - timedelta(minutes=FRESH_INTERVALS * self.pull_interval)

    def _get_checked_hours(self, check):
        """Return {hour: values} of a check that is through."""
        for hour, count in self._count_extra_orders(check.since, self._get_audit_end(check), list(check.seen)):
            check.hours[hour]["extra"] = count
        since_hour = check.since.replace(minute=0, second=0, microsecond=0)
        return {hour: row for hour, row in check.hours.items() if hour >= since_hour or row["missed"]}

    @api.model
    def _get_placed_date(self, ref, now):
        """Return when an order was placed; what can't be read was placed long enough ago to be here."""
        return ref.placed_at.astimezone(UTC).replace(tzinfo=None, microsecond=0) if ref.placed_at else now - ONE_HOUR

    def _fetch_missed(self, adapter, ref, now):
        """Store a missing order in the inbox. :return: what becomes of it, JSON-able"""
        row = {"number": ref.number, "found": fields.Datetime.to_string(now), "state": "open"}
        try:
            payload = ref.payload
            if payload is None:
                self.env["ir.cron"]._commit_progress()
                payload = adapter.fetch_order(ref.external_id)
            try:
                version = ref.version or adapter.parse_order(payload).version
            except AdapterError:
                version = ref.version  # its message will say what is wrong
            self._store_orders([(ref.external_id, version, payload)], "audit")
            row["state"] = "fetched"
        except (Rejected, BadResponse) as error:
            row["reason"] = error.message
        _logger.warning("Channel %s: order %s had been missed (%s)", self.id, ref.external_id, row["state"])
        return row

    # === RESULT === #

    def _write_audits(self, hours, now):
        """Keep what was counted, hour by hour."""
        gaps = self._find_number_gaps(hours) if self.is_numbering_continuous else {}
        known = {
            audit.hour: audit
            for audit in self.env["oms.channel.audit"].search(
                [("channel_id", "=", self.id), ("hour", "in", list(hours))]
            )
        }
        new = []
        for hour, row in hours.items():
            audit = known.get(hour, self.env["oms.channel.audit"])
            values = self._prepare_audit_values(audit, row, gaps.get(hour, []), now)
            if audit:
                audit.write(values)
            else:
                new.append({"channel_id": self.id, "hour": hour, **values})
        self.env["oms.channel.audit"].create(new)

    def _prepare_audit_values(self, audit, row, gaps, now):
        """Return the values of one hour. What was missing before and is not any more was fetched."""
        before = {
            key: {**value, "state": "fetched", "reason": ""} if row["ids"] else value
            for key, value in (audit.missed or {}).items()
        }
        missed = {**before, **row["missed"]}
        still_open = sum(value["state"] == "open" for value in missed.values())
        # An hour before the window is not listed in full: its count stays, but for what was found missing.
        shop = row["ids"] or max(audit.shop_count, len(missed))
        numbers = sorted((one for one in row["numbers"] if one), key=lambda one: (len(one), one))
        counted = {}
        if row["ids"] or row["extra"]:
            held = row["held"]
            counted = {
                "held_count": held["order"],
                "waiting_count": held["pending"],
                "failed_count": held["failed"],
                "left_count": held["left"],
                "extra_count": row["extra"],
            }
        return {
            **counted,
            "checked_date": now,
            "shop_count": shop,
            "missed_count": len(missed),
            "fetched_count": len(missed) - still_open,
            "open_count": still_open,
            "missed": missed or False,
            "first_number": numbers[0] if numbers else audit.first_number,
            "last_number": numbers[-1] if numbers else audit.last_number,
            "gap_count": len(gaps),
            "gap_numbers": self._join_numbers(gaps) or False,
        }
