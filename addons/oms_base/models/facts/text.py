"""Text of addresses and phone numbers in the form they are compared. Plain Python, no ORM."""

import hashlib
import re
import unicodedata
from functools import lru_cache

import phonenumbers

MIN_PHONE_DIGITS = 7
# A shop that hides the number gives one of its own with an extension: 18412345678-1234, ...转1234.
_EXTENSION = re.compile(
    r"^(?P<main>\+?[\d\s]{11,16}?)\s*(?:-|_|,|#|转|ext\.?)\s*(?P<extension>\d{2,6})$", re.IGNORECASE
)


def normalise_text(*parts):
    """Return the text without what people type differently: width and case of letters, spaces, punctuation."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", "".join(part or "" for part in parts)).casefold())


def normalise_postcode(code):
    """Return a postcode, or how one begins, as it is compared: upper case, no spaces."""
    return (code or "").replace(" ", "").upper()


def hash_address(country_id, state_id, city, street, street2, zip_code):
    """Return the key of an address: equal for what people write differently."""
    place = normalise_text(city, street, street2)
    digits = normalise_text(zip_code).strip("0")  # 000000 is what a shop puts for "not given"
    return hashlib.blake2b(f"{country_id}|{state_id}|{place}|{digits}".encode(), digest_size=16).hexdigest()


@lru_cache(maxsize=10000)
def parse_phone(number, country_code):
    """Return (key, is valid) of a phone number.

    The key is its E.164 form, with the extension by which a shop tells buyers apart behind a ";", or its digits where
    the number is not one. A number that is masked (138****0000) has no key and can't be judged: None.
    """
    text = unicodedata.normalize("NFKC", number or "").strip()
    if not text or "*" in text:
        return None, None
    extension = ""
    if found := _EXTENSION.match(text):
        main, is_valid = parse_phone(found["main"], country_code)
        if is_valid:
            text, extension = main, f";{found['extension']}"
    try:
        parsed = phonenumbers.parse(text, country_code or None)
    except phonenumbers.NumberParseException:
        parsed = None
    if parsed and phonenumbers.is_valid_number(parsed):
        return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164) + extension, True
    digits = re.sub(r"\D", "", text)
    # Without a country or a + nobody can tell the format: only the length speaks.
    is_valid = None if not country_code and not text.startswith("+") and len(digits) >= MIN_PHONE_DIGITS else False
    return (digits if len(digits) >= MIN_PHONE_DIGITS else None), is_valid
