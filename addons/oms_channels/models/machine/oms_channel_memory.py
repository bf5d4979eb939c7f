import json
import logging
from functools import partial

from psycopg2.errors import SerializationFailure

from odoo import api, fields, models
from odoo.tools import SQL

from ...adapters.types import Memory

_logger = logging.getLogger(__name__)
TRIES = 5


class OmsChannelMemory(models.Model):
    """What adapters keep from one call of a shop to the next, shared by all workers: how full the shop's buckets are.
    Each step is a transaction of its own, over before the call begins: a slow call holds nothing."""

    _name = "oms.channel.memory"
    _description = "Channel Memory"
    _log_access = False

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="channel_id.company_id")
    key = fields.Char(required=True, readonly=True)
    state = fields.Json(readonly=True)

    _key_uniq = models.UniqueIndex("(channel_id, key)", "This is kept already.")

    @api.model
    def _change(self, channel_id, key, change):
        """Change what is kept under a key. See `adapters.types.Memory`."""
        for _try in range(TRIES):
            try:
                with self.env.registry.cursor() as cr:
                    return self.with_env(self.env(cr=cr))._change_once(channel_id, key, change)
            except SerializationFailure:
                continue
        _logger.info("Channel %s: too many are at %s, it is not kept", channel_id, key)
        return change({})[1]

    def _change_once(self, channel_id, key, change):
        self.env.cr.execute(
            SQL(
                "INSERT INTO oms_channel_memory (channel_id, key) SELECT id, %s FROM oms_channel WHERE id = %s"
                " ON CONFLICT DO NOTHING",
                key,
                channel_id,
            )
        )
        rows = self.env.execute_query(
            SQL(
                "SELECT id, state FROM oms_channel_memory WHERE channel_id = %s AND key = %s FOR UPDATE",
                channel_id,
                key,
            )
        )
        if not rows:  # the channel itself is not committed yet
            return change({})[1]
        [(row_id, before)] = rows
        after, result = change(before or {})
        if after != before:
            self.env.cr.execute(
                SQL("UPDATE oms_channel_memory SET state = %s WHERE id = %s", json.dumps(after), row_id)
            )
        return result


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    def _get_memory(self):
        """Return the `Memory` of this channel's adapters."""
        self.ensure_one()
        if not self.id:
            return Memory()
        # sudo: oms.channel.memory - it follows what users do; nobody sees it
        return partial(self.env["oms.channel.memory"].sudo()._change, self.id)
