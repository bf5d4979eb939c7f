import hashlib
import hmac
import json
import logging
from urllib.parse import urlsplit

import requests

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..oms_queue_mixin import QueueRetry

_logger = logging.getLogger(__name__)

# (connect, read) in seconds: a receiver is to store and answer; who takes longer is tried again.
TIMEOUT = (5, 10)


class OmsWebhook(models.Model):
    """Another system that rules tell of orders."""

    _name = "oms.webhook"
    _description = "Rule Webhook"
    _order = "name, id"

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index=True, default=lambda self: self.env.company)
    url = fields.Char(string="URL", required=True, help="Where the call is posted to, as JSON.")
    secret = fields.Char(
        groups="base.group_system",
        copy=False,
        help="Signs each call: X-OMS-Signature is the hex HMAC-SHA256 of the body by this secret.",
    )
    call_ids = fields.One2many("oms.webhook.call", "webhook_id", string="Calls")

    @api.constrains("url")
    def _check_url(self):
        for webhook in self:
            parts = urlsplit(webhook.url or "")
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValidationError(
                    self.env._("%(url)s is no web address. Write it with https:// in front.", url=webhook.url)
                )

    def _queue_calls(self, rule, orders):
        """Write one call for each order, to be made after this transaction; a rule calls once for each version of it.

        :param rule: the oms.rule that asks for it
        """
        self.ensure_one()
        keys = {order: f"{rule.id}.{rule.version_id.number}.{order.id}" for order in orders}
        # sudo: oms.webhook.call - rules call for whoever works
        Call = self.env["oms.webhook.call"].sudo()
        domain = [("webhook_id", "=", self.id), ("idempotency_key", "in", list(keys.values()))]
        known = set(Call.search(domain).mapped("idempotency_key"))
        Call.create(
            [
                {
                    "webhook_id": self.id,
                    "order_id": order.id,
                    "idempotency_key": key,
                    "payload": self._prepare_payload(rule, order),
                }
                for order, key in keys.items()
                if key not in known
            ]
        )

    @api.model
    def _prepare_payload(self, rule, order):
        """Return what is told of an order. Can be extended; personal data stays out."""
        return {
            "rule": {"id": rule.id, "name": rule.name, "version": rule.version_id.number},
            "order": {
                "id": order.id,
                "name": order.name,
                "channel": order.channel_id.code,
                "channel_order": order.channel_order_ref,
                "total": order.amount_total,
                "currency": order.currency_id.name,
                "stage": order.oms_stage,
            },
        }


class OmsWebhookCall(models.Model):
    """One call to be made: the outbox of the rules."""

    _name = "oms.webhook.call"
    _description = "Webhook Call"
    _inherit = ["oms.queue.mixin"]
    _order = "id desc"
    _rec_name = "idempotency_key"

    _queue_cron_xmlid = "oms_base.ir_cron_webhook_lane_%s"
    _queue_lanes = 1

    webhook_id = fields.Many2one("oms.webhook", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="webhook_id.company_id", store=True, index=True)
    order_id = fields.Many2one("sale.order", index=True, ondelete="cascade", readonly=True)
    idempotency_key = fields.Char(required=True, readonly=True)
    payload = fields.Json(readonly=True)

    _key_uniq = models.UniqueIndex("(webhook_id, idempotency_key)", "This call is already there.")

    def _get_queue_key(self):
        """Override of `oms.queue.mixin`: calls of one order are made in their order."""
        return f"{self.webhook_id.id}.{self.order_id.id}"

    def _process_queue_item(self):
        """Override of `oms.queue.mixin` to post one call."""
        webhook = self.webhook_id
        body = json.dumps(self.payload, sort_keys=True).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": self.idempotency_key}
        # sudo: oms.webhook.secret - administrators only may read what the call is signed with
        if secret := webhook.sudo().secret:
            headers["X-OMS-Signature"] = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        try:
            response = requests.post(webhook.url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
        except requests.RequestException as error:
            raise QueueRetry(
                self.env._("%(webhook)s can't be reached: %(error)s", webhook=webhook.name, error=error)
            ) from error
        _logger.info("Webhook %s answered %s to call %s", webhook.id, response.status_code, self.idempotency_key)
        if response.status_code in (408, 425, 429) or response.status_code >= 500:
            raise QueueRetry(
                self.env._("%(webhook)s answered %(status)s.", webhook=webhook.name, status=response.status_code)
            )
        if not response.ok or response.is_redirect:
            raise UserError(
                self.env._(
                    "%(webhook)s refused the call with %(status)s. Correct its address, then retry.",
                    webhook=webhook.name,
                    status=response.status_code,
                )
            )
