"""An order as it is stored: Square's own document, with what stands beside it put in under keys of ours.

`payments` and `payment_refunds` (Square's documents), `return_orders` (the orders that return its goods) and `skus`
(by catalogue id). A refund changes nothing of the sale: it makes another order, which names the sale as its source.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from adapters.square import answers, schemas
from adapters.square.settings import Settings
from hub.sdk.capabilities import Context, Pulled
from hub.sdk.outcomes import Interrupted, NeedsPerson
from hub.sdk.wire import Request, Response

T = TypeVar("T")
Seller = Context[Settings]

ORDERS_PER_CALL: Final = 100
OBJECTS_PER_CALL: Final = 1000
REFUNDS_PER_PAGE: Final = 100


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """A decoder of one of `schemas`."""
    return msgspec.json.Decoder(kind)


_head: Final = decoder(schemas.Order)
_orders: Final = decoder(schemas.Search)
_locations: Final = decoder(schemas.Locations)
_catalog: Final = decoder(schemas.Catalog)
_payment: Final = decoder(schemas.OnePayment)
_refund: Final = decoder(schemas.OneRefund)
_refunds: Final = decoder(schemas.Refunds)
_paid: Final = decoder(schemas.Payment)
_back: Final = decoder(schemas.Refund)


async def get(context: Seller, path: str, operation: str) -> Response:
    """Read something."""
    return await context.client.send(Request(method="GET", path=path, operation=operation))


async def post(
    context: Seller, path: str, operation: str, body: object = None, *, write: bool = False, method: str = "POST"
) -> Response:
    """Send a JSON body; searches are POSTs that write nothing."""
    encoded = None if body is None else msgspec.json.encode(body)
    return await context.client.send(
        Request(method=method, path=path, operation=operation, body=encoded, write=write)
    )  # fmt: skip


class Found(msgspec.Struct, frozen=True):
    """An order: what the adapter decides by, and the document itself."""

    head: schemas.Order
    raw: bytes


def found(raw: msgspec.Raw) -> Found:
    """An order of an answer. Raises `Interrupted` (NeedsPerson) for one that cannot be told apart."""
    try:
        return Found(_head.decode(raw), bytes(raw))
    except msgspec.MsgspecError as error:
        step = "report it with the pinned square_version: the shape of orders has changed"
        raise Interrupted(NeedsPerson(reason=f"orders: one cannot be read: {error}", next_step=step)) from None


async def orders_of(context: Seller, ids: Sequence[str]) -> list[Found]:
    """Orders by id, as many as Square still has."""
    some: list[Found] = []
    for start in range(0, len(ids), ORDERS_PER_CALL):
        body = {"order_ids": list(ids[start : start + ORDERS_PER_CALL])}
        answer = await post(context, "/v2/orders/batch-retrieve", "POST /v2/orders/batch-retrieve", body)
        some.extend(found(raw) for raw in answers.read(answer, _orders, "orders by id", context.now()).orders)
    return some


async def all_locations(context: Seller) -> tuple[str, ...]:
    """Ids of the seller's active locations."""
    answer = await get(context, "/v2/locations", "GET /v2/locations")
    read = answers.read(answer, _locations, "locations", context.now())
    return tuple(one.id for one in read.locations if one.status != "INACTIVE")


class Beside(msgspec.Struct, frozen=True):
    """What stands beside some orders."""

    skus: dict[str, str]
    payments: dict[str, bytes]
    """By id."""
    refunds: dict[str, list[tuple[str | None, bytes]]]
    """By payment: the order of the return, and the refund."""
    returns: list[Found]


async def beside(context: Seller, orders: Sequence[Found], *, exact: bool, returns: Sequence[Found] = ()) -> Beside:
    """What stands beside these orders.

    `exact` reads every payment and its refunds; otherwise the refunds made since the oldest of the orders are listed,
    which for a page costs a call or two, and the tenders stand for the payments.
    """
    ids = [payment for one in orders for payment in one.head.payments]
    payments: dict[str, bytes] = {}
    refunds: dict[str, list[tuple[str | None, bytes]]] = {}
    if exact:
        for payment in ids:
            payments[payment], refunds[payment] = await _payment_of(context, payment)
    elif ids:
        oldest = min((one.head.created_at for one in orders if one.head.created_at), default=None)
        refunds = await _refunds_since(context, oldest, frozenset(ids))
    known = {one.head.id: one for one in returns}
    named = {order for rows in refunds.values() for order, _ in rows if order}
    known |= {one.head.id: one for one in await orders_of(context, sorted(named - known.keys()))}
    variations = {line.catalog_object_id for one in orders for line in one.head.line_items or ()}
    skus = await skus_of(context, sorted(filter(None, variations)))
    return Beside(skus, payments, refunds, [one for one in known.values() if one.head.sources])


async def _payment_of(context: Seller, payment: str) -> tuple[bytes, list[tuple[str | None, bytes]]]:
    answer = await get(context, f"/v2/payments/{payment}", "GET /v2/payments/{id}")
    raw = answers.read(answer, _payment, f"payment {payment}", context.now()).payment
    rows = []
    for refund in _paid.decode(raw).refund_ids or ():
        answer = await get(context, f"/v2/refunds/{refund}", "GET /v2/refunds/{id}")
        back = answers.read(answer, _refund, f"refund {refund}", context.now()).refund
        rows.append((_back.decode(back).order_id, bytes(back)))
    return bytes(raw), rows


async def _refunds_since(
    context: Seller, oldest: str | None, payments: frozenset[str]
) -> dict[str, list[tuple[str | None, bytes]]]:
    rows: dict[str, list[tuple[str | None, bytes]]] = {}
    query = {"sort_order": "ASC", "limit": str(REFUNDS_PER_PAGE)}
    if oldest is not None:
        query["begin_time"] = oldest
    while True:
        answer = await get(context, f"/v2/refunds?{urlencode(query)}", "GET /v2/refunds")
        page = answers.read(answer, _refunds, "refunds", context.now())
        for raw in page.refunds:
            one = _back.decode(raw)
            if one.payment_id in payments:
                rows.setdefault(one.payment_id, []).append((one.order_id, bytes(raw)))
        if not page.cursor:
            return rows
        query["cursor"] = page.cursor


async def skus_of(context: Seller, variations: Sequence[str]) -> dict[str, str]:
    """SKUs by catalogue id; items deleted since are read too, for what was sold stays sold."""
    skus: dict[str, str] = {}
    for start in range(0, len(variations), OBJECTS_PER_CALL):
        body = {"object_ids": list(variations[start : start + OBJECTS_PER_CALL]), "include_deleted_objects": True}
        answer = await post(context, "/v2/catalog/batch-retrieve", "POST /v2/catalog/batch-retrieve", body)
        for one in answers.read(answer, _catalog, "catalogue", context.now()).objects:
            if one.item_variation_data is not None and one.item_variation_data.sku:
                skus[one.id] = one.item_variation_data.sku
    return skus


def pulled(one: Found, stood: Beside) -> Pulled:
    """A state of an order with what stands beside it. A till's orders have no version: a digest tells states apart."""
    head = one.head
    mine = [stood.payments[payment] for payment in head.payments if payment in stood.payments]
    refunds = [raw for payment in head.payments for _, raw in stood.refunds.get(payment, ())]
    returns = [back.raw for back in stood.returns if head.id in back.head.sources]
    skus = {
        line.catalog_object_id: stood.skus[line.catalog_object_id]
        for line in head.line_items or ()
        if line.catalog_object_id in stood.skus
    }
    more: dict[str, object] = {
        "payments": _raws(mine),
        "payment_refunds": _raws(refunds),
        "return_orders": _raws(sorted(returns)),
        "skus": skus,
    }
    body = spliced(one.raw, {name: value for name, value in more.items() if value})
    stated = head.version if head.version is not None else head.updated_at or "0"
    return Pulled(
        key=f"order:{head.id}:{stated}:{sha256(body).hexdigest()[:8]}",
        topic="order",
        object=f"order:{head.id}",
        body=body,
    )


def spliced(document: bytes, more: dict[str, object]) -> bytes:
    """A JSON object with more keys at its end; its own bytes stay as they are."""
    if not more:
        return document
    return document.rstrip()[:-1] + b"," + msgspec.json.encode(more)[1:]


def _raws(documents: Iterable[bytes]) -> list[msgspec.Raw]:
    return [msgspec.Raw(one) for one in documents]
