from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    oms_strategy_id = fields.Many2one(
        "oms.sourcing.strategy",
        string="Sourcing Strategy",
        check_company=True,
        help="How the warehouse of an order is chosen where neither its channel nor a rule says so. Empty: the nearest"
        " one.",
    )
    oms_batch_seconds = fields.Float(
        string="Time to Weigh Orders (s)",
        default=2.0,
        help="So long the orders of a batch that compete for scarce stock are weighed against each other. 0: they are"
        " served in turn.",
    )
