"""Where the demo happens: twelve nodes, and the cities that its customers live in.

The geography of customers is synthetic, also where the baskets are real: a customer gets a city of the shop's region by
a keyed hash, larger cities more often.
"""

import hashlib
from typing import Final

import msgspec

from hub.domain.contact import Contact
from hub.domain.network import NodeKind


class City(msgspec.Struct, frozen=True):
    """A city; `weight` is how many of a hundred thousand people it stands for."""

    name: str
    region: str | None
    postal_code: str
    country: str
    latitude: float
    longitude: float
    weight: int


US: Final = (
    City("New York", "NY", "10001", "US", 40.71, -74.01, 85),
    City("Los Angeles", "CA", "90012", "US", 34.05, -118.24, 39),
    City("Chicago", "IL", "60602", "US", 41.88, -87.63, 27),
    City("Houston", "TX", "77002", "US", 29.76, -95.37, 23),
    City("Phoenix", "AZ", "85003", "US", 33.45, -112.07, 16),
    City("Philadelphia", "PA", "19107", "US", 39.95, -75.17, 16),
    City("San Diego", "CA", "92101", "US", 32.72, -117.16, 14),
    City("Austin", "TX", "78701", "US", 30.27, -97.74, 10),
    City("Columbus", "OH", "43215", "US", 39.96, -83.0, 9),
    City("Seattle", "WA", "98101", "US", 47.61, -122.33, 7),
    City("Denver", "CO", "80202", "US", 39.74, -104.99, 7),
    City("Boston", "MA", "02108", "US", 42.36, -71.06, 7),
    City("Portland", "OR", "97204", "US", 45.52, -122.68, 6),
    City("Atlanta", "GA", "30303", "US", 33.75, -84.39, 5),
    City("Miami", "FL", "33130", "US", 25.76, -80.19, 4),
    City("Minneapolis", "MN", "55401", "US", 44.98, -93.27, 4),
)
EU: Final = (
    City("Berlin", None, "10117", "DE", 52.52, 13.4, 37),
    City("Madrid", None, "28013", "ES", 40.42, -3.7, 33),
    City("Rome", None, "00186", "IT", 41.9, 12.5, 28),
    City("Paris", None, "75004", "FR", 48.86, 2.35, 21),
    City("Vienna", None, "1010", "AT", 48.21, 16.37, 20),
    City("Hamburg", None, "20095", "DE", 53.55, 9.99, 18),
    City("Warsaw", None, "00-001", "PL", 52.23, 21.01, 18),
    City("Barcelona", None, "08002", "ES", 41.39, 2.17, 16),
    City("Munich", None, "80331", "DE", 48.14, 11.58, 15),
    City("Milan", None, "20121", "IT", 45.46, 9.19, 14),
    City("Brussels", None, "1000", "BE", 50.85, 4.35, 12),
    City("Cologne", None, "50667", "DE", 50.94, 6.96, 11),
    City("Amsterdam", None, "1012", "NL", 52.37, 4.9, 9),
    City("Marseille", None, "13001", "FR", 43.3, 5.37, 9),
    City("Rotterdam", None, "3011", "NL", 51.92, 4.48, 6),
    City("Dublin", None, "D02 X285", "IE", 53.35, -6.26, 6),
)
UK: Final = (
    City("London", None, "EC1A 1BB", "GB", 51.51, -0.13, 89),
    City("Birmingham", None, "B1 1AA", "GB", 52.48, -1.9, 11),
    City("Leeds", None, "LS1 1BA", "GB", 53.8, -1.55, 8),
    City("Glasgow", None, "G1 1XQ", "GB", 55.86, -4.25, 6),
    City("Sheffield", None, "S1 2HE", "GB", 53.38, -1.47, 6),
    City("Manchester", None, "M1 1AE", "GB", 53.48, -2.24, 6),
    City("Edinburgh", None, "EH1 1YZ", "GB", 55.95, -3.19, 5),
    City("Liverpool", None, "L1 8JQ", "GB", 53.41, -2.99, 5),
    City("Bristol", None, "BS1 4ST", "GB", 51.45, -2.59, 5),
    City("Cardiff", None, "CF10 1EP", "GB", 51.48, -3.18, 4),
    City("Belfast", None, "BT1 5GS", "GB", 54.6, -5.93, 3),
    City("Newcastle", None, "NE1 7RU", "GB", 54.97, -1.61, 3),
)
CITIES: Final = {"us": US, "eu": EU, "uk": UK}


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A node to be."""

    code: str
    title: str
    kind: NodeKind
    region: str
    timezone: str
    city: City
    street: str


def _site(code: str, title: str, kind: NodeKind, region: str, timezone: str, city: City, street: str) -> Site:
    return Site(code=code, title=title, kind=kind, region=region, timezone=timezone, city=city, street=street)


_RENO: Final = City("Reno", "NV", "89501", "US", 39.53, -119.81, 0)
_VENLO: Final = City("Venlo", None, "5928", "NL", 51.37, 6.17, 0)
_DAVENTRY: Final = City("Daventry", None, "NN11 8ND", "GB", 52.26, -1.16, 0)
_LEIPZIG: Final = City("Leipzig", None, "04109", "DE", 51.34, 12.37, 0)

SITES: Final = (
    _site("DC-RENO", "Reno DC", NodeKind.DC, "us", "America/Los_Angeles", _RENO, "1 Depot Road"),
    _site("DC-VENLO", "Venlo DC", NodeKind.DC, "eu", "Europe/Amsterdam", _VENLO, "2 Magazijnweg"),
    _site("DC-DAVENTRY", "Daventry DC", NodeKind.DC, "uk", "Europe/London", _DAVENTRY, "3 Canal Way"),
    _site("3PL-CHICAGO", "Chicago 3PL", NodeKind.THIRD_PARTY, "us", "America/Chicago", US[2], "4 Lake Street"),
    _site("3PL-LEIPZIG", "Leipzig 3PL", NodeKind.THIRD_PARTY, "eu", "Europe/Berlin", _LEIPZIG, "5 Messeallee"),
    _site("3PL-GLASGOW", "Glasgow 3PL", NodeKind.THIRD_PARTY, "uk", "Europe/London", UK[3], "6 Clyde Street"),
    _site("ST-NEW-YORK", "New York store", NodeKind.STORE, "us", "America/New_York", US[0], "7 Mercer Street"),
    _site("ST-AUSTIN", "Austin store", NodeKind.STORE, "us", "America/Chicago", US[7], "8 Congress Avenue"),
    _site("ST-PARIS", "Paris store", NodeKind.STORE, "eu", "Europe/Paris", EU[3], "9 rue de Rivoli"),
    _site("ST-VIENNA", "Vienna store", NodeKind.STORE, "eu", "Europe/Vienna", EU[4], "10 Graben"),
    _site("ST-LONDON", "London store", NodeKind.STORE, "uk", "Europe/London", UK[0], "11 Carnaby Street"),
    _site("ST-MANCHESTER", "Manchester store", NodeKind.STORE, "uk", "Europe/London", UK[5], "12 Deansgate"),
)

SERVED_BY: Final = {
    "us": tuple(site.code for site in SITES if site.region == "us"),
    # The Channel is narrow: each side's distribution centre also serves the other side's shop.
    "eu": (*(site.code for site in SITES if site.region == "eu"), "DC-DAVENTRY"),
    "uk": (*(site.code for site in SITES if site.region == "uk"), "DC-VENLO"),
}
"""Nodes behind each region's shop."""

_FIRST_NAMES: Final = (
    "Ada",
    "Bruno",
    "Chloe",
    "Davi",
    "Edith",
    "Farid",
    "Greta",
    "Hugo",
    "Ines",
    "Jonas",
    "Kaya",
    "Lars",
)
_LAST_NAMES: Final = (
    "Adler",
    "Brook",
    "Costa",
    "Dahl",
    "Evans",
    "Fox",
    "Gray",
    "Holm",
    "Iqbal",
    "Jensen",
    "Keller",
    "Lund",
)
_STREETS: Final = ("Mill Lane", "Station Road", "Park Avenue", "High Street", "Garden Row", "Harbour View")


def customer(region: str, key: str) -> Contact:
    """The customer of a key: the same for the same key, invented from its hash."""
    drawn = int.from_bytes(hashlib.blake2b(f"{region}:{key}".encode(), digest_size=16).digest())

    def draw(size: int) -> int:
        nonlocal drawn
        drawn, found = divmod(drawn, size)
        return found

    cities = CITIES[region]
    at = draw(sum(city.weight for city in cities))
    for city in cities:
        if at < city.weight:
            break
        at -= city.weight
    first, last = _FIRST_NAMES[draw(len(_FIRST_NAMES))], _LAST_NAMES[draw(len(_LAST_NAMES))]
    return Contact(
        name=f"{first} {last}",
        email=f"{first}.{last}.{key}@example.com".lower(),
        lines=(f"{1 + draw(200)} {_STREETS[draw(len(_STREETS))]}",),
        city=city.name,
        region=city.region,
        postal_code=city.postal_code,
        country=city.country,
        latitude=city.latitude,
        longitude=city.longitude,
    )
