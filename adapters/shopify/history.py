"""Orders of long ago, brought once: the shop exports them in bulk, and what it could not export is read.

They go the way of every pulled order: an order that a webhook told in the meantime is newer, and stays.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlsplit

import msgspec

from adapters.shopify import documents, orders
from adapters.shopify import documents_bulk as bulk
from adapters.shopify.answers import UserError
from adapters.shopify.client import AT_ONCE, DAY, Installation, Shop, bring, call, gid
from adapters.shopify.jsonl import Broken, groups
from adapters.shopify.jsonl import whole as exported
from adapters.shopify.orders import rest_id
from adapters.shopify.scopes import VISIBLE_DAYS
from adapters.shopify.settings import Settings
from hub.sdk.capabilities import Page, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater, Uncertain
from hub.sdk.translate import moment
from hub.sdk.wire import Request

EVERY_SECONDS: Final = 60
"""How often an export that runs is looked at. One takes minutes to hours."""

PIECE: Final = 1 << 20
"""Bytes of the export that are read at once; an order that is larger doubles it."""

LARGEST: Final = 64 << 20
RUNNING: Final = frozenset({"CREATED", "RUNNING", "CANCELING"})
GONE: Final = frozenset({400, 403, 404, 410})
"""Statuses with which the storage answers an address that has ended."""

STILL_GOOD: Final = timedelta(hours=1)
"""An export that ended within this time is taken again rather than asked for again."""

BUSY: Final = timedelta(minutes=5)
MOST_FAILURES: Final = 3
"""Exports that fail in a row before a person is told."""

_BUSY_CODES: Final = frozenset({"OPERATION_IN_PROGRESS", "LIMIT_REACHED"})


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor: which export, how far it was read, and whether all is here."""

    since: str
    operation: str | None = None
    offset: int = 0
    failures: int = 0
    """Exports that failed, one after the other."""

    done: bool = False


class Bulk(orders.Shape, frozen=True):
    """Answer of `documents_bulk.BULK`."""

    id: str
    status: str
    error_code: str | None = None
    url: str | None = None
    file_size: str | None = None
    """Bytes; a number too large for some, so text."""


class Recent(orders.Shape, frozen=True):
    """One of `documents_bulk.RECENT`."""

    id: str
    status: str
    query: str
    created_at: str


class Ran(orders.Shape, frozen=True):
    """Answer of `documents_bulk.RUN`."""

    bulk_operation: orders.Ref | None
    user_errors: tuple[UserError, ...] = ()


async def pull_history(context: Shop, cursor: str | None, /) -> AsyncIterator[Page]:
    """Every order placed since `history_from`, once; nothing where that is not set.

    The first run asks for the export, or finds the one that an earlier run had asked for; later ones look whether it
    has ended and read it on from where they were. What has been read is not asked for again: another `history_from` is.
    """
    since = context.settings.history_from
    if since is None:
        return
    place = Place(since=since.isoformat()) if cursor is None else msgspec.json.decode(cursor, type=Place)
    if place.since != since.isoformat():
        place = Place(since=since.isoformat())
    if place.done:
        return
    if place.operation is None:
        await _may_see(context, since)
        place = msgspec.structs.replace(place, operation=await _asked(context, bulk.history(since)))
        yield _page(place)
    found = await call(context, bulk.BULK, {"id": place.operation}, "bulkOperation", Bulk)
    if found is not None and found.status in RUNNING:
        return
    if found is None or found.status != "COMPLETED":
        failures = place.failures + 1
        yield _page(Place(since=place.since, failures=failures))
        raise _failed(found, place.operation, failures)
    async for page in _read(context, found, place):
        yield page


def _page(place: Place, items: Sequence[Pulled] = ()) -> Page:
    return Page(items=tuple(items), cursor=msgspec.json.encode(place).decode())


async def _may_see(context: Shop, since: date) -> None:
    """Raises `Interrupted` where the export would leave old orders out without a word."""
    if since >= (context.now() - VISIBLE_DAYS * DAY).date():
        return
    installed = await call(context, documents.SCOPES, {}, "currentAppInstallation", Installation)
    if installed is None or all(scope.handle != "read_all_orders" for scope in installed.access_scopes):
        reason = f"history: the app sees orders of the last {VISIBLE_DAYS} days only, and history_from is {since}"
        raise Interrupted(NeedsPerson(reason=reason, next_step="grant read_all_orders, or name a later history_from"))


async def _asked(context: Shop, query: str) -> str:
    """The id of an export of this query: one that runs or has just ended, else a new one."""
    found = await call(context, bulk.RECENT, {}, "bulkOperations", orders.Nodes[Recent])
    for one in found.nodes if found else ():
        fresh = moment(one.created_at, f"bulkOperations[{one.id}].createdAt") >= context.now() - STILL_GOOD
        if one.query == query and (one.status in RUNNING or (one.status == "COMPLETED" and fresh)):
            return one.id
    try:
        answer = await call(context, bulk.RUN, {"query": query}, "bulkOperationRunQuery", Ran)
    except Interrupted as interruption:
        if isinstance(interruption.outcome, Uncertain):
            # The next run looks for it first.
            raise Interrupted(RetryLater(reason=interruption.outcome.reason)) from None
        raise
    if answer is not None and answer.bulk_operation is not None:
        return answer.bulk_operation.id
    errors = answer.user_errors if answer else ()
    told = "; ".join(error.message for error in errors) or "no reason given"
    if any(error.code in _BUSY_CODES for error in errors):
        raise Interrupted(RetryLater(reason=f"history: {told}", at=context.now() + BUSY))
    step = "check the connection's api_version and the app's read_orders scope"
    raise Interrupted(NeedsPerson(reason=f"history: the shop exports nothing: {told}", next_step=step))


def _failed(found: Bulk | None, operation: str | None, failures: int) -> Interrupted:
    code = found.error_code if found else None
    if code == "ACCESS_DENIED":
        step = "grant read_orders and, for orders older than 60 days, read_all_orders"
        return Interrupted(NeedsPerson(reason="history: the app may not export orders", next_step=step))
    said = "is gone" if found is None else f"ended as {found.status} ({code or 'no reason given'})"
    return _lost(said, operation, failures)


def _lost(said: str, operation: str | None, failures: int) -> Interrupted:
    """An export of which not all was read: asked for anew so often, then a person is told."""
    if failures >= MOST_FAILURES:
        reason = f"history: {failures} exports of orders failed in a row; the last, {operation}, {said}"
        step = "name a later history_from, or report the operation and its code to Shopify; webhooks still bring orders"
        return Interrupted(NeedsPerson(reason=reason, next_step=step))
    return Interrupted(RetryLater(reason=f"history: the export {said}; it is asked for anew"))


async def _read(context: Shop, found: Bulk, place: Place) -> AsyncIterator[Page]:
    """The export from where it was read to, a page per piece. One without orders has no address."""
    size = int(found.file_size or 0)
    piece = PIECE
    while found.url is not None and place.offset < size:
        chunk = await _piece(context, found.url, place.offset, piece)
        if chunk is None:
            break
        try:
            here, taken = groups(chunk, last=place.offset + len(chunk) >= size)
            made = [(group.id, exported(group)) for group in here]
        except Broken as error:
            step = "report it; orders are still brought by webhooks and by the pull `orders`"
            raise Interrupted(NeedsPerson(reason=f"history: {error}", next_step=step)) from None
        if not taken:
            piece = _larger(piece)
            continue
        items = await bring(context, [order for _, order in made if order is not None])
        items += await _by_hand(context, [id for id, order in made if order is None])
        place = msgspec.structs.replace(place, offset=place.offset + taken)
        yield _page(place, items)
    if place.offset < size:
        # Orders that were read already come again under the same keys.
        failures = place.failures + 1
        yield _page(Place(since=place.since, failures=failures))
        raise _lost("is not kept any more", place.operation, failures)
    yield _page(msgspec.structs.replace(place, done=True))


def _larger(piece: int) -> int:
    if piece >= LARGEST:
        step = "report it; orders are still brought by webhooks and by the pull `orders`"
        raise Interrupted(NeedsPerson(reason=f"history: an order of more than {LARGEST} bytes", next_step=step))
    return piece * 2


async def _piece(context: Shop, url: str, start: int, length: int) -> bytes | None:
    """Bytes of the export; None where its address has ended, a week after the export. Raises `Interrupted`."""
    if not trusted(url, context.settings):
        step = "report it: exports are expected in Google's storage, where Shopify keeps them"
        raise Interrupted(NeedsPerson(reason=f"history: the export is on {urlsplit(url).hostname}", next_step=step))
    headers = {"range": f"bytes={start}-{start + length - 1}"}
    request = Request(method="GET", path=url, operation="bulk export", headers=headers, cost=0.0, foreign=True)
    answer = await context.client.send(request)
    if answer.status == 206 and answer.body:
        return answer.body
    if answer.status == 200 and len(answer.body) > start:
        return answer.body[start:]
    if answer.status in GONE:
        return None
    raise Interrupted(RetryLater(reason=f"history: the storage answered {answer.status} at byte {start} of the export"))


def trusted(url: str, settings: Settings) -> bool:
    """Whether an export may be read at a presigned URL: Google's storage over https, or the simulator."""
    if settings.base_url and url.startswith(settings.base_url.rstrip("/") + "/"):
        return True
    parts = urlsplit(url)
    return parts.scheme == "https" and parts.hostname == "storage.googleapis.com"


async def _by_hand(context: Shop, ids: Sequence[str]) -> list[Pulled]:
    """Orders of which the export could not say everything, many in one answer; what the search misses one by one."""
    found: list[orders.Order] = []
    for start in range(0, len(ids), AT_ONCE):
        wanted = [rest_id(id) for id in ids[start : start + AT_ONCE]]
        terms = {"query": " OR ".join(f"id:{number}" for number in wanted), "after": None}
        page = await call(context, documents.ORDERS, terms, "orders", orders.OrderPage)
        read = {rest_id(order.id): order for order in page.nodes} if page else {}
        for number in wanted:
            order = read.get(number) or await _one(context, number)
            # None was deleted since it was exported.
            if order is not None:
                found.append(order)
    return await bring(context, found)


async def _one(context: Shop, number: int) -> orders.Order | None:
    return await call(context, documents.ORDER, {"id": gid("Order", number)}, "order", orders.Order)
