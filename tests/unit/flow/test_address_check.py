"""Addresses judged without asking anybody."""

from importlib import resources

import msgspec
import pytest

from hub.domain.contact import Contact
from hub.domain.countries import COUNTRIES
from hub.flow.address_check import AddressRulesError, load_address_rules
from hub.registry import rule_text

RULES = load_address_rules(rule_text("holds", "addresses"))

HOME = Contact(name="A", lines=("1 Main St",), city="Springfield", region="IL", postal_code="62704", country="US")


@pytest.mark.parametrize(
    ("country", "code", "fine"),
    [
        ("US", "62704", True),
        ("US", "62704-1234", True),
        ("US", "6270", False),
        ("CA", "k1a 0b1", True),
        ("CA", "D1A 0B1", False),
        ("GB", "SW1A 1AA", True),
        ("GB", "12345", False),
        ("DE", "10115", True),
        ("DE", "D-10115", False),
        ("NL", "1012 AB", True),
        ("PL", "00-950", True),
        ("PL", "00950", False),
        ("PT", "1000-205", True),
        ("JP", "100-0001", True),
        ("IE", "D02 AF30", True),
        ("SE", "114 55", True),
    ],
)
def test_postal_codes_are_those_of_their_country(country: str, code: str, fine: bool) -> None:
    found = RULES(msgspec.structs.replace(HOME, country=country, postal_code=code))
    assert found == (() if fine else (f"the postal code is none of {country}",))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"name": None}, ("no name",)),
        ({"name": None, "company": "Acme"}, ()),
        ({"lines": (" ",)}, ("no street",)),
        ({"region": None}, ("no region",)),
        ({"region": None, "country": "DE"}, ()),
        ({"city": "", "postal_code": None}, ("no city", "no postal code")),
        ({"country": "HK", "postal_code": None, "region": None}, ()),
        ({"country": "ZW", "postal_code": None}, ()),
        ({"country": "ZW", "postal_code": None, "city": None}, ("no city",)),
        ({"country": None}, ("no country",)),
        ({"country": "ZZ", "region": None}, ("no country has the code ZZ",)),
    ],
)
def test_what_is_missing_is_named_and_nothing_of_the_address_is(
    changes: dict[str, object], told: tuple[str, ...]
) -> None:
    assert RULES(msgspec.structs.replace(HOME, **changes)) == told


def test_countries_are_those_of_the_time_zone_database_and_kosovo() -> None:
    table = (resources.files("tzdata") / "zoneinfo" / "iso3166.tab").read_text("utf-8")
    assert {line[:2] for line in table.splitlines() if not line.startswith("#")} | {"XK"} == COUNTRIES


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[countries]\nDE = 3", "DE|object"),
        ("[countries]\nde = {}", "countries.de"),
        ("[countries]\nDE = { postal_code = '(' }", "countries.DE"),
        ("[countries]\nDE = { required = ['planet'] }", "planet"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(text: str, told: str) -> None:
    with pytest.raises(AddressRulesError, match=told):
        load_address_rules(text)
