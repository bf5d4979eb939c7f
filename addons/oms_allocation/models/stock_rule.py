from functools import partial

from odoo import api, models
from odoo.tools import ormcache


class StockRule(models.Model):
    """The rules of a warehouse are few and rarely change, but Odoo searches them for each line of each order."""

    _inherit = "stock.rule"

    @api.model
    def _search_rule_for_warehouses(self, route_ids, packaging_uom_id, product_id, warehouse_ids, domain):
        """Override of `stock`: remember the answer for each combination of what it depends on."""
        routes = product_id.route_ids | product_id.categ_id.total_route_ids
        routes |= route_ids or self.env["stock.route"]
        routes |= packaging_uom_id.package_type_id.route_ids if packaging_uom_id else routes
        if warehouse_ids:
            # Extensions may drop a warehouse's route for a product: then that product has a combination of its own.
            routes |= warehouse_ids.route_ids.filtered(
                lambda route: self._filter_warehouse_routes(product_id, warehouse_ids, route)
            )
        key = (tuple(sorted(routes.ids)), tuple(sorted(warehouse_ids.ids)) if warehouse_ids else (), repr(domain))
        search = super()._search_rule_for_warehouses
        found = self._oms_remember_rules(
            key, partial(search, route_ids, packaging_uom_id, product_id, warehouse_ids, domain)
        )
        return {
            place: {warehouse_id: self.browse(rule_id) for warehouse_id, rule_id in by_warehouse}
            for place, by_warehouse in found
        }

    @ormcache("self.env.uid", "self.env.su", "tuple(self.env.companies.ids)", "key")
    def _oms_remember_rules(self, key, search):
        """What ``search`` finds, as plain values: (((location id, route id), ((warehouse id, rule id), ...)), ...)."""
        found = search()
        return tuple(
            (place, tuple((warehouse_id, rule.id) for warehouse_id, rule in by_warehouse.items()))
            for place, by_warehouse in found.items()
        )
