"""Where a country or postal region is, for places without coordinates: its middle, and how far its farthest part is.

Our own figures, from the map, rounded: a tenth of a degree and ten kilometres are more than they are worth. A country
that is too large to be one place (the United States, Canada, Australia) is here by its postal regions only, and
what is far from the rest of its country (overseas departments, islands, military post) has a region of its own or is
unknown. Everything else is unknown, which is not near.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple


class Rough(NamedTuple):
    """Degrees of the middle, and kilometres to the farthest part."""

    latitude: float
    longitude: float
    radius_km: int


COUNTRIES: Final[Mapping[str, Rough]] = {
    "AE": Rough(24.2, 54.4, 280),
    "AT": Rough(47.6, 14.1, 340),
    "BE": Rough(50.6, 4.6, 160),
    "BG": Rough(42.7, 25.3, 280),
    "CH": Rough(46.8, 8.2, 190),
    "CY": Rough(35.0, 33.2, 130),
    "CZ": Rough(49.8, 15.3, 280),
    "DE": Rough(51.1, 10.3, 480),
    "DK": Rough(56.0, 10.3, 330),
    "EE": Rough(58.7, 25.5, 230),
    "ES": Rough(40.0, -3.6, 700),
    "FI": Rough(64.0, 26.0, 700),
    "FR": Rough(46.6, 2.5, 620),
    "GB": Rough(54.0, -2.5, 770),
    "GR": Rough(38.7, 23.5, 600),
    "HK": Rough(22.4, 114.2, 50),
    "HR": Rough(45.3, 16.2, 350),
    "HU": Rough(47.2, 19.4, 290),
    "IE": Rough(53.2, -8.0, 290),
    "IL": Rough(31.4, 35.0, 260),
    "IS": Rough(65.0, -18.5, 310),
    "IT": Rough(42.8, 12.1, 830),
    "KR": Rough(36.4, 127.9, 390),
    "LI": Rough(47.2, 9.6, 20),
    "LT": Rough(55.2, 23.9, 230),
    "LU": Rough(49.8, 6.1, 60),
    "LV": Rough(56.9, 24.9, 260),
    "MC": Rough(43.7, 7.4, 10),
    "MT": Rough(35.9, 14.4, 40),
    "NL": Rough(52.2, 5.5, 210),
    "NO": Rough(64.5, 13.5, 1050),
    "NZ": Rough(-41.0, 173.0, 800),
    "PL": Rough(52.1, 19.4, 440),
    "PT": Rough(39.6, -8.0, 310),
    "RO": Rough(45.9, 25.0, 420),
    "RS": Rough(44.2, 20.8, 280),
    "SE": Rough(62.5, 16.5, 850),
    "SG": Rough(1.4, 103.8, 30),
    "SI": Rough(46.1, 14.8, 150),
    "SK": Rough(48.7, 19.5, 250),
    "TR": Rough(39.0, 35.0, 880),
    "TW": Rough(23.7, 121.0, 270),
    "UA": Rough(48.9, 31.5, 800),
    "ZA": Rough(-29.0, 25.0, 970),
}

REGIONS: Final[Mapping[str, Mapping[str, Rough | None]]] = {
    "DE": {
        "0": Rough(51.2, 12.8, 170),
        "1": Rough(53.2, 13.0, 200),
        "2": Rough(53.7, 9.4, 200),
        "3": Rough(51.9, 9.9, 200),
        "4": Rough(51.8, 7.2, 150),
        "5": Rough(50.6, 7.2, 160),
        "6": Rough(49.8, 8.3, 160),
        "7": Rough(48.6, 9.0, 170),
        "8": Rough(48.1, 11.3, 180),
        "9": Rough(49.8, 11.3, 220),
    },
    "US": {
        "0": Rough(42.5, -72.3, 650),
        "006": Rough(18.2, -66.4, 150),
        "007": Rough(18.2, -66.4, 150),
        "008": Rough(18.0, -64.8, 100),
        "009": Rough(18.2, -66.4, 150),
        "09": None,  # military post in Europe, Africa and the Middle East
        "1": Rough(41.3, -76.2, 480),
        "2": Rough(36.5, -79.5, 550),
        "3": Rough(32.0, -85.3, 950),
        "340": None,  # military post in the Americas
        "4": Rough(40.7, -84.7, 850),
        "5": Rough(45.0, -98.5, 1450),
        "6": Rough(40.0, -94.5, 880),
        "7": Rough(32.5, -96.8, 1000),
        "8": Rough(39.3, -110.8, 1200),
        "9": Rough(41.0, -120.3, 1100),
        "962": None,  # military post in the Pacific
        "963": None,
        "964": None,
        "965": None,
        "966": None,
        "967": Rough(20.8, -157.3, 400),
        "968": Rough(21.3, -157.9, 50),
        "969": None,  # Guam and islands far from it
        "995": Rough(61.5, -152.0, 1900),
        "996": Rough(61.5, -152.0, 1900),
        "997": Rough(65.0, -152.0, 1200),
        "998": Rough(57.8, -134.5, 400),
        "999": Rough(55.8, -132.0, 250),
    },
    "CA": {
        "A": Rough(49.5, -56.5, 1100),
        "B": Rough(45.0, -63.0, 350),
        "C": Rough(46.4, -63.2, 130),
        "E": Rough(46.5, -66.3, 220),
        "G": Rough(48.5, -69.5, 950),
        "H": Rough(45.5, -73.6, 50),
        "J": Rough(47.0, -75.0, 1500),
        "K": Rough(45.0, -76.3, 280),
        "L": Rough(43.9, -79.5, 250),
        "M": Rough(43.7, -79.4, 50),
        "N": Rough(43.2, -81.1, 250),
        "P": Rough(48.5, -84.5, 1100),
        "R": Rough(52.5, -97.5, 950),
        "S": Rough(53.5, -106.0, 850),
        "T": Rough(54.0, -114.5, 800),
        "V": Rough(53.0, -124.0, 1100),
        "Y": Rough(63.5, -135.5, 750),
    },
    "AU": {
        "08": Rough(-15.5, 133.0, 1300),
        "2": Rough(-32.8, 147.5, 800),
        "3": Rough(-37.0, 145.0, 500),
        "4": Rough(-21.5, 146.5, 1500),
        "5": Rough(-32.0, 136.0, 1000),
        "6": Rough(-26.5, 120.5, 1650),
        "7": Rough(-42.0, 146.8, 300),
    },
    "ES": {
        "35": Rough(28.5, -14.4, 220),
        "38": Rough(28.3, -17.0, 180),
        "51": Rough(35.9, -5.3, 20),
        "52": Rough(35.3, -2.9, 20),
    },
    "FR": {"20": Rough(42.1, 9.1, 120), "97": None, "98": None},
    "PT": {"9": None, "90": Rough(32.7, -17.0, 100), "91": Rough(32.7, -17.0, 100), "92": Rough(32.7, -17.0, 100)},
}
"""By the longest prefix of the postal code that is named; None is unknown though the country is not."""


def rough_place(country: str | None, postal_code: str | None) -> Rough | None:
    """The postal region, else the country, as far as they are here."""
    if country is None:
        return None
    regions = REGIONS.get(country)
    if regions is not None and postal_code:
        code = postal_code.replace(" ", "").upper()
        for length in range(min(3, len(code)), 0, -1):
            if code[:length] in regions:
                return regions[code[:length]]
    return COUNTRIES.get(country)
