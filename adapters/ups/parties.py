"""Pure: people, places and boxes as UPS wants them. What does not fit is said before anything is sent."""

import textwrap
from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Any, Final

from hub.domain.contact import Contact
from hub.sdk.capabilities import ParcelToShip
from hub.sdk.outcomes import Interrupted, NeedsPerson

POUND_G: Final = Decimal("453.59237")
KILOGRAM_G: Final = Decimal(1000)
INCH_MM: Final = Decimal("25.4")
CENTIMETRE_MM: Final = Decimal(10)
TENTH: Final = Decimal("0.1")

_POUNDS: Final = {"Code": "LBS", "Description": "Pounds"}
_KILOGRAMS: Final = {"Code": "KGS", "Description": "Kilograms"}
_INCHES: Final = {"Code": "IN", "Description": "Inches"}
_CENTIMETRES: Final = {"Code": "CM", "Description": "Centimeters"}

LINE: Final = 35
LINES: Final = 3
NORTH_AMERICA: Final = frozenset({"US", "CA", "PR", "VI"})
IMPERIAL: Final = frozenset({"US", "PR", "VI", "GU", "AS", "MP", "LR", "MM"})
"""Origins that UPS takes pounds and inches from; others weigh in kilograms and measure in centimetres."""


def shipper_of(ship_from: Contact, ship_to: Contact, *, returns: bool) -> Contact:
    """Whose account it is: the node's, which on a return is where the parcel goes."""
    return ship_to if returns else ship_from


def shipper(contact: Contact, account: str, subject: str) -> dict[str, Any]:
    """The account's holder."""
    return {**party(contact, subject), "ShipperNumber": account}


def party(contact: Contact, subject: str) -> dict[str, Any]:
    """Who and where. Raises `Interrupted` naming what is missing or too long, never a value of it."""
    name = contact.company or contact.name
    if not name:
        raise _unfit(subject, "has neither name nor company")
    # Abroad UPS wants a name for attention of both ends, and a warehouse may have no person's.
    attention = (contact.name or name)[:LINE]
    found: dict[str, Any] = {"Name": name[:LINE], "AttentionName": attention, "Address": address(contact, subject)}
    if digits := phone(contact):
        found["Phone"] = {"Number": digits}
    return found


def address(contact: Contact, subject: str) -> dict[str, Any]:
    """Up to three lines of 35 characters, wrapped between words where the contact's own do not fit."""
    lines = [line.strip() for line in contact.lines if line.strip()]
    if len(lines) > LINES or any(len(line) > LINE for line in lines):
        lines = textwrap.wrap(", ".join(lines), LINE)
    missing = [
        what
        for what, there in (("street", lines), ("city", contact.city), ("country", contact.country))
        if not there
    ]  # fmt: skip
    if missing:
        raise _unfit(subject, f"has no {' and no '.join(missing)}")
    if len(lines) > LINES:
        raise _unfit(subject, f"has a street longer than {LINES} lines of {LINE} characters")
    assert contact.city is not None
    found: dict[str, Any] = {"AddressLine": lines, "City": contact.city[:30], "CountryCode": contact.country}
    # UPS takes codes only; outside of the countries that need one, regions often are names.
    if contact.region and len(contact.region) <= 5:
        found["StateProvinceCode"] = contact.region
    if contact.postal_code:
        found["PostalCode"] = contact.postal_code.replace(" ", "").replace("-", "")[:9]
    return found


def phone(contact: Contact) -> str | None:
    """Digits only, at most 15; in North America the ten after the country's 1."""
    digits = "".join(sign for sign in contact.phone or "" if sign in "0123456789")
    if contact.country in NORTH_AMERICA and len(digits) == 11:
        digits = digits.removeprefix("1")
    return digits[:15] or None


def boxes(parcels: Sequence[ParcelToShip], origin: str | None) -> list[dict[str, Any]]:
    """Weight rounded up to a tenth, sizes up to a whole unit with the longest first: UPS charges what it measures."""
    imperial = origin in IMPERIAL
    return [_box(parcel, imperial=imperial) for parcel in parcels]


def total_weight(parcels: Sequence[ParcelToShip], origin: str | None) -> dict[str, Any]:
    """Of all boxes, as `boxes` weighs each."""
    weights = [box["PackageWeight"] for box in boxes(parcels, origin)]
    total = sum((Decimal(weight["Weight"]) for weight in weights), Decimal(0))
    return {"UnitOfMeasurement": weights[0]["UnitOfMeasurement"], "Weight": str(total)}


def _box(parcel: ParcelToShip, *, imperial: bool) -> dict[str, Any]:
    unit, grams = (_POUNDS, POUND_G) if imperial else (_KILOGRAMS, KILOGRAM_G)
    weight = (Decimal(parcel.weight_g) / grams).quantize(TENTH, ROUND_CEILING)
    found: dict[str, Any] = {"PackageWeight": {"UnitOfMeasurement": unit, "Weight": str(weight)}}
    if parcel.length_mm and parcel.width_mm and parcel.height_mm:
        unit, per = (_INCHES, INCH_MM) if imperial else (_CENTIMETRES, CENTIMETRE_MM)
        sizes = sorted((parcel.length_mm, parcel.width_mm, parcel.height_mm), reverse=True)
        length, width, height = (str(int((Decimal(size) / per).to_integral_value(ROUND_CEILING))) for size in sizes)
        found["Dimensions"] = {
            "UnitOfMeasurement": unit,
            "Length": length,
            "Width": width,
            "Height": height,
        }
    return found


def _unfit(subject: str, what: str) -> Interrupted:
    return Interrupted(NeedsPerson(reason=f"{subject}: an address {what}", next_step="correct the address, then retry"))
