from odoo import fields, models


class OmsReturnReason(models.Model):
    _name = "oms.return.reason"
    _description = "Return Reason"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)
    company_id = fields.Many2one("res.company", index="btree_not_null", help="Leave empty to share it.")
    shipping_payer = fields.Selection(
        [("seller", "Seller"), ("buyer", "Buyer")],
        string="Return Shipping Paid By",
        required=True,
        default="buyer",
        help="Told to the buyer with the return instructions. Where the seller pays, no restocking fee is taken.",
    )
    needs_photo = fields.Boolean(string="Photo Required", help="The buyer must add a photo to give this reason.")
    is_portal = fields.Boolean(string="Offered to Buyers", default=True, help="Buyers can choose it in the portal.")
    disposition = fields.Selection(
        [("restock", "Restock"), ("refurbish", "Refurbish"), ("scrap", "Scrap"), ("back", "Back to Buyer")],
        required=True,
        default="restock",
        help="Proposed at the inspection.",
    )

    _name_uniq = models.UniqueIndex("(company_id, name)", "There is already a reason with this name.")
