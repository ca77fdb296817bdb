"""Sending, and the reads: an order with what stands beside it, all that changed, the connection test."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from adapters.square import answers, schemas
from adapters.square.documents import Found, all_locations, beside, decoder, found, get, orders_of, post, pulled
from adapters.square.settings import Settings, account
from adapters.square.webhook import decode
from hub.sdk.capabilities import Check, Context, Page, Probe, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson, RetryLater
from hub.sdk.wire import Response

Seller = Context[Settings]

OVERLAP_SECONDS: Final = 900
"""Search lags behind writes, and a till that was offline sends its sales late: they come by their `updated_at`."""

LOCATIONS_PER_SEARCH: Final = 10
FRESH: Final = timedelta(minutes=15)
"""An order may be answered 404 for a while after its first event."""

_merchant: Final = decoder(schemas.MerchantAnswer)
_one: Final = decoder(schemas.OneOrder)
_payment: Final = decoder(schemas.PaymentAnswer)
_search: Final = decoder(schemas.Search)


# --- a thin event's order --------------------------------------------------------------------------------------------


async def fetch_order(context: Seller, topic: str, object: str, body: bytes, /) -> Pulled | tuple[Pulled, ...]:
    """The order that an event is about, with its payments, refunds, returns and SKUs; nothing for one of a location
    that is not this connection's: events come from all of the seller's.

    An order that only returns goods of another stands for that other. Raises `Interrupted`: RetryLater for an order
    that Square does not show yet, NeedsPerson for one that it never will.
    """
    kind, _, name = object.partition(":")
    order = await _order_of_payment(context, name) if kind == "payment" else name
    one = await _order(context, order, body)
    if not one.head.line_items and one.head.sources:
        one = await _order(context, one.head.sources[0], body)
    ours = context.settings.location_ids
    if ours and one.head.location_id not in ours:
        return ()
    return pulled(one, await beside(context, [one], exact=True))


async def _order(context: Seller, order: str, body: bytes) -> Found:
    what = f"order {order}"
    answer = await get(context, f"/v2/orders/{order}", "GET /v2/orders/{id}")
    if answer.status == 404:
        raise Interrupted(_absent(context, what, body))
    return found(answers.read(answer, _one, what, context.now()).order)


async def _order_of_payment(context: Seller, payment: str) -> str:
    answer = await get(context, f"/v2/payments/{payment}", "GET /v2/payments/{id}")
    read = answers.read(answer, _payment, f"payment {payment}", context.now()).payment
    if read.order_id is None:
        step = "look at the payment in the Square Dashboard; a refund of it changes no order"
        raise Interrupted(NeedsPerson(reason=f"payment {payment} belongs to no order", next_step=step))
    return read.order_id


def _absent(context: Seller, what: str, body: bytes) -> RetryLater | NeedsPerson:
    told_at = moment(decode(body).created_at)
    if told_at is None or context.now() - told_at < FRESH:
        return RetryLater(reason=f"{what} is not to be read yet: Square answered 404")
    step = "check that the application may read orders (ORDERS_READ) of that location, then replay the message"
    return NeedsPerson(reason=f"{what}: Square answered 404", next_step=step)


# --- all that changed ------------------------------------------------------------------------------------------------


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor of `pull_orders`. A scan reads what changed since `at`, ten locations after the other; `page` is Square's
    own cursor within them, `seen` the last change met. All times are Square's."""

    at: datetime
    seen: datetime
    part: int = 0
    page: str | None = None
    scanning: bool = False

    @classmethod
    def begin(cls, context: Seller) -> "Scan":
        """The first scan."""
        start = context.connection.live_from or context.now() - timedelta(days=context.settings.history_days)
        return cls(at=start, seen=start)

    def resumed(self) -> "Scan":
        """The rest of a scan, or after its end a new one from the last change, less the overlap."""
        return self if self.scanning else Scan(at=self.seen - timedelta(seconds=OVERLAP_SECONDS), seen=self.seen)


_scan: Final = msgspec.json.Decoder(Scan)


async def pull_orders(context: Seller, cursor: str | None, /) -> AsyncIterator[Page]:
    """Every order that changed, by `updated_at`: what a till sold offline three days ago arrives today.

    A page's returns bring the sales that they are of. A page cursor that Square no longer takes begins its part again.
    """
    place = _scan.decode(cursor).resumed() if cursor else Scan.begin(context)
    locations = context.settings.location_ids or await all_locations(context)
    parts = [locations[at : at + LOCATIONS_PER_SEARCH] for at in range(0, len(locations), LOCATIONS_PER_SEARCH)]
    if place.part >= len(parts):
        place = msgspec.structs.replace(place, part=0, page=None)
    while parts:
        answer = await _searched(context, parts[place.part], place)
        if answer is None:
            place = msgspec.structs.replace(place, page=None)
            continue
        heads = [found(raw) for raw in answer.orders]
        subjects, returns = await _subjects(context, heads)
        stood = await beside(context, subjects, exact=False, returns=returns)
        seen = max((at for one in heads if (at := moment(one.head.updated_at))), default=place.seen)
        part = place.part if answer.cursor else place.part + 1
        more = part < len(parts)
        place = Scan(at=place.at, seen=max(seen, place.seen), part=part, page=answer.cursor, scanning=more)
        items = tuple(pulled(one, stood) for one in subjects)
        yield Page(items=items, cursor=msgspec.json.encode(place).decode(), last=not more)
        if not more:
            return


async def _searched(context: Seller, locations: tuple[str, ...], place: Scan) -> schemas.Search | None:
    """A page; None when Square takes the page's cursor no more."""
    answer = await post(
        context, "/v2/orders/search", "POST /v2/orders/search", search(context.settings, locations, place)
    )
    if place.page is not None and "INVALID_CURSOR" in answers.codes(answer):
        return None
    return answers.read(answer, _search, "orders", context.now())


def search(settings: Settings, locations: tuple[str, ...], place: Scan) -> dict[str, object]:
    """Body of SearchOrders. A filter by `updated_at` demands the sort by it. Pure."""
    body: dict[str, object] = {
        "location_ids": list(locations),
        "query": {
            "filter": {"date_time_filter": {"updated_at": {"start_at": stamp(place.at)}}},
            "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
        },
        "limit": settings.page_size,
    }
    return body if place.page is None else {**body, "cursor": place.page}


async def _subjects(context: Seller, heads: list[Found]) -> tuple[list[Found], list[Found]]:
    """The sales of a page, with those whose goods its other orders return; and the orders that return goods."""
    returns = [one for one in heads if one.head.sources]
    sales = [one for one in heads if one.head.line_items or not one.head.sources]
    present = {one.head.id for one in sales}
    missing = sorted({source for one in returns for source in one.head.sources} - present)
    return [*sales, *await orders_of(context, missing)], returns


def stamp(at: datetime) -> str:
    """A time as Square writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(text: str | None) -> datetime | None:
    """A time of Square's; None for what is none."""
    try:
        at = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return at if at.tzinfo else None


# --- the connection test ---------------------------------------------------------------------------------------------


async def probe(context: Seller, /) -> Probe:
    """Which seller it is, which locations there are, and whether orders, payments and stock may be read."""
    answer = await get(context, "/v2/merchants/me", "GET /v2/merchants/{id}")
    merchant = answers.read(answer, _merchant, "merchant", context.now()).merchant
    named = account(context.settings)
    same = merchant.id == named
    detail = f"{merchant.business_name or merchant.id}, {merchant.currency or 'no currency'}"
    checks = [
        Check(name="merchant", ok=same, detail=detail if same else f"the token is {merchant.id}'s, not {named}'s")
    ]
    locations = await all_locations(context)
    unknown = sorted(set(context.settings.location_ids) - set(locations))
    detail = f"unknown: {', '.join(unknown)}" if unknown else f"{len(locations)} active"
    checks.append(Check(name="locations", ok=bool(locations) and not unknown, detail=detail))
    if locations:
        place = Scan.begin(context)
        some = (context.settings.location_ids or locations)[:LOCATIONS_PER_SEARCH]
        body = {**search(context.settings, some, place), "limit": 1}
        orders = await post(context, "/v2/orders/search", "POST /v2/orders/search", body)
        checks.append(_allowed(orders, "orders", "ORDERS_READ"))
    refunds = await get(context, "/v2/refunds?limit=1", "GET /v2/refunds")
    checks.append(_allowed(refunds, "payments", "PAYMENTS_READ"))
    return Probe(account=merchant.id, checks=tuple(checks))


def _allowed(answer: Response, name: str, permission: str) -> Check:
    if answers.good(answer):
        return Check(name=name, ok=True, detail="can be read")
    if answer.status == 403:
        return Check(name=name, ok=False, detail=f"grant {permission}")
    return Check(name=name, ok=False, detail=answers.told(answer) or f"Square answered {answer.status}")
