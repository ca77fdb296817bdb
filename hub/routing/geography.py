"""Great-circle distance. Coordinates that are not known have no distance: the policy says how far they count."""

from math import asin, cos, radians, sin, sqrt
from typing import Final, NamedTuple

from hub.domain.contact import Place
from hub.routing.places import rough_place

EARTH_DIAMETER_KM: Final = 2 * 6371.0


class Point(NamedTuple):
    """A place on the sphere, in radians, with the cosine of its latitude."""

    latitude: float
    longitude: float
    cosine: float
    radius_km: int = 0
    """How far from here it may really be; 0 for coordinates that are known."""


def point(latitude: float | None, longitude: float | None, radius_km: int = 0) -> Point | None:
    """A point from degrees; None when either is unknown."""
    if latitude is None or longitude is None:
        return None
    phi = radians(latitude)
    return Point(phi, radians(longitude), cos(phi), radius_km)


def place_of(place: Place | None, *, coarse: bool) -> Point | None:
    """Where a place is; with `coarse`, one without coordinates is in the middle of its postal region or country."""
    if place is None:
        return None
    known = point(place.latitude, place.longitude)
    if known is not None or not coarse:
        return known
    rough = rough_place(place.country, place.postal_code)
    return None if rough is None else point(*rough)


def kilometres(a: Point, b: Point) -> int:
    """Distance by the haversine formula, rounded to whole kilometres so that no float reaches a cost.

    A coarse point counts as far as it may be: what is not known for sure is not near.
    """
    north = sin((a.latitude - b.latitude) / 2)
    east = sin((a.longitude - b.longitude) / 2)
    surely = round(EARTH_DIAMETER_KM * asin(min(1.0, sqrt(north * north + a.cosine * b.cosine * east * east))))
    return surely + a.radius_km + b.radius_km
