from odoo import api, models
from odoo.fields import Domain


class OmsStockRowsMixin(models.AbstractModel):
    """Rows that are read from the stock when somebody looks. What no database can count, pools and what channels may
    sell, is counted of the products that are asked about only."""

    _name = "oms.stock.rows.mixin"
    _description = "Read from the Stock"

    @api.model
    def _search(self, domain, *args, **kwargs):
        product_ids = self._get_asked_product_ids(domain)
        rows = self.with_context(oms_product_ids=product_ids)
        return super(OmsStockRowsMixin, rows)._search(domain, *args, **kwargs)

    @api.model
    def _get_asked_product_ids(self, domain):
        """Return the ids of the products that ``domain`` is about, or None for any."""
        terms = list(Domain(domain))
        if any(term in ("|", "!") for term in terms if isinstance(term, str)):
            return None
        found = None
        for name, operator, value in (term for term in terms if not isinstance(term, str)):
            ids = None
            if operator in ("=", "in") and name in ("id", "product_id"):
                values = [value] if isinstance(value, int | str | bool) else list(value)
                if all(isinstance(one, int) for one in values):
                    ids = self._get_products_of_rows(values) if name == "id" else values
            elif name == "categ_id" and operator in ("=", "in", "child_of"):
                # sudo: product.product - which rows are seen is said by the rules of this model
                ids = self.env["product.product"].sudo().search([(name, operator, value)]).ids
            if ids is not None:
                found = set(ids) if found is None else found & set(ids)
        return None if found is None else tuple(sorted(found))

    @api.model
    def _get_products_of_rows(self, ids):
        """Return the ids of the products that the rows ``ids`` are about, as far as anything is counted for them."""
        return [id_ >> 24 for id_ in ids]

    @api.model
    def _filter_asked(self, products):
        """Return those of ``products`` that are asked about."""
        ids = self.env.context.get("oms_product_ids")
        return products if ids is None else products & products.browse(ids)

    @api.model
    def _get_row_id(self, product_id, warehouse_id, third_id=0):
        """Return the id of a row: the same whatever else is asked about."""
        return (product_id << 24) + (warehouse_id << 12) + third_id
