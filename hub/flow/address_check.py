"""Whether an address can be delivered to, judged without asking anybody: fields and postal codes by country."""

import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from typing import Literal, Protocol

import msgspec

from hub.domain.contact import Contact
from hub.domain.countries import COUNTRIES


class AddressRulesError(ValueError):
    """A table of countries that cannot be used; the text says which and why."""


class AddressCheck(Protocol):
    """The port: looks at an address and says what is wrong with it. Pure: no I/O and no clock."""

    def __call__(self, contact: Contact) -> tuple[str, ...]:
        """What is wrong, in words that hold nothing of the address itself; empty where nothing is."""
        ...


class CountryRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, dict=True):
    """What addresses of a country have."""

    postal_code: str | None = None
    """Pattern of the whole code, without regard to case; None where the country has none."""
    required: tuple[Literal["city", "region", "postal_code"], ...] = ("city", "postal_code")

    @cached_property
    def pattern(self) -> re.Pattern[str] | None:
        """The compiled pattern."""
        return None if self.postal_code is None else re.compile(self.postal_code, re.IGNORECASE)


class AddressRules(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The offline check: a country that is not in the table needs a street, and a city or a postal code."""

    countries: Mapping[str, CountryRule] = {}

    def __call__(self, contact: Contact) -> tuple[str, ...]:
        """See `AddressCheck`."""
        found = []
        if not contact.country:
            found.append("no country")
        elif contact.country not in COUNTRIES:
            found.append(f"no country has the code {contact.country}")
        if not any(line.strip() for line in contact.lines):
            found.append("no street")
        if not (contact.name or contact.company):
            found.append("no name")
        rule = self.countries.get(contact.country or "")
        if rule is None:
            return (*found, *(() if contact.city or contact.postal_code else ("no city",)))
        found += [
            f"no {name.replace('_', ' ')}" for name in rule.required if not (getattr(contact, name) or "").strip()
        ]
        code = (contact.postal_code or "").strip()
        if code and rule.pattern is not None and not rule.pattern.fullmatch(code):
            found.append(f"the postal code is none of {contact.country}")
        return tuple(found)


def load_address_rules(text: str) -> AddressRules:
    """Read a table. Raises `AddressRulesError` for the first thing that is wrong."""
    try:
        rules = msgspec.convert(tomllib.loads(text), AddressRules, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise AddressRulesError(f"address rules: {error}") from error
    for country, rule in rules.countries.items():
        if not re.fullmatch("[A-Z]{2}", country):
            raise AddressRulesError(f"address rules: countries.{country} is not an ISO 3166-1 alpha-2 code")
        try:
            _ = rule.pattern
        except re.error as error:
            raise AddressRulesError(f"address rules: countries.{country}.postal_code {error}") from error
    return rules
