import logging
import secrets
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from odoo.addons.oms_base.tools import notification

from ..adapters import get_adapter_class, http
from ..adapters.errors import AdapterError
from ..adapters.types import ChannelConfig

_logger = logging.getLogger(__name__)

# A shop that is down is asked again after half a minute, then less and less often.
REST_BASE_SECONDS = 30
REST_CAP_SECONDS = 900


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    # The break when the shop is down
    rest_until = fields.Datetime(string="Resting Until", readonly=True, copy=False)
    rest_count = fields.Integer(string="Failures in a Row", readonly=True, copy=False)
    rest_reason = fields.Char(string="Why It Rests", readonly=True, copy=False)


class OmsChannel(models.Model):
    """The connection to the shop: address, keys, the break when the shop is down, and how it is doing."""

    _inherit = "oms.channel"

    provider = fields.Selection(
        [
            ("medusa", "Medusa"),
            ("vendure", "Vendure"),
            ("woocommerce", "WooCommerce"),
            ("taobao", "Taobao / Tmall"),
            ("jd", "JD"),
            ("marketplace", "Simulated marketplace"),
        ],
        string="Platform",
        help="Leave empty for a channel whose orders are entered by hand or imported from files.",
    )
    base_url = fields.Char(
        string="Shop Address", help="Where the shop's API answers, for example https://shop.example.com"
    )
    # groups: keys open the shop; only administrators see or change them
    api_key = fields.Char(string="API Key", copy=False, groups="base.group_system")
    api_secret = fields.Char(string="API Secret", copy=False, groups="base.group_system")
    webhook_secret = fields.Char(
        copy=False,
        groups="base.group_system",
        help="Signs the shop's webhooks. Without it every webhook is refused and orders come by pulling only.",
    )
    webhook_secret_previous = fields.Char(
        string="Previous Webhook Secret",
        copy=False,
        groups="base.group_system",
        help="Accepted as well, while the shop is being changed to the new one.",
    )
    webhook_url = fields.Char(string="Webhook Address", compute="_compute_webhook_url")
    location_ref = fields.Char(
        string="Stock Location in the Shop", help="The shop's own id of the location whose stock is published."
    )
    sales_channel_ref = fields.Char(
        string="Sales Channel in the Shop",
        help="The shop's own id of the sales channel. Empty: all of the shop's orders.",
    )
    connection_date = fields.Datetime(string="Last Successful Test", readonly=True, copy=False)

    inbox_count = fields.Integer(string="Messages Received", compute="_compute_queue_counts")
    inbox_failed_count = fields.Integer(string="Failed Messages", compute="_compute_queue_counts")
    push_failed_count = fields.Integer(string="Failed Pushes", compute="_compute_queue_counts")
    listing_count = fields.Integer(string="Number of Listings", compute="_compute_queue_counts")
    listing_unmatched_count = fields.Integer(string="Unmatched Listings", compute="_compute_queue_counts")

    # === COMPUTE METHODS === #

    def _compute_webhook_url(self):
        for channel in self:
            channel.webhook_url = f"{channel.get_base_url()}/oms/webhook/{channel.id}" if channel.id else False

    def _compute_queue_counts(self):
        messages = self._count_by_channel("oms.channel.message", "state")
        pushes = self._count_by_channel("oms.channel.push", "state")
        listings = self._count_by_channel("oms.channel.listing", "state")
        for channel in self:
            message, push, listing = (counts.get(channel.id, {}) for counts in (messages, pushes, listings))
            channel.inbox_count = sum(message.values())
            channel.inbox_failed_count = message.get("failed", 0)
            channel.push_failed_count = push.get("failed", 0)
            channel.listing_count = sum(listing.values())
            channel.listing_unmatched_count = listing.get("unmatched", 0)

    def _count_by_channel(self, model, field):
        """Return {channel id: {value of field: count}} of the rows of a model."""
        counts = {}
        for channel, value, count in self.env[model]._read_group(
            [("channel_id", "in", self.ids)], ["channel_id", field], ["__count"]
        ):
            counts.setdefault(channel.id, {})[value] = count
        return counts

    # === ACTION METHODS === #

    def action_test_connection(self):
        """Ask the shop who it is, with the keys entered, and show its answer."""
        self.ensure_one()
        result = self._test_connection()
        return notification(
            result["text"], title=self.env._("Connected to %(shop)s", shop=result.get("shop") or self.name)
        )

    def _test_connection(self):
        """Ask the shop who it is. :return: what the adapter tells, and ``text``: the same for a person to read"""
        try:
            adapter = self._get_adapter(is_live=True)
            result = adapter.test_connection()
        except AdapterError as error:
            raise UserError(
                self.env._(
                    "%(channel)s could not be reached: %(error)s Check the address and the keys.",
                    channel=self.name,
                    error=error.message,
                )
            ) from error
        self.write(
            {"connection_date": fields.Datetime.now(), "rest_until": False, "rest_count": 0, "rest_reason": False}
        )
        self._wake_queues()
        labels, details = self._get_connection_labels(), list(result.get("details", ()))
        lines = [f"{labels.get(label, label)}: {value}" for label, value in details if value]
        return {**result, "details": details, "text": "\n".join(lines)}

    @api.model
    def _get_connection_labels(self):
        """Return {label of an adapter's answer: the same for a person}."""
        return {
            "Account": self.env._("Account"),
            "Address": self.env._("Address"),
            "Channels and their tokens": self.env._("Channels and their tokens"),
            "Connector": self.env._("Connector"),
            "Currencies": self.env._("Currencies"),
            "Currency": self.env._("Currency"),
            "Locations": self.env._("Locations"),
            "Marketplaces": self.env._("Marketplaces"),
            "Missing permission": self.env._("Missing permissions"),
            "Missing permissions": self.env._("Missing permissions"),
            "Not a marketplace of this seller": self.env._("Not a marketplace of this seller"),
            "Orders on the first page": self.env._("Orders on the first page"),
            "Platform": self.env._("Platform"),
            "Rights": self.env._("Rights"),
            "Sales channels": self.env._("Sales channels"),
            "Seller": self.env._("Seller"),
            "Shop code": self.env._("Shop code"),
            "Shop number": self.env._("Shop number"),
            "Stock locations": self.env._("Stock locations"),
        }

    def action_generate_webhook_secret(self):
        """Make a new webhook secret; the old one is still accepted until the next time."""
        for channel in self:
            channel.write(
                {"webhook_secret_previous": channel.webhook_secret, "webhook_secret": secrets.token_urlsafe(32)}
            )
        return True

    def action_view_queue(self):
        """Open the channel's rows of the model named by the context key ``oms_model``, narrowed by ``oms_state``."""
        self.ensure_one()
        actions = {
            "oms.channel.message": "oms_channels.oms_channel_message_action",
            "oms.channel.push": "oms_channels.oms_channel_push_action",
            "oms.channel.listing": "oms_channels.oms_channel_listing_action",
            "oms.channel.payment": "oms_channels.oms_channel_payment_action",
        }
        action = self.env["ir.actions.act_window"]._for_xml_id(actions[self.env.context["oms_model"]])
        context = {"default_channel_id": self.id}
        if state := self.env.context.get("oms_state"):
            context[f"search_default_{state}"] = 1
        return {**action, "domain": [("channel_id", "=", self.id)], "context": context}

    # === BUSINESS METHODS === #

    def _get_adapter(self, is_live=False):
        """Return the adapter of this channel, ready to talk to its shop.

        :param is_live: whether the shop will be called: keys about to end are replaced first. Not for what only reads
            a payload, nor in a transaction that must not wait for a shop.
        :raise UserError: when the connection is not set up
        """
        self.ensure_one()
        if not self.provider or not self.base_url:
            raise UserError(
                self.env._("%(channel)s has no shop. Enter its platform and address first.", channel=self.name)
            )
        channel_sudo = self.sudo()  # sudo: oms.channel - the keys are used for the user, never shown
        values = channel_sudo._get_adapter_values()
        return self._make_adapter(channel_sudo._get_live_values(values) if is_live else values)

    def _make_adapter(self, values):
        """Return the adapter with these settings. :param values: see `_get_adapter_values`"""
        adapter_class = get_adapter_class(self.provider)
        config = ChannelConfig(
            base_url=self.base_url,
            credentials={key: values.get(key) or "" for key in adapter_class.credential_keys},
            options={key: values[key] for key in adapter_class.option_keys if values.get(key)},
            memory=self._get_memory(),
        )
        return adapter_class(config, transport=self._throttle(self._get_transport() or http.send))

    def _get_adapter_values(self):
        """Return what the settings hold, under the names that adapters ask for in credential_keys and option_keys.

        To be extended by an addon that brings a platform with settings of its own.
        """
        self.ensure_one()
        return {
            "api_key": self.api_key,
            "api_secret": self.api_secret,
            "username": self.api_key,
            "password": self.api_secret,
            "location_id": self.location_ref,
            "sales_channel_id": self.sales_channel_ref,
            "currency": self.company_id.currency_id.name,
        }

    def _get_transport(self):
        """Return the callable that does the adapters' HTTP calls, None for the ordinary one. Tests override it."""
        return

    @api.model
    def _get_resting_channels(self):
        """Return the channels that may not be called now."""
        return self.with_context(active_test=False).search(
            Domain("provider", "!=", False)
            & (Domain("rest_until", ">", fields.Datetime.now()) | Domain("active", "=", False))
        )

    def _call_shop(self, work):
        """Do in the background what asks the shop. An error of the shop, or of ours, stays with the channel.

        :param work: callable
        :return: (what went wrong, "" for nothing; what ``work`` returned, None after an error). What was not committed
            is rolled back when the error is ours
        """
        self.ensure_one()
        try:
            return "", work()
        except AdapterError as error:
            if error.is_shop_wide:
                self._open_circuit(error.message, error.retry_after)
            return error.message, None
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise  # nothing is wrong with the shop or the channel: the job is run again
        except Exception as error:  # whatever it is, the other channels go on
            self.env.cr.rollback()
            _logger.exception("Channel %s: %s failed", self.id, getattr(work, "__name__", work))
            return str(error) or type(error).__name__, None

    def _is_resting(self):
        """Return whether the shop may not be called now."""
        self.ensure_one()
        return bool(self.rest_until and self.rest_until > fields.Datetime.now())

    def _open_circuit(self, reason, delay=None):
        """Let this channel rest: its shop is down or refuses everybody. Who meets a locked row leaves it to the other.

        :param delay: seconds the shop asked for, None for our own doubling pause
        """
        channel = self._try_lock_state()
        if not channel or channel._is_resting():
            return
        count = channel.rest_count + 1
        pause = delay or min(REST_BASE_SECONDS * 2 ** (count - 1), REST_CAP_SECONDS)
        channel.write(
            {
                "rest_count": count,
                "rest_until": fields.Datetime.now() + timedelta(seconds=pause),
                "rest_reason": reason,
            }
        )
        channel._wake_queues(at=channel.rest_until)

    def _close_circuit(self):
        """The shop answered: forget the failures."""
        resting = self.filtered("rest_count")._try_lock_state()
        if resting:
            resting.write({"rest_until": False, "rest_count": 0, "rest_reason": False})

    @api.model
    def _wake_queues(self, at=None):
        """Wake all lanes of inbox and outbox."""
        for model in ("oms.channel.message", "oms.channel.push"):
            Queue = self.env[model]
            for lane in Queue._get_lanes():
                if cron := self.env.ref(Queue._queue_cron_xmlid % lane, raise_if_not_found=False):
                    cron._oms_trigger_at(at)

    # === HOOKS === #

    @api.model
    def _notify(self, topic, records):
        """Override of `oms_base`: write the outbox rows."""
        super()._notify(topic, records)
        if not records:
            return
        # sudo: sale.order - a picker or an accountant who may not read orders still works for their channel
        records = records.sudo()
        if topic in ("delivered", "return_received"):
            records._enqueue_channel_push(topic)
        elif topic == "refund":
            pairs, payloads = [], []
            for move in records:
                for order, payload in move._get_channel_refunds().items():
                    if not self.env["oms.channel.payment"]._take_refund_for(order, move, payload["amount"]):
                        pairs.append((order, move))
                        payloads.append(payload)
            self.env["oms.channel.push"]._enqueue("refund", pairs, payloads)

    # === HEALTH === #

    def _get_health_issues(self):
        """Override of `oms_base`: what the connection, inbox, outbox and listings say."""
        issues = super()._get_health_issues()
        queues = {
            "oms.channel.message": self.env._("Inbox"),
            "oms.channel.push": self.env._("Outbox"),
        }
        for model, label in queues.items():
            self._add_queue_issues(issues, model, label)
        unmatched = self._count_by_channel("oms.channel.listing", "state")
        for channel in self:
            found = issues.setdefault(channel, [])
            if count := unmatched.get(channel.id, {}).get("unmatched"):
                found.append(("warning", self.env._("Unmatched products of the shop: %(count)s.", count=count)))
            if channel.rest_reason:
                found.append(("error", self.env._("The shop can't be reached: %(error)s", error=channel.rest_reason)))
            elif channel.pull_error:
                found.append(("error", self.env._("The last pull failed: %(error)s", error=channel.pull_error)))
        return issues

    def _add_queue_issues(self, issues, model, label):
        """Add what is late or failed in one queue to ``issues``."""
        domain = Domain("channel_id", "in", self.ids)
        for channel, oldest in self.env[model]._read_group(
            domain & Domain("state", "=", "pending"), ["channel_id"], ["create_date:min"]
        ):
            minutes = int((fields.Datetime.now() - oldest).total_seconds() // 60)
            if not channel.alert_oldest_minutes or minutes < channel.alert_oldest_minutes:
                continue
            issues.setdefault(channel, []).append(
                (
                    "warning",
                    self.env._("%(queue)s: the oldest entry waits for %(count)s minutes.", queue=label, count=minutes),
                )
            )
        for channel, count in self.env[model]._read_group(
            domain & Domain("state", "=", "failed"), ["channel_id"], ["__count"]
        ):
            issues.setdefault(channel, []).append(
                ("warning", self.env._("%(queue)s: %(count)s failed.", queue=label, count=count))
            )
