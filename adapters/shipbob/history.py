"""What moved on ShipBob's shelves and why: its inventory history, read between the levels.

A level says how much there is, the history how it came about. The hub counts a movement only while no later level is
known, so that reading both counts nothing twice.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from adapters.shipbob import calls
from adapters.shipbob.schemas import malformed
from adapters.shipbob.settings import Settings
from hub.domain.facts import StockLine, StockReported
from hub.domain.stock import ReportKind
from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.translate import Tables, utc
from hub.sdk.wire import Request, Response

TOPIC: Final = "inventory_history"
PULL: Final = "pull_history"
"""Off until its mode is set: the levels are enough to sell by."""
LONGEST: Final = timedelta(days=89)
"""ShipBob keeps 90 days of history in reach (OpenAPI 2026-01, `start_date`)."""


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """Where units came to, or left. The change is signed."""

    facility_id: int
    quantity_change: int = 0
    sku: str | None = None


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the history. Units that only change their place in a building both leave and come."""

    inventory_audit_event_id: int
    event_category: str
    event_datetime: datetime
    inventory_id: int
    increment: Side | None = None
    decrement: Side | None = None


class Movements(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to inventory/history:query, its events byte for byte."""

    data: list[msgspec.Raw] | None = None


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    id: int


class _Numbered(msgspec.Struct, frozen=True, kw_only=True):
    inventory_audit_event_id: int


_movement: Final = msgspec.json.Decoder(Movement)
_movements: Final = msgspec.json.Decoder(Movements)
_numbered: Final = msgspec.json.Decoder(_Numbered)
_places: Final = msgspec.json.Decoder(list[_Place])


def history_facts(body: bytes, tables: Tables) -> Sequence[StockReported]:
    """A movement as a change per building, for the reason that the table `[history]` gives its category.

    "ignore" is what another message tells: a pick by its shipment, a restock by its return. Raises `Malformed`, or
    `Unmapped` for a category that no table knows.
    """
    try:
        event = _movement.decode(body)
    except msgspec.MsgspecError as error:
        raise malformed("inventory history", error) from error
    reason = tables.require("history", event.event_category)
    changed: dict[tuple[str, str], int] = {}
    for side in (event.decrement, event.increment):
        if side is not None and side.quantity_change:
            place = (str(side.facility_id), side.sku or f"inventory:{event.inventory_id}")
            changed[place] = changed.get(place, 0) + side.quantity_change
    lines = tuple(
        StockLine(location=location, sku=sku, delta=units) for (location, sku), units in changed.items() if units
    )
    if reason == "ignore" or not lines:
        return ()
    return (StockReported(at=utc(event.event_datetime), kind=ReportKind.DELTA, lines=lines, reason=reason),)


async def pull_history(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Movements since the cursor (a moment), location by location; each counts once under ShipBob's number of it."""
    until = context.now()
    start = max(calls.since(context, cursor, until), until - LONGEST)
    for place in await _locations(context):
        after: int | None = None
        while True:
            response = await context.client.send(history_request(place, start, after, context.settings))
            events = read_history(response, context.now())
            newest = max(events, default=None)
            if newest is None or (after is not None and newest <= after):
                break
            items = tuple(
                Pulled(key=f"history:{number}", topic=TOPIC, object=None, body=raw)
                for number, raw in sorted(events.items())
            )
            yield Page(items=items, cursor=calls.iso(start))
            after = newest
    yield Page(items=(), cursor=calls.iso(until))


def history_request(place: int, start: datetime, after: int | None, settings: Settings) -> Request:
    """POST /inventory/history:query: a read, whatever its method. The cursor is the number of the last event seen."""
    document: Mapping[str, object] = {"facility_id": place, "start_date": calls.iso(start), "cursor": after}
    body = msgspec.json.encode(document)
    return calls.request(settings, "POST", "inventory/history:query", operation="POST /inventory/history", body=body)


def read_history(response: Response, now: datetime) -> dict[int, bytes]:
    """A page of events, each byte for byte under its number."""
    operation = "POST /inventory/history"
    calls.expect_ok(response, operation, "pull of history", now)
    try:
        found = [bytes(raw) for raw in _movements.decode(response.body).data or ()]
        return {_numbered.decode(raw).inventory_audit_event_id: raw for raw in found}
    except msgspec.MsgspecError as error:
        raise calls.unreadable(operation, error) from error


async def _locations(context: Context[Settings]) -> list[int]:
    wanted = calls.request(context.settings, "GET", "location", operation="GET /location")
    response = await context.client.send(wanted)
    calls.expect_ok(response, "GET /location", "pull of history", context.now())
    try:
        return sorted(place.id for place in _places.decode(response.body))
    except msgspec.MsgspecError as error:
        raise calls.unreadable("GET /location", error) from error
