"""The full read of stock: once a day ShipHero is asked for a file per warehouse, which is fetched when it is made.

A snapshot costs some thirty credits, whatever the number of products; reading the same by pages costs one for each.
The file is a job of ShipHero's: asked for, looked at, fetched from its storage within 24 hours (developer.shiphero.com,
inventory snapshot). One per warehouse, since ShipHero advises against all of them at once.

Its figures are dated by the moment at which it was asked for: what webhooks and the pull of stock told since is newer.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

import msgspec

from adapters.shiphero.answers import read
from adapters.shiphero.operations import ACCOUNT, SNAPSHOT, SNAPSHOT_ASKED
from adapters.shiphero.pulls import FULL_STOCK_EVERY
from adapters.shiphero.requests import graphql
from adapters.shiphero.schemas import (
    AccountNode,
    AccountProbe,
    Answer,
    Id,
    Snapshot,
    SnapshotAsked,
    SnapshotSeen,
    StockAsOf,
    WarehouseProduct,
)
from adapters.shiphero.settings import FullStock, Settings
from hub.sdk.capabilities import Context, Page, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater
from hub.sdk.wire import Request

EVERY_SECONDS: Final = 300
"""How soon a file that is ready is fetched; while none is awaited, nothing is asked."""
AT_ONCE: Final = 500
"""Levels in one message."""
DOWNLOAD_SECONDS: Final = 120.0
LIFETIME: Final = timedelta(hours=24)
"""Of a file; one that was not ready by then is asked for anew."""
MADE: Final = "success"
RUNNING: Final = frozenset({"enqueued", "processing", "pending", "started"})
"""Words of integrators; ShipHero's schema has the status as free text. Any other one ends the wait by name."""


class Job(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A warehouse whose file is to come."""

    warehouse: str
    snapshot: str | None = None
    asked_at: datetime | None = None


class Round(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cursor: when the last round began, and what of it is still awaited."""

    began: datetime | None = None
    jobs: tuple[Job, ...] = ()


class Level(msgspec.Struct, frozen=True):
    """Stock of a product in a warehouse."""

    on_hand: int
    warehouse_id: Id | None = None


class Product(msgspec.Struct, frozen=True):
    """A product in the file."""

    sku: str
    warehouse_products: dict[str, Level]


class File(msgspec.Struct, frozen=True):
    """The file. Since April 2025 products stand under their account's id; before they stood alone."""

    products: dict[str, msgspec.Raw]


_round: Final = msgspec.json.Decoder(Round)
_account: Final = msgspec.json.Decoder(Answer[AccountProbe])
_asked: Final = msgspec.json.Decoder(Answer[SnapshotAsked])
_seen: Final = msgspec.json.Decoder(Answer[SnapshotSeen])
_file: Final = msgspec.json.Decoder(File)
_fields: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_product: Final = msgspec.json.Decoder(Product)


async def snapshot_pages(context: Context[Settings], cursor: str | None) -> AsyncIterator[Page]:
    """Every level of every warehouse, once a day, as the files become ready. Interrupted, it goes on where it was."""
    if context.settings.full_stock is not FullStock.SNAPSHOT:
        return
    place = Round() if cursor is None else _round.decode(cursor)
    if not place.jobs and _due(place, context.now()):
        jobs = tuple(Job(warehouse=warehouse) for warehouse in await _warehouses(context))
        place = Round(began=context.now(), jobs=jobs)
        yield Page(items=(), cursor=_written(place))
    for waiting in place.jobs:
        job = waiting
        if job.asked_at is None or context.now() - job.asked_at >= LIFETIME:
            job = await _ask(context, job)
            place = _with(place, job.warehouse, job)
            yield Page(items=(), cursor=_written(place))
        found = await _look(context, job)
        if found.status in RUNNING:
            continue
        without = _with(place, job.warehouse, None)
        if found.status != MADE or not found.snapshot_url:
            # The cursor moves first: this end is told once, and the next round asks anew.
            yield Page(items=(), cursor=_written(without))
            raise _failed(job, found)
        for item in messages(job, await _levels(context, found.snapshot_url)):
            yield Page(items=(item,), cursor=_written(place))
        place = without
        yield Page(items=(), cursor=_written(place), last=not place.jobs)


def messages(job: Job, levels: Iterator[WarehouseProduct]) -> Iterator[Pulled]:
    """Levels of a file, some hundred in a message. Pure."""
    number = 0
    as_of = "" if job.asked_at is None else job.asked_at.isoformat()
    while some := tuple(islice(levels, AT_ONCE)):
        body = msgspec.json.encode(StockAsOf(as_of=as_of, products=some))
        yield Pulled(key=f"snapshot:{job.snapshot}:{number}", topic="inventory_snapshot", object=None, body=body)
        number += 1


def levels_of(body: bytes) -> Iterator[WarehouseProduct]:
    """Levels of a file, of either format. Raises `msgspec.MsgspecError`. Pure."""
    for value in _file.decode(body).products.values():
        named = _fields.decode(value)
        for raw in (value,) if "warehouse_products" in named else named.values():
            product = _product.decode(raw)
            for key, level in product.warehouse_products.items():
                place = key if level.warehouse_id is None else level.warehouse_id
                yield WarehouseProduct(sku=product.sku, warehouse_id=place, on_hand=level.on_hand)


def _due(place: Round, now: datetime) -> bool:
    # A beginning that lies ahead was written by a clock that was fast.
    return place.began is None or not timedelta() <= now - place.began < FULL_STOCK_EVERY


def _with(place: Round, warehouse: str, instead: Job | None) -> Round:
    """The round with a warehouse's job replaced, or taken off it."""
    jobs = [instead if one.warehouse == warehouse else one for one in place.jobs]
    return msgspec.structs.replace(place, jobs=tuple(one for one in jobs if one is not None))


def _written(place: Round) -> str:
    return msgspec.json.encode(place).decode()


async def _warehouses(context: Context[Settings]) -> list[str]:
    response = await context.client.send(graphql(ACCOUNT, {}, context.settings))
    answer = read(response, _account, write=False, now=context.now())
    node = (answer.account.data if answer.account else None) or AccountNode()
    return [warehouse.id for warehouse in node.warehouses or () if warehouse.id]


async def _ask(context: Context[Settings], job: Job) -> Job:
    """Ask for a file. A lost answer leaves a file that nobody fetches, so it is simply asked for again."""
    asked_at = context.now()
    settings = context.settings
    data: Mapping[str, object] = {"warehouse_id": job.warehouse, "new_format": True}
    if settings.customer_account_id is not None:
        data = {**data, "customer_account_id": settings.customer_account_id}
    response = await context.client.send(graphql(SNAPSHOT_ASKED, {"data": data}, settings))
    made = read(response, _asked, write=False, now=context.now()).inventory_generate_snapshot
    if made is None or made.snapshot is None or made.snapshot.snapshot_id is None:
        reason = f"ShipHero took the snapshot of warehouse {job.warehouse} on and gave it no id"
        raise Interrupted(RetryLater(reason=reason))
    return msgspec.structs.replace(job, snapshot=made.snapshot.snapshot_id, asked_at=asked_at)


async def _look(context: Context[Settings], job: Job) -> Snapshot:
    response = await context.client.send(graphql(SNAPSHOT, {"snapshot_id": job.snapshot}, context.settings))
    seen = read(response, _seen, write=False, now=context.now()).inventory_snapshot
    return (seen.snapshot if seen else None) or Snapshot()


def _failed(job: Job, found: Snapshot) -> Interrupted:
    reason = f"snapshot {job.snapshot} of warehouse {job.warehouse} ended {found.status}: {found.error or 'no reason'}"
    step = "Wait for tomorrow's, or have the whole read by pages: full_stock = pages."
    return Interrupted(NeedsPerson(reason=reason, next_step=step))


async def _levels(context: Context[Settings], url: str) -> Iterator[WarehouseProduct]:
    if not trusted(url, context.settings):
        reason = f"ShipHero keeps the snapshot on {urlsplit(url).hostname}, which is not among snapshot_hosts"
        raise Interrupted(NeedsPerson(reason=reason, next_step="Add the host to snapshot_hosts if it is ShipHero's."))
    download = Request(
        method="GET", path=url, operation="snapshot_file", foreign=True, deadline_seconds=DOWNLOAD_SECONDS
    )
    response = await context.client.send(download)
    if response.status != 200:
        raise Interrupted(RetryLater(reason=f"the storage of ShipHero's snapshot answered {response.status}"))
    try:
        return iter(list(levels_of(response.body)))
    except msgspec.MsgspecError as error:
        reason = f"ShipHero's snapshot cannot be read: {error}"
        step = "Compare the file with this version, or have the whole read by pages: full_stock = pages."
        raise Interrupted(NeedsPerson(reason=reason, next_step=step)) from error


def trusted(url: str, settings: Settings) -> bool:
    """Whether a file may be fetched from there: a host of the settings over https, or the base URL's own."""
    if settings.base_url and url.startswith(settings.base_url.rstrip("/") + "/"):
        return True
    parts = urlsplit(url)
    host = f".{parts.hostname or ''}"
    return parts.scheme == "https" and any(host.endswith(f".{name}") for name in settings.snapshot_hosts)
