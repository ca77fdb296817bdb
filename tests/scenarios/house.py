"""A hub in one process for scenario tests: real engines, real HTTP to simulated vendors, lanes run until quiet."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from litestar import Litestar

from hub.domain.facts import AnyFact, StockReported
from hub.flow.directory import Reader
from hub.flow.normalise import FACTS_TOPIC, encode_facts
from hub.sdk.adapter import Lane
from hub.sdk.redaction import hidden_fields
from hub.sdk.testkit.loopback import Loopback
from hub.settings import Backoff, Settings
from hub.store.admin.connections import inherit
from hub.store.auto_close import close_mended
from hub.store.database import Database
from hub.store.inbox import Arrival, store_arrivals
from hub.store.verify import verify_stock
from hub.web.app import build_routes
from hub.wiring import OpenDatabase, Parts, build_parts, build_web, build_worker
from hub.worker.main import Worker
from hub.worker.notify_webhook import Webhooks

QUICK = Backoff(schedule_seconds=(0.01,), jitter=0.0, max_attempts=12)

PATIENT = Backoff(max_attempts=12)

LANES = (Lane.ORDERS, Lane.FACTS, Lane.STOCK)

_numbers = count(1)
_readers: dict[tuple[str, str], Reader] = {}
"""Mappings that some house has compiled: the same text reads the same."""

_spare_routes: list[Litestar] = []
"""Routes that no house serves now: building them takes longer than most tests."""


@dataclass(kw_only=True)
class House:
    """Parts of a hub with its lanes in hand."""

    parts: Parts
    worker: Worker
    url: str = ""
    _server: Loopback | None = None
    _serving: asyncio.Task[None] | None = None
    _routes: Litestar | None = None
    connections: dict[str, str] = field(default_factory=dict)

    async def serve(self) -> str:
        """Serve the web application on loopback."""
        self._routes = _spare_routes.pop() if _spare_routes else build_routes()
        web = build_web(self.parts, self._routes)
        config = uvicorn.Config(web, port=0, log_config=None, access_log=False, lifespan="off", ws="none")
        self._server = Loopback(config)
        self._serving = asyncio.create_task(self._server.serve())
        await self._server.listening.wait()
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self.url

    async def close(self) -> None:
        """Stop serving and let go of the engines."""
        if self._server is not None and self._serving is not None:
            self._server.closing.set()
            await self._serving
        if self._routes is not None:
            _spare_routes.append(self._routes)
        await self.parts.close()

    async def rows(self, sql: str, *arguments: object) -> list[dict[str, Any]]:
        """Rows of a query."""
        async with self.parts.database.connection() as connection:
            return [dict(row) for row in await connection.fetch(sql, *arguments)]

    async def value(self, sql: str, *arguments: object) -> Any:
        """One value of a query."""
        async with self.parts.database.connection() as connection:
            return await connection.fetchval(sql, *arguments)

    async def run(self, sql: str, *arguments: object) -> None:
        """A statement."""
        async with self.parts.database.connection() as connection:
            await connection.execute(sql, *arguments)

    async def connect(self, name: str, adapter: str, config: Mapping[str, object], **columns: object) -> str:
        """A connection, as the API would make it."""
        made = self.parts.adapters[adapter]
        settings = msgspec.convert(dict(config), made.settings)
        hidden = hidden_fields(made.settings)
        secrets = {key: value for key, value in config.items() if key in hidden}
        account = await self.value(
            "INSERT INTO account (merchant, adapter, name) VALUES ('default', $1, $2) "
            "ON CONFLICT (merchant, adapter, name) DO UPDATE SET name = EXCLUDED.name RETURNING id",
            adapter,
            made.account(settings),
        )
        sealed = self.parts.vault.seal(secrets, table="connection", row=name, field="secrets")
        await self.run(
            "INSERT INTO connection (id, merchant, account_id, adapter, name, config, secrets, live_from, modes) "
            "VALUES ($1, 'default', $2, $3, $1, $4, $5, $6, $7)",
            name,
            account,
            adapter,
            msgspec.json.encode({k: v for k, v in config.items() if k not in hidden}).decode(),
            sealed,
            columns.get("live_from"),
            msgspec.json.encode(columns.get("modes", {})).decode(),
        )
        self.connections[name] = str(account)
        async with self.parts.database.transaction() as link:
            await inherit(link, name, account)
        return name

    async def node(self, code: str, **columns: object) -> int:
        """A node."""
        number: int = await self.value(
            "INSERT INTO node (code, name, kind, latitude, longitude, timezone, capacity_per_day, address) "
            "VALUES ($1, $1, $2, $3, $4, $5, $6, $7) RETURNING id",
            code,
            columns.get("kind", "dc"),
            columns.get("latitude"),
            columns.get("longitude"),
            columns.get("timezone", "UTC"),
            columns.get("capacity_per_day"),
            columns.get("address"),
        )
        return number

    async def bind(self, node: int, connection: str, location: str, role: str = "fulfil") -> None:
        """Let a connection speak for a node."""
        await self.run("INSERT INTO node_binding VALUES ($1, 'default', $2, $3, $4)", node, role, connection, location)

    async def stock_point(
        self, connection: str, location: str, *nodes: int, purpose: str = "sell", **terms: int
    ) -> int:
        """A connection's location, for what these nodes hold."""
        number: int = await self.value(
            "INSERT INTO stock_point (account_id, external_location, purpose, buffer, buffer_percent, supply_days) "
            "VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
            int(self.connections[connection]),
            location,
            purpose,
            terms.get("buffer", 0),
            terms.get("percent", 0),
            terms.get("supply_days", 0),
        )
        await self.run("INSERT INTO stock_point_node SELECT $1, unnest($2::bigint[])", number, nodes)
        return number

    async def item(self, sku: str, **columns: object) -> int:
        """An item."""
        number: int = await self.value(
            "INSERT INTO item (merchant, sku, weight_g, stock_mode) VALUES ('default', $1, $2, $3) RETURNING id",
            sku,
            columns.get("weight_g", 500),
            columns.get("stock_mode", "tracked"),
        )
        return number

    async def shelf(self, node: int, item: int, units: int) -> None:
        """Put units on a shelf, with their ledger entry."""
        await self.run("INSERT INTO stock (item_id, node_id, sellable) VALUES ($1, $2, $3)", item, node, units)
        await self.run(
            "INSERT INTO stock_ledger (merchant, node_id, item_id, delta, reason, source, cause, true_at, learned_at) "
            "VALUES ('default', $1, $2, $3, 'count', 'test', 'seed', now(), now())",
            node,
            item,
            units,
        )

    async def hear(
        self, connection: str, *facts: AnyFact, key: str | None = None, subject: str | None = None, deliver: bool = True
    ) -> None:
        """Put facts into the inbox as a connection would have told them."""
        lane = Lane.STOCK if isinstance(facts[0], StockReported) else Lane.FACTS
        body, now = encode_facts(facts), datetime.now(UTC)
        arrival = Arrival(
            account=int(self.connections[connection]),
            key=key or f"told:{next(_numbers)}",
            hash=hashlib.blake2b(body, digest_size=16).digest(),
            merchant="default",
            connection=connection,
            topic=FACTS_TOPIC,
            object=subject,
            lane=lane.value,
            received_at=now,
            headers=None,
            body=body,
        )
        async with self.parts.database.transaction() as link:
            await store_arrivals(link, [arrival], now)
        if deliver:
            await self.everything()

    async def open_exceptions(self) -> list[dict[str, Any]]:
        """Open exceptions, each of which says what caused it and what to do next."""
        found = await self.rows("SELECT * FROM exception WHERE closed_at IS NULL ORDER BY id")
        assert all(row["cause"].strip(": ") and len(row["next_step"]) > 15 for row in found)
        return found

    async def close_mended(self) -> int:
        """What the sweep does with exceptions whose cause is gone; how many waiters went."""
        async with self.parts.database.transaction() as connection:
            return await close_mended(connection, datetime.now(UTC))

    async def verify(self) -> None:
        """The books add up: counters derived from slices, balances from the ledger."""
        async with self.parts.database.connection() as connection:
            assert await verify_stock(connection) == []

    async def path(self, lanes: Sequence[Lane] = LANES) -> None:
        """Run the local lanes until they have nothing to do."""
        busy = True
        while busy:
            busy = False
            for lane in lanes:
                while await self.worker.performer.run(lane):
                    busy = True
            while await self.worker.performer.resume():
                busy = True

    def close_circuits(self) -> None:
        """Whoever was down is asked again at once: partners and subscribers."""
        clients = [ends.client for _, _, ends in self.parts.clients._open.values()]
        for way in self.worker.notifier._ways.values():
            if isinstance(way, Webhooks):
                clients += [client for _, client in way._open.values()]
        for client in clients:
            client._breaker.succeeded()
            client._issuer.succeeded()

    async def pull(self, connection: str, *operations: str) -> None:
        """Ask a connection for these now, one after another and nothing else; every pull succeeds."""
        for operation in operations:
            await self.run("UPDATE schedule SET next_due_at = now() + interval '1 day'")
            await self.run(
                "INSERT INTO schedule (connection_id, operation, every_seconds) VALUES ($1, $2, 60) "
                "ON CONFLICT (connection_id, operation) DO UPDATE SET next_due_at = now() - interval '1 day'",
                connection,
                operation,
            )
            assert await self.worker.puller.run() == 1
            failed = "SELECT last_error FROM schedule WHERE connection_id = $1 AND operation = $2"
            assert await self.value(failed, connection, operation) is None

    async def send(self) -> None:
        """Try once to send what waits, pauses after failures left out."""
        self.close_circuits()
        await self.run("UPDATE outbox SET due_at = now() WHERE NOT parked")
        deliverer = self.worker.deliverer
        deliverer._backoff = PATIENT
        await deliverer.run()
        await deliverer.drain()
        deliverer._backoff = self.parts.settings.backoff

    async def everything(self, rounds: int = 200) -> None:
        """Run every lane, deliveries included, until nothing is due."""
        quiet = 0
        for _ in range(rounds):
            await self.path()
            did = await self.worker.fetcher.run() + await self.worker.deliverer.run()
            await self.worker.deliverer.drain()
            did += await self.worker.broadcaster.run() + await self.worker.notifier.run()
            await self.worker.notifier.drain()
            pending = await self.value(
                "SELECT (SELECT count(*) FROM inbox WHERE NOT parked) + (SELECT count(*) FROM outbox WHERE NOT parked)"
            )
            quiet = quiet + 1 if did == 0 and pending == 0 else 0
            if quiet >= 2:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("the hub does not come to rest")


async def build_house(
    database_url: str, queue_url: str, folder: Path, open_database: OpenDatabase = Database, **choices: Any
) -> House:
    """A hub over fresh engines; `choices` are settings."""
    settings = Settings(data_dir=folder, **{"backoff": QUICK, **choices})
    parts = build_parts(settings, database_url, queue_url, name="test", connections=8, open_database=open_database)
    parts.configuration._readers = _readers
    return House(parts=parts, worker=build_worker(parts))
