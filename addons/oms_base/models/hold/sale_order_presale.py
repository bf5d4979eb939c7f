from odoo import api, fields, models
from odoo.fields import Domain


class SaleOrder(models.Model):
    """Pre-sale: paid in part, sent when the balance is paid and the promised day has come."""

    _inherit = "sale.order"

    oms_is_presale = fields.Boolean(string="Pre-sale", copy=False, help="Ordered before it can be sent.")
    oms_presale_ship_date = fields.Date(
        string="Ships From", copy=False, help="The day the shop promised; the order does not leave before."
    )
    oms_amount_paid = fields.Monetary(
        string="Paid in the Channel", copy=False, help="What the buyer has paid in the channel so far."
    )
    oms_balance_due = fields.Monetary(
        string="Balance Due",
        compute="_compute_oms_balance_due",
        store=True,
        help="What the buyer of a pre-sale still has to pay in the channel.",
    )
    oms_awaits_balance = fields.Boolean(
        string="Waits for the Balance",
        compute="_compute_oms_awaits_balance",
        search="_search_oms_awaits_balance",
        help="A pre-sale that is not paid in full.",
    )
    oms_awaits_ship_date = fields.Boolean(
        string="Waits for the Ship Date",
        compute="_compute_oms_awaits_ship_date",
        search="_search_oms_awaits_ship_date",
        help="The promised day is still to come.",
    )

    @api.depends("oms_is_presale", "oms_amount_paid", "amount_total", "channel_amount_total")
    def _compute_oms_balance_due(self):
        for order in self:
            due = (order.channel_amount_total or order.amount_total) - order.oms_amount_paid
            due = order.currency_id.round(due) if order.currency_id else due
            order.oms_balance_due = max(due, 0.0) if order.oms_is_presale else 0.0

    @api.depends("oms_balance_due")
    def _compute_oms_awaits_balance(self):
        for order in self:
            order.oms_awaits_balance = order.oms_balance_due > 0

    def _search_oms_awaits_balance(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("oms_balance_due", ">", 0)

    @api.depends("oms_presale_ship_date")
    def _compute_oms_awaits_ship_date(self):
        today = fields.Date.context_today(self)
        for order in self:
            order.oms_awaits_ship_date = bool(order.oms_presale_ship_date and order.oms_presale_ship_date > today)

    def _search_oms_awaits_ship_date(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain("oms_presale_ship_date", ">", fields.Date.context_today(self))
