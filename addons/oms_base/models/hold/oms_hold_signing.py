from odoo import api, fields, models

MAX_NAMES = 5


class OmsHold(models.Model):
    """Approvals in order: which steps a hold needs, which are signed, who is next."""

    _inherit = "oms.hold"

    approval_ids = fields.One2many("oms.hold.approval", "hold_id", string="Approvals", readonly=True)
    # Written with each approval, so that two persons who approve at once meet on the hold's row.
    approval_count = fields.Integer(string="Approved Steps", readonly=True, copy=False)
    next_step_id = fields.Many2one("oms.hold.approval.step", compute="_compute_next_step_id")
    next_approvers = fields.Char(
        string="Next",
        compute="_compute_next_approvers",
        help="Who may approve the next step, or release the hold.",
    )

    @api.depends("state", "type_id.step_ids", "approval_ids", "order_id.amount_total")
    def _compute_next_step_id(self):
        for hold in self:
            hold.next_step_id = hold._get_open_steps()[:1] if hold.state == "active" else False

    @api.depends("next_step_id", "type_id.group_id", "reason_ids.settled_date", "reason_ids.group_id")
    def _compute_next_approvers(self):
        for hold in self:
            # sudo: res.groups, res.users - the names of colleagues
            groups = (hold.next_step_id.group_id or hold._get_release_groups()).sudo()
            users = groups[:1].all_user_ids.filtered(lambda user: user.active and not user.share)
            for group in groups[1:]:
                users &= group.all_user_ids
            if hold.next_step_id and hold.type_id.is_four_eyes:
                users -= hold.approval_ids.user_id
            names = ", ".join(users[:MAX_NAMES].mapped("name"))
            more = "…" if len(users) > MAX_NAMES else ""
            label = ", ".join(groups.mapped("full_name"))
            hold.next_approvers = f"{label}: {names}{more}" if names else label

    def _get_steps(self):
        """Return the steps that one hold needs, by the amount of its order."""
        amount = self.order_id.amount_total / (self.order_id.currency_rate or 1.0)
        return self.type_id.step_ids.filtered(lambda step: amount >= step.amount_from)

    def _get_open_steps(self):
        """Return the steps of one hold that nobody has approved, the next one first."""
        return self._get_steps() - self.approval_ids.step_id

    def _get_next_step_message(self):
        """Return what a person reads who approved a step that is not the last."""
        return self.env._(
            "Approved. The next step is %(step)s (%(group)s).",
            step=self.next_step_id.name,
            group=self.next_step_id.group_id.sudo().full_name,  # sudo: res.groups - its name only
        )

    def _sign(self, plans, comment=None):
        """Keep the approvals of the plans and tell the timelines."""
        vals_list = [
            {
                "hold_id": hold.id,
                "step_id": step.id,
                "step_name": step.name,
                "user_id": self.env.uid,
                "on_behalf_id": signatory.id if signatory != self.env.user else False,
                "comment": comment or hold.release_comment,
            }
            for hold in self
            for step, signatory in plans[hold].signatures
        ]
        if not vals_list:
            return
        # sudo: oms.hold.approval, oms.hold - written by the release itself, after the right was checked
        approvals = self.env["oms.hold.approval"].sudo().create(vals_list)
        for count, holds in approvals.hold_id.grouped(lambda hold: len(hold.approval_ids)).items():
            holds.approval_count = count
        approvals._log_approvals()
