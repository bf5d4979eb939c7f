import re

from odoo import models

from .china import find_mismatch
from .text import hash_address, parse_phone

# What makes an address; the receiver and the phone do not.
ADDRESS_FIELDS = ("country_id", "state_id", "city", "street", "street2", "zip")
# What a parcel needs to find its way: field of the ship-to contact. A postcode is not asked for: many have none.
ADDRESS_PARTS = ("name", "street", "city", "country_id", "phone")
TEXT_PARTS = ("name", "street", "street2", "city", "zip")
# What no label prints and no address means: mark-up, control signs, pictures and private signs. Brackets and ~ are left
# out: shops write [1234] behind an address to tell buyers apart.
FORBIDDEN_CHARACTERS = re.compile(
    r"[<>{}|\\^`\x00-\x1f\u2600-\u27bf\ue000-\uf8ff\ufe00-\ufe0f\ufff0-\uffff\U0001f000-\U0001faff]"
)


class ResPartner(models.Model):
    """What the facts of an order ask its contacts."""

    _inherit = "res.partner"

    def _oms_get_address_key(self):
        """Return the key of this contact's address, or None where there is too little to tell it from another."""
        self.ensure_one()
        if not self.city or not self.street:
            return None
        return hash_address(self.country_id.id, self.state_id.id, self.city, self.street, self.street2, self.zip)

    def _oms_get_missing_parts(self):
        """Return the names of the address fields this contact lacks to receive a parcel."""
        self.ensure_one()
        needed = (*ADDRESS_PARTS, *(("state_id",) if self.country_id.state_required else ()))
        return [part for part in needed if not self[part]]

    def _oms_get_forbidden_characters(self):
        """Return the characters of this contact's address that no label prints, each once."""
        self.ensure_one()
        text = "".join(self[part] or "" for part in TEXT_PARTS)
        return "".join(dict.fromkeys(FORBIDDEN_CHARACTERS.findall(text)))

    def _oms_get_place_mismatch(self):
        """Return the two names of this contact's address that do not belong together (outer, inner), or None."""
        self.ensure_one()
        if self.country_id.code != "CN" or not self.state_id:
            return None
        return find_mismatch(self.state_id.code, self.state_id.name, self.city or "", self.street or "")

    def _oms_is_phone_invalid(self):
        """Return whether this contact has a phone number that its country does not have."""
        self.ensure_one()
        return parse_phone(self.phone, self.country_id.code)[1] is False
