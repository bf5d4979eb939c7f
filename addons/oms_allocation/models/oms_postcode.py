from odoo import api, fields, models
from odoo.tools import ormcache

from odoo.addons.oms_base.models.facts.text import normalise_postcode


class OmsPostcode(models.Model):
    """Where the addresses of a postcode area are, where nobody knows their coordinates: nearer than provinces."""

    _name = "oms.postcode"
    _description = "Postcode Area"
    _inherit = ["oms.cached.mixin"]
    _order = "country_id, prefix"
    _rec_name = "prefix"

    country_id = fields.Many2one("res.country", required=True, index=True, ondelete="cascade")
    prefix = fields.Char(
        string="Postcodes Beginning With", required=True, help="Of several that fit, the longest counts. e.g. 310"
    )
    latitude = fields.Float(digits=(10, 4), required=True, help="Degrees, north is positive.")
    longitude = fields.Float(digits=(10, 4), required=True, help="Degrees, east is positive.")

    _prefix_uniq = models.Constraint("UNIQUE(country_id, prefix)", "This postcode area is in the table already.")
    _place = models.Constraint(
        "CHECK(latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180)",
        "A latitude is from -90 to 90 degrees, a longitude from -180 to 180.",
    )

    @api.model
    def _find_place(self, country, postcode):
        """Return the coordinates of the area that ``postcode`` is in, or None."""
        places = self._get_places().get(country.id)
        code = normalise_postcode(postcode) if places else ""
        for length in range(len(code), 0, -1):
            if place := places.get(code[:length]):
                return place
        return None

    @api.model
    @ormcache()
    def _get_places(self):
        """Return {country id: {prefix: (latitude, longitude)}}."""
        places = {}
        rows_sudo = self.sudo()  # sudo: oms.postcode - the answer is kept for all users
        for row in rows_sudo.search_fetch([], ["country_id", "prefix", "latitude", "longitude"]):
            prefixes = places.setdefault(row.country_id.id, {})
            prefixes[normalise_postcode(row.prefix)] = (row.latitude, row.longitude)
        return places
