from odoo import api, models

# Where lines keep that their tax was charged by somebody else, at a rate that this tax need not have.
CHARGED = "oms_charged"


class AccountTax(models.Model):
    _inherit = "account.tax"

    @api.model
    def _import_base_line_extra_tax_data(self, base_line, extra_tax_data):
        """Override of `account`: a tax that was charged elsewhere is what it was there, whatever the quantity and price
        of the line are by now: a part of an order is invoiced, cancelled or credited at the same rate."""
        values = super()._import_base_line_extra_tax_data(base_line, extra_tax_data)
        tax = base_line["tax_ids"]._origin
        share = tax._oms_get_charged_share(extra_tax_data)
        if share is None:
            return values
        amount = base_line["price_unit"] * base_line["quantity"] * (1 - base_line["discount"] / 100)
        if tax.price_include:
            net = base_line["currency_id"].round(amount / (1 + share))
            values["manual_total_excluded_currency"] = net
        else:
            net = amount
        charged = amount - net if tax.price_include else net * share
        values["manual_tax_amounts"] = {
            str(tax.id): {"base_amount_currency": net, "tax_amount_currency": charged},
        }
        return values

    def _oms_prepare_charged(self, share):
        """Return the ``extra_tax_data`` of a line whose one tax, this, was charged elsewhere.

        :param share: what was charged for each unit of money, e.g. 0.08875
        """
        return {CHARGED: {"tax_id": self.id, "share": share}}

    @api.model
    def _oms_keep_charged(self, extra_tax_data):
        """Return the ``extra_tax_data`` of another line of the same goods: Odoo's own belongs to one line only."""
        charged = (extra_tax_data or {}).get(CHARGED)
        return {CHARGED: charged} if charged else False

    def _oms_get_charged_share(self, extra_tax_data):
        """Return what was charged as these taxes for each unit of money, None where they are counted by their rates."""
        charged = (extra_tax_data or {}).get(CHARGED)
        return charged["share"] if charged and self.ids == [charged["tax_id"]] else None

    def _oms_get_price(self, amount, product, currency, extra_tax_data=None):
        """Return the unit price at which one unit costs ``amount``, these taxes included.

        :param product: product.product, may be empty
        :param extra_tax_data: of the line that the amount is for
        """
        share = self._oms_get_charged_share(extra_tax_data)
        if share is not None:
            return currency.round(amount if self.price_include else amount / (1 + share))
        details = self._get_tax_details(amount, 1.0, special_mode="total_included", product=product)
        # A tax that is included in prices expects it in the price; the mode makes all look so.
        included = sum(data["tax_amount"] for data in details["taxes_data"] if data["tax"].price_include)
        return currency.round(details["total_excluded"] + included)
