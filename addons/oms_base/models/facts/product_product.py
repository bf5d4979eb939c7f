from odoo import models


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _oms_explode(self, quantity):
        """Return {product: quantity} of what leaves the shelf when ``quantity`` of this product is sold.

        To be overridden by an addon that knows kits (phantom bills of materials) or bundles. Called for every line of a
        batch, so it must not read anew what it has read for the product before.
        """
        self.ensure_one()
        return {self: quantity}
