from collections import defaultdict
from functools import partial

from odoo import api, fields, models
from odoo.fields import Domain

from ...tools import work_undisturbed

ACTIVITY = "mail.mail_activity_data_todo"


class OmsHold(models.Model):
    """Who looked at a hold first, how long it took, and what happens when nobody does."""

    _inherit = "oms.hold"

    touch_date = fields.Datetime(
        string="Touched On",
        readonly=True,
        copy=False,
        help="When a person first opened the case in the review desk or commented.",
    )
    touch_user_id = fields.Many2one("res.users", string="Touched By", readonly=True, copy=False)
    handling_minutes = fields.Float(
        string="Hand-on Time (minutes)",
        compute="_compute_handling_minutes",
        store=True,
        aggregator="avg",
        help="From the first touch to the release.",
    )
    escalation_date = fields.Datetime(string="Escalated On", readonly=True, copy=False)
    escalation_level = fields.Integer(readonly=True, copy=False, aggregator="max")

    _untouched_idx = models.Index(
        "(type_id, create_date) WHERE state = 'active' AND touch_date IS NULL AND escalation_date IS NULL"
    )

    @api.depends("touch_date", "release_date")
    def _compute_handling_minutes(self):
        for hold in self:
            is_measured = hold.touch_date and hold.release_date
            seconds = (hold.release_date - hold.touch_date).total_seconds() if is_measured else 0.0
            hold.handling_minutes = max(seconds, 0.0) / 60

    def _touch(self):
        """Note that this user has these holds in hand; who was first stays."""
        untouched = self.filtered(lambda hold: hold.state == "active" and not hold.touch_date)
        if untouched:
            # sudo: oms.hold - looking at a hold leaves this trace, whoever looks
            untouched.sudo().write({"touch_date": fields.Datetime.now(), "touch_user_id": self.env.uid})

    def _message_post_after_hook(self, message, msg_values):
        """Override of `mail`: a comment is a touch."""
        if message.message_type == "comment" and self.env.user._is_internal():
            self._touch()
        return super()._message_post_after_hook(message, msg_values)

    # === ESCALATION === #

    @api.model
    def _cron_escalate_holds(self):
        """Tell somebody of the holds that nobody has touched for the time their type allows; each once."""
        cron = self.env["ir.cron"]
        hold_types = self.env["oms.hold.type"].search([("escalate_hours", ">", 0)])
        domains = {hold_type: hold_type._get_overdue_hold_domain() for hold_type in hold_types}
        cron._commit_progress(remaining=self.search_count(Domain.OR(domains.values())))
        for domain in domains.values():
            work = partial(type(self)._escalate_due, domain=domain)
            if not cron._oms_work_in_steps(self.search(domain, order="id"), work):
                return

    def _escalate_due(self, domain):
        """Escalate those of these holds that nobody has at work. :return: how many are done"""

        def work():
            self.try_lock_for_update(allow_referencing=True).filtered_domain(domain)._escalate()

        return len(self) if work_undisturbed(self.env, work) else 0

    def _escalate(self):
        """Mark these holds, give somebody an activity for them, and tell the timelines."""
        if not self:
            return
        self.write({"escalation_date": fields.Datetime.now(), "escalation_level": 1})
        self.order_id.fetch(["name"])  # an activity asks for the name of its document one by one
        holds_by_user = defaultdict(self.browse)
        for hold in self:
            holds_by_user[hold._get_escalation_user()] |= hold
        for user, holds in holds_by_user.items():
            if user:
                # Without Odoo's e-mail for each activity: a hundred at once would bury what they say.
                holds.with_context(mail_activity_quick_update=True).activity_schedule(
                    ACTIVITY, summary=self.env._("Nobody has looked at this hold"), user_id=user.id
                )
            for hold_type, type_holds in holds.grouped("type_id").items():
                message = " · ".join(part for part in (hold_type.name, user.name) if part)
                type_holds.order_id._oms_log_event("escalated", message=message, document=type_holds)

    def _get_escalation_user(self):
        """Return who is told of one hold that nobody touches, or none."""
        hold_type = self.type_id
        members = hold_type.escalate_group_id.all_user_ids.filtered(
            lambda user: user.active and not user.share and self.company_id in user.company_ids
        )
        return hold_type.escalate_user_id or members.sorted("id")[:1] or self.channel_id.user_id

    def _close_escalation(self):
        """Take the activities of these released holds off the lists of those who were told."""
        escalated = self.filtered("escalation_date")
        if escalated:
            escalated.activity_unlink([ACTIVITY])
