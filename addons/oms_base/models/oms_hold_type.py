from odoo import fields, models

from ..const import GATES


class OmsHoldType(models.Model):
    _name = "oms.hold.type"
    _description = "Hold Type"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True, help="Short technical name by which the suite finds this type.")
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer()
    gate = fields.Selection(
        GATES,
        required=True,
        default="confirm",
        help="The step that is blocked, and every later one up to shipping with it. Refund blocks only refunds.",
    )
    group_id = fields.Many2one(
        "res.groups", string="May Be Released By", help="Empty: everybody who may review orders may release it."
    )
    auto_release_hours = fields.Float(
        string="Released After (hours)", help="The hold releases itself after this time. 0: a person has to release it."
    )
    description = fields.Text(string="What to Do", translate=True, help="Shown to the person who looks at the hold.")

    _code_uniq = models.Constraint("UNIQUE(code)", "A hold type's code must be unique.")
