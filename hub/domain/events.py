"""What others are told: the hub's own facts as events, and who asked for them. Ids and quantities, never people."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

import msgspec

from hub.domain.effects import Effect


class Channel(StrEnum):
    """How a subscriber is told."""

    WEBHOOK = "webhook"
    """A signed POST to the subscriber's own address."""
    MAIL = "mail"
    """A message to the customer of the order."""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Who is told what."""

    id: str
    merchant: str
    channel: Channel
    types: tuple[str, ...] = ()
    """Event types; a last `*` stands for all that begin so. Empty is every type."""
    connections: tuple[str, ...] = ()
    """Orders of these connections only. Empty is every connection."""

    def wants(self, type: str, connection: str) -> bool:
        """Whether an event of an order is for this subscriber."""
        if self.connections and connection not in self.connections:
            return False
        return not self.types or any(covers(wanted, type) for wanted in self.types)


def covers(wanted: str, type: str) -> bool:
    """Whether a filter means a type."""
    return type.startswith(wanted[:-1]) if wanted.endswith("*") else type == wanted


def unknown_filters(wanted: Iterable[str], types: Iterable[str]) -> list[str]:
    """Filters that no type answers to: a typing error would otherwise be told nothing, silently."""
    known = tuple(types)
    return [one for one in wanted if not any(covers(one, type) for type in known)]


class TellEvent(Effect, frozen=True, kw_only=True):
    """Tell one subscriber of one fact. The event's id is the key of the effect, the same for every subscriber."""

    order: str
    event: str
    """Its type."""
    at: datetime
    data: msgspec.Raw
    """The fact as JSON, of the struct that the type's entry in the table names."""


class OrderFact(msgspec.Struct, frozen=True, kw_only=True):
    """Something happened to an order."""

    order: str
    number: str
    """As the customer knows it."""
    external_id: str
    """The channel's own id."""
    connection: str
    state: str
    """captured, open, closed, cancelled."""
    revision: int


class LineOfOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of a line now, in sold units."""

    line: str
    sku: str | None
    quantity: int
    group: str


class ContentFact(OrderFact, frozen=True, kw_only=True):
    """What was bought, as it stands now. The total is in minor units."""

    currency: str
    total: int
    lines: list[LineOfOrder]


class HoldFact(OrderFact, frozen=True, kw_only=True):
    """A hold was placed or lifted."""

    hold: str
    """Its kind."""


class FulfilmentFact(OrderFact, frozen=True, kw_only=True):
    """Something happened to what a node was asked for."""

    fulfilment: str
    node: str | None
    """Its code."""
    ship_by: datetime | None


class OfferedGoods(msgspec.Struct, frozen=True, kw_only=True):
    """Base units that a store may take."""

    sku: str | None
    quantity: int


class OfferFact(OrderFact, frozen=True, kw_only=True):
    """A store may take units of an order, or may no more."""

    offer: str
    """Take it with POST /api/v1/offers/{offer}/claim."""
    group: str
    node: str | None
    """The store's code: each store that is offered the same has an event of its own."""
    offer_state: str
    """open, taken, refused, withdrawn."""
    until: datetime
    lines: list[OfferedGoods]
    """What is offered; nothing any more when it has ended."""


class ParcelGoods(msgspec.Struct, frozen=True, kw_only=True):
    """Base units in a parcel, by the channel's line."""

    line: str
    sku: str | None
    quantity: int


class ParcelFact(msgspec.Struct, frozen=True, kw_only=True):
    """One box."""

    tracking: str | None
    carrier: str | None
    service: str | None
    url: str | None
    lines: list[ParcelGoods]


class ShipmentFact(FulfilmentFact, frozen=True, kw_only=True):
    """Goods left a node."""

    parcels: list[ParcelFact]


class TrackingFact(OrderFact, frozen=True, kw_only=True):
    """A carrier said where a parcel is."""

    tracking: str | None
    carrier: str | None
    status: str
    at: datetime


class PromiseFact(OrderFact, frozen=True, kw_only=True):
    """The customer gets something at another time than was said last."""

    group: str
    before: datetime | None
    promised: datetime | None
    """Null while nobody knows a date."""
    waiting: bool
    """Part of it is not in stock."""
    cause: str
    """late, out_of_stock, back_in_stock, refused, short, changed."""


class ReturnFact(OrderFact, frozen=True, kw_only=True):
    """Something happened to a return."""

    return_id: str
    return_state: str | None
    node: str | None


class MoneyFact(OrderFact, frozen=True, kw_only=True):
    """Money was asked for, moved or refused. The amount is in minor units."""

    amount: int | None
    currency: str
