"""The network: nodes, their calendars and bindings, and the stock points they stand behind."""

from datetime import date, time
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from litestar import Controller, Response, delete, get, put
from litestar.params import FromPath, FromQuery, JSONBody
from msgspec import UNSET, UnsetType

from hub.domain.contact import Contact
from hub.domain.network import NodeKind, OpeningHours, Purpose
from hub.flow.waiting import ROUTING
from hub.store.admin import nodes, stock_points
from hub.store.admin.accounts import find_account, find_accounts
from hub.store.admin.errors import Fault, Invalid
from hub.store.admin.mending import mark_node_dirty, mend, mend_connections, wake_queue
from hub.store.admin.nodes import BindingView, NodeView, NodeWrite
from hub.store.admin.paging import Page
from hub.store.admin.stock_points import StockPointView, StockPointWrite
from hub.store.admin.tokens import Role
from hub.web.auth import NEEDS
from hub.web.bodies import places
from hub.web.paging import Paged
from hub.web.services import ApiRequest, Hub, Work, commit

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2_000_000_000)]
Weekday = Annotated[int, msgspec.Meta(ge=0, le=6)]
ClockTime = Annotated[str, msgspec.Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]


class NodeAddress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a node is; no customer's."""

    name: Text | None = None
    company: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    lines: list[Text] = []
    city: Text | None = None
    region: Text | None = None
    postal_code: Text | None = None
    country: Country | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class CalendarBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A working week in the node's own time."""

    weekdays: Annotated[tuple[Weekday, ...], msgspec.Meta(min_length=1)] = (0, 1, 2, 3, 4)
    """0 is Monday."""
    cut_off: ClockTime = "16:00"
    """Orders that arrive later leave on the next working day."""
    holidays: Annotated[list[date], msgspec.Meta(max_length=1000)] = []
    processing_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 0


class BindingBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which connection speaks for the node."""

    role: Literal["fulfil", "stock_master", "carrier"]
    connection: Text
    external_location: Text | None = None
    """The partner's own name of the node."""


class NodeBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A node as it shall be: what is left out gets its default, bindings left out stay as they are."""

    code: Text | None = None
    name: Text | None = None
    kind: NodeKind
    address: NodeAddress | None = None
    latitude: Latitude | None = None
    longitude: Longitude | None = None
    timezone: Text = "UTC"
    calendar: CalendarBody = msgspec.field(default_factory=CalendarBody)
    capacity_per_day: Count | None = None
    capabilities: tuple[Text, ...] = ("ship",)
    handling_cost: Count = 0
    priority: Count = 100
    enabled: bool = True
    bindings: list[BindingBody] | UnsetType = UNSET


class StockPointBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A location of a channel or partner, and the nodes behind it. Without nodes it is taken away."""

    account: Text
    external_location: Text
    purpose: Purpose = Purpose.SELL
    nodes: list[Text]
    buffer: Count = 0
    """Units that this sink is never told of; of this, the share and the computed buffer the largest counts."""
    buffer_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    oversell_ppm: Annotated[int, msgspec.Meta(ge=1, le=999_999)] | None = None
    """Withhold as much as the sink's measured publishing delay and the demand ask for, so that others sell more than
    that before it is told with this chance at most, in millionths."""
    supply_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 0
    """How far ahead expected supply may be sold here."""


def _check(code: str, body: NodeBody) -> None:
    faults = []
    try:
        ZoneInfo(body.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        faults.append(Fault(f"{body.timezone!r} is not a time zone; say one like Europe/Berlin", "/timezone"))
    if body.code not in (None, code):
        faults.append(Fault("differs from the path's; a node keeps its code", "/code"))
    if (body.latitude is None) != (body.longitude is None):
        faults.append(Fault("latitude and longitude go together", "/latitude"))
    roles = [] if body.bindings is UNSET else [binding.role for binding in body.bindings]
    faults += [
        Fault(f"the role {role} is bound twice", f"/bindings/{index}/role")
        for index, role in enumerate(roles)
        if role in roles[:index]
    ]
    if faults:
        raise Invalid(faults)


def _write(code: str, body: NodeBody) -> NodeWrite:
    address = msgspec.convert(body.address, Contact | None, from_attributes=True)
    hours = OpeningHours(
        weekdays=tuple(sorted(set(body.calendar.weekdays))),
        cut_off=time.fromisoformat(body.calendar.cut_off),
        holidays=tuple(day.isoformat() for day in body.calendar.holidays),
        processing_days=body.calendar.processing_days,
    )
    return NodeWrite(
        code=code,
        name=body.name or code,
        kind=body.kind,
        address=address,
        latitude=body.latitude if body.latitude is not None else (address.latitude if address else None),
        longitude=body.longitude if body.longitude is not None else (address.longitude if address else None),
        timezone=body.timezone,
        calendar=hours,
        capacity_per_day=body.capacity_per_day,
        capabilities=tuple(dict.fromkeys(body.capabilities)),
        handling_cost=body.handling_cost,
        priority=body.priority,
        enabled=body.enabled,
        bindings=None
        if body.bindings is UNSET
        else tuple(
            BindingView(role=b.role, connection=b.connection, external_location=b.external_location)
            for b in body.bindings
        ),
    )


async def put_one(tx: Work, code: str, body: NodeBody) -> NodeView:
    """Make or replace a node, and look again at what no node could serve."""
    _check(code, body)
    write = _write(code, body)
    node = await nodes.put_node(tx.connection, tx.merchant, write)
    for queue in ROUTING:
        await wake_queue(tx.connection, queue, tx.now)
    await mark_node_dirty(tx.connection, [node])
    await mend_connections(tx.connection, tx.merchant, "unknown_location", [code], who=tx.who, now=tx.now)
    named = [f"{b.connection}: {b.external_location}" for b in write.bindings or () if b.external_location]
    await mend(tx.connection, tx.merchant, "unknown_location", named, who=tx.who, now=tx.now)
    tx.ring("waiting", "stock", "availability")
    return await nodes.get_node(tx.connection, tx.merchant, code)


async def put_points(tx: Work, bodies: list[StockPointBody], at: list[str]) -> Page[StockPointView]:
    """Write stock points; what they show is computed anew."""
    accounts = await find_accounts(
        tx.connection, tx.merchant, [b.account for b in bodies], [f"{a}/account" for a in at]
    )
    known = await nodes.node_ids(tx.connection, sorted({code for body in bodies for code in body.nodes}))
    faults = [
        Fault(f"no node {code!r}", f"{where}/nodes/{index}")
        for body, where in zip(bodies, at, strict=True)
        for index, code in enumerate(body.nodes)
        if code not in known
    ]
    if faults:
        raise Invalid(faults)
    writes = [
        StockPointWrite(
            account=account.id,
            external_location=body.external_location,
            purpose=body.purpose,
            nodes=tuple(known[code] for code in body.nodes),
            buffer=body.buffer,
            buffer_percent=body.buffer_percent,
            oversell_ppm=body.oversell_ppm,
            supply_days=body.supply_days,
        )
        for body, account in zip(bodies, accounts, strict=True)
    ]
    views = await stock_points.put_stock_points(tx.connection, tx.merchant, writes)
    await mark_node_dirty(tx.connection, sorted({node for write in writes for node in write.nodes}))
    for queue in ROUTING:
        await wake_queue(tx.connection, queue, tx.now, tx.merchant)
    tx.ring("waiting", "availability")
    return Page(items=views, next=None)


class Nodes(Controller):
    """Places that fulfil. They belong to the install; bindings belong to the merchant."""

    path = "/nodes"
    tags = ("network",)
    opt = {NEEDS: Role.INTEGRATOR}  # noqa: RUF012

    @get("/", summary="List nodes", opt={NEEDS: Role.VIEWER})
    async def list_nodes(
        self,
        hub: Hub,
        request: ApiRequest,
        cut: Paged,
        kind: FromQuery[NodeKind | None] = None,
        enabled: FromQuery[bool | None] = None,
    ) -> Page[NodeView]:
        """Nodes by code, disabled ones included."""
        async with hub.database.connection() as connection:
            return await nodes.list_nodes(
                connection, request.user.merchant, cut, kind=kind.value if kind else None, enabled=enabled
            )

    @get("/{code:str}", summary="Read a node", opt={NEEDS: Role.VIEWER})
    async def get_node(self, hub: Hub, request: ApiRequest, code: FromPath[str]) -> NodeView:
        """One node."""
        async with hub.database.connection() as connection:
            return await nodes.get_node(connection, request.user.merchant, code)

    @put("/{code:str}", summary="Make or replace a node")
    async def put_node(
        self, hub: Hub, request: ApiRequest, code: FromPath[str], data: JSONBody[NodeBody]
    ) -> Response[NodeView]:
        """Make or replace a node; what waits for stock is tried again at once."""
        return await commit(hub, request, lambda tx: put_one(tx, code, data))

    @delete("/{code:str}", summary="Disable a node")
    async def disable_node(self, hub: Hub, request: ApiRequest, code: FromPath[str]) -> Response[None]:
        """Give it no more work. What it has already goes on; its stock no longer counts."""

        async def work(tx: Work) -> None:
            node = await nodes.disable_node(tx.connection, code)
            await mark_node_dirty(tx.connection, [node])
            tx.ring("availability")

        return await commit(hub, request, work, status=204)


class StockPoints(Controller):
    """Locations of channels and partners, and the nodes behind each."""

    path = "/stock-points"
    tags = ("network",)
    opt = {NEEDS: Role.INTEGRATOR}  # noqa: RUF012

    @get("/", summary="List stock points", opt={NEEDS: Role.VIEWER})
    async def list_stock_points(
        self, hub: Hub, request: ApiRequest, cut: Paged, account: FromQuery[str | None] = None
    ) -> Page[StockPointView]:
        """Stock points of an account or of all."""
        merchant = request.user.merchant
        async with hub.database.connection() as connection:
            known = await find_account(connection, merchant, account, "account") if account else None
            return await stock_points.list_stock_points(connection, merchant, cut, known.id if known else None)

    @put("/", summary="Write stock points", opt={"many": True, NEEDS: Role.INTEGRATOR})
    async def put_stock_points(
        self, hub: Hub, request: ApiRequest, data: JSONBody[list[StockPointBody]]
    ) -> Response[Page[StockPointView]]:
        """One, or many as `{"items": [...]}`."""
        return await commit(hub, request, lambda tx: put_points(tx, data, places(request)))
