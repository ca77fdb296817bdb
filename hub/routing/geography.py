"""Great-circle distance. Coordinates that are not known have no distance: the policy says how far they count."""

from math import asin, cos, radians, sin, sqrt
from typing import Final, NamedTuple

EARTH_DIAMETER_KM: Final = 2 * 6371.0


class Point(NamedTuple):
    """A place on the sphere, in radians, with the cosine of its latitude."""

    latitude: float
    longitude: float
    cosine: float


def point(latitude: float | None, longitude: float | None) -> Point | None:
    """A point from degrees; None when either is unknown."""
    if latitude is None or longitude is None:
        return None
    phi = radians(latitude)
    return Point(phi, radians(longitude), cos(phi))


def kilometres(a: Point, b: Point) -> int:
    """Distance by the haversine formula, rounded to whole kilometres so that no float reaches a cost."""
    north = sin((a.latitude - b.latitude) / 2)
    east = sin((a.longitude - b.longitude) / 2)
    return round(EARTH_DIAMETER_KM * asin(min(1.0, sqrt(north * north + a.cosine * b.cosine * east * east))))
