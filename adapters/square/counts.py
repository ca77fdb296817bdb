"""Stock of locations whose shelves Square counts, such as stores with a till.

A count is true from the moment that Square states with it (`calculated_at`): when it took the last sale, delivery or
recount in. What an offline till sold days ago and sent just now is in the count of now, and not counted twice.
Our own number never goes to such a location, so nothing read here is an echo of it.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from typing import Final

import msgspec

from adapters.square import answers, schemas
from adapters.square.client import OVERLAP_SECONDS, fetch_order, moment, stamp
from adapters.square.documents import Seller, decoder, post, skus_of
from hub.domain.facts import StockLine, StockReported
from hub.domain.stock import ReportKind
from hub.sdk.capabilities import Page, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.translate import Malformed, Tables

TOPIC: Final = "counts"
EVENT: Final = "inventory.count.updated"
OBJECT: Final = "counts:"
EVERY_SECONDS: Final = 900
LIMIT: Final = 1000
"""Square's largest page of counts."""


class Counted(msgspec.Struct, frozen=True):
    """Units of a SKU at a location, as Square writes them, and since when that is so."""

    location: str
    sku: str
    quantity: str
    calculated_at: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor: the newest count met, and the locations that were read."""

    seen: datetime
    locations: tuple[str, ...]


_counts: Final = decoder(schemas.Counts)
_stored: Final = decoder(tuple[Counted, ...])
_mark: Final = decoder(Mark)


# --- reading: pure ----------------------------------------------------------------------------------------------------


def count_facts(body: bytes, tables: Tables) -> Sequence[StockReported]:
    """Stored counts as facts, one for each moment at which some of them were true.

    Raises `Malformed` for a count without its moment, and for parts of a unit: their item needs a unit of its own.
    """
    try:
        stored = _stored.decode(body)
    except msgspec.MsgspecError as error:
        raise Malformed("counts", "$", str(error)) from error
    lines: dict[datetime, list[StockLine]] = {}
    for place, one in enumerate(stored):
        at, units = moment(one.calculated_at), whole(one.quantity)
        if at is None:
            raise Malformed("calculated_at", f"counts[{place}].calculated_at", one.calculated_at)
        if units is None:
            raise Malformed("quantity", f"counts[{place}].quantity", f"{one.quantity} of {one.sku}")
        lines.setdefault(at, []).append(StockLine(location=one.location, sku=one.sku, on_hand=units))
    return [StockReported(at=at, kind=ReportKind.SNAPSHOT, lines=tuple(found)) for at, found in sorted(lines.items())]


def whole(quantity: str) -> int | None:
    """Units; None for what is no whole number of them."""
    try:
        units = Decimal(quantity)
    except InvalidOperation:
        return None
    return int(units) if units.is_finite() and units == units.to_integral_value() else None


def messages(counts: Iterable[Counted]) -> tuple[Pulled, ...]:
    """Messages of counts: the same counts again are the same message. Parts of a unit stand apart, not to hold up all
    the others."""
    ready: list[Counted] = []
    apart: list[Counted] = []
    for one in counts:
        (apart if whole(one.quantity) is None else ready).append(one)
    return tuple(_message(some) for some in (ready, apart) if some)


def _message(counts: Sequence[Counted]) -> Pulled:
    body = msgspec.json.encode(counts)
    return Pulled(key=f"{OBJECT}{sha256(body).hexdigest()[:24]}", topic=TOPIC, object=None, body=body)


# --- asking -----------------------------------------------------------------------------------------------------------


async def fetch(context: Seller, topic: str, object: str, body: bytes, /) -> Pulled | tuple[Pulled, ...]:
    """What an event is about, read anew: counts, or an order with all that stands beside it."""
    if topic == EVENT:
        return await fetch_counts(context, object)
    return await fetch_order(context, topic, object, body)


async def fetch_counts(context: Seller, subject: str) -> tuple[Pulled, ...]:
    """The counts of the variations that an event names, read anew at the locations that Square counts."""
    wanted = context.settings.stock_locations
    if not wanted:
        return ()
    body = counts_request(wanted, variations=subject.removeprefix(OBJECT).split(","))
    found, _ = await _page(context, body)
    return messages(found)


async def pull_stock(context: Seller, cursor: str | None, /) -> AsyncIterator[Page]:
    """All counts of `stock_locations`, then those that changed. A walk that was broken off begins anew, and so does
    everything when a location is added."""
    wanted = context.settings.stock_locations
    mark = _mark.decode(cursor) if cursor else None
    if mark is None or mark.locations != wanted:
        mark = Mark(seen=datetime.fromisoformat("1970-01-01T00:00:00Z"), locations=wanted)
    since = mark.seen - timedelta(seconds=OVERLAP_SECONDS) if cursor else mark.seen
    page: str | None = None
    while wanted:
        found, following = await _page(context, counts_request(wanted, since=since, page=page))
        times = [at for one in found if (at := moment(one.calculated_at)) is not None]
        mark = Mark(seen=max([mark.seen, *times]), locations=wanted)
        last = following is None or following == page
        kept = msgspec.json.encode(mark).decode() if last else cursor or ""
        yield Page(items=messages(found), cursor=kept)
        if last:
            return
        page = following


def counts_request(
    locations: Sequence[str],
    *,
    variations: Sequence[str] | None = None,
    since: datetime | None = None,
    page: str | None = None,
) -> dict[str, object]:
    """Body of BatchRetrieveInventoryCounts: what is on the shelf and for sale. Pure."""
    body: dict[str, object] = {"location_ids": list(locations), "states": ["IN_STOCK"], "limit": LIMIT}
    if variations is not None:
        body["catalog_object_ids"] = list(variations)
    if since is not None:
        body["updated_after"] = stamp(since)
    return body if page is None else {**body, "cursor": page}


async def _page(context: Seller, body: dict[str, object]) -> tuple[list[Counted], str | None]:
    path = "/v2/inventory/counts/batch-retrieve"
    answer = await post(context, path, f"POST {path}", body)
    read = answers.read(answer, _counts, "counts", context.now())
    skus = await skus_of(context, sorted({one.catalog_object_id for one in read.counts}))
    return [_counted(one, skus.get(one.catalog_object_id)) for one in read.counts], read.cursor


def _counted(one: schemas.Count, sku: str | None) -> Counted:
    """A count by SKU; a thing without one is told under its id, so that it is asked about instead of overlooked."""
    if one.location_id is None or one.quantity is None or one.calculated_at is None:
        reason = f"counts: {one.catalog_object_id} comes without location, quantity or calculated_at"
        step = "report it with the pinned square_version: the shape of counts has changed"
        raise Interrupted(NeedsPerson(reason=reason, next_step=step))
    return Counted(one.location_id, sku or f"variation:{one.catalog_object_id}", one.quantity, one.calculated_at)
