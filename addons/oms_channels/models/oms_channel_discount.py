from odoo import api, fields, models
from odoo.fields import Command

from odoo.addons.oms_base.sharing import share

from .sale_order import READERS


class OmsChannelDiscount(models.Model):
    """Who gave a discount of an order that came from a shop: to be summed up by source. The order's prices are after
    them already, so nothing is counted of these rows."""

    _name = "oms.channel.discount"
    _description = "Channel Discount"
    _order = "id desc"
    _rec_name = "code"

    line_id = fields.Many2one(
        "sale.order.line", string="Order Line", required=True, index=True, ondelete="cascade", readonly=True
    )
    order_id = fields.Many2one(related="line_id.order_id", store=True, index=True)
    channel_id = fields.Many2one(related="order_id.channel_id", store=True, index="btree_not_null")
    company_id = fields.Many2one(related="order_id.company_id", store=True, index=True)
    partner_id = fields.Many2one(related="order_id.partner_id")
    product_id = fields.Many2one(related="line_id.product_id", store=True, index="btree_not_null")
    currency_id = fields.Many2one(related="order_id.currency_id", store=True)
    date = fields.Datetime(related="order_id.date_order", string="Order Date", store=True)
    source = fields.Selection(
        [
            ("seller", "Our Promotion"),
            ("platform", "Platform"),
            ("coupon", "Coupon"),
            ("manual", "By Hand"),
            ("other", "Not Told"),
        ],
        required=True,
        readonly=True,
        help="Who gives it: we by a promotion, the platform at its own cost, a code the buyer has, the shop's staff.",
    )
    code = fields.Char(string="Coupon or Promotion", readonly=True)
    amount = fields.Monetary(
        readonly=True, help="As the shop tells it: with tax where the prices of the shop include it."
    )
    is_tax_included = fields.Boolean(string="With Tax", readonly=True)


class SaleOrder(models.Model):
    _inherit = "sale.order"

    channel_discount_ids = fields.One2many(
        "oms.channel.discount", "order_id", string="Discounts", readonly=True, groups=READERS
    )

    @api.model
    def _prepare_discount_values(self, part, quantity, open_quantity, currency):
        """Return the values that keep the discounts of a line or charge: of what is still wanted of it, to the cent.

        :param part: ChannelLine or ChannelShipping
        :param quantity: units that its discounts are for
        :param open_quantity: units that are wanted
        :param currency: res.currency
        """
        if not part.discounts:
            return {}
        total = currency.round(float(part.discount_amount * open_quantity / quantity))
        weights = [float(discount.amount) for discount in part.discounts]
        amounts = share(total, weights, currency.decimal_places) if total > 0 else [total] * len(weights)
        rows = [
            {
                "source": discount.source,
                "code": discount.code or False,
                "amount": amount,
                "is_tax_included": part.is_tax_included,
            }
            for discount, amount in zip(part.discounts, amounts, strict=True)
            if not currency.is_zero(amount)
        ]
        return {"channel_discount_ids": [Command.clear(), *map(Command.create, rows)]}


class SaleOrderLine(models.Model):
    _inherit = "sale.order.line"

    channel_discount_ids = fields.One2many(
        "oms.channel.discount",
        "line_id",
        string="Discounts in the Channel",
        readonly=True,
        copy=False,
        groups=READERS,
    )
