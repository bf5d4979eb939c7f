from odoo import fields, models


class OmsDecision(models.Model):
    """Why something was decided for an order: what won, what lost, by which version of a rule, on which numbers."""

    _name = "oms.decision"
    _description = "Order Decision"
    _order = "id desc"
    _rec_name = "summary"

    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    channel_id = fields.Many2one(related="order_id.channel_id", store=True, index="btree_not_null")
    kind = fields.Selection([("review", "Review")], required=True, readonly=True)
    outcome = fields.Char(readonly=True, required=True, help="Short code of the result, for grouping: pass, hold, ...")
    summary = fields.Char(readonly=True, required=True)
    date = fields.Datetime(default=fields.Datetime.now, required=True, readonly=True)
    user_id = fields.Many2one("res.users", string="By", default=lambda self: self.env.user, readonly=True)
    data = fields.Json(
        readonly=True,
        help="What was seen and weighed. A review keeps {'matched': [{'id', 'name', 'version'}], 'judged': count}.",
    )
