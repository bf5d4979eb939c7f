from odoo import models


class MrpBom(models.Model):
    """What kits are made of is asked for each order, and kept."""

    _name = "mrp.bom"
    _inherit = ["mrp.bom", "oms.cached.mixin"]


class MrpBomLine(models.Model):
    _name = "mrp.bom.line"
    _inherit = ["mrp.bom.line", "oms.cached.mixin"]
