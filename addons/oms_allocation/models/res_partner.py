from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _oms_get_place(self):
        """Return where one address is: (latitude, longitude) in degrees or None, and how that is known.

        :return: (coordinates, source); source is "address" for the contact's own coordinates, "postcode", "state" or
            "country" for the middle of those, "unknown" when none of them is known. 0, 0 is in the sea: not set.
        """
        if self:
            if self.partner_latitude or self.partner_longitude:
                return (self.partner_latitude, self.partner_longitude), "address"
            if place := self.env["oms.postcode"]._find_place(self.country_id, self.zip):
                return place, "postcode"
            for source, latitude, longitude in (
                ("state", self.state_id.oms_latitude, self.state_id.oms_longitude),
                ("country", self.country_id.oms_latitude, self.country_id.oms_longitude),
            ):
                if latitude or longitude:
                    return (latitude, longitude), source
        return None, "unknown"
