from datetime import timedelta

from odoo import fields, models
from odoo.fields import Domain

from ...const import GATES


class OmsHoldType(models.Model):
    _name = "oms.hold.type"
    _description = "Hold Type"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Short technical name by which the suite finds this type.")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    severity = fields.Selection(
        [("1", "Low"), ("2", "Medium"), ("3", "High")],
        required=True,
        default="2",
        help="Rules can pass holds up to a severity; the review desk shows the highest first.",
    )
    gate = fields.Selection(
        GATES,
        required=True,
        default="confirm",
        help="The step that is blocked, and every later one up to shipping with it. Refund blocks only refunds.",
    )
    description = fields.Text(string="What to Do", translate=True, help="Shown to the person who looks at the hold.")

    # Release
    group_id = fields.Many2one(
        "res.groups",
        string="May Be Released By",
        help="Empty: everybody who may review orders may release it. Not used where approval steps are set.",
    )
    auto_release_hours = fields.Float(
        string="Released After (hours)", help="The hold releases itself after this time. 0: a person has to release it."
    )
    is_comment_required = fields.Boolean(
        string="Comment Required", help="Nobody can release it without saying what was settled, and how."
    )
    step_ids = fields.One2many("oms.hold.approval.step", "type_id", string="Approval Steps", copy=True)
    is_four_eyes = fields.Boolean(
        string="Each Step by Another Person",
        default=True,
        help="Who approved one step can't approve the next, whatever groups they have.",
    )

    # Escalation
    escalate_hours = fields.Float(
        string="Escalated After (hours)",
        default=24.0,
        help="When nobody has touched the hold for this time, somebody else is told. 0: never.",
    )
    escalate_user_id = fields.Many2one("res.users", string="Escalate To")
    escalate_group_id = fields.Many2one(
        "res.groups",
        string="Escalate To Group",
        help="Its first member gets the activity when no user is named. Without both, it is the channel's responsible.",
    )

    _code_uniq = models.Constraint("UNIQUE(code)", "A hold type's code must be unique.")

    def _is_passable(self, severity):
        """Return whether a rule that lets orders pass holds up to ``severity`` may pass holds of one type: not where
        several persons have to approve."""
        self.ensure_one()
        return self.severity <= severity and not self.step_ids

    def _get_overdue_hold_domain(self):
        """Return the domain of the holds of one type that nobody was told of and nobody touched in time: from the
        beginning on, or, where several have to approve, since the last of them did."""
        self.ensure_one()
        limit = fields.Datetime.now() - timedelta(hours=self.escalate_hours)
        is_open = (
            Domain("type_id", "=", self.id) & Domain("state", "=", "active") & Domain("escalation_date", "=", False)
        )
        is_untouched = Domain("touch_date", "=", False) & Domain("create_date", "<=", limit)
        waits_for_next = Domain("approval_ids", "!=", False) & Domain(
            "approval_ids", "not any", Domain("date", ">", limit)
        )
        return is_open & (is_untouched | waits_for_next)
