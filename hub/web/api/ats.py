"""What may be sold: the number that channels are told, its waterfall, and telling them all of it anew."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

import msgspec
from litestar import Controller, Response, get, post, put
from litestar.params import FromQuery, JSONBody

from hub.stock.ats import NodeStock, Step
from hub.store import availability, sellable
from hub.store.admin import allowances
from hub.store.admin.accounts import find_account
from hub.store.admin.allowances import AllowanceView, AllowanceWrite, Kind
from hub.store.admin.errors import Fault, Invalid, Missing
from hub.store.admin.items import items_by_sku
from hub.store.admin.mending import mark_dirty
from hub.store.admin.paging import Page
from hub.store.admin.tokens import Role
from hub.store.database import PooledConnection
from hub.store.sellable import Scope
from hub.web.auth import NEEDS
from hub.web.bodies import places
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Units = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One step of the waterfall."""

    name: str
    quantity: int
    """Added to what stood before."""
    total: int
    """What stands after."""


class NodeAtsView(msgspec.Struct, frozen=True, kw_only=True):
    """What one node gives to it."""

    node: str
    on_hand: int
    reserved: int
    safety: int
    available: int
    """Never below zero: a node cannot take from another."""


class DateView(msgspec.Struct, frozen=True, kw_only=True):
    """So many units can leave from a day on."""

    quantity: int
    on: date | None
    """null is now for stock, and unknown for an allowance."""
    source: str
    """stock, supply, backorder, preorder."""


class AtsView(msgspec.Struct, frozen=True, kw_only=True):
    """What may be sold, and how that comes about."""

    sku: str
    available: int
    deficit: int
    """By how much promises exceed what is there."""
    steps: list[StepView]
    nodes: list[NodeAtsView]
    """Empty for a kit, which has no shelf: see its components."""
    dates: list[DateView]


class AllowanceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Units that may be sold beyond stock; 0 takes the allowance away."""

    sku: Text
    kind: Kind
    units: Units
    channel: Text | None = None
    """Every channel when left out; a channel's own goes before it."""
    since: date | None = None
    until: date | None = None
    ships_on: date | None = None


class ResyncBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whom to tell anew: one channel or all; some SKUs or every item that has stock or was ever told."""

    channel: Text | None = None
    skus: Annotated[list[Text], msgspec.Meta(min_length=1, max_length=10_000)] | None = None


class ResyncView(msgspec.Struct, frozen=True, kw_only=True):
    """Levels that are due now, whatever was told last."""

    levels: int


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
        return await sellable.scope_of_point(connection, merchant, point)
    if channel is None:
        return await sellable.scope_of_network(connection)
    account = await account_of(connection, merchant, channel, where)
    return await sellable.scope_of_channel(connection, account)


async def account_of(connection: PooledConnection, merchant: str, channel: str, where: str | None) -> int:
    """The account that a channel's name or a connection's id means. Raises `Invalid`."""
    try:
        return (await find_account(connection, merchant, channel, "channel")).id
    except Invalid as error:
        if where is None:
            raise
        raise Invalid([Fault(fault.detail, where) for fault in error.faults]) from error


def waterfall(steps: Iterable[Step]) -> list[StepView]:
    """Steps with running totals."""
    shown = []
    total = 0
    for step in steps:
        total += step.quantity
        shown.append(StepView(name=step.name, quantity=step.quantity, total=total))
    return shown


def _nodes(nodes: Iterable[NodeStock], codes: dict[int, str]) -> list[NodeAtsView]:
    return [
        NodeAtsView(
            node=codes[row.node],
            on_hand=row.sellable,
            reserved=row.pinned,
            safety=row.safety,
            available=max(0, row.sellable - row.pinned - row.safety),
        )
        for row in sorted(nodes, key=lambda one: codes[one.node])
    ]


async def allow(tx: Work, bodies: list[AllowanceBody], at: list[str]) -> Page[AllowanceView]:
    """Write allowances, and have channels told of what they change."""
    items = await items_by_sku(tx.connection, tx.merchant, sorted({body.sku for body in bodies}))
    faults = [
        Fault(f"no item {body.sku!r}", f"{where}/sku")
        for body, where in zip(bodies, at, strict=True)
        if body.sku not in items
    ]
    faults += [
        Fault("ends before it begins", f"{where}/until")
        for body, where in zip(bodies, at, strict=True)
        if body.since and body.until and body.until < body.since
    ]
    keys = [(body.sku, body.channel, body.kind) for body in bodies]
    faults += [Fault("the same sku, channel and kind stand twice", at[n]) for n, k in enumerate(keys) if k in keys[:n]]
    if faults:
        raise Invalid(faults)
    writes = []
    for body, where in zip(bodies, at, strict=True):
        account = await account_of(tx.connection, tx.merchant, body.channel, f"{where}/channel") if body.channel else 0
        writes.append(
            AllowanceWrite(items[body.sku], account, body.kind, body.units, body.since, body.until, body.ships_on)
        )
    await allowances.put_allowances(tx.connection, writes)
    await mark_dirty(tx.connection, items.values())
    # The day on which an allowance ships is a promise to those who wait.
    await tx.unit.wake(tx.merchant, sorted({f"item:{item}" for item in items.values()}), tx.now)
    tx.ring("waiting", "availability")
    views = [
        AllowanceView(
            sku=b.sku,
            channel=b.channel,
            kind=b.kind,
            units=b.units,
            since=b.since,
            until=b.until,
            ships_on=b.ships_on,
        )
        for b in bodies
        if b.units
    ]
    return Page(items=views, next=None)


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
            items = await sellable.find_sellables(connection, merchant, [sku])
            if sku not in items:
                raise Missing(f"no item {sku!r}")
            scope = await scope_of(connection, merchant, channel=channel, point=stock_point)
            found = (await sellable.available(connection, items.values(), scope, hub.clock()))[items[sku].id]
            rows = await connection.fetch(
                "SELECT id, code FROM node WHERE id = ANY($1::bigint[])", [row.node for row in found.nodes]
            )
        return AtsView(
            sku=sku,
            available=found.ats.available,
            deficit=found.ats.deficit,
            steps=waterfall(found.ats.steps),
            nodes=_nodes(found.nodes, {row["id"]: row["code"] for row in rows}),
            dates=[DateView(quantity=one.quantity, on=one.on, source=one.source) for one in found.dates],
        )

    @post("/resync", summary="Tell channels everything anew", opt={NEEDS: Role.OPERATOR}, status_code=200)
    async def resync(self, hub: Hub, request: ApiRequest, data: JSONBody[ResyncBody]) -> Response[ResyncView]:
        """What was told last is forgotten: every level is written again, computed when it is sent."""

        async def work(tx: Work) -> ResyncView:
            account = None
            if data.channel is not None:
                account = await account_of(tx.connection, tx.merchant, data.channel, "/channel")
            items = None
            if data.skus is not None:
                found = await items_by_sku(tx.connection, tx.merchant, sorted(set(data.skus)))
                unknown = [n for n, sku in enumerate(data.skus) if sku not in found]
                faults = [Fault(f"no item {data.skus[n]!r}", f"/skus/{n}") for n in unknown]
                if faults:
                    raise Invalid(faults)
                items = sorted(found.values())
            points = availability.selling_points(await hub.directory(), tx.merchant, account)
            tx.ring("availability")
            return ResyncView(levels=await availability.tell_everything(tx.connection, points, items))

        return await commit(hub, request, work)


class Allowances(Controller):
    """Units that may be sold beyond stock."""

    path = "/allowances"
    tags = ("stock",)

    @get("/", summary="List allowances")
    async def list_allowances(
        self, hub: Hub, request: ApiRequest, cut: Paged, sku: FromQuery[str | None] = None
    ) -> Page[AllowanceView]:
        """Back- and pre-order allowances by SKU."""
        async with hub.database.connection() as connection:
            return await allowances.list_allowances(connection, request.user.merchant, cut, sku=sku)

    @put("/", summary="Write allowances", opt={"many": True, NEEDS: Role.OPERATOR})
    async def put_allowances(
        self, hub: Hub, request: ApiRequest, data: JSONBody[list[AllowanceBody]]
    ) -> Response[Page[AllowanceView]]:
        """One, or many as `{"items": [...]}`."""
        return await commit(hub, request, lambda tx: allow(tx, data, places(request)))
