from odoo import fields, models


class ResCountryState(models.Model):
    _inherit = "res.country.state"

    oms_latitude = fields.Float(
        string="Latitude",
        digits=(10, 4),
        help="Where a delivery address without coordinates is taken to be. Degrees, north is positive.",
    )
    oms_longitude = fields.Float(string="Longitude", digits=(10, 4), help="Degrees, east is positive.")
