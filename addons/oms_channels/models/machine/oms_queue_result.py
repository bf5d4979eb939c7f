from odoo import api, fields, models


class OmsQueueResult(models.TransientModel):
    """What became of each row that was selected for an action: nothing is hidden behind "done"."""

    _name = "oms.queue.result"
    _description = "Result for Each Row"

    name = fields.Char(string="Row", readonly=True)
    res_model = fields.Char(readonly=True)
    res_id = fields.Many2oneReference(model_field="res_model", readonly=True)
    state = fields.Selection([("done", "Done"), ("left", "Left as It Was")], string="Result", readonly=True)
    reason = fields.Char(readonly=True)

    def action_view_row(self):
        """Open the row."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }

    @api.model
    def _get_title(self, done, left):
        return self.env._("%(done)s done, %(left)s left as they were", done=done, left=left)

    def _open(self, done, left):
        """Return the action that shows these results."""
        return {
            "type": "ir.actions.act_window",
            "name": self._get_title(done, left),
            "res_model": self._name,
            "views": [(False, "list")],
            "domain": [("id", "in", self.ids)],
            "target": "new",
        }


class OmsChannelQueue(models.AbstractModel):
    _inherit = "oms.channel.queue"

    def action_retry_each(self):
        """Put the selected rows back in the queue, and say for each what became of it."""
        return self._do_each("action_retry", self._get_retry_refusals())

    def action_skip_each(self):
        """Take the selected rows out of the queue, and say for each what became of it."""
        reasons = {"done": self.env._("It is done already."), "skipped": self.env._("It is skipped already.")}
        return self._do_each("action_skip", {row: reasons[row.state] for row in self if row.state in reasons})

    def _get_retry_refusals(self):
        """Return {row: why it is not put back}. To be extended by what can be done again."""
        return {row: self.env._("It is done already.") for row in self if row.state == "done"}

    def _do_each(self, action, refusals):
        """Do ``action`` with the rows that can be, and show what became of each.

        :param refusals: {row: why it is left as it is}
        """
        # Who meets a row that a worker has just now leaves it to the worker.
        wanted = self - self.browse(row.id for row in refusals)
        free = wanted.try_lock_for_update()
        refusals |= {row: self.env._("A worker is at it just now.") for row in wanted - free}
        getattr(free, action)()
        results = self.env["oms.queue.result"].create(
            [
                {
                    "name": row.display_name,
                    "res_model": row._name,
                    "res_id": row.id,
                    "state": "left" if row in refusals else "done",
                    "reason": refusals.get(row, ""),
                }
                for row in self
            ]
        )
        return results._open(len(free), len(refusals))


class OmsChannelMessage(models.Model):
    _inherit = "oms.channel.message"

    def action_retry_each(self):
        """Override: a message that is done may be worked again; what it says is recognised where it is known."""
        self.filtered(lambda message: message.state == "done").try_lock_for_update().write({"state": "skipped"})
        return super().action_retry_each()
