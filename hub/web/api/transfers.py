"""Transfers between nodes of ours: orders that nobody buys, on the same path as all others."""

from datetime import datetime
from typing import Annotated, cast

import msgspec
from litestar import Controller, Response, post
from litestar.params import JSONBody

from hub.domain.network import Node
from hub.flow.directory import Directory
from hub.flow.transfer import CannotTransfer, Wanted, transfer_order
from hub.sdk.adapter import Lane
from hub.store.admin.direct import capture_direct
from hub.store.admin.errors import Fault, Invalid, pointer
from hub.store.admin.order_views import OrderView
from hub.web.api import order_actions as actions
from hub.web.services import ApiRequest, Hub, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
CHANNEL = "transfers"


class TransferLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of an item, in its base unit."""

    sku: Text
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class TransferBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from"}):
    """What to move to a node. Without `from`, routing chooses who sends it."""

    to: Text
    lines: Annotated[list[TransferLine], msgspec.Meta(min_length=1, max_length=500)]
    source: Text | None = None
    reference: Text | None = None
    """The asker's own number: the same again is the same transfer. Made here when left out."""
    not_before: Aware | None = None


async def ask(tx: Work, data: TransferBody) -> actions.Captured:
    """Store a transfer like any order. Raises `Invalid` for unknown nodes and items, and for one to itself."""
    directory = await tx.hub.directory()
    target, source = _node(directory, data.to), _node(directory, data.source)
    known = await tx.unit.items_by_sku(tx.merchant, [line.sku for line in data.lines])
    faults = [
        *([Fault(f"no node {data.to!r}", "/to")] if target is None else []),
        *([Fault(f"no node {data.source!r}", "/from")] if data.source is not None and source is None else []),
        *(
            Fault(f"no item {line.sku!r}", f"{pointer('lines', index)}/sku")
            for index, line in enumerate(data.lines)
            if line.sku not in known
        ),
    ]
    if faults or target is None:
        raise Invalid(faults)
    wanted = [Wanted(line.sku, line.quantity) for line in data.lines]
    external = data.reference or f"T-{tx.hub.new_id()}"
    try:
        snapshot = transfer_order(external, source, target, wanted, tx.now, data.not_before)
    except CannotTransfer as error:
        raise Invalid([Fault(str(error), f"/{error.field}")]) from error
    message, _ = await capture_direct(tx.connection, tx.merchant, snapshot, tx.now, tx.hub.new_id, channel=CHANNEL)
    tx.ring(Lane.ORDERS.value)
    return actions.Captured(message=f"in-{message}")


def _node(directory: Directory, code: str | None) -> Node | None:
    return next((node for node in directory.nodes.values() if node.code == code), None)


class Transfers(Controller):
    """Goods from one node to another."""

    path = "/transfers"
    tags = ("fulfilment",)

    @post("/", summary="Move goods between nodes")
    async def transfer(self, hub: Hub, request: ApiRequest, data: JSONBody[TransferBody]) -> Response[OrderView]:
        """201 with the order that moves them, or 202 with its message while no worker has taken it up."""
        stored = await commit(hub, request, lambda tx: ask(tx, data), status=202)
        message = msgspec.json.decode(cast(bytes, stored.content), type=actions.Captured).message
        found = await actions.follow(hub, request.user.merchant, message)
        return Response(
            cast(OrderView, msgspec.json.encode(found)),
            status_code=201 if isinstance(found, OrderView) else 202,
            media_type="application/json",
            headers=dict(stored.headers),
        )
