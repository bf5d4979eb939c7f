from odoo import fields, models


class ProductTemplate(models.Model):
    _inherit = "product.template"

    oms_presale_date = fields.Date(
        string="Pre-sale Until",
        help="Sold before it is there: an order can be split so that the rest need not wait for this day.",
    )
