from odoo import api, fields, models
from odoo.tools import ormcache

from .stock import Scope


class OmsStockSafety(models.Model):
    """How much of what is there is never promised to an order of a channel."""

    _name = "oms.stock.safety"
    _description = "Safety Stock"
    _inherit = ["oms.stock.claim.mixin"]
    _order = "product_id, categ_id, warehouse_id, id"
    _check_company_auto = True

    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    active = fields.Boolean(default=True)
    product_id = fields.Many2one(
        "product.product",
        index="btree_not_null",
        ondelete="cascade",
        check_company=True,
        domain=[("is_storable", "=", True)],
    )
    categ_id = fields.Many2one(
        "product.category",
        string="Category",
        index="btree_not_null",
        ondelete="cascade",
        help="For each product in it and below. Without product and category: for each product.",
    )
    warehouse_id = fields.Many2one(
        "stock.warehouse",
        index="btree_not_null",
        ondelete="cascade",
        check_company=True,
        help="Without one, as much is kept in each warehouse.",
    )
    quantity = fields.Float(
        digits="Product Unit",
        required=True,
        help="The most precise line counts: the product before its category before all, then that for the warehouse."
        " Where less is there, no more than that is kept.",
    )

    _check_quantity = models.Constraint("CHECK(quantity >= 0)", "A safety stock can't be negative.")
    _scope_uniq = models.UniqueIndex(
        "(company_id, COALESCE(product_id, 0), COALESCE(categ_id, 0), COALESCE(warehouse_id, 0)) WHERE active",
        "There is a safety stock for the same goods and warehouse already: change that one.",
    )

    @api.depends("product_id", "categ_id", "warehouse_id", "quantity")
    def _compute_display_name(self):
        for safety in self:
            goods = safety.product_id.display_name or safety.categ_id.display_name or self.env._("All products")
            place = safety.warehouse_id.name or self.env._("each warehouse")
            safety.display_name = f"{goods}, {place}: {safety.quantity:g}"

    @api.model
    @ormcache()
    def _get_scopes(self):
        """Return ((company id, (Scope, ...)), ...): empty where there is no safety stock at all."""
        safeties_sudo = self.sudo().search([("quantity", ">", 0)])  # sudo: oms.stock.safety - kept for all users
        return tuple(
            (company.id, tuple(safety._prepare_scope() for safety in safeties))
            for company, safeties in safeties_sudo.grouped("company_id").items()
        )

    def _prepare_scope(self):
        self.ensure_one()
        return Scope(
            self.quantity,
            self.product_id.id or 0,
            0 if self.product_id else self.categ_id.id or 0,
            0 if self.product_id or not self.categ_id else self.categ_id.parent_path.count("/"),
            self.warehouse_id.id or 0,
        )
