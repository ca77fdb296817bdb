"""Documents that go to a partner: 940 (ship this), its cancel, and 943 (expect this). Pure."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from adapters.x12.interchange import Segment
from adapters.x12.settings import Profile
from adapters.x12.writer import Unwritable, identity, pieces, text
from hub.domain.contact import Contact
from hub.sdk.capabilities import FulfilmentCancel, FulfilmentRequest, StockAdvice

ORDER_NUMBER = 22
"""Longest W0502 and W0503."""
REFERENCE = 30
"""Longest N902."""


def shipping_order(request: FulfilmentRequest, profile: Profile) -> list[Segment]:
    """940: ship these units. Raises `Unwritable`."""
    purchase = request.purchase_order or request.order_number
    fits = purchase if len(purchase) <= ORDER_NUMBER else ""
    order = identity("the order number", fits, ORDER_NUMBER, profile) if _plain(fits, profile) else ""
    segments: list[Segment] = [("W05", profile.new, depositor_number(request.fulfilment), order)]
    segments += _ours(request.location, profile)
    segments += _customer(request.ship_to, profile)
    segments.append(("N9", "CO", text(request.order_number, REFERENCE, profile)))
    if request.purchase_order and not order:
        segments.append(("N9", "PO", "", text(request.purchase_order, 45, profile)))
    if request.ship_by is not None:
        segments.append(("G62", "10", _day(request.ship_by, profile)))
    segments.append(("G62", "04", _day(request.ordered_at, profile)))
    segments.append(_carriage(request.service, profile))
    total = 0
    for number, line in enumerate(request.lines, 1):
        sku = identity("SKU", line.sku, 48, profile)
        segments.append(("LX", str(number)))
        segments.append(("W01", str(line.quantity), profile.unit, "", profile.sku_qualifier, sku))
        if line.title:
            segments.append(("G69", text(line.title, 45, profile)))
        segments.append(("N9", "LI", identity("line", line.line, REFERENCE, profile)))
        total += line.quantity
    segments.append(("W76", str(total)))
    return segments


def cancel_order(request: FulfilmentCancel, profile: Profile) -> list[Segment]:
    """940 with the partner's code for a cancel: the head, no lines, totals of nothing, and words for a person."""
    return [
        ("W05", profile.cancel, depositor_number(request.fulfilment)),
        *_ours(profile.location, profile),
        ("NTE", "SPH", text(profile.cancel_note, 80, profile)),
        ("W76", "0"),
    ]


def transfer_advice(request: StockAdvice, profile: Profile) -> list[Segment]:
    """943: these units are on their way to you. Raises `Unwritable`."""
    reference = depositor_number(identity("reference", request.reference, 24, profile))
    segments: list[Segment] = [("W06", "F", reference, _day(request.shipped_at, profile), reference)]
    segments += _ours(request.location, profile)
    if request.ship_from is not None:
        segments.append(("N1", "SF", text(request.ship_from.company or request.ship_from.name, 60, profile)))
    if request.tracking:
        segments.append(("N9", "2I", identity("tracking number", request.tracking, REFERENCE, profile)))
    if request.expected_on is not None:
        segments.append(("G62", "17", _day(request.expected_on, profile)))
    segments.append(_w27(profile))
    for line in request.lines:
        sku = identity("SKU", line.sku, 48, profile)
        segments.append(("W04", str(line.quantity), profile.unit, "", profile.sku_qualifier, sku))
        if line.title:
            segments.append(("G69", text(line.title, 45, profile)))
        segments.append(("N9", "LI", identity("line", line.line, REFERENCE, profile)))
    segments.append(("W03", str(sum(line.quantity for line in request.lines))))
    return segments


def depositor_number(fulfilment: str) -> str:
    """A fulfilment order's id as W0502 takes it. One that is longer than 22 goes without its dash."""
    if len(fulfilment) <= ORDER_NUMBER:
        return fulfilment
    short = fulfilment.replace("-", "")
    if len(short) > ORDER_NUMBER:
        raise Unwritable(f"{fulfilment!r} is longer than the {ORDER_NUMBER} characters that W0502 has")
    return short


def _plain(value: str, profile: Profile) -> bool:
    return bool(value) and text(value, ORDER_NUMBER, profile) == value


def _ours(location: str | None, profile: Profile) -> Iterator[Segment]:
    if profile.depositor is not None:
        yield ("N1", "DE", text(profile.depositor_name, 60, profile), profile.depositor.qualifier, profile.depositor.id)
    place = location or profile.location
    if place:
        named = identity("location", place, 80, profile)
        yield ("N1", profile.warehouse_code, "", profile.warehouse_qualifier, named)


def _customer(contact: Contact, profile: Profile) -> Iterator[Segment]:
    name, *more = pieces(contact.name or contact.company, 60, profile) or [""]
    if not name or not contact.country:
        raise Unwritable("the ship-to address has no name or no country")
    yield ("N1", "ST", name)
    if contact.company and contact.name:
        more = [*more, *pieces(contact.company, 60, profile)]
    for first, second in _pairs(more[:4]):
        yield ("N2", first, second)
    street = [piece for line in contact.lines for piece in pieces(line, 55, profile)]
    if len(street) > 4:
        raise Unwritable("the ship-to address has more than four lines of street")
    for first, second in _pairs(street):
        yield ("N3", first, second)
    region = text(contact.region, 2, profile) if contact.region and len(contact.region) <= 2 else ""
    country, postal = text(contact.country, 3, profile), text(contact.postal_code, 15, profile)
    yield ("N4", text(contact.city, 30, profile), region, postal, country)
    person = text(contact.name or contact.company, 60, profile)
    if contact.phone:
        yield ("G61", "DC", person, "TE", text(contact.phone, 80, profile))
    if contact.email:
        yield ("G61", "DC", person, "EM", text(contact.email, 80, profile))


def _pairs(values: Sequence[str]) -> Iterable[tuple[str, str]]:
    return [(values[at], values[at + 1] if at + 1 < len(values) else "") for at in range(0, len(values), 2)]


def _carriage(service: str | None, profile: Profile) -> Segment:
    asked = profile.services.get(service or "", profile.carriage)
    if service is not None and service not in profile.services:
        # The shop's own word: the partner reads it, or has it put into the profile.
        asked = msgspec.structs.replace(asked, routing=service)
    empty = ("",) * 4
    return ("W66", asked.payment, asked.method, "", "", text(asked.routing, 35, profile), *empty, asked.scac)


def _w27(profile: Profile) -> Segment:
    return ("W27", profile.carriage.method, profile.carriage.scac, "", profile.carriage.payment)


def _day(at: datetime, profile: Profile) -> str:
    return f"{at.astimezone(ZoneInfo(profile.time_zone)):%Y%m%d}"
