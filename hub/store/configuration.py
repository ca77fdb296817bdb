"""Read the configuration into a `Directory`, and again when its epoch moved."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import asyncpg
import msgspec
import structlog

from hub.domain.contact import Contact
from hub.domain.network import (
    Account,
    Binding,
    Connection,
    Mode,
    Node,
    NodeKind,
    OpeningHours,
    Purpose,
    StockPoint,
)
from hub.domain.payment import CapturedBy
from hub.flow.address_check import load_address_rules
from hub.flow.cartons import load_packing
from hub.flow.change_window import load_change_policy
from hub.flow.directory import Directory, Link, Reader
from hub.flow.hold_rules import load_hold_policy
from hub.flow.pick_up_rules import load_pick_up_policy
from hub.flow.reading import Text, compile_reader
from hub.flow.return_rules import load_return_policy
from hub.mapping.errors import MappingFault
from hub.mapping.overlay import compile_overlay
from hub.promise.lanes import Lanes
from hub.promise.offer import Offer, load_offer
from hub.routing.policy import load_policy, load_shipped
from hub.sdk.adapter import Adapter
from hub.store import transits
from hub.store.clock import DatabaseClock
from hub.store.database import Database, PooledConnection
from hub.store.decisions import keep_shipped
from hub.store.events import read_subscriptions
from hub.store.policies import in_force, read_active

log = structlog.get_logger(__name__)


@dataclass(kw_only=True)
class ConfigurationReader:
    """Keeps the newest directory of this process. One small query a batch tells whether it is still true."""

    database: Database
    adapters: Mapping[str, Adapter]
    mapping_text: Text
    default_policy: str
    """Text of the shipped routing policy."""
    clock: DatabaseClock | None = None
    """Set right with every look."""
    default_returns: str = 'version = "built-in"'
    """Text of the shipped returns policy."""
    default_pick_up: str = 'version = "built-in"'
    """Text of the shipped rules of pick-up and store."""
    default_holds: str = 'version = "built-in"'
    """Text of the shipped policy of holds."""
    default_changes: str = 'version = "built-in"'
    """Text of the shipped change windows."""
    default_packing: str = 'version = "built-in"'
    """Text of the shipped list of boxes."""
    default_promise: str | None = None
    """Text of the shipped promise rules; None where nothing is promised."""
    address_rules: str = ""
    """Text of the shipped table of countries."""
    _directory: Directory | None = None
    _learned_on: date | None = None
    """The day on which past parcels were read, where promise rules ask for them: they are read anew every day."""
    _readers: dict[tuple[str, str], Reader] | None = None

    async def directory(self) -> Directory:
        """The configuration as of now."""
        async with self.database.connection() as connection:
            asked_at = self.clock.ticks() if self.clock else 0.0
            row = await connection.fetchrow("SELECT epoch, clock_timestamp() FROM configuration")
            assert row is not None
            epoch, told = row
            if self.clock is not None:
                self.clock.hear(told, asked_at)
            aged = self._learned_on is not None and self._learned_on != told.date()
            if self._directory is None or self._directory.epoch != epoch or aged:
                await keep_shipped(connection, load_shipped(self.default_policy).version, self.default_policy)
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    self._directory = await self._read(connection)
            return self._directory

    async def _read(self, connection: PooledConnection) -> Directory:
        active = await read_active(connection)
        configuration = await connection.fetchrow("SELECT epoch, restored_at FROM configuration")
        assert configuration is not None
        promise = None if self.default_promise is None else load_offer(self.default_promise)
        offers = in_force(active, "promise", load_offer, promise)
        holds = load_hold_policy(self.default_holds, check=False)
        changes = load_change_policy(self.default_changes)
        pick_up = load_pick_up_policy(self.default_pick_up)
        return Directory(
            epoch=configuration["epoch"],
            restored_at=configuration["restored_at"],
            links=await self._links(connection),
            accounts={row["id"]: _account(row) for row in await connection.fetch("SELECT * FROM account")},
            nodes={row["id"]: node_of(row) for row in await connection.fetch("SELECT * FROM node ORDER BY id")},
            bindings=await _bindings(connection),
            stock_points=await _stock_points(connection),
            policies=in_force(active, "routing", load_policy, load_shipped(self.default_policy)),
            offers=offers,
            lanes=await self._lanes(connection, offers),
            return_policies=in_force(active, "returns", load_return_policy, load_return_policy(self.default_returns)),
            hold_policies=in_force(active, "holds", load_hold_policy, holds),
            change_policies=in_force(active, "changes", load_change_policy, changes),
            address_check=load_address_rules(self.address_rules),
            pick_up_policies=in_force(active, "pick_up", load_pick_up_policy, pick_up),
            packings=in_force(active, "packing", load_packing, load_packing(self.default_packing)),
            subscriptions=await read_subscriptions(connection),
        )

    async def _lanes(self, connection: PooledConnection, offers: Mapping[str, Offer]) -> dict[str, Lanes]:
        """How long parcels took, for the merchants whose promise rules ask."""
        if all(offer.history.moves == "never" for offer in offers.values()):
            self._learned_on = None
            return {}
        now = await connection.fetchval("SELECT clock_timestamp()")
        self._learned_on = now.date()
        found = {}
        for row in await connection.fetch("SELECT id FROM merchant"):
            offer = offers.get(row["id"]) or offers.get("")
            if offer is not None and offer.history.moves != "never":
                found[row["id"]] = await transits.lanes(connection, row["id"], offer, now)
        return found

    async def _links(self, connection: PooledConnection) -> dict[str, Link]:
        overlays = {
            row["connection_id"]: row["text"]
            for row in await connection.fetch(
                "SELECT DISTINCT ON (connection_id) connection_id, text FROM overlay "
                "ORDER BY connection_id, version DESC"
            )
        }
        tables: dict[str, dict[str, dict[str, str]]] = {}
        for row in await connection.fetch(
            "SELECT DISTINCT ON (connection_id, name) connection_id, name, entries FROM code_table "
            "ORDER BY connection_id, name, version DESC"
        ):
            entries = msgspec.json.decode(row["entries"], type=dict[str, str])
            tables.setdefault(row["connection_id"], {})[row["name"]] = entries
        links = {}
        for row in await connection.fetch(
            "SELECT c.*, a.name AS account_name FROM connection c JOIN account a ON a.id = c.account_id ORDER BY c.id"
        ):
            adapter = self.adapters.get(row["adapter"])
            if adapter is None:
                log.error("connection.without_adapter", connection=row["id"], adapter=row["adapter"])
                continue
            own, overlay = tables.get(row["id"], {}), overlays.get(row["id"])
            links[row["id"]] = Link(
                connection=connection_of(row), adapter=adapter, read=self._reader(adapter, row["id"], overlay, own)
            )
        return links

    def _reader(self, adapter: Adapter, connection: str, overlay: str | None, own: dict[str, dict[str, str]]) -> Reader:
        """Compiled readings are kept: most epochs change something else."""
        kept = self._readers = self._readers if self._readers is not None else {}
        key = (adapter.name, f"{overlay}\n{own}") if overlay or own else (adapter.name, "")
        if key not in kept:
            try:
                loaded = compile_overlay(overlay) if overlay else None
                kept[key] = compile_reader(adapter, self.mapping_text, overlay=loaded, own=own)
            except MappingFault as fault:
                # It compiled when it was saved; a newer release may have become stricter. The shipped mapping goes on.
                log.error("overlay.broken", connection=connection, reason=str(fault))
                kept[key] = compile_reader(adapter, self.mapping_text, overlay=None, own={})
        return kept[key]


async def _bindings(connection: PooledConnection) -> dict[tuple[int, str, str], Binding]:
    return {
        (row["node_id"], row["merchant"], row["role"]): Binding(
            node=row["node_id"],
            merchant=row["merchant"],
            role=row["role"],
            connection=row["connection_id"],
            external_location=row["external_location"],
        )
        for row in await connection.fetch("SELECT * FROM node_binding")
    }


async def _stock_points(connection: PooledConnection) -> tuple[StockPoint, ...]:
    nodes: dict[int, list[int]] = {}
    for row in await connection.fetch("SELECT * FROM stock_point_node ORDER BY stock_point_id, node_id"):
        nodes.setdefault(row["stock_point_id"], []).append(row["node_id"])
    return tuple(
        StockPoint(
            id=row["id"],
            account=row["account_id"],
            external_location=row["external_location"],
            purpose=Purpose(row["purpose"]),
            nodes=tuple(nodes.get(row["id"], ())),
        )
        for row in await connection.fetch("SELECT * FROM stock_point ORDER BY id")
    )


def _account(row: asyncpg.Record) -> Account:
    return Account(
        id=row["id"],
        merchant=row["merchant"],
        adapter=row["adapter"],
        name=row["name"],
        captured_by=CapturedBy(row["captured_by"]),
    )


def connection_of(row: asyncpg.Record) -> Connection:
    """A connection from its row, joined with `account_name`."""
    return Connection(
        id=row["id"],
        merchant=row["merchant"],
        account=row["account_id"],
        account_name=row["account_name"],
        adapter=row["adapter"],
        name=row["name"],
        modes=msgspec.json.decode(row["modes"], type=dict[str, Mode]),
        live_from=row["live_from"],
        enabled=row["enabled"],
        paused=row["paused"],
    )


def node_of(row: asyncpg.Record) -> Node:
    """A node from its row."""
    return Node(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        kind=NodeKind(row["kind"]),
        address=msgspec.json.decode(row["address"], type=Contact) if row["address"] else None,
        latitude=row["latitude"],
        longitude=row["longitude"],
        timezone=row["timezone"],
        calendar=msgspec.json.decode(row["calendar"], type=OpeningHours),
        capacity_per_day=row["capacity_per_day"],
        capabilities=tuple(row["capabilities"]),
        handling_cost=row["handling_cost"],
        priority=row["priority"],
        enabled=row["enabled"],
    )
