from collections import defaultdict

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.oms_base.tools import notification


class OmsChannelListing(models.Model):
    """Matching: which product a listing is, by the rules of its channel. What fits several products fits none."""

    _inherit = "oms.channel.listing"

    # === ACTION METHODS === #

    def action_match(self):
        """Match by the channels' rules, and tell what is left."""
        listings = self.filtered(lambda listing: not listing.product_id)
        listings._match_products()
        left = listings.filtered(lambda listing: not listing.product_id)
        message = self.env._("%(count)s matched.", count=len(listings - left))
        if left:
            names = ", ".join(left[:10].mapped("display_name"))
            message += " " + self.env._("No single product by the channel's rules for: %(names)s", names=names)
        return notification(message, "warning" if left else "success")

    def action_match_each(self):
        """Match the selected listings, and say for each what became of it."""
        open_listings = self.filtered(lambda listing: not listing.product_id)
        reasons = {listing: self.env._("It is matched already.") for listing in self - open_listings}
        for listing, (_rule, products) in open_listings._find_matches().items():
            if len(products) > 1:
                names = ", ".join(products[:5].mapped("display_name"))
                reasons[listing] = self.env._("Several products fit: %(names)s", names=names)
            elif not products:
                reasons[listing] = self.env._("No product fits by the channel's rules.")
        matched = open_listings.filtered(lambda listing: listing not in reasons)
        matched._match_products()
        results = self.env["oms.queue.result"].create(
            [
                {
                    "name": listing.display_name,
                    "res_model": listing._name,
                    "res_id": listing.id,
                    "state": "left" if listing in reasons else "done",
                    "reason": reasons.get(listing) or listing.product_id.display_name,
                }
                for listing in self
            ]
        )
        return results._open(len(matched), len(self) - len(matched))

    # === BUSINESS METHODS === #

    def _match_products(self):
        """Set the product of the unmatched ones that exactly one product fits."""
        found = defaultdict(self.browse)
        for listing, (_rule, products) in self.filtered(lambda row: not row.product_id)._find_matches().items():
            if len(products) == 1:
                found[products] |= listing
        for product, matching in found.items():
            matching.product_id = product

    def _find_matches(self):
        """Return {listing: (rule, products)}: what the first rule finds that finds anything; (None, none) else. It is
        the answer even if it finds several: a later rule would only hide that the products are not told apart."""
        matches = {}
        for channel, listings in self.grouped("channel_id").items():
            left = listings
            for rule in channel._get_match_rules():
                keys = {listing: rule.get_key(listing.sku, listing.barcode, listing.title) for listing in left}
                by_key = left._find_products(channel, rule, {key for key in keys.values() if key})
                found = left.filtered(lambda listing, keys=keys, by_key=by_key: by_key.get(keys[listing]))
                matches |= {listing: (rule, by_key[keys[listing]]) for listing in found}
                left -= found
            matches |= {listing: (None, self.env["product.product"]) for listing in left}
        return {listing: matches[listing] for listing in self}

    @api.model
    def _find_products(self, channel, rule, keys):
        """Return {key: products} of the company's (or shared) products."""
        Product = self.env["product.product"]
        if not keys:
            return {}
        company = Domain("company_id", "in", (False, channel.company_id.id))
        if rule.kind == "cleaned":
            return self._find_cleaned(channel, rule, keys)
        if rule.kind == "code":
            codes = self.env["oms.channel.code"].search(
                Domain("company_id", "=", channel.company_id.id)
                & Domain("channel_id", "in", (False, channel.id))
                & Domain("code", "in", list(keys))
            )
            # The channel's own table says more than what all call it.
            own, common = (
                codes.filtered(lambda code, is_own=is_own: bool(code.channel_id) == is_own).grouped("code")
                for is_own in (True, False)
            )
            return {key: rows.product_id for key, rows in {**common, **own}.items()}
        field = {"sku": "default_code", "title": "name"}.get(rule.kind, "barcode")
        return Product.search(company & Domain(field, "in", list(keys))).grouped(field)

    @api.model
    def _find_cleaned(self, channel, rule, keys):
        """Return {key: products} whose reference is the key but for what makes no difference. All references are read
        once, as the database can't clean them the way the rule does."""
        self.env["product.product"].flush_model(["default_code", "active", "product_tmpl_id"])
        self.env["product.template"].flush_model(["company_id"])
        rows = self.env.execute_query(
            SQL(
                "SELECT product.id, product.default_code FROM product_product product"
                " JOIN product_template template ON template.id = product.product_tmpl_id"
                " WHERE product.active AND product.default_code IS NOT NULL"
                " AND (template.company_id IS NULL OR template.company_id = %s)",
                channel.company_id.id,
            )
        )
        found = defaultdict(list)
        for product_id, code in rows:
            key = rule.normalise(code)
            if key in keys:
                found[key].append(product_id)
        return {key: self.env["product.product"].browse(ids) for key, ids in found.items()}
