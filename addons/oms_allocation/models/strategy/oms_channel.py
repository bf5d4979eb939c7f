from odoo import fields, models


class OmsChannel(models.Model):
    _inherit = "oms.channel"

    oms_strategy_id = fields.Many2one(
        "oms.sourcing.strategy",
        string="Sourcing Strategy",
        check_company=True,
        index="btree_not_null",
        tracking=True,
        help="How the warehouse of an order is chosen, unless a review rule says otherwise. Empty: as the settings"
        " say.",
    )
