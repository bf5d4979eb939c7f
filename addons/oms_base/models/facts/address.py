"""What an address says and what is wrong with it. Plain Python, no ORM."""

import re
from functools import lru_cache
from typing import NamedTuple

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


class Address(NamedTuple):
    """A contact as plain values: its fields by their names, and what counts of its country, and of a state of China."""

    name: str
    street: str
    street2: str
    city: str
    zip: str
    phone: str
    country_id: int
    country_code: str
    is_state_required: bool
    state_id: int
    state_code: str
    state_name: str


class AddressCheck(NamedTuple):
    """What is found of an address.

    :param key: by which it is recognised, the receiver and the phone left out; None where there is too little to tell
    :param missing: names of the contact's fields that a parcel would need
    :param forbidden: its characters that no label prints, each once
    :param mismatch: the two names that do not belong together (outer, inner), or None
    :param is_phone_invalid: whether the phone is a number that the country does not have
    """

    key: str | None
    missing: tuple[str, ...]
    forbidden: str
    mismatch: tuple[str, str] | None
    is_phone_invalid: bool


@lru_cache(maxsize=10000)
def check_address(address):
    """Return the AddressCheck of an Address."""
    place = (getattr(address, part) for part in ADDRESS_FIELDS)
    needed = (*ADDRESS_PARTS, *(("state_id",) if address.is_state_required else ()))
    text = "".join(getattr(address, part) or "" for part in TEXT_PARTS)
    is_known = address.country_code == "CN" and address.state_id
    return AddressCheck(
        key=hash_address(*place) if address.city and address.street else None,
        missing=tuple(part for part in needed if not getattr(address, part)),
        forbidden="".join(dict.fromkeys(FORBIDDEN_CHARACTERS.findall(text))),
        mismatch=find_mismatch(address.state_code, address.state_name, address.city or "", address.street or "")
        if is_known
        else None,
        is_phone_invalid=parse_phone(address.phone, address.country_code)[1] is False,
    )
