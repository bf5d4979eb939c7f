from odoo import models


class ProductProduct(models.Model):
    _inherit = "product.product"

    def _oms_lock_stock(self):
        """Wait for and lock the stock of these products, so that what is read and promised next is true until the commit.

        To be called in batch, before stock is read to decide from where or whether something is sent. Whoever decided
        about the same products from an older state is sent back, even if nothing is reserved yet.

        :raise psycopg2.errors.SerializationFailure: when the stock changed since this transaction began; a request is
            then run again by Odoo itself, a job has to roll back and try again
        """
        # sudo: stock.location - which locations are locked must not depend on what the user may see
        locations_sudo = self.env["stock.location"].sudo().search([("usage", "in", ("internal", "transit"))])
        self.env["stock.quant"]._oms_lock(self, locations_sudo).get_quants()._oms_touch()
