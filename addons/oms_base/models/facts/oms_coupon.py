from odoo import api, fields, models


def normalise_code(code):
    """Return a coupon's code as codes are compared: without spaces, upper case."""
    return "".join((code or "").split()).upper()


class OmsCoupon(models.Model):
    """A coupon a channel may accept, to be checked against; the shop itself gives the discount."""

    _name = "oms.coupon"
    _description = "Coupon"
    _rec_name = "code"
    _order = "code, id"

    code = fields.Char(required=True, index=True)
    active = fields.Boolean(default=True)
    channel_ids = fields.Many2many("oms.channel", string="Channels", help="Empty: all channels.")
    company_id = fields.Many2one("res.company", index=True, help="Empty: all companies.")
    date_from = fields.Datetime(string="Valid From")
    date_to = fields.Datetime(string="Valid Until")
    usage_limit = fields.Integer(help="How many orders may use it, cancelled ones aside. 0: any number.")
    usage_limit_per_buyer = fields.Integer(string="Limit per Buyer", help="0: any number.")
    max_discount = fields.Float(
        string="Largest Discount (%)", help="An order with it may be discounted so far. 0: any."
    )
    note = fields.Char()

    _code_uniq = models.UniqueIndex(
        "(code, COALESCE(company_id, 0)) WHERE active", "There is an active coupon with this code already."
    )

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([{**vals, "code": normalise_code(vals.get("code"))} for vals in vals_list])

    def write(self, vals):
        if "code" in vals:
            vals = {**vals, "code": normalise_code(vals["code"])}
        return super().write(vals)
