from odoo import models


class AccountTax(models.Model):
    _inherit = "account.tax"

    def _oms_get_price(self, amount, product, currency):
        """Return the unit price at which one unit costs ``amount``, these taxes included.

        :param product: product.product, may be empty
        """
        details = self._get_tax_details(amount, 1.0, special_mode="total_included", product=product)
        # A tax that is included in prices expects it in the price; the mode makes all look so.
        included = sum(data["tax_amount"] for data in details["taxes_data"] if data["tax"].price_include)
        return currency.round(details["total_excluded"] + included)
