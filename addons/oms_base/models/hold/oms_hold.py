from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Command

from ...const import GATES

RESOLUTIONS = [
    ("unchanged", "Released unchanged"),
    ("corrected", "Corrected"),
    ("settled", "Settled by itself"),
    ("expired", "Time was up"),
    ("approved", "Passed by a rule"),
    ("cancelled", "Cancelled"),
]


class OmsHold(models.Model):
    """Why an order may not pass a gate: one card for each type, with all reasons of that type (`oms.hold.reason`).
    Several may stand at once; all must clear."""

    _name = "oms.hold"
    _description = "Order Hold"
    _inherit = ["mail.thread", "mail.activity.mixin"]
    _order = "create_date desc, id desc"

    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade", readonly=True)
    partner_id = fields.Many2one(related="order_id.partner_id")
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    channel_id = fields.Many2one(related="order_id.channel_id", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="order_id.currency_id")
    amount_total = fields.Monetary(related="order_id.amount_total")
    type_id = fields.Many2one("oms.hold.type", required=True, index=True, ondelete="restrict", readonly=True)
    gate = fields.Selection(GATES, required=True, readonly=True)
    color = fields.Integer(related="type_id.color")
    severity = fields.Selection(related="type_id.severity")
    description = fields.Text(related="type_id.description")
    reason = fields.Text(required=True, readonly=True)
    rule_id = fields.Many2one(
        "oms.rule",
        readonly=True,
        index="btree_not_null",
        ondelete="set null",
        help="The first of the rules that hold the order.",
    )
    data = fields.Json(string="Evidence", readonly=True, help="What the rule saw when it put the order on hold.")
    user_id = fields.Many2one(
        "res.users", string="Reviewer", index="btree_not_null", help="Whose case it is; empty: anybody's."
    )
    state = fields.Selection(
        [("active", "Active"), ("released", "Released")], default="active", required=True, readonly=True, copy=False
    )

    # Release
    auto_release_date = fields.Datetime(string="Releases Itself On", readonly=True)
    release_date = fields.Datetime(string="Released On", readonly=True, copy=False)
    # By the number of its event it is known whether the order changed before or after, be it in the same second.
    release_number = fields.Integer(readonly=True, copy=False, aggregator=None)
    release_user_id = fields.Many2one("res.users", string="Released By", readonly=True, copy=False)
    release_comment = fields.Text(string="Comment", copy=False)
    resolution = fields.Selection(
        RESOLUTIONS,
        readonly=True,
        copy=False,
        help="How it ended. Released unchanged means that a person saw nothing to correct: a false alarm of the rule.",
    )

    _active_uniq = models.UniqueIndex(
        "(order_id, type_id, (gate = 'refund')) WHERE state = 'active'",
        "The order already has an active hold of this type.",
    )
    _active_type_idx = models.Index("(type_id, create_date) WHERE state = 'active'")
    _auto_release_idx = models.Index("(auto_release_date) WHERE state = 'active' AND auto_release_date IS NOT NULL")

    @api.depends("type_id.name", "order_id.name")
    def _compute_display_name(self):
        for hold in self:
            hold.display_name = f"{hold.order_id.name}: {hold.type_id.name}"

    def write(self, vals):
        """Keep the read-only fields from persons: a hold ends by its release, not by a write over RPC or an import."""
        locked = [name for name in vals if name in self._fields and self._fields[name].readonly]
        if locked and not self.env.su:
            raise AccessError(
                self.env._(
                    "%(fields)s of a hold can't be changed by hand. Release the hold, or review its order again.",
                    fields=", ".join(self._fields[name]._description_string(self.env) for name in locked),
                )
            )
        return super().write(vals)

    def action_view_order(self):
        """Open the order that is held."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "views": [(False, "form")],
        }

    @api.model
    def _prepare_reason_values(self, hold_type, reason, rule=None):
        """Return the values of one new reason of a hold of ``hold_type``."""
        hours = hold_type.auto_release_hours
        return {
            "name": reason,
            "rule_id": rule.id if rule else False,
            "gate": hold_type.gate,
            "auto_release_date": fields.Datetime.now() + timedelta(hours=hours) if hours else False,
        }

    @api.model
    def _prepare_hold_values(self, order, hold_type, reason_vals, data=None):
        """Return the values of one new hold on ``order``, which has one reason."""
        return {
            "order_id": order.id,
            "type_id": hold_type.id,
            "data": data,
            "reason": reason_vals["name"],
            "reason_ids": [Command.create(reason_vals)],
            **{name: reason_vals[name] for name in ("rule_id", "gate", "auto_release_date")},
        }
