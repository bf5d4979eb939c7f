from odoo import fields, models


class ResCountry(models.Model):
    _inherit = "res.country"

    oms_latitude = fields.Float(
        string="Latitude",
        digits=(10, 4),
        help="Where the country is taken to be when a delivery address says no more. Degrees, north is positive.",
    )
    oms_longitude = fields.Float(string="Longitude", digits=(10, 4), help="Degrees, east is positive.")
