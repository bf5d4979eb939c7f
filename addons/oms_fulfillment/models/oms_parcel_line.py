from odoo import fields, models


class OmsParcelLine(models.Model):
    _name = "oms.parcel.line"
    _description = "Parcel Content"
    _order = "parcel_id, id"
    _check_company_auto = True

    parcel_id = fields.Many2one("oms.parcel", required=True, index=True, ondelete="cascade")
    company_id = fields.Many2one(related="parcel_id.company_id", store=True, index=True)
    move_id = fields.Many2one("stock.move", index="btree_not_null", ondelete="set null", check_company=True)
    product_id = fields.Many2one("product.product", required=True, index=True, check_company=True)
    lot_id = fields.Many2one("stock.lot", string="Lot/Serial Number", index="btree_not_null", check_company=True)
    quantity = fields.Float(required=True, digits="Product Unit", help="In the product's own unit of measure.")
    product_uom_id = fields.Many2one(related="product_id.uom_id", string="Unit")

    _quantity_positive = models.Constraint("CHECK(quantity > 0)", "What is in a parcel has a quantity above zero.")
