from odoo import fields, models


class ResCountryState(models.Model):
    _inherit = "res.country.state"

    oms_latitude = fields.Float(
        string="Latitude",
        digits=(10, 4),
        help="Where the state or province is taken to be when a delivery address has no coordinates. Degrees, north is positive.",
    )
    oms_longitude = fields.Float(string="Longitude", digits=(10, 4), help="Degrees, east is positive.")
