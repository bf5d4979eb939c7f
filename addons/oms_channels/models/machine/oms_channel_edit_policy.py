from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Command

from odoo.addons.oms_base.const import STAGE_NUMBERS

PARTS = [
    ("address", "Delivery Address"),
    ("billing", "Billing Address and E-Mail"),
    ("lines", "Products and Quantities"),
    ("shipping", "Shipping Method"),
    ("note", "Buyer's Note"),
    ("total", "Total"),
    ("ship_date", "Ship Date"),
]
DECISIONS = [("apply", "Apply"), ("hold", "Hold"), ("ignore", "Ignore")]
# Before the warehouse begins, Odoo's documents follow the order; after that a person must.
STAGES = ("review", "ready", "picked", "packed", "shipped")
CAN_APPLY = {"address": STAGES[:2], "lines": STAGES[:2], "shipping": STAGES[:2], "total": STAGES[:1]}
DEFAULTS = {
    "address": ("apply", "hold", "hold", "hold", "hold"),
    "billing": ("apply", "apply", "apply", "apply", "hold"),
    "lines": ("apply", "hold", "hold", "hold", "hold"),
    "shipping": ("apply", "hold", "hold", "hold", "ignore"),
    "total": ("apply", "hold", "hold", "hold", "hold"),
    "note": ("apply", "ignore", "ignore", "ignore", "ignore"),
    "ship_date": ("apply", "apply", "apply", "apply", "apply"),
}


class OmsChannelEditPolicy(models.Model):
    """What a shop may still change of an order, by how far the order is. One row for each part of an order."""

    _name = "oms.channel.edit.policy"
    _description = "Changes by the Shop"
    _order = "channel_id, id"
    _rec_name = "part"

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    part = fields.Selection(PARTS, string="What the Shop Changes", required=True)
    review = fields.Selection(DECISIONS, string="To Review", required=True, default="apply")
    ready = fields.Selection(DECISIONS, string="Confirmed, Not Picked", required=True, default="hold")
    picked = fields.Selection(DECISIONS, string="Being Picked", required=True, default="hold")
    packed = fields.Selection(DECISIONS, required=True, default="hold")
    shipped = fields.Selection(DECISIONS, required=True, default="hold")

    _part_uniq = models.Constraint("UNIQUE(channel_id, part)", "This part of an order has its row already.")

    @api.constrains("part", "picked", "packed", "shipped", "ready")
    def _check_can_apply(self):
        """What nobody can carry out is no policy."""
        parts, stages = dict(self._fields["part"]._description_selection(self.env)), self.fields_get(STAGES, ["string"])
        for policy in self:
            for stage in set(STAGES) - set(CAN_APPLY.get(policy.part, STAGES)):
                if policy[stage] == "apply":
                    raise ValidationError(
                        self.env._(
                            "%(part)s can't be applied in the stage %(stage)s: choose Hold or Ignore.",
                            part=parts[policy.part],
                            stage=stages[stage]["string"],
                        )
                    )


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    edit_policy_ids = fields.One2many(
        "oms.channel.edit.policy",
        "channel_id",
        string="Changes by the Shop",
        default=lambda self: [Command.create(vals) for vals in self._prepare_edit_policies()],
        copy=True,
    )

    @api.model
    def _prepare_edit_policies(self):
        """Return the values of the usual policy, a row for each part."""
        return [{"part": part, **dict(zip(STAGES, decisions, strict=True))} for part, decisions in DEFAULTS.items()]

    def action_reset_edit_policies(self):
        """Bring the policy back to what is usual."""
        self.write(
            {
                "edit_policy_ids": [
                    Command.clear(),
                    *(Command.create(vals) for vals in self._prepare_edit_policies()),
                ]
            }
        )
        return True

    def _get_edit_decision(self, part, stage):
        """Return what becomes of a change: "apply", "hold" or "ignore". A part without a row goes by what is usual.

        :param stage: one of STAGES
        """
        policy = self.edit_policy_ids.filtered(lambda row: row.part == part)[:1]
        return policy[stage] if policy else DEFAULTS[part][STAGES.index(stage)]


class SaleOrder(models.Model):
    _inherit = "sale.order"

    def _get_edit_stage(self):
        """Return how far the order is, in the words of the policy."""
        self.ensure_one()
        if self.state in ("draft", "sent"):
            return "review"
        number, pickings = self.oms_stage_number, self._oms_get_outbound_pickings()
        done = pickings.filtered(lambda picking: picking.state == "done")
        # A hold hides the stage, so the transfers are asked as well.
        if number >= STAGE_NUMBERS["part_shipped"] or done._oms_filter_deliveries():
            return "shipped"
        if number >= STAGE_NUMBERS["packed"]:
            return "packed"
        if number >= STAGE_NUMBERS["picked"] or done or any(move.picked for move in pickings.move_ids):
            return "picked"
        return "ready"
