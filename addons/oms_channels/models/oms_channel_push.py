import json
from dataclasses import asdict
from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import split_every

from ..adapters.notices import PushResult

# A settled push is kept this long unless the parameter oms_channels.push_keep_days says otherwise.
KEEP_DAYS = 180
# Between the ids of the parcels of one transfer.
REFERENCE_SEPARATOR = ","


def to_plain(notice):
    """Return a notice, or a list of them, as JSON-able data."""
    if isinstance(notice, list):
        return [to_plain(one) for one in notice]
    return json.loads(json.dumps(asdict(notice), default=str))


class OmsChannelPush(models.Model):
    """Outbox: what a shop is to be told. Written in the user's transaction, sent after it in the background.

    A push and its idempotency key are one: the same thing is never queued, nor told, twice.
    """

    _name = "oms.channel.push"
    _description = "Channel Push"
    _inherit = "oms.channel.queue"
    _order = "id desc"
    _queue_cron_xmlid = "oms_channels.ir_cron_push_lane_%s"

    kind = fields.Selection(
        [
            ("shipment", "Shipment"),
            ("delivered", "Delivered"),
            ("cancel", "Cancellation"),
            ("cancel_lines", "Cancellation of Units"),
            ("answer", "Answer to the Buyer"),
            ("return_received", "Return Received"),
            ("refund", "Refund"),
            ("stock", "Stock"),
        ],
        required=True,
        readonly=True,
    )
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(string="Document", model_field="res_model", readonly=True)
    idempotency_key = fields.Char(required=True, readonly=True)
    payload = fields.Json(readonly=True, help="What the document said when this was queued.")
    external_ref = fields.Char(string="ID in the Shop", readonly=True, help="What the shop calls it.")
    request_ref = fields.Char(
        string="Buyer's Request", readonly=True, help="The request in the shop that this answers, as the shop calls it."
    )
    response = fields.Char(readonly=True, help="The shop's answer in one line.")
    notice = fields.Json(readonly=True, help="What was sent, as it was made of the document when its turn came.")
    content_text = fields.Text(string="Content", compute="_compute_content_text")

    _key_uniq = models.UniqueIndex("(channel_id, idempotency_key)", "The shop is told this already.")
    _channel_state_idx = models.Index("(channel_id, state)")
    _document_idx = models.Index("(res_model, res_id)")

    @api.depends("kind", "order_id.name", "channel_id.name")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for push in self:
            push.display_name = f"{push.order_id.name or push.channel_id.name}: {kinds.get(push.kind)}"

    @api.depends("notice", "payload", "kind")
    def _compute_content_text(self):
        """What was sent; before that, what it will be made of."""
        for push in self:
            content = push.notice or push.payload
            push.content_text = content and json.dumps(content, indent=2, ensure_ascii=False)

    # === ACTION METHODS === #

    def action_view_document(self):
        """Open the document that the shop is told of."""
        self.ensure_one()
        if not self.res_model or not self.env[self.res_model].browse(self.res_id).exists():
            raise UserError(self.env._("The document of %(push)s is gone.", push=self.display_name))
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    # === ENQUEUE === #

    @api.model
    def _enqueue(self, kind, pairs, payloads=None):
        """Queue pushes that are not queued yet, for orders whose channel has a shop.

        :param kind: key of ``kind``
        :param pairs: list of (sale.order, document record)
        :param payloads: list of JSON-able dicts, one a pair; ``mark`` tells several of one document apart
        :return: the new pushes
        """
        payloads = payloads or [{}] * len(pairs)
        wanted = {}
        for (order, document), payload in zip(pairs, payloads, strict=True):
            if order.channel_id.provider and order.channel_order_id:
                key = self._get_idempotency_key(kind, order, document, payload.get("mark"))
                wanted[order.channel_id.id, key] = (order, document, payload)
        # sudo: oms.channel.push - the outbox follows what users do; nobody writes it by hand
        Push = self.sudo()
        known = Push.search_fetch(
            [("channel_id", "in", [key[0] for key in wanted]), ("idempotency_key", "in", [key[1] for key in wanted])],
            ["channel_id", "idempotency_key"],
        )
        known_keys = {(push.channel_id.id, push.idempotency_key) for push in known}
        return Push.create(
            [
                {
                    "channel_id": channel_id,
                    "order_id": order.id,
                    "kind": kind,
                    "res_model": document._name,
                    "res_id": document.id,
                    "idempotency_key": key,
                    "payload": payload,
                }
                for (channel_id, key), (order, document, payload) in wanted.items()
                if (channel_id, key) not in known_keys
            ]
        )

    @api.model
    def _get_idempotency_key(self, kind, order, document, mark=None):
        """Return the key under which shops know this push: the database is in it, as several may serve one shop."""
        # sudo: ir.config_parameter - the database's own name for itself
        uuid = self.env["ir.config_parameter"].sudo().get_param("database.uuid")
        return "-".join(filter(None, [uuid[:8], kind, str(order.id), str(document.id), mark]))

    # === QUEUE === #

    def _get_queue_key(self):
        """Override of `oms_base`: an order's pushes go in order."""
        return f"{self.channel_id.id}:{self.order_id.id or self.kind}"

    def _process_queue_item(self):
        """Override of `oms_base`: tell the shop."""
        push = self.with_company(self.company_id)
        with push._adapter_errors():
            adapter = push.channel_id._get_adapter(is_live=True)
        if self.kind not in adapter.capabilities:
            self._ask_by_hand()
            return {"state": "skipped", "response": self.env._("The platform does not take this.")}
        notice = getattr(push, f"_prepare_{self.kind}_notice")()
        if isinstance(notice, str):  # a reason why there is nothing to tell
            return {"state": "skipped", "response": notice}
        # What was to be told is kept, whatever the shop says to it. Stock is in the payload already.
        kept = {} if self.kind == "stock" else {"notice": to_plain(notice)}
        with self._keep_on_error(kept):
            return {**kept, **push._tell(adapter, notice)}

    def _tell(self, adapter, notice):
        """Tell the shop, and keep its answer. :return: values of this row"""
        # From here on the shop may have it, whatever becomes of this transaction: adapters read before they write.
        with self._adapter_errors():
            tell = getattr(adapter, f"push_{self.kind}")
            if not isinstance(notice, list):
                return self._apply_result(notice, tell(notice))
            # Each has a key of its own: after a failure those told before are recognised.
            results = [tell(one) for one in notice]
        references = REFERENCE_SEPARATOR.join(result.external_id for result in results)
        is_repeat = all(result.is_repeat for result in results)
        return self._apply_result(notice[0], PushResult(references, is_repeat=is_repeat))

    def _ask_by_hand(self):
        """The platform does not take this: have a person do it in the shop. To be extended by what must be done."""

    def _apply_result(self, notice, result):
        """Keep the shop's answer. :return: values of this row"""
        if self.kind == "stock":
            return self._apply_stock_result(result)
        if apply := getattr(self, f"_apply_{self.kind}_result", None):
            apply(notice, result)
        self.order_id._oms_log_event("pushed", document=self, message=self.display_name)
        answer = self.env._("The shop had it already.") if result.is_repeat else self.env._("Accepted.")
        return {"external_ref": result.external_id, "response": answer}

    def _after_queue_failure(self):
        """Override of `oms_base`: the order's timeline and its responsible learn of it."""
        super()._after_queue_failure()
        if not self.order_id:
            return
        self.order_id._oms_log_event("push_failed", document=self, message=f"{self.display_name}: {self.last_error}")
        self.order_id._oms_schedule_activity(
            self.env._("The shop could not be told: %(push)s", push=self.display_name), self.last_error
        )

    @api.autovacuum
    def _gc_pushes(self):
        """Delete settled pushes after the days of retention; stock pushes, of which there are many, after a week."""
        # sudo: ir.config_parameter - a setting
        days = int(self.env["ir.config_parameter"].sudo().get_param("oms_channels.push_keep_days", KEEP_DAYS))
        now = fields.Datetime.now()
        settled = Domain("state", "in", ("done", "skipped"))
        old = self.env["oms.channel"]._get_retention_domain("push_keep_days", days)
        rows = self.search(settled & old, limit=5000)
        rows |= self.search(
            settled & Domain("kind", "=", "stock") & Domain("create_date", "<", now - timedelta(days=7)), limit=5000
        )
        for ids in split_every(1000, rows.ids):
            self.browse(ids).unlink()
        return len(rows), len(rows) >= 5000
