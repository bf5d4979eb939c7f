from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

# So many bits at least of a row's id say the warehouse, and as many what else the row is one for.
PART_BITS = 12


class OmsStockRowsMixin(models.AbstractModel):
    """Rows that are read from the stock when somebody looks. What no database can count, pools and what channels may
    sell, is counted of the products that are asked about only."""

    _name = "oms.stock.rows.mixin"
    _description = "Read from the Stock"
    _oms_parts = ("stock.warehouse",)  # there is a row for each product and each record of these

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
        shift = sum(self._get_part_bits())
        return [id_ >> shift for id_ in ids]

    @api.model
    def _filter_asked(self, products):
        """Return those of ``products`` that are asked about."""
        ids = self.env.context.get("oms_product_ids")
        return products if ids is None else products & products.browse(ids)

    @api.model
    def _get_row_id_sql(self, product, *parts):
        """Return the id of a row: the same whatever else is asked about, and small enough for a browser's numbers.

        :param product: SQL of the product's id
        :param parts: SQL of the ids of ``_oms_parts``
        """
        row_id = SQL("%s::bigint", product)
        for part, bits in zip(parts, self._get_part_bits(), strict=True):
            row_id = SQL("((%s << %s) + %s)", row_id, bits, part)
        return row_id

    @api.model
    def _get_part_bits(self):
        """Return how many bits of an id say which record of each of ``_oms_parts`` it is: enough for the latest."""
        # sudo: stock.warehouse and others - the ids of rows are the same for who may see less
        env = self.sudo().with_context(active_test=False).env
        highest = [env[model]._read_group([], [], ["id:max"])[0][0] for model in self._oms_parts]
        return [max(PART_BITS, (id_ or 0).bit_length()) for id_ in highest]

    def action_view_entries(self):
        """Open where the units of these products in these warehouses are bound."""
        action = self.env["ir.actions.act_window"]._for_xml_id("oms_allocation.oms_stock_entry_action")
        domain = [("product_id", "in", self.product_id.ids), ("warehouse_id", "in", self.warehouse_id.ids)]
        return {**action, "domain": domain, "context": {"search_default_group_kind": 1}}
