"""A made-up channel with stalls that sell: it keeps what it was told and answers as it is bidden."""

import asyncio
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from hub.domain.money import Amounts, AmountSet
from hub.domain.order import DeliveryGroup, OrderContent, OrderLine, OrderSnapshot
from hub.sdk.adapter import Adapter, Form, Kind, Lane, Topic
from hub.sdk.capabilities import AvailabilityUpdate, Context
from hub.sdk.outcomes import Done, Outcome
from hub.sdk.translate import Tables
from hub.sdk.wire import Transport
from hub.store.inbox import Arrival, store_arrivals
from tests.scenarios.house import House


class Stall(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Config of a made-up channel."""

    name: str
    base_url: str | None = None


def _orders(body: bytes, tables: Tables) -> tuple[OrderSnapshot, ...]:
    said = msgspec.json.decode(body, type=dict[str, Any])
    content = OrderContent(
        external_id=said["id"],
        version=said.get("version", 1),
        number=said["id"],
        placed_at=datetime.now(UTC),
        currency="EUR",
        amounts=AmountSet(shop=Amounts(currency="EUR")),
        lines=tuple(OrderLine(external_id=sku, sku=sku, quantity=units) for sku, units in said["lines"]),
        groups=(DeliveryGroup(not_before=datetime.now(UTC) + timedelta(days=3)),) if said.get("later") else (),
    )
    return (OrderSnapshot(content=content),)


@dataclass
class Bazaar:
    """A made-up vendor with stalls: what each was told, and what it answers."""

    house: House
    told: dict[str, list[AvailabilityUpdate]] = field(default_factory=dict)
    answers: list[Outcome] = field(default_factory=list)
    slow: dict[str, float] = field(default_factory=dict)
    east: int = 0
    west: int = 0

    async def publish(self, context: Context[Stall], request: AvailabilityUpdate, /) -> Outcome:
        """Take levels down."""
        name = context.settings.name
        await asyncio.sleep(self.slow.get(name, 0))
        self.told.setdefault(name, []).append(request)
        return self.answers.pop(0) if self.answers else Done()

    def adapter(self, **changes: Any) -> Adapter:
        """The vendor's adapter."""
        return Adapter(
            name="bazaar",
            title="Bazaar",
            kind=Kind.CHANNEL,
            settings=Stall,
            account=lambda settings: settings.name,
            transport=lambda settings: Transport(base_url="https://bazaar.invalid"),
            topics={"orders": Topic(lane=Lane.ORDERS, form=Form.SNAPSHOT, translate=_orders)},
            publish_availability=self.publish,
            **changes,
        )

    async def stall(self, name: str, *nodes: int, location: str = "main", **terms: int) -> int:
        """A stall that sells what these nodes hold; its stock point."""
        if name not in self.house.connections:
            await self._connect(name)
        return await self.house.stock_point(name, location, *(nodes or (self.east, self.west)), **terms)

    async def _connect(self, name: str) -> None:
        account = await self.house.value(
            "INSERT INTO account (merchant, adapter, name) VALUES ('default', 'bazaar', $1) RETURNING id", name
        )
        sealed = self.house.parts.vault.seal({}, table="connection", row=name, field="secrets")
        await self.house.run(
            "INSERT INTO connection (id, merchant, account_id, adapter, name, config, secrets) "
            "VALUES ($1, 'default', $2, 'bazaar', $1, $3, $4)",
            name,
            account,
            msgspec.json.encode({"name": name}).decode(),
            sealed,
        )
        self.house.connections[name] = str(account)

    async def order(
        self, name: str, id: str, *lines: tuple[str, int], version: int = 1, later: bool = False, work: bool = True
    ) -> None:
        """Somebody buys at a stall; with `later` the goods may leave only in days."""
        body = msgspec.json.encode({"id": id, "lines": lines, "version": version, "later": later})
        arrival = Arrival(
            account=int(self.house.connections[name]),
            key=f"{id}:{version}",
            hash=hashlib.blake2b(body, digest_size=16).digest(),
            merchant="default",
            connection=name,
            topic="orders",
            object=f"order:{id}",
            lane=Lane.ORDERS.value,
            received_at=datetime.now(UTC),
            headers=None,
            body=body,
        )
        async with self.house.parts.database.transaction() as link:
            await store_arrivals(link, [arrival], datetime.now(UTC))
        if work:
            await self.house.everything()

    def levels(self, name: str) -> list[dict[str, int]]:
        """Quantities by SKU of every message to a stall."""
        return [{level.sku: level.quantity for level in update.levels} for update in self.told.get(name, [])]

    def says(self, name: str, sku: str) -> int:
        """What a stall was told last of a SKU."""
        return [level.quantity for one in self.told[name] for level in one.levels if level.sku == sku][-1]


async def build_bazaar(house: House) -> Bazaar:
    """The vendor, known to the hub, and two nodes; no stall yet."""
    made = Bazaar(house)
    use(made)
    made.east, made.west = await house.node("EAST"), await house.node("WEST")
    return made


def use(bazaar: Bazaar, **changes: Any) -> None:
    """Let the hub know the vendor with other properties."""
    reader = bazaar.house.parts.configuration
    reader.adapters = {**reader.adapters, "bazaar": bazaar.adapter(**changes)}
