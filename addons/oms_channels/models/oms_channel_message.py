import hashlib
import json

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, split_every

# A settled message is kept this long unless the parameter oms_channels.message_keep_days says otherwise.
KEEP_DAYS = 90


class OmsChannelMessage(models.Model):
    """Inbox: every payload of a shop, stored before anything is done with it, worked in the background.

    What comes twice (same order, version and content) is stored once. A webhook's row holds only the event; the order
    is read from the shop when the row is worked, so it is never older than the event.
    """

    _name = "oms.channel.message"
    _description = "Channel Message"
    _inherit = "oms.channel.queue"
    _order = "id desc"
    _rec_name = "external_id"
    _queue_cron_xmlid = "oms_channels.ir_cron_message_lane_%s"

    source = fields.Selection(
        [
            ("webhook", "Webhook"),
            ("poll", "Pull"),
            ("reread", "Re-read"),
            ("audit", "Gap Check"),
            ("push", "Sent to Us"),
            ("api", "Inbound API"),
            ("file", "File"),
            ("manual", "By Hand"),
        ],
        required=True,
        readonly=True,
    )
    topic = fields.Char(readonly=True, help="What the webhook said happened.")
    external_id = fields.Char(string="Channel Order ID", readonly=True, index="btree_not_null")
    version = fields.Char(readonly=True)
    digest = fields.Char(readonly=True, required=True)
    # groups: it holds the buyer's name, address and phone
    payload = fields.Json(readonly=True, groups="oms_base.oms_base_group_manager")
    order_payload = fields.Json(
        readonly=True,
        groups="oms_base.oms_base_group_manager",
        help="The order as the shop showed it when this webhook was worked, unless it brought nothing new.",
    )
    has_order_payload = fields.Boolean(readonly=True, help="Whether the order of a webhook is kept.")
    payload_text = fields.Text(
        string="Content", compute="_compute_payload_text", groups="oms_base.oms_base_group_manager"
    )
    result = fields.Char(readonly=True, help="What became of it.")
    listing_ids = fields.Many2many(
        "oms.channel.listing",
        "oms_channel_message_listing_rel",
        "message_id",
        "listing_id",
        string="Unmatched Listings",
        readonly=True,
        help="Matching these lets the message go on.",
    )

    _content_uniq = models.UniqueIndex("(channel_id, external_id, version, digest)", "This message is already stored.")
    _channel_state_idx = models.Index("(channel_id, state)")

    @api.depends("channel_id.name", "external_id", "topic")
    def _compute_display_name(self):
        for message in self:
            message.display_name = f"{message.channel_id.name}: {message.external_id or message.topic}"

    @api.depends("payload", "order_payload")
    def _compute_payload_text(self):
        for message in self:
            parts = [part for part in (message.order_payload, message.payload) if part]
            message.payload_text = "\n\n".join(
                json.dumps(part, indent=2, ensure_ascii=False, sort_keys=True) for part in parts
            )

    # === ACTION METHODS === #

    def action_view_order(self):
        """Open the order this message became or changed."""
        self.ensure_one()
        if not self.order_id:
            raise UserError(self.env._("No order came of %(message)s yet.", message=self.display_name))
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "views": [(False, "form")],
        }

    # === STORE === #

    @api.model
    def _store(self, channel, items, source):
        """Store raw orders that are not there yet.

        :param items: list of (external order id, version, payload dict)
        :param source: key of ``source``
        :return: the new rows
        """
        wanted = {}
        for external_id, version, payload in items:
            key = (external_id, version or "", self._get_digest(payload))
            wanted.setdefault(key, payload)
        known = self._query_known(channel, [key[0] for key in wanted])
        return self.create(
            [
                {
                    "channel_id": channel.id,
                    "source": source,
                    "external_id": external_id,
                    "version": version,
                    "digest": digest,
                    "payload": payload,
                }
                for (external_id, version, digest), payload in wanted.items()
                if (external_id, version, digest) not in known
            ]
        )

    @api.model
    def _store_event(self, channel, event):
        """Store a verified webhook. :param event: ChannelEvent :return: the new row, none if it is known already"""
        version = f"event:{event.event_id}"
        digest = self._get_digest([event.topic, event.resource_type, event.resource_id, event.order_external_id])
        external_id = event.order_external_id or f"{event.resource_type}:{event.resource_id}"
        if (external_id, version, digest) in self._query_known(channel, [external_id]):
            return self.browse()
        return self.create(
            [
                {
                    "channel_id": channel.id,
                    "source": "webhook",
                    "topic": event.topic,
                    "external_id": external_id,
                    "version": version,
                    "digest": digest,
                    "payload": {
                        "event_id": event.event_id,
                        "topic": event.topic,
                        "occurred_at": event.occurred_at.isoformat(),
                        "order_external_id": event.order_external_id,
                        "resource_type": event.resource_type,
                        "resource_id": event.resource_id,
                    },
                }
            ]
        )

    @api.model
    def _query_known(self, channel, external_ids):
        """Return {(external id, version, digest)} of what is stored of these orders."""
        self.flush_model(["channel_id", "external_id", "version", "digest"])
        return set(
            self.env.execute_query(
                SQL(
                    "SELECT external_id, version, digest FROM oms_channel_message"
                    " WHERE channel_id = %s AND external_id = ANY(%s)",
                    channel.id,
                    list(external_ids),
                )
            )
        )

    @api.model
    def _get_new_order_sql(self):
        """Return the condition that a row ``message`` of this table may bring an order that is not here yet."""
        self.flush_model(["channel_id", "state", "external_id"])
        self.env["sale.order"].flush_model(["channel_id", "channel_order_id"])
        return SQL(
            "message.external_id NOT LIKE 'payment:%%' AND message.external_id NOT LIKE 'fulfillment:%%'"
            " AND NOT EXISTS (SELECT FROM sale_order WHERE sale_order.channel_id = message.channel_id"
            " AND sale_order.channel_order_id = message.external_id)"
        )

    @api.model
    def _get_digest(self, payload):
        """Return the SHA-256 of a payload's canonical form: the order of its keys makes no difference."""
        text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def _get_order_content(self):
        """Return the raw order of this message, None when it holds none."""
        self.ensure_one()
        return self.order_payload if self.source == "webhook" else self.payload

    # === QUEUE === #

    def _get_queue_key(self):
        """Override of `oms_base`: the messages of one order are worked one after another."""
        return f"{self.channel_id.id}:{self.external_id}"

    @api.model
    def _get_offline_domain(self):
        """Override: what is here in full is worked while the shop is down."""
        return Domain("source", "!=", "webhook") | Domain("has_order_payload", "=", True)

    @api.autovacuum
    def _gc_messages(self):
        """Delete settled messages after the days of retention: they hold buyers' data."""
        # sudo: ir.config_parameter - a setting
        days = int(self.env["ir.config_parameter"].sudo().get_param("oms_channels.message_keep_days", KEEP_DAYS))
        old = self.env["oms.channel"]._get_retention_domain("message_keep_days", days)
        rows = self.search(Domain("state", "in", ("done", "skipped")) & old, limit=10000)
        for ids in split_every(1000, rows.ids):
            self.browse(ids).unlink()
        return len(rows), len(rows) == 10000
