from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain

# After a break each lane begins with so many calls of the shop, and doubles them in each step until they are many.
FIRST_STEP, LAST_STEP = 5, 200
STEP_SECONDS = 15


class OmsChannelState(models.Model):
    _inherit = "oms.channel.state"

    catch_up_size = fields.Integer(
        readonly=True, copy=False, help="Calls in one step of each lane after a break. 0: no break lately."
    )
    catch_up_date = fields.Datetime(readonly=True, copy=False, help="When the steps may grow.")


class OmsChannel(models.Model):
    """After a break: the backlog is worked in growing steps, so that a shop that has just come back stays up."""

    _inherit = "oms.channel"

    def _open_circuit(self, reason, delay=None):
        """Override: what comes after the break begins small."""
        res = super()._open_circuit(reason, delay=delay)
        resting = self.filtered(lambda channel: channel.rest_count and channel.catch_up_size != FIRST_STEP)
        if resting:
            resting._try_lock_state().catch_up_size = FIRST_STEP
        return res

    def _grow_catch_up(self):
        """Double the steps of channels that work again. Who meets a locked row leaves it to the other."""
        now = fields.Datetime.now()
        due = self.filtered(
            lambda channel: not channel.rest_count and (not channel.catch_up_date or channel.catch_up_date <= now)
        )
        for channel in due._try_lock_state():
            size = channel.catch_up_size * 2
            channel.write(
                {
                    "catch_up_size": size if size < LAST_STEP else 0,
                    "catch_up_date": now + timedelta(seconds=STEP_SECONDS),
                }
            )


class OmsChannelQueue(models.AbstractModel):
    """What must overtake goes first, and what calls a shop that has just come back goes in steps."""

    _inherit = "oms.channel.queue"

    is_urgent = fields.Boolean(
        readonly=True,
        copy=False,
        help="A cancellation: it overtakes the other orders, not what is before it of its own.",
    )

    _urgent_idx = models.Index("(lane) WHERE state = 'pending' AND is_urgent IS TRUE")

    @api.model_create_multi
    def create(self, vals_list):
        rows = super().create(vals_list)
        if urgent := rows._filter_urgent():
            urgent.is_urgent = True
        return rows

    def _filter_urgent(self):
        """Return those of these rows that must overtake. To be extended."""
        return self.browse()

    @api.model
    def _get_urgent_keys(self, domain, limit):
        """Return the keys of the urgent rows in a domain."""
        return set(
            self.search_fetch(domain & Domain("is_urgent", "=", True), ["queue_key"], limit=limit).mapped("queue_key")
        )

    @api.model
    def _find_queue_rows(self, domain, limit):
        """Override of `oms_base`: cancellations first, each behind what is before it of the same order."""
        keys = self._get_urgent_keys(domain, limit)
        if not keys:
            rows = super()._find_queue_rows(domain, limit)
        else:
            first = self.search(domain & Domain("queue_key", "in", list(keys)), limit=limit, order="id")
            rest = super()._find_queue_rows(
                domain & Domain("queue_key", "not in", list(keys)), max(limit - len(first), 1)
            )
            rows = first + rest
        return rows - self._get_put_off_rows(rows)

    @api.model
    def _count_queue_rows(self, domain, rows):
        """Override of `oms_base`: the next step of a channel that catches up comes after a pause, not at once."""
        channels = self.env["oms.channel"].search([("catch_up_size", ">", 0)])
        if not channels:
            return super()._count_queue_rows(domain, rows)
        others = super()._count_queue_rows(domain & Domain("channel_id", "not in", channels.ids), rows)
        return others + len(rows.filtered(lambda row: row.channel_id in channels))

    @api.model
    def _get_put_off_rows(self, rows):
        """Return those of the rows that are too many for the next step of their shop."""
        catching_up = rows.channel_id.filtered("catch_up_size")
        if not catching_up:
            return self.browse()
        calling = rows.filtered(lambda row: row.channel_id in catching_up) - rows.filtered_domain(
            self._get_offline_domain()
        )
        put_off = self.browse()
        for channel, channel_rows in calling.grouped("channel_id").items():
            put_off |= channel_rows[channel.catch_up_size :]
        return put_off

    @api.model
    def _cron_process_queue(self, lane, limit=200):
        """Override of `oms_base`: after a step the next one is due soon, and larger."""
        res = super()._cron_process_queue(lane, limit=limit)
        channels = self.env["oms.channel"].search([("catch_up_size", ">", 0), ("rest_count", "=", 0)])
        if channels:
            channels._grow_catch_up()
            if self.search_count(self._get_queue_domain(lane) & Domain("channel_id", "in", channels.ids), limit=1):
                self._get_lane_cron(lane)._oms_trigger_at(fields.Datetime.now() + timedelta(seconds=STEP_SECONDS))
        return res


class OmsChannelMessage(models.Model):
    _inherit = "oms.channel.message"

    def _filter_urgent(self):
        """Override: what the webhook, or the order itself, says."""
        tests = {channel: channel._get_cancelled_test() for channel in self.channel_id}
        return super()._filter_urgent() | self.filtered(lambda row: row._says_cancelled(tests[row.channel_id]))

    def _says_cancelled(self, test):
        """Return whether this is about a cancellation. :param test: see `oms.channel._get_cancelled_test`"""
        topic = (self.topic or "").casefold()
        if "cancel" in topic or "close" in topic:
            return True
        if self.source == "webhook" or self._is_own_format():
            return False
        # sudo: oms.channel.message - who may store a message need not be allowed to read buyers' data
        return test(self.sudo().payload)


class OmsChannelPush(models.Model):
    _inherit = "oms.channel.push"

    def _filter_urgent(self):
        """Override: what is cancelled must not be sold on, and the buyer waits for the money."""
        return super()._filter_urgent() | self.filtered(lambda push: push.kind == "cancel")
