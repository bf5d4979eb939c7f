from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    module_oms_channels = fields.Boolean("Shops")
    module_oms_allocation = fields.Boolean("Allocation")
    module_oms_fulfillment = fields.Boolean("Picking and Packing")
    module_oms_returns = fields.Boolean("Returns")
