from odoo import fields, models

from .const import CHANGE_KINDS


class OmsRehearsalLine(models.Model):
    """An order that fares otherwise by the rehearsed rules. Orders that fare the same are only counted."""

    _name = "oms.rehearsal.line"
    _description = "Rehearsed Order"
    _order = "rehearsal_id desc, date desc, id desc"
    _rec_name = "order_id"

    rehearsal_id = fields.Many2one("oms.rehearsal", required=True, index=True, ondelete="cascade", readonly=True)
    order_id = fields.Many2one("sale.order", required=True, index=True, ondelete="cascade", readonly=True)
    company_id = fields.Many2one("res.company", required=True, index=True, readonly=True)
    channel_id = fields.Many2one("oms.channel", index="btree_not_null", readonly=True)
    partner_id = fields.Many2one(related="order_id.partner_id")
    date = fields.Datetime(string="Order Date", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount_total = fields.Monetary(string="Total", readonly=True)
    kind = fields.Selection(CHANGE_KINDS, string="Change", required=True, readonly=True)
    before = fields.Char(string="Today", readonly=True)
    after = fields.Char(string="Rehearsed", readonly=True)
    reason = fields.Text(string="Why", readonly=True, help="The rules that matched, each in one sentence.")
    gift_cost = fields.Monetary(readonly=True)

    def action_view_order(self):
        """Open the order."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "sale.order",
            "res_id": self.order_id.id,
            "views": [(False, "form")],
        }
