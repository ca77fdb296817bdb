"""A hub, three made-up partners and a store that is worked through the hub."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from hub.domain.contact import Contact
from hub.domain.order import OrderSnapshot
from hub.sdk.adapter import Kind, Lane
from hub.settings import Backoff
from hub.store.inbox import Arrival, store_arrivals
from hub.store.unit_of_work import PostgresStore, PostgresUnit
from tests.property.life.moves import watch
from tests.property.life.partners import Depot, Ledger, Market, Named, Partner, Sale
from tests.scenarios.counter import Counter, open_counter
from tests.scenarios.house import House, build_house

TIRELESS = Backoff(schedule_seconds=(0.01,), jitter=0.0, max_attempts=10_000)
HOME = Contact(name="Ada", lines=("1 Weg",), city="Berlin", postal_code="10115", country="DE")
ROUTING = 'version = "life"\nremainder = "backorder"'
STORES = 'version = "life"\n[claim]\nstores = 2\nminutes = 600'

_keys = count(1)


class Died(Exception):
    """A worker dies."""


class DyingStore(PostgresStore):
    """Does the whole work of a transaction, and dies before it commits."""

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[PostgresUnit]:
        async with super().unit() as unit:
            yield unit
            raise Died


@dataclass(kw_only=True)
class World:
    """Handles on everything that a life touches."""

    house: House
    counter: Counter
    market: Market
    depot: Depot
    books: Ledger
    nodes: dict[str, int] = field(default_factory=dict)

    @property
    def partners(self) -> tuple[Partner, ...]:
        """Everybody whom the hub writes to."""
        return self.market, self.depot, self.books

    async def close(self) -> None:
        """Let go of everything."""
        await self.counter.client.aclose()
        await self.house.close()

    async def item(self, sku: str, *parts: tuple[int, int]) -> int:
        """An item, or a kit of parts (item, units)."""
        made = await self.house.item(sku)
        for part, units in parts:
            await self.house.run("INSERT INTO item_component VALUES ($1, $2, $3)", made, part, units)
        return made

    async def tell(self, sale: Sale, body: bytes | None = None, *, key: str | None = None) -> None:
        """The market sends a sale as it is now, or something that it sent before."""
        if body is None:
            body = msgspec.json.encode(OrderSnapshot(content=sale.content(), contacts={"ship": HOME}))
            key = f"{sale.id}:{sale.version}"
            sale.told.append((sale.version, body))
            sale.version += 1
        arrival = Arrival(
            account=int(self.house.connections["market"]),
            key=key or f"again:{next(_keys)}",
            hash=hashlib.blake2b(body, digest_size=16).digest(),
            merchant="default",
            connection="market",
            topic="orders",
            object=f"order:{sale.id}",
            lane=Lane.ORDERS.value,
            received_at=datetime.now(UTC),
            headers=None,
            body=body,
        )
        async with self.house.parts.database.transaction() as link:
            await store_arrivals(link, [arrival], datetime.now(UTC))

    async def send(self) -> None:
        """Send once what is due now, and take the answers in."""
        worker = self.house.worker
        await worker.deliverer.run()
        await worker.deliverer.drain()
        await self.house.path()

    async def die(self, lane: Lane | None) -> None:
        """A worker takes a batch of a lane, or of what waits, and dies before the commit."""
        performer = self.house.worker.performer
        store = performer._store
        performer._store = DyingStore(self.house.parts.database)
        try:
            await (performer.resume() if lane is None else performer.run(lane))
        except Died:
            pass
        finally:
            performer._store = store


async def open_world(database_url: str, queue_url: str, folder: Path) -> World:
    """Build it; EAST and WEST are the depot's, STORE is worked through the hub."""
    house = await build_house(database_url, queue_url, folder, backoff=TIRELESS)
    await house.serve()
    made = World(
        house=house,
        counter=await open_counter(house),
        market=Market(name="market", kind=Kind.CHANNEL),
        depot=Depot(name="depot", kind=Kind.NODE),
        books=Ledger(name="books", kind=Kind.LEDGER),
    )
    reader = house.parts.configuration
    known = {one.name: one.known_to_hub() for one in (made.market, made.depot, made.books)}
    reader.adapters = {**reader.adapters, **known}
    for name in known:
        await _connect(house, name)
    await house.run("UPDATE account SET captured_by = 'hub' WHERE name = 'market'")
    address = msgspec.json.encode({"company": "ours", "lines": ["2 Weg"], "city": "Berlin", "country": "DE"}).decode()
    for code, kind, latitude in (("EAST", "dc", 52.0), ("WEST", "dc", 48.0), ("STORE", "store", 52.4),
                                 ("CORNER", "store", 52.45)):  # fmt: skip
        made.nodes[code] = await house.node(code, kind=kind, latitude=latitude, longitude=13.0, address=address)
        if kind != "store":
            await house.bind(made.nodes[code], "depot", code)
    await house.run("UPDATE node SET capabilities = '{ship,pick_up}' WHERE code = 'STORE'")
    for policy in ({"text": ROUTING}, {"kind": "pick_up", "text": STORES}):
        kept = await made.counter.ok("POST", "/policies", policy)
        await made.counter.ok("POST", f"/policies/{kept['id']}/activate")
    await watch(house)
    return made


async def _connect(house: House, name: str) -> None:
    account = await house.value(
        "INSERT INTO account (merchant, adapter, name) VALUES ('default', $1, $1) RETURNING id", name
    )
    sealed = house.parts.vault.seal({}, table="connection", row=name, field="secrets")
    await house.run(
        "INSERT INTO connection (id, merchant, account_id, adapter, name, config, secrets) "
        "VALUES ($1, 'default', $2, $1, $1, $3, $4)",
        name,
        account,
        msgspec.json.encode(Named(name=name)).decode(),
        sealed,
    )
    house.connections[name] = str(account)


def run(runner: asyncio.Runner, work: Any) -> Any:
    """Run to the end."""
    return runner.run(work)
