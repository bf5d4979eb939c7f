from odoo import fields, models


class OmsEvent(models.Model):
    """What happened to an order, in order: the timeline a person reads and the source of stage times.

    Append-only: nobody has the right to write it; `sale.order._oms_log_event` is the only way in.
    """

    _name = "oms.event"
    _description = "Order Event"
    _order = "date desc, id desc"
    _rec_name = "code"

    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    channel_id = fields.Many2one(related="order_id.channel_id", store=True, index="btree_not_null")
    code = fields.Selection(
        selection=[
            ("received", "Order received"),
            ("changed", "Order changed"),
            ("reviewed", "Reviewed"),
            ("held", "Put on hold"),
            ("approved", "Hold approved"),
            ("escalated", "Hold escalated"),
            ("released", "Hold released"),
            ("confirmed", "Confirmed"),
            ("merged", "Merged for shipping"),
            ("split", "Split for shipping"),
            ("unmerged", "Regrouping undone"),
            ("shipped", "Goods issued"),
            ("cancelled", "Cancelled"),
        ],
        string="Event",
        required=True,
        readonly=True,
    )
    date = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    user_id = fields.Many2one("res.users", string="By", readonly=True, default=lambda self: self.env.user)
    res_model = fields.Char(string="Document Model", readonly=True)
    res_id = fields.Many2oneReference(string="Document", model_field="res_model", readonly=True)
    message = fields.Char(string="Details", readonly=True)
    data = fields.Json(readonly=True)

    _order_date_idx = models.Index("(order_id, date DESC, id DESC)")
    _code_date_idx = models.Index("(code, date)")

    def action_open_document(self):
        """Open the document the event is about."""
        self.ensure_one()
        if not self.res_model or not self.res_id:
            return False
        return {
            "type": "ir.actions.act_window",
            "res_model": self.res_model,
            "res_id": self.res_id,
            "views": [(False, "form")],
        }
