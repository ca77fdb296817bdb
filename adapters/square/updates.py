"""Updating an order: sparse, under its version and an idempotency key, and the answer compared with what was asked."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Final
from uuid import UUID

import msgspec

from adapters.square import answers, schemas
from adapters.square.documents import Seller, decoder, get, post
from hub.sdk.outcomes import Interrupted, NeedsPerson

ROUNDS: Final = 4
"""How often an order that changes under our hands is read again."""

_order: Final = decoder(schemas.UpdatedOrder)


async def read_order(context: Seller, order: str) -> schemas.Order:
    """One order. Raises `Interrupted` (NeedsPerson) when Square does not have it."""
    answer = await get(context, f"/v2/orders/{order}", "GET /v2/orders/{id}")
    return answers.read(answer, _order, f"order {order}", context.now()).order


async def update(
    context: Seller, order: schemas.Order, changes: Mapping[str, object], key: str, what: str
) -> schemas.Order | None:
    """The order as it is after a sparse update; None when its version is not the newest any more.

    Raises `Interrupted`: NeedsPerson where Square refuses, or answers 200 and changed nothing.
    """
    body = update_request(order, changes, key)
    path = f"/v2/orders/{order.id}"
    answer = await post(context, path, "PUT /v2/orders/{id}", body, write=True, method="PUT")
    if answers.codes(answer) & answers.STALE:
        return None
    after = answers.read(answer, _order, what, context.now(), write=True).order
    if (after.version or 0) <= (order.version or 0):
        step = "compare the order with the Square Dashboard and enter there what is missing, then resolve"
        raise Interrupted(NeedsPerson(reason=f"{what}: Square answered 200 and changed nothing", next_step=step))
    return after


def update_request(order: schemas.Order, changes: Mapping[str, object], key: str) -> dict[str, object]:
    """Body of UpdateOrder. Pure."""
    sparse = {"version": order.version, "location_id": order.location_id, **changes}
    return {"order": sparse, "idempotency_key": idempotency_key(key, order.version)}


def idempotency_key(*parts: object) -> str:
    """A key for these parts: the same command on the same version is one effect, on a newer version another try."""
    return str(UUID(bytes=sha256(msgspec.json.encode(parts)).digest()[:16]))
