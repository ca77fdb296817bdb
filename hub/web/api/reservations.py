"""Carts and what they hold, and moving what orders hold: the only place besides promises that may answer no."""

from datetime import timedelta
from typing import Annotated, Final

import msgspec
from litestar import Controller, Response, delete, get, post
from litestar.params import FromPath, FromQuery, JSONBody

from hub.flow.reserve import CannotMove, split_reservation_id, transfer
from hub.store.admin import reservations
from hub.store.admin.errors import Conflict, Fault, Invalid, no_such, pointer
from hub.store.admin.nodes import node_ids
from hub.store.admin.order_reservations import OrderReservationView, get_order_reservation, list_order_reservations
from hub.store.admin.paging import Page
from hub.store.admin.reservations import Becomes, CartWrite, ReservationView
from hub.store.admin.tokens import Role
from hub.web.api.ats import account_of, scope_of
from hub.web.auth import NEEDS
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

LONGEST: Final = timedelta(days=7)
"""A cart is not a warehouse: after so long its units go back, however often it was kept alive."""

Seconds = Annotated[int, msgspec.Meta(ge=1, le=7 * 86_400)]


class CartLineBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of an item or kit."""

    sku: Text
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    node: Text | None = None
    """Keep them at this node, as for a pick-up; anywhere when left out."""


class ReservationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cart. Without a channel, every node counts."""

    lines: Annotated[list[CartLineBody], msgspec.Meta(min_length=1, max_length=500)]
    ttl_seconds: Seconds
    channel: Text | None = None
    order: Text | None = None
    """The channel's id of the order that this becomes: the cart ends when that order is there."""


class ExtendBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long to keep it from now on."""

    ttl_seconds: Seconds


class TransferBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to keep a cart's units."""

    node: Text | None
    """null keeps them anywhere."""
    sku: Text | None = None
    """Only this item."""


class OrderTransferBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where to keep an order's units."""

    node: Text
    reason: Text = "transferred"


async def reserve(tx: Work, data: ReservationBody) -> ReservationView:
    """Reserve a cart whole or not at all."""
    codes = await node_ids(tx.connection, sorted({line.node for line in data.lines if line.node}))
    faults = [
        Fault(f"no node {line.node!r}", pointer("lines", n, "node"))
        for n, line in enumerate(data.lines)
        if line.node and line.node not in codes
    ]
    if data.order is not None and data.channel is None:
        faults.append(Fault("is needed to know whose order it becomes", "/channel"))
    if faults:
        raise Invalid(faults)
    scope = await scope_of(tx.connection, tx.merchant, channel=data.channel, where="/channel")
    becomes = None
    if data.order is not None and data.channel is not None:
        account = await account_of(tx.connection, tx.merchant, data.channel, "/channel")
        becomes = Becomes(account, data.order)
    made = await reservations.reserve(
        tx.connection,
        tx.merchant,
        id=tx.hub.new_id(),
        lines=[CartWrite(line.sku, line.quantity, codes[line.node] if line.node else 0) for line in data.lines],
        scope=scope,
        now=tx.now,
        expires_at=tx.now + timedelta(seconds=data.ttl_seconds),
        becomes=becomes,
    )
    tx.ring("availability")
    return made


async def move_cart(tx: Work, id: str, data: TransferBody) -> ReservationView:
    """Keep a cart's units elsewhere: freed there and reserved here in one move, or neither."""
    node = await _node(tx, data.node) if data.node is not None else 0
    tx.ring("availability", "waiting")
    return await reservations.transfer(tx.connection, tx.merchant, id, node=node, sku=data.sku)


async def move_units(tx: Work, id: str, data: OrderTransferBody) -> OrderReservationView:
    """Keep an order's unreleased units at another node."""
    place = _place(id)
    await get_order_reservation(tx.connection, tx.merchant, *place)
    try:
        await transfer(tx.unit, *place, await _node(tx, data.node), data.reason, await tx.batch())
    except CannotMove as fault:
        raise Conflict("cannot-move", str(fault)) from fault
    tx.ring("availability", "waiting", "deliver")
    return await get_order_reservation(tx.connection, tx.merchant, *place)


async def _node(tx: Work, code: str) -> int:
    codes = await node_ids(tx.connection, [code])
    if code not in codes:
        raise Invalid([Fault(f"no node {code!r}", "/node")])
    return codes[code]


def _place(id: str) -> tuple[str, int]:
    place = split_reservation_id(id)
    if place is None:
        raise no_such("reservation", id)
    return place


async def cancel(tx: Work, id: str) -> None:
    """Give a cart's units back."""
    place = split_reservation_id(id)
    if place is not None:
        await get_order_reservation(tx.connection, tx.merchant, *place)
        raise Conflict("of-an-order", f"Order {place[0]} holds these units: cancel, hold or reroute the order")
    await reservations.cancel_reservation(tx.connection, tx.merchant, id)
    tx.ring("availability", "waiting")


class Reservations(Controller):
    """Claims on stock: carts, and what orders have reserved and no node was told of."""

    path = "/reservations"
    tags = ("stock",)

    @get("/", summary="List carts")
    async def list_reservations(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        sku: FromQuery[str | None] = None,
        ended: FromQuery[bool] = False,
    ) -> Page[ReservationView]:
        """Carts that hold something now, or with `ended` those that did."""
        async with hub.database.connection() as connection:
            return await reservations.list_reservations(connection, request.user.merchant, cut, sku=sku, ended=ended)

    @get("/of-orders", summary="List what orders hold unreleased")
    async def list_of_orders(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        sku: FromQuery[str | None] = None,
        node: FromQuery[str | None] = None,
    ) -> Page[OrderReservationView]:
        """Who holds the stock: reserved units that no node was told of, which can be moved or give way."""
        async with hub.database.connection() as connection:
            return await list_order_reservations(connection, request.user.merchant, cut, sku=sku, node=node)

    @post("/", summary="Reserve a cart")
    async def reserve(
        self, hub: Hub, request: ApiRequest, data: JSONBody[ReservationBody]
    ) -> Response[ReservationView]:
        """All lines or none: 409 `not-available` says what there is."""
        return await commit(hub, request, lambda tx: reserve(tx, data), status=201)

    @get("/{id:str}", summary="Read a reservation")
    async def get_reservation(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> ReservationView:
        """One reservation, ended ones included."""
        async with hub.database.connection() as connection:
            return await reservations.get_reservation(connection, request.user.merchant, id)

    @get("/of-orders/{id:str}", summary="Read what an order holds")
    async def get_of_order(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> OrderReservationView:
        """Units of an order, under "<order>.<slice>"."""
        async with hub.database.connection() as connection:
            return await get_order_reservation(connection, request.user.merchant, *_place(id))

    @post("/{id:str}/extend", summary="Keep a cart longer", status_code=200)
    async def extend(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[ExtendBody]
    ) -> Response[ReservationView]:
        """Let it expire later, at most seven days after it was made."""

        async def work(tx: Work) -> ReservationView:
            found = await reservations.get_reservation(tx.connection, tx.merchant, id)
            return await reservations.extend(
                tx.connection,
                tx.merchant,
                id,
                expires_at=tx.now + timedelta(seconds=data.ttl_seconds),
                latest=found.created_at + LONGEST,
            )

        return await commit(hub, request, work)

    @post("/{id:str}/transfer", summary="Keep a cart at another node", status_code=200, opt={NEEDS: Role.OPERATOR})
    async def transfer(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[TransferBody]
    ) -> Response[ReservationView]:
        """One move: freed there and reserved here, or neither."""
        return await commit(hub, request, lambda tx: move_cart(tx, id, data))

    @post(
        "/of-orders/{id:str}/transfer",
        summary="Keep an order's units at another node",
        status_code=200,
        opt={NEEDS: Role.OPERATOR},
    )
    async def transfer_of_order(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[OrderTransferBody]
    ) -> Response[OrderReservationView]:
        """Units that no node was told of: freed there and reserved here, or neither."""
        return await commit(hub, request, lambda tx: move_units(tx, id, data))

    @delete("/{id:str}", summary="Give a cart's units back")
    async def cancel(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[None]:
        """End it; ending it again does nothing."""
        return await commit(hub, request, lambda tx: cancel(tx, id), status=204)
