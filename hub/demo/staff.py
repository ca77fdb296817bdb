"""The people in the stores: they work the fulfilment orders of nodes that nobody else speaks for."""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple

from hub.domain.facts import (
    AnyFact,
    FactLine,
    FulfilmentAccepted,
    FulfilmentRefused,
    GoodsShipped,
    StockMeaning,
    UnitsPacked,
    UnitsPicked,
    UnitsShort,
)
from hub.domain.fulfilment import fulfilment_id
from hub.domain.shipping import Parcel, ParcelLine
from hub.flow.normalise import FACTS_TOPIC, encode_facts
from hub.sdk.adapter import Lane
from hub.sdk.testkit.player import Dispatch
from hub.store.database import Database
from hub.store.inbox import Arrival, store_arrivals

ROUND_SECONDS: Final = 0.25
REFUSED: Final = 0.03
SHORT: Final = 0.04
CARRIER: Final = "ups"

OPEN: Final = (
    "SELECT f.order_id, f.no, n.code, o.merchant, o.account_id, o.connection_id, s.demand_no, i.sku, s.quantity "
    "FROM fulfilment_order f JOIN node n ON n.id = f.node_id JOIN customer_order o ON o.id = f.order_id "
    "JOIN slice s ON s.order_id = f.order_id AND s.fulfilment_no = f.no AND s.state = 'released' "
    "JOIN demand d ON d.order_id = s.order_id AND d.no = s.demand_no JOIN item i ON i.id = d.item_id "
    "WHERE f.connection_id IS NULL ORDER BY f.order_id, f.no, s.no"
)


class _Task(NamedTuple):
    fulfilment: str
    node: str
    merchant: str
    account: int
    connection: str
    lines: list[tuple[int, str, int]]


@dataclass(kw_only=True)
class Staff:
    """Works the stores. `shelves` is what lies there; `missing` counts units that were asked for and not there."""

    database: Database
    shelves: dict[str, Counter[str]]
    seed: int
    dispatched: list[Dispatch] = field(default_factory=list)
    missing: int = 0
    _done: set[str] = field(default_factory=set)

    async def work(self) -> None:
        """Work until cancelled."""
        while True:
            async with self.database.connection() as connection:
                rows = await connection.fetch(OPEN)
                now: datetime = await connection.fetchval("SELECT now()")
            tasks: dict[str, _Task] = {}
            for order, no, node, merchant, account, link, demand, sku, units in rows:
                public = fulfilment_id(order, no)
                task = tasks.setdefault(public, _Task(public, node, merchant, account, link, []))
                task.lines.append((demand, sku, units))
            arrivals = [self._work(task, now) for public, task in tasks.items() if public not in self._done]
            if arrivals:
                async with self.database.transaction() as connection:
                    await store_arrivals(connection, arrivals, now)
            self._done.update(tasks)
            await asyncio.sleep(ROUND_SECONDS)

    def _work(self, task: _Task, now: datetime) -> Arrival:
        body = encode_facts(self._facts(task, now))
        return Arrival(
            account=task.account,
            key=f"staff:{task.fulfilment}",
            hash=hashlib.blake2b(body, digest_size=16).digest(),
            merchant=task.merchant,
            connection=task.connection,
            topic=FACTS_TOPIC,
            object=f"fulfilment:{task.fulfilment}",
            lane=Lane.FACTS.value,
            received_at=now,
            headers=None,
            body=body,
        )

    def _facts(self, task: _Task, now: datetime) -> list[AnyFact]:
        mood = random.Random(f"{self.seed}:{task.fulfilment}").random()
        fulfilment = task.fulfilment
        if mood < REFUSED:
            reason = "too few people today"
            return [FulfilmentRefused(at=now, fulfilment=fulfilment, reason=reason, stock=StockMeaning.NOTHING)]
        facts: list[AnyFact] = [FulfilmentAccepted(at=now, fulfilment=fulfilment)]
        packed: dict[int, int] = {}
        lost: list[FactLine] = []
        shelf = self.shelves[task.node]
        for place, (demand, sku, units) in enumerate(task.lines):
            broken = 1 if place == 0 and mood < REFUSED + SHORT else 0
            there = max(0, min(units, shelf[sku]) - broken)
            self.missing += max(0, units - shelf[sku])
            shelf[sku] -= min(shelf[sku], there + broken)
            if there:
                packed[demand] = packed.get(demand, 0) + there
                self.dispatched.append(Dispatch(fulfilment=fulfilment, location=task.node, sku=sku, quantity=there))
            if there < units:
                lost.append(FactLine(line=str(demand), quantity=units - there))
        if lost:
            facts.append(UnitsShort(at=now, fulfilment=fulfilment, lines=tuple(lost), reason="broken on the shelf"))
        if packed:
            lines = tuple(ParcelLine(line=str(demand), quantity=units) for demand, units in packed.items())
            parcel = Parcel(tracking=_tracking(fulfilment), carrier=CARRIER, lines=lines)
            facts += [
                UnitsPicked(at=now, fulfilment=fulfilment),
                UnitsPacked(at=now, fulfilment=fulfilment),
                GoodsShipped(at=now, fulfilment=fulfilment, shipment="1", parcels=(parcel,)),
            ]
        return facts


def _tracking(fulfilment: str) -> str:
    digits = int.from_bytes(hashlib.blake2b(fulfilment.encode(), digest_size=8).digest()) % 10**10
    return f"1Z0000000{digits:010d}"


def shelves_of(stock: Mapping[str, Mapping[str, int]]) -> dict[str, Counter[str]]:
    """Countable shelves of a world's stock."""
    return {node: Counter(levels) for node, levels in stock.items()}
