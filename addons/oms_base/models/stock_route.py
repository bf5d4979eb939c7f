from odoo import api, models
from odoo.tools import ormcache


class StockRoute(models.Model):
    _name = "stock.route"
    _inherit = ["stock.route", "oms.cached.mixin"]

    @api.model
    @ormcache()
    def _oms_get_buyer_route_ids(self):
        """Return the ids of the routes of products and categories by which goods go their own way to the buyer: make to
        order and dropship have rules that end there, buying or making for stock have none."""
        # sudo: stock.rule - how goods travel does not depend on who sells them, and the answer is kept for all users
        groups = (
            self.env["stock.rule"]
            .sudo()
            ._read_group(
                [
                    *(("action", "!=", "push"), ("location_dest_id.usage", "=", "customer")),
                    *(
                        "|",
                        ("route_id.product_selectable", "=", True),
                        ("route_id.product_categ_selectable", "=", True),
                    ),
                ],
                ["route_id"],
            )
        )
        return frozenset(route.id for (route,) in groups)


class StockRule(models.Model):
    _name = "stock.rule"
    _inherit = ["stock.rule", "oms.cached.mixin"]
