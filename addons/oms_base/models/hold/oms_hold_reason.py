from odoo import api, fields, models

from ...const import GATE_NUMBERS, GATES

# What of a hold belongs to each of its reasons.
REASON_FIELDS = ("version_id", "gate", "group_id", "auto_release_date")


class OmsHoldReason(models.Model):
    """What one rule, or the suite itself, has against an order. Rules that ask for the same type of hold share one
    card: it names all their reasons, stands until the last of them is gone, and who releases it releases them all."""

    _name = "oms.hold.reason"
    _description = "Hold Reason"
    _order = "id"

    hold_id = fields.Many2one("oms.hold", required=True, index=True, ondelete="cascade", readonly=True)
    rule_id = fields.Many2one("oms.rule", readonly=True, index="btree_not_null", ondelete="set null")
    version_id = fields.Many2one(
        "oms.rule.version", string="Rule Version", readonly=True, index="btree_not_null", ondelete="set null"
    )
    sentence = fields.Text(related="version_id.sentence", string="Rule in Words")
    name = fields.Text(string="Reason", required=True, readonly=True)
    gate = fields.Selection(GATES, required=True, readonly=True)
    group_id = fields.Many2one(
        "res.groups",
        string="May Be Released By",
        readonly=True,
        help="Set by the rule, instead of the hold type's own.",
    )
    auto_release_date = fields.Datetime(string="Releases Itself On", readonly=True)
    settled_date = fields.Datetime(
        string="Gone Since", readonly=True, help="When the reason went away, while others kept the hold or none did."
    )

    _standing_uniq = models.UniqueIndex(
        "(hold_id, rule_id) WHERE settled_date IS NULL AND rule_id IS NOT NULL", "The rule holds the order already."
    )

    def _settle(self, comment):
        """These reasons are gone. A hold that none is left of is released; another says what still stands."""
        # sudo: oms.hold.reason - whoever's change made the reason go away
        gone = self.sudo().filtered(lambda reason: not reason.settled_date and reason.hold_id.state == "active")
        if not gone:
            return
        gone.settled_date = fields.Datetime.now()
        holds = gone.hold_id
        standing = holds.filtered("standing_reason_ids")
        (holds - standing)._release(comment, resolution="settled")
        standing._follow_reasons()

    def _prepare_joint_values(self):
        """Return the values of the hold that has these reasons: all their words, the first gate that one of them
        blocks, and the time when the last of them lets go by itself."""
        dates = self.mapped("auto_release_date")
        return {
            "reason": "\n".join(dict.fromkeys(self.mapped("name"))),
            "rule_id": self.rule_id[:1].id,
            "gate": min(self.mapped("gate"), key=lambda gate: GATE_NUMBERS.get(gate, 0)),
            "auto_release_date": max(dates) if all(dates) else False,
        }


class OmsHold(models.Model):
    """The reasons of a hold."""

    _inherit = "oms.hold"

    reason_ids = fields.One2many("oms.hold.reason", "hold_id", string="Reasons", readonly=True, copy=True)
    standing_reason_ids = fields.One2many(
        "oms.hold.reason", compute="_compute_standing_reason_ids", help="The reasons that are not gone."
    )

    @api.depends("reason_ids.settled_date")
    def _compute_standing_reason_ids(self):
        for hold in self:
            hold.standing_reason_ids = hold.reason_ids.filtered(lambda reason: not reason.settled_date)

    def _follow_reasons(self):
        """Bring these holds in line with the reasons that stand."""
        for hold in self:
            hold.write(hold.standing_reason_ids._prepare_joint_values())

    def _get_own_reasons(self):
        """Return the standing reasons that no rule gave, but the suite itself."""
        return self.standing_reason_ids.filtered(lambda reason: not reason.rule_id)

    def _settle_own_reasons(self, comment):
        """What the suite itself had against the orders is gone; what rules have against them stands."""
        self._get_own_reasons()._settle(comment)

    def _reword_own_reasons(self, words):
        """Say anew what the suite itself has against these orders."""
        self._get_own_reasons().name = words
        self._follow_reasons()

    def _add_reasons(self, vals_by_hold, data_by_hold):
        """Add one reason each to these active holds, unless its rule (or the suite itself) holds the order already.
        Approvals that were given before did not know of it, so they are asked for again.

        :return: the holds that have a new reason
        """
        added = self.filtered(
            lambda hold: vals_by_hold[hold]["rule_id"] not in [reason.rule_id.id for reason in hold.standing_reason_ids]
        )
        self.env["oms.hold.reason"].create([{**vals_by_hold[hold], "hold_id": hold.id} for hold in added])
        added.approval_ids.unlink()
        for hold in added:
            values = hold.standing_reason_ids._prepare_joint_values()
            hold.write({**values, "approval_count": 0, "data": {**(hold.data or {}), **(data_by_hold[hold] or {})}})
        return added
