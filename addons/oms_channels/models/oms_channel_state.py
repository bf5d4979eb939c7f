from odoo import fields, models


class OmsChannelState(models.Model):
    """What is noted of a channel while it works: where a reading is, when the next is due, how the last one went.

    On a row of its own, to which nothing refers. Orders, messages and stock refer to their channel, and PostgreSQL lets
    nobody refer to a row that changed since their transaction began: each note on the channel's own row would send
    everybody back who was working for it.
    """

    _name = "oms.channel.state"
    _description = "Notes on a Sales Channel"
    _log_access = False

    channel_ids = fields.One2many("oms.channel", "state_id", context={"active_test": False})


class OmsChannel(models.Model):
    _inherit = "oms.channel"
    _inherits = {"oms.channel.state": "state_id"}

    state_id = fields.Many2one("oms.channel.state", required=True, ondelete="restrict", index=True)

    def write(self, vals):
        """Override: notes leave the channel's own row alone."""
        notes = {name: value for name, value in vals.items() if name in self._fields and self._fields[name].inherited}
        if not notes:
            return super().write(vals)
        self.state_id.write(notes)
        rest = {name: value for name, value in vals.items() if name not in notes}
        return super().write(rest) if rest else True

    def unlink(self):
        """Override: notes go with their channel."""
        states = self.state_id
        res = super().unlink()
        states.unlink()
        return res

    def _init_column(self, column_name):
        """Override: a channel that is there already when the addon comes has nothing noted yet."""
        res = super()._init_column(column_name)
        if column_name == "state_id":
            self.pool.post_init(self._init_states)
        return res

    def _init_states(self):
        for channel in self.with_context(active_test=False, prefetch_fields=False).search([("state_id", "=", False)]):
            channel.state_id = self.env["oms.channel.state"].create({})

    def _try_lock_state(self):
        """Lock what is noted of these channels. :return: those of which nobody else is noting anything"""
        locked = self.state_id.try_lock_for_update()
        return self.filtered(lambda channel: channel.state_id in locked)
