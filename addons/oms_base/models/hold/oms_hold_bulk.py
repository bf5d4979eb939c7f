from odoo import api, models
from odoo.exceptions import UserError


class OmsHold(models.Model):
    """Many holds with one click: each is done or explained, and none stops the others."""

    _inherit = "oms.hold"

    @api.model
    def action_release_many(self, hold_ids, comment=None):
        """Release the holds of these ids as far as this user may.

        :return: see `_release_each`
        """
        return self.browse(hold_ids)._release_each(comment)

    def _release_each(self, comment=None):
        """Release these holds, or approve their next step, and say of each what became of it.

        :return: list of {"id", "name", "ok", "message"} in the order of these records
        """
        existing = self.exists()
        existing.check_access("read")
        answers = {hold.id: (False, hold._get_released_message()) for hold in existing if hold.state == "released"}
        active = existing.filtered(lambda hold: hold.state == "active")
        locked = active.try_lock_for_update(allow_referencing=True)
        answers |= {hold.id: (False, hold._get_busy_message()) for hold in active - locked}
        plans = locked._plan_release()
        refusals = {hold: refusal for hold in locked if (refusal := hold._find_refusal(plans[hold], comment))}
        answers |= {hold.id: (False, str(refusal)) for hold, refusal in refusals.items()}
        free = locked.filtered(lambda hold: hold not in refusals)
        errors = free._do_each(lambda holds: holds._apply_release(plans, comment))
        answers |= {
            hold.id: (False, errors[hold.id]) if errors[hold.id] else (True, hold._get_done_message()) for hold in free
        }
        gone = self.env._("It is not there any more.")
        names = {hold.id: hold.display_name for hold in existing}
        return [
            self._prepare_answer(hold_id, names.get(hold_id, ""), *answers.get(hold_id, (False, gone)))
            for hold_id in self.ids
        ]

    @api.model
    def _prepare_answer(self, record_id, name, is_done, message):
        return {"id": record_id, "name": name, "ok": is_done, "message": message}

    def _do_each(self, function):
        """Call ``function`` on these records; when that fails, on each of them alone, so that none stops the others.

        :param function: takes a recordset, and raises a UserError where it can't be done
        :return: dict {id: the sentence of the error, or False}
        """
        try:
            with self.env.cr.savepoint():
                function(self)
        except UserError as error:
            self.env.invalidate_all()
            if len(self) == 1:
                return {self.id: str(error)}
            return {key: message for record in self for key, message in record._do_each(function).items()}
        return dict.fromkeys(self.ids, False)

    def _get_done_message(self):
        """Return what became of one hold that a person just approved."""
        return self.env._("Released") if self.state == "released" else self._get_next_step_message()
