from odoo import fields, models


class OmsChannelCode(models.Model):
    """A shop's own code of a product: one channel's, or what all of them call it. Filled by hand or from a file."""

    _name = "oms.channel.code"
    _description = "Product Code of a Shop"
    _order = "code, id"
    _rec_name = "code"
    _check_company_auto = True

    channel_id = fields.Many2one(
        "oms.channel", index=True, ondelete="cascade", check_company=True, help="Empty: the code of all channels."
    )
    company_id = fields.Many2one("res.company", required=True, index=True, default=lambda self: self.env.company)
    code = fields.Char(required=True, index=True, help="The SKU by which the shop sells it.")
    product_id = fields.Many2one("product.product", required=True, index=True, ondelete="cascade", check_company=True)

    _code_uniq = models.UniqueIndex("(company_id, COALESCE(channel_id, 0), code)", "This code is there already.")
