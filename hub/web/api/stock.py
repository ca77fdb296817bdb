"""Stock: what is there, what is expected, what may be sold, what carts hold."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Final

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, UnsetType

from hub.domain.stock import ReportKind
from hub.flow.ports import StockReport
from hub.flow.stock_levels import report_stock
from hub.store.admin import reservations, stock
from hub.store.admin.accounts import find_account
from hub.store.admin.errors import Fault, Invalid, Missing, pointer
from hub.store.admin.items import items_by_sku
from hub.store.admin.mending import mark_dirty
from hub.store.admin.nodes import node_ids
from hub.store.admin.paging import Page
from hub.store.admin.reservations import ReservationView
from hub.store.admin.stock import BalanceView, Scope, StepView, SupplyView
from hub.store.admin.tokens import Role
from hub.store.database import PooledConnection
from hub.web.auth import NEEDS
from hub.web.bodies import places
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Units = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]
Change = Annotated[int, msgspec.Meta(ge=-1_000_000_000, le=1_000_000_000)]
Aware = Annotated[datetime, msgspec.Meta(tz=True)]
Lot = Annotated[str, msgspec.Meta(max_length=100)]

MOST_LINES: Final = 50_000
SKEW: Final = timedelta(seconds=5)
"""How far the caller's clock may run ahead of ours."""


class StockLineBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A figure: `on_hand` for snapshots and counts, `delta` for changes."""

    node: Text
    sku: Text
    on_hand: Units | UnsetType = UNSET
    delta: Change | UnsetType = UNSET
    lot: Lot = ""
    safety: Units | UnsetType = UNSET
    """Units to keep back here from now on."""


class StockBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report about shelves: a fact, recorded even when it puts the truth below what is promised."""

    kind: ReportKind
    lines: Annotated[list[StockLineBody], msgspec.Meta(min_length=1, max_length=MOST_LINES)]
    source: Text = "api"
    as_of: Aware | None = None
    """When it was true; now when left out. What moved after it is added to it."""


class SupplyBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stock that is expected; a quantity of 0 takes it away."""

    reference: Text
    node: Text
    sku: Text
    quantity: Units
    due: date
    confidence: Annotated[int, msgspec.Meta(ge=0, le=100)] = 100


class CartLineBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units of an item or kit."""

    sku: Text
    quantity: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]


class ReservationBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cart. Without a channel, every node counts."""

    lines: Annotated[list[CartLineBody], msgspec.Meta(min_length=1, max_length=500)]
    ttl_seconds: Annotated[int, msgspec.Meta(ge=1, le=7 * 86_400)]
    channel: Text | None = None


class AtsView(msgspec.Struct, frozen=True, kw_only=True):
    """What may be sold, and how that comes about."""

    sku: str
    available: int
    deficit: int
    """By how much promises exceed what is there."""
    steps: list[StepView]


def _faults_of_lines(data: StockBody, codes: Mapping[str, int], skus: Mapping[str, int]) -> list[Fault]:
    wanted, other = ("delta", "on_hand") if data.kind is ReportKind.DELTA else ("on_hand", "delta")
    faults = []
    seen: set[tuple[str, str]] = set()
    for index, line in enumerate(data.lines):
        if getattr(line, wanted) is UNSET:
            faults.append(Fault(f"is needed in a {data.kind.value}", pointer("lines", index, wanted)))
        if getattr(line, other) is not UNSET:
            faults.append(Fault(f"does not belong in a {data.kind.value}", pointer("lines", index, other)))
        if line.node not in codes:
            faults.append(Fault(f"no node {line.node!r}", pointer("lines", index, "node")))
        if line.sku not in skus:
            faults.append(Fault(f"no item {line.sku!r}", pointer("lines", index, "sku")))
        if (line.node, line.sku) in seen:
            faults.append(Fault("the same node and sku stand twice", pointer("lines", index)))
        seen.add((line.node, line.sku))
    return faults


async def report(tx: Work, data: StockBody) -> Page[BalanceView]:
    """Apply a stock report whole or not at all, and wake what waited for the goods."""
    as_of = data.as_of or tx.now
    codes = await node_ids(tx.connection, sorted({line.node for line in data.lines}))
    skus = await items_by_sku(tx.connection, tx.merchant, sorted({line.sku for line in data.lines}))
    faults = [] if as_of <= tx.now + SKEW else [Fault("lies in the future; say when the figures were true", "/as_of")]
    faults += _faults_of_lines(data, codes, skus)
    if faults:
        raise Invalid(faults)
    # A cause of its own: a change is counted once per cause, and two requests are two changes.
    cause = f"api:{tx.hub.new_id()}"
    reports = [
        StockReport(
            data.kind.value,
            skus[line.sku],
            codes[line.node],
            line.delta if isinstance(line.delta, int) else line.on_hand if isinstance(line.on_hand, int) else 0,
            min(as_of, tx.now),
            data.source,
            cause,
            line.lot,
        )
        for line in data.lines
    ]
    await report_stock(tx.unit, tx.merchant, reports, await tx.batch())
    await _safety(tx, [(skus[n.sku], codes[n.node], n.safety) for n in data.lines if isinstance(n.safety, int)])
    tx.ring("waiting", "availability")
    pairs = [(row.item, row.node) for row in reports]
    return Page(items=await stock.read_balances(tx.connection, tx.merchant, pairs), next=None)


async def _safety(tx: Work, rows: list[tuple[int, int, int]]) -> None:
    if rows:
        await stock.put_safety(tx.connection, rows)
        await mark_dirty(tx.connection, [item for item, _, _ in rows])
        await tx.unit.wake(tx.merchant, [f"item:{item}" for item, _, _ in rows], tx.now)


async def expect(tx: Work, bodies: list[SupplyBody], at: list[str]) -> Page[SupplyView]:
    """Write expected supply."""
    codes = await node_ids(tx.connection, sorted({body.node for body in bodies}))
    skus = await items_by_sku(tx.connection, tx.merchant, sorted({body.sku for body in bodies}))
    faults = [
        Fault(f"no node {b.node!r}", f"{where}/node")
        for b, where in zip(bodies, at, strict=True)
        if b.node not in codes
    ]
    faults += [
        Fault(f"no item {b.sku!r}", f"{where}/sku") for b, where in zip(bodies, at, strict=True) if b.sku not in skus
    ]
    keys = [(b.reference, b.node, b.sku) for b in bodies]
    faults += [
        Fault("the same reference, node and sku stand twice", at[n]) for n, key in enumerate(keys) if key in keys[:n]
    ]
    if faults:
        raise Invalid(faults)
    await stock.put_supply(
        tx.connection,
        tx.merchant,
        [(b.reference, codes[b.node], skus[b.sku], b.quantity, b.due, b.confidence) for b in bodies],
    )
    views = [
        SupplyView(
            reference=b.reference, node=b.node, sku=b.sku, quantity=b.quantity, due=b.due, confidence=b.confidence
        )
        for b in bodies
        if b.quantity
    ]
    return Page(items=views, next=None)


async def scope_of(
    connection: PooledConnection,
    merchant: str,
    *,
    channel: str | None,
    point: str | None = None,
    where: str | None = None,
) -> Scope:
    """Where it would be sold: a stock point, a channel, or everywhere. `where` points into the body, if it is there."""
    if point is not None:
        return await stock.scope_of_point(connection, merchant, point)
    if channel is None:
        return await stock.scope_of_network(connection)
    try:
        account = await find_account(connection, merchant, channel, "channel")
    except Invalid as error:
        if where is None:
            raise
        raise Invalid([Fault(fault.detail, where) for fault in error.faults]) from error
    return await stock.scope_of_channel(connection, account.id)


class Stock(Controller):
    """What is on the shelves."""

    path = "/stock"
    tags = ("stock",)

    @get("/", summary="List balances")
    async def list_stock(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        sku: FromQuery[str | None] = None,
        node: FromQuery[str | None] = None,
    ) -> Page[BalanceView]:
        """Balances by SKU and node."""
        async with hub.database.connection() as connection:
            return await stock.list_balances(connection, request.user.merchant, cut, sku=sku, node=node)

    @put("/", summary="Report stock", opt={NEEDS: Role.OPERATOR})
    async def put_stock(self, hub: Hub, request: ApiRequest, data: JSONBody[StockBody]) -> Response[Page[BalanceView]]:
        """A snapshot, a count or changes; all lines or, with any fault, none. Answers with the new balances."""
        return await commit(hub, request, lambda tx: report(tx, data))


class Supply(Controller):
    """Expected stock, which is not stock."""

    path = "/supply"
    tags = ("stock",)

    @get("/", summary="List expected supply")
    async def list_supply(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        sku: FromQuery[str | None] = None,
        node: FromQuery[str | None] = None,
    ) -> Page[SupplyView]:
        """Expected supply by due date."""
        async with hub.database.connection() as connection:
            return await stock.list_supply(connection, request.user.merchant, cut, sku=sku, node=node)

    @put("/", summary="Write expected supply", opt={"many": True, NEEDS: Role.OPERATOR})
    async def put_supply(
        self, hub: Hub, request: ApiRequest, data: JSONBody[list[SupplyBody]]
    ) -> Response[Page[SupplyView]]:
        """One, or many as `{"items": [...]}`."""
        return await commit(hub, request, lambda tx: expect(tx, data, places(request)))


class AvailableToSell(Controller):
    """The number that channels are told, and its waterfall."""

    path = "/ats"
    tags = ("stock",)

    @get("/", summary="What may be sold of an item")
    async def get_ats(
        self,
        hub: Hub,
        request: ApiRequest,
        sku: FromQuery[str],
        channel: FromQuery[str | None] = None,
        stock_point: FromQuery[str | None] = None,
    ) -> AtsView:
        """`channel` is an account's name or a connection's id; `stock_point` an id or location; neither: all nodes."""
        merchant = request.user.merchant
        async with hub.database.connection() as connection:
            items = await stock.find_sellables(connection, merchant, [sku])
            if sku not in items:
                raise Missing(f"no item {sku!r}")
            scope = await scope_of(connection, merchant, channel=channel, point=stock_point)
            found = (await stock.available(connection, items.values(), scope))[items[sku].id]
        return AtsView(sku=sku, available=found.available, deficit=found.deficit, steps=stock.waterfall(found.steps))


class Reservations(Controller):
    """Carts."""

    path = "/reservations"
    tags = ("stock",)

    @post("/", summary="Reserve a cart")
    async def reserve(
        self, hub: Hub, request: ApiRequest, data: JSONBody[ReservationBody]
    ) -> Response[ReservationView]:
        """All lines or none: 409 `not-available` says what there is."""

        async def work(tx: Work) -> ReservationView:
            scope = await scope_of(tx.connection, tx.merchant, channel=data.channel, where="/channel")
            made = await reservations.reserve(
                tx.connection,
                tx.merchant,
                id=hub.new_id(),
                lines=[(line.sku, line.quantity) for line in data.lines],
                scope=scope,
                now=tx.now,
                expires_at=tx.now + timedelta(seconds=data.ttl_seconds),
            )
            tx.ring("availability")
            return made

        return await commit(hub, request, work, status=201)

    @get("/{id:str}", summary="Read a reservation")
    async def get_reservation(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> ReservationView:
        """One reservation."""
        async with hub.database.connection() as connection:
            return await reservations.get_reservation(connection, request.user.merchant, id)

    @delete("/{id:str}", summary="Give a cart's units back")
    async def cancel(self, hub: Hub, request: ApiRequest, id: FromPath[str]) -> Response[None]:
        """End it; ending it again does nothing."""

        async def work(tx: Work) -> None:
            await reservations.cancel_reservation(tx.connection, tx.merchant, id)
            tx.ring("availability")

        return await commit(hub, request, work, status=204)
