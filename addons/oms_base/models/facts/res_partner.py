from odoo import models

from .address import Address, check_address


class ResPartner(models.Model):
    """What the facts of an order ask its contacts."""

    _inherit = "res.partner"

    def _oms_get_address(self):
        """Return this contact as an `address.Address`: each of its fields is read once, whatever is asked of it."""
        self.ensure_one()
        country, state = self.country_id, self.state_id
        return Address(
            *(self.name, self.street, self.street2, self.city, self.zip, self.phone),
            *(country.id, country.code, country.state_required, state.id),
            # Of other countries nobody knows what belongs together: their states need not be read.
            *((state.code, state.name) if country.code == "CN" else (False, False)),
        )

    def _oms_check_address(self):
        """Return what is found of this contact's address (`address.AddressCheck`)."""
        return check_address(self._oms_get_address())
