from odoo import api, fields, models
from odoo.tools import ormcache


class StockWarehouse(models.Model):
    """How far a warehouse's receipts can be trusted."""

    _name = "stock.warehouse"
    _inherit = ["stock.warehouse", "oms.cached.mixin"]
    _oms_cached_fields = frozenset(("oms_incoming_days", "oms_incoming_percent"))

    oms_incoming_days = fields.Integer(
        string="Sell Receipts Within (days)",
        help="Goods expected within so many days may be sold by channels that sell what is on its way. 0: none.",
    )
    oms_incoming_percent = fields.Float(
        string="Sellable Part (%)", default=100.0, help="How much of what is expected may be sold before it is here."
    )

    _oms_check_incoming = models.Constraint(
        "CHECK(oms_incoming_days >= 0 AND oms_incoming_percent BETWEEN 0 AND 100)",
        "Of expected goods, from none to 100 percent can be sold, in 0 days or more.",
    )

    @api.model
    @ormcache()
    def _oms_get_incoming_rules(self):
        """Return {warehouse id: (days, share in 1/10000)} of the warehouses that sell what is on its way."""
        # sudo: stock.warehouse - the answer is kept for all users
        warehouses_sudo = self.sudo().search([("oms_incoming_days", ">", 0), ("oms_incoming_percent", ">", 0)])
        return {one.id: (one.oms_incoming_days, round(one.oms_incoming_percent * 100)) for one in warehouses_sudo}
