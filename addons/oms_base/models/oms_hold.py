from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.fields import Domain

from ..const import GATES


class OmsHold(models.Model):
    """A reason why an order may not pass a gate. Several may stand at once; all must clear."""

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
    description = fields.Text(related="type_id.description")
    reason = fields.Text(required=True, readonly=True)
    rule_id = fields.Many2one("oms.rule", readonly=True, index="btree_not_null", ondelete="set null")
    data = fields.Json(string="Evidence", readonly=True, help="What the rule saw when it put the order on hold.")
    state = fields.Selection(
        [("active", "Active"), ("released", "Released")], default="active", required=True, readonly=True
    )
    auto_release_date = fields.Datetime(string="Releases Itself On", readonly=True)
    release_date = fields.Datetime(string="Released On", readonly=True)
    release_user_id = fields.Many2one("res.users", string="Released By", readonly=True)
    release_comment = fields.Text(string="Comment")
    can_release = fields.Boolean(compute="_compute_can_release")

    _active_uniq = models.UniqueIndex(
        "(order_id, type_id) WHERE state = 'active'", "The order already has an active hold of this type."
    )
    _auto_release_idx = models.Index("(auto_release_date) WHERE state = 'active' AND auto_release_date IS NOT NULL")

    @api.depends("type_id.name", "order_id.name")
    def _compute_display_name(self):
        for hold in self:
            hold.display_name = f"{hold.order_id.name}: {hold.type_id.name}"

    @api.depends_context("uid")
    @api.depends("type_id.group_id", "state")
    def _compute_can_release(self):
        for hold in self:
            hold.can_release = hold.state == "active" and hold._may_release()

    def action_release(self, comment=None):
        """Release the active holds among these; what nothing else blocks goes on by itself.

        :param comment: kept with the hold, beside what the person typed in its form
        :raise AccessError: when the user lacks the right that a hold's type asks for
        """
        holds = self.filtered(lambda hold: hold.state == "active")
        denied = holds.filtered(lambda hold: not hold._may_release())
        if denied:
            raise AccessError(
                self.env._(
                    "%(holds)s can only be released by the group %(groups)s. Ask one of its members.",
                    holds=", ".join(denied.mapped("display_name")),
                    groups=", ".join(denied.type_id.group_id.mapped("full_name")),
                )
            )
        holds._release(comment)
        return True

    def action_view_order(self):
        """Open the order that is held."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "views": [(False, "form")],
        }

    def _may_release(self):
        self.ensure_one()
        group = self.type_id.group_id
        return self.env.su or not group or self.env.user in group.all_user_ids

    def _release(self, comment=None):
        """Release without asking for the right: for the system itself, where the reason of the hold is gone."""
        holds = self.filtered(lambda hold: hold.state == "active")
        values = {"state": "released", "release_date": fields.Datetime.now(), "release_user_id": self.env.uid}
        if comment:
            values["release_comment"] = comment
        holds.write(values)
        for hold_type, type_holds in holds.grouped("type_id").items():
            type_holds.order_id._oms_log_event("released", message=hold_type.name, document=type_holds)
        holds.order_id._oms_trigger_review()

    @api.model
    def _cron_release_holds(self):
        """Release the holds whose time has come."""
        domain = Domain("state", "=", "active") & Domain("auto_release_date", "<=", fields.Datetime.now())
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=self.search_count(domain))
        for hold in self.search(domain, order="auto_release_date, id", limit=1000):
            hold = hold.try_lock_for_update().filtered_domain(domain)
            hold._release(self.env._("Released by itself at the set time."))
            if not cron._commit_progress(1):
                break

    @api.model
    def _prepare_hold_values(self, order, hold_type, reason, rule=None, data=None):
        """Return the values of one new hold on ``order``."""
        hours = hold_type.auto_release_hours
        return {
            "order_id": order.id,
            "type_id": hold_type.id,
            "gate": hold_type.gate,
            "reason": reason,
            "rule_id": rule.id if rule else False,
            "data": data,
            "auto_release_date": fields.Datetime.now() + timedelta(hours=hours) if hours else False,
        }
