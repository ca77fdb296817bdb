"""A purchase order as its supplier sees it. Who it is for shows once it is accepted: before that only where. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from hub.domain.contact import Contact
from hub.domain.purchase import Purchase
from hub.domain.states import GONE, CancelState, SliceState
from hub.flow.aggregate import Order
from hub.flow.stock_ports import ItemFacts


class Stage(StrEnum):
    """What the supplier may do with it."""

    NEW = "new"
    TAKEN = "taken"
    """Accepted; some of it has not left."""
    STOPPING = "stopping"
    """We ask for it back."""
    SENT = "sent"
    OVER = "over"
    """Nothing of it is wanted."""


class LineStanding(NamedTuple):
    """A line: what is open of it, and what left."""

    line: str
    sku: str
    title: str
    open: int
    sent: int
    agreed: Decimal | None
    stated: Decimal | None


class Standing(NamedTuple):
    """Everything that the page shows of a purchase order."""

    id: str
    number: str
    stage: Stage
    lines: tuple[LineStanding, ...]
    currency: str | None
    ship_by: str | None
    ships_on: str | None
    service: str | None
    to: tuple[str, ...]
    """Lines of an address."""
    tracking: tuple[str, ...]


def standing(order: Order, no: int, people: Mapping[str, Contact], items: Mapping[int, ItemFacts]) -> Standing:
    """How a fulfilment order stands, for the supplier."""
    asked = order.fulfilments[no]
    purchase = asked.purchase or Purchase()
    stage = stage_of(order, no)
    group = next((one for one in (order.content.groups if order.content else ()) if one.key == asked.group), None)
    contact = people.get((group.contact if group else None) or "ship", Contact())
    return Standing(
        id=asked.id,
        number=purchase.number or asked.partner_reference or asked.id,
        stage=stage,
        lines=tuple(_lines(order, no, purchase, items)),
        currency=purchase.stated_currency or purchase.currency,
        ship_by=asked.ship_by.date().isoformat() if asked.ship_by else None,
        ships_on=purchase.ships_on.date().isoformat() if purchase.ships_on else None,
        service=group.service if group else None,
        to=_address(contact) if stage in (Stage.TAKEN, Stage.SENT) else _area(contact),
        tracking=tuple(
            " ".join(word for word in (parcel.carrier, parcel.tracking) if word)
            for shipment in order.shipments.values()
            if shipment.fulfilment == no
            for parcel in shipment.parcels
        ),
    )


def stage_of(order: Order, no: int) -> Stage:
    """What the supplier may do with a fulfilment order now."""
    states = {part.state for part in order.of_fulfilment(no)} - {SliceState.CANCELLED}
    waiting = states - GONE - {SliceState.IN_TRANSIT}
    if waiting and any(one.fulfilment == no and one.state is CancelState.ASKED for one in order.cancels.values()):
        return Stage.STOPPING
    if SliceState.RELEASED in waiting:
        return Stage.NEW
    if waiting:
        return Stage.TAKEN
    return Stage.SENT if states else Stage.OVER


def _lines(order: Order, no: int, purchase: Purchase, items: Mapping[int, ItemFacts]) -> list[LineStanding]:
    titles = {line.external_id: line.title for line in (order.content.lines if order.content else ())}
    found = []
    for demand in dict.fromkeys(part.demand for part in order.of_fulfilment(no)):
        parts = [part for part in order.of_fulfilment(no) if part.demand == demand]
        wanted = order.demands[demand]
        item = items.get(wanted.item or 0)
        sku = (item.sku if item else wanted.sku) or ""
        sent = sum(part.quantity for part in parts if part.state in GONE or part.state is SliceState.IN_TRANSIT)
        kept = sum(part.quantity for part in parts if part.state is not SliceState.CANCELLED)
        key = str(demand)
        found.append(
            LineStanding(
                line=key,
                sku=sku,
                title=titles.get(wanted.line) or sku,
                open=kept - sent,
                sent=sent,
                agreed=purchase.agreed.get(key),
                stated=purchase.stated.get(key),
            )
        )
    return [line for line in found if line.open or line.sent]


def _area(to: Contact) -> tuple[str, ...]:
    """Enough to reckon postage by."""
    words = (to.postal_code, to.city, to.region, to.country)
    text = " ".join(word for word in words if word)
    return (text,) if text else ()


def _address(to: Contact) -> tuple[str, ...]:
    town = " ".join(word for word in (to.postal_code, to.city, to.region) if word)
    words = (to.name, to.company, *to.lines, town, to.country, to.phone)
    return tuple(word for word in words if word)
