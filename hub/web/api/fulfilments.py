"""Fulfilment orders, and the work on those of nodes without a system of their own."""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from litestar import Controller, Response, get, post
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from hub.domain.facts import (
    CancelConfirmed,
    FactLine,
    FulfilmentAccepted,
    FulfilmentRefused,
    GoodsArrived,
    GoodsCollected,
    GoodsLost,
    GoodsShipped,
    NodeFact,
    ReadyForPickUp,
    StockMeaning,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.fulfilment import split_fulfilment_id
from hub.domain.shipping import Parcel, ParcelLine
from hub.flow.aggregate import Order
from hub.flow.confirm import apply
from hub.flow.pick_up import put_back
from hub.flow.take_order import advance
from hub.store.admin.errors import Conflict, Fault, Invalid, pointer
from hub.store.admin.fulfilments import get_fulfilment, list_fulfilments
from hub.store.admin.order_views import FulfilmentView
from hub.store.admin.packing import labelled_parcels
from hub.store.admin.paging import Page
from hub.web.api.order_actions import load
from hub.web.api.pick_ups import Code, check_code
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit, given_before

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


class CollectBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who shows the code gets the goods. Without one it takes the role admin and a reason."""

    code: Code | None = None
    override_reason: Text | None = None
    lines: Lines = []


class LostBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units that will not arrive; no lines means all that is under way."""

    lines: Lines = []
    reason: Text = "lost"


MakeFact = Callable[[Work, FulfilmentView], NodeFact]

AT_THE_OTHER_END: Final = ("receive", "lose")


async def work_on(tx: Work, id: str, verb: str, make: MakeFact, note: tuple[str, str] | None = None) -> FulfilmentView:
    """Record what was done at a node. Raises `Conflict` when a partner speaks for it, or when nothing is left to do.

    Where goods arrive or are missed, the other node speaks, whoever sent them. `note` goes into the timeline.
    """
    view = await get_fulfilment(tx.connection, tx.merchant, id)
    if view.connection is not None and verb not in AT_THE_OTHER_END:
        raise Conflict("partner-speaks", f"Node {view.node} is worked by connection {view.connection}; its word counts")
    order = await load(tx, view.order)
    # Read again under the order's lock.
    view = await get_fulfilment(tx.connection, tx.merchant, id)
    fact = make(tx, view)
    batch = await tx.batch()
    before = _state(order)
    apply(order, fact, batch)
    if note is not None:
        order.note(batch.now, note[0], f"{id}: {note[1]}")
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


def _shipped(data: ShipBody, bought: tuple[Parcel, ...]) -> MakeFact:
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
        return GoodsShipped(at=tx.now, fulfilment=view.id, shipment=shipment, parcels=parcels or bought)

    return make


def _accepted(tx: Work, view: FulfilmentView) -> NodeFact:
    return FulfilmentAccepted(at=tx.now, fulfilment=view.id)


async def _ship(tx: Work, id: str, data: ShipBody) -> FulfilmentView:
    view = await get_fulfilment(tx.connection, tx.merchant, id)
    bought: tuple[Parcel, ...] = ()
    if not data.parcels and view.connection is None:
        bought = await labelled_parcels(tx.connection, await tx.hub.directory(), id)
    return await work_on(tx, id, "ship", _shipped(data, bought))


def _unpacked(tx: Work, view: FulfilmentView) -> NodeFact:
    if not any(wish.state in ("asked", "refused") for wish in view.cancels):
        raise Conflict("nobody-asked", f"Nobody asked for {view.id} back: report it short or refuse it instead")
    return CancelConfirmed(at=tx.now, fulfilment=view.id)


def _ready(tx: Work, view: FulfilmentView) -> NodeFact:
    return ReadyForPickUp(at=tx.now, fulfilment=view.id)


async def back_on_the_shelf(tx: Work, id: str) -> FulfilmentView:
    """What its customer did not collect is for sale again. Raises `Conflict` when nothing of it is expired."""
    view = await get_fulfilment(tx.connection, tx.merchant, id)
    order, batch = await load(tx, view.order), await tx.batch()
    await tx.unit.peers([order])
    if not put_back(order, split_fulfilment_id(id)[1], tx.who, batch):
        raise Conflict("nothing-to-do", f"Nothing to put back: {id} is {view.status}")
    await advance(tx.unit, [order], batch)
    tx.ring("deliver", "availability", "waiting")
    return await get_fulfilment(tx.connection, tx.merchant, id)


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

    @post("/{id:str}/unpack", summary="Unpack what was asked back", status_code=200)
    async def unpack(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[FulfilmentView]:
        """Packed already and not gone: back on the shelf; the label is voided."""
        return await commit(hub, request, lambda tx: work_on(tx, id, "unpack", _unpacked))

    @post("/{id:str}/ready", summary="Ready for pick-up", status_code=200)
    async def ready(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[FulfilmentView]:
        """Waits for the customer."""
        return await commit(hub, request, lambda tx: work_on(tx, id, "make ready", _ready))

    @post("/{id:str}/collect", summary="Handed to the customer", status_code=200)
    async def collect(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[CollectBody | None] = None
    ) -> Response[FulfilmentView]:
        """All of it, or the lines named; what a customer collects takes the code, or the role admin and a reason."""
        # A repeat spends no try of the code, which may be another by now.
        if (again := await given_before(hub, request)) is not None:
            return again
        body = data or CollectBody()
        async with hub.database.connection() as connection:
            view = await get_fulfilment(connection, request.user.merchant, id)
        told = await check_code(hub, request, view, body.code, body.override_reason)
        note = None if told is None else ("collected_without_code", told)

        def make(tx: Work, view: FulfilmentView) -> NodeFact:
            return GoodsCollected(at=tx.now, fulfilment=view.id, lines=lines_of(view, body.lines, "/lines"))

        return await commit(hub, request, lambda tx: work_on(tx, id, "collect", make, note))

    @post("/{id:str}/put-back", summary="Put back what was not collected", status_code=200)
    async def put_back(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[FulfilmentView]:
        """Expired units are on the shelf again; cancelled and paid back as the rules say."""
        return await commit(hub, request, lambda tx: back_on_the_shelf(tx, id))

    @post("/{id:str}/receive", summary="Receive what another node sent", status_code=200)
    async def receive(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[SomeBody | None] = None
    ) -> Response[FulfilmentView]:
        """Goods under way arrived: a customer's are reserved here at once, others are for sale."""
        body = data or SomeBody()

        def make(tx: Work, view: FulfilmentView) -> NodeFact:
            return GoodsArrived(at=tx.now, fulfilment=view.id, lines=lines_of(view, body.lines, "/lines"))

        return await commit(hub, request, lambda tx: work_on(tx, id, "receive", make))

    @post("/{id:str}/lose", summary="Write off what will not arrive", status_code=200)
    async def lose(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[LostBody | None] = None
    ) -> Response[FulfilmentView]:
        """Goods under way between two nodes are lost: a customer's are looked for elsewhere."""
        body = data or LostBody()

        def make(tx: Work, view: FulfilmentView) -> NodeFact:
            lines = lines_of(view, body.lines, "/lines")
            return GoodsLost(at=tx.now, fulfilment=view.id, lines=lines, reason=body.reason)

        return await commit(hub, request, lambda tx: work_on(tx, id, "lose", make))

    @post("/{id:str}/ship", summary="Ship", status_code=200)
    async def ship(
        self, hub: Hub, request: ApiRequest, id: FromPath[str], data: JSONBody[ShipBody | None] = None
    ) -> Response[FulfilmentView]:
        """Goods left: the channel and the books are told. Without parcels they went with the label that was bought for
        them; without a label in one parcel of which nobody knows the number."""
        return await commit(hub, request, lambda tx: _ship(tx, id, data or ShipBody()))
