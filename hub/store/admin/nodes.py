"""Places that fulfil, and who speaks for them."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import asyncpg
import msgspec

from hub.domain.contact import Contact
from hub.domain.network import NodeKind, OpeningHours
from hub.store.admin.errors import Fault, Invalid, Missing
from hub.store.admin.paging import Cut, Page, page
from hub.store.database import PooledConnection


class BindingView(msgspec.Struct, frozen=True, kw_only=True):
    """Who speaks for a node, in one role."""

    role: str
    connection: str
    external_location: str | None


class CalendarView(msgspec.Struct, frozen=True, kw_only=True):
    """A node's working week in its own time."""

    weekdays: list[int]
    """0 is Monday."""
    cut_off: str
    """HH:MM."""
    holidays: list[date]
    processing_days: int


class NodeView(msgspec.Struct, frozen=True, kw_only=True):
    """A place that can fulfil."""

    code: str
    name: str
    kind: NodeKind
    address: Contact | None
    latitude: float | None
    longitude: float | None
    timezone: str
    calendar: CalendarView
    capacity_per_day: int | None
    """Fulfilment orders per local day; null is unlimited."""
    capabilities: list[str]
    handling_cost: int
    """Thousandths of a minor unit per fulfilment order."""
    priority: int
    enabled: bool
    bindings: list[BindingView]


class NodeWrite(msgspec.Struct, frozen=True, kw_only=True):
    """A node as it shall be. Bindings of None stay as they are."""

    code: str
    name: str
    kind: NodeKind
    address: Contact | None
    latitude: float | None
    longitude: float | None
    timezone: str
    calendar: OpeningHours
    capacity_per_day: int | None
    capabilities: tuple[str, ...]
    handling_cost: int
    priority: int
    enabled: bool
    bindings: tuple[BindingView, ...] | None


SELECT: Final = (
    "SELECT n.*, (SELECT json_agg(json_build_object('role', b.role, 'connection', b.connection_id, "
    "'external_location', b.external_location) ORDER BY b.role) FROM node_binding b "
    "WHERE b.node_id = n.id AND b.merchant = $1) AS bindings FROM node n "
)
UPSERT: Final = (
    "INSERT INTO node (code, name, kind, address, latitude, longitude, timezone, calendar, capacity_per_day, "
    "capabilities, "
    "handling_cost, priority, enabled) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) "
    "ON CONFLICT (code) DO UPDATE SET name = EXCLUDED.name, kind = EXCLUDED.kind, address = EXCLUDED.address, "
    "latitude = EXCLUDED.latitude, longitude = EXCLUDED.longitude, timezone = EXCLUDED.timezone, "
    "calendar = EXCLUDED.calendar, capacity_per_day = EXCLUDED.capacity_per_day, capabilities = EXCLUDED.capabilities, "
    "handling_cost = EXCLUDED.handling_cost, priority = EXCLUDED.priority, enabled = EXCLUDED.enabled RETURNING id"
)
_bindings = msgspec.json.Decoder(list[BindingView])


async def list_nodes(
    connection: PooledConnection, merchant: str, cut: Cut, *, kind: str | None, enabled: bool | None
) -> Page[NodeView]:
    """Nodes by code, with the bindings of one merchant."""
    (after,) = cut.after(str)
    rows = await connection.fetch(
        SELECT + "WHERE ($2::text IS NULL OR n.code > $2) AND ($3::text IS NULL OR n.kind = $3) "
        "AND ($4::bool IS NULL OR n.enabled = $4) ORDER BY n.code LIMIT $5",
        merchant,
        after,
        kind,
        enabled,
        cut.limit + 1,
    )
    return page([_view(row) for row in rows], cut, lambda node: (node.code,))


async def get_node(connection: PooledConnection, merchant: str, code: str) -> NodeView:
    """One node; raises `Missing`."""
    row = await connection.fetchrow(SELECT + "WHERE n.code = $2", merchant, code)
    if row is None:
        raise Missing(f"no node {code!r}")
    return _view(row)


async def node_ids(connection: PooledConnection, codes: Sequence[str]) -> dict[str, int]:
    """Ids of the nodes that exist."""
    rows = await connection.fetch("SELECT code, id FROM node WHERE code = ANY($1::text[])", codes)
    return {row["code"]: row["id"] for row in rows}


async def put_node(connection: PooledConnection, merchant: str, write: NodeWrite) -> int:
    """Make or replace a node; returns its id. Raises `Invalid` for bindings to unknown connections."""
    node: int = await connection.fetchval(
        UPSERT,
        write.code,
        write.name,
        write.kind.value,
        _json(write.address),
        write.latitude,
        write.longitude,
        write.timezone,
        _json(write.calendar),
        write.capacity_per_day,
        list(write.capabilities),
        write.handling_cost,
        write.priority,
        write.enabled,
    )
    if write.bindings is not None:
        await _put_bindings(connection, merchant, node, write.bindings)
    return node


async def _put_bindings(
    connection: PooledConnection, merchant: str, node: int, bindings: Sequence[BindingView]
) -> None:
    rows = await connection.fetch(
        "SELECT id FROM connection WHERE merchant = $1 AND id = ANY($2::text[])",
        merchant,
        [binding.connection for binding in bindings],
    )
    known = {row["id"] for row in rows}
    faults = [
        Fault(f"no connection {binding.connection!r}", f"/bindings/{index}/connection")
        for index, binding in enumerate(bindings)
        if binding.connection not in known
    ]
    if faults:
        raise Invalid(faults)
    await connection.execute("DELETE FROM node_binding WHERE node_id = $1 AND merchant = $2", node, merchant)
    await connection.executemany(
        "INSERT INTO node_binding (node_id, merchant, role, connection_id, external_location) "
        "VALUES ($1, $2, $3, $4, $5)",
        [(node, merchant, b.role, b.connection, b.external_location) for b in bindings],
    )


async def disable_node(connection: PooledConnection, code: str) -> int:
    """Stop giving work to a node; returns its id. Raises `Missing`."""
    node: int | None = await connection.fetchval("UPDATE node SET enabled = false WHERE code = $1 RETURNING id", code)
    if node is None:
        raise Missing(f"no node {code!r}")
    return node


def _json(value: object) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _view(row: asyncpg.Record) -> NodeView:
    hours = msgspec.json.decode(row["calendar"], type=OpeningHours)
    plain: dict[str, Any] = {
        name: row[name]
        for name in (
            "code",
            "name",
            "latitude",
            "longitude",
            "timezone",
            "capacity_per_day",
            "handling_cost",
            "priority",
            "enabled",
        )
    }
    return NodeView(
        kind=NodeKind(row["kind"]),
        address=msgspec.json.decode(row["address"], type=Contact) if row["address"] else None,
        calendar=CalendarView(
            weekdays=list(hours.weekdays),
            cut_off=hours.cut_off.isoformat("minutes"),
            holidays=[date.fromisoformat(day) for day in hours.holidays],
            processing_days=hours.processing_days,
        ),
        capabilities=list(row["capabilities"]),
        bindings=_bindings.decode(row["bindings"]) if row["bindings"] else [],
        **plain,
    )
