"""Waybill numbers: how a carrier builds them from a serial number.

Plain Python: no database, no clock.
"""


def _luhn(digits):
    """Modulus 10 with every second digit doubled, counted from the right."""
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def _mod7(digits):
    """The serial number's remainder by seven, as on air waybills."""
    return str(int(digits) % 7)


def _s10(digits):
    """The Universal Postal Union's S10: eight digits with weights 8 6 4 2 3 5 9 7."""
    remainder = 11 - sum(int(d) * w for d, w in zip(digits, (8, 6, 4, 2, 3, 5, 9, 7), strict=True)) % 11
    return {10: "0", 11: "5"}.get(remainder, str(remainder))


CHECK_DIGITS = {"none": lambda digits: "", "luhn": _luhn, "mod7": _mod7, "s10": _s10}


def build_number(serial, digits=0, prefix="", suffix="", check="none"):
    """Return the waybill number of a serial number.

    :param int serial: the running number
    :param int digits: the serial number is filled with zeros to this length; S10 always has eight
    :param str check: a key of CHECK_DIGITS; the digit stands behind the serial number, before the suffix
    :raise ValueError: the serial number has more digits than it may have
    """
    length = 8 if check == "s10" else digits
    body = str(serial).zfill(length)
    if length and len(body) > length:
        raise ValueError(f"serial number {serial} has more than {length} digits")
    return f"{prefix}{body}{CHECK_DIGITS[check](body)}{suffix}"
