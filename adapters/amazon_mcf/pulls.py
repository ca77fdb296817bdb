"""Scheduled pulls: orders that changed, and inventory."""

import hashlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

import msgspec

from adapters.amazon_mcf import answers, translate
from adapters.amazon_mcf.calls import summaries
from adapters.amazon_mcf.client import Mcf, get_body, port
from adapters.amazon_mcf.outbound import Changes, Listed, Outbound
from adapters.amazon_mcf.settings import Settings
from hub.sdk.capabilities import Page, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.translate import Malformed

FIRST_PULL: Final = timedelta(days=30)
CHUNK: Final = 20
"""Orders read one by one between two cursors: a pull that is put off goes on there."""
FULL_EVERY: Final = timedelta(hours=24)
"""All of the inventory so often; between, what changed."""
STOCK_OVERLAP: Final = timedelta(minutes=30)
RESTARTS: Final = 3

# --- status -----------------------------------------------------------------------------------------------------------


WIDE_EVERY: Final = timedelta(hours=1)
"""How late a part that leaves may be told, where its order's status does not change by it."""
WIDE: Final = timedelta(days=7)
"""How far back orders that are under way are looked for; what takes longer is told when its last part leaves."""


class Scan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cursor of `pull_status`: where a scan began, until when it is true, and how far it got."""

    since: datetime
    until: datetime
    token: str | None = None
    skip: int = 0
    """Orders of the token's page that are done."""
    wide: bool = False
    """Orders under way are looked for too, from before `since`."""
    wide_at: datetime | None = None
    """When that was last done."""

    def listed_from(self) -> datetime:
        """What the list is asked for."""
        return min(self.since, self.until - WIDE) if self.wide else self.since

    def wants(self, order: Listed) -> bool:
        """Whether an order of the list is to be read."""
        at = order.changed_at
        return not self.wide or order.under_way or at is None or at.tzinfo is None or at >= self.since

    def ended(self, overlap: int) -> "Scan":
        """Where the next one begins."""
        wide_at = self.until if self.wide else self.wide_at
        return Scan(since=self.until - timedelta(seconds=overlap), until=self.until, wide_at=wide_at)


async def pull_status(context: Mcf, cursor: str | None, /) -> AsyncIterator[Page]:
    """Orders of ours that changed since the cursor. A window that was missed is caught up from where the last ended.

    A scan that was broken off goes on at its page; one whose token has died begins again, which costs only reads.
    """
    scan, restarts = _begin(context, cursor), 0
    while True:
        wanted = port(context).list(scan.listed_from(), scan.token)
        response = await context.client.send(wanted)
        if response.status == 400 and scan.token is not None and restarts < RESTARTS:
            scan, restarts = msgspec.structs.replace(scan, token=None, skip=0), restarts + 1
            continue
        answers.expect(response, wanted, "pull of status", context.now())
        page = _changes(context, response.body)
        mine = [order for order in page.orders if translate.ours(order.id) and scan.wants(order)]
        for start in range(scan.skip, len(mine), CHUNK):
            items = [item for order in mine[start : start + CHUNK] for item in await _items(context, order)]
            on = msgspec.structs.replace(scan, skip=start + CHUNK)
            if start + CHUNK < len(mine):
                yield Page(items=tuple(items), cursor=_cursor(on))
                continue
            yield Page(items=tuple(items), cursor=_cursor(_after(scan, page, context)))
        if scan.skip >= len(mine):
            yield Page(items=(), cursor=_cursor(_after(scan, page, context)))
        if page.token is None:
            return
        scan = _after(scan, page, context)


def _after(scan: Scan, page: Changes, context: Mcf) -> Scan:
    if page.token is None:
        return scan.ended(context.settings.overlap_seconds)
    return msgspec.structs.replace(scan, token=page.token, skip=0)


def _begin(context: Mcf, cursor: str | None) -> Scan:
    now = context.now()
    if cursor is None:
        return Scan(since=context.connection.live_from or now - FIRST_PULL, until=now)
    scan = msgspec.json.decode(cursor, type=Scan)
    if scan.token or scan.skip:
        return scan
    # A cursor ahead of us was written by a clock that was fast: what changed since lies before it.
    latest = now - timedelta(seconds=context.settings.overlap_seconds)
    wide_at = None if scan.wide_at is None else min(scan.wide_at, now)
    wide = not port(context).lists_shipments and (wide_at is None or now - wide_at >= WIDE_EVERY)
    return Scan(since=min(scan.since, latest), until=now, wide=wide, wide_at=wide_at)


def _cursor(scan: Scan) -> str:
    return msgspec.json.encode(scan).decode()


def _changes(context: Mcf, body: bytes) -> Changes:
    try:
        return port(context).changes(body)
    except msgspec.MsgspecError as error:
        reason = f"pull of status: Amazon's list does not fit its contract: {error}"
        step = "compare the API version with the adapter's"
        raise Interrupted(NeedsPerson(reason=reason, next_step=step)) from None


async def _items(context: Mcf, listed: Listed) -> list[Pulled]:
    body = listed.body or await get_body(context, listed.id)
    return [] if body is None else pulled(port(context), listed.id, body)


def pulled(version: Outbound, order: str, body: bytes) -> list[Pulled]:
    """The messages that an order makes: itself under the hash of its content, and what it will not bring once."""
    subject = f"order:{order}"
    digest = hashlib.sha256(body).hexdigest()[:20]
    messages = [Pulled(key=f"{subject}:{digest}", topic=version.topic, object=subject, body=body)]
    try:
        found = translate.read(version, body)
    except Malformed:
        # `translate.read` meets the same difficulty with the stored bytes, and says so where it can be mended.
        return messages
    short = translate.shortfall(found, _STATES.get(found.status.casefold()))
    if short is not None:
        messages.append(
            Pulled(key=f"short:{order}", topic="shortfall", object=subject, body=msgspec.json.encode(short))
        )
    return messages


_STATES: Final = {"completepartialled": "partial", "complete_partial": "partial", "cancelled": "cancelled"}


# --- stock ------------------------------------------------------------------------------------------------------------


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor of `pull_stock`: when all was read last, and when anything was."""

    full_at: datetime
    seen: datetime


async def pull_stock(context: Mcf, cursor: str | None, /) -> AsyncIterator[Page]:
    """All of the inventory once a day, what changed in between. Pages follow at once: their tokens live 30 s."""
    now = context.now()
    last = None if cursor is None else msgspec.json.decode(cursor, type=Counted)
    full = last is None or now - last.full_at >= FULL_EVERY
    since = None if last is None or full else last.seen - STOCK_OVERLAP
    done = Counted(full_at=now if last is None or full else last.full_at, seen=now)
    # Until all pages are read the cursor stays where it was: a scan broken off begins again.
    held = msgspec.json.encode(last or Counted(full_at=datetime.fromtimestamp(0, now.tzinfo), seen=now)).decode()
    token, restarts = None, 0
    while True:
        as_of = context.now()
        wanted = summaries(context.settings, since, token)
        response = await context.client.send(wanted)
        if response.status == 400 and token is not None and restarts < RESTARTS:
            token, restarts = None, restarts + 1
            continue
        answers.expect(response, wanted, "pull of stock", context.now())
        page = _read_stock(response.body)
        token = page.pagination.next_token or None if page.pagination else None
        cursor = held if token else msgspec.json.encode(done).decode()
        yield Page(items=_stock_items(context.settings, as_of, page), cursor=cursor)
        if token is None:
            return


class _Inventory(msgspec.Struct, frozen=True, rename="camel"):
    inventory_summaries: tuple[msgspec.Raw, ...]


class _Pagination(msgspec.Struct, frozen=True, rename="camel"):
    next_token: str | None = None


class _Summaries(msgspec.Struct, frozen=True):
    payload: _Inventory
    pagination: _Pagination | None = None


def _read_stock(body: bytes) -> _Summaries:
    try:
        return msgspec.json.decode(body, type=_Summaries)
    except msgspec.MsgspecError as error:
        reason = f"pull of stock: Amazon's inventory does not fit its contract: {error}"
        step = "compare the API version with the adapter's"
        raise Interrupted(NeedsPerson(reason=reason, next_step=step)) from None


def _stock_items(settings: Settings, as_of: datetime, page: _Summaries) -> tuple[Pulled, ...]:
    summaries = page.payload.inventory_summaries
    if not summaries:
        return ()
    body = msgspec.json.encode(translate.StockPage(as_of=as_of, location=settings.location, summaries=summaries))
    key = f"inventory:{as_of.isoformat()}:{hashlib.sha256(body).hexdigest()[:20]}"
    return (Pulled(key=key, topic="inventory", object=None, body=body),)
