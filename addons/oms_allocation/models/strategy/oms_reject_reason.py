from odoo import fields, models

EFFECTS = [
    ("none", "Nothing: the goods are there"),
    ("quantity", "What was asked for can't be sold until it is counted"),
    ("all", "None of the product can be sold there until it is counted"),
]


class OmsRejectReason(models.Model):
    """Why a warehouse does not send what it was given, and what that says about its stock."""

    _name = "oms.reject.reason"
    _description = "Rejection Reason"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    sequence = fields.Integer(default=10)
    effect = fields.Selection(EFFECTS, string="What It Says of the Stock", required=True, default="none")
