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

    def _oms_filter_kits(self):
        """Return those of these products that leave the shelf as their parts, however many there are, in one query. To
        be overridden together with `_oms_explode`."""
        return self.browse()

    def _oms_find_bundles(self):
        """Return the products of which any of these is a part. To be overridden together with `_oms_explode`."""
        return self.browse()
