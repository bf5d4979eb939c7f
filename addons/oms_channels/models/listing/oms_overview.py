from odoo import api, models


class OmsOverview(models.AbstractModel):
    _inherit = "oms.overview"

    @api.model
    def _get_sections(self):
        """Override of `oms_base` to add what is not right with the listings, for who may open them."""
        sections = super()._get_sections()
        if self.env["oms.channel.listing"].has_access("read"):
            sections = [*sections, self._get_listing_section()]
        return sections

    @api.model
    def _get_listing_section(self):
        labels = {
            "unmatched": self.env._("Unmatched"),
            "stock": self.env._("Stock Differs"),
            "error": self.env._("Stock Refused"),
            "price": self.env._("Price Differs"),
            "title": self.env._("Title Differs"),
        }
        domains = {
            "unmatched": [("state", "=", "unmatched")],
            "stock": [("stock_drift", "!=", 0)],
            "error": [("publish_error", "!=", False)],
            "price": [("is_price_drift", "=", True)],
            "title": [("is_title_drift", "=", True)],
        }
        company = [("company_id", "in", self.env.companies.ids)]
        Listing = self.env["oms.channel.listing"]
        tiles = []
        for key, domain in domains.items():
            count = Listing.search_count([*company, *domain])
            tiles.append(
                {
                    "key": key,
                    "label": labels[key],
                    "value": count,
                    "level": "warning" if count else "",
                    "model": "oms.channel.listing",
                    "domain": [*company, *domain],
                }
            )
        return {"key": "listings", "title": self.env._("Listings"), "kind": "tiles", "tiles": tiles}
