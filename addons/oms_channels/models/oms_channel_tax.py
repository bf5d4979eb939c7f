from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import float_compare

# Two decimals of a percent tell all tax rates apart.
RATE_DIGITS = 2


class OmsChannelTax(models.Model):
    """Which tax a rate told by the shop is, where the rate alone does not say it."""

    _name = "oms.channel.tax"
    _description = "Channel Tax"
    _order = "channel_id, rate"
    _check_company_auto = True

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    rate = fields.Float(string="Rate (%)", required=True, digits=(16, RATE_DIGITS))
    tax_id = fields.Many2one(
        "account.tax",
        required=True,
        check_company=True,
        index=True,
        ondelete="cascade",
        domain=[("type_tax_use", "=", "sale")],
    )

    _rate_uniq = models.Constraint("UNIQUE(channel_id, rate)", "This rate has a tax already.")


class OmsChannel(models.Model):
    """How the amounts of a channel become amounts of ours."""

    _inherit = "oms.channel"

    tax_source = fields.Selection(
        [("shop", "As charged by the shop"), ("odoo", "By the products' taxes here")],
        string="Taxes",
        default="shop",
        required=True,
        help="As charged: the tax with the rate the shop names. By the products: Odoo decides, and a total that "
        "differs from the shop's is put on hold.",
    )
    tax_ids = fields.One2many("oms.channel.tax", "channel_id", string="Tax Mapping")
    total_tolerance = fields.Float(
        default=0.05,
        digits=(16, 2),
        help="A difference of totals up to this is rounding and goes to a line of its own; a larger one puts the order "
        "on hold.",
    )
    shipping_product_id = fields.Many2one(
        "product.product",
        string="Shipping Charge",
        check_company=True,
        domain=[("type", "=", "service")],
        default=lambda self: self.env.ref("oms_channels.product_shipping", raise_if_not_found=False),
        help="Product of the order line for what the buyer pays for shipping.",
    )
    rounding_product_id = fields.Many2one(
        "product.product",
        string="Rounding",
        check_company=True,
        domain=[("type", "=", "service")],
        default=lambda self: self.env.ref("oms_channels.product_rounding", raise_if_not_found=False),
        help="Product of the order line that takes the cents between the shop's total and ours.",
    )

    def _get_taxes_by_rate(self, parts):
        """Return the tax of each rate that these parts (ChannelLine, ChannelShipping) were charged with.

        :return: dict {rate: account.tax}; a rate of 0 has none
        :raise UserError: naming a rate that no tax has
        """
        self.ensure_one()
        rates = {self._get_part_rate(part) for part in parts} - {0.0}
        taxes = {row.rate: row.tax_id for row in self.tax_ids}
        wanted = rates - taxes.keys()
        if wanted:
            is_included = any(part.is_tax_included for part in parts)
            candidates = self.env["account.tax"].search(self._get_tax_domain(wanted), order="sequence, id")
            # Of two taxes of a rate the one that counts like the shop comes last, and stays.
            for tax in candidates.sorted(lambda tax: tax.price_include == is_included):
                taxes[round(tax.amount, RATE_DIGITS)] = tax
        for rate in rates:
            if rate not in taxes:
                raise UserError(
                    self.env._(
                        "%(channel)s charged %(rate)s %% tax, but no sales tax of %(company)s has this rate. "
                        "Create it, or map it in the channel's settings, then retry.",
                        channel=self.name,
                        rate=rate,
                        company=self.company_id.name,
                    )
                )
        return taxes

    def _get_tax_domain(self, rates):
        """Return the domain of the taxes that a rate told by the shop may mean."""
        return (
            Domain("type_tax_use", "=", "sale")
            & Domain("amount_type", "=", "percent")
            & Domain("amount", "in", list(rates))
            & Domain(self.env["account.tax"]._check_company_domain(self.company_id))
        )

    @api.model
    def _get_part_rate(self, part):
        """Return the tax rate of a line or shipping charge in percent; if the shop does not tell, by its amounts."""
        if part.tax_rate is not None:
            return round(float(part.tax_rate), RATE_DIGITS)
        net = part.total - part.tax_amount
        return round(float(part.tax_amount / net * 100), 0) if part.tax_amount and net else 0.0

    def _prepare_price_values(self, part, quantity, price_unit, taxes):
        """Return price, discount and taxes of an order line, such that Odoo's subtotal is the shop's.

        A discount is kept as a percentage where that is exact; else it is taken off the price.

        :param part: ChannelLine or ChannelShipping
        :param quantity: Decimal that ``part.discount_amount`` was given for
        :param price_unit: Decimal
        :param taxes: see `_get_taxes_by_rate`
        """
        discount = 0.0
        gross = price_unit * quantity
        if part.discount_amount and gross:
            percent = float(part.discount_amount / gross * 100)
            if float_compare(percent, round(percent, 2), precision_digits=9) == 0:
                discount = round(percent, 2)
            else:
                price_unit = (gross - part.discount_amount) / quantity
        if self.tax_source == "odoo":
            return {"price_unit": float(price_unit), "discount": discount}
        rate = self._get_part_rate(part)
        tax = taxes[rate] if rate else self.env["account.tax"]
        price_unit = float(price_unit)
        if tax and tax.price_include != part.is_tax_included:
            factor = 1 + rate / 100
            price_unit = price_unit / factor if part.is_tax_included else price_unit * factor
        return {"price_unit": price_unit, "discount": discount, "tax_ids": [fields.Command.set(tax.ids)]}
