from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    oms_substitute_ids = fields.Many2many(
        "product.product",
        "oms_product_substitute_rel",
        "template_id",
        "product_id",
        string="Substitutes",
        check_company=True,
        help="What may be sent instead, unit for unit and at the same price, where the strategy of an order says so.",
    )
