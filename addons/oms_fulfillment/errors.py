"""What a carrier's connection may raise."""


class CarrierError(Exception):
    """The carrier could not be asked or did not answer as agreed; the same question may be asked again later."""
