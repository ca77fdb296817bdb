"""Fulfilment orders, and the work on those of nodes without a system of their own."""

from collections.abc import Callable
from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hub.domain.facts import (
    FactLine,
    FulfilmentAccepted,
    FulfilmentRefused,
    GoodsCollected,
    GoodsShipped,
    NodeFact,
    ReadyForPickUp,
    StockMeaning,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.shipping import Parcel, ParcelLine
from hub.flow.aggregate import Order
from hub.flow.confirm import apply
from hub.flow.take_order import advance
from hub.store.admin.errors import Conflict, Fault, Invalid, pointer
from hub.store.admin.fulfilments import get_fulfilment, list_fulfilments
from hub.store.admin.order_views import FulfilmentView
from hub.store.admin.paging import Page
from hub.web.api.order_actions import load
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Units = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class LineBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of a line of the fulfilment order, by its `line` or its `sku`."""

    quantity: Units
    line: Text | None = None
    sku: Text | None = None


Lines = Annotated[list[LineBody], msgspec.Meta(max_length=500)]


class SomeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which units; no lines means all of them."""

    lines: Lines = []


class RefuseBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why not, and what that says about the shelf."""

    reason: Text = "refused"
    stock: StockMeaning = StockMeaning.NOTHING


class ShortBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units that were not found, and what that says about the shelf."""

    lines: Annotated[list[LineBody], msgspec.Meta(min_length=1, max_length=500)]
    reason: Text = "not found"
    stock: StockMeaning = StockMeaning.QUANTITY


class ParcelBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box; without lines it holds what no other box names."""

    tracking: Text | None = None
    carrier: Text | None = None
    service: Text | None = None
    url: Text | None = None
    weight_g: Units | None = None
    lines: Lines = []


class ShipBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Goods that leave now. `shipment` is the node's own number of it: each counts once."""

    parcels: Annotated[list[ParcelBody], msgspec.Meta(max_length=200)] = []
    shipment: Text | None = None


MakeFact = Callable[[Work, FulfilmentView], NodeFact]


async def work_on(tx: Work, id: str, verb: str, make: MakeFact) -> FulfilmentView:
    """Record what was done at a node. Raises `Conflict` when a partner speaks for it, or when nothing is left to do."""
    view = await get_fulfilment(tx.connection, tx.merchant, id)
    if view.connection is not None:
        raise Conflict("partner-speaks", f"Node {view.node} is worked by connection {view.connection}; its word counts")
    order = await load(tx, view.order)
    # Read again under the order's lock.
    view = await get_fulfilment(tx.connection, tx.merchant, id)
    fact = make(tx, view)
    batch = await tx.batch()
    before = _state(order)
    apply(order, fact, batch)
    if _state(order) == before:
        raise Conflict("nothing-to-do", f"Nothing to {verb}: {id} is {view.status}")
    await advance(tx.unit, [order], batch)
    tx.ring("deliver", "availability", "waiting")
    return await get_fulfilment(tx.connection, tx.merchant, id)


def _state(order: Order) -> tuple[object, ...]:
    return dict(order.slices), dict(order.fulfilments), dict(order.shipments)


def lines_of(view: FulfilmentView, bodies: list[LineBody], at: str) -> tuple[FactLine, ...]:
    """Lines by our own reference. A SKU means the units of it in this fulfilment order, whatever lines they are of."""
    left: dict[str, int] = {}
    for part in view.lines:
        left[part.line] = left.get(part.line, 0) + part.quantity
    skus = {part.line: part.sku for part in view.lines}
    found: dict[str, int] = {}
    faults = []
    for index, body in enumerate(bodies):
        where = f"{at}{pointer(index)}"
        names = (
            [n for n in left if n == body.line] if body.line else [n for n in left if body.sku and skus[n] == body.sku]
        )
        if not names:
            faults.append(Fault("names no line of this fulfilment order; give its line or sku", where))
        wanted = body.quantity
        for name in names:
            units = min(wanted, left[name])
            left[name] -= units
            wanted -= units
            found[name] = found.get(name, 0) + units
        if names and wanted > 0:
            faults.append(Fault(f"is {wanted} more than the fulfilment order asks for", f"{where}/quantity"))
    if faults:
        raise Invalid(faults)
    return tuple(FactLine(line=name, quantity=units) for name, units in found.items() if units)


def _shipped(data: ShipBody) -> MakeFact:
    def make(tx: Work, view: FulfilmentView) -> NodeFact:
        parcels = tuple(
            Parcel(
                tracking=body.tracking,
                carrier=body.carrier,
                service=body.service,
                url=body.url,
                weight_g=body.weight_g,
                lines=tuple(
                    ParcelLine(line=line.line or "", quantity=line.quantity)
                    for line in lines_of(view, body.lines, f"/parcels/{index}/lines")
                ),
            )
            for index, body in enumerate(data.parcels)
        )
        shipment = data.shipment or tx.hub.new_id()
        return GoodsShipped(at=tx.now, fulfilment=view.id, shipment=shipment, parcels=parcels)

    return make


def _accepted(tx: Work, view: FulfilmentView) -> NodeFact:
    return FulfilmentAccepted(at=tx.now, fulfilment=view.id)


def _ready(tx: Work, view: FulfilmentView) -> NodeFact:
    return ReadyForPickUp(at=tx.now, fulfilment=view.id)


def _collected(tx: Work, view: FulfilmentView) -> NodeFact:
    return GoodsCollected(at=tx.now, fulfilment=view.id)


class FulfilmentOrders(Controller):
    """What is asked of nodes. A node without a system of its own is worked here."""

    path = "/fulfilment-orders"
    tags = ("fulfilment",)

    @get("/", summary="List fulfilment orders")
    async def list_fulfilment_orders(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        node: FromQuery[str | None] = None,
        wanted: Annotated[str | None, QueryParameter(name="state")] = None,
        order: FromQuery[str | None] = None,
        by_hand: FromQuery[bool | None] = None,
    ) -> Page[FulfilmentView]:
        """The newest first; `state` is a status or a hand-off, `by_hand` those worked through the hub."""
        async with hub.database.connection() as connection:
            return await list_fulfilments(
                connection, request.user.merchant, cut, node=node, order=order, state=wanted, by_hand=by_hand
            )

    @get("/{id:str}", summary="Read a fulfilment order")
    async def get_fulfilment_order(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> FulfilmentView:
        """One fulfilment order."""
        async with hub.database.connection() as connection:
            return await get_fulfilment(connection, request.user.merchant, id)

    @post("/{id:str}/accept", summary="Take it on", status_code=200)
    async def accept(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[FulfilmentView]:
        """The node will do it."""
        return await commit(hub, request, lambda tx: work_on(tx, id, "accept", _accepted))

    @post("/{id:str}/refuse", summary="Refuse it", status_code=200)
    async def refuse(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[RefuseBody | None] = None
    ) -> Response[FulfilmentView]:
        """The node will not do it; its units are routed anew, without this node for a while."""
        body = data or RefuseBody()

        def make(tx: Work, view: FulfilmentView) -> NodeFact:
            return FulfilmentRefused(at=tx.now, fulfilment=view.id, reason=body.reason, stock=body.stock)

        return await commit(hub, request, lambda tx: work_on(tx, id, "refuse", make))

    @post("/{id:str}/pick", summary="Pick", status_code=200)
    async def pick(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[SomeBody | None] = None
    ) -> Response[FulfilmentView]:
        """Taken from the shelf."""
        body = data or SomeBody()

        def make(tx: Work, view: FulfilmentView) -> NodeFact:
            return UnitsPicked(at=tx.now, fulfilment=view.id, lines=lines_of(view, body.lines, "/lines"))

        return await commit(hub, request, lambda tx: work_on(tx, id, "pick", make))

    @post("/{id:str}/short", summary="Report units not found", status_code=200)
    async def short(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[ShortBody]
    ) -> Response[FulfilmentView]:
        """Asked for and not there: routed anew, and the shelf corrected by what `stock` says."""

        def make(tx: Work, view: FulfilmentView) -> NodeFact:
            lines = lines_of(view, data.lines, "/lines")
            return UnitsShort(at=tx.now, fulfilment=view.id, lines=lines, reason=data.reason, stock=data.stock)

        return await commit(hub, request, lambda tx: work_on(tx, id, "report short", make))

    @post("/{id:str}/pack", summary="Pack", status_code=200)
    async def pack(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[SomeBody | None] = None
    ) -> Response[FulfilmentView]:
        """In boxes."""
        body = data or SomeBody()

        def make(tx: Work, view: FulfilmentView) -> NodeFact:
            return UnitsPacked(at=tx.now, fulfilment=view.id, lines=lines_of(view, body.lines, "/lines"))

        return await commit(hub, request, lambda tx: work_on(tx, id, "pack", make))

    @post("/{id:str}/ready", summary="Ready for pick-up", status_code=200)
    async def ready(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[FulfilmentView]:
        """Waits for the customer."""
        return await commit(hub, request, lambda tx: work_on(tx, id, "make ready", _ready))

    @post("/{id:str}/collect", summary="Handed to the customer", status_code=200)
    async def collect(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[FulfilmentView]:
        """Collected."""
        return await commit(hub, request, lambda tx: work_on(tx, id, "collect", _collected))

    @post("/{id:str}/ship", summary="Ship", status_code=200)
    async def ship(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[ShipBody | None] = None
    ) -> Response[FulfilmentView]:
        """Goods left: the channel and the books are told. Without parcels, all that is left goes in one."""
        return await commit(hub, request, lambda tx: work_on(tx, id, "ship", _shipped(data or ShipBody())))
