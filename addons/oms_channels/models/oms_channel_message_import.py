import logging
from datetime import datetime, timedelta
from functools import partial

from odoo import api, fields, models
from odoo.fields import Command, Domain
from odoo.tools import SQL

from odoo.addons.oms_base.models.oms_queue_mixin import QueueRetry, QueueTurn

from ..adapters.errors import AdapterError, Rejected
from ..adapters.types import ChannelEvent

_logger = logging.getLogger(__name__)

# A match that was under way when a message failed is committed by then.
RECHECK_SECONDS = 5
# What needs a shop that takes a break looks again after so long.
REST_SECONDS = 60


class OmsChannelMessage(models.Model):
    """From a message to an order: new ones in batches, everything else one by one."""

    _inherit = "oms.channel.message"

    # === ONE MESSAGE === #

    def _process_queue_item(self):
        """Override of `oms_base`: read the order from the message, or from the shop, and create or change ours."""
        message = self.with_company(self.company_id)
        with message._adapter_errors():
            adapter = message._get_order_adapter()
            event = message._get_event()
            payload = message._read_order_payload(adapter, event)
            if payload is None and event and event.topic in adapter.deleted_topics:
                return message._apply_deletion(event)
            if payload is None:
                return {"state": "skipped", "result": self.env._("Not about an order")}
        # What the shop showed is kept, to be looked at and worked again without it.
        kept = {"order_payload": payload, "has_order_payload": True} if event else {}
        with self._keep_on_error(kept):
            values = message._process_order(adapter, payload)
        is_new = values.get("result") != self.env["sale.order"]._get_nothing_new_result()
        return {**values, **kept} if is_new else values

    def _process_order(self, adapter, payload):
        """Create or change our order by a raw one. :return: values of this row"""
        with self._adapter_errors():
            channel_order = adapter.parse_order(payload)
        self._lock_order(channel_order.external_id)
        order = self._find_orders([channel_order.external_id])
        if not order and channel_order.status == "cancelled":
            return {"state": "skipped", "result": self.env._("Cancelled in the shop before it was imported")}
        if not order and order._is_channel_history(self.channel_id, channel_order):
            return {"state": "skipped", "result": self.env._("Sent by the shop before the channel began")}
        is_open = order and (order.state in ("draft", "sent") or order._is_reopened(channel_order))
        if order and (channel_order.status == "cancelled" or not is_open):
            return order._oms_apply_channel_order(channel_order)
        unmatched = self._get_unmatched(channel_order, self.channel_id._match_lines([channel_order]))
        if unmatched:
            self._trigger_recheck()
            return self._prepare_unmatched_values(unmatched)
        values = order._oms_apply_channel_order(channel_order) if order else self._import_new_order(channel_order)
        return {"listing_ids": [Command.clear()], **values}

    def _get_event(self):
        """Return the ChannelEvent that a webhook is, None for a message that holds the order itself."""
        if self.source != "webhook":
            return None
        return ChannelEvent(**{**self.payload, "occurred_at": datetime.fromisoformat(self.payload["occurred_at"])})

    def _read_order_payload(self, adapter, event):
        """Return the raw order, None when the event is about something else, or about an order deleted for good."""
        if not event:
            return self._read_listed_order(adapter)
        # Who asks for another try wants to see the shop as it is by now, unless it can't be asked.
        if self.has_order_payload and (self.attempts or self.channel_id in self.channel_id._get_resting_channels()):
            return self.order_payload
        external_id = adapter.resolve_event(event)
        try:
            return adapter.fetch_order(external_id) if external_id else None
        except Rejected:
            if event.topic in adapter.deleted_topics:  # what only lies in the bin can still be read
                return None
            raise

    def _read_listed_order(self, adapter):
        """Return the raw order that this message holds. What the shop could only list is asked for once more, and kept
        when it can be used."""
        payload = self.payload
        if not adapter.is_incomplete(payload):
            return payload
        if self.channel_id in self.channel_id._get_resting_channels():
            raise QueueTurn("", REST_SECONDS)
        self.payload = self.channel_id._get_adapter(is_live=True).fetch_order(self.external_id)
        return self.payload

    def _apply_deletion(self, event):
        """Take an order that the shop has deleted for a cancelled one."""
        self._lock_order(event.order_external_id)
        order = self._find_orders([event.order_external_id])
        if not order or order.channel_status == "cancelled":
            return {"state": "skipped", "order_id": order.id, "result": self.env._("Deleted in the shop")}
        order.channel_status = "cancelled"
        result = self.env._("Deleted in the shop. %(result)s", result=order._apply_shop_cancellation())
        return {"order_id": order.id, "result": result}

    def _lock_order(self, external_id):
        """Keep others away from the same order until this transaction ends, whether it is there already or not.

        :raise QueueRetry: when another worker has it
        """
        key = f"oms:{self.channel_id.id}:{external_id}"
        [[locked]] = self.env.execute_query(SQL("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", key))
        if not locked:
            raise QueueRetry(self.env._("Another worker is at the same order."), 2)

    def _find_orders(self, external_ids):
        """Return the orders that the channel's external ids became."""
        return self.env["sale.order"].search(
            [("channel_id", "=", self.channel_id.id), ("channel_order_id", "in", external_ids)]
        )

    def _import_new_order(self, channel_order):
        """Create the order."""
        order = self.env["sale.order"]._oms_create_from_channel(self.channel_id, [channel_order])
        return {"order_id": order.id, "result": self.env._("Imported")}

    def _get_unmatched(self, channel_order, listings):
        """Return the listings of an order's open lines that have no product."""
        return self.env["oms.channel.listing"].union(
            *(
                listing
                for line in channel_order.lines
                if line.open_quantity
                and not (listing := listings[channel_order.external_id, line.external_id]).product_id
            )
        )

    def _prepare_unmatched_values(self, listings):
        """Return the values of a message that waits for a person to match products. It goes on by itself after that.

        Not an exception: the listings found on the way, which the person is to match, must stay.
        """
        return {
            "state": "failed",
            "done_date": False,
            "listing_ids": [Command.set(listings.ids)],
            "last_error": self.env._(
                "Unmatched SKU: %(skus)s. Match it under OMS > Channels > Products > Listings; the order goes on by"
                " itself then.",
                skus=", ".join(listing.sku or listing.title or listing.external_id for listing in listings),
            ),
        }

    def _trigger_recheck(self):
        """Have the lane look again in a transaction after this one.

        A listing that is matched while this message fails does not know yet that the message waits for it, and this
        message does not see the match.
        """
        if cron := self.env.ref(self._queue_cron_xmlid % self.lane, raise_if_not_found=False):
            cron._oms_trigger_at(fields.Datetime.now() + timedelta(seconds=RECHECK_SECONDS))

    @api.model
    def _resume_matched(self, lane, limit):
        """Put back the failed messages of ``lane`` that wait for nothing any more: all their listings are matched."""
        rows = self.search(
            Domain("state", "=", "failed")
            & Domain("lane", "=", lane)
            & Domain("listing_ids", "!=", False)
            & Domain("listing_ids", "not any", [("product_id", "=", False)]),
            limit=limit,
            order="id",
        )
        rows.try_lock_for_update()._resume()

    def _resume(self):
        """Put messages whose listings are matched by now back in the queue."""
        if self:
            # What fails next is not the listings' doing: these messages no longer wait for them.
            self.listing_ids = [Command.clear()]
            self.action_retry()

    # === MANY NEW ORDERS === #

    @api.model
    def _cron_process_queue(self, lane, limit=200):
        """Override of `oms_base`: new orders that are here in full are created in batches first."""
        self._resume_matched(lane, limit)
        self._process_new_orders(lane, limit)
        return super()._cron_process_queue(lane, limit=limit)

    @api.model
    def _process_new_orders(self, lane, limit):
        """Create new orders in batches of one channel. What is no plain new order, or fails, is done singly."""
        domain = self._get_queue_domain(lane) & Domain("source", "!=", "webhook")
        cron = self.env["ir.cron"]
        # What is cancelled comes first, and one by one: the batches begin with the others.
        others = domain & Domain("queue_key", "not in", list(self._get_urgent_keys(domain, limit)))
        rows = self.search(others, limit=limit, order="id")
        cron._commit_progress(remaining=len(rows))
        groups = rows.grouped(lambda row: (row.channel_id, row._is_own_format()))
        for (channel, _is_own), channel_rows in groups.items():
            work = partial(type(self)._process_due_batch, channel=channel, domain=domain)
            if not cron._oms_work_in_steps(channel_rows, work):
                return

    def _process_due_batch(self, channel, domain):
        """Create the orders of those of these messages that are still due. :return: how many are done"""
        batch = self.try_lock_for_update().filtered_domain(domain)
        return len(batch) if len(batch) > 1 and batch._process_batch(channel) else 0

    def _process_batch(self, channel):
        """Create the orders of these messages in one go.

        :return: whether it was done; if not, nothing happened
        """
        messages = self.with_company(channel.company_id)
        try:
            with self.env.cr.savepoint():
                plain = messages._get_plain_new_orders(channel)
                if len(plain) < 2:
                    return False
                orders = (
                    self.env["sale.order"]
                    .with_company(channel.company_id)
                    ._oms_create_from_channel(channel, list(plain.values()))
                )
                messages._settle_batch(plain, orders)
                self.env.flush_all()
        except Exception as error:  # whatever one of them raises, it tells it again when it is worked alone
            _logger.info("Messages %s are worked singly: %s", self.ids, error, exc_info=True)
            self.env.cr.rollback()
            self.env.invalidate_all()
            return False
        return True

    def _get_plain_new_orders(self, channel):
        """Return {message: ChannelOrder} of the new orders whose products are all known, one message an order."""
        adapter = self._get_order_adapter()
        waiting = self._get_waiting_queue_keys(self)
        found, seen = {}, set()
        for message in self:
            if message.queue_key in waiting or message.external_id in seen:
                continue
            seen.add(message.external_id)
            if adapter.is_incomplete(message.payload):
                continue
            try:
                channel_order = adapter.parse_order(message.payload)
            except AdapterError:
                continue
            if channel_order.external_id == message.external_id and self._is_to_import(channel_order):
                found[message] = channel_order
        known = set(self[:1]._find_orders(list(seen)).mapped("channel_order_id"))
        found = {message: order for message, order in found.items() if order.external_id not in known}
        listings = channel._match_lines(list(found.values()))
        return {
            message: order
            for message, order in found.items()
            if not self._get_unmatched(order, listings) and message._try_lock_order(order.external_id)
        }

    def _is_to_import(self, channel_order):
        """Return whether an order that is not here becomes one: it is neither cancelled nor over."""
        is_over = self.env["sale.order"]._is_channel_history(self.channel_id, channel_order)
        return channel_order.status != "cancelled" and not is_over

    def _try_lock_order(self, external_id):
        try:
            self._lock_order(external_id)
        except QueueRetry:
            return False
        return True

    def _settle_batch(self, plain, orders):
        """Write the result on the messages of a batch."""
        for message, order in zip(plain, orders, strict=True):
            message.order_id = order
        self.browse(message.id for message in plain).write(
            {
                "state": "done",
                "done_date": self.env.cr.now(),
                "last_error": False,
                "result": self.env._("Imported"),
            }
        )
