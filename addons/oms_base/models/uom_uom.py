from odoo import models
from odoo.tools import float_repr, formatLang


class UomUom(models.Model):
    _inherit = "uom.uom"

    def _oms_format(self, quantity):
        """Return a quantity as people read it: as their language writes numbers, with the decimals it has, at most
        those of Odoo's quantities. The name of the unit is not in it."""
        digits = self.env["decimal.precision"].precision_get("Product Unit")
        decimals = float_repr(quantity, digits).partition(".")[2].rstrip("0")
        return formatLang(self.env, quantity, digits=len(decimals))
