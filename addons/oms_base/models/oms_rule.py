import ast

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain


class OmsRule(models.Model):
    """A review rule: for the orders of a domain, put a hold. Judged for many orders at a time, in sequence."""

    _name = "oms.rule"
    _description = "Review Rule"
    _inherit = ["mail.thread"]
    _order = "sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    active = fields.Boolean(default=True, tracking=True)
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one("res.company", index=True, help="Leave empty for all companies.")
    channel_ids = fields.Many2many("oms.channel", string="Channels", help="Leave empty for all channels.")
    domain = fields.Char(
        string="Orders", required=True, default="[]", tracking=True, help="The orders this rule is about."
    )
    hold_type_id = fields.Many2one("oms.hold.type", required=True, ondelete="restrict", tracking=True)
    reason = fields.Char(
        translate=True, help="What the person who looks at the hold reads first. Empty: the name of the rule."
    )
    version = fields.Integer(
        default=1,
        readonly=True,
        copy=False,
        help="Grows with each change; decisions name the version they were made by.",
    )
    hold_ids = fields.One2many("oms.hold", "rule_id")
    hold_count = fields.Integer(string="Holds", compute="_compute_hold_count")

    def _compute_hold_count(self):
        counts = dict(self.env["oms.hold"]._read_group([("rule_id", "in", self.ids)], ["rule_id"], ["__count"]))
        for rule in self:
            rule.hold_count = counts.get(rule, 0)

    @api.constrains("domain")
    def _check_domain(self):
        for rule in self:
            try:
                rule._get_order_domain().validate(self.env["sale.order"])
            except (ValueError, SyntaxError, TypeError) as error:
                raise ValidationError(
                    self.env._(
                        "The conditions of the rule %(rule)s can't be read: %(error)s. Set them again in the editor.",
                        rule=rule.name,
                        error=error,
                    )
                ) from error

    def write(self, vals):
        if self._get_versioned_fields() & set(vals) and "version" not in vals:
            for rule in self:
                super(OmsRule, rule).write({**vals, "version": rule.version + 1})
            return True
        return super().write(vals)

    @api.model
    def _get_versioned_fields(self):
        """Return the fields whose change makes a new version. To be extended with what else changes a rule's work."""
        return {"domain", "hold_type_id", "channel_ids", "company_id"}

    def _get_order_domain(self):
        """Return the Domain of the orders this rule is about, its scope of company and channel included."""
        self.ensure_one()
        domain = Domain(ast.literal_eval(self.domain or "[]"))
        if self.company_id:
            domain &= Domain("company_id", "=", self.company_id.id)
        if self.channel_ids:
            domain &= Domain("channel_id", "in", self.channel_ids.ids)
        return domain

    def _judge(self, orders):
        """Return {rule: the orders it matches}. Facts are computed once for the whole batch."""
        return {rule: orders.filtered_domain(rule._get_order_domain()) for rule in self}

    def action_view_holds(self):
        """Open the holds this rule has put."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_base.oms_hold_action")
        return {**action, "domain": [("rule_id", "=", self.id)], "context": {}}
