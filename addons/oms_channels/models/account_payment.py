from odoo import fields, models


class AccountPayment(models.Model):
    _inherit = "account.payment"

    oms_channel_payment_id = fields.Many2one(
        "oms.channel.payment",
        string="Channel Payment",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
        check_company=True,
    )
