from odoo import models


class ResPartner(models.Model):
    _inherit = "res.partner"

    def _oms_get_place(self):
        """Return where one address is: (latitude, longitude) in degrees or None, and how that is known.

        :return: (coordinates, source); source is "address" for the contact's own coordinates, "state" or "country" for
            the middle of those, "unknown" when none of them is set. 0, 0 is in the sea and means not set.
        """
        if self:
            for source, latitude, longitude in (
                ("address", self.partner_latitude, self.partner_longitude),
                ("state", self.state_id.oms_latitude, self.state_id.oms_longitude),
                ("country", self.country_id.oms_latitude, self.country_id.oms_longitude),
            ):
                if latitude or longitude:
                    return (latitude, longitude), source
        return None, "unknown"
