"""Sending, and the reads: all that changed, all that is open, the connection test."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, TypeVar

import msgspec

from adapters.magento import answers, queries, schemas
from adapters.magento.queries import Filter, Groups, Sort
from adapters.magento.settings import Settings, account, account_of
from hub.sdk.capabilities import Check, Context, Page, Probe, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson, Unauthorised
from hub.sdk.wire import Request, Response

T = TypeVar("T")
Store = Context[Settings]

OVERLAP_SECONDS: Final = 300
"""`updated_at` is stamped when a change begins and seen when it is committed, which may be later than others'."""

SLOW_SECONDS: Final = 60.0
"""A page of large orders takes a store tens of seconds."""

WRITE_SECONDS: Final = 45.0
"""Shipping and capturing talk to gateways and mail servers before they answer."""

IDS_PER_CALL: Final = 50
OPEN_STATES: Final = ("new", "pending_payment", "payment_review", "processing", "holded")

_TOGETHER: Final = "0"
"""Of a bundle's attribute `shipment_type`: 0 together, 1 separately."""


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """A decoder of one of `schemas`."""
    return msgspec.json.Decoder(kind)


_encoder: Final = msgspec.json.Encoder(decimal_format="number")
_orders: Final = decoder(schemas.Listed[msgspec.Raw])
_head: Final = decoder(schemas.Head)
_owned: Final = decoder(schemas.Owned)
_order: Final = decoder(schemas.Order)
_products: Final = decoder(schemas.Listed[schemas.Product])
_configs: Final = decoder(tuple[schemas.StoreConfig, ...])
_sources: Final = decoder(schemas.Listed[schemas.Source])


async def get(context: Store, path: str, operation: str, kind: msgspec.json.Decoder[T]) -> T:
    """Read something; raises `Interrupted` for whatever is not that."""
    request = Request(method="GET", path=path, operation=operation, deadline_seconds=SLOW_SECONDS)
    return answers.read(await context.client.send(request), kind, operation, context.now())


async def post(context: Store, path: str, operation: str, body: object = None) -> Response:
    """Send a write; its answer is read by the caller."""
    request = Request(
        method="POST",
        path=path,
        operation=operation,
        body=None if body is None else _encoder.encode(body),
        write=True,
        deadline_seconds=WRITE_SECONDS,
    )
    return await context.client.send(request)


async def listed(
    context: Store,
    path: str,
    groups: Groups,
    kind: msgspec.json.Decoder[schemas.Listed[T]],
    *,
    fields: str = "",
    sort: Sort = queries.BY_ID,
) -> list[T]:
    """A whole list, page by page. It ends where the count says so: a page past the end repeats the last one."""
    found: list[T] = []
    size, page = context.settings.page_size, 1
    while True:
        url = queries.search(path, groups, sort, size, page, fields)
        answer = await get(context, url, f"GET {path}", kind)
        found.extend(answer.items or ())
        if page * size >= answer.total_count or not answer.items:
            return found
        page += 1


async def read_order(context: Store, order: str) -> schemas.Order:
    """One order. Raises `Interrupted` (NeedsPerson) when the store does not have it."""
    if not order.isdigit():
        reason = f"order {order}: that is no entity_id of Magento"
        raise Interrupted(NeedsPerson(reason=reason, next_step="the order's external id must be the entity_id"))
    return await get(context, f"/orders/{order}", "GET /orders/{id}", _order)


async def bundles_together(context: Store, products: Iterable[int]) -> frozenset[int]:
    """Which of these products are bundles that ship together. The order does not say; a deleted product ships apart."""
    wanted = sorted(set(products))
    found: set[int] = set()
    for start in range(0, len(wanted), IDS_PER_CALL):
        groups = (queries.among("entity_id", wanted[start : start + IDS_PER_CALL]),)
        fields = "items[id,sku,type_id,custom_attributes],total_count"
        for product in await listed(context, "/products", groups, _products, fields=fields):
            kinds = [str(one.value) for one in product.custom_attributes if one.attribute_code == "shipment_type"]
            if kinds == [_TOGETHER]:
                found.add(product.id)
    return frozenset(found)


# --- orders ----------------------------------------------------------------------------------------------------------


async def pull_orders(context: Store, cursor: str | None, /) -> AsyncIterator[Page]:
    """Every order changed since the cursor, oldest change first, by (updated_at, entity_id) and not by page number.

    Without a cursor it begins at the connection's `live_from`, else `history_days` ago. A scan that was broken off
    goes on where it was; a finished one begins again a little before its last change.
    """
    place = Scan.begin(context) if cursor is None else msgspec.json.decode(cursor, type=Scan).resumed()
    while True:
        groups = (*queries.changed_after(place.at, place.entity), *_of_stores(context.settings))
        raw, more = await _page(context, groups, queries.BY_CHANGE)
        heads = [_heading(one) for one in raw]
        if heads:
            last = heads[-1]
            place = Scan(at=last.updated_at, entity=last.entity_id, seen=max(place.seen, last.updated_at))
        place = msgspec.structs.replace(place, scanning=more)
        yield Page(items=await _pulled(context, raw, heads), cursor=msgspec.json.encode(place).decode(), last=not more)
        if not more:
            return


async def pull_open_orders(context: Store, cursor: str | None, /) -> AsyncIterator[Page]:
    """Every order that is still open, whenever it changed: an address edited in the admin moves no `updated_at`."""
    after = int(cursor) if cursor else 0
    states = queries.among("state", OPEN_STATES)
    while True:
        groups = (states, (Filter("entity_id", "gt", str(after)),), *_of_stores(context.settings))
        raw, more = await _page(context, groups, queries.BY_ID)
        heads = [_heading(one) for one in raw]
        after = heads[-1].entity_id if more and heads else 0
        yield Page(items=await _pulled(context, raw, heads), cursor=str(after), last=not more)
        if not more:
            return


class Scan(msgspec.Struct, frozen=True, kw_only=True):
    """Cursor of `pull_orders`: what comes after (at, entity) is next; `seen` is the last change met. Store's stamps."""

    at: str
    entity: int = 0
    seen: str
    scanning: bool = False

    @classmethod
    def begin(cls, context: Store) -> "Scan":
        """The first scan."""
        start = context.connection.live_from or context.now() - timedelta(days=context.settings.history_days)
        return cls(at=stamp(start), seen=stamp(start))

    def resumed(self) -> "Scan":
        """The rest of a scan, or after its end a new one from the last change, less the overlap."""
        if self.scanning:
            return self
        seen = datetime.strptime(self.seen, STAMP).replace(tzinfo=UTC)
        return Scan(at=stamp(seen - timedelta(seconds=OVERLAP_SECONDS)), seen=self.seen)


STAMP: Final = "%Y-%m-%d %H:%M:%S"


def stamp(at: datetime) -> str:
    """A time as the store writes it: UTC without a zone."""
    return at.astimezone(UTC).strftime(STAMP)


async def _page(context: Store, groups: Groups, sort: Sort) -> tuple[list[msgspec.Raw], bool]:
    """The first page of a list of orders, and whether there is more behind it."""
    size = context.settings.page_size
    answer = await get(context, queries.search("/orders", groups, sort, size), "GET /orders", _orders)
    # The decoder's Raw points into the whole page's bytes; the order's own are kept.
    found = [one.copy() for one in answer.items or ()]
    return found, bool(found) and answer.total_count > len(found)


def _of_stores(settings: Settings) -> Groups:
    return (queries.among("store_id", settings.store_ids),) if settings.store_ids else ()


def _heading(raw: msgspec.Raw) -> schemas.Head:
    try:
        return _head.decode(raw)
    except msgspec.MsgspecError as error:
        step = "look which module of the store changes its REST answers, and report it"
        raise Interrupted(NeedsPerson(reason=f"orders: one cannot be told apart: {error}", next_step=step)) from None


async def _pulled(context: Store, raw: Sequence[msgspec.Raw], heads: Sequence[schemas.Head]) -> tuple[Pulled, ...]:
    """The orders of a page with what the store keeps beside them: invoices, credit memos, how bundles ship."""
    invoiced = [head.entity_id for head in heads if head.base_total_invoiced]
    refunded = [head.entity_id for head in heads if head.base_total_refunded]
    invoices = await _documents(context, "/invoices", invoiced)
    memos = await _documents(context, "/creditmemos", refunded)
    bundles = {
        head.entity_id: {item.product_id for item in head.items or () if item.product_type == "bundle"}
        for head in heads
    }
    products = {product for found in bundles.values() for product in found if product is not None}
    together = await bundles_together(context, products)
    return tuple(
        pulled(
            head,
            bytes(one),
            {
                "invoices": invoices.get(head.entity_id, []),
                "creditmemos": memos.get(head.entity_id, []),
                "shipped_together": sorted(together.intersection(bundles[head.entity_id])),
            },
        )
        for head, one in zip(heads, raw, strict=True)
    )


async def _documents(context: Store, path: str, orders: Sequence[int]) -> Mapping[int, list[msgspec.Raw]]:
    """Invoices or credit memos by order, as they are."""
    found: dict[int, list[msgspec.Raw]] = {}
    for start in range(0, len(orders), IDS_PER_CALL):
        groups = (queries.among("order_id", orders[start : start + IDS_PER_CALL]),)
        for one in await listed(context, path, groups, _orders):
            found.setdefault(_owned.decode(one).order_id, []).append(one.copy())
    return found


def pulled(head: schemas.Head, order: bytes, beside: Mapping[str, object]) -> Pulled:
    """One version of an order. `updated_at` has whole seconds and does not see everything: a digest tells the rest."""
    more = msgspec.json.encode({name: value for name, value in beside.items() if value})
    body = order if more == b"{}" else order.rstrip()[:-1] + b"," + more[1:]
    return Pulled(
        key=f"order:{head.entity_id}:{head.updated_at.replace(' ', 'T')}:{sha256(body).hexdigest()[:8]}",
        topic="order",
        object=f"order:{head.entity_id}",
        body=body,
    )


# --- the connection test ---------------------------------------------------------------------------------------------


async def probe(context: Store, /) -> Probe:
    """Which store it is, what the integration may read there, and which sources keep stock."""
    configs = await get(context, "/store/storeConfigs", "GET /store/storeConfigs", _configs)
    named = account(context.settings)
    theirs = [account_of(config.base_url) for config in configs]
    same = named in theirs
    said = named if same else (theirs[0] if theirs else "unknown")
    detail = said if same else f"the store calls itself {', '.join(theirs) or 'nothing'}, the connection {named}"
    checks = [Check(name="store", ok=same, detail=detail)]
    try:
        answer = await get(context, queries.search("/orders", (), queries.BY_ID, 1), "GET /orders", _orders)
        checks.append(Check(name="orders", ok=True, detail=f"{answer.total_count} can be read"))
    except Interrupted as interruption:
        checks.append(_refused(interruption, "orders", "Magento_Sales::sales"))
    try:
        sources = await listed(context, "/inventory/sources", (), _sources, sort=queries.BY_SOURCE)
        enabled = [f"{one.source_code} {one.name or ''}".strip() for one in sources if one.enabled]
        checks.append(Check(name="sources", ok=bool(enabled), detail=", ".join(enabled) or "no source is enabled"))
    except Interrupted as interruption:
        checks.append(_refused(interruption, "sources", "Magento_InventoryApi::source"))
    return Probe(account=said, checks=tuple(checks))


def _refused(interruption: Interrupted, name: str, resource: str) -> Check:
    """A resource that the integration was not given; the store says 401 to that as well."""
    if isinstance(interruption.outcome, Unauthorised):
        return Check(name=name, ok=False, detail=f"give the integration the resource {resource}")
    raise interruption
