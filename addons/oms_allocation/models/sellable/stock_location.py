from odoo import api, fields, models
from odoo.tools import ormcache


class StockLocation(models.Model):
    """Places inside a warehouse whose goods are not for sale: a corner for damaged goods, a shelf for samples."""

    _name = "stock.location"
    _inherit = ["stock.location", "oms.cached.mixin"]
    _oms_cached_fields = frozenset(("oms_is_not_for_sale", "location_id", "active"))

    oms_is_not_for_sale = fields.Boolean(
        string="Not for Sale",
        help="What is here or below is never sold, and deliveries from above do not take it. It can be moved, scrapped"
        " and counted as anywhere.",
    )

    @api.model
    @ormcache()
    def _oms_get_blocked_ids(self):
        """Return the ids of all locations whose goods are not for sale."""
        locations_sudo = self.sudo()  # sudo: stock.location - the answer is kept for all users
        flagged = locations_sudo.search([("oms_is_not_for_sale", "=", True)])
        return tuple(locations_sudo.search([("id", "child_of", flagged.ids)]).ids) if flagged else ()

    def _oms_get_selling_warehouse(self):
        """Return the warehouse that sells what is in one location, or an empty record where it is not for sale."""
        self.ensure_one()
        warehouse = self.warehouse_id
        is_selling = (
            self.usage == "internal"
            and warehouse
            and self.parent_path.startswith(warehouse.lot_stock_id.parent_path)
            and self.id not in self._oms_get_blocked_ids()
        )
        return warehouse if is_selling else warehouse.browse()
