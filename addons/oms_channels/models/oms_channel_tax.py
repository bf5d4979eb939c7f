from decimal import Decimal

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import float_compare, float_repr

from ..adapters.values import get_digits

# As many decimals of a percent as Odoo keeps.
RATE_DIGITS = 4
# A shop that rounds its rates keeps two decimals at least: 8.88 may be 8.875, but 9 is no 8.875.
ROUGHEST_STEP = Decimal("0.01")


class OmsChannelTax(models.Model):
    """Which tax a rate told by the shop is, where the rate alone does not say it."""

    _name = "oms.channel.tax"
    _description = "Channel Tax"
    _order = "channel_id, is_any_rate, rate"
    _check_company_auto = True

    channel_id = fields.Many2one("oms.channel", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="channel_id.company_id", store=True, index=True)
    rate = fields.Float(string="Rate (%)", digits=(16, RATE_DIGITS))
    is_any_rate = fields.Boolean(
        string="Any Other Rate",
        help="For shops where each place has its rate: this tax stands for all rates that have no row of their own, "
        "and its amount is what the shop charged.",
    )
    tax_id = fields.Many2one(
        "account.tax",
        required=True,
        check_company=True,
        index=True,
        ondelete="cascade",
        domain=[("type_tax_use", "=", "sale")],
    )

    _rate_uniq = models.UniqueIndex("(channel_id, rate) WHERE is_any_rate IS NOT TRUE", "This rate has a tax already.")
    _any_rate_uniq = models.UniqueIndex("(channel_id) WHERE is_any_rate", "Any other rate has a tax already.")

    @api.constrains("is_any_rate", "tax_id")
    def _check_is_any_rate(self):
        """What the shop charged is one amount, so it can't be that of several taxes, or of each piece."""
        for row in self:
            if row.is_any_rate and row.tax_id.amount_type != "percent":
                raise ValidationError(
                    self.env._("For any other rate choose a tax in percent: %(tax)s is none.", tax=row.tax_id.name)
                )


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
    total_tolerance = fields.Integer(
        default=5,
        help="In the smallest units of the order's currency, such as cents or yen. A difference of totals up to this "
        "is rounding and goes to a line of its own; a larger one puts the order on hold.",
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

    def _get_part_taxes(self, parts):
        """Return the tax that each of these parts was charged with; one that was charged none has none.

        :param parts: list of (ChannelLine or ChannelShipping, name of its currency)
        :return: dict {part: account.tax}
        :raise UserError: naming a rate that no tax has
        """
        self.ensure_one()
        none = self.env["account.tax"]
        taxes, rates = {}, {}
        for part, currency in parts:
            rate, tolerance = self._get_part_rate(part, currency)
            if rate:
                rates[part] = (rate, tolerance)
            else:
                taxes[part] = none
        mapped = [(row.rate, row.tax_id) for row in self.tax_ids if not row.is_any_rate]
        other, candidates = self._get_any_rate_tax(), None
        for part, (rate, tolerance) in rates.items():
            tax = self._find_nearest_tax(mapped, part, rate, tolerance)
            if not tax and other:
                tax = other if part.tax_amount and part.total != part.tax_amount else none
            elif not tax:
                if candidates is None:
                    found = self.env["account.tax"].search(self._get_tax_domain(), order="sequence, id")
                    candidates = [(tax.amount, tax) for tax in found]
                tax = self._find_nearest_tax(candidates, part, rate, tolerance)
                if not tax:
                    raise UserError(self._get_unknown_rate_error(rate))
            taxes[part] = tax
        return taxes

    def _get_any_rate_tax(self):
        """Return the tax of all rates that have no row of their own, empty when these are looked for by their rate."""
        return self.tax_ids.filtered("is_any_rate").tax_id

    def _find_nearest_tax(self, candidates, part, rate, tolerance):
        """Return the tax whose rate is the nearest one within the tolerance; of several with that rate the one that
        counts like the shop, then the first.

        :param candidates: list of (rate, account.tax)
        """
        fits = [row for row in candidates if float_compare(abs(row[0] - rate), tolerance, RATE_DIGITS + 2) <= 0]
        nearest = min(
            fits, key=lambda row: (abs(row[0] - rate), row[1].price_include != part.is_tax_included), default=None
        )
        return nearest[1] if nearest else self.env["account.tax"]

    def _get_unknown_rate_error(self, rate):
        return self.env._(
            "%(channel)s charged %(rate)s %% tax, but no sales tax of %(company)s has this rate. "
            "Create it, or map it in the channel's settings, then retry.",
            channel=self.name,
            rate=float_repr(rate, RATE_DIGITS).rstrip("0").rstrip("."),
            company=self.company_id.name,
        )

    def _get_tax_domain(self):
        """Return the domain of the taxes that a rate told by the shop may mean."""
        return (
            Domain("type_tax_use", "=", "sale")
            & Domain("amount_type", "=", "percent")
            & Domain("amount", "!=", 0)
            & Domain(self.env["account.tax"]._check_company_domain(self.company_id))
        )

    @api.model
    def _get_part_rate(self, part, currency):
        """Return the tax rate of a line or shipping charge in percent, and by how much it may be off: by as much as the
        shop rounds it; where it tells none, by as much as the rounding of the amounts makes of it.

        :param currency: its name
        :return: (rate, tolerance)
        """
        if part.tax_rate is not None:
            step = min(Decimal(1).scaleb(part.tax_rate.as_tuple().exponent), ROUGHEST_STEP)
            return float(part.tax_rate), max(float(step), 10**-RATE_DIGITS) / 2
        net = part.total - part.tax_amount
        if not part.tax_amount or not net:
            return 0.0, 0.0
        cent = Decimal(1).scaleb(-get_digits(currency))
        return float(part.tax_amount / net * 100), abs(float(cent / net * 100))

    def _prepare_price_values(self, part, quantity, price_unit, taxes):
        """Return price, discount and taxes of an order line, such that Odoo's subtotal is the shop's.

        A discount is kept as a percentage where that is exact; else it is taken off the price.

        :param part: ChannelLine or ChannelShipping
        :param quantity: Decimal that ``part.discount_amount`` was given for
        :param price_unit: Decimal
        :param taxes: see `_get_part_taxes`
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
        tax = taxes[part]
        price_unit, share, extra = float(price_unit), tax.amount / 100, False
        if tax and tax == self._get_any_rate_tax():
            share = float(part.tax_amount / (part.total - part.tax_amount))
            extra = tax._oms_prepare_charged(share)
        elif tax.amount_type == "group":
            share = self._get_part_rate(part, "")[0] / 100
        if tax and tax.price_include != part.is_tax_included:
            price_unit = price_unit / (1 + share) if part.is_tax_included else price_unit * (1 + share)
        return {
            "price_unit": price_unit,
            "discount": discount,
            "tax_ids": [fields.Command.set(tax.ids)],
            "extra_tax_data": extra,
        }
