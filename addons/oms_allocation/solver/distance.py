from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_KM = 6371.0088


def distance_km(origin, destination):
    """Return the great-circle distance in kilometres, or None when one of the places is not known.

    :param origin: (latitude, longitude) in degrees, or None
    :param destination: the same
    """
    if origin is None or destination is None:
        return None
    latitude_1, longitude_1, latitude_2, longitude_2 = map(radians, (*origin, *destination))
    half_chord = (
        sin((latitude_2 - latitude_1) / 2) ** 2
        + cos(latitude_1) * cos(latitude_2) * sin((longitude_2 - longitude_1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * asin(min(1.0, sqrt(half_chord)))
