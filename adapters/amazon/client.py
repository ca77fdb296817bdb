"""The reads: one order, all that changed, the queue, the connection test."""

import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec

from adapters.amazon import answers, notifications, queues
from adapters.amazon.notifications import OBJECT
from adapters.amazon.schemas import (
    Identity,
    IdentityAnswer,
    OrderAnswer,
    OrderPage,
    Participation,
    Participations,
)
from adapters.amazon.settings import SECRET_DAYS, Settings
from hub.sdk.capabilities import Check, Context, Page, Probe, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater
from hub.sdk.wire import Request, Response

T = TypeVar("T")
Seller = Context[Settings]

ORDERS: Final = "/orders/2026-01-01/orders"
INCLUDED: Final = "BUYER,RECIPIENT,PROCEEDS,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT"
PAGE: Final = 100
EVERY_SECONDS: Final = 900
OVERLAP_SECONDS: Final = 900
"""A scan looks back over the last one: lists lag behind the orders they list."""
OLDEST: Final = timedelta(days=729)
"""Nothing older than two years is listed."""
FIRST_SCAN: Final = timedelta(days=30)
TOKEN_LIFE: Final = timedelta(hours=23)
"""A page's token is valid for 24 hours; an older one is not tried."""
MOST_RECEIVES: Final = 200
NOT_YET: Final = timedelta(hours=1)
"""A notification may be ahead of what getOrder reads: for so long after the event it is asked again."""
ASK_AGAIN: Final = timedelta(minutes=5)


def request(
    method: str,
    path: str,
    operation: str,
    *,
    query: Mapping[str, str] | None = None,
    document: object = None,
    write: bool = False,
) -> Request:
    """A call of the Selling Partner API."""
    body = None if document is None else msgspec.json.encode(document)
    headers = {"content-type": "application/json"} if body is not None else {}
    return Request(
        method=method, path=path, operation=operation, query=query or {}, headers=headers, body=body, write=write
    )


# --- orders -----------------------------------------------------------------------------------------------------------


async def fetch(context: Seller, topic: str, object: str, body: bytes, /) -> Pulled:
    """Read the order that a notification names. Raises `Interrupted` for one that is not there, or not yet."""
    order = object.removeprefix(OBJECT)
    response = await asked(context, order)
    if response.status == 404:
        now, told = context.now(), notifications.happened_at(body)
        if told is not None and now < told + NOT_YET:
            reason = f"order {order} cannot be read at Amazon yet"
            raise Interrupted(RetryLater(reason=reason, at=now + ASK_AGAIN))
        raise _unknown(order)
    found = answers.read(response, _get_order(order), IdentityAnswer, object, context.now())
    return stored(found.order, response.body)


async def get_order(context: Seller, order: str, kind: type[T]) -> T:
    """An order in the shape that a write needs."""
    response = await answered(context, order)
    answer = answers.read(response, _get_order(order), OrderAnswer, f"order {order}", context.now())
    try:
        return msgspec.json.decode(answer.order, type=kind)
    except msgspec.ValidationError as error:
        reason = f"order {order}: Amazon's answer does not fit its contract: {error}"
        step = "compare the API version with the adapter's"
        raise Interrupted(NeedsPerson(reason=reason, next_step=step)) from None


async def answered(context: Seller, order: str) -> Response:
    """The answer of getOrder; raises NeedsPerson for an order that Amazon does not know."""
    response = await asked(context, order)
    if response.status == 404:
        raise _unknown(order)
    return response


def _unknown(order: str) -> Interrupted:
    reason = f"order {order} cannot be read at Amazon: it is not this seller's, or older than two years"
    step = "compare the connection's seller and region with the order's"
    return Interrupted(NeedsPerson(reason=reason, next_step=step))


async def asked(context: Seller, order: str) -> Response:
    """The answer of getOrder, whatever it is."""
    return await context.client.send(_get_order(order))


def _get_order(order: str) -> Request:
    return request("GET", f"{ORDERS}/{order}", "getOrder", query={"includedData": INCLUDED})


def stored(order: Identity, body: bytes) -> Pulled:
    """A version of an order: the same key whether it came by notification or by scan."""
    digest = hashlib.sha256(body).hexdigest()[:16]
    key = f"{OBJECT}{order.order_id}:{order.last_updated_time}:{digest}"
    return Pulled(key=key, topic="order", object=f"{OBJECT}{order.order_id}", body=body)


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor of `pull_orders`: where a scan began, up to when it is true, and its next page while it goes on."""

    since: datetime
    until: datetime
    token: str | None = None
    token_at: datetime | None = None


async def pull_orders(context: Seller, cursor: str | None, /) -> AsyncIterator[Page]:
    """Every order changed since the cursor. A reconciliation: one call in three minutes is all that Amazon grants.

    A scan that was broken off goes on at its next page; one whose token has died begins again.
    """
    scan = begin(context, cursor)
    while True:
        wanted = request("GET", ORDERS, "searchOrders", query=_search(context.settings, scan))
        response = await context.client.send(wanted)
        if response.status == 400 and scan.token is not None:
            # A token is only good for the app, seller and query it was given to, and for a day.
            scan = Scan(since=scan.since, until=scan.until)
            continue
        page = answers.read(response, wanted, OrderPage, "orders", context.now())
        token = page.pagination.next_token if page.pagination else None
        until = scan.until if scan.token else (page.last_updated_before or context.now())
        scan = Scan(since=scan.since, until=until, token=token or None, token_at=context.now() if token else None)
        items = tuple(_item(raw) for raw in page.orders)
        ended = Scan(since=until - timedelta(seconds=OVERLAP_SECONDS), until=until)
        at_end = scan.token is None
        yield Page(items=items, cursor=msgspec.json.encode(ended if at_end else scan).decode(), last=at_end)
        if scan.token is None:
            return


def begin(context: Seller, cursor: str | None) -> Scan:
    """The scan that a cursor continues, never further back than Amazon lists."""
    now = context.now()
    if cursor is None:
        since = context.connection.live_from or now - FIRST_SCAN
        return Scan(since=max(since, now - OLDEST), until=now)
    scan = msgspec.json.decode(cursor, type=Scan)
    if scan.token is not None and scan.token_at is not None and now - scan.token_at < TOKEN_LIFE:
        return scan
    return Scan(since=max(scan.since, now - OLDEST), until=scan.until)


def _search(settings: Settings, scan: Scan) -> dict[str, str]:
    query = {
        "lastUpdatedAfter": scan.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "marketplaceIds": ",".join(settings.marketplace_ids),
        "maxResultsPerPage": str(PAGE),
        "includedData": INCLUDED,
    }
    return {**query, "paginationToken": scan.token} if scan.token else query


def _item(raw: msgspec.Raw) -> Pulled:
    """One order of a list, wrapped as getOrder answers it; one without identity is stored for what it is."""
    body = b'{"order":' + bytes(raw) + b"}"
    try:
        return stored(msgspec.json.decode(raw, type=Identity), body)
    except msgspec.MsgspecError:
        return Pulled(key=f"order:unread:{hashlib.sha256(body).hexdigest()}", topic="order", object=None, body=body)


# --- notifications ----------------------------------------------------------------------------------------------------


async def pull_notifications(context: Seller, cursor: str | None, /) -> AsyncIterator[Page]:
    """Empty the queue. A message is deleted when its page is stored, so that none is lost between the two."""
    queue = queues.queue(context)
    for _ in range(MOST_RECEIVES):
        messages = await queue.receive() if queue else ()
        if queue is None or not messages:
            break
        found = {item.key: item for item in (_notified(context, one) for one in messages)}
        yield Page(items=tuple(found.values()), cursor=context.now().isoformat())
        await queue.delete(messages)
    yield Page(items=(), cursor=context.now().isoformat())


def _notified(context: Seller, message: queues.QueuedMessage) -> Pulled:
    return notifications.pulled(message.body, context.settings.seller_id)


# --- connection test --------------------------------------------------------------------------------------------------


async def probe(context: Seller, /) -> Probe:
    """Whether the credentials work, the seller sells in the marketplaces, and somebody tells us of orders."""
    now, settings = context.now(), context.settings
    wanted = request("GET", "/sellers/v1/marketplaceParticipations", "getMarketplaceParticipations")
    response = await context.client.send(wanted)
    found = answers.read(response, wanted, Participations | tuple[Participation, ...], "connection test", now)  # type: ignore[arg-type]
    rows = found.payload if isinstance(found, Participations) else found
    active = {row.marketplace.id: row for row in rows if row.participation.is_participating}
    checks = [Check(name="token", ok=True, detail=f"sells in {', '.join(sorted(active)) or 'no marketplace'}")]
    for marketplace in settings.marketplace_ids:
        there = marketplace in active
        detail = active[marketplace].marketplace.name if there else "the seller does not take part"
        checks.append(Check(name=f"marketplace {marketplace}", ok=there, detail=detail))
    checks.append(await _subscribed(context))
    if settings.app_renewed_on is not None:
        left = SECRET_DAYS - (now.date() - settings.app_renewed_on).days
        checks.append(Check(name="client_secret", ok=left > 14, detail=f"{left} days until Amazon lets it expire"))
    return Probe(account=settings.seller_id, checks=tuple(checks))


async def _subscribed(context: Seller) -> Check:
    """Without notifications orders come by scan only, minutes late: worth knowing, no reason to fail."""
    wanted = request("GET", "/notifications/v1/subscriptions/ORDER_CHANGE", "getSubscription")
    response = await context.client.send(wanted)
    if response.status == 200:
        return Check(name="ORDER_CHANGE", ok=True, detail="subscribed")
    if response.status == 404:
        detail = f"no subscription: orders come by scan only, every {EVERY_SECONDS // 60} minutes"
        return Check(name="ORDER_CHANGE", ok=not context.settings.queue_url, detail=detail)
    raise answers.interrupted(response, wanted, "connection test", context.now())
