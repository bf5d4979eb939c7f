from odoo import models


class StockWarehouse(models.Model):
    _name = "stock.warehouse"
    _inherit = ["stock.warehouse", "oms.cached.mixin"]

    _oms_cached_fields = frozenset(("active", "company_id", "sequence"))  # see `oms.channel._get_warehouses`
